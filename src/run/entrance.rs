//! Accepting clients, the same for every listener of streams: access rules, TLS handshakes, places
//! (`--max-conns`). A shortage of descriptors is printed once.

use super::bind::{Bound, tell_listening};
use super::client::{Arrival, Link};
use super::event::Event;
use super::handshakes::Handshakes;
use super::welcome::Welcome;
use super::{secure, words};
use crate::exit::Exit;
use crate::io::connection::Connection;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registered, Registrar};
use crate::io::ready::Ready;
use crate::io::seat::Seat;
use crate::net::labels::label;
use crate::net::listen::{Accepted, Arrived, Listener};
use crate::plan::{Limits, Listening, Manners};
use socket2::{SockAddr, Socket};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The pause before a client that had to wait is tried again.
pub const PAUSE: Duration = Duration::from_millis(500);

/// Accepts the clients of a listener.
pub struct Entrance {
    listening: Rc<Listening>,
    manners: Manners,
    listener: Option<Listener>,
    /// A client that was accepted before rnc started: there will be no other.
    arrived: Option<Arrived>,
    /// There was such a client.
    awaits_one: bool,
    /// A client that waits, and until when.
    held: Option<(Box<Arrival>, Instant)>,
    /// A client has left since.
    is_woken: bool,
    /// A client that waits for a place.
    unseated: Option<(Connection, SockAddr)>,
    told_shortage: bool,
    /// How clients are received.
    pub welcome: Welcome,
    /// Clients whose TLS handshake is under way.
    handshakes: Option<Handshakes>,
    /// One more than there are clients holds it.
    seats: Seat,
}

/// The next client, or why there is none.
pub enum Next {
    /// A client.
    Client(Box<Arrival>),
    /// None now.
    Pending,
    /// One was denied, or begins its TLS handshake; there may be others.
    Refused,
    /// One for which there is no place. It waits until one is free, or until it is denied.
    Full,
    /// None can be taken, most often for want of descriptors: it is tried again after a pause.
    Short(io::Error),
}

impl Entrance {
    /// Accepts at bound sockets, and prints where they are. `limits` are those of their
    /// sessions, which a handshake counts into.
    ///
    /// # Errors
    /// The sockets cannot be registered.
    pub fn new(
        listening: Rc<Listening>,
        bound: Bound,
        limits: &Limits,
        manners: Manners,
        cx: Cx<'_>,
    ) -> io::Result<Entrance> {
        tell_listening(&bound, &listening, &manners);
        let handshakes = bound.tls;
        let handshakes = handshakes.map(|server| Handshakes::new(server, &listening, limits));
        if let Some(handshakes) = &handshakes {
            secure::tell_own(handshakes.server(), &bound.socks, &listening);
        }
        Ok(Entrance {
            listener: Some(Listener::new(bound.socks, &cx.registrar)?),
            awaits_one: bound.arrived.is_some(),
            arrived: bound.arrived,
            held: None,
            is_woken: false,
            unseated: None,
            told_shortage: false,
            welcome: Welcome::new(&listening, bound.guard, bound.files, manners),
            handshakes,
            seats: Seat::default(),
            listening,
            manners,
        })
    }

    /// Accepts no more: the sockets are closed, which refuses clients that wait there.
    pub fn close(&mut self) {
        self.listener = None;
        self.arrived = None;
        self.held = None;
        self.unseated = None;
        self.handshakes.iter_mut().for_each(Handshakes::clear);
        self.welcome.close();
    }

    /// Returns whether there may be another client.
    pub fn is_open(&self) -> bool {
        let shakes_hands = |handshakes: &Handshakes| !handshakes.are_over();
        self.listener.is_some() || self.handshakes.as_ref().is_some_and(shakes_hands)
    }

    /// As `next`, where a client without a place is denied, and one that cannot be accepted waits.
    pub fn next_or_none(&mut self, cx: Cx<'_>) -> Next {
        match self.next(cx) {
            Next::Full => {
                self.deny();
                Next::Refused
            }
            Next::Short(error) => {
                self.tell_shortage(&error);
                Next::Pending
            }
            next => next,
        }
    }

