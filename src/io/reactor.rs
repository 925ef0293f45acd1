//! The loop: drives tasks that can do something, waits for the rest. One `Poll`, one thread.
//!
//! A round: drive the runnable tasks; poll until the next deadline (at once if something is still
//! runnable); note the events and make their tasks runnable; take the inbox; wake due deadlines.
//! A task may be driven once too often: the endpoints' cleared bits make that free.
//!
//! There may be thousands of tasks: what a round costs depends on those that have something to do,
//! not on those that wait.

use super::inbox::{Inbox, Notice, TaskId, Wake};
use super::pool::{Job, Pool};
use super::ready::Ready;
use crate::report;
use crate::sys::watch::{self, Watch};
use crate::sys::{child, errno, signal};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};
use std::cell::Cell;
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

/// Bits of a token that number the descriptor; the others are the place of its task. With 64 bits
/// numbers come again after 10^12 descriptors, and what they would be taken for are hints.
const NUMBER_BITS: u32 = usize::BITS / 8 * 5;
/// The token of the waker.
const WAKER: Token = Token(usize::MAX);
/// Events taken in one poll; more stay in the kernel until the next.
const EVENTS: usize = 256;
/// Threads for look-ups. Of a resolver that does not answer, each waits for many seconds.
const LOOKUPS: usize = 32;
/// Threads for what can be done without, and how much of it may wait for one.
const EXTRAS: usize = 4;
const MOST_EXTRAS: usize = 64;
/// How often standard error is tried again while it takes nothing: a message is no reason to
/// register it, which could be a file, or closed.
const RETRY: Duration = Duration::from_millis(50);

/// What a task wants next.
pub enum Step<O> {
    /// Nothing can be done until an event, a notice or the deadline.
    Wait,
    /// The task stopped for fairness: drive it again after the others.
    Again,
    /// These tasks begin; then as `Again`.
    Spawn(Vec<Box<dyn Drive<O>>>),
    /// The task has ended.
    Done(O),
}

/// A task of the loop. `O` is what it leaves when it ends.
pub trait Drive<O> {
    /// Takes in what an event reported about a descriptor.
    fn note(&mut self, id: Registered, ready: Ready);
    /// Takes in a notice for this task, or for all.
    fn notice(&mut self, notice: &Notice, now: Instant);
    /// Does what can be done without waiting.
    fn drive(&mut self, cx: Cx<'_>) -> Step<O>;
    /// When the task wants to be driven even if nothing happens.
    fn deadline(&self) -> Option<Instant>;
}

/// A descriptor's registration with the loop, which numbers them in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Registered(usize);

/// Registers the descriptors of one task with the loop.
#[derive(Clone, Copy)]
pub struct Registrar<'a> {
    registry: &'a Registry,
    inbox: &'a Inbox,
    lookups: &'a Pool,
    extras: &'a Pool,
    /// The number of the next descriptor.
    next: &'a Cell<usize>,
    task: TaskId,
}

impl Registrar<'_> {
    /// Registers a descriptor, edge-triggered. A descriptor that is registered already is
    /// registered anew.
    ///
    /// # Errors
    /// Any refusal of epoll_ctl(2): EPERM for files and /dev/null, which are always ready.
    pub fn register(&self, fd: BorrowedFd<'_>, interest: Interest) -> io::Result<Registered> {
        let id = self.number();
        let raw = fd.as_raw_fd();
        let mut source = SourceFd(&raw);
        let registered = match self.registry.register(&mut source, Token(id.0), interest) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.registry.reregister(&mut source, Token(id.0), interest)
            }
            result => result,
        };
        registered.map(|()| id).map_err(|error| {
            let reason = errno::reason(&error);
            io::Error::new(error.kind(), format!("epoll_ctl failed: {reason}"))
        })
    }

    /// Keeps the registration of a descriptor that this task has registered, and takes over one of
    /// another task.
    ///
    /// # Errors
    /// As `register`.
    pub fn keep(
        &self,
        id: Registered,
        fd: BorrowedFd<'_>,
        interest: Interest,
    ) -> io::Result<Registered> {
        if id.0 >> NUMBER_BITS == self.task.place {
            return Ok(id);
        }
        let id = self.number();
        let raw = fd.as_raw_fd();
        self.registry
            .reregister(&mut SourceFd(&raw), Token(id.0), interest)?;
        Ok(id)
    }

    /// Registers what reports that a program has ended: by an event, or by a notice to all tasks.
    ///
    /// # Errors
    /// As `register`.
    pub fn register_program(&self, watch: &Watch) -> io::Result<Registered> {
        match watch {
            Watch::Own(pidfd) => self.register(pidfd.as_fd(), Interest::READABLE),
            Watch::Signal => Ok(self.number()),
        }
    }

    /// What the next descriptor will be registered as: all that are registered later come after it.
    pub fn next(&self) -> Registered {
        Registered(self.task.place << NUMBER_BITS | self.next.get())
    }

    fn number(&self) -> Registered {
        let id = self.next();
        self.next
            .set((self.next.get() + 1) & ((1 << NUMBER_BITS) - 1));
        id
    }

    /// Stops waiting for a descriptor that stays open.
    pub fn deregister(&self, fd: BorrowedFd<'_>) {
        // Not registered: nothing to undo.
        let _ = self.registry.deregister(&mut SourceFd(&fd.as_raw_fd()));
    }

    /// What wakes this task, for another one.
    pub fn waker(&self) -> Wake {
        Wake::new(self.inbox.clone(), self.task)
    }

    /// Runs `work` on another thread and posts what it gives to this task: for calls that block,
    /// such as name look-ups. Where no thread can be had, it is run here.
    pub fn off_loop(&self, work: impl FnOnce() -> Notice + Send + 'static) {
        if let Err(job) = self.lookups.add(self.job(work)) {
            let _blocking = signal::allow_blocking();
            job();
        }
    }

    /// As `off_loop`, for what can be done without: `false` where there is no thread for it, or too
    /// much waits already.
    pub fn try_off_loop(&self, work: impl FnOnce() -> Notice + Send + 'static) -> bool {
        self.extras.add(self.job(work)).is_ok()
    }

    fn job(&self, work: impl FnOnce() -> Notice + Send + 'static) -> Job {
        let (inbox, task) = (self.inbox.clone(), self.task);
        Box::new(move || inbox.post(Some(task), work()))
    }
}

