//! Whether a client has rnc to itself: what is told about it, and what its end means for rnc.

use crate::exit::Exit;
use crate::report;

/// The company a client is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Company {
    /// There is no other client: what becomes of this one is told, and is rnc's exit code.
    Alone,
    /// One of many.
    Many,
}

impl Company {
    /// `Alone` if there is only one client.
    pub fn of(is_single: bool) -> Company {
        match is_single {
            true => Company::Alone,
            false => Company::Many,
        }
    }

    /// Tells a failure: that of one client among many only with `-v`.
    pub fn tell(self, message: &str) {
        if self == Company::Alone || report::is_verbose(1) {
            report::failure(message);
        }
    }

    /// What a client's exit code is for rnc: what becomes of one among many is not what becomes of
    /// all.
    pub fn exit(self, exit: Exit) -> Exit {
        match exit {
            Exit::Code(_) if self == Company::Many => Exit::OK,
            exit => exit,
        }
    }
}

/// Tells, with `-vv`, that a client has gone, and how many bytes it was sent and has sent.
pub fn tell_left(client: &str, (sent, received): (u64, u64)) {
    report::verbose(
        2,
        &format!("{client} left: {sent} bytes sent, {received} received"),
    );
}
