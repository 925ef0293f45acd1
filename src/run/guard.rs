//! The access rules of a listener. A denied client is closed at once, without an answer.

use super::event::Event;
use super::words;
use crate::io::datagram::{Datagram, PeerAddr};
use crate::io::inbox::Notice;
use crate::net::access;
use crate::net::addr::{self, show_ip};
use crate::net::listen::Arrived;
use crate::net::unix;
use crate::plan::access::Access;
use crate::plan::access::Admission;
use crate::plan::{Listening, Manners};
use crate::report;
use socket2::Socket;
use std::sync::Arc;
use std::time::Duration;

/// Prints, with `-v`, whose datagrams were denied.
pub fn tell_refused(end: &mut Datagram) {
    if let Some(PeerAddr::Ip(ip)) = end.take_refused()
        && report::is_verbose(1)
    {
        let ip = addr::unmapped(ip);
        words::tell(&Event::Denied(&format!("{} {}", show_ip(&ip), ip.port())));
    }
}

/// Warns of sockets at which any host that reaches this machine can use a program.
pub fn warn_if_open(socks: &[Socket], access: &Access) {
    let is_open = |sock: &Socket| {
        let local = sock.local_addr().ok().and_then(|local| addr::ip(&local));
        local.is_some_and(|local| local.ip().is_unspecified())
    };
    if access.warns_if_open && socks.iter().any(is_open) {
        words::tell(&Event::OpenToAll);
    }
}

/// The access rules, as they are now.
pub struct Guard {
    rules: Arc<Admission>,
}

impl Guard {
    /// Reads the access rules.
    ///
    /// # Errors
    /// A file cannot be read, or a name not be looked up: `AccessError`.
    pub fn new(listening: &Listening) -> anyhow::Result<Guard> {
        let rules = access::load(&listening.access, listening.net.numeric)?;
        Ok(Guard {
            rules: Arc::new(rules),
        })
    }

    /// The rules as they are now.
    pub fn rules(&self) -> &Arc<Admission> {
        &self.rules
    }

    /// Takes in a notice; returns whether it brings new rules. They are for new clients only.
    pub fn notice(&mut self, notice: &Notice) -> bool {
        let Notice::Rules(rules) = notice else {
            return false;
        };
        self.rules = Arc::clone(rules);
        words::tell(&Event::AccessRead);
        true
    }

    /// Returns the client if the rules admit it; else it is reset, so that no TIME_WAIT stays.
    pub fn admit(&self, (sock, addr): Arrived, manners: &Manners) -> Option<Arrived> {
        let admits = match addr::ip(&addr) {
            Some(ip) => self.rules.admits_host(&ip),
            None => {
                let user = unix::credentials(&sock, &addr).map(|who| who.uid);
                self.rules.admits_user(user)
            }
        };
        if admits {
            return Some((sock, addr));
        }
        if report::is_verbose(1) {
            words::tell(&Event::Denied(&words::came(&sock, &addr, manners)));
        }
        // A socket that is closed without it is merely gone a little later.
        let _ = sock.set_linger(Some(Duration::ZERO));
        None
    }
}
