//! What other threads and signals send to the loop. Posting wakes it; the loop takes everything
//! when it comes round.

use crate::plan::access::Admission;
use mio::Waker;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// Names a task: its place in the loop, and a number that no other task ever has, since places are
/// used again and an answer may come after the one who asked has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskId {
    pub(super) place: usize,
    pub(super) serial: u64,
}

/// Something that happened outside the loop.
#[derive(Debug)]
pub enum Notice {
    /// A signal asked rnc to end.
    Ending,
    /// A signal asked rnc to accept no more clients, and to end when those it has are gone.
    Retiring,
    /// Another task has woken this one.
    Woken,
    /// A program has ended; which one, each of those that run one has to find out.
    ProgramEnded,
    /// A name has been looked up: the name and port that were asked for, and the addresses or the
    /// resolver's error. The lookup that asked may have been given up since.
    Addresses((String, u16), io::Result<Vec<SocketAddr>>),
    /// The name of an address has been looked up, if it has one; with the label it was asked under.
    HostName(SocketAddr, Option<String>),
    /// Who may come in has been found out anew.
    Rules(Arc<Admission>),
    /// For the loop itself: to be delivered then.
    Later(Instant, Box<Notice>),
}

/// The way into the loop, for any thread. Never full: each thread posts a bounded number.
#[derive(Clone, Debug)]
pub struct Inbox {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    waker: Waker,
    /// Notices with the task each is for; `None` is for all.
    queue: Mutex<Vec<(Option<TaskId>, Notice)>>,
}

/// Wakes one task; for other tasks, on the loop's thread.
#[derive(Clone, Debug)]
pub struct Wake {
    inbox: Inbox,
    task: TaskId,
}

impl Wake {
    pub(super) fn new(inbox: Inbox, task: TaskId) -> Wake {
        Wake { inbox, task }
    }

    /// Has the task driven, unless it has ended.
    pub fn wake(&self) {
        self.inbox.post(Some(self.task), Notice::Woken);
    }
}

impl Inbox {
    pub(super) fn new(waker: Waker) -> Inbox {
        Inbox {
            inner: Arc::new(Inner {
                waker,
                queue: Mutex::new(Vec::new()),
            }),
        }
    }

    /// Posts a notice for one task, or for all, and wakes the loop.
    pub fn post(&self, task: Option<TaskId>, notice: Notice) {
        self.queue().push((task, notice));
        self.wake();
    }

    /// Posts a notice for all that the loop is to deliver at a time.
    pub fn post_at(&self, at: Instant, notice: Notice) {
        self.post(None, Notice::Later(at, Box::new(notice)));
    }

    /// Wakes the loop. May be called in a signal handler: it only makes system calls.
    pub fn wake(&self) {
        // A loop that cannot be woken has already ended.
        let _ = self.inner.waker.wake();
    }

    pub(super) fn take(&self) -> Vec<(Option<TaskId>, Notice)> {
        std::mem::take(&mut *self.queue())
    }

    fn queue(&self) -> MutexGuard<'_, Vec<(Option<TaskId>, Notice)>> {
        let queue = self.inner.queue.lock();
        queue.unwrap_or_else(PoisonError::into_inner)
    }
}
