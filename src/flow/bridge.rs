//! A session between two ends: ours (`local`: standard input and output, or the client of a relay)
//! and the peer (`remote`), joined by two flows, `out` towards the peer and `inn` from it.

mod watch;

pub use super::draining::GRACE;
pub use super::ended::{BrokenEnd, Ended};

use super::draining::Draining;
use super::exchange::Exchange;
use super::flow::{Fault, Flow, FlowState, Moved};
use super::hold::{Hold, Traffic};
use super::limits::{Budget, Late};
use super::liveness::Liveness;
use super::verdict::{FlowStatus, Verdict, verdict};
use crate::io::endpoint::Endpoint;
use crate::io::reactor::Registered;
use crate::io::ready::Ready;
use crate::plan::{Ends, Limits};
use crate::sys::errno;
use std::io;
use std::time::Instant;

/// What one drive of a bridge came to, or of a session; `E` is how it ends.
#[derive(Debug)]
pub enum Turn<E = Ended> {
    /// Nothing can be moved until something happens.
    Wait,
    /// There may be more to move: come again.
    Again,
    /// The session is over.
    Over(E),
}

/// A session.
pub struct Bridge {
    local: Endpoint,
    remote: Endpoint,
    out: Flow,
    inn: Flow,
    ends: Ends,
    limits: Limits,
    budget: Option<Budget>,
    /// Since when it counts, once there is a peer.
    began: Option<Instant>,
    /// When a byte last moved, or a direction ended.
    last: Instant,
    /// Since when the verdict has been that the session is over but for lingering.
    over_since: Option<Instant>,
    /// Bytes sent when the peer's end came.
    sent_at_peer_end: Option<u64>,
    /// What holds back the end of `out`.
    hold: Hold,
    /// Whether the peer, and our client, still acknowledge what they are sent.
    liveness: [Liveness; 2],
    draining: Option<Draining>,
    /// A due end has been checked once more against what the loop knows.
    rechecked: bool,
}

impl Bridge {
    /// Joins two ends.
    pub fn new(
        (local, remote): (Endpoint, Endpoint),
        (mut out, mut inn): (Flow, Flow),
        ends: Ends,
        limits: Limits,
        now: Instant,
    ) -> Bridge {
        let budget = limits.bytes.map(Budget::new);
        if let Some(budget) = &budget {
            inn.limit(budget);
            out.limit(budget);
        }
        let began = remote.has_peer().then_some(now);
        Bridge {
            local,
            remote,
            out,
            inn,
            ends,
            limits,
            budget,
            began,
            last: now,
            over_since: None,
            sent_at_peer_end: None,
            hold: Hold::new(now),
            liveness: Default::default(),
            draining: None,
            rechecked: false,
        }
    }

    /// Counts the time for the whole connection from `began` on, which was before this.
    pub fn count_from(&mut self, began: Instant) {
        self.began = Some(began);
    }

    /// Waits for the HTTP answers that followers in the two flows know of.
    pub fn follow(&mut self, exchange: Exchange) {
        self.hold.follow(exchange);
    }

    /// Gives both ends back, ours first.
    pub fn into_ends(self) -> [Endpoint; 2] {
        [self.local, self.remote]
    }

    /// Both ends, ours first.
    pub fn ends(&self) -> [&Endpoint; 2] {
        [&self.local, &self.remote]
    }

    /// Our own end.
    pub fn local(&mut self) -> &mut Endpoint {
        &mut self.local
    }

    /// The peer's end.
    pub fn remote(&mut self) -> &mut Endpoint {
        &mut self.remote
    }

    /// Returns whether it has had all the bytes it may have.
    pub fn is_used_up(&self) -> bool {
        self.budget.as_ref().is_some_and(Budget::is_used_up)
    }

    /// Bytes written to the peer and bytes received from it, so far.
    pub fn moved(&self) -> (u64, u64) {
        (self.out.moved(), self.inn.moved())
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.local.note(id, ready);
        self.remote.note(id, ready);
    }

    /// Begins to leave: delivers what has been received, within a second, then is over with
    /// `why`. A second call leaves at once.
    pub fn leave(&mut self, why: Ended, now: Instant) {
        let mut draining = Draining::new(why, now);
        if self.draining.is_some() {
            draining.hurry(now);
        }
        self.draining = Some(draining);
        self.out.end_source();
        // What a signal or a timeout cuts off is not to be taken for whole.
        self.out.hold_end();
    }

