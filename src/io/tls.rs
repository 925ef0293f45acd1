//! A TLS connection (RFC 8446, RFC 5246) over a stream socket, as one more kind of end. rustls
//! makes records and takes them apart; here they are moved between it and the socket, without
//! waiting.
//!
//! The end of what is written is close_notify; an end of the socket without close_notify is
//! a truncation, since anyone on the way could have made it (RFC 8446, section 6.1).

use super::memory::{self, Lease};
use super::reactor::{Registered, Registrar};
use super::ready::{Got, Put, Ready, WriteFault};
use super::stream::Stream;
use crate::sys::errno;
use rustls::{Connection, ProtocolVersion};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::task::Poll;

/// Bytes of records that may wait for the socket: with room for several records, one system call
/// takes them all. Each record is an allocation; with more than 128 KiB of them the allocator gives
/// the memory back to the system each time, which costs more than all else (M_TRIM_THRESHOLD).
const OUTGOING_BYTES: usize = 64 << 10;
/// What close_notify takes at most: the head of its record, a nonce, two bytes and their tag.
const END_BYTES: usize = 5 + 8 + 2 + 16;
/// Reads that may bring nothing for us, such as tickets, before others get their turn.
const IDLE_READS: usize = 64;
/// The peer's first bytes that are kept for messages: what it speaks, if not TLS.
const FIRST_BYTES: usize = 200;

/// What both sides know of a connection, without its socket.
#[derive(Debug)]
pub struct TlsSession {
    connection: Connection,
    /// The peer's first bytes, until the handshake is done.
    first: Vec<u8>,
    /// Bytes may wait in the connection that no event will report.
    may_hold_bytes: bool,
    /// An end without close_notify is as good as one with it.
    takes_bare_ends: bool,
    /// What broke it while there were still bytes to be given out.
    fault: Option<io::Error>,
}

/// A TLS connection, its handshake done or under way.
#[derive(Debug)]
pub struct TlsStream {
    stream: Stream,
    session: Box<TlsSession>,
    /// What is encrypted and not sent.
    lease: Lease,
    /// close_notify is sent, or waits to be.
    has_ended: bool,
    /// The socket takes nothing any more.
    is_broken: bool,
    /// Why it does not, until that is reported.
    untold: Option<io::Error>,
}

/// What taking records in came to.
enum Received {
    /// Some, perhaps not yet whole.
    Records,
    /// None now.
    Pending,
    /// None ever.
    End,
}

impl TlsSession {
    /// A session whose handshake is still to be made, as a client or as a server.
    pub fn new(mut connection: Connection) -> TlsSession {
        connection.set_buffer_limit(Some(OUTGOING_BYTES));
        TlsSession {
            connection,
            first: Vec::new(),
            may_hold_bytes: false,
            takes_bare_ends: false,
            fault: None,
        }
    }

    /// The same, but an end without close_notify is as good as one with it.
    pub fn taking_bare_ends(self, takes_bare_ends: bool) -> TlsSession {
        TlsSession {
            takes_bare_ends,
            ..self
        }
    }

    /// Takes apart the records that were taken in.
    fn process(&mut self) {
        let processed = self.connection.process_new_packets();
        self.may_hold_bytes = true;
        if let Err(error) = processed {
            self.fault = Some(io::Error::new(ErrorKind::InvalidData, error));
        }
    }

    /// What was agreed on, for messages.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The peer's first bytes, at most 200, until the handshake is done.
    pub fn first_bytes(&self) -> &[u8] {
        &self.first
    }
}

impl TlsStream {
    /// Puts a session on a connected socket.
    pub fn new(stream: Stream, session: Box<TlsSession>) -> TlsStream {
        TlsStream {
            stream,
            session,
            lease: Lease::default(),
            has_ended: false,
            is_broken: false,
            untold: None,
        }
    }

