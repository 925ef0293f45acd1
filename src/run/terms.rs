//! What all sessions of one work share.

use crate::net::open_error::OpenError;
use crate::net::prepared::Prepared;
use crate::net::race::Obstacle;
use crate::plan::{Base, Manners, Purpose, Rules};
use std::cell::Cell;
use std::rc::Rc;

/// The terms of sessions.
pub struct Terms {
    /// What is opened as our side; `None`: it is the peer of a listener, which is relayed.
    pub local: Option<Rc<Prepared>>,
    /// What is opened as the peer's side; `None`: it is the peer of a listener.
    pub remote: Option<Rc<Prepared>>,
    /// What is done with a remote side that is open.
    pub purpose: Purpose,
    /// What is done with the bytes.
    pub rules: Rules,
    /// How it is printed, and the exit codes.
    pub manners: Manners,
    /// The system's error number for what every client meets and none causes: a program that cannot
    /// be started, no descriptors left. `None` since an end was opened.
    pub shortage: Cell<Option<i32>>,
}

/// Descriptors it takes to start a program: both ends of two pipes, what watches it, and one that
/// std needs meanwhile; or as many for a terminal.
const TO_START: usize = 6;

impl Terms {
    /// Returns whether an end that cannot be opened is to be reported, which it is not again where
    /// it is the same for each client.
    pub fn is_news(&self, error: &OpenError) -> bool {
        match error {
            OpenError::Program(error) | OpenError::Obstacle(Obstacle::NoDescriptor(error)) => {
                let code = error.raw_os_error();
                self.shortage.replace(code) != code
            }
            _ => true,
        }
    }

    /// Returns whether the peers of a listener are relayed.
    pub fn relays(&self) -> bool {
        self.local.is_none()
    }

    /// Returns whether one side is the peer of a listener.
    pub fn has_client(&self) -> bool {
        self.local.is_none() || self.remote.is_none()
    }

    /// Returns whether a program is started for each peer of a listener.
    pub fn starts_programs(&self) -> bool {
        matches!(self.opened(), Some(Base::Program(_)))
    }

    /// Descriptors that it takes to open the other side of a listener's peer.
    pub fn descriptors(&self) -> usize {
        self.opened().map_or(0, |opened| match opened {
            Base::Stdio | Base::Builtin(_) => 0,
            Base::Ip { .. } | Base::Unix { .. } | Base::Vsock { .. } => 1,
            Base::Program(_) => TO_START,
        })
    }

    /// What is opened for a listener's peer.
    fn opened(&self) -> Option<&Base> {
        let opened = self.local.as_ref().or(self.remote.as_ref());
        opened.map(|opened| &opened.end().base)
    }
}
