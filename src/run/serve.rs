//! Serving one client of a listener of streams, or one after the other, with standard input and
//! output.

use super::bind::Bound;
use super::entrance::{Entrance, Next};
use super::labels::label;
use super::outcome::{failed, signal_exit};
use super::session::{self, Joined};
use crate::exit::Exit;
use crate::flow::bridge::{self, Ended};
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::plan::{Clients, Plan};
use std::io;
use std::rc::Rc;
use std::time::Instant;

/// Serves one client, or one after the other.
pub struct Serve {
    plan: Rc<Plan>,
    clients: Clients,
    entrance: Entrance,
    session: Option<Joined>,
    signalled: bool,
}

impl Serve {
    /// Serves clients of the bound sockets.
    pub fn new(plan: Rc<Plan>, bound: Bound, clients: Clients) -> Serve {
        Serve {
            entrance: Entrance::new(&plan, bound),
            plan,
            clients,
            session: None,
            signalled: false,
        }
    }

    /// Takes the next client, if there is one; says whether to look again.
    fn accept(&mut self, cx: Cx<'_>) -> io::Result<bool> {
        self.entrance.open(&cx.registrar)?;
        let client = match self.entrance.next(cx) {
            Next::Client(client) => client,
            Next::Pending => return Ok(false),
            Next::Refused => return Ok(true),
            Next::Full => {
                self.entrance.deny();
                return Ok(true);
            }
            Next::Short(error) => {
                self.entrance.tell_shortage(&error);
                return Ok(false);
            }
        };
        if self.clients == Clients::One {
            self.entrance.close();
        }
        self.entrance.greet(&client, &cx.registrar);
        let is_last = self.clients != Clients::InTurn;
        let local = session::local_end(&self.plan.session, is_last, &cx.registrar)?;
        let remote = client.conn.into_end(&cx.registrar)?;
        let label = label(&client.addr, &self.plan.net);
        self.session = Some(Joined::new((local, remote), &self.plan, label, cx.now));
        Ok(true)
    }

    /// A session is over: is everything?
    fn session_over(&mut self, ended: &Ended) -> Option<Exit> {
        self.entrance.flush();
        let exit = self.session.take()?.finish(ended, &self.plan);
        let goes_on = match ended {
            Ended::Clean
            | Ended::TimedOut(_)
            | Ended::Truncated(..)
            | Ended::Broken(bridge::BrokenEnd::Peer, _) => true,
            Ended::Quit | Ended::Signalled | Ended::Broken(..) => false,
        };
        (self.clients != Clients::InTurn || !goes_on).then_some(exit)
    }
}

impl Drive<Exit> for Serve {
    fn note(&mut self, id: Registered, ready: Ready) {
        self.entrance.note(id, ready);
        if let Some(session) = &mut self.session {
            session.note(id, ready);
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        self.entrance.notice(notice);
        if matches!(notice, Notice::Ending) {
            self.signalled = true;
            if let Some(session) = &mut self.session {
                session.leave(now);
            }
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if self.session.is_none() {
            if self.signalled {
                return Step::Done(signal_exit());
            }
            if !self.entrance.is_open() {
                return Step::Done(self.entrance.exit());
            }
            let looks_again = match self.accept(cx) {
                Ok(looks_again) => looks_again,
                Err(error) => return Step::Done(failed(&error.into())),
            };
            if let Some(exit) = self.entrance.nobody_came(cx.now) {
                return Step::Done(exit);
            }
            if looks_again && self.session.is_none() {
                return Step::Again;
            }
        }
        let Some(session) = &mut self.session else {
            return Step::Wait;
        };
        match session.drive(cx.now) {
            bridge::Turn::Wait => Step::Wait,
            bridge::Turn::Again => Step::Again,
            bridge::Turn::Over(ended) => match self.session_over(&ended) {
                Some(exit) => Step::Done(exit),
                None => Step::Again,
            },
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.session {
            Some(session) => session.deadline(),
            None => self.entrance.deadline(),
        }
    }
}
