//! Memory for bytes under way, counted for all sessions together. There may be thousands of
//! sessions whose peers send and do not read: the more of it they hold, the less each of them gets,
//! and the sooner its peer has to wait. A session always gets some, so that none waits for another.

use std::cell::{Cell, RefCell};
use std::ops::{Deref, DerefMut};

/// What all sessions hold before each gets the least there is, in bytes: 16 of the largest buffers.
const MOST_BYTES: usize = 4 << 20;
/// What a session gets in any case, in bytes.
const LEAST_BYTES: usize = 1 << 10;
/// Buffers kept for the next session that needs one; more are given back to the system. Two serve
/// any number of stores as long as their sinks keep up.
const SPARE: usize = 4;

thread_local! {
    /// Bytes that are held.
    static HELD: Cell<usize> = const { Cell::new(0) };
    /// Buffers without bytes in them.
    static SPARES: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// How many of `wanted` bytes a session may hold now.
pub fn grant(wanted: usize) -> usize {
    // A part of the rest: those that come later get something too.
    wanted.min((rest() / 4).max(LEAST_BYTES))
}

/// Returns whether so many bytes more are within the bound of all.
pub fn has_room(bytes: usize) -> bool {
    bytes <= rest()
}

/// What is left for all, in bytes.
fn rest() -> usize {
    MOST_BYTES.saturating_sub(HELD.get())
}

/// A count of bytes held; none any more when it is dropped.
#[derive(Debug, Default)]
pub struct Lease(usize);

impl Lease {
    /// Counts so many bytes from now on.
    pub fn set(&mut self, bytes: usize) {
        let held = (HELD.get() + bytes).saturating_sub(self.0);
        HELD.set(held);
        self.0 = bytes;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.set(0);
    }
}

/// A buffer for bytes under way; without a byte until it is given room.
#[derive(Debug, Default)]
pub struct Buffer {
    bytes: Vec<u8>,
    lease: Lease,
}

impl Buffer {
    /// Makes room for `len` bytes at least; those it has are lost.
    pub fn make_room(&mut self, len: usize) {
        if self.bytes.len() >= len && !self.bytes.is_empty() {
            return;
        }
        let fits = |spare: &Vec<u8>| spare.len() >= len && spare.len() - len <= rest() / 4;
        let spare = SPARES.with_borrow_mut(|spares| spares.pop_if(|spare| fits(spare)));
        self.bytes = spare.unwrap_or_else(|| vec![0; len]);
        self.lease.set(self.bytes.len());
    }

    /// Takes less room where memory is short and `len` bytes are all there are in it.
    pub fn shrink(&mut self, len: usize) {
        if rest() < MOST_BYTES / 2 && self.bytes.len() / 2 > len.max(LEAST_BYTES) {
            self.bytes = self.bytes[..len].to_vec();
            self.lease.set(len);
        }
    }

    /// Gives the room back.
    pub fn release(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        self.lease.set(0);
        SPARES.with_borrow_mut(|spares| {
            if !bytes.is_empty() && spares.len() < SPARE {
                spares.push(bytes);
            }
        });
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_all_hold_is_bounded_and_each_gets_some() {
        let mut buffers = Vec::new();
        let mut held = 0;
        for _ in 0..1000 {
            let len = grant(256 << 10);
            assert!(len >= LEAST_BYTES);
            let mut buffer = Buffer::default();
            buffer.make_room(len);
            held += buffer.len();
            buffers.push(buffer);
        }
        assert!(held <= MOST_BYTES + 1000 * LEAST_BYTES, "{held} bytes");
        buffers.iter_mut().for_each(Buffer::release);
        assert_eq!(grant(256 << 10), 256 << 10);
    }

    #[test]
    fn a_large_buffer_for_a_short_message_shrinks_when_memory_is_short() {
        let mut others = Lease::default();
        let mut buffer = Buffer::default();
        buffer.make_room(256 << 10);
        buffer[..5].copy_from_slice(b"short");
        buffer.shrink(5);
        assert_eq!(buffer.len(), 256 << 10);
        others.set(MOST_BYTES);
        buffer.shrink(5);
        assert_eq!(&buffer[..], b"short");
        // Spare buffers are not handed out where less is to be had.
        buffer.make_room(256 << 10);
        buffer.release();
        buffer.make_room(LEAST_BYTES);
        assert_eq!(buffer.len(), LEAST_BYTES);
    }
}
