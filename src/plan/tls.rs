//! TLS on the connections, as typed.

use super::starttls::Protocol;
use std::path::PathBuf;

/// The SHA-256 of a certificate in DER.
pub type Pin = [u8; 32];

/// Which certificates are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Those of authorities that the system trusts, for the name that was dialled.
    Platform,
    /// Those of the authorities in this file (PEM), for the name that was dialled.
    Authorities(PathBuf),
    /// Exactly these, whatever names and dates are in them.
    Pins(Vec<Pin>),
    /// All: nothing is checked.
    Anyone,
}

/// Our certificate and key: files in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Our certificate, followed by those between it and its authority.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// A version of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// TLS 1.2, RFC 5246.
    V1_2,
    /// TLS 1.3, RFC 8446.
    V1_3,
}

/// What both sides of TLS have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Common {
    /// Our certificate; a client needs none, a server without one makes one.
    pub identity: Option<Identity>,
    /// The oldest and the newest version to speak.
    pub versions: (Version, Version),
    /// The cipher suites to use, by their names in rustls; all when empty.
    pub ciphers: Vec<String>,
    /// The application protocols to offer (ALPN, RFC 7301), the best first.
    pub alpn: Vec<Vec<u8>>,
}

/// How the user says what TLS is to be, and how messages name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// By options of the command line: `--tls-ca FILE`.
    Options,
    /// In the word of an end: `tls:HOST:PORT,ca=FILE`.
    Word,
}

impl Spelling {
    /// The option of this name that takes a value: `--tls-ca`, or `,ca=`.
    pub fn option(self, name: &str) -> String {
        let equals = match self {
            Spelling::Options => "",
            Spelling::Word => "=",
        };
        self.flag(name) + equals
    }

    /// The option of this name that takes none: `--tls-no-verify`, or `,no-verify`.
    pub fn flag(self, name: &str) -> String {
        match self {
            Spelling::Options => format!("--tls-{name}"),
            Spelling::Word => format!(",{name}"),
        }
    }

    /// The option of this name with its value, to paste.
    pub fn with(self, name: &str, value: &str) -> String {
        let space = match self {
            Spelling::Options => " ",
            Spelling::Word => "",
        };
        format!("{}{space}{value}", self.option(name))
    }
}

/// TLS as a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// How it was asked for.
    pub spelling: Spelling,
    /// What it shares with servers.
    pub common: Common,
    /// Whose server it must be.
    pub trust: Trust,
    /// That nothing is checked is told.
    pub warns: bool,
    /// What a check of the system's authorities would say is told, though it does not count.
    pub tells_doubts: bool,
    /// The server's name, if not that which was dialled.
    pub server_name: Option<String>,
    /// The connection begins in plain text: how TLS is asked for.
    pub starttls: Option<Protocol>,
}

/// TLS as a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// What it shares with clients.
    pub common: Common,
    /// Clients must have certificates: which are trusted.
    pub clients: Option<Trust>,
    /// Where a certificate that was made is kept: a directory.
    pub save: Option<PathBuf>,
    /// An end without close_notify is as good as one with it.
    pub takes_bare_ends: bool,
}