    /// The next client that the access rules admit.
    pub fn next(&mut self, cx: Cx<'_>) -> Next {
        let is_woken = std::mem::take(&mut self.is_woken);
        let is_due = |until: &Instant| is_woken || cx.now >= *until;
        if let Some((client, _)) = self.held.take_if(|(_, until)| is_due(until)) {
            return Next::Client(client);
        }
        if self.held.is_some() {
            return Next::Pending;
        }
        if let Some((conn, addr)) = self.unseated.take() {
            return self.seat(conn, addr);
        }
        if let Some(handshakes) = &mut self.handshakes {
            let were_over = handshakes.are_over();
            if let Some((conn, addr)) = handshakes.next(&self.listening.net, cx.now) {
                return self.seat(conn, addr);
            }
            // The last one has failed: perhaps there is no other client.
            if handshakes.are_over() && !were_over {
                return Next::Refused;
            }
        }
        if let Some((sock, addr)) = self.arrived.take() {
            self.close();
            return self.let_in(sock, addr, cx);
        }
        let Some(listener) = &mut self.listener else {
            return Next::Pending;
        };
        match listener.try_accept(cx.now) {
            Accepted::Client(sock, addr) => self.let_in(sock, addr, cx),
            Accepted::Pending => {
                let is_paused = listener.deadline().is_some();
                self.told_shortage &= is_paused;
                Next::Pending
            }
            Accepted::Failed(error) => {
                self.seats.wait(cx.registrar.waker());
                Next::Short(error)
            }
        }
    }

    /// Gives an accepted client a place, or begins its TLS handshake.
    fn let_in(&mut self, sock: Socket, addr: SockAddr, cx: Cx<'_>) -> Next {
        let Some((sock, addr)) = self.welcome.admit((sock, addr)) else {
            return Next::Refused;
        };
        let Some(handshakes) = &mut self.handshakes else {
            return self.seat(Connection::plain(sock), addr);
        };
        // Others are accepted meanwhile.
        if let Err(error) = handshakes.begin((sock, addr), &self.listening.net, cx) {
            words::tell(&Event::TurnedAway(&error));
        }
        Next::Refused
    }

    /// Gives a client a place, if there is one.
    fn seat(&mut self, conn: Connection, addr: SockAddr) -> Next {
        let taken = self.seats.others();
        match self.listening.reception.most_clients {
            Some(most) if taken >= most => {
                self.unseated = Some((conn, addr));
                Next::Full
            }
            _ => {
                self.welcome.has_come();
                let seat = self.seats.another();
                Next::Client(Box::new(Arrival {
                    link: Link::Stream(conn),
                    label: label(&addr, &self.listening.net),
                    addr: Some(addr),
                    seat: Some(seat),
                    reserve: Vec::new(),
                }))
            }
        }
    }

    /// Denies the client that waits for a place.
    pub fn deny(&mut self) {
        if self.unseated.take().is_some()
            && let Some(most) = self.listening.reception.most_clients
        {
            words::tell(&Event::Full(most));
        }
    }

    /// Exit code once no client can arrive: a failure if the TLS handshake of the client that was
    /// accepted before rnc started has failed.
    pub fn exit(&self) -> Exit {
        let failed = self.handshakes.as_ref().is_some_and(Handshakes::has_failed);
        if self.awaits_one && failed {
            Exit::Code(self.manners.codes.broken)
        } else {
            Exit::OK
        }
    }

    /// Keeps a client for which descriptors are missing, until then or until another has left.
    pub fn hold(&mut self, client: Box<Arrival>, until: Instant, registrar: &Registrar<'_>) {
        self.held = Some((client, until));
        self.seats.wait(registrar.waker());
    }

    /// There may be descriptors again.
    pub fn resume(&mut self) {
        if let Some(listener) = &mut self.listener {
            listener.resume();
        }
    }

    /// Prints that clients have to wait, once until none waits any more.
    pub fn tell_shortage(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.told_shortage, true) {
            words::tell(&Event::Short(error));
        }
    }

    /// Prints, with `-v`, where a client is from.
    pub fn greet(&mut self, client: &Arrival, registrar: &Registrar<'_>) {
        if let (Link::Stream(conn), Some(addr)) = (&client.link, &client.addr) {
            self.welcome.greeter.greet(conn.socket(), addr, registrar);
            secure::tell_client(conn);
        }
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        if let Some(listener) = &mut self.listener {
            listener.note(id, ready);
        }
        if let Some(handshakes) = &mut self.handshakes {
            handshakes.note(id, ready);
        }
    }

    /// Takes in what a thread found out.
    pub fn notice(&mut self, notice: &Notice) {
        self.welcome.notice(notice);
        match notice {
            Notice::Retiring => self.close(),
            Notice::Woken => {
                self.is_woken = true;
                self.resume();
            }
            _ => {}
        }
    }

    /// When it is to be driven even if no client connects.
    pub fn deadline(&self) -> Option<Instant> {
        let next = match &self.held {
            Some((_, until)) => Some(*until),
            None => self.listener.as_ref().and_then(Listener::deadline),
        };
        // While a client is held, no other is accepted.
        let handshakes = self.handshakes.as_ref().filter(|_| self.held.is_none());
        let late = handshakes.and_then(Handshakes::deadline);
        let all = [next, late, self.welcome.deadline()];
        all.into_iter().flatten().min()
    }
}
