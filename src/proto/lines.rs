//! Whole lines out of a stream: for pacing, and for writers that share one output.

use super::find::find;

const LF: u8 = b'\n';

/// Returns how long the first line in `buf` is, its LF counted; None while it has no end.
pub fn line_end(buf: &[u8]) -> Option<usize> {
    find(LF, buf).map(|at| at + 1)
}

/// Returns how long all whole lines in `buf` are together, the last LF counted; None if there is
/// no whole one.
pub fn lines_end(buf: &[u8]) -> Option<usize> {
    buf.iter().rposition(|&byte| byte == LF).map(|at| at + 1)
}

/// Holds bytes back until their line is whole, at most `cap` of them.
///
/// When it is full and no line is whole, everything is given out: a line longer than the cap is
/// cut, not kept back for ever.
#[derive(Clone, Debug)]
pub struct Lines {
    held: Vec<u8>,
    cap: usize,
    /// What `cap` is at most.
    most: usize,
}

impl Lines {
    /// An empty one, to hold at most `cap` bytes; at least one, so that bytes can pass.
    pub fn new(cap: usize) -> Self {
        Self {
            held: Vec::new(),
            cap: cap.max(1),
            most: cap.max(1),
        }
    }

    /// Takes as many bytes as there is room for, and returns how many. The others must be pushed
    /// again after a [`Lines::take_lines`], which always makes room when it is full.
    #[must_use = "bytes that did not fit must be pushed again"]
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(self.room());
        self.held.extend_from_slice(&bytes[..taken]);
        taken
    }

    /// Sets how many bytes it may hold from now on, within what it was made for.
    pub fn limit(&mut self, cap: usize) {
        self.cap = cap.clamp(1, self.most);
    }

    /// How many bytes can be taken now.
    pub fn room(&self) -> usize {
        self.cap.saturating_sub(self.held.len())
    }

    /// How many bytes are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Gives out all whole lines; when full without one, everything.
    pub fn take_lines(&mut self) -> Vec<u8> {
        let full = self.room() == 0;
        let len = lines_end(&self.held).unwrap_or(if full { self.held.len() } else { 0 });
        if len == 0 {
            return Vec::new();
        }
        // Of the many that may wait none keeps the room it once needed.
        let rest = self.held.split_off(len);
        std::mem::replace(&mut self.held, rest)
    }

    /// Gives out everything, at the end of the stream.
    pub fn take_all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// Whether nothing is held back.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ends_are_one_past_the_line_feed() {
        for (buf, first, last) in [
            (&b""[..], None, None),
            (b"abc", None, None),
            (b"\n", Some(1), Some(1)),
            (b"ab\ncd\ne", Some(3), Some(6)),
        ] {
            assert_eq!((line_end(buf), lines_end(buf)), (first, last));
        }
    }

    #[test]
    fn a_line_is_held_until_it_is_whole() {
        let mut lines = Lines::new(100);
        assert_eq!(lines.push(b"one\ntw"), 6);
        assert_eq!(lines.take_lines(), b"one\n");
        assert_eq!(lines.take_lines(), b"");
        assert_eq!(lines.push(b"o\nthree\nfo"), 10);
        assert_eq!(lines.take_lines(), b"two\nthree\n");
        assert!(!lines.is_empty());
        assert_eq!(lines.take_all(), b"fo");
        assert!(lines.is_empty());
    }

    #[test]
    fn a_line_longer_than_the_cap_is_given_out_in_parts() {
        let mut lines = Lines::new(4);
        assert_eq!(lines.push(b"abcdef\n"), 4);
        assert_eq!(lines.push(b"ef\n"), 0);
        assert_eq!(lines.take_lines(), b"abcd");
        assert_eq!(lines.push(b"ef\n"), 3);
        assert_eq!(lines.take_lines(), b"ef\n");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_the_cap_is_kept(
            pieces in proptest::collection::vec("[a\n]{0,20}", 0..20),
            cap in 0usize..12,
        ) {
            let (mut lines, mut out) = (Lines::new(cap), Vec::new());
            for piece in &pieces {
                let mut rest = piece.as_bytes();
                while !rest.is_empty() {
                    let taken = lines.push(rest);
                    prop_assert!(lines.held.len() <= cap.max(1));
                    rest = &rest[taken..];
                    let given = lines.take_lines();
                    let cut = given.len() == cap.max(1);
                    prop_assert!(given.is_empty() || given.ends_with(b"\n") || cut);
                    out.extend(given);
                }
            }
            out.extend(lines.take_all());
            prop_assert_eq!(out, pieces.concat().into_bytes());
        }
    }
}
