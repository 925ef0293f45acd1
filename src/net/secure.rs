//! Making a connection secure, as a client or as a server: asking for TLS in plain text where that
//! is due, then the handshake.
//!
//! ```text
//! Asking (STARTTLS) ──► Shaking ──► Done
//! ```

use super::handshake::{Talk, TalkError, Talked};
use crate::io::connection::Connection;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::io::tls::{TlsSession, TlsStream};
use crate::proto::Handshake;
use std::io;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

/// How long it may take, if nothing else is said: a peer that says nothing is not waited for for
/// ever.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A connection that is being made secure.
pub struct Securing {
    /// The registration of its socket.
    id: Registered,
    state: State,
    deadline: Instant,
}

enum State {
    Asking(Box<(Talk, Stream, Box<TlsSession>)>),
    Shaking(Box<TlsStream>),
    Over,
}

/// Why a connection could not be made secure.
#[derive(Debug)]
pub enum SecureError {
    /// The peer does not go over to TLS.
    Asking(TalkError),
    /// It sent bytes behind its word to begin with TLS: whoever did that wanted them to be taken
    /// for protected ones (CVE-2011-0411).
    Injected,
    /// The handshake failed, or took too long (`TimedOut`). Of a `rustls::Error` inside the peer has
    /// been told.
    Handshake(io::Error, Box<TlsSession>),
    /// Asking took too long.
    Late,
}

impl Securing {
    /// Begins on a stream; `asking` asks the peer for TLS in plain text first. `limit` is the time it
    /// may take.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(
        mut stream: Stream,
        session: Box<TlsSession>,
        asking: Option<Box<dyn Handshake>>,
        limit: Duration,
        cx: Cx<'_>,
    ) -> io::Result<Securing> {
        Ok(Securing {
            id: stream.register(&cx.registrar)?,
            state: match asking {
                Some(machine) => State::Asking(Box::new((Talk::with(machine), stream, session))),
                None => State::Shaking(Box::new(TlsStream::new(stream, session))),
            },
            deadline: cx.now + limit,
        })
    }

    /// The registration of its socket.
    pub fn id(&self) -> Registered {
        self.id
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            State::Asking(asking) => asking.1.note(id, ready),
            State::Shaking(tls) => tls.note(id, ready),
            State::Over => {}
        }
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// It cannot be made secure; the connection is to be closed.
    pub fn drive(&mut self, now: Instant) -> Poll<Result<Connection, SecureError>> {
        let is_late = now >= self.deadline;
        if let State::Asking(asking) = &mut self.state {
            let (talk, stream, _) = &mut **asking;
            match talk.drive(stream).map_err(SecureError::Asking)? {
                Poll::Ready(Talked::Done(behind)) if behind.is_empty() => self.begin_handshake(),
                Poll::Ready(Talked::Done(_)) => return Poll::Ready(Err(SecureError::Injected)),
                Poll::Ready(Talked::Anew) | Poll::Pending if is_late => {
                    return Poll::Ready(Err(SecureError::Late));
                }
                Poll::Ready(Talked::Anew) | Poll::Pending => return Poll::Pending,
            }
        }
        let State::Shaking(tls) = &mut self.state else {
            return Poll::Pending;
        };
        let shaken = match tls.shake_hands() {
            Poll::Pending if is_late => Err(io::ErrorKind::TimedOut.into()),
            polled => ready!(polled),
        };
        let State::Shaking(tls) = std::mem::replace(&mut self.state, State::Over) else {
            return Poll::Pending;
        };
        Poll::Ready(match shaken {
            Ok(()) => Ok(Connection::Tls(tls)),
            Err(error) => Err(SecureError::Handshake(error, tls.into_parts().1)),
        })
    }

    fn begin_handshake(&mut self) {
        if let State::Asking(asking) = std::mem::replace(&mut self.state, State::Over) {
            let (_, stream, session) = *asking;
            self.state = State::Shaking(Box::new(TlsStream::new(stream, session)));
        }
    }
}
