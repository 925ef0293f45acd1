//! One of many peers of a datagram socket, as an end of a session of its own. The task
//! that reads the socket puts what this peer sent into the box, through its slot; what is written goes
//! to this peer.

use super::inbox::Wake;
use super::memory::{self, Lease};
use super::ready::{Got, Put};
use crate::sys::pktinfo;
use rustix::io::Errno;
use socket2::{SockAddr, Socket};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};

/// What may wait in a box, in bytes and in messages: empty ones take no room. What does not fit is
/// dropped, as the kernel drops what finds its buffer full.
const MOST_BYTES: usize = 256 << 10;
const MOST_MESSAGES: usize = 1024;

/// The socket of all boxes, non-blocking; its events come to the task that reads it.
#[derive(Debug)]
pub struct SharedSocket {
    sock: Socket,
    /// A box waits for room.
    is_full: Cell<bool>,
}

/// One peer.
#[derive(Debug)]
pub struct Mailbox {
    shared: Rc<SharedSocket>,
    peer: SockAddr,
    /// The address of ours the peer has written to, where there are several.
    local: Option<IpAddr>,
    /// The longest message to send, in bytes; what is longer is cut.
    message_bytes: usize,
    contents: Rc<RefCell<Contents>>,
}

/// The way into a box, for the task that reads the socket.
#[derive(Debug)]
pub struct Slot(Weak<RefCell<Contents>>);

#[derive(Debug, Default)]
struct Contents {
    waiting: VecDeque<Box<[u8]>>,
    waiting_bytes: usize,
    lease: Lease,
    /// Nothing more is put in.
    is_closed: bool,
    /// The socket takes nothing now.
    is_full: bool,
    /// The session's task, while an event is to wake it.
    sleeper: Option<Wake>,
    /// The session's task, once it was woken.
    awake: Option<Wake>,
}

impl Contents {
    fn hold(&mut self, bytes: usize) {
        self.waiting_bytes = bytes;
        self.lease.set(bytes);
    }

    /// Wakes the session's task, once until it has found nothing to read or no room to write.
    fn wake(&mut self) {
        if let Some(sleeper) = self.sleeper.take() {
            sleeper.wake();
            self.awake = Some(sleeper);
        }
    }

    /// The session's task has found nothing to do.
    fn fall_asleep(&mut self) {
        if let Some(awake) = self.awake.take() {
            self.sleeper = Some(awake);
        }
    }
}

impl SharedSocket {
    /// A socket that takes what is sent.
    pub fn new(sock: Socket) -> SharedSocket {
        SharedSocket {
            sock,
            is_full: Cell::new(false),
        }
    }

    /// Returns whether a box has waited for room since the last call: an event that reports some goes
    /// to `Slot::note_room` of each box then.
    pub fn take_full(&self) -> bool {
        self.is_full.take()
    }
}

impl Slot {
    /// Puts in a message; what there is no room for is lost: neither here, nor in what all boxes may
    /// hold, of which an empty one needs none.
    pub fn put(&self, message: &[u8]) {
        let Some(contents) = self.0.upgrade() else {
            return;
        };
        let mut contents = contents.borrow_mut();
        let bytes = contents.waiting_bytes + message.len();
        let has_room = contents.waiting.len() < MOST_MESSAGES && bytes <= MOST_BYTES;
        if has_room && (contents.waiting.is_empty() || memory::has_room(message.len())) {
            contents.hold(bytes);
            contents.waiting.push_back(message.into());
        }
        contents.wake();
    }

    /// Returns whether the peer's session hears it.
    pub fn is_open(&self) -> bool {
        let contents = self.0.upgrade();
        contents.is_some_and(|contents| !contents.borrow().is_closed)
    }

    /// Returns whether the peer's session is still there.
    pub fn is_there(&self) -> bool {
        self.0.strong_count() > 0
    }

    /// The socket may take something again.
    pub fn note_room(&self) {
        if let Some(contents) = self.0.upgrade() {
            let mut contents = contents.borrow_mut();
            if std::mem::take(&mut contents.is_full) {
                contents.wake();
            }
        }
    }
}

