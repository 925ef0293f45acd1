//! Draining a session: bytes that are on their way are waited for.
//!
//! After a signal or a time limit they have a second. At the regular end of a session they have as
//! long as the peer takes them, however slowly: closing the socket could throw them away.

use super::ended::Ended;
use std::time::{Duration, Instant};

/// How long bytes under way may take to be delivered after a signal or a time limit.
pub const GRACE: Duration = Duration::from_secs(1);
/// How long a peer may take none of the bytes sent to it at the end of a session. It may only read
/// slowly: its system asks for more once it has read half of what it can hold.
const STALL: Duration = Duration::from_secs(120);
/// The first pause before a look at what the peer's system has acknowledged, which no event
/// reports. Each pause is twice the one before.
const FIRST_LOOK: Duration = Duration::from_millis(5);
/// The longest such pause.
const LAST_LOOK: Duration = Duration::from_millis(250);

/// A session that is over but for the bytes under way.
#[derive(Debug)]
pub struct Draining {
    /// Why it is over.
    pub why: Ended,
    until: Instant,
    /// Bytes under way at the last look.
    unsent: usize,
    next_look: Instant,
    pause: Duration,
}

impl Draining {
    /// Begins now.
    pub fn new(why: Ended, now: Instant) -> Draining {
        let limit = if why.is_regular() { STALL } else { GRACE };
        Draining {
            why,
            until: now + limit,
            unsent: usize::MAX,
            next_look: now + FIRST_LOOK,
            pause: FIRST_LOOK,
        }
    }

    /// Waits for nothing more: the user asks a second time.
    pub fn hurry(&mut self, now: Instant) {
        (self.until, self.unsent) = (now, 0);
    }

    /// Takes in how many bytes are under way, and returns whether the time is over.
    pub fn look(&mut self, unsent: usize, now: Instant) -> bool {
        if unsent < self.unsent && self.why.is_regular() {
            self.until = now + STALL;
        }
        self.unsent = unsent;
        if now >= self.next_look {
            self.pause = (self.pause * 2).min(LAST_LOOK);
            self.next_look = now + self.pause;
        }
        now >= self.until
    }

    /// When to look again.
    pub fn deadline(&self) -> Instant {
        self.next_look.min(self.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_reader_has_as_long_as_it_reads() {
        let begin = Instant::now();
        let mut draining = Draining::new(Ended::Clean, begin);
        let mut now = begin;
        for left in (0..10).rev() {
            now += STALL - Duration::from_secs(1);
            assert!(!draining.look(left, now));
        }
        assert!(draining.look(0, now + STALL));
    }

    #[test]
    fn after_a_signal_there_is_a_second() {
        let now = Instant::now();
        let mut draining = Draining::new(Ended::Signalled, now);
        assert!(!draining.look(10, now));
        assert!(draining.look(5, now + GRACE));
    }

    #[test]
    fn a_second_request_ends_it_at_once() {
        let now = Instant::now();
        let mut draining = Draining::new(Ended::Clean, now);
        draining.hurry(now);
        assert!(draining.look(1, now));
    }
}
