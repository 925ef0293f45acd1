//! One of many peers of a datagram socket, as an end of a session of its own. Whoever reads the
//! socket puts what this peer sent into the box; what is written goes to this peer.

use super::memory::{self, Lease};
use super::ready::{Got, Put};
use crate::sys::pktinfo;
use rustix::io::Errno;
use socket2::{SockAddr, Socket};
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;

/// What may wait in a box, in bytes and in messages: empty ones take no room. What does not fit is
/// dropped, as the kernel drops what finds its buffer full.
const MOST_BYTES: usize = 256 << 10;
const MOST_MESSAGES: usize = 1024;

/// One peer.
#[derive(Debug)]
pub struct Mailbox {
    sock: Rc<Socket>,
    peer: SockAddr,
    /// The address of ours the peer has written to, where there are several.
    local: Option<IpAddr>,
    /// The longest message to send, in bytes; what is longer is cut.
    message_bytes: usize,
    waiting: VecDeque<Box<[u8]>>,
    waiting_bytes: usize,
    lease: Lease,
    /// Nothing more is put in.
    is_closed: bool,
    /// The socket takes nothing now.
    is_full: bool,
}

impl Mailbox {
    /// An empty box. The socket is non-blocking; who has registered it passes its events on.
    pub fn new(
        sock: Rc<Socket>,
        peer: SockAddr,
        local: Option<IpAddr>,
        message_bytes: usize,
    ) -> Mailbox {
        Mailbox {
            sock,
            peer,
            local,
            message_bytes,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            lease: Lease::default(),
            is_closed: false,
            is_full: false,
        }
    }

    /// Puts in a message; `false` when there is no room for it: neither here, nor in what all
    /// boxes may hold, of which an empty one needs none.
    pub fn put(&mut self, message: &[u8]) -> bool {
        let has_room = self.waiting.len() < MOST_MESSAGES;
        let takes = has_room && self.waiting_bytes + message.len() <= MOST_BYTES;
        let takes = takes && (self.waiting.is_empty() || memory::has_room(message.len()));
        if takes {
            self.hold(self.waiting_bytes + message.len());
            self.waiting.push_back(message.into());
        }
        takes
    }

    fn hold(&mut self, bytes: usize) {
        self.waiting_bytes = bytes;
        self.lease.set(bytes);
    }

    /// Nothing more will come from this peer.
    pub fn close(&mut self) {
        self.is_closed = true;
    }

    /// Returns whether messages are put in.
    pub fn is_open(&self) -> bool {
        !self.is_closed
    }

    /// The socket may take something again; returns whether that was waited for.
    pub fn note_room(&mut self) -> bool {
        std::mem::take(&mut self.is_full)
    }

    /// See `Endpoint::try_read`.
    pub fn try_read(&mut self, buf: &mut [u8]) -> Got {
        let Some(message) = self.waiting.pop_front() else {
            return if self.is_closed {
                Got::Eof
            } else {
                Got::Pending
            };
        };
        self.hold(self.waiting_bytes - message.len());
        let len = message.len().min(buf.len());
        buf[..len].copy_from_slice(&message[..len]);
        Got::Bytes(len)
    }

    /// See `Endpoint::try_write`.
    ///
    /// # Errors
    /// The peer cannot be reached.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        if self.is_full {
            return Ok(Put::Pending);
        }
        let message = &buf[..buf.len().min(self.message_bytes)];
        loop {
            match self.send(message) {
                Ok(n) => return Ok(Put::Bytes(n)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // It is not ours any more, or a broadcast address.
                Err(error)
                    if Errno::from_io_error(&error).is_some_and(pktinfo::is_not_from_there)
                        && self.local.take().is_some() => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.is_full = true;
                    return Ok(Put::Pending);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn send(&self, message: &[u8]) -> io::Result<usize> {
        match (self.local, self.peer.as_socket()) {
            (Some(local), Some(peer)) => {
                Ok(pktinfo::send(&*self.sock, message, &peer.into(), local)?)
            }
            _ => self.sock.send_to(message, &self.peer),
        }
    }
}
