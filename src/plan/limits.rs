//! How much a connection may take, and how a listener receives its clients.

use std::path::PathBuf;
use std::time::Duration;

/// How much one connection may take. The limits of one client never touch another.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// It is over when nothing moved for that long (`-w`, `--idle-timeout`).
    pub idle: Option<Duration>,
    /// Silence counts from the first byte on, or from the end of the input.
    pub idle_waits_for_input: bool,
    /// It is over after that long, whatever moves (`--timeout`).
    pub whole: Option<Duration>,
    /// It is over after so many bytes, from the peer and to it together (`--max-bytes`).
    pub bytes: Option<u64>,
}

/// How a listener receives its clients.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    /// More clients at once are turned away (`--max-conns`).
    pub most_clients: Option<usize>,
    /// It is given up when nobody has come by then (`--accept-timeout`).
    pub accept_timeout: Option<Duration>,
    /// At SIGTERM nobody is let in any more, and those who are there have that long (`--grace`).
    pub grace: Option<Duration>,
    /// The port is written to this file (`--port-file`).
    pub port_file: Option<PathBuf>,
}
