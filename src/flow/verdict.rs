//! Is the session over? One pure function over the states of the two flows; everything that the
//! dialects do differently at the end of a stream is a value here.

use super::flow::FlowState;
use crate::plan::{Ends, Until};
use std::time::Duration;

/// What `verdict` looks at in a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowStatus {
    /// Where the flow is.
    pub state: FlowState,
    /// Something waits to be written.
    pub pending: bool,
}

/// Whether a session goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    GoOn,
    /// It is over when nothing has moved for that long.
    QuitAfter(Duration),
    /// It is over that long after this was first so.
    Linger(Duration),
    /// It is over.
    Over,
}

/// Judges a session by its flow towards the peer, `out`, and its flow from the peer, `inn`.
pub fn verdict(out: FlowStatus, inn: FlowStatus, ends: &Ends) -> Verdict {
    let peer_ended = inn.state == FlowState::Closed;
    let input_ended = out.state == FlowState::Closed;
    let over = match ends.until {
        Until::Never => false,
        Until::Both => peer_ended && input_ended,
        Until::Peer => peer_ended && !out.pending,
        Until::Stdin => input_ended && !inn.pending,
    };
    match (over, ends.linger, ends.quit) {
        (true, Some(linger), _) => Verdict::Linger(linger),
        (true, None, _) => Verdict::Over,
        (false, _, Some(quiet)) if input_ended && !inn.pending => Verdict::QuitAfter(quiet),
        (false, _, _) => Verdict::GoOn,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FlowState::{Closed, Draining, Open};

    const NATIVE: Ends = Ends::BOTH;

    fn judge(out: (FlowState, bool), inn: (FlowState, bool), ends: &Ends) -> Verdict {
        let way = |(state, pending)| FlowStatus { state, pending };
        verdict(way(out), way(inn), ends)
    }

    #[test]
    fn both_waits_for_both_directions() {
        assert_eq!(
            judge((Open, false), (Closed, false), &NATIVE),
            Verdict::GoOn
        );
        assert_eq!(
            judge((Closed, false), (Open, false), &NATIVE),
            Verdict::GoOn
        );
        assert_eq!(
            judge((Draining, true), (Closed, false), &NATIVE),
            Verdict::GoOn
        );
        assert_eq!(
            judge((Closed, false), (Closed, false), &NATIVE),
            Verdict::Over
        );
    }

    #[test]
    fn peer_end_is_the_end_once_everything_is_sent() {
        let ends = Ends {
            until: Until::Peer,
            ..NATIVE
        };
        assert_eq!(judge((Open, true), (Closed, false), &ends), Verdict::GoOn);
        assert_eq!(judge((Open, false), (Closed, false), &ends), Verdict::Over);
        assert_eq!(judge((Open, false), (Draining, true), &ends), Verdict::GoOn);
    }

    #[test]
    fn quit_counts_from_the_end_of_input() {
        let ends = Ends {
            quit: Some(Duration::from_secs(2)),
            ..NATIVE
        };
        let quit = Verdict::QuitAfter(Duration::from_secs(2));
        assert_eq!(judge((Open, false), (Open, false), &ends), Verdict::GoOn);
        assert_eq!(judge((Draining, true), (Open, false), &ends), Verdict::GoOn);
        assert_eq!(judge((Closed, false), (Open, false), &ends), quit);
        assert_eq!(
            judge((Closed, false), (Closed, false), &ends),
            Verdict::Over
        );
    }

    #[test]
    fn quit_never_drops_a_reply_that_waits_for_stdout() {
        let ends = Ends {
            quit: Some(Duration::ZERO),
            ..NATIVE
        };
        assert_eq!(judge((Closed, false), (Open, true), &ends), Verdict::GoOn);
    }

    #[test]
    fn stdin_end_is_the_end_of_a_sender() {
        let ends = Ends {
            until: Until::Stdin,
            ..NATIVE
        };
        assert_eq!(judge((Closed, false), (Open, false), &ends), Verdict::Over);
        assert_eq!(
            judge((Draining, true), (Closed, false), &ends),
            Verdict::GoOn
        );
    }

    #[test]
    fn never_stays() {
        let ends = Ends {
            until: Until::Never,
            ..NATIVE
        };
        assert_eq!(
            judge((Closed, false), (Closed, false), &ends),
            Verdict::GoOn
        );
    }

    #[test]
    fn nc_client_lingers_after_both_ends() {
        let ends = Ends {
            linger: Some(Duration::from_secs(1)),
            ..NATIVE
        };
        let linger = Verdict::Linger(Duration::from_secs(1));
        assert_eq!(judge((Closed, false), (Closed, false), &ends), linger);
        assert_eq!(judge((Closed, false), (Open, false), &ends), Verdict::GoOn);
    }
}
