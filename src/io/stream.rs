//! Stream sockets: TCP, Unix, vsock. Never waited for, also where the socket is one that others
//! may use, too, and that may block them.

use super::reactor::{Registered, Registrar};
use super::ready::{Bits, Got, Put, Ready, WriteFault};
use crate::sys::offload::{RawEnd, RawKind};
use crate::sys::sockopt;
use mio::Interest;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendAncillaryBuffer, SendFlags};
use socket2::{Protocol, Socket};
use std::cell::OnceCell;
use std::io::{self, IoSlice};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// Never waited for, and EPIPE instead of a signal.
const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// A connected stream socket.
#[derive(Debug)]
pub struct Stream {
    sock: Socket,
    id: Option<Registered>,
    bits: Bits,
    /// Bytes that were read too early, to be read again.
    early: Vec<u8>,
    /// Looked at once.
    is_tcp: OnceCell<bool>,
    /// FIN is sent behind what was written.
    has_ended: bool,
    /// It never blocks, however it is read and written; looked at once.
    never_blocks: OnceCell<bool>,
}

impl Stream {
    /// Takes over a connected socket. One that we were given may be blocking, and stays so: others
    /// may use it.
    pub fn new(sock: Socket) -> Stream {
        Stream {
            sock,
            id: None,
            bits: Bits::new(true),
            early: Vec::new(),
            is_tcp: OnceCell::new(),
            has_ended: false,
            never_blocks: OnceCell::new(),
        }
    }

