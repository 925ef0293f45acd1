//! Whether a peer has rnc to itself: what is told about it, and what its end means for rnc.

use super::event::Event;
use super::words;
use crate::exit::Exit;
use crate::report;

/// The company a peer is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// There is no other: what becomes of this one is told, and is rnc's exit code.
    Alone,
    /// One of many.
    Many,
}

impl Company {
    /// Tells a failure: that of one peer among many only with `-v`.
    pub fn tell(self, event: &Event<'_>) {
        if self == Company::Alone || report::is_verbose(1) {
            words::tell(event);
        }
    }

    /// What a session's exit code is for rnc: what becomes of one among many is not what becomes of
    /// all.
    pub fn exit(self, exit: Exit) -> Exit {
        match exit {
            Exit::Code(_) if self == Company::Many => Exit::OK,
            exit => exit,
        }
    }
}
