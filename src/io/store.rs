//! What has been read and not yet written. It is filled only when it is empty: that bounds it,
//! keeps one message one message, and is all there is to back-pressure.

use super::endpoint::Endpoint;
use super::ready::Got;
use std::io;

/// The size a store begins with, in bytes.
const FIRST_BYTES: usize = 16 << 10;
/// The size it grows to when reads fill it, in bytes: beyond this nothing was gained in
/// measurements, and two of these stay small beside everything else.
const MOST_BYTES: usize = 256 << 10;
/// Bytes on their way in one direction. At most 256 KiB, or what the stages made of that.
#[derive(Debug, Default)]
pub struct Mem {
    buf: Vec<u8>,
    start: usize,
    end: usize,
    /// An empty message waits to be passed on.
    empty_message: bool,
    /// The last read filled the buffer: the next one gets a larger one.
    grows: bool,
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

    /// Reads once from `source`; only for an empty store. `message_bytes` is the longest message
    /// to read, where messages count.
    ///
    /// # Errors
    /// Whatever the read says.
    pub fn fill(&mut self, source: &mut Endpoint, message_bytes: Option<usize>) -> io::Result<Got> {
        let size = message_bytes.unwrap_or(self.next_size());
        if self.buf.len() < size {
            self.buf = vec![0; size];
        }
        let got = source.try_read(&mut self.buf[..size])?;
        if let Got::Bytes(n) = got {
            (self.start, self.end) = (0, n);
            self.empty_message = n == 0;
            self.grows = n == size;
        }
        Ok(got)
    }

    fn next_size(&self) -> usize {
        match self.buf.len() {
            len if self.grows => (len * 4).min(MOST_BYTES),
            len => len.clamp(FIRST_BYTES, MOST_BYTES),
        }
    }

    /// Says whether the last read filled the buffer: there is more where that came from.
    pub fn was_filled(&self) -> bool {
        self.grows
    }

    /// The first `n` bytes have been written.
    pub fn consume(&mut self, n: usize) {
        self.start += n.min(self.end - self.start);
        self.empty_message = false;
    }

    /// Puts other bytes in place of those that wait.
    pub fn replace(&mut self, bytes: &[u8]) {
        if self.buf.len() < bytes.len() {
            self.buf.resize(bytes.len(), 0);
        }
        self.buf[..bytes.len()].copy_from_slice(bytes);
        (self.start, self.end) = (0, bytes.len());
        self.grows = false;
        self.empty_message &= bytes.is_empty();
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        self.consume(self.end - self.start);
    }
}
