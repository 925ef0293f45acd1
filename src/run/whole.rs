//! A datagram socket with all its peers: one session, in which all are heard, and the last one, or
//! the only one, is answered.

use super::bind::BoundSock;
use super::event::Event;
use super::session::Session;
use super::welcome::Welcome;
use super::words;
use crate::exit::Exit;
use crate::io::datagram::{Datagram, PeerMode};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registrar};
use crate::net::labels::sender_label;
use crate::plan::{Listening, Manners};
use socket2::Socket;
use std::io;
use std::rc::Rc;
use std::time::Instant;

/// A datagram socket.
pub struct Whole {
    listening: Rc<Listening>,
    sock: Option<Socket>,
    welcome: Welcome,
}

impl Whole {
    /// All peers of a bound socket.
    pub fn new(listening: Rc<Listening>, bound: BoundSock, manners: Manners) -> Whole {
        Whole {
            welcome: Welcome::new(&listening, bound.guard, bound.files, manners),
            sock: Some(bound.sock),
            listening,
        }
    }

    /// The end of the socket, the first time.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn end(&mut self, registrar: &Registrar<'_>) -> io::Result<Option<Endpoint>> {
        let Some(sock) = self.sock.take() else {
            return Ok(None);
        };
        let peers = if self.listening.is_single() {
            PeerMode::First
        } else {
            PeerMode::Last
        };
        let mut datagram = Datagram::new(sock, peers, registrar)?;
        self.welcome.watch(&mut datagram);
        Ok(Some(Endpoint::Datagram(Box::new(datagram))))
    }

    /// Takes in a notice.
    pub fn notice(&mut self, notice: &Notice) {
        self.welcome.notice(notice);
    }

    /// Tells what is new; gives the exit code when nobody has come for too long.
    pub fn attend(&mut self, session: &mut Session, cx: Cx<'_>) -> Option<Exit> {
        self.hear(session, cx);
        self.welcome.nobody_came(cx.now)
    }

    /// Tells about peers that are new, and about sends that failed.
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

    /// Tells those whose names are still being looked up without them.
    pub fn flush(&mut self) {
        self.welcome.greeter.flush();
    }

    /// When nobody is waited for any more.
    pub fn deadline(&self) -> Option<Instant> {
        self.welcome.deadline()
    }
}
