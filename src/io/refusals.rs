//! What it means that a datagram is refused: that the session is over, or that it is lost.

use rustix::io::Errno;
use rustix::net::SocketAddrAny;
use socket2::Socket;
use std::io;

/// Errors that say that nothing takes datagrams there now; the last one is a Unix socket's.
const REFUSED: [Errno; 4] = [
    Errno::CONNREFUSED,
    Errno::HOSTUNREACH,
    Errno::NETUNREACH,
    Errno::NOTCONN,
];

/// What is done about refusals.
#[derive(Debug, Default)]
pub struct Refusals {
    are_ignored: bool,
    /// The peer of a Unix socket, to connect to again when another socket has taken its place.
    again: Option<SocketAddrAny>,
    /// The first refusal, to be printed.
    first: First,
}

#[derive(Debug, Default)]
enum First {
    #[default]
    Expected,
    Seen(io::Error),
    Printed,
}

impl Refusals {
    /// They are no end of what is sent to the peer of a socket.
    pub fn ignored(sock: &Socket) -> Refusals {
        let peer = rustix::net::getpeername(sock).ok().flatten();
        let is_unix = sock.local_addr().is_ok_and(|local| local.is_unix());
        Refusals {
            are_ignored: true,
            again: peer.filter(|_| is_unix),
            first: First::Expected,
        }
    }

    /// Returns whether an error is a refusal that is no end.
    pub fn forgive(&mut self, error: Errno) -> bool {
        let forgives = self.are_ignored && REFUSED.contains(&error);
        if forgives && matches!(self.first, First::Expected) {
            self.first = First::Seen(error.into());
        }
        forgives
    }

    /// The first refusal, once.
    pub fn take_first(&mut self) -> Option<io::Error> {
        match std::mem::replace(&mut self.first, First::Printed) {
            First::Seen(error) => Some(error),
            First::Expected => {
                self.first = First::Expected;
                None
            }
            First::Printed => None,
        }
    }

    /// Connects a Unix socket to the one that is at the path of its peer now, if there is one.
    pub fn reconnect(&self, sock: &Socket) {
        if let Some(peer) = &self.again {
            // Where nothing listens yet, the message is lost.
            let _ = rustix::net::connect(sock, peer);
        }
    }
}
