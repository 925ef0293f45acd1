//! Who runs, and with which flags, so that both ends finish by themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The contender all ratios refer to.
pub const REFERENCE: &str = "nc.openbsd";

/// The contender this package builds.
pub const OURS: &str = "rnc";

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
}

/// All that are known: name in the tables, program, command line.
const KNOWN: &[(&str, &str, Kind)] = &[
    (OURS, env!("CARGO_BIN_EXE_rnc"), Kind::Rnc),
    (REFERENCE, "nc.openbsd", Kind::OpenBsd),
    ("nc.traditional", "nc.traditional", Kind::Traditional),
    ("ncat", "ncat", Kind::Ncat),
    ("socat", "socat", Kind::Socat(None)),
    ("socat-256k", "socat", Kind::Socat(Some("262144"))),
];

impl Contender {
    /// Those of `with` (of all, when that is empty) whose program is there.
    pub fn installed(with: &[String]) -> Vec<Self> {
        let wanted = |name: &str| with.is_empty() || with.iter().any(|word| word == name);
        let mut found = Vec::new();
        for &(name, program, kind) in KNOWN.iter().filter(|known| wanted(known.0)) {
            match which(program) {
                Some(path) => found.push(Self { name, path, kind }),
                None => eprintln!("compare: {program} is not installed: {name} is left out"),
            }
        }
        for word in with
            .iter()
            .filter(|&word| !KNOWN.iter().any(|known| known.0 == word))
        {
            eprintln!("compare: --with {word}: not known");
        }
        found
    }

    /// Listens on `port`, writes what the first client sends to stdout, leaves at its end.
    /// Its stdin is meant to be /dev/null.
    pub fn receive(&self, port: u16) -> Command {
        let mut command = self.program();
        let port = port.to_string();
        match self.kind {
            Kind::Rnc | Kind::OpenBsd => command.args(["-l", &port]),
            Kind::Traditional => command.args(["-l", "-p", &port]),
            Kind::Ncat => command.args(["-l", "--recv-only", "127.0.0.1", &port]),
            Kind::Socat(_) => command.args(["-u", &format!("TCP4-LISTEN:{port}"), "STDOUT"]),
        };
        command
    }

    /// Connects to `port`, sends stdin to its end, and leaves.
    pub fn send(&self, port: u16) -> Command {
        let mut command = self.program();
        let text = port.to_string();
        match self.kind {
            Kind::Rnc => command.args(["127.0.0.1", &text]),
            Kind::OpenBsd => command.args(["-N", "127.0.0.1", &text]),
            Kind::Traditional => command.args(["-q", "0", "127.0.0.1", &text]),
            Kind::Ncat => command.args(["--send-only", "127.0.0.1", &text]),
            Kind::Socat(_) => command.args(["-u", "STDIN", &address(port)]),
        };
        command
    }

    /// Connects to `port`, carries both directions, and leaves once the server has closed and
    /// stdin has ended.
    pub fn talk(&self, port: u16) -> Command {
        let mut command = self.program();
        match self.kind {
            // socat would give the server half a second after the end of stdin.
            Kind::Socat(_) => command.args(["-t", "30", "STDIO", &address(port)]),
            _ => command.args(["127.0.0.1", &port.to_string()]),
        };
        command
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
        match self.sender.name == self.receiver.name {
            true => self.sender.name.to_owned(),
            false => format!("{} → {}", self.sender.name, self.receiver.name),
        }
    }
}

/// A TCP address as socat wants it.
fn address(port: u16) -> String {
    format!("TCP4:127.0.0.1:{port}")
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
