//! Pauses between attempts, each twice as long as the one before, with some jitter: so that many who
//! wait for the same server do not all come at the same moment.

use crate::sys::random;
use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_millis(100);
/// A pause is up to one part in so many shorter or longer.
const JITTER: u32 = 10;

/// The pauses between attempts.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    next: Duration,
    most: Duration,
}

impl Backoff {
    /// Pauses that grow up to `most`.
    pub fn new(most: Duration) -> Backoff {
        Backoff {
            next: FIRST.min(most),
            most,
        }
    }

    /// The next pause.
    pub fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.most);
        // Without randomness there is no jitter.
        let random = random::bytes().map_or(i8::MAX as u8, |[byte]: [u8; 1]| byte);
        let span = pause / JITTER;
        pause - span + span * 2 * u32::from(random) / u32::from(u8::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_millis(350));
        for millis in [100, 200, 350, 350] {
            let (pause, wanted) = (backoff.pause(), Duration::from_millis(millis));
            let jitter = wanted / JITTER;
            assert!(
                pause >= wanted - jitter && pause <= wanted + jitter,
                "{pause:?}"
            );
        }
    }
}
