//! Finding out that a peer has vanished while bytes are under way to it. Keep-alive probes are sent
//! only when none are (see tcp(7)), and without this the kernel tries for a quarter of an hour.
//! TCP_USER_TIMEOUT would also end a peer that only reads slowly: its system goes on acknowledging.

use crate::io::endpoint::Endpoint;
use crate::io::ready::WriteFault;
use std::time::{Duration, Instant};

/// How often the bytes under way are looked at.
const LOOK: Duration = Duration::from_secs(15);
/// How long a peer's system may acknowledge nothing: with one look more, two minutes.
const LOST: Duration = Duration::from_secs(100);
/// After the peer's end and so much silence, a reset may be the answer to a keep-alive probe, which
/// the system of a peer that is gone gives: nothing is lost then.
const PROBED: Duration = Duration::from_secs(55);

/// Watches what is sent to one end.
#[derive(Debug, Default)]
pub struct Liveness {
    /// Bytes that had been written when all of them were acknowledged.
    acknowledged: u64,
    /// Since when bytes are under way, and when to look at them next.
    waiting: Option<(Instant, Instant)>,
}

impl Liveness {
    /// Looks whether the peer at `end`, to which `written` bytes were written so far, is gone.
    pub fn finds_lost(&mut self, end: &Endpoint, written: u64, now: Instant) -> bool {
        self.judge(|| end.unanswered_for(), written, now)
    }

    fn judge(
        &mut self,
        unanswered_for: impl FnOnce() -> Option<Duration>,
        written: u64,
        now: Instant,
    ) -> bool {
        if written == self.acknowledged {
            return false;
        }
        let (since, next) = *self.waiting.get_or_insert((now, now + LOOK));
        if now < next {
            return false;
        }
        let silence = unanswered_for();
        if silence.is_none() {
            self.acknowledged = written;
            self.waiting = None;
            return false;
        }
        self.waiting = Some((since, now + LOOK));
        // What was acknowledged last may be long ago, and the bytes new.
        silence.is_some_and(|silence| silence.min(now - since) >= LOST)
    }

    /// When to look next.
    pub fn deadline(&self) -> Option<Instant> {
        self.waiting.map(|(_, next)| next)
    }
}

/// Returns whether a peer that has sent its end was reset with some of the `sent` bytes unread. `last`
/// is when a byte last moved.
pub fn is_unread(fault: &WriteFault, sent: u64, last: Instant, now: Instant) -> bool {
    fault.is_reset && sent > 0 && now < last + PROBED
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks every 15 s at a peer whose system has answered nothing for what `silence` gives, and
    /// returns after how many seconds it is given up.
    fn given_up(silence: impl Fn(u64) -> Option<u64>) -> Option<u64> {
        let (mut liveness, begin) = (Liveness::default(), Instant::now());
        (0..=600).step_by(15).find(|&at| {
            let silence = silence(at).map(Duration::from_secs);
            liveness.judge(|| silence, 1, begin + Duration::from_secs(at))
        })
    }

    #[test]
    fn a_peer_that_acknowledges_nothing_is_given_up_within_two_minutes() {
        assert_eq!(given_up(Some), Some(105));
        // The last thing it acknowledged may be an hour ago.
        assert_eq!(given_up(|at| Some(3600 + at)), Some(105));
    }

    #[test]
    fn a_peer_that_answers_probes_or_has_everything_is_not() {
        assert_eq!(given_up(|_| Some(0)), None);
        assert_eq!(given_up(|at| Some(at % 90)), None);
        assert_eq!(given_up(|_| None), None);
    }

    #[test]
    fn nothing_is_looked_at_while_nothing_is_sent() {
        let (mut liveness, now) = (Liveness::default(), Instant::now());
        assert!(!liveness.judge(|| unreachable!("no look"), 0, now));
        assert_eq!(liveness.deadline(), None);
    }
}
