//! Why a session is over.

use super::limits::Late;
use std::io;

/// Where a session broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Reading from or writing to the peer.
    Peer,
    /// Reading standard input, or from our client.
    Input,
    /// Writing standard output, or to our client.
    Output,
}

/// Why a session is over.
#[derive(Debug)]
pub enum Ended {
    /// Both directions ended, as far as the rules ask.
    Clean,
    /// The time after the end of standard input is over (`-q`), or all reads are used up (`-W`).
    Quit,
    /// A limit of time was reached.
    TimedOut(Late),
    /// A signal came.
    Signalled,
    /// As `Clean`, but an end was not confirmed: one that came over TLS without close_notify, which
    /// anyone on the way can make, or in the middle of an HTTP answer.
    Truncated(Place, io::Error),
    /// Something broke; bytes may be lost.
    Broken(Place, io::Error),
}

impl Ended {
    /// Returns whether the session came to its end by its own rules.
    pub fn is_regular(&self) -> bool {
        matches!(self, Ended::Clean | Ended::Quit | Ended::Truncated(..))
    }
}
