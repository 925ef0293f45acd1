//! Probing a UDP port: with one datagram, or, as OpenBSD nc does, with two at once and then one a
//! second. Only a refusal (ICMP) is an answer; without one the port counts as open.

use super::dial::Connected;
use crate::io::reactor::Cx;
use crate::plan::UdpProbe;
use mio::Interest;
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

/// The pause between two datagrams.
const PAUSE: Duration = Duration::from_secs(1);

/// A UDP port that is being asked.
pub struct Probe {
    connected: Connected,
    asking: UdpProbe,
    next: Option<Instant>,
    until: Instant,
}

impl Probe {
    /// Begins to ask.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(connected: Connected, asking: UdpProbe, cx: Cx<'_>) -> io::Result<Probe> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        cx.registrar.register(connected.stream.fd(), interest)?;
        // Whether it arrived is seen later. A socket that leads to a group is not connected.
        let _ = send(&connected, asking);
        Ok(Probe {
            connected,
            asking,
            next: asking.is_repeated.then_some(cx.now),
            until: cx.now + asking.limit,
        })
    }

    /// Looks for a refusal, and sends the next datagram when it is time; ready when the time for a
    /// refusal is over.
    ///
    /// # Errors
    /// The refusal.
    pub fn look(&mut self, now: Instant) -> Poll<io::Result<()>> {
        let sock = self.connected.stream.socket();
        if let Ok(Some(refused)) = sock.take_error() {
            return Poll::Ready(Err(refused));
        }
        if self.next.is_some_and(|next| now >= next) {
            self.next = Some(now + PAUSE);
            if let Err(error) = send(&self.connected, self.asking)
                && error.kind() != io::ErrorKind::WouldBlock
            {
                return Poll::Ready(Err(error));
            }
        }
        if now < self.until {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }

    /// When the probe wants to be looked at even if nothing happens.
    pub fn deadline(&self) -> Instant {
        self.next.map_or(self.until, |next| next.min(self.until))
    }

    /// Gives back the connection.
    pub fn into_connected(self) -> Connected {
        self.connected
    }
}

fn send(connected: &Connected, asking: UdpProbe) -> io::Result<usize> {
    let to = connected.addr.into();
    connected.stream.socket().send_to(asking.datagram, &to)
}
