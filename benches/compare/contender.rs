//! Who runs, and with which flags, so that both ends finish by themselves.

use std::ffi::OsString;
use std::io::{self, PipeWriter};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::identity::{Identity, NAME};
use crate::limit;
use crate::place::Place;

/// The contender all ratios refer to.
pub const REFERENCE: &str = "nc.openbsd";

/// The contender this package builds.
pub const OURS: &str = "rnc";

/// socat with buffers as large as ours.
pub const BIG_SOCAT: &str = "socat-256k";

/// What the kernel gives to a program that does nothing else.
pub const LIMIT: &str = "limit";

/// All others that are netcats.
pub const PEERS: &[&str] = &[
    REFERENCE,
    "nc.traditional",
    "ncat",
    "socat",
    BIG_SOCAT,
    "openssl",
];

/// One netcat.
#[derive(Clone, Debug)]
pub struct Contender {
    /// As the tables and --with call it.
    pub name: &'static str,
    /// The program.
    pub path: PathBuf,
    /// Which command line it speaks.
    kind: Kind,
}

/// A sender and the receiver at its other end.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Connects and sends its stdin.
    pub sender: Contender,
    /// Listens and writes to its stdout.
    pub receiver: Contender,
}

/// The command lines known here. BEHAVIOUR.md has what each does at the ends of its streams.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Rnc,
    OpenBsd,
    Traditional,
    Ncat,
    /// The transfer size, where it is not socat's own (8192).
    Socat(Option<&'static str>),
    /// s_client and s_server.
    OpenSsl,
    /// This program, see [`limit`].
    Limit,
}

/// What a job asks of its contenders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skill {
    /// Both ends of a one-way transfer, over TCP.
    Tcp,
    /// The same over a Unix socket.
    Unix,
    /// Data both ways at once, each direction to its end.
    BothWays,
    /// The part of a client people use.
    Talk,
    /// Receives datagrams.
    Udp,
    /// Sends datagrams of a size that can be chosen.
    UdpSizes,
    /// Looks at a range of ports.
    Scan,
    /// Dials on for clients that come in, many at once.
    Relay,
    /// The same, each over in a moment.
    RelayShort,
    /// Relays one large stream.
    RelayBulk,
    /// As BothWays, over a Unix socket.
    UnixBothWays,
    /// Sends each of many clients back what it sends.
    Echo,
    /// Passes on what each client sends to all others.
    Broker,
    /// Runs a program for each of many clients.
    Exec,
    /// Both ends of a one-way transfer, over TLS.
    Tls,
    /// The same with data both ways at once.
    TlsBothWays,
    /// Takes what many clients send over TLS, one after the other or all at once.
    TlsServer,
    /// The same, all at once.
    TlsServerOfMany,
}

/// All that are known: name in the tables, program, command line.
const KNOWN: &[(&str, &str, Kind)] = &[
    (OURS, env!("CARGO_BIN_EXE_rnc"), Kind::Rnc),
    (REFERENCE, "nc.openbsd", Kind::OpenBsd),
    ("nc.traditional", "nc.traditional", Kind::Traditional),
    ("ncat", "ncat", Kind::Ncat),
    ("socat", "socat", Kind::Socat(None)),
    (BIG_SOCAT, "socat", Kind::Socat(Some("262144"))),
    ("openssl", "openssl", Kind::OpenSsl),
    (LIMIT, "/proc/self/exe", Kind::Limit),
];

impl Contender {
    /// Returns whether it is a build of rnc.
    pub fn is_rnc(&self) -> bool {
        matches!(self.kind, Kind::Rnc)
    }

