//! What the signals that end rnc do: it leaves, or, with `--grace`, accepts no more clients and
//! gives those it has some time.
//!
//! ```text
//! Staying ── SIGTERM, --grace ──► Retiring ── signal, or the time is over ──► Leaving ── signal ──► killed
//!    └────────────────────── any other signal ─────────────────────────────────►┘
//! ```

use crate::io::inbox::{Inbox, Notice};
use crate::sys::{child, signal};
use std::time::{Duration, Instant};

/// Signals that come so close to the one that ends rnc are part of it: a service manager sends
/// SIGTERM and SIGHUP, and a terminal that goes away SIGHUP twice.
const TOGETHER: Duration = Duration::from_millis(100);

/// Passes on to the loop what signals ask for.
pub struct Leaving {
    inbox: Inbox,
    grace: Option<Duration>,
    stage: Phase,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Staying,
    Retiring,
    /// Since then.
    Leaving(Instant),
}

impl Leaving {
    /// Posts to the inbox; `grace` is the time that clients have after SIGTERM.
    pub fn new(inbox: Inbox, grace: Option<Duration>) -> Leaving {
        Leaving {
            inbox,
            grace,
            stage: Phase::Staying,
        }
    }

    /// A signal came: `signal::last`.
    pub fn signal_came(&mut self) {
        let is_term = signal::last() == Some(signal::TERM);
        self.stage = match (self.stage, self.grace.filter(|_| is_term)) {
            (Phase::Staying, Some(grace)) => {
                self.inbox.post(None, Notice::Retiring);
                self.inbox.post_at(Instant::now() + grace, Notice::Ending);
                Phase::Retiring
            }
            (Phase::Staying | Phase::Retiring, _) => {
                self.inbox.post(None, Notice::Ending);
                Phase::Leaving(Instant::now())
            }
            (Phase::Leaving(since), _) if since.elapsed() < TOGETHER => Phase::Leaving(since),
            (Phase::Leaving(_), _) => {
                // The loop may be held up, and not have come round to the one before.
                child::end_all();
                signal::end_by(signal::last().unwrap_or(signal::TERM))
            }
        };
    }
}
