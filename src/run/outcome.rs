//! How rnc ends: exit codes, and the one line about an error.

use crate::exit::Exit;
use crate::report;
use crate::sys;

/// The outcome of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub exit: Exit,
    /// The peer could not be connected to; `true` when that took too long.
    pub closed: Option<bool>,
    /// Our own side broke, or it was asked to end: the next client would meet the same.
    pub is_last: bool,
    /// Nothing else can be done either.
    pub is_fatal: bool,
}

impl Outcome {
    /// An outcome that concerns this session alone.
    pub fn of(exit: Exit) -> Outcome {
        Outcome {
            exit,
            closed: None,
            is_last: false,
            is_fatal: false,
        }
    }

    /// An outcome after which no other session can begin.
    pub fn fatal(exit: Exit) -> Outcome {
        Outcome {
            is_fatal: true,
            ..Outcome::of(exit)
        }
    }
}

/// How rnc ends after a signal.
pub fn signal_exit() -> Exit {
    sys::signal::last().map_or(Exit::FAILED, Exit::Signal)
}

/// Prints an error; returns the exit code for it.
pub fn failed(error: &anyhow::Error) -> Exit {
    report::error(&describe(error));
    Exit::FAILED
}

/// An error and its causes in one line, in the system's words.
pub fn describe(error: &anyhow::Error) -> String {
    let parts: Vec<String> = error
        .chain()
        .map(|cause| match cause.downcast_ref::<std::io::Error>() {
            Some(cause) => report::reason(cause),
            None => cause.to_string(),
        })
        .collect();
    parts.join(": ")
}
