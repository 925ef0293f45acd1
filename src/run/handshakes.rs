//! TLS handshakes of clients, all at once, so that a slow one delays no other client.

use super::event::Event;
use super::words;
use crate::io::connection::Connection;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::net::labels::label;
use crate::net::listen::Arrived;
use crate::net::prepared::tls_limit;
use crate::net::tls::TlsAcceptor;
use crate::net::wrap::Wrap;
use crate::plan::{Limits, Listening, Net};
use crate::report;
use socket2::SockAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Handshakes at once. When one more begins, the oldest is given up: clients that connect and send
/// nothing keep no others out.
const MOST: usize = 1024;

/// Clients whose TLS handshake is under way.
pub struct Handshakes {
    server: TlsAcceptor,
    limit: Duration,
    is_single: bool,
    /// In the order they began, which is that of their deadlines.
    under_way: BTreeMap<Registered, Arriving>,
    /// Those that had an event, or are late.
    awake: BTreeSet<Registered>,
    has_failed: bool,
}

struct Arriving {
    wrap: Wrap,
    addr: SockAddr,
}

impl Handshakes {
    /// None yet.
    pub fn new(server: TlsAcceptor, listening: &Listening, limits: &Limits) -> Handshakes {
        Handshakes {
            server,
            limit: tls_limit(limits, None),
            is_single: listening.is_single(),
            under_way: BTreeMap::new(),
            awake: BTreeSet::new(),
            has_failed: false,
        }
    }

    /// What is shown to clients.
    pub fn server(&self) -> &TlsAcceptor {
        &self.server
    }

    /// Returns whether none is under way.
    pub fn are_over(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Returns whether one has failed.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Drops all.
    pub fn clear(&mut self) {
        self.under_way.clear();
        self.awake.clear();
    }

    /// Begins with an accepted client.
    ///
    /// # Errors
    /// Its socket cannot be registered.
    pub fn begin(&mut self, (sock, addr): Arrived, net: &Net, cx: Cx<'_>) -> io::Result<()> {
        if self.under_way.len() >= MOST {
            self.drop_longest(net);
        }
        let session = self.server.session().map_err(io::Error::other)?;
        let wrap = Wrap::new(Stream::new(sock), session, None, self.limit, cx)?;
        let id = wrap.id();
        self.under_way.insert(id, Arriving { wrap, addr });
        self.awake.insert(id);
        Ok(())
    }

    fn drop_longest(&mut self, net: &Net) {
        if let Some((_, dropped)) = self.under_way.pop_first() {
            let label = label(&dropped.addr, net);
            words::tell(&Event::HandshakeDropped(&label));
        }
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        if let Some(arriving) = self.under_way.get_mut(&id) {
            arriving.wrap.note(id, ready);
            self.awake.insert(id);
        }
    }

    /// Goes on with the handshakes; gives the connection of a client that has done its own, and
    /// where it is from.
    pub fn next(&mut self, net: &Net, now: Instant) -> Option<(Connection, SockAddr)> {
        let late = self.under_way.iter();
        let late = late.take_while(|(_, arriving)| now >= arriving.wrap.deadline());
        self.awake.extend(late.map(|(&id, _)| id));
        while let Some(id) = self.awake.pop_first() {
            let Some(arriving) = self.under_way.get_mut(&id) else {
                continue;
            };
            let Poll::Ready(wrapped) = arriving.wrap.drive(now) else {
                continue;
            };
            let Some(arriving) = self.under_way.remove(&id) else {
                continue;
            };
            self.has_failed |= wrapped.is_err();
            match wrapped {
                Ok(tls) => return Some((Connection::Tls(tls), arriving.addr)),
                Err(error) if self.is_single || report::is_verbose(1) => {
                    let label = label(&arriving.addr, net);
                    words::tell(&Event::HandshakeFailed(&label, &error, &self.server));
                }
                Err(_) => {}
            }
        }
        None
    }

    /// When the first of them has taken too long.
    pub fn deadline(&self) -> Option<Instant> {
        let longest = self.under_way.first_key_value();
        longest.map(|(_, arriving)| arriving.wrap.deadline())
    }
}
