//! How long the end of what is sent is held back from the peer, once all of it is sent: a pure
//! function of what has passed so far.

use crate::plan::PassEnd;
use std::time::Duration;

/// So much sent without a byte in return goes to a peer that stores it, and needs to see the end.
const UPLOAD_BYTES: u64 = 64 << 10;
/// How long an HTTP server may take to begin its answer. One that reads up to the end first begins
/// none before it has seen that.
const FIRST_ANSWER: Duration = Duration::from_secs(30);

/// How long a peer counts as answering while what it sent waits for standard output. It may wait
/// for our end itself.
pub const BLOCKED: Duration = Duration::from_secs(15);

/// How far a request whose answer has a known end has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// No such request was sent.
    Unknown,
    /// Not a byte of it has come.
    Awaited,
    /// A part of it has come.
    Begun,
    /// It is whole, and so are those of all other requests sent.
    Whole,
}

/// What has passed between us and the peer.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// Bytes sent.
    pub sent: u64,
    /// Some byte was received.
    pub has_heard: bool,
    /// What is known of the answer.
    pub answer: Answer,
}

/// How long the peer has to be silent before the end is passed on; `None`: that is no reason to.
pub fn patience(pass_end: PassEnd, passed: Passed) -> Option<Duration> {
    match (pass_end, passed.answer) {
        (PassEnd::Now, _) => Some(Duration::ZERO),
        (PassEnd::Never, _) => None,
        (PassEnd::WhenQuiet(_), Answer::Whole) => Some(Duration::ZERO),
        (PassEnd::WhenQuiet(_), Answer::Awaited) => Some(FIRST_ANSWER),
        (PassEnd::WhenQuiet(_), Answer::Begun) => None,
        (PassEnd::WhenQuiet(quiet), Answer::Unknown) => {
            let is_upload = passed.sent > UPLOAD_BYTES && !passed.has_heard;
            Some(if is_upload { Duration::ZERO } else { quiet })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: PassEnd = PassEnd::WhenQuiet(Duration::from_secs(1));

    fn patience_of(pass_end: PassEnd, sent: u64, has_heard: bool, answer: Answer) -> Option<u64> {
        let passed = Passed {
            sent,
            has_heard,
            answer,
        };
        patience(pass_end, passed).map(|time| time.as_secs())
    }

    #[test]
    fn now_and_never_look_at_nothing() {
        for answer in [Answer::Unknown, Answer::Begun, Answer::Whole] {
            assert_eq!(patience_of(PassEnd::Now, 1, true, answer), Some(0));
            assert_eq!(patience_of(PassEnd::Never, 1, true, answer), None);
        }
    }

    #[test]
    fn a_request_waits_for_quiet_and_an_upload_does_not() {
        assert_eq!(patience_of(QUIET, 65_536, false, Answer::Unknown), Some(1));
        assert_eq!(patience_of(QUIET, 65_537, false, Answer::Unknown), Some(0));
        assert_eq!(patience_of(QUIET, 65_537, true, Answer::Unknown), Some(1));
    }

    #[test]
    fn an_http_answer_is_waited_for_to_its_end() {
        assert_eq!(
            patience_of(QUIET, 1 << 20, false, Answer::Awaited),
            Some(30)
        );
        assert_eq!(patience_of(QUIET, 100, true, Answer::Begun), None);
        assert_eq!(patience_of(QUIET, 100, true, Answer::Whole), Some(0));
    }
}