    /// Those of `with` (of all, when that is empty) whose program is there, and other builds of
    /// rnc by their names and paths.
    pub fn installed(with: &[String], also: &[(&'static str, PathBuf)]) -> Vec<Self> {
        let wanted = |name: &str| with.is_empty() || with.iter().any(|word| word == name);
        let mut found = Vec::new();
        for &(name, program, kind) in KNOWN.iter().filter(|known| wanted(known.0)) {
            match which(program) {
                Some(path) => found.push(Self { name, path, kind }),
                None => eprintln!("compare: {program} is not installed: {name} is left out"),
            }
        }
        found.extend(also.iter().map(|(name, path)| Self {
            name,
            path: path.clone(),
            kind: Kind::Rnc,
        }));
        for word in with
            .iter()
            .filter(|&word| !KNOWN.iter().any(|known| known.0 == word))
        {
            eprintln!("compare: --with {word}: not known");
        }
        found
    }

    /// True if it can take part in a job that asks for this.
    pub fn can(&self, skill: Skill) -> bool {
        match (skill, self.kind) {
            (skill, kind) if skill.is_tls() => match kind {
                Kind::Rnc => self.has_option("--tls"),
                // s_client leaves at the end of its stdin; s_server has one client at a time.
                Kind::OpenSsl => matches!(skill, Skill::Tls | Skill::TlsServer),
                // As a client it fails once one direction has ended.
                Kind::Ncat => skill != Skill::TlsBothWays,
                kind => matches!(kind, Kind::Socat(_)),
            },
            (_, Kind::OpenSsl) => false,
            (Skill::Tcp | Skill::Udp, _) => true,
            (Skill::Unix | Skill::BothWays, kind) => !matches!(kind, Kind::Traditional),
            // With buffers larger than the sockets' both socats wait in a write for ever.
            (Skill::UnixBothWays, kind) => {
                !matches!(kind, Kind::Traditional | Kind::Socat(Some(_)))
            }
            (Skill::UdpSizes, kind) => matches!(kind, Kind::Rnc | Kind::Socat(None)),
            (Skill::Talk, kind) => !matches!(kind, Kind::Limit),
            (Skill::Scan, kind) => matches!(kind, Kind::Rnc | Kind::OpenBsd | Kind::Traditional),
            (Skill::Relay | Skill::RelayShort | Skill::RelayBulk, Kind::Rnc) => {
                self.has_option("--relay")
            }
            (Skill::Relay | Skill::RelayShort | Skill::RelayBulk, Kind::Socat(_)) => true,
            (Skill::Echo, Kind::Rnc) => self.has_option("--echo"),
            (Skill::Broker, Kind::Rnc) => self.has_option("--broker"),
            (Skill::Broker, kind) => matches!(kind, Kind::Ncat),
            (Skill::Exec, Kind::Rnc) => self.has_option("--exec"),
            (Skill::Echo | Skill::Exec, kind) => matches!(kind, Kind::Ncat | Kind::Socat(None)),
            // A server's end does not come through to the client; or, once the client has ended,
            // the answer does not.
            (Skill::RelayShort, Kind::Ncat) => false,
            (Skill::Relay | Skill::RelayBulk, Kind::Ncat) => true,
            (Skill::RelayBulk, Kind::Limit) => true,
            _ => false,
        }
    }

    /// True if a relay of its kind starts two programs for every client: it is given fewer.
    pub fn relays_by_program(&self) -> bool {
        matches!(self.kind, Kind::Ncat)
    }

    /// True if its echo is a program for every client: it is given fewer that stay.
    pub fn echoes_by_program(&self) -> bool {
        !matches!(self.kind, Kind::Rnc)
    }

    /// True if its TLS server is a process for every client: it is given fewer that stay.
    pub fn serves_by_process(&self) -> bool {
        matches!(self.kind, Kind::Socat(_))
    }

    /// A stdin for a receiver that says nothing, and what keeps it so.
    pub fn quiet_stdin(&self) -> io::Result<(Stdio, Option<PipeWriter>)> {
        match self.kind {
            // It leaves when its stdin ends.
            Kind::OpenSsl => {
                let (stdin, open) = io::pipe()?;
                Ok((stdin.into(), Some(open)))
            }
            _ => Ok((Stdio::null(), None)),
        }
    }

    /// True if it looks at one port after the other: it is given fewer that do not answer.
    pub fn scans_in_turn(&self) -> bool {
        !matches!(self.kind, Kind::Rnc)
    }

    /// True if its exit code says whether a scan found anything; nc.traditional's is always 0.
    pub fn tells_by_exit_code(&self) -> bool {
        !matches!(self.kind, Kind::Traditional)
    }

    /// Listens, writes what the first client sends to stdout, leaves at its end.
    /// Its stdin is meant to be [`Self::quiet_stdin`].
    pub fn receive(&self, place: &Place) -> Command {
        let mut command = self.program();
        match (self.kind, place) {
            (Kind::Rnc | Kind::OpenBsd, Place::Tcp(port)) => command.arg("-l").arg(text(port)),
            (Kind::Rnc | Kind::OpenBsd, Place::Unix(path)) => command.arg("-lU").arg(path),
            (Kind::Rnc | Kind::OpenBsd, Place::Tls(port, identity)) => {
                nc_tls_server(command.arg("-l"), *port, identity)
            }
            (Kind::Traditional, _) => command.args(["-l", "-p"]).arg(word(place)),
            (Kind::Ncat, _) => {
                command.args(["-l", "--recv-only"]);
                ncat_listen(&mut command, place)
            }
            (Kind::Socat(_), _) => command.args(["-u", &socat_listen(place), "STDOUT"]),
            (Kind::OpenSsl, _) => s_server(command.args(["s_server", "-naccept", "1"]), place),
            (Kind::Limit, _) => command.arg(limit::RECEIVE).arg(word(place)),
        };
        command
    }

    /// Connects, sends stdin to its end, and leaves.
    pub fn send(&self, place: &Place) -> Command {
        let mut command = self.program();
        match self.kind {
            Kind::Rnc => nc_address(&mut command, place),
            Kind::OpenBsd => nc_address(command.arg("-N"), place),
            Kind::Traditional => nc_address(command.args(["-q", "0"]), place),
            Kind::Ncat => ncat_connect(command.arg("--send-only"), place),
            Kind::Socat(_) => command.args(["-u", "STDIN", &socat_connect(place)]),
            Kind::OpenSsl => s_client(&mut command, place),
            Kind::Limit => command.arg(limit::SEND).arg(word(place)),
        };
        command
    }

    /// Listens, carries both directions of the first client to their ends, and leaves.
    pub fn serve(&self, place: &Place) -> Command {
        let mut command = self.program();
        match (self.kind, place) {
            (Kind::Rnc | Kind::Traditional | Kind::OpenSsl, _) => return self.receive(place),
            (Kind::OpenBsd, Place::Tcp(port)) => command.args(["-N", "-l"]).arg(text(port)),
            (Kind::OpenBsd, Place::Unix(path)) => command.args(["-N", "-lU"]).arg(path),
            (Kind::OpenBsd, Place::Tls(port, identity)) => {
                nc_tls_server(command.args(["-N", "-l"]), *port, identity)
            }
            (Kind::Ncat, _) => ncat_listen(command.arg("-l"), place),
            (Kind::Socat(_), _) => command.args(["-t", "30", "STDIO", &socat_listen(place)]),
            (Kind::Limit, _) => command.arg(limit::SERVE).arg(word(place)),
        };
        command
    }

    /// Connects, carries both directions, and leaves once the server has closed and stdin has
    /// ended.
    pub fn talk(&self, place: &Place) -> Command {
        let mut command = self.program();
        match self.kind {
            Kind::Rnc | Kind::OpenBsd | Kind::Traditional => nc_address(&mut command, place),
            Kind::Ncat => ncat_connect(&mut command, place),
            Kind::OpenSsl => s_client(&mut command, place),
            // socat would give the server half a second after the end of stdin.
            Kind::Socat(_) => command.args(["-t", "30", "STDIO", &socat_connect(place)]),
            Kind::Limit => command.arg(limit::EXCHANGE).arg(word(place)),
        };
        command
    }

    /// Looks which of these ports take connections, and says it with its exit code.
    pub fn scan(&self, host: &str, ports: &RangeInclusive<u16>) -> Command {
        let mut command = self.program();
        let ports = format!("{}-{}", ports.start(), ports.end());
        command.args(["-n", "-z", "-w", "1", host, &ports]);
        command
    }

    /// Listens for clients and dials the target for each, until it is ended.
    pub fn relay(&self, port: u16, target: u16) -> Command {
        let mut command = self.program();
        let (port, to) = (port.to_string(), format!("127.0.0.1:{target}"));
        match self.kind {
            Kind::Socat(_) => command.args([
                &format!("TCP4-LISTEN:{port},fork,reuseaddr,backlog=128"),
                &format!("TCP4:{to}"),
            ]),
            Kind::Ncat => {
                let dial = format!("{} 127.0.0.1 {target}", self.path.display());
                command.args(["-lk", "-m", "1000", "127.0.0.1", &port, "-c", &dial])
            }
            Kind::Limit => command.args([limit::RELAY, &port, &target.to_string()]),
            _ => command.args(["-lk", &port, "--relay", &to]),
        };
        command
    }

    /// Listens for clients and sends each back what it sends, until it is ended.
    pub fn echo(&self, port: u16) -> Command {
        if self.echoes_by_program() {
            return self.run_cat(port);
        }
        let mut command = self.program();
        command.args(["-lk", "--echo", "127.0.0.1", &port.to_string()]);
        command
    }

    /// Listens for clients and passes on what each sends to all others, until it is ended.
    pub fn broker(&self, port: u16) -> Command {
        let mut command = self.program();
        command
            .args(["-l", "--broker", "--max-conns", "100"])
            .args(["127.0.0.1", &port.to_string()]);
        command
    }

    /// Listens for clients and runs `cat` for each, until it is ended.
    pub fn run_cat(&self, port: u16) -> Command {
        let mut command = self.program();
        let port = port.to_string();
        match self.kind {
            Kind::Socat(_) => command.args([
                &format!("TCP4-LISTEN:{port},fork,reuseaddr,backlog=128"),
                "EXEC:/bin/cat",
            ]),
            _ => command
                .args(["-lk", "--max-conns", "1000", "--exec", "/bin/cat"])
                .args(["127.0.0.1", &port]),
        };
        command
    }

    /// Listens for clients and takes what they send over TLS, until it is ended.
    pub fn take_all(&self, port: u16, identity: &Identity) -> Command {
        let mut command = self.program();
        match self.kind {
            Kind::Socat(_) => {
                let listen = socat_tls_listen(port, identity) + ",fork,backlog=128";
                command.args(["-u", &listen, "STDOUT"])
            }
            Kind::Ncat => {
                command.args(["-lk", "--recv-only", "-m", "1000"]);
                nc_tls_server(&mut command, port, identity)
            }
            // It leaves when its stdin ends, unless it answers by itself.
            Kind::OpenSsl => s_server_at(command.args(["s_server", "-rev"]), port, identity),
            _ => nc_tls_server(command.arg("-lk"), port, identity),
        };
        command
    }

    /// True if this build of rnc has an option.
    fn has_option(&self, option: &str) -> bool {
        let help = Command::new(&self.path).arg("--help").output();
        help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains(option))
    }

    /// The program with the options all its uses share.
    fn program(&self) -> Command {
        let mut command = Command::new(&self.path);
        if let Kind::Socat(Some(size)) = self.kind {
            command.args(["-b", size]);
        }
        command
    }
}

impl Skill {
    /// True if it is about TLS.
    fn is_tls(self) -> bool {
        use Skill::{Tls, TlsBothWays, TlsServer, TlsServerOfMany};
        matches!(self, Tls | TlsBothWays | TlsServer | TlsServerOfMany)
    }
}

impl Pair {
    /// The same netcat at both ends.
    pub fn same(contender: &Contender) -> Self {
        Self {
            sender: contender.clone(),
            receiver: contender.clone(),
        }
    }

