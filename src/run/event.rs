//! What is printed for the user, as values. The words for them are in `words`: those of nc and rnc,
//! and those of Ncat.

use crate::flow::bridge::Ended;
use crate::flow::limits::Late;
use crate::net::tls::TlsAcceptor;
use crate::net::wrap::WrapError;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// Something to be printed.
pub enum Event<'a> {
    // ---- a listener
    /// A port is listened on, or bound.
    Listening {
        /// It is only bound: it receives datagrams.
        is_bound: bool,
        /// Its address, or the name of that.
        host: &'a str,
        /// Where it is.
        bound: SocketAddr,
        /// It takes IPv4, too.
        is_dual: bool,
    },
    /// Something that is no port of IP is listened on, or bound.
    ListeningAt {
        /// It is only bound: it receives datagrams.
        is_bound: bool,
        /// Where it is.
        place: &'a str,
        /// It is a Unix socket that rnc has bound itself, of which `-v` tells more.
        is_own: bool,
    },
    /// A certificate was made, with this pin; and where a client connects to, as it is typed.
    OwnCertificate(&'a str, Option<&'a str>),
    /// All hosts that reach this machine can use a program.
    OpenToAll,
    /// The access rules were read again.
    AccessRead,
    /// A client has connected from this address, which has this name.
    Came(&'a str, SocketAddr),
    /// A client without an IP address has connected: the socket it connected to, or its address.
    CameTo(&'a str),
    /// The TLS handshake of a client is done: what was agreed on, in lines.
    ClientSecured(&'a [String]),
    /// A client's handshake of TLS has failed.
    HandshakeFailed(&'a str, &'a WrapError, &'a TlsAcceptor),
    /// A client's handshake of TLS is given up for that of another.
    HandshakeDropped(&'a str),
    /// The access rules deny a client, or the sender of a datagram.
    Denied(&'a str),
    /// A client could not be accepted, and why.
    TurnedAway(&'a io::Error),
    /// A client is denied since there are so many.
    Full(usize),
    /// Datagrams of other peers are dropped since there are so many peers.
    PeersFull(usize),
    /// Clients have to wait for a descriptor.
    Short(&'a io::Error),
    /// No client has connected for so long.
    NobodyCame(Duration),
    /// A relay's target is its own listener.
    Itself(&'a str),

    // ---- a session
    /// A client that is spoken to in plain text speaks TLS.
    SpeaksTls,
    /// A peer has answered a datagram that was sent to a group, or anew.
    Answer(SocketAddr),
    /// Datagrams to a peer are lost.
    Lost(&'a str, &'a io::Error),
    /// A datagram could not be sent to one of many peers.
    SendFailed(&'a io::Error),
    /// Datagrams cannot be received.
    ReceiveFailed(&'a io::Error),
    /// How much went over a session with standard input and output.
    Totals(Totals<'a>),
    /// A peer has left: bytes sent to it, or to where it was relayed, and received.
    Left(&'a str, (u64, u64)),
    /// Datagrams received and answered by a service.
    Answered(u64, u64),
    /// The kernel has dropped so many datagrams.
    Dropped(u32),
    /// A peer has reached --max-bytes.
    UsedUp(&'a str),
    /// A peer that was spoken to in plain text has answered with a TLS alert.
    Alert(&'a str),
    /// What took too long, if there is a name for it.
    Late(Option<&'a str>, Late),
    /// What broke, and why.
    Broken(&'a str, &'a str),
    /// A client of a room does not read, and is dropped.
    Stalled(&'a str),
    /// Standard input could not be read.
    InputFailed(&'a io::Error),
    /// Standard output could not be written.
    OutputFailed(&'a io::Error),

    // ---- rnc itself
    /// The socket could not be passed to standard output.
    NotPassed(&'a io::Error),
    /// There is no terminal to ask for the password of a proxy.
    NotAsked(&'a io::Error),
}

/// How much went over a session.
pub struct Totals<'a> {
    /// Bytes sent and received.
    pub moved: (u64, u64),
    /// How long it took.
    pub time: Duration,
    /// How it ended.
    pub ended: &'a Ended,
    /// The peer has connected to rnc, not rnc to it.
    pub came: bool,
}
