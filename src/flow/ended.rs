//! Why a session is over.

use super::exchange::{AnswerState, Exchange};
use super::flow::{Fault, Flow};
use super::limits::Late;
use crate::io::error;
use crate::plan::Ends;
use crate::sys::signal;
use std::io;

/// Where a session broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokenEnd {
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
    Truncated(BrokenEnd, io::Error),
    /// Something broke; bytes may be lost.
    Broken(BrokenEnd, io::Error),
}

impl Ended {
    /// Returns whether the session came to its end by its own rules.
    pub fn is_regular(&self) -> bool {
        matches!(self, Ended::Clean | Ended::Quit | Ended::Truncated(..))
    }

    /// Returns whether it is such an end, and nothing was missing.
    pub fn is_clean(&self) -> bool {
        matches!(self, Ended::Clean | Ended::Quit)
    }

    /// Returns whether such an end may come in the middle of a stream.
    pub fn cuts_off(&self, ends: &Ends) -> bool {
        match self {
            Ended::Clean | Ended::Quit | Ended::Truncated(..) => false,
            Ended::TimedOut(late) => !late.is_wanted() && !ends.time_limit_is_end,
            Ended::Signalled => !(ends.user_may_end && signal::is_of_terminal()),
            // The peer has broken it, or TLS has said why.
            Ended::Broken(end, _) => *end != BrokenEnd::Peer,
        }
    }

    /// What broke one of two flows, or is missing of an answer. A reader of standard output that
    /// has had enough is no fault.
    pub fn by_fault(out: &Flow, inn: &Flow, exchange: Option<&Exchange>) -> Option<Ended> {
        let is_whole = exchange.is_some_and(|exchange| exchange.answer() == AnswerState::Whole);
        let (end, error) = match (inn.fault(), out.fault()) {
            (Some(Fault::Sink(error)), _) if error.kind() != io::ErrorKind::BrokenPipe => {
                (BrokenEnd::Output, error)
            }
            (Some(fault @ Fault::Source(error)), _) if !fault.is_truncation() => {
                (BrokenEnd::Peer, error)
            }
            (_, Some(Fault::Sink(error))) => (BrokenEnd::Peer, error),
            (_, Some(fault @ Fault::Source(error))) if !fault.is_truncation() => {
                (BrokenEnd::Input, error)
            }
            // An answer known to be whole needs no close_notify.
            (Some(Fault::Source(_)), _) if is_whole => return None,
            (Some(Fault::Source(error)), _) => return Some(truncated(BrokenEnd::Peer, error)),
            (_, Some(Fault::Source(error))) => return Some(truncated(BrokenEnd::Input, error)),
            _ => {
                let missing = exchange.filter(|_| inn.is_complete())?.missing();
                return missing.map(|error| Ended::Truncated(BrokenEnd::Peer, error));
            }
        };
        Some(Ended::Broken(end, error::copy(error)))
    }
}

fn truncated(end: BrokenEnd, error: &io::Error) -> Ended {
    Ended::Truncated(end, error::copy(error))
}