    /// Moves what can be moved and judges the session.
    pub fn drive(&mut self, now: Instant) -> Turn {
        let (out_before, inn_before) = (self.out.state(), self.inn.state());
        let moved = self.pump(now);
        self.watch_ends(now);
        if self.began.is_none() && self.remote.has_peer() {
            self.began = Some(now);
        }
        let changed = (out_before, inn_before) != (self.out.state(), self.inn.state());
        if moved != Moved::Nothing || changed {
            self.last = now;
            self.rechecked = false;
        }
        if self.draining.is_some() {
            return self.drive_draining(moved, now);
        }
        self.pass_end_if_due(now);
        if let Some(ended) = self.judge(now) {
            // Whatever can be read by now comes out first: a reply is never dropped.
            if self.inn.state() == FlowState::Open && !self.rechecked {
                self.rechecked = true;
                return Turn::Again;
            }
            return self.part(ended, now);
        }
        match moved {
            Moved::Budget => Turn::Again,
            Moved::Some if self.local.changes_unseen() => Turn::Again,
            _ if changed => Turn::Again,
            _ => Turn::Wait,
        }
    }

    /// The session is over, but for bytes on their way that closing an end now would discard.
    fn part(&mut self, ended: Ended, now: Instant) -> Turn {
        // A session that is done, also when one direction is still open, was not cut off.
        if ended.is_clean() {
            self.local.say_goodbye();
            self.remote.say_goodbye();
        }
        if self.unsent(&ended) > 0 {
            self.draining = Some(Draining::new(ended, now));
            return Turn::Wait;
        }
        self.over(ended)
    }

    /// The session is over. What is cut off looks cut off, to both sides.
    fn over(&mut self, ended: Ended) -> Turn {
        if ended.cuts_off(&self.ends) && !self.is_delivered() {
            self.local.cut_off();
            self.remote.cut_off();
        }
        Turn::Over(ended)
    }

    /// Returns whether something that was read is not written yet.
    fn is_pending(&self) -> bool {
        self.out.is_pending() || self.inn.is_pending()
    }

    /// Returns whether all that we had to say has been said, and has arrived in both directions.
    fn is_delivered(&self) -> bool {
        let has_said_all = self.out.is_complete() || !self.local.has_input();
        let unsent = self.remote.unsent() + self.local.unsent();
        has_said_all && !self.is_pending() && unsent == 0
    }

    /// Returns whether the peer has got all that we had to say, and its end.
    pub fn has_sent_all(&self) -> bool {
        self.out.is_complete()
    }

