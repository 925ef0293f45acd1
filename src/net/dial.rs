//! Connecting over IP: name → addresses → one connection, to the host or to the proxy in front of it.
//!
//! ```text
//! Looking (names up) ──► Racing ──► done
//! ```

use super::lookup::{Found, Lookup, Unknown};
use super::news::News;
use super::race::{Hop, Lost, Obstacle, Race, Unreached};
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::plan::End;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Instant;

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// A name could not be looked up.
    Name(Unknown),
    /// No address could be connected to.
    Connect(Unreached),
    /// No address can work.
    Obstacle(Obstacle),
}

/// A connection.
#[derive(Debug)]
pub struct Connected {
    /// The socket; of UDP it is only carried as a stream.
    pub stream: Stream,
    /// The address connected to: the peer's, or the proxy's.
    pub addr: SocketAddr,
}

/// Makes one connection.
pub struct Dialer {
    /// Names that are still being looked up.
    lookup: Option<Lookup>,
    race: Race,
    /// The address of the target, where the proxy has to be told that.
    target: Option<IpAddr>,
}

impl Dialer {
    /// A dialer to a port of the host of an end.
    pub fn new(target: Hop, end: &Rc<End>) -> Dialer {
        Dialer {
            lookup: Some(Lookup::new(target, end)),
            race: Race::new(end),
            target: None,
        }
    }

    /// The same where the names have been looked up, for whatever port.
    pub fn knowing(port: u16, end: &Rc<End>, found: &Found) -> Dialer {
        let mut dialer = Dialer {
            lookup: None,
            race: Race::new(end),
            target: None,
        };
        let mut found = found.clone();
        if end.proxy().is_none() {
            for addr in &mut found.hop {
                addr.set_port(port);
            }
        }
        dialer.begin_race(found);
        dialer
    }

    /// Dials this address once more.
    pub fn again(&mut self, addr: SocketAddr) {
        self.race.enter(vec![addr]);
    }

    /// The address of the target, where it was looked up although a proxy is dialed.
    pub fn target(&self) -> Option<IpAddr> {
        self.target
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.race.note(id, ready);
    }

    /// Takes in a notice: the addresses that were asked for.
    pub fn notice(&mut self, notice: &Notice) {
        if let Some(lookup) = &mut self.lookup {
            lookup.notice(notice);
        }
    }

    /// What there is to print by now; nothing without `-v`.
    pub fn take_news(&mut self) -> Vec<News> {
        self.race.take_news()
    }

    /// The addresses that failed so far, when the time for all of them has run out.
    pub fn ran_out(&mut self) -> Unreached {
        Unreached {
            ran_out: true,
            ..self.race.unreached()
        }
    }

    /// When the dialer wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.race.deadline()
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// There is no connection.
    pub fn drive(&mut self, cx: Cx<'_>) -> Poll<Result<Connected, DialError>> {
        if let Some(lookup) = &mut self.lookup {
            let found = ready!(lookup.drive(&cx.registrar));
            self.begin_race(found.map_err(DialError::Name)?);
        }
        let raced = ready!(self.race.drive(cx));
        Poll::Ready(match raced {
            Ok((stream, addr)) => Ok(Connected { stream, addr }),
            Err(Lost::Obstacle(obstacle)) => Err(DialError::Obstacle(obstacle)),
            Err(Lost::All(unreached)) => Err(DialError::Connect(unreached)),
        })
    }

    fn begin_race(&mut self, found: Found) {
        self.lookup = None;
        self.target = found.target;
        self.race.set_source(found.source);
        self.race.enter(found.hop);
    }
}
