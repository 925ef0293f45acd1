//! Putting TLS on a connected stream, as a client or as a server, after asking for it in plain text
//! where that is due.
//!
//! ```text
//! Asking (STARTTLS) ──► Shaking ──► done
//! ```

use super::handshake::{Dialogue, DialogueError, DialogueStep};
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::io::tls::{TlsSession, TlsStream};
use crate::proto::Handshake;
use std::io;
use std::task::{Poll, ready};
use std::time::{Duration, Instant};

/// How long TLS may take without other limits: a silent peer is not waited for for ever.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A stream on which TLS is being put.
pub struct Wrap {
    /// The registration of its socket.
    id: Registered,
    state: WrapState,
    deadline: Instant,
}

enum WrapState {
    Asking(Box<(Dialogue, Stream, Box<TlsSession>)>),
    Shaking(Box<TlsStream>),
    Over,
}

/// Why TLS could not be put on.
#[derive(Debug)]
pub enum WrapError {
    /// The peer does not go over to TLS.
    Asking(DialogueError),
    /// The server sent plain text after agreeing to TLS, which would be taken for protected data
    /// (CVE-2011-0411).
    Injected,
    /// The handshake failed, or took too long (`TimedOut`). For a `rustls::Error` inside, an alert
    /// was sent.
    Handshake(io::Error, Box<TlsSession>),
    /// Asking took too long.
    Late,
}

impl Wrap {
    /// Begins TLS; `asking` asks the peer for it in plain text first. `limit` is the time it may
    /// take.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(
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
            WrapState::Asking(asking) => asking.1.note(id, ready),
            WrapState::Shaking(tls) => tls.note(id, ready),
            WrapState::Over => {}
        }
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// TLS cannot be put on; the connection is to be closed.
    pub fn drive(&mut self, now: Instant) -> Poll<Result<Box<TlsStream>, WrapError>> {
        let is_late = now >= self.deadline;
        if let WrapState::Asking(asking) = &mut self.state {
            let (talk, stream, _) = &mut **asking;
            match talk.drive(stream).map_err(WrapError::Asking)? {
                Poll::Ready(DialogueStep::Done(behind)) if behind.is_empty() => {
                    self.begin_handshake()
                }
                Poll::Ready(DialogueStep::Done(_)) => return Poll::Ready(Err(WrapError::Injected)),
                _ if is_late => return Poll::Ready(Err(WrapError::Late)),
                _ => return Poll::Pending,
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
            Ok(()) => Ok(tls),
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
