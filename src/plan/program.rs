//! Programs and services that peers are joined to.

use std::ffi::OsString;

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
