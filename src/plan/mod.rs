//! Floor 0: what to do, as data. Made by `cli::to_plan` from what was typed; nothing in here needs
//! checking again, and no dialect is named in it: dialects are values of these types.

pub mod access;
mod clients;
mod end;
mod limits;
mod log;
mod net;
mod ports;
mod program;
mod rules;
pub mod starttls;
pub mod tls;

pub use clients::{Binding, Clients, ListenAt, Listening, Passed, Reception, UnixListening};
pub use end::{Base, End, How, Layer, Proxy, ProxyKind, ProxyNames, UnixPath, UnixSource};
pub use limits::Limits;
pub use log::{Log, LogFormat, LogPlace};
pub use net::{Family, Group, Net, SocketOptions, Transport, UdpProbe};
pub use ports::{Ports, Success};
pub use program::{Builtin, Program};
pub use rules::{Ends, Framing, PassEnd, Rules, TelnetSides, Until};

/// Everything rnc needs to know to do what was asked.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What to do.
    pub work: Work,
    /// The logs of what passes.
    pub logs: Vec<Log>,
    /// What is printed, and the exit codes.
    pub manners: Manners,
    /// `NCAT TEST: LISTEN` is printed when there is a listener: scripts that drive Ncat wait for
    /// it.
    pub tells_test: bool,
    /// The key for signed segments is asked for on the terminal (`-S`).
    pub asks_md5_key: bool,
}

/// The one thing to do.
#[derive(Clone, Debug)]
pub enum Work {
    /// Sessions of two sides each.
    Join(Box<Join>),
    /// A session of many.
    Room(Box<Room>),
    /// A service that answers each datagram by itself.
    Answer(Box<Answer>),
    /// Only see which ports of a host are open (`-z`), many at once.
    Scan(Box<Scan>),
}

/// Sessions, each of which joins a local side, ours, to a remote one.
#[derive(Clone, Debug)]
pub struct Join {
    /// Our side: what a peer is joined to. It is a listener's client where that is relayed.
    pub local: Side,
    /// The peer's side.
    pub remote: Side,
    /// What is done with a remote side that is open.
    pub purpose: Purpose,
    /// What sessions do with their bytes.
    pub rules: Rules,
}

/// One side of a session.
#[derive(Clone, Debug)]
pub enum Side {
    /// An end that is opened.
    End(Box<End>),
    /// An end at each of several ports, one after the other.
    Ports(Box<Ports>),
    /// The clients of a listener.
    Listener(Box<Listening>),
}

/// What is done with a peer's end that has been opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// It is joined to the local side.
    Join,
    /// Nothing: that it can be opened was the question (`-z`).
    Look,
    /// The connected socket is passed to standard output (`-F`).
    PassSocket,
}

/// A listener whose clients share one session: with standard input and output, or each other.
#[derive(Clone, Debug)]
pub struct Room {
    /// Where they come from.
    pub listening: Listening,
    /// They hear each other, like this.
    pub talk: Option<Talk>,
    /// What is done with their bytes.
    pub rules: Rules,
}

/// How the clients of a broker hear each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Talk {
    /// Byte by byte.
    Bytes,
    /// Line by line, each under the name of its sender; comings and goings are announced.
    Chat,
}

/// A service over datagrams: each is answered by itself.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Where they come from.
    pub listening: Listening,
    /// What answers.
    pub builtin: Builtin,
    /// What is done with their bytes.
    pub rules: Rules,
}

/// A look at which ports are open.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The host and its ports.
    pub to: Ports,
    /// How many at once, if there are descriptors for them; `None`: a good number.
    pub parallel: Option<u16>,
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

/// What is printed, and the exit codes.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Exit codes.
    pub codes: Codes,
    /// The peer's name, not its address, is shown when it connects.
    pub names_peers: bool,
    /// The process and user of a peer are shown when it connects to a Unix socket.
    pub tells_users: bool,
    /// When a listener prints where it is without `-v`.
    pub announces: Announces,
    /// Errors of a listener are printed without the address, as nc does.
    pub plain_errors: bool,
    /// A broken session is a failure: printed, and exit code 1.
    pub tells_breaks: bool,
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
    /// The listener there is to be, if any.
    pub fn listening(&self) -> Option<&Listening> {
        match &self.work {
            Work::Join(join) => {
                let mut sides = [&join.local, &join.remote].into_iter();
                sides.find_map(Side::listening)
            }
            Work::Room(room) => Some(&room.listening),
            Work::Answer(answer) => Some(&answer.listening),
            Work::Scan(_) => None,
        }
    }

    /// The program that is run for each peer, if any.
    pub fn program(&self) -> Option<&Program> {
        let Work::Join(join) = &self.work else {
            return None;
        };
        let sides = [&join.local, &join.remote].into_iter();
        sides.filter_map(Side::end).find_map(|end| match &end.base {
            Base::Program(program) => Some(program),
            _ => None,
        })
    }
}

impl Side {
    /// The listener, if it is one.
    pub fn listening(&self) -> Option<&Listening> {
        match self {
            Side::Listener(listening) => Some(listening),
            Side::End(_) | Side::Ports(_) => None,
        }
    }

    /// The end that is opened, if it is one.
    pub fn end(&self) -> Option<&End> {
        match self {
            Side::End(end) => Some(end),
            Side::Ports(ports) => Some(&ports.end),
            Side::Listener(_) => None,
        }
    }
}
