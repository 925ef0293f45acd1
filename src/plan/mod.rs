//! Floor 0: what to do, as data. Made by `cli::to_plan` from what was typed; nothing in here needs
//! checking again, and no dialect is named in it: dialects are values of these types.

pub mod access;
mod limits;
mod net;
mod session;
pub mod starttls;
pub mod tls;

pub use limits::{Limits, Reception};
pub use net::{
    Dialing, Family, Group, Net, Ports, Proxy, ProxyKind, ProxyNames, SocketOptions, Success,
    Transport, UdpProbe,
};
pub use session::{Ends, Framing, Log, LogFormat, LogPlace, PassEnd, Session, TelnetSides, Until};

use access::Access;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

/// A Unix socket's address: a path, or an abstract name behind `@`.
pub type UnixPath = PathBuf;

/// Where a Unix datagram client is bound, so that it can be answered.
#[derive(Clone, Debug)]
pub enum UnixSource {
    /// A socket file of our own making, in the directory for temporary files.
    Temporary,
    /// This path.
    Path(UnixPath),
}

/// The listener.
#[derive(Clone, Debug)]
pub struct Listening {
    /// The address; `None`: all of them.
    pub host: Option<String>,
    /// The port; 0 lets the kernel choose.
    pub port: u16,
    /// Without an address: IPv6 and IPv4 with one socket.
    pub dual_stack: bool,
    /// All addresses of a name, not only the first.
    pub all_addresses: bool,
    /// Several listeners may share the port (SO_REUSEPORT).
    pub shares_port: bool,
    /// Nothing is bound: the sockets are there already. Nothing of the above counts.
    pub passed: Option<Passed>,
}

/// Where sockets come from that somebody else has made for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// From a service manager. See sd_listen_fds(3).
    Listed,
    /// Standard input is one. See inetd(8).
    Stdin,
}

/// What happens when more than one client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// One client; the listener is closed as soon as it is there.
    One,
    /// One client; others may queue up until rnc leaves, unserved.
    OneQueueing,
    /// One after the other, without end.
    InTurn,
    /// All at once: standard input goes to all, what comes in to standard output.
    AtOnce,
}

/// Where a relay dials for each client. Streams only, so far: a UDP relay would be one more kind of
/// target, with a session for each peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// A port of a host.
    Ip {
        /// Its name or address.
        host: String,
        /// The port.
        port: u16,
    },
    /// A Unix stream socket.
    Unix(UnixPath),
}

/// What becomes of the clients of a listener that relays: each is joined to a connection of its
/// own.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Where to.
    pub to: Onward,
    /// How connections to there are made.
    pub dialing: Dialing,
}

/// A service that needs no program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// Gives back what is sent to it. RFC 862.
    Echo,
    /// Throws away what is sent to it. RFC 863.
    Discard,
    /// Sends a pattern of printing characters. RFC 864.
    Chargen,
    /// Sends the date and the time of day. RFC 867.
    Daytime,
}

/// How the clients of a broker hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Byte by byte.
    Bytes,
    /// Line by line, each under the name of its sender; comings and goings are announced.
    Chat,
}

/// A program that is run for each peer, and joined to it.
#[derive(Clone, Debug)]
pub struct Program {
    /// The program and its arguments: at least one word.
    pub words: Vec<OsString>,
    /// It gets a terminal instead of pipes.
    pub terminal: bool,
    /// Its exit code is rnc's.
    pub passes_status: bool,
    /// Its words have quotes, which stand for themselves: worth a warning.
    pub has_quotes: bool,
}

/// What a peer is joined to.
#[derive(Clone, Debug)]
pub enum Service {
    /// Standard input and output.
    Stdio,
    /// A connection of its own to elsewhere.
    Relay(Relay),
    /// A service inside this process.
    Builtin(Builtin),
    /// All the other peers, and standard input.
    Broker(Talk),
    /// A program of its own.
    Program(Program),
}

/// How a Unix listener treats what stands at its path.
#[derive(Clone, Copy, Debug)]
pub struct UnixListening {
    /// Whatever is there is replaced; else only a socket that nobody listens on.
    pub replaces_anything: bool,
    /// Our socket is removed at the end.
    pub removed_at_end: bool,
    /// The permissions of our socket file; `None`: those the umask leaves.
    pub mode: Option<u32>,
}

