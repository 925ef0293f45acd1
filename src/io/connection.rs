//! A connected stream that is not yet an end of a session: what listeners and dialers hand on.

use super::endpoint::Endpoint;
use super::reactor::Registrar;
use super::stream::Stream;
use super::tls::{TlsSession, TlsStream};
use socket2::Socket;
use std::io;

/// A connected stream, and the TLS on it, if there is any.
#[derive(Debug)]
pub enum Connection {
    /// Bytes are sent as they are.
    Stream(Stream),
    /// The handshake is done.
    Tls(Box<TlsStream>),
}

impl Connection {
    /// One whose bytes are sent as they are.
    pub fn plain(sock: Socket) -> Connection {
        Connection::Stream(Stream::new(sock))
    }

    /// The socket, for its addresses and options.
    pub fn socket(&self) -> &Socket {
        match self {
            Connection::Stream(stream) => stream.socket(),
            Connection::Tls(tls) => tls.stream().socket(),
        }
    }

    /// The TLS session, if there is one.
    pub fn session(&self) -> Option<&TlsSession> {
        match self {
            Connection::Stream(_) => None,
            Connection::Tls(tls) => Some(tls.session()),
        }
    }

    /// Has the peer see a reset, not an end, once it is closed.
    pub fn reset(&self) {
        match self {
            Connection::Stream(stream) => stream.reset(),
            Connection::Tls(tls) => tls.stream().reset(),
        }
    }

    /// Makes an end of it, registered for this task.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn into_end(self, registrar: &Registrar<'_>) -> io::Result<Endpoint> {
        Ok(match self {
            Connection::Stream(mut stream) => {
                stream.register(registrar)?;
                Endpoint::Stream(stream)
            }
            Connection::Tls(mut tls) => {
                tls.register(registrar)?;
                Endpoint::Tls(tls)
            }
        })
    }
}
