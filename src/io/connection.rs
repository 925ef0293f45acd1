//! A connected stream that is not yet an end of a session: what listeners and dialers hand on.

use super::endpoint::Endpoint;
use super::reactor::Registrar;
use super::stream::Stream;
use super::tls::{Session, Tls};
use socket2::Socket;
use std::io;

/// A connected stream socket, and the TLS session on it, if there is one.
#[derive(Debug)]
pub struct Connection {
    /// The socket.
    pub sock: Socket,
    /// The session; its handshake is done.
    pub tls: Option<Box<Session>>,
}

impl Connection {
    /// One whose bytes are sent as they are.
    pub fn plain(sock: Socket) -> Connection {
        Connection { sock, tls: None }
    }

    /// Makes an end of it, registered.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn into_end(self, registrar: &Registrar<'_>) -> io::Result<Endpoint> {
        let stream = Stream::new(self.sock, registrar)?;
        Ok(match self.tls {
            None => Endpoint::Stream(stream),
            Some(session) => Endpoint::Tls(Box::new(Tls::new(stream, session))),
        })
    }
}

impl From<Tls> for Connection {
    fn from(tls: Tls) -> Connection {
        let (stream, session) = tls.into_parts();
        Connection {
            sock: stream.into_socket(),
            tls: Some(session),
        }
    }
}
