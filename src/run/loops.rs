//! Services over datagrams that answer each other. One forged datagram, from the one to the other,
//! starts it, and nothing in a datagram distinguishes a service from a client.
//!
//! The difference is that services never stop. So when the same datagram comes from the same peer
//! over and over without a pause, now and then one is left unanswered: that ends a loop, and to a
//! client it is a datagram lost on the way.

use std::hash::{BuildHasher, Hash, RandomState};
use std::time::{Duration, Instant};

/// Datagrams remembered. Which place one has cannot be foreseen.
const PLACES: usize = 256;
/// After so many one is left unanswered.
const MOST: u32 = 1000;
/// A loop with pauses as long as this is slow enough to do no harm.
const PAUSE: Duration = Duration::from_millis(100);

/// Counts datagrams that come over and over.
pub struct Loops {
    places: Box<[Option<SeenDatagram>; PLACES]>,
    keys: RandomState,
}

#[derive(Clone, Copy)]
struct SeenDatagram {
    key: u64,
    last: Instant,
    count: u32,
}

impl Default for Loops {
    fn default() -> Loops {
        Loops {
            places: Box::new([None; PLACES]),
            keys: RandomState::new(),
        }
    }
}

impl Loops {
    /// Takes note of a datagram; returns whether it is to be left unanswered. `datagram` is what it
    /// is known by: its sender, and its bytes where the answer depends on them.
    pub fn is_loop(&mut self, datagram: &impl Hash, now: Instant) -> bool {
        let key = self.keys.hash_one(datagram);
        let at = usize::try_from(key % PLACES as u64).unwrap_or_default();
        let is_again = |seen: &SeenDatagram| seen.key == key && now < seen.last + PAUSE;
        let before = self.places[at]
            .filter(is_again)
            .map_or(0, |seen| seen.count);
        let count = (before + 1) % MOST;
        let last = now;
        self.places[at] = Some(SeenDatagram { key, last, count });
        count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_never_stops_is_left_unanswered() {
        let (mut loops, start) = (Loops::default(), Instant::now());
        let quick = |n: u32| start + Duration::from_micros(10) * n;
        let same = (0..3 * MOST).filter(|&n| loops.is_loop(&("peer", b"x"), quick(n)));
        assert_eq!(same.count(), 3);
        let mut loops = Loops::default();
        assert!((0..3 * MOST).all(|n| !loops.is_loop(&("peer", n), quick(n))));
        let slow = |n: u32| start + PAUSE * n;
        assert!((0..3 * MOST).all(|n| !loops.is_loop(&("peer", b"x"), slow(n))));
    }

    #[test]
    fn loops_beside_each_other_end_too() {
        let (mut loops, now) = (Loops::default(), Instant::now());
        let ended = (0..2 * MOST).filter(|n| loops.is_loop(&(n % 2), now));
        assert_eq!(ended.count(), 2);
    }
}
