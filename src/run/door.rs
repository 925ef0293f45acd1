//! A listener each of whose clients is joined to something of its own: a door that accepts, and for
//! each client a task of its own, so that none waits for another. A relay of datagrams would be a
//! door of its own, with a session for each peer.

use super::entrance::{Client, Entrance, Next};
use super::listen::Bound;
use super::relayed::Relayed;
use super::signal_exit;
use crate::exit::Exit;
use crate::io::inbox::Notice;
use crate::io::reactor::{Drive, Registrar, Step};
use crate::io::ready::Ready;
use crate::plan::{Clients, Plan, Relay};
use socket2::Socket;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::Instant;

/// Clients accepted in one turn, before the connections get theirs.
const ACCEPTS: usize = 64;

/// Accepts clients, and makes a task of each.
pub struct Door {
    plan: Rc<Plan>,
    relay: Rc<Relay>,
    is_single: bool,
    entrance: Entrance,
    signalled: bool,
}

impl Door {
    /// Serves clients of the bound sockets.
    pub fn new(plan: Rc<Plan>, relay: Relay, bound: Bound, clients: Clients) -> Door {
        Door {
            entrance: Entrance::new(&plan, bound),
            plan,
            relay: Rc::new(relay),
            is_single: matches!(clients, Clients::One | Clients::OneQueueing),
            signalled: false,
        }
    }

    fn accept(&mut self, registrar: &Registrar<'_>, now: Instant) -> Vec<Box<dyn Drive<Exit>>> {
        let most = if self.is_single { 1 } else { ACCEPTS };
        let mut clients: Vec<Box<dyn Drive<Exit>>> = Vec::new();
        while clients.len() < most {
            let client = match self.entrance.next(now) {
                Next::Client(client) => client,
                Next::Pending => break,
                Next::Short(error) => {
                    self.entrance.tell_shortage(&error);
                    break;
                }
            };
            let Some(reserve) = self.reserve(&client.sock) else {
                self.entrance.hold(client, now);
                break;
            };
            self.entrance.greet(&client.addr, registrar);
            clients.push(self.task(client, reserve, now));
        }
        clients
    }

    /// What is done for a client.
    fn task(&self, client: Client, reserve: OwnedFd, now: Instant) -> Box<dyn Drive<Exit>> {
        let (plan, relay) = (Rc::clone(&self.plan), Rc::clone(&self.relay));
        let relayed = Relayed::new(plan, relay, self.is_single, client, reserve, now);
        Box::new(relayed)
    }

    /// A descriptor put by for the connection to the target. Without it clients could take them
    /// all, and wait for each other.
    fn reserve(&mut self, client: &Socket) -> Option<OwnedFd> {
        let copy = client.try_clone();
        copy.map_err(|error| self.entrance.tell_shortage(&error))
            .map(OwnedFd::from)
            .ok()
    }
}

impl Drive<Exit> for Door {
    fn note(&mut self, slot: u16, ready: Ready) {
        self.entrance.note(slot, ready);
    }

    fn notice(&mut self, notice: &Notice, _now: Instant) {
        self.entrance.notice(notice);
        self.signalled |= matches!(notice, Notice::Ending);
    }

    fn drive(&mut self, registrar: &Registrar<'_>, now: Instant) -> Step<Exit> {
        if self.signalled {
            return Step::Done(signal_exit());
        }
        if let Err(error) = self.entrance.open(registrar) {
            return Step::Done(super::failed(&error.into()));
        }
        let clients = self.accept(registrar, now);
        if !clients.is_empty() {
            if self.is_single {
                self.entrance.close();
            }
            return Step::Spawn(clients);
        }
        match self.entrance.is_open() {
            true => Step::Wait,
            false => Step::Done(Exit::OK),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.entrance.deadline()
    }
}
