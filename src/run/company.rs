//! Whether a client has rnc to itself: what is told about it, and what its end means for rnc.

use super::outcome::signal_exit;
use super::words;
use crate::exit::Exit;
use crate::flow::bridge::{Bridge, BrokenEnd, Ended};
use crate::plan::Plan;
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
        if is_single {
            Company::Alone
        } else {
            Company::Many
        }
    }

    /// Tells a failure: that of one client among many only with `-v`.
    pub fn tell(self, message: &str) {
        if self == Company::Alone || report::is_verbose(1) {
            report::failure(message);
        }
    }

    /// Tells how a client's session ended, if that was no good end, and gives the exit code. `name`
    /// is what timed out, and `what` tells what failed at which place.
    pub fn outcome(
        self,
        ended: &Ended,
        plan: &Plan,
        name: &str,
        what: impl FnOnce(BrokenEnd) -> String,
    ) -> Exit {
        match ended {
            Ended::Clean | Ended::Quit => Exit::OK,
            Ended::Signalled => signal_exit(),
            Ended::TimedOut(late) if late.is_wanted() => Exit::OK,
            Ended::TimedOut(late) => {
                self.tell(&format!("{name} timed out: {late}"));
                Exit::Code(plan.codes.timed_out)
            }
            Ended::Broken(place, error) | Ended::Truncated(place, error) => {
                let reason = words::why(error, plan);
                self.tell(&format!("{} failed: {reason}", what(*place)));
                Exit::Code(plan.codes.broken)
            }
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

/// Tells, with `-vv`, that a client has gone, and how many bytes it was sent and has sent; with `-v`
/// that those were all it may have.
pub fn tell_left(client: &str, bridge: &Bridge) {
    let (sent, received) = bridge.moved();
    report::verbose(
        2,
        &format!("{client} left: {sent} bytes sent, {received} received"),
    );
    if bridge.is_used_up() {
        report::verbose(1, &format!("{client} reached --max-bytes"));
    }
}