    /// Goes on with the handshake. Never waits.
    ///
    /// # Errors
    /// The peer is not to be trusted, speaks something else (both hold a `rustls::Error`, and the
    /// peer has been told), or has gone.
    pub fn shake_hands(&mut self) -> Poll<io::Result<()>> {
        loop {
            // Who does not take our bytes may have said why.
            let unsent = self.flush().err();
            let is_done = !self.session.connection.is_handshaking() && unsent.is_none();
            if is_done && self.holds() {
                return Poll::Pending;
            }
            if is_done {
                self.session.first = Vec::new();
                return Poll::Ready(Ok(()));
            }
            // The peer's first bytes may have broken it.
            if let Some(fault) = self.session.fault.take() {
                return Poll::Ready(Err(fault));
            }
            let received = match self.receive() {
                Ok(received) => received,
                Err(error) => return Poll::Ready(Err(unsent.unwrap_or(error))),
            };
            // What broke it behind the handshake comes behind the bytes before it.
            if self.session.connection.is_handshaking()
                && let Some(fault) = self.session.fault.take()
            {
                return Poll::Ready(Err(fault));
            }
            match (received, unsent) {
                (Received::Records, _) => {}
                (_, Some(error)) => return Poll::Ready(Err(error)),
                (Received::Pending, None) => return Poll::Pending,
                (Received::End, None) => return Poll::Ready(Err(ErrorKind::UnexpectedEof.into())),
            }
        }
    }

    /// The session on it.
    pub fn session(&self) -> &TlsSession {
        &self.session
    }

