//! One end of a session: whatever bytes or messages can be read from and written to without
//! waiting.

use super::child::Child;
use super::datagram::{Datagram, PeerAddr};
use super::internal::Internal;
use super::mailbox::Mailbox;
use super::reactor::Registered;
use super::ready::{Bits, Got, Put, Ready, WriteFault};
use super::stdio::Stdio;
use super::store::ReadEnd;
use super::stream::Stream;
use super::tls::TlsStream;
use crate::sys::offload::RawEnd;
use socket2::Socket;
use std::io;
use std::time::Duration;

/// One end of a session.
#[derive(Debug)]
pub enum Endpoint {
    /// A TCP, Unix or vsock stream.
    Stream(Stream),
    /// TLS over a stream.
    Tls(Box<TlsStream>),
    /// A UDP or Unix datagram socket.
    Datagram(Box<Datagram>),
    /// Standard input and output.
    Stdio(Stdio),
    /// A service inside this process.
    Internal(Internal),
    /// A program.
    Child(Box<Child>),
    /// One of many peers of a datagram socket.
    Mailbox(Box<Mailbox>),
}

impl Endpoint {
    /// Takes in what an event reported about a descriptor.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        match self {
            Endpoint::Stream(end) => end.note(id, ready),
            Endpoint::Tls(end) => end.note(id, ready),
            Endpoint::Datagram(end) => end.note(id, ready),
            Endpoint::Stdio(end) => end.note(id, ready),
            Endpoint::Child(end) => end.note(id, ready),
            _ => {}
        }
    }

    /// Writes as much of `buf` as goes, or all of it as one message. Never waits.
    ///
    /// # Errors
    /// Any error of the write; after that nothing can be written here any more.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        match self {
            Endpoint::Stream(end) => end.try_write(buf),
            Endpoint::Tls(end) => end.try_write(buf),
            Endpoint::Datagram(end) => end.try_write(buf),
            Endpoint::Stdio(end) => end.try_write(buf),
            Endpoint::Internal(end) => Ok(end.try_write(buf)),
            Endpoint::Child(end) => end.try_write(buf),
            Endpoint::Mailbox(end) => end.try_write(buf),
        }
    }

    /// What of `written`, which `try_write` has taken, goes to the peer: frames lose their lengths.
    pub fn payload<'a>(&self, written: &'a [u8]) -> &'a [u8] {
        match self {
            Endpoint::Datagram(end) => end.payload(written),
            _ => written,
        }
    }

    /// Passes on the end of what is written: FIN to a peer, closing for standard output and for a
    /// program. Nothing for datagrams, which have no end.
    pub fn shutdown_write(&mut self) {
        match self {
            Endpoint::Stream(end) => end.shutdown_write(),
            Endpoint::Tls(end) => end.shutdown_write(),
            Endpoint::Stdio(end) => end.shutdown_write(),
            Endpoint::Internal(end) => end.shutdown_write(),
            Endpoint::Child(end) => end.shutdown_write(),
            _ => {}
        }
    }

    /// Tells the peer that the session is over, not cut off, where the two can be told apart (TLS).
    /// As far as that goes without waiting: the end is to be closed behind it.
    pub fn say_goodbye(&mut self) {
        if let Endpoint::Tls(end) = self {
            end.shutdown_write();
        }
    }

    /// Sends what was taken and waits here, as far as that goes.
    ///
    /// # Errors
    /// As `try_write`.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Endpoint::Tls(end) => end.flush(),
            _ => Ok(()),
        }
    }

    /// Returns whether something that was taken waits here for `flush`.
    pub fn holds(&self) -> bool {
        match self {
            Endpoint::Tls(end) => end.holds(),
            _ => false,
        }
    }

    /// Why our bytes are read no more, when that is known without writing.
    pub fn write_fault(&mut self) -> Option<WriteFault> {
        match self {
            Endpoint::Stream(end) => end.write_fault(),
            Endpoint::Tls(end) => end.write_fault(),
            Endpoint::Stdio(end) => end.write_fault(),
            Endpoint::Child(end) => end.write_fault(),
            _ => None,
        }
    }

    /// The descriptor to read from, if bytes may leave it without passing through this process.
    pub fn raw_read(&self) -> Option<RawEnd<'_>> {
        match self {
            Endpoint::Stream(end) => end.raw_read(),
            Endpoint::Stdio(end) => end.raw_read(),
            Endpoint::Child(end) => end.raw_read(),
            _ => None,
        }
    }

    /// The descriptor to write to, if bytes may reach it without passing through this process.
    pub fn raw_write(&self) -> Option<RawEnd<'_>> {
        match self {
            Endpoint::Stream(end) => end.raw(),
            Endpoint::Stdio(end) => end.raw_write(),
            Endpoint::Child(end) => end.raw_write(),
            _ => None,
        }
    }

    /// The socket, for its addresses, if it is one.
    pub fn socket(&self) -> Option<&Socket> {
        match self {
            Endpoint::Stream(end) => Some(end.socket()),
            Endpoint::Tls(end) => Some(end.stream().socket()),
            Endpoint::Datagram(end) => Some(end.socket()),
            _ => None,
        }
    }

    /// Returns whether a read is worth a call.
    pub fn is_readable(&self) -> bool {
        match self {
            Endpoint::Stream(end) => end.is_readable(),
            Endpoint::Tls(end) => end.is_readable(),
            end => end.read_bits().is_some_and(|bits| bits.is_readable()),
        }
    }

    /// Returns whether a write is worth a call.
    pub fn is_writable(&self) -> bool {
        self.write_bits().is_some_and(|bits| bits.is_writable())
    }

    /// Returns whether there may be more behind what the kernel gives: urgent data, or the end.
    pub fn has_more_behind(&self) -> bool {
        self.read_bits().is_some_and(Bits::has_more_behind)
    }

    /// A read past `try_read` found nothing.
    pub fn set_drained(&self) {
        self.read_bits().into_iter().for_each(Bits::set_drained);
    }

    /// A write past `try_write` found no room.
    pub fn set_full(&self) {
        self.write_bits().into_iter().for_each(Bits::set_full);
    }

    fn read_bits(&self) -> Option<&Bits> {
        match self {
            Endpoint::Stream(end) => Some(end.bits()),
            Endpoint::Tls(end) => Some(end.stream().bits()),
            Endpoint::Stdio(end) => end.read_bits(),
            Endpoint::Child(end) => end.read_bits(),
            _ => None,
        }
    }

    fn write_bits(&self) -> Option<&Bits> {
        match self {
            Endpoint::Stream(end) => Some(end.bits()),
            Endpoint::Tls(end) => Some(end.stream().bits()),
            Endpoint::Stdio(end) => end.write_bits(),
            Endpoint::Child(end) => end.write_bits(),
            _ => None,
        }
    }

    /// Bytes written that are still on their way to the peer's system. Closing a socket with unread
    /// input would discard them (RFC 2525, section 2.17).
    pub fn unsent(&self) -> usize {
        match self {
            Endpoint::Stream(end) => end.unsent(),
            Endpoint::Tls(end) => end.unsent(),
            _ => 0,
        }
    }

    /// As `unsent`, without our end itself, once it is sent.
    pub fn undelivered(&self) -> usize {
        match self {
            Endpoint::Tls(end) => end.undelivered(),
            _ => self.stream().map_or(0, Stream::undelivered),
        }
    }

    /// How long the peer's system has answered nothing, if bytes are under way to it.
    pub fn unanswered_for(&self) -> Option<Duration> {
        self.stream().and_then(Stream::unanswered_for)
    }

    /// Has the peer see a reset, not an end, once the end is closed. Nothing for ends that are no
    /// stream sockets.
    pub fn reset(&self) {
        if let Some(stream) = self.stream() {
            stream.reset();
        }
    }

    /// Has the peer see, once the end is closed, that the session was cut off: by a reset, and over
    /// TLS by the end without close_notify that closing is.
    pub fn cut_off(&self) {
        if let Endpoint::Stream(stream) = self {
            stream.reset();
        }
    }

    /// The stream socket, under TLS too.
    pub fn stream(&self) -> Option<&Stream> {
        match self {
            Endpoint::Stream(end) => Some(end),
            Endpoint::Tls(end) => Some(end.stream()),
            _ => None,
        }
    }

    /// Returns whether something can be read here at all: not from an unused standard input.
    pub fn has_input(&self) -> bool {
        match self {
            Endpoint::Stdio(end) => end.has_input(),
            _ => true,
        }
    }

    /// Returns whether the peer may still answer once `shutdown_write` was called.
    pub fn keeps_half_close(&self) -> bool {
        match self {
            Endpoint::Tls(end) => end.keeps_half_close(),
            _ => true,
        }
    }

    /// Returns whether bytes of the peer wait in the system, where closing the socket
    /// would lose what is unsent.
    pub fn has_unread(&self) -> bool {
        match self {
            Endpoint::Stream(end) => end.has_unread(),
            Endpoint::Tls(end) => end.has_unread(),
            _ => false,
        }
    }

    /// Returns whether the peer is known.
    pub fn has_peer(&self) -> bool {
        self.datagram().is_none_or(Datagram::has_peer)
    }

    /// The sender of what was read last, where that may be another one each time.
    pub fn sender(&self) -> Option<PeerAddr> {
        self.datagram().and_then(Datagram::sender)
    }

    /// The peer to write to, if it may change from message to message.
    pub fn peer(&self) -> Option<PeerAddr> {
        self.datagram().and_then(Datagram::peer)
    }

    fn datagram(&self) -> Option<&Datagram> {
        match self {
            Endpoint::Datagram(end) => Some(end),
            _ => None,
        }
    }

    /// Returns whether reading and writing are one socket, which breaks as a whole.
    pub fn is_one_socket(&self) -> bool {
        !matches!(self, Endpoint::Stdio(_) | Endpoint::Child(_))
    }

    /// Returns whether what is written may make something readable, and a read may make room,
    /// without an event that would report it.
    pub fn changes_unseen(&self) -> bool {
        matches!(self, Endpoint::Internal(_))
    }

    /// Returns whether it cannot be known how many writes brought the bytes, so that messages may
    /// be written several at once.
    pub fn joins_writes(&self) -> bool {
        match self {
            Endpoint::Stdio(end) => end.joins_writes(),
            _ => false,
        }
    }

    /// Returns whether one read is one message and one write is one message (datagrams).
    pub fn keeps_messages(&self) -> bool {
        match self {
            Endpoint::Child(end) => end.keeps_messages(),
            Endpoint::Stream(_) | Endpoint::Tls(_) | Endpoint::Stdio(_) | Endpoint::Internal(_) => {
                false
            }
            _ => true,
        }
    }
}

impl ReadEnd for Endpoint {
    fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        match self {
            Endpoint::Stream(end) => end.try_read(buf),
            Endpoint::Tls(end) => end.try_read(buf),
            Endpoint::Datagram(end) => end.try_read(buf),
            Endpoint::Stdio(end) => end.try_read(buf),
            Endpoint::Internal(end) => Ok(end.try_read(buf)),
            Endpoint::Child(end) => end.try_read(buf),
            Endpoint::Mailbox(end) => Ok(end.try_read(buf)),
        }
    }

    fn widen(&self) {
        match self {
            Endpoint::Stdio(end) => end.widen(),
            Endpoint::Child(end) => end.widen(),
            _ => {}
        }
    }
}
