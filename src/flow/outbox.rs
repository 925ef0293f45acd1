//! What waits to be sent to one of several peers. Chunks are shared: what goes to many is copied
//! once, and only if a peer cannot take it at once.

use super::taps::Taps;
use crate::io::endpoint::Endpoint;
use crate::io::ready::Put;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// An outbox with less room than this is full, in bytes: it is to be filled in large pieces. It
/// stays full until it has twice as much, so that one which hardly moves is not taken for one that
/// does.
const ROOM_BYTES: usize = 64 << 10;
/// What a chunk costs beside its bytes, counted with them: else a peer that does not read could be
/// sent bytes one by one, at fifty times their size in memory.
const CHUNK_BYTES: usize = 48;

/// Bytes for many.
pub struct Chunk<'a> {
    bytes: &'a [u8],
    shared: Option<Rc<[u8]>>,
}

impl<'a> Chunk<'a> {
    /// These bytes, not yet copied.
    pub fn new(bytes: &'a [u8]) -> Chunk<'a> {
        Chunk {
            bytes,
            shared: None,
        }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes
    }

    /// The first `len` of the bytes, for one that may not have more.
    pub fn cut(&self, len: usize) -> Chunk<'a> {
        Chunk::new(&self.bytes[..len])
    }

    fn share(&mut self) -> Rc<[u8]> {
        let shared = self.shared.get_or_insert_with(|| Rc::from(self.bytes));
        Rc::clone(shared)
    }
}

/// Chunks on their way to one peer.
#[derive(Debug)]
pub struct Outbox {
    chunks: VecDeque<Rc<[u8]>>,
    /// Bytes that wait, with what their chunks cost.
    bytes: usize,
    /// Bytes of the first chunk that are already sent.
    sent_of_first: usize,
    /// How many bytes may wait.
    cap: usize,
    full_since: Option<Instant>,
    has_overflowed: bool,
}

impl Outbox {
    /// An empty one, for so many bytes.
    pub fn new(cap: usize) -> Outbox {
        Outbox {
            chunks: VecDeque::new(),
            bytes: 0,
            sent_of_first: 0,
            cap,
            full_since: None,
            has_overflowed: false,
        }
    }

    /// Returns whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// How many bytes it takes, as one chunk; 0 when it is full.
    pub fn room(&self) -> usize {
        match self.full_since {
            Some(_) => 0,
            None => self.cap.saturating_sub(self.bytes + CHUNK_BYTES),
        }
    }

    /// Returns whether it is full.
    pub fn is_full(&self) -> bool {
        self.full_since.is_some()
    }

    /// When it will have been full for `patience`; at once, when it has got more than it takes.
    pub fn stalled_at(&self, patience: Duration) -> Option<Instant> {
        let since = self.full_since?;
        Some(if self.has_overflowed {
            since
        } else {
            since + patience
        })
    }

    /// Adds a chunk of which the first `sent` bytes are sent already. What comes to one that has
    /// more than it takes is dropped, and it is stalled.
    pub fn push(&mut self, chunk: &mut Chunk<'_>, sent: usize, now: Instant) {
        if self.bytes > self.cap {
            self.has_overflowed = true;
            return;
        }
        if self.chunks.is_empty() {
            self.sent_of_first = sent;
            self.bytes = CHUNK_BYTES + chunk.bytes.len() - sent;
        } else {
            self.bytes += CHUNK_BYTES + chunk.bytes.len();
        }
        self.chunks.push_back(chunk.share());
        if self.bytes + ROOM_BYTES > self.cap {
            self.full_since.get_or_insert(now);
        }
    }

    /// Sends once; `None` when there is nothing to send, or no room for it.
    ///
    /// # Errors
    /// Any error of the write.
    pub fn send(&mut self, end: &mut Endpoint, taps: &mut Taps) -> io::Result<Option<usize>> {
        let Some(chunk) = self.chunks.front() else {
            return Ok(None);
        };
        let Put::Bytes(n) = end.try_write(&chunk[self.sent_of_first..])? else {
            return Ok(None);
        };
        taps.see_written(&chunk[self.sent_of_first..][..n], end);
        self.sent_of_first += n;
        self.bytes -= n;
        if self.sent_of_first == chunk.len() {
            self.sent_of_first = 0;
            self.bytes -= CHUNK_BYTES;
            self.chunks.pop_front();
        }
        if self.chunks.is_empty() || self.bytes + 2 * ROOM_BYTES <= self.cap {
            self.full_since = None;
        }
        if self.chunks.is_empty() {
            // Of the many that are idle none keeps the list it once needed.
            self.chunks = VecDeque::new();
        }
        Ok(Some(n))
    }

    /// Forgets what waits.
    pub fn clear(&mut self) {
        *self = Outbox::new(self.cap);
    }
}