/// The one thing to do.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Connect to the ports of a host, one after the other.
    Connect {
        /// The host and its ports.
        to: Ports,
        /// The connected socket is passed to standard output (`-F`).
        passes_fd: bool,
    },
    /// Only see which ports of a host are open (`-z`), many at once.
    Scan {
        /// The host and its ports.
        to: Ports,
        /// How many at once, if there are descriptors for them; `None`: a good number.
        parallel: Option<u16>,
    },
    /// Connect to a Unix socket.
    ConnectUnix {
        /// The socket.
        path: UnixPath,
        /// Datagrams instead of a stream, from this address.
        datagram: Option<UnixSource>,
        /// Only see whether somebody listens.
        zero_io: bool,
        /// The time for connecting.
        timeout: Option<Duration>,
    },
    /// Connect to a vsock port.
    ConnectVsock {
        /// The context identifier of the machine.
        cid: u32,
        /// The port.
        port: u32,
        /// The time for connecting.
        timeout: Option<Duration>,
    },
    /// Listen on TCP or SCTP.
    Listen {
        /// Where.
        at: Listening,
        /// Whom to serve.
        clients: Clients,
    },
    /// Listen on a vsock port.
    ListenVsock {
        /// The context identifier to listen on; `None`: all there are.
        cid: Option<u32>,
        /// The port; 0 lets the kernel choose.
        port: u32,
        /// Whom to serve.
        clients: Clients,
    },
    /// Receive UDP datagrams.
    ListenUdp {
        /// Where.
        at: Listening,
        /// The first peer is the only one (nc without `-k`).
        locks_to_first: bool,
        /// Multicast groups to join.
        groups: Vec<Group>,
    },
    /// Listen on a Unix socket.
    ListenUnix {
        /// The socket.
        path: UnixPath,
        /// Datagrams instead of streams.
        datagram: bool,
        /// Whom to serve.
        clients: Clients,
        /// How the path is treated.
        rules: UnixListening,
    },
}

/// The exit codes where dialects differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codes {
    /// The time for connecting ran out.
    pub connect_timed_out: u8,
    /// A time limit was reached in a session.
    pub timed_out: u8,
    /// A session broke.
    pub broken: u8,
    /// The command line is wrong, or a file it names.
    pub usage: u8,
    /// Something other than the network failed: a name, a listener, standard input or output.
    pub other: u8,
}

/// Everything rnc needs to know to do what was asked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The one thing to do.
    pub mode: Mode,
    /// Who may come in.
    pub access: Access,
    /// What peers are joined to.
    pub service: Service,
    /// How they are received where rnc listens.
    pub reception: Reception,
    /// Addresses and sockets.
    pub net: Net,
    /// TLS on the connections to peers.
    pub tls: Option<tls::Tls>,
    /// What sessions do with their bytes.
    pub session: Session,
    /// Where it is written down what passes.
    pub logs: Vec<Log>,
    /// Exit codes.
    pub codes: Codes,
    /// The peer's name, not its address, is shown when it connects.
    pub names_peers: bool,
    /// Whose process the peer is, is shown when it connects to a Unix socket.
    pub tells_users: bool,
    /// When a listener prints where it is without `-v`.
    pub announces: Announces,
    /// Errors of a listener are told without the address, as nc does.
    pub plain_errors: bool,
    /// `NCAT TEST: LISTEN` is told when there is a listener: scripts that drive Ncat wait for it.
    pub tells_test: bool,
    /// The key for signed segments is asked for on the terminal (`-S`).
    pub asks_md5_key: bool,
}

/// When a listener prints where it is, without `-v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Announces {
    /// Never.
    Never,
    /// When the system has chosen the port.
    ChosenPorts,
    /// Always.
    Always,
}

impl Plan {
    /// Whether clients, or datagrams, are waited for.
    pub fn listens(&self) -> bool {
        matches!(
            self.mode,
            Mode::Listen { .. } | Mode::ListenUdp { .. } | Mode::ListenUnix { .. }
        )
    }
}
