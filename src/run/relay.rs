//! Relaying (`--relay`): what comes in is dialled on. A door that accepts, and for each client a
//! task of its own (`relayed`), so that none waits for another. A relay of datagrams would be a door
//! of its own, with a session for each peer.

use super::listen::{Bound, Greeter, tell_accept_failed, tell_listening};
use super::relayed::Relayed;
use super::{LISTENER_SLOT, signal_exit};
use crate::exit::Exit;
use crate::io::inbox::Notice;
use crate::io::reactor::{Drive, Registrar, Step};
use crate::io::ready::Ready;
use crate::net::listen::{Accepted, Listener};
use crate::net::unix::SocketFile;
use crate::plan::{Clients, Plan, Relay};
use socket2::{SockAddr, Socket};
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Clients accepted in one turn, before the connections get theirs.
const ACCEPTS: usize = 64;
/// The pause before a client for whose connection there was no descriptor is looked after again.
const PAUSE: Duration = Duration::from_millis(500);

/// Accepts clients, and makes a task of each.
pub struct Door {
    plan: Rc<Plan>,
    relay: Rc<Relay>,
    is_single: bool,
    bound: Option<Bound>,
    listener: Option<Listener>,
    /// A client that waits for descriptors, and until when.
    held: Option<(Socket, SockAddr, Instant)>,
    told_shortage: bool,
    greeter: Greeter,
    signalled: bool,
    /// Removes our socket file when we leave.
    _file: Option<SocketFile>,
}

impl Door {
    /// Serves clients of the bound sockets.
    pub fn new(plan: Rc<Plan>, relay: Relay, mut bound: Bound, clients: Clients) -> Door {
        let file = bound.file.take();
        tell_listening(&bound, &plan);
        Door {
            plan,
            relay: Rc::new(relay),
            is_single: matches!(clients, Clients::One | Clients::OneQueueing),
            bound: Some(bound),
            listener: None,
            held: None,
            told_shortage: false,
            greeter: Greeter::default(),
            signalled: false,
            _file: file,
        }
    }

    fn accept(&mut self, registrar: &Registrar<'_>, now: Instant) -> Vec<Box<dyn Drive<Exit>>> {
        let most = if self.is_single { 1 } else { ACCEPTS };
        let mut clients: Vec<Box<dyn Drive<Exit>>> = Vec::new();
        while clients.len() < most
            && let Some((sock, addr)) = self.next_client(now)
        {
            let Some(reserve) = self.reserve(&sock) else {
                self.held = Some((sock, addr, now + PAUSE));
                break;
            };
            self.greeter.greet(&addr, &self.plan, registrar);
            let (plan, relay) = (Rc::clone(&self.plan), Rc::clone(&self.relay));
            let relayed = Relayed::new(plan, relay, self.is_single, (sock, &addr), reserve, now);
            clients.push(Box::new(relayed));
        }
        clients
    }

    fn next_client(&mut self, now: Instant) -> Option<(Socket, SockAddr)> {
        if let Some((_, _, until)) = &self.held {
            return match now < *until {
                true => None,
                false => self.held.take().map(|(sock, addr, _)| (sock, addr)),
            };
        }
        match self.listener.as_mut()?.try_accept(now) {
            Accepted::Client(sock, addr) => Some((sock, addr)),
            Accepted::Pending => {
                let is_paused = self.listener.as_ref()?.deadline().is_some();
                self.told_shortage &= is_paused;
                None
            }
            Accepted::Failed(error, _) => {
                self.tell_shortage(&error);
                None
            }
        }
    }

    /// Tells that clients have to wait, once until none is waiting any more.
    fn tell_shortage(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.told_shortage, true) {
            tell_accept_failed(error);
        }
    }

    /// A descriptor put by for the connection to the target. Without it clients could take them
    /// all, and wait for each other.
    fn reserve(&mut self, client: &Socket) -> Option<OwnedFd> {
        let copy = client.try_clone();
        copy.map_err(|error| self.tell_shortage(&error))
            .map(OwnedFd::from)
            .ok()
    }
}

impl Drive<Exit> for Door {
    fn note(&mut self, slot: u16, ready: Ready) {
        if let Some(listener) = &mut self.listener {
            listener.note(slot, ready);
        }
    }

    fn notice(&mut self, notice: &Notice, _now: Instant) {
        self.signalled |= matches!(notice, Notice::Ending);
    }

    fn drive(&mut self, registrar: &Registrar<'_>, now: Instant) -> Step<Exit> {
        if self.signalled {
            return Step::Done(signal_exit());
        }
        if let Some(bound) = self.bound.take() {
            match Listener::new(bound.socks, LISTENER_SLOT, registrar) {
                Ok(listener) => self.listener = Some(listener),
                Err(error) => return Step::Done(super::failed(&error.into())),
            }
        }
        let clients = self.accept(registrar, now);
        if !clients.is_empty() {
            if self.is_single {
                self.listener = None;
            }
            return Step::Spawn(clients);
        }
        match self.listener {
            Some(_) => Step::Wait,
            None => Step::Done(Exit::OK),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.held {
            Some((_, _, until)) => Some(*until),
            None => self.listener.as_ref().and_then(Listener::deadline),
        }
    }
}
