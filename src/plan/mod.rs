//! Floor 0: what to do, as data. Made by `cli::to_plan` from what was typed; nothing in here needs
//! checking again, and no dialect is named in it: dialects are values of these types.

pub mod access;
mod limits;
pub mod starttls;
pub mod tls;

pub use limits::{Limits, Reception};

use access::Access;
use std::ffi::OsString;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// When a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// When both directions have ended.
    Both,
    /// When the peer has ended and everything read is sent.
    Peer,
    /// When standard input has ended and is sent.
    Stdin,
    /// Never, but for signals and limits.
    Never,
}

/// When the end of what is sent is passed on to the peer (FIN, close_notify), once all of it is
/// sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassEnd {
    /// At once.
    Now,
    /// When the peer has been silent for that long after its last byte, and after it acknowledged
    /// our last byte. Many servers drop an answer when the end of its request comes before it.
    WhenQuiet(Duration),
    /// Not before rnc leaves.
    Never,
}

/// The rules at the end of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// What makes a session over.
    pub until: Until,
    /// When the end of standard input is passed on to the peer.
    pub pass_end: PassEnd,
    /// After the end of standard input: leave when nothing has moved for that long.
    pub quit: Option<Duration>,
    /// Stay that long after the session is over (nc's `-q` on a TCP client).
    pub linger: Option<Duration>,
    /// After an HTTP request the end is passed on when its answer is whole, not when it is quiet.
    pub waits_for_answers: bool,
    /// A time limit is an ordinary end, as for nc; else it cuts the session off.
    pub time_limit_is_end: bool,
    /// Standard input is a terminal: Ctrl-C, and closing it, do not cut the session off.
    pub user_may_end: bool,
}

impl Ends {
    /// A session that is over when both directions have ended, each end being passed on at once.
    pub const BOTH: Ends = Ends {
        until: Until::Both,
        pass_end: PassEnd::Now,
        quit: None,
        linger: None,
        waits_for_answers: false,
        time_limit_is_end: false,
        user_may_end: false,
    };
}

/// What a session does about telnet commands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TelnetSides {
    /// They are data.
    #[default]
    Off,
    /// Those of the peer are answered and taken out; what is sent is not changed, as in nc and
    /// Ncat.
    Received,
    /// As `Received`, and no byte of what is sent is taken for one. RFC 854.
    Both,
}

/// What a session does with its bytes.
#[derive(Clone, Debug)]
pub struct Session {
    /// The rules at its end.
    pub ends: Ends,
    /// How much it may take.
    pub limits: Limits,
    /// Standard input is read.
    pub reads_stdin: bool,
    /// Standard output is written.
    pub writes_stdout: bool,
    /// LF is sent as CR LF.
    pub crlf: bool,
    /// What is done about telnet commands.
    pub telnet: TelnetSides,
    /// Pause after each line sent.
    pub interval: Option<Duration>,
    /// Reads from the network after which the session is over.
    pub max_reads: Option<u64>,
    /// The longest datagram made of standard input, in bytes.
    pub datagram_bytes: usize,
    /// Datagrams are not what one read gives, but stand in standard input and output like this.
    pub framing: Option<Framing>,
    /// Bytes may go past this process where nothing in it wants to see them.
    pub may_offload: bool,
    /// Before each line on standard output stands which peer it comes from.
    pub tags_lines: bool,
    /// How many bytes may wait to be sent to one of many clients.
    pub queue_bytes: usize,
    /// Datagrams that are refused are lost, and no end.
    pub ignores_refusals: bool,
    /// A broken session is a failure: told, and exit code 1.
    pub tells_breaks: bool,
    /// HTTP/1 requests on standard input are recognised: an answer that is cut short is a failure.
    pub follows_http: bool,
}

/// How messages of standard input and output stand in a stream; see `proto::framing`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A line is a message, its line feed left out.
    Line,
    /// Each behind its length, as in a frame.
    Length,
}

/// How a log shows what passed; see `proto::record`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// The bytes as they are, both directions in one.
    Raw,
    /// A line of text for each line, with time, direction and peer.
    Tagged,
    /// A JSON object for whatever passed at once.
    Json,
    /// A heading and rows of hexadecimal.
    Hex {
        /// The directions in two colours.
        colours: bool,
    },
    /// Rows of hexadecimal as Ncat's.
    NcatHex,
}

/// Where a log is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogPlace {
    /// In a file.
    File {
        /// Its path.
        path: PathBuf,
        /// What is in it stays.
        appends: bool,
    },
    /// It is shown on standard error.
    Stderr,
}

/// A log of what passes between rnc and its peers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Where it is kept.
    pub place: LogPlace,
    /// How it looks.
    pub format: LogFormat,
}

/// Which address families may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Either.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// What is spoken over an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP with one stream, in the style of TCP. RFC 6458, section 4.
    Sctp,
}