    /// rnc at one end and the reference at the other, both ways; none if one of them is missing.
    pub fn mixed(contenders: &[Contender]) -> Vec<Self> {
        let named = |name| {
            contenders
                .iter()
                .find(|contender| contender.name == name)
                .cloned()
        };
        let (Some(ours), Some(reference)) = (named(OURS), named(REFERENCE)) else {
            return Vec::new();
        };
        vec![
            Self {
                sender: ours.clone(),
                receiver: reference.clone(),
            },
            Self {
                sender: reference,
                receiver: ours,
            },
        ]
    }

    /// As the tables call it.
    pub fn name(&self) -> String {
        if self.sender.name == self.receiver.name {
            self.sender.name.to_owned()
        } else {
            format!("{} → {}", self.sender.name, self.receiver.name)
        }
    }
}

/// Where to connect, as all that follow nc say it; ncat says so where to listen, too.
fn nc_address<'a>(command: &'a mut Command, place: &Place) -> &'a mut Command {
    match place {
        Place::Tcp(port) => command.arg("127.0.0.1").arg(text(port)),
        Place::Unix(path) => command.arg("-U").arg(path),
        Place::Tls(port, identity) => command
            .args(["--ssl", "--ssl-servername", NAME, "--ssl-verify"])
            .arg("--ssl-trustfile")
            .arg(identity.cert())
            .args(["127.0.0.1", &text(port)]),
    }
}