    /// The socket under it.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Registers its socket for this task.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn register(&mut self, registrar: &Registrar<'_>) -> io::Result<Registered> {
        self.stream.register(registrar)
    }

    /// Socket and session, apart.
    pub fn into_parts(self) -> (Stream, Box<TlsSession>) {
        (self.stream, self.session)
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.stream.note(id, ready);
    }

    /// Returns whether a read is worth a call.
    pub fn is_readable(&self) -> bool {
        self.session.may_hold_bytes || self.session.fault.is_some() || self.stream.is_readable()
    }

    /// See `Endpoint::try_read`. Fills `buf`, which is not empty, as far as there are bytes.
    ///
    /// # Errors
    /// ECONNRESET and the like; `UnexpectedEof` when the socket has ended without close_notify;
    /// what rustls says of a record, or the peer's alert.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        let mut filled = 0;
        let mut idle_reads = 0;
        let ending = loop {
            match self.take_plaintext(&mut buf[filled..]) {
                Ok(Got::Bytes(n)) => filled += n,
                Ok(Got::Pending) => match self.receive() {
                    Ok(Received::Pending) => break Ok(Got::Pending),
                    Ok(Received::Records | Received::End) => idle_reads += 1,
                    Err(error) => break Err(error),
                },
                other => break other,
            }
            if filled == buf.len() || idle_reads == IDLE_READS {
                break Ok(Got::Again);
            }
        };
        match ending {
            // What broke it, or its end, comes behind the bytes before it.
            Err(error) if filled > 0 => {
                self.session.fault = Some(error);
                Ok(Got::Bytes(filled))
            }
            Ok(_) if filled > 0 => Ok(Got::Bytes(filled)),
            ending => ending,
        }
    }

    /// Takes out what rustls has decrypted.
    fn take_plaintext(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        let session = &mut *self.session;
        if session.may_hold_bytes {
            match session.connection.reader().read(buf) {
                Ok(0) => return Ok(Got::Eof),
                Ok(n) => return Ok(Got::Bytes(n)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                    let untold = self.untold.take();
                    if untold.is_none() && session.takes_bare_ends {
                        return Ok(Got::Eof);
                    }
                    session.may_hold_bytes = false;
                    return Err(match untold {
                        Some(error) => self.broken_by(error),
                        None => truncated(self.has_ended),
                    });
                }
                Err(error) => return Err(error),
            }
            session.may_hold_bytes = false;
        }
        session.fault.take().map_or(Ok(Got::Pending), Err)
    }

    /// See `Endpoint::try_write`. What is taken is on its way: `flush` sends the rest.
    ///
    /// # Errors
    /// EPIPE, ECONNRESET and the like.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        self.flush()?;
        if self.holds() {
            return Ok(Put::Pending);
        }
        let most = memory::grant(buf.len());
        let taken = self.session.connection.writer().write(&buf[..most])?;
        self.lease.set(taken);
        self.flush()?;
        Ok(Put::Bytes(taken))
    }

    /// See `Endpoint::flush`.
    ///
    /// # Errors
    /// EPIPE, ECONNRESET and the like.
    pub fn flush(&mut self) -> io::Result<()> {
        let connection = &mut self.session.connection;
        while connection.wants_write() {
            match connection.write_tls(&mut Sink(&mut self.stream)) {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => {
                    self.is_broken = true;
                    return Err(error);
                }
            }
        }
        self.lease.set(0);
        Ok(())
    }

    /// See `Endpoint::holds`.
    pub fn holds(&self) -> bool {
        self.session.connection.wants_write() && !self.is_broken
    }

    /// Passes on the end: close_notify. A FIN after it would add nothing, and many servers drop the
    /// answer at it; closing the socket sends it.
    pub fn shutdown_write(&mut self) {
        if !std::mem::replace(&mut self.has_ended, true) {
            self.session.connection.send_close_notify();
        }
        self.flush_untold();
    }

    /// Returns whether the peer may answer after our end. Before TLS 1.3 it has to close at once,
    /// and to discard what it has not sent (RFC 5246, section 7.2.1).
    pub fn keeps_half_close(&self) -> bool {
        self.session.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    /// Flushes where a failure cannot be reported: the read side reports it, at its end.
    fn flush_untold(&mut self) {
        if let Err(error) = self.flush() {
            self.untold = Some(error);
        }
    }

    /// See `Endpoint::unsent`.
    pub fn unsent(&self) -> usize {
        self.stream.unsent() + usize::from(self.holds())
    }

    /// See `Endpoint::undelivered`.
    pub fn undelivered(&self) -> usize {
        let end = if self.has_ended { END_BYTES } else { 0 };
        self.unsent().saturating_sub(end)
    }

    /// See `Endpoint::has_unread`. Nobody reads what comes behind close_notify or a bad record.
    pub fn has_unread(&self) -> bool {
        self.stream.has_unread()
    }

    /// See `Endpoint::write_fault`.
    pub fn write_fault(&mut self) -> Option<WriteFault> {
        self.stream.write_fault()
    }

    /// An error of the socket. Who closes it with our close_notify unread resets the connection.
    fn broken_by(&self, error: io::Error) -> io::Error {
        if error.kind() == ErrorKind::ConnectionReset && self.has_ended {
            let reason = errno::reason(&error);
            let text = format!("{reason}, after our own end (which --no-shutdown keeps back)");
            io::Error::new(ErrorKind::ConnectionReset, text)
        } else {
            error
        }
    }

    /// Takes records in from the socket.
    fn receive(&mut self) -> io::Result<Received> {
        let session = &mut *self.session;
        let mut socket = RecordSource {
            stream: &mut self.stream,
            first: &mut session.first,
            keeps_first: session.connection.is_handshaking(),
        };
        let has_ended = match session.connection.read_tls(&mut socket) {
            Ok(n) => n == 0,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Received::Pending),
            Err(error) => return Err(self.broken_by(error)),
        };
        session.process();
        // An alert that tells the peer why, or a new key.
        self.flush_untold();
        Ok(if has_ended {
            Received::End
        } else {
            Received::Records
        })
    }
}

/// The error of rustls, where an error was made of that.
pub fn said(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref::<rustls::Error>()
}

/// The error of a socket that ends without close_notify.
fn truncated(has_ended: bool) -> io::Error {
    let text = if has_ended {
        "what came may be cut short, if it is not the answer to our own end (which \
         --no-shutdown keeps back)"
    } else {
        "what came may be cut short"
    };
    io::Error::new(ErrorKind::UnexpectedEof, text)
}

/// The socket as rustls wants it, to read from.
struct RecordSource<'a> {
    stream: &'a mut Stream,
    first: &'a mut Vec<u8>,
    keeps_first: bool,
}

impl Read for RecordSource<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.stream.try_read(buf)? {
            Got::Bytes(n) => {
                let room = FIRST_BYTES.saturating_sub(self.first.len());
                if self.keeps_first {
                    self.first.extend_from_slice(&buf[..n.min(room)]);
                }
                Ok(n)
            }
            Got::Eof => Ok(0),
            Got::Pending | Got::Again => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

/// The socket as rustls wants it, to write to.
struct Sink<'a>(&'a mut Stream);

impl Write for Sink<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.0.try_write_vectored(parts)? {
            Put::Bytes(n) => Ok(n),
            Put::Pending => Err(ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
