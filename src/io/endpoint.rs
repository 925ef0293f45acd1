//! One end of a session: whatever bytes or messages can be read from and written to without
//! waiting. mio is edge-triggered, so every end keeps what it was told in `Bits` until a call
//! says otherwise: events are hints, only the result of a call decides.

use super::datagram::Datagram;
use super::stdio::Stdio;
use super::stream::Stream;
use mio::event::Event;
use std::io;

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    /// That many bytes, or one message of that length, which may be 0.
    Bytes(usize),
    /// The end: nothing will ever come again.
    Eof,
    /// Nothing now; an event will tell.
    Pending,
}

/// What a write took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// That many bytes.
    Bytes(usize),
    /// Nothing now; an event will tell.
    Pending,
}

/// What an event said about one descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ready {
    /// A read may give something.
    pub readable: bool,
    /// A write may take something.
    pub writable: bool,
    /// Nothing more will come: a short read does not mean "drained", the end is still to be read.
    pub read_closed: bool,
    /// Nobody takes what is written any more, or the descriptor is in error.
    pub write_closed: bool,
}

impl From<&Event> for Ready {
    fn from(event: &Event) -> Ready {
        let closed = event.is_error() || event.is_read_closed();
        Ready {
            readable: event.is_readable() || closed,
            writable: event.is_writable() || event.is_error() || event.is_write_closed(),
            read_closed: closed,
            write_closed: event.is_write_closed() || event.is_error(),
        }
    }
}

/// The sticky readiness of one descriptor: set by events, cleared by calls that would block.
#[derive(Clone, Copy, Debug)]
pub struct Bits {
    ready: Ready,
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
            ready,
            always: !pollable,
        }
    }

    /// Takes in an event.
    pub fn note(&mut self, ready: Ready) {
        self.ready.readable |= ready.readable;
        self.ready.writable |= ready.writable;
        self.ready.read_closed |= ready.read_closed;
        self.ready.write_closed |= ready.write_closed;
    }

    /// Says whether a read is worth a call.
    pub fn readable(&self) -> bool {
        self.ready.readable
    }

    /// Says whether a write is worth a call.
    pub fn writable(&self) -> bool {
        self.ready.writable
    }

    /// Says whether an event told that nobody takes our bytes any more.
    pub fn write_closed(&self) -> bool {
        self.ready.write_closed
    }

    /// A read gave `got` of `asked` bytes: a short one means that a stream is drained, unless
    /// its end is waiting behind.
    pub fn has_read(&mut self, got: usize, asked: usize) {
        if got < asked && !self.ready.read_closed && !self.always {
            self.ready.readable = false;
        }
    }

    /// A write took `put` of `offered` bytes: a short one means that there is no more room.
    pub fn has_written(&mut self, put: usize, offered: usize) {
        if put < offered && !self.always {
            self.ready.writable = false;
        }
    }

    /// A read would block.
    pub fn is_drained(&mut self) {
        self.ready.readable = self.always;
    }

    /// A write would block.
    pub fn is_full(&mut self) {
        self.ready.writable = self.always;
    }
}

/// One end of a session.
#[derive(Debug)]
pub enum Endpoint {
    /// A TCP, Unix or vsock stream.
    Stream(Stream),
    /// A UDP or Unix datagram socket.
    Datagram(Box<Datagram>),
    /// Standard input and output.
    Stdio(Stdio),
}

impl Endpoint {
    /// Takes in what an event said about the descriptor registered under `slot`.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        match self {
            Endpoint::Stream(end) => end.note(slot, ready),
            Endpoint::Datagram(end) => end.note(slot, ready),
            Endpoint::Stdio(end) => end.note(slot, ready),
        }
    }

    /// Reads bytes, or one message, into `buf`. Never waits.
    ///
    /// # Errors
    /// Whatever the read says; after that the end is to be taken as broken.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        match self {
            Endpoint::Stream(end) => end.try_read(buf),
            Endpoint::Datagram(end) => end.try_read(buf),
            Endpoint::Stdio(end) => end.try_read(buf),
        }
    }

    /// Writes as much of `buf` as goes, or all of it as one message. Never waits.
    ///
    /// # Errors
    /// Whatever the write says; after that nothing can be written here any more.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        match self {
            Endpoint::Stream(end) => end.try_write(buf),
            Endpoint::Datagram(end) => end.try_write(buf),
            Endpoint::Stdio(end) => end.try_write(buf),
        }
    }

    /// Passes on the end of what is written: FIN to a peer, closing for standard output. Nothing
    /// for datagrams, which have no end.
    pub fn shutdown_write(&mut self) {
        match self {
            Endpoint::Stream(end) => end.shutdown_write(),
            Endpoint::Datagram(_) => {}
            Endpoint::Stdio(end) => end.shutdown_write(),
        }
    }

    /// The reason why nobody takes our bytes any more, when that is known without writing.
    pub fn write_fault(&mut self) -> Option<io::Error> {
        match self {
            Endpoint::Stream(end) => end.write_fault(),
            Endpoint::Datagram(_) => None,
            Endpoint::Stdio(end) => end.write_fault(),
        }
    }

    /// Says whether one read is one message and one write is one message (datagrams).
    pub fn keeps_messages(&self) -> bool {
        matches!(self, Endpoint::Datagram(_))
    }
}