/// Where to connect, as ncat says it. With TLS 1.3 it closes with session tickets unread, which
/// resets the connection, and what it has not sent yet is lost: in three of five transfers.
fn ncat_connect<'a>(command: &'a mut Command, place: &Place) -> &'a mut Command {
    if let Place::Tls(_, identity) = place {
        command.env("OPENSSL_CONF", identity.at_most_tls_1_2());
    }
    nc_address(command, place)
}

/// Where to listen, as ncat says it: as where to connect, but for TLS.
fn ncat_listen<'a>(command: &'a mut Command, place: &Place) -> &'a mut Command {
    match place {
        Place::Tls(port, identity) => nc_tls_server(command, *port, identity),
        Place::Tcp(_) | Place::Unix(_) => nc_address(command, place),
    }
}

/// Where to listen with TLS, as rnc and ncat say it.
fn nc_tls_server<'a>(command: &'a mut Command, port: u16, identity: &Identity) -> &'a mut Command {
    command.args(["--ssl", "--ssl-cert"]).arg(identity.cert());
    command.arg("--ssl-key").arg(identity.key());
    command.args(["127.0.0.1", &text(&port)])
}

/// Where to connect, as openssl says it; TLS it must be.
fn s_client<'a>(command: &'a mut Command, place: &Place) -> &'a mut Command {
    command.args(["s_client", "-brief", "-quiet"]);
    // Else lines that begin with Q or R are commands, and the end of stdin is none.
    command.args(["-nocommands", "-no_ign_eof"]);
    if let Place::Tls(port, identity) = place {
        command.arg("-CAfile").arg(identity.cert());
        command.args(["-connect", &format!("127.0.0.1:{port}")]);
    }
    command
}