    /// When the session wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        if let Some(draining) = &self.draining {
            return Some(draining.deadline());
        }
        let judged = match self.verdict() {
            Verdict::QuitAfter(quiet) => Some(self.last + quiet),
            Verdict::Linger(linger) => self.over_since.map(|since| since + linger),
            Verdict::GoOn | Verdict::Over => None,
        };
        let [peer, client] = &self.liveness;
        let all = [
            judged,
            self.time_limit().map(|(at, _)| at),
            self.out.paused_until(),
            self.inn.paused_until(),
            self.end_due(),
            peer.deadline(),
            client.deadline(),
        ];
        all.into_iter().flatten().min()
    }

    /// When the end that `out` holds is to be passed on, as far as is known.
    fn end_due(&self) -> Option<Instant> {
        let is_held = self.out.is_holding_end();
        is_held.then(|| self.hold.due(&self.ends, &self.traffic()))?
    }

    fn pass_end_if_due(&mut self, now: Instant) {
        if self.end_due().is_none_or(|due| now < due) {
            return;
        }
        if self.hold.is_over(&self.ends, &self.traffic(), now) {
            self.out.pass_end(&mut self.remote);
            self.hold.note_passed(now);
        } else {
            self.hold.begin_anew(now);
        }
    }

    fn traffic(&self) -> Traffic<'_> {
        Traffic {
            sent: self.out.moved(),
            inn: &self.inn,
            remote: &self.remote,
            last: self.last,
        }
    }

    /// One turn of each flow. `inn` comes first: what it brings may open the way for `out`, such as
    /// a first datagram, whose sender is to be answered.
    fn pump(&mut self, now: Instant) -> Moved {
        let mut back = std::mem::take(self.out.urgent());
        let inn = self
            .inn
            .pump(&mut self.remote, &mut self.local, &mut back, now);
        let had_answers = !back.is_empty();
        *self.out.urgent() = back;
        let out = self
            .out
            .pump(&mut self.local, &mut self.remote, &mut Vec::new(), now);
        // The flow from the peer may have stopped for want of room for its answers.
        let has_room_again = had_answers && self.out.urgent().is_empty();
        match (inn, out) {
            _ if has_room_again => Moved::Budget,
            (Moved::Budget, _) | (_, Moved::Budget) => Moved::Budget,
            (Moved::Nothing, Moved::Nothing) => Moved::Nothing,
            _ => Moved::Some,
        }
    }

    fn verdict(&self) -> Verdict {
        let way = |flow: &Flow| FlowStatus {
            state: flow.state(),
            pending: flow.is_pending(),
        };
        verdict(way(&self.out), way(&self.inn), &self.ends)
    }

    fn judge(&mut self, now: Instant) -> Option<Ended> {
        let verdict = self.verdict();
        let ended = match verdict {
            Verdict::Over => Some(Ended::Clean),
            Verdict::Linger(linger) => {
                let since = *self.over_since.get_or_insert(now);
                (now >= since + linger).then_some(Ended::Clean)
            }
            Verdict::QuitAfter(quiet) => (now >= self.last + quiet).then(|| self.quit()),
            Verdict::GoOn => None,
        };
        if let Some(ended) = ended {
            return Some(self.name_fault().unwrap_or(ended));
        }
        if self.inn.has_used_up_reads() && self.inn.state() == FlowState::Closed {
            return (!self.out.is_pending()).then_some(Ended::Quit);
        }
        let are_closed = [&self.out, &self.inn].map(Flow::state) == [FlowState::Closed; 2];
        if self.is_used_up() && are_closed {
            return Some(self.name_fault().unwrap_or(Ended::Clean));
        }
        let is_useless = self.is_output_broken() || self.out.is_broken_off();
        let peer_broke_off = self.inn.is_broken_off() && !self.inn.is_pending();
        if is_useless && !self.out.is_pending() || peer_broke_off {
            return self.name_fault();
        }
        let (_, late) = self.time_limit().filter(|(at, _)| now >= *at)?;
        if matches!(late, Late::Whole(_)) {
            self.inn.end_source();
        }
        if self.is_pending() {
            self.leave(Ended::TimedOut(late), now);
            return None;
        }
        Some(self.name_fault().unwrap_or(Ended::TimedOut(late)))
    }

    /// Bytes on their way that are to be waited for: the data; and our end too where closing now
    /// might discard it, by a reset if the session is cut off, or something is unread.
    fn unsent(&self, ended: &Ended) -> usize {
        let at_risk = |end: &Endpoint, from: &Flow| {
            let reads = from.state() == FlowState::Open || from.is_cut_short();
            if ended.cuts_off(&self.ends) || reads || end.has_unread() {
                end.unsent()
            } else {
                end.undelivered()
            }
        };
        match ended {
            Ended::Broken(BrokenEnd::Peer, _) => 0,
            _ => at_risk(&self.remote, &self.inn) + at_risk(&self.local, &self.out),
        }
    }

    /// Returns whether standard output is broken, other than by a reader that has had enough.
    fn is_output_broken(&self) -> bool {
        matches!(self.inn.fault(), Some(Fault::Sink(error))
            if error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Returns whether nothing has moved for as long as may be.
    pub fn is_idle(&self, now: Instant) -> bool {
        let limit = self.time_limit();
        limit.is_some_and(|(at, late)| now >= at && late.is_idle())
    }

    /// The limit of time that is reached first, and when. Waiting for the first peer does not
    /// count.
    fn time_limit(&self) -> Option<(Instant, Late)> {
        let began = self.began?;
        let has_begun = self.out.state() != FlowState::Open || self.moved() != (0, 0);
        let counts = has_begun || !self.limits.idle_waits_for_input;
        let moves = [self.out.paused_until(), self.hold.passed()];
        let last = moves.into_iter().flatten().fold(self.last, Instant::max);
        Late::first(&self.limits, counts.then_some(last), began)
    }

    fn drive_draining(&mut self, moved: Moved, now: Instant) -> Turn {
        let Some(mut draining) = self.draining.take() else {
            return Turn::Wait;
        };
        let unsent = self.unsent(&draining.why);
        if draining.why.is_regular()
            && let Some(broken) = self.refused()
        {
            let is_clean = draining.why.is_clean();
            return self.over(if is_clean { broken } else { draining.why });
        }
        let is_pending = self.is_pending() || unsent > 0;
        let is_late = draining.look(unsent, now);
        if is_late && unsent > 0 && draining.why.is_regular() {
            return self.over(Ended::Broken(BrokenEnd::Peer, errno::timed_out()));
        }
        if is_late || !is_pending && moved == Moved::Nothing {
            let broken = draining.why.is_clean().then(|| self.name_fault()).flatten();
            return self.over(broken.unwrap_or(draining.why));
        }
        self.draining = Some(draining);
        match moved {
            Moved::Nothing => Turn::Wait,
            Moved::Some | Moved::Budget => Turn::Again,
        }
    }

    /// The reset by which an end refuses the last bytes, when nothing is read from it any more.
    fn refused(&mut self) -> Option<Ended> {
        let ends = [
            (BrokenEnd::Peer, &mut self.remote),
            (BrokenEnd::Output, &mut self.local),
        ];
        ends.into_iter().find_map(|(which, end)| {
            let reset = end.write_fault().filter(|fault| fault.is_reset)?;
            Some(Ended::Broken(which, reset.error))
        })
    }

    /// How the session ends by `-q`, which may come in the middle of an answer.
    fn quit(&self) -> Ended {
        let missing = self.hold.exchange().and_then(Exchange::missing);
        missing.map_or(Ended::Quit, |error| {
            Ended::Truncated(BrokenEnd::Peer, error)
        })
    }

    /// The fault to report, if a flow broke, or an answer is cut short.
    fn name_fault(&self) -> Option<Ended> {
        Ended::by_fault(&self.out, &self.inn, self.hold.exchange())
    }
}
