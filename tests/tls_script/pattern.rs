//! Bytes that tell where in their stream they belong.

/// The bytes of one side's stream; `seed` tells the sides apart.
#[derive(Clone, Copy, Debug)]
pub struct Pattern {
    seed: u64,
}

impl Pattern {
    /// What the user writes.
    pub const USER: Pattern = Pattern { seed: 1 };
    /// What the peer writes.
    pub const PEER: Pattern = Pattern { seed: 2 };

    fn byte(self, at: u64) -> u8 {
        let mixed = (at + (self.seed << 40)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed.to_be_bytes()[0]
    }

    /// The bytes from `at` on.
    pub fn bytes(self, at: u64, len: usize) -> Vec<u8> {
        (at..).take(len).map(|at| self.byte(at)).collect()
    }

    /// Holds bytes that have come to be those from `at` on.
    #[track_caller]
    pub fn check(self, at: u64, bytes: &[u8]) {
        let wrong = (at..)
            .zip(bytes)
            .find(|(at, byte)| self.byte(*at) != **byte);
        assert!(wrong.is_none(), "wrong byte at {wrong:?} of {self:?}");
    }
}
