//! Holding back what is known too early: it comes out in the order it was asked for.

use std::collections::VecDeque;

/// Things by their turn, counted from 0. What is not known yet holds back all behind it.
pub struct Turns<T> {
    /// The turn of the one at the front.
    first: usize,
    held: VecDeque<Option<T>>,
}

impl<T> Turns<T> {
    /// Begins with turn 0.
    pub fn new() -> Turns<T> {
        Turns {
            first: 0,
            held: VecDeque::new(),
        }
    }

    /// Puts one in, whose turn has not been yet.
    pub fn put(&mut self, turn: usize, thing: T) {
        let at = turn.saturating_sub(self.first);
        if self.held.len() <= at {
            self.held.resize_with(at + 1, || None);
        }
        self.held[at] = Some(thing);
    }

    /// The next one, if it is known.
    pub fn take_next(&mut self) -> Option<T> {
        let next = self.held.front_mut()?.take()?;
        self.held.pop_front();
        self.first += 1;
        Some(next)
    }

    /// All that are known, in order, whatever is missing between them.
    pub fn take_all(&mut self) -> impl Iterator<Item = T> {
        std::mem::take(&mut self.held).into_iter().flatten()
    }

    /// How many have had their turn.
    pub fn past(&self) -> usize {
        self.first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_out_in_order_and_waits_for_what_is_missing() {
        let mut turns = Turns::new();
        turns.put(2, 'c');
        turns.put(0, 'a');
        assert_eq!(turns.take_next(), Some('a'));
        assert_eq!(turns.take_next(), None);
        turns.put(1, 'b');
        assert_eq!(turns.take_next(), Some('b'));
        assert_eq!(turns.take_next(), Some('c'));
        assert_eq!((turns.take_next(), turns.past()), (None, 3));
    }

    #[test]
    fn all_that_is_known_skips_what_is_missing() {
        let mut turns = Turns::new();
        turns.put(3, 'd');
        turns.put(1, 'b');
        assert_eq!(turns.take_all().collect::<String>(), "bd");
    }
}
