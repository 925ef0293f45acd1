//! What is known about a descriptor between two calls. mio is edge-triggered, so every end keeps
//! what it was told in `Bits` until a call shows otherwise: events are hints, only the result of a
//! call decides.

use mio::event::Event;
use std::cell::Cell;

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// That many bytes, or one message of that length, which may be 0.
    Bytes(usize),
    /// The end: nothing will ever come again.
    Eof,
    /// Nothing now; an event will report it.
    Pending,
    /// Nothing yet, but there may be more, of which no event will report anything: the read has
    /// only given up its turn.
    Again,
}

/// What a write took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// That many bytes.
    Bytes(usize),
    /// Nothing now; an event will report it.
    Pending,
}

/// Why nothing written to an end reaches its reader any more.
#[derive(Debug)]
pub struct WriteFault {
    /// The reader's system says that not all of what was written was read, if anything was.
    pub is_reset: bool,
    /// The error that a write gives.
    pub error: std::io::Error,
}

impl WriteFault {
    /// The reader is gone.
    pub fn gone() -> WriteFault {
        WriteFault {
            is_reset: false,
            error: std::io::ErrorKind::BrokenPipe.into(),
        }
    }
}

/// What an event reported about one descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// A read may give something.
    pub readable: bool,
    /// A write may take something.
    pub writable: bool,
    /// A short read does not mean "drained": an end is still to be read, or reads stop at urgent
    /// data (MSG_OOB).
    pub more_behind: bool,
    /// Nobody takes what is written any more, or the descriptor is in error.
    pub write_closed: bool,
}

impl From<&Event> for Ready {
    fn from(event: &Event) -> Ready {
        let closed = event.is_error() || event.is_read_closed();
        Ready {
            readable: event.is_readable() || closed,
            writable: event.is_writable() || event.is_error() || event.is_write_closed(),
            more_behind: closed || event.is_priority(),
            write_closed: event.is_write_closed() || event.is_error(),
        }
    }
}

/// The sticky readiness of one descriptor: set by events, cleared by calls that would block.
#[derive(Clone, Debug)]
pub struct Bits {
    ready: Cell<Ready>,
    /// The loop cannot wait for it (regular files, /dev/null): it is always ready.
    always: bool,
}

impl Bits {
    /// Readiness to begin with: unknown, so everything is worth one try.
    pub fn new(pollable: bool) -> Bits {
        let ready = Ready {
            readable: true,
            writable: true,
            ..Ready::default()
        };
        Bits {
            ready: Cell::new(ready),
            always: !pollable,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Ready)) {
        let mut ready = self.ready.get();
        change(&mut ready);
        self.ready.set(ready);
    }

    /// Takes in an event.
    pub fn note(&self, event: Ready) {
        self.change(|ready| {
            ready.readable |= event.readable;
            ready.writable |= event.writable;
            ready.more_behind |= event.more_behind;
            ready.write_closed |= event.write_closed;
        });
    }

    /// Returns whether a read is worth a call.
    pub fn is_readable(&self) -> bool {
        self.ready.get().readable
    }

    /// Returns whether a write is worth a call.
    pub fn is_writable(&self) -> bool {
        self.ready.get().writable
    }

    /// Returns whether an event reported that the peer takes no more of our bytes.
    pub fn is_write_closed(&self) -> bool {
        self.ready.get().write_closed
    }

    /// Returns whether an event reported that reads may stop short: at urgent data, or before the
    /// end.
    pub fn has_more_behind(&self) -> bool {
        self.ready.get().more_behind
    }

    /// A read gave `got` of `asked` bytes: a short one means that a TCP stream is drained, unless
    /// something is known to wait behind. Saves the read that would show it.
    pub fn note_read(&self, got: usize, asked: usize) {
        if got < asked && !self.has_more_behind() {
            self.set_drained();
        }
    }

    /// A write took `put` of `offered` bytes: a short one means that there is no more room.
    pub fn note_written(&self, put: usize, offered: usize) {
        if put < offered {
            self.set_full();
        }
    }

    /// A read would block.
    pub fn set_drained(&self) {
        self.change(|ready| ready.readable &= self.always);
    }

    /// A write would block.
    pub fn set_full(&self) {
        self.change(|ready| ready.writable &= self.always);
    }
}
