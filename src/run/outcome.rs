//! How rnc ends: exit codes, and the one line about an error.

use crate::exit::Exit;
use crate::report;
use crate::sys;

/// How rnc ends after a signal.
pub fn signal_exit() -> Exit {
    sys::signal::last().map_or(Exit::FAILED, Exit::Signal)
}

/// Says an error and gives the exit code for it.
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
