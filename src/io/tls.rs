//! A TLS connection (RFC 8446, RFC 5246) over a stream socket, as one more kind of end. rustls keeps
//! the records; here they are moved between it and the socket, without waiting.
//!
//! The end of what is written is close_notify and FIN; an end of the socket without close_notify is
//! no end but a break, since anyone on the way could have made it (RFC 8446, section 6.1).

use super::ready::{Got, Put, Ready};
use super::stream::Stream;
use rustls::Connection;
use std::io::{self, IoSlice, Read, Write};

/// Bytes of records that may wait for the socket. With room for several records, one system call
/// takes them all.
const RECORD_BYTES: usize = 256 << 10;

/// A TLS connection, its handshake done or under way.
#[derive(Debug)]
pub struct Tls {
    stream: Stream,
    session: Connection,
    /// The end of what is written has come; it is passed on once all records are sent.
    ends: bool,
    /// It has been passed on.
    ended: bool,
    /// Nothing comes any more from the socket.
    socket_ended: bool,
}

/// How far a handshake is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shaken {
    /// The peer has to say more.
    Pending,
    /// Done: bytes can go both ways.
    Done,
}

impl Tls {
    /// Puts a session, a client's or a server's, on a connected socket.
    pub fn new(stream: Stream, mut session: Connection) -> Tls {
        session.set_buffer_limit(Some(RECORD_BYTES));
        Tls {
            stream,
            session,
            ends: false,
            ended: false,
            socket_ended: false,
        }
    }

    /// Goes on with the handshake. Never waits.
    ///
    /// # Errors
    /// The peer is not to be trusted, speaks something else, or has gone. It has been told why.
    pub fn shake_hands(&mut self) -> io::Result<Shaken> {
        loop {
            self.flush()?;
            if !self.session.is_handshaking() {
                return Ok(Shaken::Done);
            }
            match self.receive()? {
                Received::Records => {}
                Received::Pending => return Ok(Shaken::Pending),
                Received::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    /// What was agreed on, for messages.
    pub fn session(&self) -> &Connection {
        &self.session
    }

    /// The socket under it.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        self.stream.note(slot, ready);
    }

    /// See `Endpoint::try_read`.
    ///
    /// # Errors
    /// ECONNRESET and the like; `UnexpectedEof` when the socket has ended without close_notify; the
    /// peer's alert, or a record that is none.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        loop {
            match self.session.reader().read(buf) {
                Ok(0) => return Ok(Got::Eof),
                Ok(n) => return Ok(Got::Bytes(n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            match self.receive()? {
                Received::Records => self.flush()?,
                Received::Pending => return Ok(Got::Pending),
                Received::End => {}
            }
        }
    }

    /// See `Endpoint::try_write`. What is taken is on its way: `flush` sends the rest.
    ///
    /// # Errors
    /// EPIPE, ECONNRESET and the like.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        self.flush()?;
        let mut taken = 0;
        while taken < buf.len() {
            match self.session.writer().write(&buf[taken..])? {
                0 => break,
                n => taken += n,
            }
            self.flush()?;
            if self.session.wants_write() {
                break;
            }
        }
        match taken {
            0 if !buf.is_empty() => Ok(Put::Pending),
            n => Ok(Put::Bytes(n)),
        }
    }

    /// Sends records that wait, as far as the socket takes them.
    ///
    /// # Errors
    /// EPIPE, ECONNRESET and the like.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut Socket(&mut self.stream)) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        if self.ends && !self.ended {
            self.ended = true;
            self.stream.shutdown_write();
        }
        Ok(())
    }

    /// Passes on the end: close_notify, and FIN behind it.
    pub fn shutdown_write(&mut self) {
        if !self.ends {
            self.ends = true;
            self.session.send_close_notify();
        }
        // A peer that is already gone is found out by the read side.
        let _ = self.flush();
    }

    /// See `Endpoint::has_unsent`.
    pub fn has_unsent(&self) -> bool {
        self.session.wants_write() || self.stream.has_unsent()
    }

    /// See `Endpoint::write_fault`.
    pub fn write_fault(&mut self) -> Option<io::Error> {
        self.stream.write_fault()
    }

    /// Takes records in from the socket.
    fn receive(&mut self) -> io::Result<Received> {
        if self.socket_ended {
            return Ok(Received::End);
        }
        match self.session.read_tls(&mut Socket(&mut self.stream)) {
            Ok(0) => self.socket_ended = true,
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Ok(Received::Pending);
            }
            Err(error) => return Err(error),
        }
        if let Err(error) = self.session.process_new_packets() {
            // The alert that tells the peer why; whether it can be sent changes nothing here.
            let _ = self.flush();
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        Ok(match self.socket_ended {
            true => Received::End,
            false => Received::Records,
        })
    }
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

/// The socket as rustls wants it.
struct Socket<'a>(&'a mut Stream);

impl Read for Socket<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.0.try_read(buf)? {
            Got::Bytes(n) => Ok(n),
            Got::Eof => Ok(0),
            Got::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.0.try_write_vectored(parts)? {
            Put::Bytes(n) => Ok(n),
            Put::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