    /// Registers it with the loop for this task, unless it is.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn register(&mut self, registrar: &Registrar<'_>) -> io::Result<Registered> {
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        let id = match self.id {
            Some(id) => registrar.keep(id, self.sock.as_fd(), interest)?,
            None => registrar.register(self.sock.as_fd(), interest)?,
        };
        self.id = Some(id);
        Ok(id)
    }

    /// Its registration with the loop, if it has one.
    pub fn id(&self) -> Option<Registered> {
        self.id
    }

    /// Takes bytes back that were read and are for another reader: they are read first.
    pub fn unread(&mut self, bytes: &[u8]) {
        self.early.splice(..0, bytes.iter().copied());
    }

    fn is_tcp(&self) -> bool {
        let looks = || {
            let protocol = self.sock.protocol();
            protocol.is_ok_and(|protocol| protocol == Some(Protocol::TCP))
        };
        *self.is_tcp.get_or_init(looks)
    }

    /// The socket itself, for its addresses and options.
    pub fn socket(&self) -> &Socket {
        &self.sock
    }

    /// Gives the socket back, still non-blocking, and registered if it was.
    pub fn into_socket(self) -> Socket {
        self.sock
    }

    /// The descriptor, to pass on to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.sock.as_fd()
    }

    /// The descriptor and what the kernel can do with it. From and to a socket that may block,
    /// splice(2) would.
    pub fn raw(&self) -> Option<RawEnd<'_>> {
        let looks = || {
            let flags = rustix::fs::fcntl_getfl(&self.sock);
            flags.is_ok_and(|flags| flags.contains(OFlags::NONBLOCK))
        };
        let kind = if self.is_tcp() {
            RawKind::Tcp
        } else {
            RawKind::Socket
        };
        self.never_blocks.get_or_init(looks).then(|| RawEnd {
            fd: self.sock.as_fd(),
            kind,
        })
    }

    /// As `raw`, to read from: not before the early bytes are read.
    pub fn raw_read(&self) -> Option<RawEnd<'_>> {
        self.early.is_empty().then(|| self.raw()).flatten()
    }

    /// Returns whether a read is worth a call.
    pub fn is_readable(&self) -> bool {
        !self.early.is_empty() || self.bits.is_readable()
    }

    /// What is known about the socket.
    pub fn bits(&self) -> &Bits {
        &self.bits
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        if self.id == Some(id) {
            self.bits.note(ready);
        }
    }

    /// See `Endpoint::try_read`.
    ///
    /// # Errors
    /// ECONNRESET and the like.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        if !self.early.is_empty() {
            let len = buf.len().min(self.early.len());
            buf[..len].copy_from_slice(&self.early[..len]);
            self.early.drain(..len);
            return Ok(Got::Bytes(len));
        }
        if !self.bits.is_readable() {
            return Ok(Got::Pending);
        }
        loop {
            match rustix::net::recv(&self.sock, &mut *buf, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Ok(Got::Eof),
                Ok((n, _)) => {
                    // Other sockets keep messages apart, or descriptors sent with them.
                    if self.is_tcp() {
                        self.bits.note_read(n, buf.len());
                    }
                    return Ok(Got::Bytes(n));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.bits.set_drained();
                    return Ok(Got::Pending);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// See `Endpoint::try_write`.
    ///
    /// # Errors
    /// EPIPE, ECONNRESET and the like.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        self.write_by(buf.len(), |sock| rustix::net::send(sock, buf, SEND_FLAGS))
    }

    /// As `try_write`, of several pieces one behind the other.
    ///
    /// # Errors
    /// EPIPE, ECONNRESET and the like.
    pub fn try_write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<Put> {
        let offered = parts.iter().map(|part| part.len()).sum();
        self.write_by(offered, |sock| {
            let mut control = SendAncillaryBuffer::default();
            rustix::net::sendmsg(sock, parts, &mut control, SEND_FLAGS)
        })
    }

    /// Writes with a call that does not wait, which is `offered` so many bytes.
    fn write_by(
        &mut self,
        offered: usize,
        call: impl Fn(&Socket) -> rustix::io::Result<usize>,
    ) -> io::Result<Put> {
        if !self.bits.is_writable() {
            return Ok(Put::Pending);
        }
        loop {
            match call(&self.sock) {
                Ok(n) => {
                    self.bits.note_written(n, offered);
                    return Ok(Put::Bytes(n));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.bits.set_full();
                    return Ok(Put::Pending);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends FIN. A peer that is already gone is found out by the read side.
    pub fn shutdown_write(&mut self) {
        self.has_ended = self.sock.shutdown(Shutdown::Write).is_ok();
    }

    /// See `Endpoint::unsent`. After a reset nothing is on its way, though the kernel still counts it.
    pub fn unsent(&self) -> usize {
        if !self.is_tcp() || (self.bits.is_write_closed() && sockopt::is_closed(&self.sock)) {
            return 0;
        }
        sockopt::unsent(&self.sock).unwrap_or_default()
    }

    /// See `Endpoint::undelivered`. FIN counts as a byte.
    pub fn undelivered(&self) -> usize {
        self.unsent().saturating_sub(usize::from(self.has_ended))
    }

    /// See `Endpoint::unanswered_for`.
    pub fn unanswered_for(&self) -> Option<Duration> {
        (self.unsent() > 0).then(|| sockopt::unanswered(&self.sock).unwrap_or_default())
    }

    /// See `Endpoint::reset`.
    pub fn reset(&self) {
        // A Unix socket has no reset: its peer sees the end.
        let _ = self.sock.set_linger(Some(Duration::ZERO));
    }

    /// See `Endpoint::has_unread`.
    pub fn has_unread(&self) -> bool {
        !self.early.is_empty()
            || rustix::io::ioctl_fionread(&self.sock).is_ok_and(|bytes| bytes > 0)
    }

    /// See `Endpoint::write_fault`.
    pub fn write_fault(&mut self) -> Option<WriteFault> {
        if !self.bits.is_write_closed() {
            return None;
        }
        let said = self.sock.take_error().ok().flatten();
        Some(WriteFault {
            is_reset: said.is_some(),
            error: said.unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_bytes_are_read_first_and_keep_the_kernel_away() {
        let (sock, peer) = Socket::pair(socket2::Domain::UNIX, socket2::Type::STREAM, None)
            .expect("a pair of sockets");
        sock.set_nonblocking(true).expect("a socket");
        let mut stream = Stream::new(sock);
        peer.send(b"later").expect("a socket");
        stream.unread(b"second");
        stream.unread(b"first ");
        assert!(stream.raw_read().is_none() && stream.raw().is_some());
        let mut read = |len| {
            let mut buf = vec![0; len];
            let got = stream.try_read(&mut buf).expect("a read");
            (got, buf)
        };
        assert_eq!(read(9), (Got::Bytes(9), b"first sec".to_vec()));
        assert_eq!(read(9), (Got::Bytes(3), b"ond\0\0\0\0\0\0".to_vec()));
        assert_eq!(read(5), (Got::Bytes(5), b"later".to_vec()));
        assert_eq!(read(5).0, Got::Pending);
        assert!(stream.raw_read().is_some());
    }
}
