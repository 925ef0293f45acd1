//! One session: its two sides are opened, then joined by a bridge; then a program is ended.
//!
//! ```text
//! Opening ──► Joined ──► over
//!    │           └──► Parting (a program) ──► over
//!    └── failed ──► over
//! ```
//! It is a task of its own where there are many at once, and a part of one where they come one
//! after the other.

use super::closing::Closing;
use super::company::Company;
use super::event::Event;
use super::joining::{self, Joined};
use super::opening::{Labels, Opening, Start};
use super::outcome::{Outcome, signal_exit};
use super::parting::{self, Asked, PATIENCE, Parting};
use super::terms::Terms;
use super::words;
use crate::exit::Exit;
use crate::flow::bridge::{BrokenEnd, Ended, Turn};
use crate::io::datagram::{Datagram, PeerAddr};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::io::seat::Seat;
use crate::net::addr::unmapped;
use crate::net::own_file::OwnFile;
use crate::plan::Base;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

/// A session.
pub struct Session {
    terms: Rc<Terms>,
    company: Company,
    state: State,
    names: Labels,
    began: Instant,
    /// How it ended, when it is over.
    outcome: Outcome,
    /// A program was asked to end before its session was over.
    asked: Option<Asked>,
    /// Its place among the clients that `--max-conns` counts.
    _seat: Option<Seat>,
    /// Our own socket file.
    _file: Option<OwnFile>,
}

enum State {
    Opening(Box<Opening>),
    Joined(Box<Joined>),
    Parting(Box<Parting>),
    Over,
}

impl Session {
    /// A session on these terms.
    pub fn new(terms: &Rc<Terms>, mut start: Start, company: Company, now: Instant) -> Session {
        let seat = start.client.as_mut().and_then(|client| client.seat.take());
        Session {
            state: State::Opening(Box::new(Opening::new(terms, start, company))),
            terms: Rc::clone(terms),
            company,
            names: Labels::default(),
            began: now,
            outcome: Outcome::of(Exit::OK),
            asked: None,
            _seat: seat,
            _file: None,
        }
    }

    /// The peer's end, if it is one of datagrams.
    pub fn datagram(&mut self) -> Option<&mut Datagram> {
        match &mut self.state {
            State::Joined(joined) => match joined.bridge.remote() {
                Endpoint::Datagram(end) => Some(end),
                _ => None,
            },
            _ => None,
        }
    }

    /// Labels the peer anew.
    pub fn set_label(&mut self, label: String) {
        self.names.peer = label.into();
    }

    /// Both sides are open.
    fn join(&mut self, ends: [Endpoint; 2], now: Instant) {
        if let State::Opening(opening) = &mut self.state {
            self.names = std::mem::take(&mut opening.names);
            self._file = opening.file.take();
        }
        let has_peer = ends[1].has_peer();
        let mut joined = joining::join(ends, &self.terms, &self.names.peer, now);
        if self.terms.remote.is_some() && has_peer {
            joined.bridge.count_from(self.began);
        }
        self.state = State::Joined(Box::new(joined));
    }

    /// One drive of the bridge.
    fn move_bytes(&mut self, cx: Cx<'_>) -> Turn {
        let State::Joined(joined) = &mut self.state else {
            return Turn::Wait;
        };
        let is_idle = joined.bridge.is_idle(cx.now);
        // Datagrams have no end: a silent peer is gone. What it is joined to reads the end, and has
        // its time, too.
        if is_idle && let Endpoint::Mailbox(mailbox) = joined.bridge.remote() {
            mailbox.close();
        }
        let turn = joined.bridge.drive(cx.now);
        if self.terms.remote.is_some()
            && let Endpoint::Datagram(end) = joined.bridge.remote()
        {
            tell_answers(end, self.names.remote(&self.terms));
        }
        turn
    }

    /// The bridge is over.
    fn parted(&mut self, ended: &Ended, now: Instant) {
        let State::Joined(mut joined) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let closing = Closing {
            terms: &self.terms,
            company: self.company,
            names: &self.names,
        };
        let exit = closing.tell(&mut joined, ended, now);
        self.outcome.is_last = match ended {
            Ended::Clean
            | Ended::TimedOut(_)
            | Ended::Truncated(..)
            | Ended::Broken(BrokenEnd::Peer, _) => false,
            Ended::Quit | Ended::Signalled | Ended::Broken(..) => true,
        };
        // Many servers answer the end of TLS by closing: that is the end of a relay's client, too.
        let answers_end = self.terms.relays() && joined.bridge.has_sent_all();
        let [mut local, remote] = joined.bridge.into_ends();
        // What breaks at one side looks broken at the other.
        match ended {
            Ended::Truncated(BrokenEnd::Peer, _) if answers_end => local.shutdown_write(),
            Ended::Broken(BrokenEnd::Peer, _) | Ended::Truncated(BrokenEnd::Peer, _) => {
                local.reset()
            }
            Ended::Broken(..) | Ended::Truncated(..) => remote.reset(),
            _ => {}
        }
        let Endpoint::Child(child) = local else {
            return self.over(exit);
        };
        if exit != Exit::OK {
            self.outcome.exit = exit;
        }
        let has_time = matches!(ended, Ended::Clean | Ended::Quit | Ended::Truncated(..));
        let limit = if has_time { now + PATIENCE } else { now };
        self.state = State::Parting(Box::new(Parting::new(child, self.asked, limit)));
    }

