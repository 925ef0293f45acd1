//! Asking a UDP port whether somebody is there: with one datagram, or, as OpenBSD nc does, with two
//! at once and then one a second. Only a refusal (ICMP) is an answer; silence is taken for yes.

use crate::io::reactor::Registrar;
use crate::net::dial::Connected;
use crate::plan::UdpProbe;
use mio::Interest;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// The pause between two datagrams.
const PAUSE: Duration = Duration::from_secs(1);

/// A UDP port that is being asked.
pub struct Probe {
    connected: Connected,
    port: u16,
    asking: UdpProbe,
    next: Option<Instant>,
    until: Instant,
}

/// What a look at a probe came to.
pub enum Look {
    /// Not known yet.
    Wait,
    /// Nobody is there.
    Refused(io::Error),
    /// Nothing speaks against it.
    Open,
}

impl Probe {
    /// Begins to ask, with the socket registered under `slot`.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(
        connected: Connected,
        port: u16,
        asking: UdpProbe,
        slot: u16,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> io::Result<Probe> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        registrar.register(connected.sock.as_fd(), slot, interest)?;
        // Whether it arrived is seen later. A socket that leads to a group is not connected.
        let _ = send(&connected, asking);
        Ok(Probe {
            connected,
            port,
            asking,
            next: asking.is_repeated.then_some(now),
            until: now + asking.limit,
        })
    }

    /// Looks whether there is a refusal, and sends the next datagram when it is time.
    pub fn look(&mut self, now: Instant) -> Look {
        let sock = &self.connected.sock;
        if let Ok(Some(refused)) = sock.take_error() {
            return Look::Refused(refused);
        }
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + PAUSE);
            if let Err(error) = send(&self.connected, self.asking)
                && error.kind() != io::ErrorKind::WouldBlock
            {
                return Look::Refused(error);
            }
        }
        if now < self.until {
            Look::Wait
        } else {
            Look::Open
        }
    }

    /// When the probe wants to be looked at even if nothing happens.
    pub fn deadline(&self) -> Instant {
        self.next.map_or(self.until, |next| next.min(self.until))
    }

    /// The connection.
    pub fn connected(&self) -> &Connected {
        &self.connected
    }

    /// Gives back the connection, and the port it is to.
    pub fn into_connected(self) -> (Connected, u16) {
        (self.connected, self.port)
    }
}

fn send(connected: &Connected, asking: UdpProbe) -> io::Result<usize> {
    let to = connected.addr.into();
    connected.sock.send_to(asking.datagram, &to)
}
