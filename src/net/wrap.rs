//! Putting a layer on a connected stream: asking a proxy for the way, or TLS, as a client or as a
//! server, after asking for it in plain text where that is due (STARTTLS).
//!
//! ```text
//! a proxy:  Talking ──► done, or anew over another connection
//! TLS:      Asking (STARTTLS) ──► Shaking ──► done
//! ```

use super::handshake::{Dialogue, DialogueError, DialogueStep};
use crate::io::connection::Connection;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::io::tls::{TlsSession, TlsStream};
use crate::proto::Handshake;
use std::io;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

/// How long TLS may take, if nothing else is said: a peer that says nothing is not waited for for
/// ever.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A stream on which a layer is being put.
pub struct Wrap {
    /// The registration of its socket.
    id: Registered,
    state: WrapState,
    deadline: Option<Instant>,
}

enum WrapState {
    Talking(Box<(Dialogue, Stream)>),
    Asking(Box<(Dialogue, Stream, Box<TlsSession>)>),
    Shaking(Box<TlsStream>),
    Over,
}

/// What became of it.
pub enum Wrapped {
    /// The layer is on.
    Done(Connection),
    /// The dialogue with the proxy goes on over a new connection.
    Anew(Dialogue),
}

/// Why a layer could not be put on.
#[derive(Debug)]
pub enum WrapError {
    /// The proxy refused, or the connection to it broke.
    Proxy(DialogueError),
    /// The peer does not go over to TLS.
    Asking(DialogueError),
    /// It sent bytes behind its word to begin with TLS: whoever did that wanted them to be taken
    /// for protected ones (CVE-2011-0411).
    Injected,
    /// The handshake failed, or took too long (`TimedOut`). Of a `rustls::Error` inside the peer has
    /// been told.
    Handshake(io::Error, Box<TlsSession>),
    /// Asking took too long.
    Late,
}

impl Wrap {
    /// Begins, or goes on with, a dialogue with a proxy.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn proxy(mut stream: Stream, talk: Dialogue, cx: Cx<'_>) -> io::Result<Wrap> {
        Ok(Wrap {
            id: stream.register(&cx.registrar)?,
            state: WrapState::Talking(Box::new((talk, stream))),
            deadline: None,
        })
    }

    /// Begins TLS; `asking` asks the peer for it in plain text first. `limit` is the time it may
    /// take.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn tls(
        mut stream: Stream,
        session: Box<TlsSession>,
        asking: Option<Box<dyn Handshake>>,
        limit: Duration,
        cx: Cx<'_>,
    ) -> io::Result<Wrap> {
        Ok(Wrap {
            id: stream.register(&cx.registrar)?,
            state: match asking {
                Some(machine) => {
                    WrapState::Asking(Box::new((Dialogue::with(machine), stream, session)))
                }
                None => WrapState::Shaking(Box::new(TlsStream::new(stream, session))),
            },
            deadline: Some(cx.now + limit),
        })
    }

    /// The registration of its socket.
    pub fn id(&self) -> Registered {
        self.id
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            WrapState::Talking(talking) => talking.1.note(id, ready),
            WrapState::Asking(asking) => asking.1.note(id, ready),
            WrapState::Shaking(tls) => tls.note(id, ready),
            WrapState::Over => {}
        }
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// The layer cannot be put on; the connection is to be closed.
    pub fn drive(&mut self, now: Instant) -> Poll<Result<Wrapped, WrapError>> {
        self.state = match std::mem::replace(&mut self.state, WrapState::Over) {
            WrapState::Talking(mut talking) => match talking.0.drive(&mut talking.1) {
                Poll::Pending => {
                    self.state = WrapState::Talking(talking);
                    return Poll::Pending;
                }
                Poll::Ready(talked) => {
                    let (talk, stream) = *talking;
                    let talked = talked.map_err(WrapError::Proxy)?;
                    return Poll::Ready(Ok(hung_up(talked, talk, stream)));
                }
            },
            state => state,
        };
        let is_late = self.deadline.is_some_and(|deadline| now >= deadline);
        if let WrapState::Asking(asking) = &mut self.state {
            let (talk, stream, _) = &mut **asking;
            match talk.drive(stream).map_err(WrapError::Asking)? {
                Poll::Ready(DialogueStep::Done(behind)) if behind.is_empty() => {
                    self.begin_handshake()
                }
                Poll::Ready(DialogueStep::Done(_)) => return Poll::Ready(Err(WrapError::Injected)),
                Poll::Ready(DialogueStep::Anew) | Poll::Pending if is_late => {
                    return Poll::Ready(Err(WrapError::Late));
                }
                Poll::Ready(DialogueStep::Anew) | Poll::Pending => return Poll::Pending,
            }
        }
        let WrapState::Shaking(tls) = &mut self.state else {
            return Poll::Pending;
        };
        let shaken = match tls.shake_hands() {
            Poll::Pending if is_late => Err(io::ErrorKind::TimedOut.into()),
            polled => ready!(polled),
        };
        let WrapState::Shaking(tls) = std::mem::replace(&mut self.state, WrapState::Over) else {
            return Poll::Pending;
        };
        Poll::Ready(match shaken {
            Ok(()) => Ok(Wrapped::Done(Connection::Tls(tls))),
            Err(error) => Err(WrapError::Handshake(error, tls.into_parts().1)),
        })
    }

    fn begin_handshake(&mut self) {
        if let WrapState::Asking(asking) = std::mem::replace(&mut self.state, WrapState::Over) {
            let (_, stream, session) = *asking;
            self.state = WrapState::Shaking(Box::new(TlsStream::new(stream, session)));
        }
    }
}

/// A dialogue with a proxy is over. The peer's first bytes came behind the proxy's answer.
fn hung_up(talked: DialogueStep, talk: Dialogue, mut stream: Stream) -> Wrapped {
    match talked {
        DialogueStep::Done(early) => {
            stream.unread(&early);
            Wrapped::Done(Connection::Stream(stream))
        }
        DialogueStep::Anew => Wrapped::Anew(talk),
    }
}