impl Transport {
    /// The name in messages and in /etc/services.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Sctp => "sctp",
        }
    }
}

/// Options of sockets, as typed.
#[derive(Clone, Debug, Default)]
pub struct SocketOptions {
    /// SO_DEBUG.
    pub debug: bool,
    /// SO_BROADCAST.
    pub broadcast: bool,
    /// SO_RCVBUF, in bytes.
    pub recv_buffer: Option<usize>,
    /// SO_SNDBUF, in bytes.
    pub send_buffer: Option<usize>,
    /// TTL or hop limit of what is sent.
    pub ttl: Option<u8>,
    /// TTL or hop limit below which packets are dropped by the kernel.
    pub min_ttl: Option<u8>,
    /// TOS or traffic class.
    pub tos: Option<u8>,
    /// Datagrams are answered, and so from the address they were sent to.
    pub answers: bool,
    /// No datagrams come in of groups that only others on this machine have joined.
    pub own_groups_only: bool,
    /// Whether what is sent to a group comes to its members on this machine too; `None`: as the
    /// system has it.
    pub multicast_loop: Option<bool>,
    /// The key segments are signed with (RFC 2385).
    pub md5_key: Option<Vec<u8>>,
    /// A peer that vanishes is found out by probes (SO_KEEPALIVE).
    pub keepalive: bool,
}

impl SocketOptions {
    /// Returns whether there are some that only count over IP.
    pub fn need_ip(&self) -> bool {
        let bytes = [self.ttl, self.min_ttl, self.tos];
        self.md5_key.is_some() || bytes.iter().any(Option::is_some)
    }
}

/// A multicast group to join, and the interface to join it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's address.
    pub addr: std::net::IpAddr,
    /// The interface's name; else the kernel chooses.
    pub interface: Option<String>,
}

/// What is common to all ways to reach or be reached over IP.
#[derive(Clone, Debug)]
pub struct Net {
    /// Which families.
    pub family: Family,
    /// TCP, UDP or SCTP.
    pub transport: Transport,
    /// Names are not looked up.
    pub numeric: bool,
    /// A reason may be followed by what would mend it.
    pub gives_hints: bool,
    /// The local address to send from.
    pub source: Option<String>,
    /// The local port to send from.
    pub source_port: Option<u16>,
    /// Socket options.
    pub options: SocketOptions,
}

/// How a connection is made.
#[derive(Clone, Debug)]
pub struct Dialing {
    /// The time for connecting.
    pub timeout: Option<Duration>,
    /// The time counts for each address anew.
    pub timeout_per_address: bool,
    /// What is said behind "timed out".
    pub timeout_reason: Option<&'static str>,
    /// The pause before the next address is tried beside the ones under way (RFC 8305); `None`:
    /// one after the other.
    pub stagger: Option<Duration>,
    /// A proxy to go through.
    pub proxy: Option<Proxy>,
    /// Messages about connecting to the proxy say that it is the proxy.
    pub names_proxy: bool,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// SOCKS version 4; version 4A when the proxy is to resolve the name.
    Socks4,
    /// SOCKS version 5, RFC 1928.
    Socks5,
    /// HTTP CONNECT, RFC 9110 section 9.3.6.
    Http,
}

/// A proxy to connect through.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user to present.
    pub user: Option<String>,
    /// The password; when there is a user but no password, it is asked for on the terminal.
    pub password: Option<String>,
    /// Who looks the name of the target up.
    pub names: ProxyNames,
    /// An HTTP request has a Host field.
    pub names_the_host: bool,
}

impl Proxy {
    /// Returns whether there is a user, but no password.
    pub fn lacks_password(&self) -> bool {
        self.user.is_some() && self.password.is_none()
    }
}

/// Who looks up the name a proxy is to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyNames {
    /// We do.
    Local,
    /// The proxy.
    Remote,
    /// We do, and the proxy where we know no address.
    Both,
    /// Nobody: it has to be an address.
    Neither,
}

/// How a UDP port is asked whether somebody is there. Only a refusal is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpProbe {
    /// What is sent.
    pub datagram: &'static [u8],
    /// It is sent twice at once, then every second; else once.
    pub is_repeated: bool,
    /// How long a refusal is waited for.
    pub limit: Duration,
}

/// Ports of a host, and how they are tried.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The host's name or address.
    pub host: String,
    /// The ports, in order.
    pub ranges: Vec<RangeInclusive<u16>>,
    /// How connections are made.
    pub dialing: Dialing,
    /// The ports in random order.
    pub shuffled: bool,
    /// Pause between ports.
    pub interval: Option<Duration>,
    /// How UDP ports are probed; `None`: they are taken to be open.
    pub udp_probe: Option<UdpProbe>,
    /// What the list has to come to.
    pub success: Success,
}

/// What a list of ports has to come to for exit code 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// Any of them is open.
    Any,
    /// All of them are.
    All,
    /// The last one is.
    Last,
}

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
