//! Sessions at once: each client gets a session that is a task of its own, so that none waits for
//! another.

use super::client::Arrival;
use super::company::Company;
use super::entrance::{Entrance, Next, PAUSE};
use super::opening::Start;
use super::outcome::signal_exit;
use super::peers::Peers;
use super::session::Session;
use super::terms::Terms;
use super::welcome::Welcome;
use crate::exit::Exit;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::sys::limits;
use std::rc::Rc;
use std::time::Instant;

/// Clients accepted, or datagrams received, in one turn, before the sessions get theirs.
const ARRIVALS: usize = 64;

/// Where clients come from.
pub enum Way {
    /// A listener of streams.
    Streams(Box<Entrance>),
    /// The peers of a datagram socket.
    Peers(Box<Peers>),
}

impl Way {
    fn welcome(&self) -> &Welcome {
        match self {
            Way::Streams(entrance) => &entrance.welcome,
            Way::Peers(peers) => &peers.welcome,
        }
    }
}

/// Accepts clients, and begins a session with each.
pub struct Door {
    terms: Rc<Terms>,
    way: Way,
    company: Company,
    signalled: bool,
}

impl Door {
    /// Accepts the clients that come this way.
    pub fn new(terms: Rc<Terms>, way: Way, company: Company) -> Door {
        // As many clients as the system lets us have.
        limits::descriptors(usize::MAX);
        Door {
            terms,
            way,
            company,
            signalled: false,
        }
    }

    fn session(&self, client: Box<Arrival>, now: Instant) -> Box<dyn Drive<Exit>> {
        let start = Start {
            client: Some(client),
            ..Start::default()
        };
        Box::new(Session::new(&self.terms, start, self.company, now))
    }

    fn turn(&mut self, cx: Cx<'_>) -> Result<Step<Exit>, Exit> {
        let (clients, step) = match &mut self.way {
            Way::Streams(_) if self.signalled => return Err(signal_exit()),
            Way::Streams(entrance) if !entrance.is_open() => return Err(entrance.exit()),
            Way::Streams(entrance) => accept(entrance, self.terms.descriptors(), cx),
            Way::Peers(peers) if peers.have_left(cx) => {
                peers.welcome.greeter.flush();
                let ended = self.signalled.then(signal_exit);
                return Err(ended.unwrap_or(Exit::OK));
            }
            Way::Peers(peers) => receive(peers, cx)?,
        };
        if let Some(exit) = self.way.welcome().nobody_came(cx.now) {
            return Err(exit);
        }
        if clients.is_empty() {
            return Ok(step);
        }
        let clients = clients.into_iter();
        let sessions = clients.map(|client| self.session(client, cx.now));
        Ok(Step::Spawn(sessions.collect()))
    }
}

/// The clients that one turn gave, and what the task wants next if there are none.
type Arrivals = (Vec<Box<Arrival>>, Step<Exit>);

/// One turn at a listener; so many descriptors are kept free for each client.
fn accept(entrance: &mut Entrance, descriptors: usize, cx: Cx<'_>) -> Arrivals {
    let mut clients = Vec::new();
    for _ in 0..ARRIVALS {
        let mut client = match entrance.next_or_none(cx) {
            Next::Client(client) => client,
            Next::Pending => return (clients, Step::Wait),
            _ => continue,
        };
        if let Err(error) = client.reserve(descriptors) {
            // Those before it still have to use what is kept free for them.
            if !clients.is_empty() {
                entrance.hold(client, cx.now, &cx.registrar);
                break;
            }
            entrance.tell_shortage(&error);
            entrance.hold(client, cx.now + PAUSE, &cx.registrar);
            return (clients, Step::Wait);
        }
        entrance.greet(&client, &cx.registrar);
        clients.push(client);
    }
    (clients, Step::Again)
}

/// One turn at a datagram socket.
fn receive(peers: &mut Peers, cx: Cx<'_>) -> Result<Arrivals, Exit> {
    let mut clients = Vec::new();
    for _ in 0..ARRIVALS {
        match peers.next(cx)? {
            Next::Client(client) => clients.push(client),
            Next::Pending => return Ok((clients, Step::Wait)),
            _ => {}
        }
    }
    Ok((clients, Step::Again))
}

impl Drive<Exit> for Door {
    fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.way {
            Way::Streams(entrance) => entrance.note(id, ready),
            Way::Peers(peers) => peers.note(id, ready),
        }
    }

    fn notice(&mut self, notice: &Notice, _now: Instant) {
        match &mut self.way {
            Way::Streams(entrance) => entrance.notice(notice),
            Way::Peers(peers) => peers.notice(notice),
        }
        self.signalled |= matches!(notice, Notice::Ending);
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        self.turn(cx).unwrap_or_else(Step::Done)
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.way {
            Way::Streams(entrance) => entrance.deadline(),
            Way::Peers(peers) => peers.welcome.deadline(),
        }
    }
}
