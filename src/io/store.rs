//! What has been read and not yet written. It is filled only when it is empty: that bounds it,
//! keeps one message one message, and is all there is to back-pressure.

use super::memory::{self, Buffer};
use super::ready::Got;
use std::io;

/// The size a store begins with, in bytes.
const FIRST_BYTES: usize = 16 << 10;
/// The size it grows to when reads fill it, in bytes: beyond this nothing was gained in
/// measurements, and two of these stay small beside everything else.
const MOST_BYTES: usize = 256 << 10;
/// A read of so many bytes that fills its buffer empties the usual pipe: its writer has had to
/// wait.
const BULK_BYTES: usize = 60 << 10;

/// Bytes on their way in one direction. At most 256 KiB, or what the stages made of that. It has a
/// buffer only while bytes are in it, so that idle sessions cost next to nothing, and busy ones
/// share what the processor has in its cache.
#[derive(Debug, Default)]
pub struct Mem {
    buf: Buffer,
    start: usize,
    end: usize,
    /// An empty message waits to be passed on.
    empty_message: bool,
    /// The size of the next read, in bytes; 0 before the first. It grows when a read fills the
    /// buffer.
    size: usize,
    /// The last read filled the buffer.
    filled: bool,
    /// The source knows that its bytes come in bulk.
    widened: bool,
}

/// Where a store is filled from.
pub trait ReadEnd {
    /// Reads bytes, or one message, into `buf`. Never waits.
    ///
    /// # Errors
    /// Any error of the read.
    fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got>;

    /// Gives the writer more room, if the system has it: bytes come in bulk.
    fn widen(&self);
}

impl Mem {
    /// The bytes that wait to be written.
    pub fn data(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// Returns whether nothing waits, not even an empty message.
    pub fn is_empty(&self) -> bool {
        self.start == self.end && !self.empty_message
    }

    /// Reads once from `source`, at most `most` bytes; only for an empty store. `message_bytes` is
    /// the longest message to read, where messages count.
    ///
    /// # Errors
    /// Any error of the read.
    pub fn fill(
        &mut self,
        source: &mut impl ReadEnd,
        message_bytes: Option<usize>,
        most: usize,
    ) -> io::Result<Got> {
        let wanted = message_bytes
            .unwrap_or(self.size.max(FIRST_BYTES))
            .min(most);
        // A message needs room for all of it.
        let size = message_bytes.map_or_else(|| memory::grant(wanted), |_| wanted);
        self.buf.make_room(size);
        let got = source.try_read(&mut self.buf[..size]);
        match got {
            Ok(Got::Bytes(n)) => {
                (self.start, self.end) = (0, n);
                self.empty_message = n == 0;
                self.filled = n == wanted;
                self.buf.shrink(n);
                if self.filled && size >= BULK_BYTES && !self.widened {
                    self.widened = true;
                    source.widen();
                }
                self.size = if self.filled {
                    (wanted * 4).min(MOST_BYTES)
                } else {
                    wanted
                };
            }
            Ok(Got::Eof | Got::Pending | Got::Again) | Err(_) => self.buf.release(),
        }
        got
    }

    /// Returns whether the last read filled the buffer: there is more where that came from.
    pub fn was_filled(&self) -> bool {
        self.filled
    }

    /// The first `n` bytes have been written.
    pub fn consume(&mut self, n: usize) {
        self.start += n.min(self.end - self.start);
        self.empty_message = false;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.buf.release();
        }
    }

    /// Puts other bytes in place of those that wait.
    pub fn replace(&mut self, bytes: &[u8]) {
        self.buf.make_room(bytes.len());
        self.buf[..bytes.len()].copy_from_slice(bytes);
        (self.start, self.end) = (0, bytes.len());
        self.filled = false;
        self.empty_message &= bytes.is_empty();
    }

    /// Puts in bytes as there is memory for, and returns how many; only for an empty store.
    pub fn put(&mut self, bytes: &[u8]) -> usize {
        let taken = memory::grant(bytes.len());
        self.replace(&bytes[..taken]);
        taken
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        self.consume(self.end - self.start);
    }
}
