//! How long the end of what is sent is held back from the peer, once all of it is sent.

use super::exchange::{AnswerState, Exchange};
use super::flow::Flow;
use crate::io::endpoint::Endpoint;
use crate::plan::{Ends, PassEnd};
use std::time::{Duration, Instant};

/// So much sent without a byte in return goes to a peer that stores it, and needs to see the end.
const UPLOAD_BYTES: u64 = 64 << 10;
/// How long an HTTP server may take to begin its answer. One that reads up to the end first begins
/// none before it has seen that.
const FIRST_ANSWER: Duration = Duration::from_secs(30);
/// How long a peer counts as answering while what it sent waits for standard output. It may wait
/// for our end itself.
const BLOCKED: Duration = Duration::from_secs(15);

/// The end that a client holds back from its peer.
pub struct Hold {
    /// Since when there is no reason known to wait longer.
    since: Instant,
    /// When the end was passed on; the peer's answer to it may still come.
    passed: Option<Instant>,
    /// What is known of the HTTP that is spoken, if that is followed.
    exchange: Option<Exchange>,
}

/// What a session has moved so far, from which its silence is judged.
pub struct Traffic<'a> {
    /// Bytes sent to the peer.
    pub sent: u64,
    /// The flow from the peer.
    pub inn: &'a Flow,
    /// The peer's end.
    pub remote: &'a Endpoint,
    /// When a byte last moved.
    pub last: Instant,
}

impl Hold {
    /// Holds nothing back longer than the rules say.
    pub fn new(now: Instant) -> Hold {
        Hold {
            since: now,
            passed: None,
            exchange: None,
        }
    }

    /// Waits for the answers that `exchange` knows of.
    pub fn follow(&mut self, exchange: Exchange) {
        self.exchange = Some(exchange);
    }

    /// What is followed.
    pub fn exchange(&self) -> Option<&Exchange> {
        self.exchange.as_ref()
    }

    /// When the end is to be passed on, unless the peer turns out not to be silent.
    pub fn due(&self, rules: &Ends, traffic: &Traffic<'_>) -> Option<Instant> {
        let patience = self.patience(rules, traffic)?;
        // A peer that has only fallen silent could not answer any more.
        let may_pass = patience.is_zero() || traffic.remote.keeps_half_close();
        may_pass.then(|| traffic.last.max(self.since) + patience)
    }

    /// Returns whether the end, which is due, is to be passed on. Quiet begins when the peer has
    /// everything; one whose bytes wait for standard output may be in the middle of an answer.
    pub fn is_over(&self, rules: &Ends, traffic: &Traffic<'_>, now: Instant) -> bool {
        if self.patience(rules, traffic) == Some(Duration::ZERO) {
            return true;
        }
        let waits = traffic.inn.is_pending() || traffic.remote.has_unread();
        let is_blocked = waits && now < traffic.last + BLOCKED;
        !is_blocked && traffic.remote.unsent() == 0
    }

    /// Counts from now on: the peer was not silent.
    pub fn begin_anew(&mut self, now: Instant) {
        self.since = now;
    }

    /// The end has been passed on.
    pub fn note_passed(&mut self, now: Instant) {
        self.passed = Some(now);
    }

    /// When the end was passed on, if it has been.
    pub fn passed(&self) -> Option<Instant> {
        self.passed
    }

    fn patience(&self, rules: &Ends, traffic: &Traffic<'_>) -> Option<Duration> {
        let exchange = self.exchange.as_ref();
        let exchange = exchange.filter(|_| rules.waits_for_answers);
        let answer = exchange.map_or(AnswerState::Unknown, Exchange::answer);
        patience(rules.pass_end, traffic.sent, traffic.inn.moved(), answer)
    }
}

/// How long the peer has to be silent before the end is passed on; `None`: that is no reason to.
/// `sent` and `received` are bytes.
fn patience(pass_end: PassEnd, sent: u64, received: u64, answer: AnswerState) -> Option<Duration> {
    match (pass_end, answer) {
        (PassEnd::Now, _) => Some(Duration::ZERO),
        (PassEnd::Never, _) => None,
        (PassEnd::WhenQuiet(_), AnswerState::Whole) => Some(Duration::ZERO),
        (PassEnd::WhenQuiet(_), AnswerState::Awaited) => Some(FIRST_ANSWER),
        (PassEnd::WhenQuiet(_), AnswerState::Begun) => None,
        (PassEnd::WhenQuiet(quiet), AnswerState::Unknown) => {
            let is_upload = sent > UPLOAD_BYTES && received == 0;
            Some(if is_upload { Duration::ZERO } else { quiet })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: PassEnd = PassEnd::WhenQuiet(Duration::from_secs(1));

    fn patience_of(
        pass_end: PassEnd,
        sent: u64,
        has_heard: bool,
        answer: AnswerState,
    ) -> Option<u64> {
        patience(pass_end, sent, u64::from(has_heard), answer).map(|time| time.as_secs())
    }

    #[test]
    fn now_and_never_look_at_nothing() {
        for answer in [AnswerState::Unknown, AnswerState::Begun, AnswerState::Whole] {
            assert_eq!(patience_of(PassEnd::Now, 1, true, answer), Some(0));
            assert_eq!(patience_of(PassEnd::Never, 1, true, answer), None);
        }
    }

    #[test]
    fn a_request_waits_for_quiet_and_an_upload_does_not() {
        assert_eq!(
            patience_of(QUIET, 65_536, false, AnswerState::Unknown),
            Some(1)
        );
        assert_eq!(
            patience_of(QUIET, 65_537, false, AnswerState::Unknown),
            Some(0)
        );
        assert_eq!(
            patience_of(QUIET, 65_537, true, AnswerState::Unknown),
            Some(1)
        );
    }

    #[test]
    fn an_http_answer_is_waited_for_to_its_end() {
        assert_eq!(
            patience_of(QUIET, 1 << 20, false, AnswerState::Awaited),
            Some(30)
        );
        assert_eq!(patience_of(QUIET, 100, true, AnswerState::Begun), None);
        assert_eq!(patience_of(QUIET, 100, true, AnswerState::Whole), Some(0));
    }
}
