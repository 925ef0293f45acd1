//! A session between two ends: ours (`local`: standard input and output, or the client of a relay)
//! and the peer (`remote`), joined by two flows, `out` towards the peer and `inn` from it.

use super::flow::{Fault, Flow, FlowState, Moved};
use super::limits::{Budget, Late};
use super::verdict::{Verdict, Way, verdict};
use crate::io::endpoint::Endpoint;
use crate::io::error;
use crate::io::ready::Ready;
use crate::plan::{Ends, Limits};
use std::io;
use std::time::{Duration, Instant};

/// How long bytes already received may take to be delivered after a signal or a timeout.
pub const GRACE: Duration = Duration::from_secs(1);

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
    /// As `Clean`, but an end that came over TLS was not confirmed (close_notify): anybody on the
    /// way may have cut it short.
    Truncated(Place, io::Error),
    /// Something broke; bytes may be lost.
    Broken(Place, io::Error),
}

/// What one drive of a bridge came to.
#[derive(Debug)]
pub enum Turn {
    /// Nothing can be moved until something happens.
    Wait,
    /// There may be more to move: come again.
    Again,
    /// The session is over.
    Over(Ended),
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
    /// Leaving: why, and until when undelivered bytes are waited for.
    leaving: Option<(Ended, Instant)>,
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
            leaving: None,
            rechecked: false,
        }
    }

    /// Counts the time for the whole connection from `began` on, which was before this.
    pub fn count_from(&mut self, began: Instant) {
        self.began = Some(began);
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

    /// Says whether it has had all the bytes it may have.
    pub fn is_used_up(&self) -> bool {
        self.budget.as_ref().is_some_and(Budget::is_used_up)
    }

    /// Bytes written to the peer and bytes received from it, so far.
    pub fn moved(&self) -> (u64, u64) {
        (self.out.moved(), self.inn.moved())
    }

    /// Takes in an event.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        self.local.note(slot, ready);
        self.remote.note(slot, ready);
    }

    /// Begins to leave: delivers what has been received, within a second, then is over with
    /// `why`. A second call leaves at once.
    pub fn leave(&mut self, why: Ended, now: Instant) {
        let until = if self.leaving.is_some() {
            now
        } else {
            now + GRACE
        };
        self.out.end_source();
        // What a signal or a timeout cuts off is not to be taken for whole.
        self.out.keep_end();
        self.leaving = Some((why, until));
    }

    /// Moves what can be moved and judges the session.
    pub fn drive(&mut self, now: Instant) -> Turn {
        let (out_before, inn_before) = (self.out.state(), self.inn.state());
        let moved = self.pump(now);
        self.watch_ends();
        if self.began.is_none() && self.remote.has_peer() {
            self.began = Some(now);
        }
        let changed = (out_before, inn_before) != (self.out.state(), self.inn.state());
        if moved != Moved::Nothing || changed {
            self.last = now;
            self.rechecked = false;
        }
        if self.leaving.is_some() {
            return self.drive_leaving(moved, now);
        }
        if let Some(ended) = self.judge(now) {
            // Whatever can be read by now comes out first: a reply is never dropped.
            if self.inn.state() == FlowState::Open && !self.rechecked {
                self.rechecked = true;
                return Turn::Again;
            }
            self.say_goodbye(&ended);
            if self.has_unsent() {
                self.leaving = Some((ended, now + GRACE));
                return Turn::Wait;
            }
            return Turn::Over(ended);
        }
        match moved {
            Moved::Budget => Turn::Again,
            Moved::Some if self.local.changes_unseen() => Turn::Again,
            _ if changed => Turn::Again,
            _ => Turn::Wait,
        }
    }

    /// A session that is done, also when one direction is still open, was not cut off.
    fn say_goodbye(&mut self, ended: &Ended) {
        if matches!(ended, Ended::Clean | Ended::Quit) {
            self.local.say_goodbye();
            self.remote.say_goodbye();
        }
    }

    /// When the session wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        if let Some((_, until)) = &self.leaving {
            return Some(*until);
        }
        let judged = match self.verdict() {
            Verdict::QuitAfter(quiet) => Some(self.last + quiet),
            Verdict::Linger(linger) => self.over_since.map(|since| since + linger),
            Verdict::GoOn | Verdict::Over => None,
        };
        let all = [
            judged,
            self.time_limit().map(|(at, _)| at),
            self.out.paused_until(),
            self.inn.paused_until(),
        ];
        all.into_iter().flatten().min()
    }

    /// One turn of each flow. `inn` comes first: what it brings may open the way for `out`, such as
    /// a first datagram, which tells whom to answer.
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

    /// Looks at what the end of one flow means for the other.
    fn watch_ends(&mut self) {
        if self.inn.reads_are_used_up() {
            self.out.end_source();
        }
        if self.is_used_up() {
            self.out.end_source();
            self.inn.end_source();
        }
        if self.inn.state() == FlowState::Open
            && let Some(error) = self.local.write_fault()
        {
            self.inn.break_sink(error);
        }
        if let Some(Fault::Sink(error)) = self.inn.fault() {
            match error.kind() {
                io::ErrorKind::BrokenPipe => {}
                _ if self.local.is_one_socket() => self.out.break_source(error::copy(error)),
                _ => self.out.end_source(),
            }
            self.inn.discard();
        }
        let peer_is_silent = !matches!(self.inn.state(), FlowState::Open);
        let broken = self.inn.fault().filter(|fault| !fault.is_truncation());
        if let Some(Fault::Source(error)) = broken {
            let error = error::copy(error);
            self.out.break_sink(error);
        } else if peer_is_silent {
            self.watch_half_closed_peer();
        }
        if self.remote.keeps_messages()
            && let Some(Fault::Sink(error)) = self.out.fault()
        {
            let error = error::copy(error);
            self.inn.break_source(error);
        }
    }

    /// The peer has sent its end: it may still read, or be gone altogether. When it is gone and
    /// nothing was sent since, nothing is lost, and that is a clean end.
    fn watch_half_closed_peer(&mut self) {
        let sent = self.out.moved();
        let sent_before = *self.sent_at_peer_end.get_or_insert(sent);
        if self.out.state() == FlowState::Closed {
            return;
        }
        if let Some(error) = self.remote.write_fault() {
            match sent == sent_before && !self.out.is_pending() {
                true => self.out.end_source(),
                false => self.out.break_sink(error),
            }
        }
    }

    fn verdict(&self) -> Verdict {
        let way = |flow: &Flow| Way {
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
            Verdict::QuitAfter(quiet) => (now >= self.last + quiet).then_some(Ended::Quit),
            Verdict::GoOn => None,
        };
        if let Some(ended) = ended {
            return Some(self.name_fault().unwrap_or(ended));
        }
        if self.inn.reads_are_used_up() && self.inn.state() == FlowState::Closed {
            return (!self.out.is_pending()).then_some(Ended::Quit);
        }
        let are_closed = [&self.out, &self.inn].map(Flow::state) == [FlowState::Closed; 2];
        if self.is_used_up() && are_closed {
            return Some(self.name_fault().unwrap_or(Ended::Clean));
        }
        if self.is_output_broken() && !self.out.is_pending() {
            return self.name_fault();
        }
        let is_useless = self.is_input_unfit() || self.out.is_broken_off();
        if is_useless && !self.out.is_pending() {
            return self.name_fault();
        }
        let (_, late) = self.time_limit().filter(|(at, _)| now >= *at)?;
        if matches!(late, Late::Whole(_)) {
            self.inn.end_source();
        }
        if self.out.is_pending() || self.inn.is_pending() {
            self.leave(Ended::TimedOut(late), now);
            return None;
        }
        Some(self.name_fault().unwrap_or(Ended::TimedOut(late)))
    }

    /// Says whether closing an end now might throw away what was sent to it: bytes are on their
    /// way, and there may be some that were not read, which makes it a reset.
    fn has_unsent(&self) -> bool {
        let may_lose = |end: &Endpoint, from: &Flow| {
            let reads = from.state() == FlowState::Open || from.is_cut_short();
            end.has_unsent() && (reads || end.has_unread())
        };
        may_lose(&self.remote, &self.inn) || may_lose(&self.local, &self.out)
    }

    /// Standard output is broken for another reason than that its reader had enough.
    fn is_output_broken(&self) -> bool {
        matches!(self.inn.fault(), Some(Fault::Sink(error))
            if error.kind() != io::ErrorKind::BrokenPipe)
    }

    /// Says whether nothing has moved for as long as may be.
    pub fn is_idle(&self, now: Instant) -> bool {
        let limit = self.time_limit();
        limit.is_some_and(|(at, late)| now >= at && late.is_idle())
    }

    /// Our own input makes no sense: whoever gave it has to know.
    fn is_input_unfit(&self) -> bool {
        matches!(self.out.fault(), Some(Fault::Source(error))
            if error.kind() == io::ErrorKind::InvalidData)
    }

    /// The limit of time that is reached first, and when. Waiting for the first peer does not
    /// count.
    fn time_limit(&self) -> Option<(Instant, Late)> {
        let began = self.began?;
        let paused = self.out.paused_until().unwrap_or(self.last);
        let idle = |idle| (self.last.max(paused) + idle, Late::Idle(idle));
        let whole = |whole| (began + whole, Late::Whole(whole));
        let limits = [self.limits.idle.map(idle), self.limits.whole.map(whole)];
        limits.into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    fn drive_leaving(&mut self, moved: Moved, now: Instant) -> Turn {
        let Some((why, until)) = self.leaving.take() else {
            return Turn::Wait;
        };
        let is_clean = matches!(why, Ended::Clean | Ended::Quit | Ended::Truncated(..));
        let unsent = is_clean && self.has_unsent();
        let pending = self.out.is_pending() || self.inn.is_pending() || unsent;
        if now >= until {
            return Turn::Over(match unsent {
                true => Ended::Broken(Place::Peer, io::ErrorKind::TimedOut.into()),
                false => self.unless_broken(why),
            });
        }
        if !pending && moved == Moved::Nothing {
            return Turn::Over(self.unless_broken(why));
        }
        self.leaving = Some((why, until));
        match moved {
            Moved::Nothing => Turn::Wait,
            Moved::Some | Moved::Budget => Turn::Again,
        }
    }

    /// A clean end, if nothing broke while the last bytes were waited for.
    fn unless_broken(&mut self, why: Ended) -> Ended {
        match why {
            Ended::Clean | Ended::Quit => self.name_fault().unwrap_or(why),
            why => why,
        }
    }

    /// The fault to tell the user about, if a flow broke. A reader of standard output that has
    /// had enough is none.
    fn name_fault(&mut self) -> Option<Ended> {
        let (place, error) = match (self.inn.fault(), self.out.fault()) {
            (Some(Fault::Sink(error)), _) if error.kind() != io::ErrorKind::BrokenPipe => {
                (Place::Output, error)
            }
            (Some(fault @ Fault::Source(error)), _) if !fault.is_truncation() => {
                (Place::Peer, error)
            }
            (_, Some(Fault::Sink(error))) => (Place::Peer, error),
            (_, Some(fault @ Fault::Source(error))) if !fault.is_truncation() => {
                (Place::Input, error)
            }
            (Some(Fault::Source(error)), _) => return Some(truncated(Place::Peer, error)),
            (_, Some(Fault::Source(error))) => return Some(truncated(Place::Input, error)),
            _ => return None,
        };
        Some(Ended::Broken(place, error::copy(error)))
    }
}

fn truncated(place: Place, error: &io::Error) -> Ended {
    Ended::Truncated(place, error::copy(error))
}
