//! A listener each of whose clients is joined to something of its own: a door that accepts, and for
//! each client a task of its own, so that none waits for another. A relay of datagrams would be a
//! door of its own, with a session for each peer.

use super::bind::Bound;
use super::company::Company;
use super::entrance::{Client, Entrance, Next, PAUSE};
use super::outcome::{failed, signal_exit};
use super::program::Hosted;
use super::relayed::{Destination, Relayed};
use super::served::Served;
use crate::exit::Exit;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::plan::{Builtin, Clients, Plan, Program, Service};
use crate::sys::limits;
use socket2::Socket;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Instant;

/// Clients accepted in one turn, before the connections get theirs.
const ACCEPTS: usize = 64;

/// Descriptors it takes to start a program: both ends of two pipes, what watches it, and one that
/// std needs meanwhile; or as many for a terminal.
const TO_START: usize = 6;

/// What each client is joined to.
pub enum Joining {
    /// A connection to elsewhere.
    Relay(Rc<Destination>),
    /// A program of its own.
    Program(Rc<Program>),
    /// A service inside this process.
    Builtin(Builtin),
}

impl Joining {
    /// What the service joins each client to; `None` where clients share what they are joined to.
    pub fn of(service: &Service) -> Option<Joining> {
        match service {
            Service::Relay(relay) => Some(Joining::Relay(Rc::new(Destination::new(relay.clone())))),
            Service::Program(program) => Some(Joining::Program(Rc::new(program.clone()))),
            Service::Builtin(builtin) => Some(Joining::Builtin(*builtin)),
            Service::Stdio | Service::Broker(_) => None,
        }
    }
}

/// Accepts clients, and makes a task of each.
pub struct Door {
    plan: Rc<Plan>,
    joining: Joining,
    is_single: bool,
    entrance: Entrance,
    signalled: bool,
}

impl Door {
    /// Serves clients of the bound sockets.
    pub fn new(plan: Rc<Plan>, joining: Joining, bound: Bound, clients: Clients) -> Door {
        // As many clients as the system lets us have.
        limits::descriptors(usize::MAX);
        Door {
            entrance: Entrance::new(&plan, bound),
            plan,
            joining,
            is_single: matches!(clients, Clients::One | Clients::OneQueueing),
            signalled: false,
        }
    }

    /// One turn of accepting.
    fn accept(&mut self, cx: Cx<'_>) -> Step<Exit> {
        let most = if self.is_single { 1 } else { ACCEPTS };
        let mut clients: Vec<Box<dyn Drive<Exit>>> = Vec::new();
        let mut next = Step::Again;
        for _ in 0..most {
            let client = match self.entrance.next(cx) {
                Next::Client(client) => client,
                Next::Refused => continue,
                Next::Full => {
                    self.entrance.deny();
                    continue;
                }
                Next::Pending => {
                    next = Step::Wait;
                    break;
                }
                Next::Short(error) => {
                    self.entrance.tell_shortage(&error);
                    next = Step::Wait;
                    break;
                }
            };
            let reserve = match self.reserve(client.conn.socket()) {
                Ok(reserve) => reserve,
                // Those before it still have to take what is put by for them.
                Err(_) if !clients.is_empty() => {
                    self.entrance.hold(client, cx.now, &cx.registrar);
                    break;
                }
                Err(error) => {
                    self.entrance.tell_shortage(&error);
                    self.entrance.hold(client, cx.now + PAUSE, &cx.registrar);
                    next = Step::Wait;
                    break;
                }
            };
            self.entrance.greet(&client, &cx.registrar);
            clients.push(self.task(client, reserve, cx.now));
        }
        if clients.is_empty() {
            next
        } else {
            Step::Spawn(clients)
        }
    }

    /// What is done for a client.
    fn task(&self, client: Client, reserve: Vec<OwnedFd>, now: Instant) -> Box<dyn Drive<Exit>> {
        let (plan, company) = (Rc::clone(&self.plan), Company::of(self.is_single));
        match &self.joining {
            Joining::Builtin(builtin) => Box::new(Served::new(plan, *builtin, company, client)),
            Joining::Program(program) => {
                let program = Rc::clone(program);
                Box::new(Hosted::new(plan, program, company, client, reserve))
            }
            Joining::Relay(to) => {
                let to = Rc::clone(to);
                Box::new(Relayed::new(plan, to, company, client, reserve, now))
            }
        }
    }

    /// Descriptors put by for what the client is joined to. Without them clients could take them
    /// all, and wait for each other.
    fn reserve(&self, client: &Socket) -> io::Result<Vec<OwnedFd>> {
        let count = match self.joining {
            Joining::Builtin(_) => 0,
            Joining::Relay(_) => 1,
            Joining::Program(_) => TO_START,
        };
        let copies = (0..count).map(|_| client.try_clone().map(OwnedFd::from));
        copies.collect()
    }
}

impl Drive<Exit> for Door {
    fn note(&mut self, id: Registered, ready: Ready) {
        self.entrance.note(id, ready);
    }

    fn notice(&mut self, notice: &Notice, _now: Instant) {
        self.entrance.notice(notice);
        self.signalled |= matches!(notice, Notice::Ending);
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if self.signalled {
            return Step::Done(signal_exit());
        }
        if let Err(error) = self.entrance.open(&cx.registrar) {
            return Step::Done(failed(&error.into()));
        }
        if !self.entrance.is_open() {
            return Step::Done(self.entrance.exit());
        }
        let step = self.accept(cx);
        if self.is_single && matches!(step, Step::Spawn(_)) {
            self.entrance.close();
        }
        let nobody_came = self.entrance.nobody_came(cx.now);
        nobody_came.map_or(step, Step::Done)
    }

    fn deadline(&self) -> Option<Instant> {
        self.entrance.deadline()
    }
}
