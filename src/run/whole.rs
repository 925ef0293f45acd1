//! A datagram socket with all its peers in one session: what is sent goes to the last one, or to
//! the only one.

use super::bind::BoundSock;
use super::client::{Arrival, Link};
use super::event::Event;
use super::session::Session;
use super::welcome::Welcome;
use super::words;
use crate::exit::Exit;
use crate::io::datagram::{Datagram, PeerMode};
use crate::io::endpoint::Endpoint;
use crate::io::reactor::Cx;
use crate::net::labels::sender_label;
use crate::plan::{Listening, Manners};
use std::io;
use std::rc::Rc;

/// A datagram socket.
pub struct Whole {
    listening: Rc<Listening>,
    arrival: Option<Box<Arrival>>,
    /// How they are received.
    pub welcome: Welcome,
}

impl Whole {
    /// All peers of a bound socket.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(
        listening: Rc<Listening>,
        bound: BoundSock,
        manners: Manners,
        cx: Cx<'_>,
    ) -> io::Result<Whole> {
        let peers = if listening.is_single() {
            PeerMode::First
        } else {
            PeerMode::Last
        };
        let mut datagram = Datagram::new(bound.sock, peers, &cx.registrar)?;
        let mut welcome = Welcome::new(&listening, bound.guard, bound.files, manners);
        welcome.watch(&mut datagram);
        let arrival = Arrival {
            link: Link::End(Endpoint::Datagram(Box::new(datagram))),
            addr: None,
            label: "the peer".to_string(),
            seat: None,
            reserve: Vec::new(),
        };
        Ok(Whole {
            listening,
            arrival: Some(Box::new(arrival)),
            welcome,
        })
    }

    /// The socket as a client, for the one session there is.
    pub fn take_arrival(&mut self) -> Option<Box<Arrival>> {
        self.arrival.take()
    }

    /// Prints what is new; returns the exit code when no peer has come in time.
    pub fn attend(&mut self, session: &mut Session, cx: Cx<'_>) -> Option<Exit> {
        self.hear(session, cx);
        self.welcome.nobody_came(cx.now)
    }

    /// Prints new peers, and sends that failed.
    pub fn hear(&mut self, session: &mut Session, cx: Cx<'_>) {
        let Some(datagram) = session.datagram() else {
            return;
        };
        if datagram.has_peer() {
            self.welcome.has_come();
        }
        let (peers, fault) = (datagram.take_new_peers(), datagram.take_send_fault());
        self.welcome.watch(datagram);
        for peer in peers {
            self.welcome.greeter.greet_sender(&peer, &cx.registrar);
            session.set_label(sender_label(&peer, &self.listening.net));
        }
        if let Some(error) = fault {
            words::tell(&Event::SendFailed(&error));
        }
    }
}
