//! What has been read and not yet written. It is filled only when it is empty: that bounds it,
//! keeps one message one message, and is all there is to back-pressure.

use super::endpoint::Endpoint;
use super::ready::Got;
use std::cell::RefCell;
use std::io;

/// The size a store begins with, in bytes.
const FIRST_BYTES: usize = 16 << 10;
/// The size it grows to when reads fill it, in bytes: beyond this nothing was gained in
/// measurements, and two of these stay small beside everything else.
const MOST_BYTES: usize = 256 << 10;
/// A read of so many bytes that fills its buffer empties the usual pipe: its writer has had to wait.
const BULK_BYTES: usize = 60 << 10;
/// Buffers kept for the next who needs one; more are given back to the system. Two serve any number
/// of stores as long as their sinks keep up.
const SPARE: usize = 4;

thread_local! {
    /// Buffers without bytes in them. A store has one only while bytes are in it, so that idle
    /// sessions cost next to nothing, and busy ones share what the processor has in its cache.
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// Bytes on their way in one direction. At most 256 KiB, or what the stages made of that.
#[derive(Debug, Default)]
pub struct Mem {
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// An empty message waits to be passed on.
    empty_message: bool,
    /// The size of the next read, in bytes; 0 before the first. It grows when a read fills the
    /// buffer.
    size: usize,
    /// The last read filled the buffer.
    filled: bool,
    /// The source has been told that its bytes come in bulk.
    widened: bool,
}

impl Mem {
    /// The bytes that wait to be written.
    pub fn data(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// Says whether nothing waits, not even an empty message.
    pub fn is_empty(&self) -> bool {
        self.start == self.end && !self.empty_message
    }

    /// Reads once from `source`, at most `most` bytes; only for an empty store. `message_bytes` is
    /// the longest message to read, where messages count.
    ///
    /// # Errors
    /// Whatever the read says.
    pub fn fill(
        &mut self,
        source: &mut Endpoint,
        message_bytes: Option<usize>,
        most: usize,
    ) -> io::Result<Got> {
        let size = message_bytes.unwrap_or(self.size.max(FIRST_BYTES));
        let size = size.min(most);
        self.take_buffer(size);
        let got = source.try_read(&mut self.buf[..size]);
        match got {
            Ok(Got::Bytes(n)) => {
                (self.start, self.end) = (0, n);
                self.empty_message = n == 0;
                self.filled = n == size;
                if self.filled && size >= BULK_BYTES && !self.widened {
                    self.widened = true;
                    source.widen();
                }
                self.size = if self.filled {
                    (size * 4).min(MOST_BYTES)
                } else {
                    size
                };
            }
            Ok(Got::Eof | Got::Pending | Got::Again) | Err(_) => self.give_buffer_back(),
        }
        got
    }

    fn take_buffer(&mut self, size: usize) {
        if self.buf.is_empty() {
            self.buf = POOL.with_borrow_mut(Vec::pop).unwrap_or_default();
        }
        if self.buf.len() < size {
            self.buf = vec![0; size];
        }
    }

    fn give_buffer_back(&mut self) {
        let buf = std::mem::take(&mut self.buf);
        POOL.with_borrow_mut(|pool| {
            if !buf.is_empty() && pool.len() < SPARE {
                pool.push(buf);
            }
        });
    }

    /// Says whether the last read filled the buffer: there is more where that came from.
    pub fn was_filled(&self) -> bool {
        self.filled
    }

    /// The first `n` bytes have been written.
    pub fn consume(&mut self, n: usize) {
        self.start += n.min(self.end - self.start);
        self.empty_message = false;
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.give_buffer_back();
        }
    }

    /// Puts other bytes in place of those that wait.
    pub fn replace(&mut self, bytes: &[u8]) {
        self.take_buffer(0);
        if self.buf.len() < bytes.len() {
            self.buf.resize(bytes.len(), 0);
        }
        self.buf[..bytes.len()].copy_from_slice(bytes);
        (self.start, self.end) = (0, bytes.len());
        self.filled = false;
        self.empty_message &= bytes.is_empty();
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        self.consume(self.end - self.start);
    }
}
