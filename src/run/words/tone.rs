//! How a line is printed.

use crate::report;

/// How a line is printed.
#[derive(Clone, Copy)]
pub enum Tone {
    /// As it is, always.
    Line,
    /// When `-v` was given so many times.
    Verbose(u8),
    /// As the failure of a session or a connection.
    Failure,
    /// As an error, always.
    Error,
    /// As what rnc cannot go on after.
    Fatal,
}

impl Tone {
    /// Prints a line.
    pub fn tell(self, line: &str) {
        match self {
            Tone::Line => report::line(line),
            Tone::Verbose(level) => report::verbose(level, line),
            Tone::Failure => report::failure(line),
            Tone::Error => report::error(line),
            Tone::Fatal => report::fatal(line),
        }
    }
}
