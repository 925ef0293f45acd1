//! Those who watch the bytes of a flow, and leave them as they are.
//!
//! They see what is on the wire: what comes from a peer before the stages change it, and what goes
//! to one after they did. Since a watcher wants the bytes, the flow keeps them in memory.

use super::exchange::{Direction, Follower};
use crate::io::datagram::PeerAddr;
use crate::io::endpoint::Endpoint;

/// Watches bytes pass.
pub trait Tap {
    /// Bytes have passed: read at once, or written at once. `peer` is who sent or gets them where
    /// that may be another one each time.
    fn see(&mut self, bytes: &[u8], peer: Option<PeerAddr>);
}

/// Looks at bytes once.
pub type Look = Box<dyn FnOnce(&[u8])>;

/// The watchers of one flow.
#[derive(Default)]
pub struct Taps {
    /// Watches what is read from the source.
    pub reads: Option<Box<dyn Tap>>,
    /// Watches what the sink has taken.
    pub writes: Option<Box<dyn Tap>>,
    /// Looks at what is read first, and at nothing else: that is read into memory in any case.
    pub first: Option<Look>,
    /// Follows HTTP, and wants to see only some of the bytes.
    pub exchange: Option<Follower>,
}

impl Taps {
    /// Returns whether no watcher wants to see all of the bytes.
    pub fn is_empty(&self) -> bool {
        self.reads.is_none() && self.writes.is_none()
    }

    /// How many of the next bytes may pass unseen.
    pub fn unseen(&self) -> u64 {
        match &self.exchange {
            _ if !self.is_empty() => 0,
            Some(follower) => follower.unseen(),
            None => u64::MAX,
        }
    }

    /// Counts bytes that passed unseen.
    pub fn skip(&mut self, bytes: usize) {
        if let Some(follower) = &self.exchange {
            follower.skip(u64::try_from(bytes).unwrap_or(u64::MAX));
        }
    }

    /// Bytes were read from `source`, or before there was one.
    pub fn see_read(&mut self, bytes: &[u8], source: Option<&Endpoint>) {
        if let Some(look) = self.first.take() {
            look(bytes);
        }
        if let Some(tap) = &mut self.reads {
            tap.see(bytes, source.and_then(Endpoint::sender));
        }
        self.show(Direction::Received, bytes);
    }

    /// `sink` has taken bytes.
    pub fn see_written(&mut self, bytes: &[u8], sink: &Endpoint) {
        if let Some(tap) = &mut self.writes {
            tap.see(bytes, sink.peer());
        }
        self.show(Direction::Sent, bytes);
    }

    fn show(&self, direction: Direction, bytes: &[u8]) {
        if let Some(follower) = &self.exchange
            && follower.direction() == direction
        {
            follower.pass(bytes);
        }
    }
}