impl Mailbox {
    /// An empty box for what this peer writes to `local`; longer messages to it than
    /// `message_bytes` are cut.
    pub fn new(
        shared: Rc<SharedSocket>,
        peer: SockAddr,
        local: Option<IpAddr>,
        message_bytes: usize,
    ) -> Mailbox {
        Mailbox {
            shared,
            peer,
            local,
            message_bytes,
            contents: Rc::default(),
        }
    }

    /// The way into it.
    pub fn slot(&self) -> Slot {
        Slot(Rc::downgrade(&self.contents))
    }

    /// Has a task woken when there is something to do.
    pub fn wakes(&mut self, task: Wake) {
        self.contents.borrow_mut().sleeper = Some(task);
    }

    /// The address of the peer.
    pub fn peer(&self) -> &SockAddr {
        &self.peer
    }

    /// The address of ours that the peer writes to.
    pub fn own_addr(&self) -> Option<SockAddr> {
        let bound = self.shared.sock.local_addr().ok()?;
        match (self.local, bound.as_socket()) {
            (Some(local), Some(bound)) => Some(SocketAddr::new(local, bound.port()).into()),
            _ => Some(bound),
        }
    }

    /// Nothing more will come from this peer.
    pub fn close(&mut self) {
        self.contents.borrow_mut().is_closed = true;
    }

    /// See `Endpoint::try_read`.
    pub fn try_read(&mut self, buf: &mut [u8]) -> Got {
        let mut contents = self.contents.borrow_mut();
        let Some(message) = contents.waiting.pop_front() else {
            contents.fall_asleep();
            return if contents.is_closed {
                Got::Eof
            } else {
                Got::Pending
            };
        };
        let left = contents.waiting_bytes - message.len();
        contents.hold(left);
        let len = message.len().min(buf.len());
        buf[..len].copy_from_slice(&message[..len]);
        Got::Bytes(len)
    }

    /// See `Endpoint::try_write`.
    ///
    /// # Errors
    /// The peer cannot be reached.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        if self.contents.borrow().is_full {
            return Ok(self.wait_for_room());
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
                    return Ok(self.wait_for_room());
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Has the task woken once the socket has room, also where messages wait that it does not read.
    fn wait_for_room(&self) -> Put {
        let mut contents = self.contents.borrow_mut();
        contents.is_full = true;
        contents.fall_asleep();
        self.shared.is_full.set(true);
        Put::Pending
    }

    fn send(&self, message: &[u8]) -> io::Result<usize> {
        let sock = &self.shared.sock;
        match (self.local, self.peer.as_socket()) {
            (Some(local), Some(peer)) => Ok(pktinfo::send(sock, message, &peer.into(), local)?),
            _ => sock.send_to(message, &self.peer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::inbox::{Inbox, TaskId};
    use mio::{Poll, Token, Waker};
    use socket2::{Domain, Type};

    #[test]
    fn room_wakes_a_task_that_leaves_messages_unread() {
        let poll = Poll::new().expect("poll");
        let inbox = Inbox::new(Waker::new(poll.registry(), Token(0)).expect("waker"));
        let task = TaskId {
            place: 0,
            serial: 0,
        };
        let sock = Socket::new(Domain::UNIX, Type::DGRAM.nonblocking(), None).expect("socket");
        let peer = SockAddr::unix("/nonexistent").expect("address");
        let mut mailbox = Mailbox::new(Rc::new(SharedSocket::new(sock)), peer, None, 1);
        mailbox.wakes(Wake::new(inbox.clone(), task));
        let slot = mailbox.slot();
        mailbox.wait_for_room();
        slot.put(b"unread");
        assert_eq!(inbox.take().len(), 1);
        assert_eq!(mailbox.try_write(b"x").expect("full"), Put::Pending);
        assert!(mailbox.shared.take_full());
        slot.note_room();
        assert_eq!(inbox.take().len(), 1);
    }
}
