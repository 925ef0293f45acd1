//! Whose messages a datagram socket receives.

use super::peer_addr::{PeerAddr, is_own, is_same_peer};
use crate::plan::access::Admission;
use rustix::net::SocketAddrAny;
use std::net::SocketAddr;
use std::sync::Arc;

/// Whose messages are received; the others are dropped, as if they had not come.
#[derive(Debug, Default)]
pub struct Senders {
    /// The only peer to receive from. Datagrams that were queued before the socket was connected
    /// may be of others: connect(2) leaves them in the queue.
    only: Option<PeerAddr>,
    /// The address of the socket, where it has many peers: what comes from there is not heard.
    own: Option<PeerAddr>,
    /// The access rules; `None` admits everybody.
    rules: Option<Arc<Admission>>,
    /// The last peer that was denied, and whether the user is still to be told.
    refused: Option<(SocketAddrAny, bool)>,
}

impl Senders {
    /// Receives the messages of one peer, or of all where there is no such one.
    pub fn of(only: Option<PeerAddr>) -> Senders {
        Senders {
            only,
            ..Senders::default()
        }
    }

    /// Receives the messages of this peer alone from now on.
    pub fn set_only(&mut self, peer: PeerAddr) {
        self.only = Some(peer);
    }

    /// Returns whether there is one peer to receive from.
    pub fn is_of_one(&self) -> bool {
        self.only.is_some()
    }

    /// Drops what comes from `own`, the address of the socket.
    pub fn drop_own(&mut self, own: Option<PeerAddr>) {
        self.own = own;
    }

    /// Sets the access rules: datagrams of peers they deny are dropped.
    pub fn set_rules(&mut self, rules: &Arc<Admission>) {
        self.rules = rules.limits_hosts().then(|| Arc::clone(rules));
    }

    /// A peer that wrote although it may not, and was not the last to do so.
    pub fn take_refused(&mut self) -> Option<PeerAddr> {
        let (peer, is_news) = self.refused.as_mut()?;
        std::mem::take(is_news).then(|| PeerAddr::from(peer.clone()))
    }

    /// Returns whether a message is received: it is of the only peer, if there is one, not of this
    /// socket itself, and of a host that may write.
    pub fn admits(&mut self, from: Option<&SocketAddrAny>) -> bool {
        if let Some(only) = &self.only {
            return from.is_some_and(|from| is_same_peer(from, only));
        }
        let Some(from) = from else { return true };
        if self.own.as_ref().is_some_and(|own| is_own(from, own)) {
            return false;
        }
        let Some(rules) = &self.rules else {
            return true;
        };
        // The rules are about hosts; who is none is not met by them.
        let addr = SocketAddr::try_from(from.clone());
        if addr.is_ok_and(|addr| !rules.admits_host(&addr)) {
            let is_news = self.refused.as_ref().is_none_or(|(last, _)| last != from);
            if is_news {
                self.refused = Some((from.clone(), true));
            }
            return false;
        }
        true
    }
}
