//! The way in, the same for every listener of streams: who comes is accepted and greeted, as long
//! as there is a place; when there are no descriptors left, that is told once.

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
use crate::net::listen::Arrived;
use crate::net::listen::{Accepted, Listener};
use crate::plan::{Limits, Listening, Manners};
use socket2::{SockAddr, Socket};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The pause before a client that had to wait is looked after again.
pub const PAUSE: Duration = Duration::from_millis(500);

/// Where clients come in.
pub struct Entrance {
    listening: Rc<Listening>,
    manners: Manners,
    listener: Option<Listener>,
    /// A client that was there before us: there will be no other.
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
    /// Clients that have come, but not yet in, where they speak TLS.
    handshakes: Option<Handshakes>,
    /// One more than there are clients holds it.
    seats: Seat,
}

/// What a look at the entrance gave.
pub enum Next {
    /// A client.
    Client(Box<Arrival>),
    /// None now.
    Pending,
    /// One was turned away, or shakes hands first; there may be others.
    Refused,
    /// One for which there is no place. It waits until one is free, or until it is denied.
    Full,
    /// None can be taken, most often for want of descriptors: it is tried again after a pause.
    Short(io::Error),
}

impl Entrance {
    /// The entrance of bound sockets; tells where clients are awaited. `limits` are those of their
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

    /// Nobody else is let in: the sockets are closed, who still waits there is refused.
    pub fn close(&mut self) {
        self.listener = None;
        self.arrived = None;
        self.held = None;
        self.unseated = None;
        self.handshakes.iter_mut().for_each(Handshakes::clear);
        self.welcome.close();
    }

    /// Says whether somebody may still come.
    pub fn is_open(&self) -> bool {
        let shakes_hands = |handshakes: &Handshakes| !handshakes.are_over();
        self.listener.is_some() || self.handshakes.as_ref().is_some_and(shakes_hands)
    }

    /// The next client that may come in, where nothing is done for one that has no place, and one that
    /// cannot be taken only waits.
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

    /// The next client that may come in.
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
            // The last one has failed: perhaps nobody can come any more.
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

    /// Lets a client in who has come, or begins to shake hands with it.
    fn let_in(&mut self, sock: Socket, addr: SockAddr, cx: Cx<'_>) -> Next {
        let Some((sock, addr)) = self.welcome.admit((sock, addr)) else {
            return Next::Refused;
        };
        let Some(handshakes) = &mut self.handshakes else {
            return self.seat(Connection::plain(sock), addr);
        };
        // Others can come meanwhile.
        if let Err(error) = handshakes.begin((sock, addr), &self.listening.net, cx) {
            words::tell(&Event::TurnedAway(&error));
        }
        Next::Refused
    }

    /// Gives a client who may come in a place, if there is one.
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

    /// Turns away the client that waits for a place.
    pub fn deny(&mut self) {
        if self.unseated.take().is_some()
            && let Some(most) = self.listening.reception.most_clients
        {
            words::tell(&Event::Full(most));
        }
    }

    /// How rnc ends when nobody can come any more: badly, if the one who was there before us could
    /// not be made sure of.
    pub fn exit(&self) -> Exit {
        let failed = self.handshakes.as_ref().is_some_and(Handshakes::has_failed);
        if self.awaits_one && failed {
            Exit::Code(self.manners.codes.broken)
        } else {
            Exit::OK
        }
    }

    /// Has a client wait, until then or until another has left, for which there was something
    /// missing.
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

    /// Tells that clients have to wait, once until none is waiting any more.
    pub fn tell_shortage(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.told_shortage, true) {
            words::tell(&Event::Short(error));
        }
    }

    /// Tells, with `-v`, who has come.
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

    /// When it wants to be looked at even if nobody comes.
    pub fn deadline(&self) -> Option<Instant> {
        let next = match &self.held {
            Some((_, until)) => Some(*until),
            None => self.listener.as_ref().and_then(Listener::deadline),
        };
        // While a client is held, nobody else is looked after.
        let handshakes = self.handshakes.as_ref().filter(|_| self.held.is_none());
        let late = handshakes.and_then(Handshakes::deadline);
        let all = [next, late, self.welcome.deadline()];
        all.into_iter().flatten().min()
    }
}
