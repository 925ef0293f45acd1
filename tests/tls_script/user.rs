//! The user: the other side of rnc's own end.

use super::pattern::Pattern;
use super::wire;
use socket2::Socket;
use std::os::fd::{AsFd, BorrowedFd};

/// A user, and what became of both directions so far, in bytes.
pub struct User {
    sock: Option<Socket>,
    /// Written, and taken by the system.
    pub written: u64,
    /// Read.
    pub read: u64,
    /// The end of the input has been passed on.
    pub has_shut: bool,
}

impl User {
    /// The user at the other end of a socket.
    pub fn new(sock: Socket) -> User {
        User {
            sock: Some(sock),
            written: 0,
            read: 0,
            has_shut: false,
        }
    }

    /// Its socket, which it has to begin with.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.sock.as_ref().expect("a socket").as_fd()
    }

    /// Writes what there is room for.
    pub fn write(&mut self, len: usize, most: u64) {
        let left = usize::try_from(most.saturating_sub(self.written)).unwrap_or_default();
        if let (Some(sock), false) = (&self.sock, self.has_shut) {
            let bytes = Pattern::USER.bytes(self.written, len.min(left));
            self.written += wire::send(sock, &bytes).unwrap_or_default() as u64;
        }
    }

    /// Reads so much of what has come. Says whether there was something.
    pub fn read(&mut self, len: usize) -> bool {
        let Some(sock) = &self.sock else { return false };
        let bytes = wire::receive(sock, len);
        Pattern::PEER.check(self.read, &bytes);
        self.read += bytes.len() as u64;
        !bytes.is_empty()
    }

    /// Ends the input.
    pub fn shut(&mut self) {
        self.has_shut = true;
        if let Some(sock) = &self.sock {
            wire::shut(sock);
        }
    }

    /// Goes.
    pub fn go(&mut self) {
        self.has_shut = true;
        self.sock = None;
    }

    /// Says whether nobody is there any more.
    pub fn is_gone(&self) -> bool {
        self.sock.is_none()
    }

    /// Reads the rest, after rnc has left.
    pub fn read_rest(&mut self) {
        if let Some(sock) = &self.sock {
            let bytes = wire::receive_rest(sock);
            Pattern::PEER.check(self.read, &bytes);
            self.read += bytes.len() as u64;
        }
    }
}