/// What every drive of a task is given.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// Registers descriptors of the task.
    pub registrar: Registrar<'a>,
    /// The time, as of the begin of the drive.
    pub now: Instant,
}

/// The loop.
pub struct Reactor<O> {
    poll: Poll,
    inbox: Inbox,
    /// For what a task waits for: each for one thing at a time.
    lookups: Pool,
    /// For what can be done without.
    extras: Pool,
    tasks: Vec<Option<TaskEntry<O>>>,
    /// Places in `tasks` without a task.
    free: Vec<usize>,
    /// The number of the next task.
    next_serial: u64,
    /// The number of the next descriptor.
    next_number: Cell<usize>,
    runnable: VecDeque<usize>,
    deadlines: BTreeSet<(Instant, usize)>,
    /// Work put off until then.
    deferred: Option<(Instant, Box<dyn FnOnce()>)>,
    /// Notices put off until then.
    later: Vec<(Instant, Notice)>,
}

struct TaskEntry<O> {
    task: Box<dyn Drive<O>>,
    serial: u64,
    is_runnable: bool,
    deadline: Option<Instant>,
}

impl<O> Reactor<O> {
    /// An empty loop.
    ///
    /// # Errors
    /// The system has no more descriptors.
    pub fn new() -> io::Result<Reactor<O>> {
        let poll = Poll::new()?;
        let inbox = Inbox::new(Waker::new(poll.registry(), WAKER)?);
        Ok(Reactor {
            poll,
            inbox,
            lookups: Pool::new(LOOKUPS, usize::MAX),
            extras: Pool::new(EXTRAS, MOST_EXTRAS),
            tasks: Vec::new(),
            free: Vec::new(),
            next_serial: 0,
            next_number: Cell::new(0),
            runnable: VecDeque::new(),
            deadlines: BTreeSet::new(),
            deferred: None,
            later: Vec::new(),
        })
    }

    /// The way in for other threads.
    pub fn inbox(&self) -> Inbox {
        self.inbox.clone()
    }

