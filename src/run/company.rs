//! Whether a peer is the only one: what is printed about it, and whether it sets the exit code.

use super::event::Event;
use super::words;
use crate::exit::Exit;
use crate::report;

/// Whether a peer is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// It is: its failure is printed, and its exit code is that of rnc.
    Alone,
    /// One of many.
    Many,
}

impl Company {
    /// Prints a failure: that of one peer among many only with `-v`.
    pub fn tell(self, event: &Event<'_>) {
        if self == Company::Alone || report::is_verbose(1) {
            words::tell(event);
        }
    }

    /// The exit code of rnc after a session: one of many does not set it, a signal does.
    pub fn exit(self, exit: Exit) -> Exit {
        match exit {
            Exit::Code(_) if self == Company::Many => Exit::OK,
            exit => exit,
        }
    }
}
