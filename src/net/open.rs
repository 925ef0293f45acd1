//! Opening an end: by one attempt, or by as many as it takes.
//!
//! ```text
//! Attempt ──► open
//!    ▲ └─ failed ──► a pause, where it is tried again
//!    └────────────────────┘
//! ```

pub use super::attempt::Opened;

use super::attempt::Attempt;
use super::backoff::Backoff;
use super::inside::Facing;
use super::lookup::Found;
use super::news::News;
use super::open_error::{OpenError, Unreached};
use super::prepared::Prepared;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::plan::Base;
use crate::report;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

/// Opens an end.
pub struct Opener {
    to: Rc<Prepared>,
    /// The port, of an end that has one.
    port: u16,
    /// The addresses, where they have been looked up for all attempts.
    known: Option<Rc<Found>>,
    /// The attempt that is under way.
    attempt: Attempt,
    /// It has failed: the next one begins then.
    next: Option<Instant>,
    /// The pauses between attempts, where there is more than one.
    backoff: Option<Backoff>,
    /// What the last attempt failed with.
    failures: Vec<(SocketAddr, io::Error)>,
    /// When connecting is given up.
    deadline: Option<Instant>,
    news: Vec<News>,
}

impl Opener {
    /// Begins to open an end, at this port instead of its own, if there is one. Its time begins now.
    pub fn new(to: &Rc<Prepared>, port: Option<u16>, now: Instant) -> Opener {
        Opener::with(to, port, None, now)
    }

    /// The same where the names have been looked up, for whatever port.
    pub fn knowing(to: &Rc<Prepared>, port: u16, found: &Rc<Found>, now: Instant) -> Opener {
        Opener::with(to, Some(port), Some(Rc::clone(found)), now)
    }

    fn with(
        to: &Rc<Prepared>,
        port: Option<u16>,
        known: Option<Rc<Found>>,
        now: Instant,
    ) -> Opener {
        let end = to.end();
        let how = &end.how;
        let port = port.or(match end.base {
            Base::Ip { port, .. } => Some(port),
            _ => None,
        });
        let port = port.unwrap_or_default();
        // A dialogue with a proxy counts into the time, and so do all attempts.
        let is_whole = !how.timeout_per_address || end.proxy().is_some();
        let counts = is_whole && end.host().is_some() || how.retry.is_some();
        let limit = how.timeout.filter(|limit| counts && !limit.is_zero());
        let deadline = limit.map(|limit| now + limit);
        Opener {
            attempt: Attempt::new(to, port, known.as_deref(), deadline),
            to: Rc::clone(to),
            port,
            known,
            next: None,
            backoff: how.retry.map(Backoff::new),
            failures: Vec::new(),
            deadline,
            news: Vec::new(),
        }
    }

    /// The same with what an end inside this machine has to know.
    pub fn facing(mut self, facing: Facing) -> Opener {
        self.attempt.set_facing(facing);
        self
    }

    /// What is opened.
    pub fn to(&self) -> &Rc<Prepared> {
        &self.to
    }

    /// The port that is connected to.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.attempt.note(id, ready);
    }

    /// Takes in a notice: the addresses that were asked for.
    pub fn notice(&mut self, notice: &Notice) {
        self.attempt.notice(notice);
    }

    /// What there is to print by now.
    pub fn take_news(&mut self) -> Vec<News> {
        let mut news = std::mem::take(&mut self.news);
        // An attempt that begins after a pause has none yet.
        news.append(&mut self.attempt.take_news());
        news
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        match self.next {
            Some(next) => self.deadline.into_iter().chain([next]).min(),
            None => self.attempt.deadline(),
        }
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// It is given up.
    pub fn drive(&mut self, cx: Cx<'_>) -> Poll<Result<Opened, OpenError>> {
        if let Some(next) = self.next {
            if self.deadline.is_some_and(|deadline| cx.now >= deadline) {
                self.news.extend(News::timed_out());
                return Poll::Ready(Err(OpenError::Connect(Unreached {
                    ran_out: true,
                    failures: std::mem::take(&mut self.failures),
                })));
            }
            if cx.now < next {
                return Poll::Pending;
            }
            self.next = None;
            self.attempt = Attempt::new(&self.to, self.port, self.known.as_deref(), self.deadline);
        }
        match self.attempt.drive(cx) {
            Poll::Ready(Err(mut error)) if error.may_pass() && !error.ran_out() => {
                let Some(backoff) = &mut self.backoff else {
                    return Poll::Ready(Err(error));
                };
                let pause = backoff.pause();
                self.news.append(&mut self.attempt.take_news());
                if report::is_verbose(1) {
                    self.news.push(News::Retrying(pause));
                }
                if let OpenError::Connect(unreached) = &mut error {
                    self.failures = std::mem::take(&mut unreached.failures);
                }
                self.next = Some(cx.now + pause);
                Poll::Pending
            }
            polled => polled,
        }
    }
}
