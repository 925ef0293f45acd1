//! How much a connection may take.

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
