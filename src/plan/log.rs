//! Logs of what passes.

use std::path::PathBuf;

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