    /// Adds the task that `make` gives, which may register descriptors for it; it is driven in the
    /// next round.
    ///
    /// # Errors
    /// As `make`: nothing is added.
    pub fn add_new<E>(
        &mut self,
        make: impl FnOnce(Cx<'_>) -> Result<Box<dyn Drive<O>>, E>,
    ) -> Result<(), E> {
        let task = TaskId {
            place: self.free_place(),
            serial: self.next_serial,
        };
        let made = make(self.cx(task));
        self.free.push(task.place);
        made.map(|task| self.add(task))
    }

    /// Adds a task; it is driven in the next round.
    pub fn add(&mut self, task: Box<dyn Drive<O>>) {
        let index = self.free_place();
        self.tasks[index] = Some(TaskEntry {
            task,
            serial: self.next_serial,
            is_runnable: false,
            deadline: None,
        });
        self.next_serial += 1;
        self.wake(index);
    }

    fn free_place(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.tasks.push(None);
            self.tasks.len() - 1
        })
    }

    fn cx(&self, task: TaskId) -> Cx<'_> {
        Cx {
            registrar: Registrar {
                registry: self.poll.registry(),
                inbox: &self.inbox,
                lookups: &self.lookups,
                extras: &self.extras,
                next: &self.next_number,
                task,
            },
            now: Instant::now(),
        }
    }

    /// Puts off work that a loop which ends before `at` does not need; replaces what was put off
    /// before.
    pub fn defer(&mut self, at: Instant, work: Box<dyn FnOnce()>) {
        self.deferred = Some((at, work));
    }

    fn is_empty(&self) -> bool {
        self.free.len() == self.tasks.len()
    }

    /// Runs until no task is left; `ended` is called with how each one ended.
    ///
    /// # Errors
    /// Polling failed.
    pub fn run(&mut self, mut ended: impl FnMut(O)) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        loop {
            self.drive_runnable(&mut ended);
            if self.is_empty() {
                return Ok(());
            }
            self.wait(&mut events)?;
            for event in &events {
                if event.token() != WAKER {
                    self.note(event.token(), Ready::from(event));
                }
            }
            if report::is_behind() {
                report::flush();
            }
            signal::act();
            let now = Instant::now();
            if signal::take_child() {
                child::reap_orphans();
                if watch::is_by_signal() {
                    self.deliver(None, &Notice::ProgramEnded, now);
                }
            }
            for (task, notice) in self.inbox.take() {
                match notice {
                    Notice::Later(at, notice) => self.later.push((at, *notice)),
                    notice => self.deliver(task, &notice, now),
                }
            }
            for (_, notice) in self
                .later
                .extract_if(.., |(at, _)| *at <= now)
                .collect::<Vec<_>>()
            {
                self.deliver(None, &notice, now);
            }
            self.wake_due(now);
            if let Some((_, work)) = self.deferred.take_if(|(at, _)| *at <= now) {
                work();
            }
        }
    }

    /// Drives each task that is runnable now once; those that want more are left runnable.
    fn drive_runnable(&mut self, ended: &mut impl FnMut(O)) {
        for _ in 0..self.runnable.len() {
            let Some(index) = self.runnable.pop_front() else {
                break;
            };
            let Some(mut entry) = self.tasks[index].take() else {
                continue;
            };
            entry.is_runnable = false;
            let task = TaskId {
                place: index,
                serial: entry.serial,
            };
            match entry.task.drive(self.cx(task)) {
                Step::Wait => self.settle(index, entry),
                Step::Again => {
                    self.settle(index, entry);
                    self.wake(index);
                }
                Step::Spawn(tasks) => {
                    self.settle(index, entry);
                    tasks.into_iter().for_each(|task| self.add(task));
                    self.wake(index);
                }
                Step::Done(outcome) => {
                    self.forget_deadline(index, entry.deadline);
                    self.free.push(index);
                    ended(outcome);
                }
            }
        }
    }

    /// Puts a driven task back, with its new deadline.
    fn settle(&mut self, index: usize, mut entry: TaskEntry<O>) {
        let deadline = entry.task.deadline();
        if deadline != entry.deadline {
            self.forget_deadline(index, entry.deadline);
            self.deadlines.extend(deadline.map(|at| (at, index)));
            entry.deadline = deadline;
        }
        self.tasks[index] = Some(entry);
    }

    fn forget_deadline(&mut self, index: usize, deadline: Option<Instant>) {
        if let Some(at) = deadline {
            self.deadlines.remove(&(at, index));
        }
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        let timeout = if !self.runnable.is_empty() {
            Some(Duration::ZERO)
        } else {
            let first = self.deadlines.first().map(|(at, _)| *at);
            let deferred = self.deferred.iter().map(|(at, _)| *at);
            let later = self.later.iter().map(|(at, _)| *at);
            let next = first.into_iter().chain(deferred).chain(later).min();
            let next = next.map(|at| at.saturating_duration_since(Instant::now()));
            let retry = report::is_behind().then_some(RETRY);
            next.into_iter().chain(retry).min()
        };
        match self.poll.poll(events, timeout) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            other => other,
        }
    }

    fn note(&mut self, token: Token, ready: Ready) {
        let index = token.0 >> NUMBER_BITS;
        if let Some(Some(entry)) = self.tasks.get_mut(index) {
            entry.task.note(Registered(token.0), ready);
            self.wake(index);
        }
    }

    /// Hands a notice to its task, if that is still there, or to all.
    fn deliver(&mut self, task: Option<TaskId>, notice: &Notice, now: Instant) {
        let all = 0..self.tasks.len();
        let range = task.map_or(all, |task| task.place..task.place + 1);
        for index in range {
            if let Some(Some(entry)) = self.tasks.get_mut(index)
                && task.is_none_or(|task| task.serial == entry.serial)
            {
                entry.task.notice(notice, now);
                self.wake(index);
            }
        }
    }

    fn wake_due(&mut self, now: Instant) {
        while let Some(&(at, index)) = self.deadlines.first() {
            if at > now {
                break;
            }
            self.deadlines.pop_first();
            if let Some(Some(entry)) = self.tasks.get_mut(index) {
                entry.deadline = None;
            }
            self.wake(index);
        }
    }

    fn wake(&mut self, index: usize) {
        if let Some(Some(entry)) = self.tasks.get_mut(index)
            && !entry.is_runnable
        {
            entry.is_runnable = true;
            self.runnable.push_back(index);
        }
    }
}
