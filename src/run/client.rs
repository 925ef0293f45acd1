//! A peer that has connected, or sent its first datagram.

use crate::io::connection::Connection;
use crate::io::endpoint::Endpoint;
use crate::io::reactor::Registrar;
use crate::io::seat::Seat;
use socket2::{SockAddr, Socket};
use std::io;
use std::os::fd::OwnedFd;

/// A peer that was accepted.
pub struct Arrival {
    /// Its connection.
    pub link: Link,
    /// Where it is from, if that is known.
    pub addr: Option<SockAddr>,
    /// What it is called in messages: `127.0.0.1 port 80 (tcp)`.
    pub label: String,
    /// Its place among the clients that `--max-conns` counts.
    pub seat: Option<Seat>,
    /// Descriptors kept free for its other side. Without them clients could take all there are, and
    /// wait for each other.
    pub reserve: Vec<OwnedFd>,
}

/// The connection of a peer.
pub enum Link {
    /// A stream that the loop does not know yet.
    Stream(Connection),
    /// An end that is ready.
    End(Endpoint),
}

impl Link {
    /// The socket, if it has one of its own.
    pub fn socket(&self) -> Option<&Socket> {
        match self {
            Link::Stream(conn) => Some(conn.socket()),
            Link::End(end) => end.socket(),
        }
    }

    /// Has the peer see a reset, not an end, once it is closed.
    pub fn reset(&self) {
        match self {
            Link::Stream(conn) => conn.reset(),
            Link::End(end) => end.reset(),
        }
    }

    /// Makes an end of it, registered for this task.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn into_end(self, registrar: &Registrar<'_>) -> io::Result<Endpoint> {
        match self {
            Link::Stream(conn) => conn.into_end(registrar),
            Link::End(end) => Ok(end),
        }
    }
}

impl Arrival {
    /// Keeps descriptors free.
    ///
    /// # Errors
    /// There are not so many.
    pub fn reserve(&mut self, count: usize) -> io::Result<()> {
        let Some(sock) = self.link.socket() else {
            return Ok(());
        };
        let copies = (0..count).map(|_| sock.try_clone().map(OwnedFd::from));
        self.reserve = copies.collect::<io::Result<_>>()?;
        Ok(())
    }
}