    /// The program is gone, and the session over.
    fn program_gone(&mut self, own_code: Option<u8>) {
        let local = self.terms.local.as_ref();
        let passes = local.is_some_and(|local| match &local.end().base {
            Base::Program(program) => program.passes_status,
            _ => false,
        });
        let code = own_code.filter(|code| passes && *code != 0);
        self.over(code.map_or(self.outcome.exit, Exit::Code));
    }

    /// It is over, with this code.
    fn over(&mut self, exit: Exit) {
        self.outcome.exit = exit;
        self.state = State::Over;
    }

    /// Does what can be done without waiting. What is known of its peer and not printed yet is
    /// printed by `before_end`: how it ended comes last.
    pub fn advance(
        &mut self,
        cx: Cx<'_>,
        before_end: &mut dyn FnMut(&mut Session),
    ) -> Turn<Outcome> {
        loop {
            match &mut self.state {
                State::Opening(opening) => match opening.drive(cx) {
                    Poll::Pending => return Turn::Wait,
                    Poll::Ready(Ok(ends)) => self.join(ends, cx.now),
                    Poll::Ready(Err(outcome)) => {
                        self.outcome = outcome;
                        self.state = State::Over;
                    }
                },
                State::Joined(_) => match self.move_bytes(cx) {
                    Turn::Wait => return Turn::Wait,
                    Turn::Again => return Turn::Again,
                    Turn::Over(ended) => {
                        before_end(self);
                        self.parted(&ended, cx.now);
                    }
                },
                State::Parting(parting) => {
                    if !parting.is_over(cx.now) {
                        return Turn::Wait;
                    }
                    let code = parting.own_code();
                    self.program_gone(code);
                }
                State::Over => return Turn::Over(self.outcome),
            }
        }
    }

    /// A signal came: deliver what is received, and end the program. A peer that has come before
    /// the other side was open sees a reset.
    fn leave(&mut self, now: Instant) {
        match &mut self.state {
            State::Opening(opening) => {
                opening.reset();
                self.outcome = Outcome::fatal(signal_exit());
                self.state = State::Over;
            }
            State::Joined(joined) => {
                joined.bridge.leave(Ended::Signalled, now);
                if let Endpoint::Child(child) = joined.bridge.local() {
                    self.asked = Some(parting::ask_to_end(child, now));
                    self.outcome.exit = signal_exit();
                }
            }
            State::Parting(parting) => {
                parting.hurry(now);
                self.outcome.exit = signal_exit();
            }
            State::Over => {}
        }
    }
}

impl Drive<Exit> for Session {
    fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            State::Opening(opening) => opening.note(id, ready),
            State::Joined(joined) => joined.bridge.note(id, ready),
            State::Parting(parting) => parting.note(id, ready),
            State::Over => {}
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        match (notice, &mut self.state) {
            (Notice::Ending, _) => self.leave(now),
            (Notice::ProgramEnded, State::Joined(joined)) => {
                if let Endpoint::Child(child) = joined.bridge.local() {
                    child.look();
                }
            }
            (Notice::ProgramEnded, State::Parting(parting)) => parting.look(),
            (_, State::Opening(opening)) => opening.notice(notice),
            _ => {}
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        match self.advance(cx, &mut |_| {}) {
            Turn::Over(outcome) => Step::Done(self.company.exit(outcome.exit)),
            Turn::Again => Step::Again,
            Turn::Wait => Step::Wait,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Opening(opening) => opening.deadline(),
            State::Joined(joined) => joined.bridge.deadline(),
            State::Parting(parting) => parting.deadline(),
            State::Over => None,
        }
    }
}

/// Prints news of datagrams: the peers that answer, and that some are refused.
fn tell_answers(end: &mut Datagram, label: &str) {
    let fault = end.take_send_fault();
    for peer in end.take_new_peers() {
        if let PeerAddr::Ip(ip) = peer {
            words::tell(&Event::Answer(unmapped(ip)));
        }
    }
    if let Some(error) = fault {
        words::tell(&Event::Lost(label, &error));
    }
}
