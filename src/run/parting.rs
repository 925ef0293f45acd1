//! Ending a program whose session is over.
//!
//! A program that is still there may end by itself for a while; then its process group is asked to
//! end (SIGTERM), and after a while ended (SIGKILL).

use crate::io::child::Child;
use crate::io::reactor::Registered;
use crate::io::ready::Ready;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// How long a program may take to end by itself after its session, and then to heed SIGTERM.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// The first pause between looks at whether the rest of a program's group is gone, of which there
/// is no event; each one is twice as long as the one before.
const LOOK: Duration = Duration::from_millis(1);

/// A program that is to end.
pub struct Parting {
    child: Box<Child>,
    /// Its exit code, once it is reaped.
    code: Option<u8>,
    /// What was sent to its group last, and until when it may heed that.
    sent: Option<Signal>,
    limit: Instant,
    /// When the rest of its group is looked for again, and the pause after that.
    look: Option<(Instant, Duration)>,
    /// The code is of its own choice: no signal of ours came before it.
    ended_by_itself: bool,
}

/// Asks the group of a program to end, whose session goes on until all is delivered; returns what
/// is known of that afterwards.
pub fn ask_to_end(child: &mut Child, now: Instant) -> Asked {
    child.process().signal(Signal::TERM);
    Asked {
        limit: now + PATIENCE,
        had_ended: child.has_exited(),
    }
}

/// A program that was asked to end.
#[derive(Clone, Copy)]
pub struct Asked {
    limit: Instant,
    /// It had ended by itself before.
    had_ended: bool,
}

impl Parting {
    /// The session is over: unless it was asked already, the program has until `limit` to end by
    /// itself.
    pub fn new(mut child: Box<Child>, asked: Option<Asked>, limit: Instant) -> Parting {
        child.hang_up();
        Parting {
            child,
            code: None,
            sent: asked.map(|_| Signal::TERM),
            limit: asked.map_or(limit, |asked| asked.limit),
            look: None,
            ended_by_itself: asked.is_none_or(|asked| asked.had_ended),
        }
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.child.note(id, ready);
    }

    /// Some program has ended: it may be this one.
    pub fn look(&mut self) {
        self.child.look();
    }

    /// The code it ended with, if that was its own choice.
    pub fn own_code(&self) -> Option<u8> {
        self.code.filter(|_| self.ended_by_itself)
    }

    /// When it is to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        let look = self.look.map(|(at, _)| at);
        look.into_iter().chain([self.limit]).min()
    }

    /// Returns whether the program and all it started are gone, and sends the signals that make it
    /// so.
    pub fn is_over(&mut self, now: Instant) -> bool {
        if self.child.has_exited() && self.code.is_none() {
            // Before it is reaped: until then no other group can have its number.
            if self.sent != Some(Signal::KILL) {
                self.send(Signal::TERM, now);
            }
            self.code = self.child.process().reap();
        }
        // What was killed is gone, though it may not be reaped yet.
        let are_killed = self.sent == Some(Signal::KILL);
        if self.code.is_some() && (are_killed || !self.child.process().has_others()) {
            return true;
        }
        if now < self.limit {
            if self.code.is_some() {
                let pause = self.look.map_or(LOOK, |(_, pause)| pause);
                self.look = Some((now + pause, pause * 2));
            }
            return false;
        }
        self.hurry(now);
        self.sent == Some(Signal::KILL) && self.code.is_some()
    }

    /// Asks its group to end; if that was done already, ends it.
    pub fn hurry(&mut self, now: Instant) {
        let next = self.sent.map_or(Signal::TERM, |_| Signal::KILL);
        self.send(next, now);
    }

    fn send(&mut self, signal: Signal, now: Instant) {
        self.ended_by_itself &= self.child.has_exited();
        self.child.process().signal(signal);
        self.sent = Some(signal);
        self.limit = now + PATIENCE;
    }
}
