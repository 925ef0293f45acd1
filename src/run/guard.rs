//! Lets those in who may come in. Who may not is closed at once, and hears nothing.

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

/// Says, with `-v`, whose datagrams were dropped.
pub fn tell_refused(end: &mut Datagram) {
    if let Some(PeerAddr::Ip(ip)) = end.take_refused()
        && report::is_verbose(1)
    {
        let ip = addr::unmapped(ip);
        words::tell(&Event::Denied(&format!("{} {}", show_ip(&ip), ip.port())));
    }
}

/// Warns of sockets at which all hosts may come in that can reach this machine, where that is
/// worth a warning.
pub fn warn_if_open(socks: &[Socket], access: &Access) {
    let is_open = |sock: &Socket| {
        let local = sock.local_addr().ok().and_then(|local| addr::ip(&local));
        local.is_some_and(|local| local.ip().is_unspecified())
    };
    if access.warns_if_open && socks.iter().any(is_open) {
        words::tell(&Event::OpenToAll);
    }
}

/// Who may come in, now.
pub struct Guard {
    rules: Arc<Admission>,
}

impl Guard {
    /// Finds out who may come in.
    ///
    /// # Errors
    /// A list of hosts cannot be had: `AccessError`.
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

    /// Takes in new rules; says whether there are some. Who is in already, stays.
    pub fn notice(&mut self, notice: &Notice) -> bool {
        let Notice::Rules(rules) = notice else {
            return false;
        };
        self.rules = Arc::clone(rules);
        words::tell(&Event::AccessRead);
        true
    }

    /// Lets a client in, or turns it away: with a reset, so that nothing of it stays behind.
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