/// Where to listen, as openssl says it; TLS it must be.
fn s_server<'a>(command: &'a mut Command, place: &Place) -> &'a mut Command {
    match place {
        Place::Tls(port, identity) => s_server_at(command, *port, identity),
        Place::Tcp(_) | Place::Unix(_) => command,
    }
}

/// See [`s_server`].
fn s_server_at<'a>(command: &'a mut Command, port: u16, identity: &Identity) -> &'a mut Command {
    command.args(["-brief", "-quiet"]);
    command.arg("-cert").arg(identity.cert());
    command.arg("-key").arg(identity.key());
    command.args(["-accept", &format!("127.0.0.1:{port}")])
}

/// Where to connect, as socat says it.
fn socat_connect(place: &Place) -> String {
    match place {
        Place::Tcp(port) => format!("TCP4:127.0.0.1:{port}"),
        Place::Unix(path) => format!("UNIX-CONNECT:{}", path.display()),
        Place::Tls(port, identity) => format!(
            "OPENSSL:127.0.0.1:{port},cafile={},commonname={NAME}",
            identity.cert().display()
        ),
    }
}

/// Where to listen, as socat says it.
fn socat_listen(place: &Place) -> String {
    match place {
        // Without reuseaddr it finds its own last connection in the way.
        Place::Tcp(port) => format!("TCP4-LISTEN:{port},reuseaddr"),
        Place::Unix(path) => format!("UNIX-LISTEN:{}", path.display()),
        Place::Tls(port, identity) => socat_tls_listen(*port, identity),
    }
}

/// Where to listen with TLS, as socat says it.
fn socat_tls_listen(port: u16, identity: &Identity) -> String {
    let (cert, key) = (identity.cert(), identity.key());
    let (cert, key) = (cert.display(), key.display());
    format!("OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,verify=0,cert={cert},key={key}")
}

/// The port or the path in one word.
fn word(place: &Place) -> OsString {
    match place {
        Place::Tcp(port) | Place::Tls(port, _) => text(port).into(),
        Place::Unix(path) => path.into(),
    }
}

/// A port in digits.
fn text(port: &u16) -> String {
    port.to_string()
}

/// The path of a program: itself if it has a slash, else as the shell would find it.
fn which(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Path::new(program).exists().then(|| program.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    std::env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|file| file.is_file())
}
