//! One peer among several in a hub: what is to be sent to it, and what it says.

use super::flow::{BACK_BYTES, FlowState};
use super::limits::{Budget, Late};
use super::liveness::{Liveness, is_unread};
use super::outbox::{Chunk, Outbox};
use super::stages::Stage;
use super::taps::Taps;
use super::verdict::{FlowStatus, Verdict, verdict};
use crate::io::endpoint::Endpoint;
use crate::io::memory::{self, Lease};
use crate::io::reactor::Registered;
use crate::io::ready::{Got, Put, Ready};
use crate::io::seat::Seat;
use crate::io::store::ReadEnd;
use crate::io::stream::Stream;
use crate::plan::{Ends, Limits, PassEnd, Until};
use crate::proto::chat::Speaker;
use crate::sys::errno;
use std::borrow::Cow;
use std::io;
use std::time::{Duration, Instant};

/// Reads from one peer before the others get their turn.
const READS: usize = 4;

/// A peer in a hub.
pub struct Member {
    end: Endpoint,
    /// What it is called in messages.
    pub label: String,
    /// What it sends, as far as it is not passed on yet.
    pub speaker: Speaker,
    /// What the speaker holds.
    lease: Lease,
    outbox: Outbox,
    stage: Option<Box<dyn Stage>>,
    /// Bytes of the stage's answers (telnet) that went into a queue which was never empty since.
    answers: usize,
    taps: Taps,
    out: FlowState,
    inn: FlowState,
    came: Instant,
    /// When a byte last moved, either way.
    last: Instant,
    fault: Option<io::Error>,
    moved: (u64, u64),
    /// Whether its system still acknowledges what it is sent.
    liveness: Liveness,
    /// Bytes it may still send or be sent.
    budget: Option<Budget>,
    _seat: Seat,
}

/// Whether a member stays.
#[derive(Debug)]
pub enum Presence {
    /// It stays.
    Here,
    /// It is done with: reset, or at its end by the rules.
    Gone(Option<io::Error>),
}

impl Member {
    /// A peer that has just come. `stage` changes what it sends, `queue_bytes` may wait to be sent
    /// to it, and `seat` is its place among the clients that `--max-conns` counts, free again once
    /// the peer is gone.
    pub fn new(
        end: Endpoint,
        label: String,
        speaker: Speaker,
        stage: Option<Box<dyn Stage>>,
        queue_bytes: usize,
        seat: Seat,
        now: Instant,
    ) -> Member {
        Member {
            end,
            label,
            speaker,
            lease: Lease::default(),
            outbox: Outbox::new(queue_bytes),
            stage,
            answers: 0,
            taps: Taps::default(),
            out: FlowState::Open,
            inn: FlowState::Open,
            came: now,
            last: now,
            fault: None,
            moved: (0, 0),
            liveness: Liveness::default(),
            budget: None,
            _seat: seat,
        }
    }

    /// The same peer, watched: what it sends, and what it is sent.
    pub fn watched(self, taps: Taps) -> Member {
        Member { taps, ..self }
    }

    /// The registration of its stream.
    pub fn id(&self) -> Option<Registered> {
        self.end.stream().and_then(Stream::id)
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.end.note(id, ready);
    }

    /// How many bytes can be sent to it now, as far as its queue is concerned; `None` when it is
    /// sent nothing any more.
    pub fn room(&self) -> Option<usize> {
        (self.out == FlowState::Open).then(|| self.outbox.room())
    }

    /// Returns whether its queue is full.
    pub fn is_full(&self) -> bool {
        self.outbox.is_full()
    }

    /// It ends after so many bytes, from it and to it together.
    pub fn limit_bytes(&mut self, most: Option<u64>) {
        self.budget = most.map(Budget::new);
    }

    /// How many of `bytes` it may have.
    fn allowed(&self, bytes: usize) -> usize {
        let budget = self.budget.as_ref();
        budget.map_or(bytes, |budget| budget.allows(bytes))
    }

    /// It has had so many bytes; when those were the last, both directions end.
    fn spend(&mut self, bytes: usize) {
        let Some(budget) = &self.budget else { return };
        budget.spend(bytes);
        if budget.is_used_up() {
            self.end_input();
            if self.inn == FlowState::Open {
                self.inn = FlowState::Draining;
                self.speaker.end();
            }
        }
    }

    /// Sends it a chunk: at once as far as that goes, the rest through its queue.
    pub fn send(&mut self, chunk: &mut Chunk<'_>, now: Instant) {
        let len = chunk.bytes().len();
        let allowed = self.allowed(len);
        if self.out != FlowState::Open || allowed == 0 {
            return;
        }
        if allowed == len {
            self.send_all(chunk, now)
        } else {
            self.send_all(&mut chunk.cut(allowed), now)
        }
        self.spend(allowed);
    }

    fn send_all(&mut self, chunk: &mut Chunk<'_>, now: Instant) {
        let mut sent = 0;
        if self.outbox.is_empty() {
            match self.end.try_write(chunk.bytes()) {
                Ok(Put::Bytes(n)) => {
                    self.taps.see_written(&chunk.bytes()[..n], &self.end);
                    sent = n;
                }
                Ok(Put::Pending) => {}
                Err(error) => return self.stop_sending(error),
            }
        }
        self.note_sent(sent, now);
        if sent < chunk.bytes().len() {
            self.outbox.push(chunk, sent, now);
        }
    }

    fn note_sent(&mut self, n: usize, now: Instant) {
        if n > 0 {
            self.moved.0 += n as u64;
            self.last = now;
        }
    }

    /// Nothing more will be sent to it than what waits.
    pub fn end_input(&mut self) {
        if self.out == FlowState::Open {
            self.out = FlowState::Draining;
        }
    }

    /// Bytes sent to it and received from it.
    pub fn moved(&self) -> (u64, u64) {
        self.moved
    }

    /// Since when it has sent its end and nothing waits to be sent to it: it may be gone
    /// altogether, which TCP does not tell apart.
    pub fn half_closed_since(&self) -> Option<Instant> {
        (self.inn == FlowState::Closed && !self.is_pending()).then_some(self.last)
    }

    /// Returns whether something it has sent, be it its end, may still have to be read or passed
    /// on.
    pub fn is_unheard(&self) -> bool {
        match self.inn {
            FlowState::Open => self.speaker.has_output() || self.end.is_readable(),
            FlowState::Draining => true,
            FlowState::Closed => false,
        }
    }

    /// The limit of time it reaches first, and when. What waits for standard output is not its
    /// idleness.
    pub fn time_limit(&self, limits: &Limits) -> Option<(Instant, Late)> {
        let last = (!self.speaker.has_output()).then_some(self.last);
        Late::first(limits, last, self.came)
    }

    /// When it is to be looked at whether it has vanished.
    pub fn liveness_deadline(&self) -> Option<Instant> {
        self.liveness.deadline()
    }

    /// When its queue will have been full for `patience`.
    pub fn stalled_deadline(&self, patience: Duration) -> Option<Instant> {
        self.outbox.stalled_at(patience)
    }

    /// Returns whether something waits to be sent to it, or to be written from it.
    pub fn is_pending(&self) -> bool {
        !self.outbox.is_empty() || self.end.holds() || self.speaker.has_output()
    }

    /// Sends what waits, as far as that goes; returns whether something went.
    pub fn flush(&mut self, ends: &Ends, now: Instant) -> bool {
        let mut any = self.flush_end();
        if self.liveness.finds_lost(&self.end, self.moved.0, now) {
            self.inn = FlowState::Closed;
            self.stop_sending(errno::timed_out());
        }
        while self.out != FlowState::Closed {
            match self.outbox.send(&mut self.end, &mut self.taps) {
                Ok(Some(n)) => {
                    any = true;
                    self.note_sent(n, now);
                }
                Ok(None) => break,
                Err(error) => self.stop_sending(error),
            }
        }
        if self.out == FlowState::Draining && self.outbox.is_empty() && !self.end.holds() {
            self.out = FlowState::Closed;
            if ends.pass_end == PassEnd::Now {
                self.end.shutdown_write();
            }
        }
        any
    }

    /// Has its end send what it holds; returns whether that was all.
    fn flush_end(&mut self) -> bool {
        let held = self.end.holds();
        match self.end.flush() {
            Ok(()) => {}
            // Only the end waited, and its loss loses nothing.
            Err(_) if self.out == FlowState::Closed => {}
            Err(error) => self.stop_sending(error),
        }
        held && !self.end.holds()
    }

    fn stop_sending(&mut self, error: io::Error) {
        self.out = FlowState::Closed;
        self.outbox.clear();
        self.fault.get_or_insert(error);
    }

    /// Reads what it says into its speaker, as far as there is room; returns whether something
    /// came.
    pub fn receive(&mut self, scratch: &mut [u8], now: Instant) -> bool {
        let mut any = false;
        for _ in 0..READS {
            let room = self.room_to_hold().min(scratch.len());
            let Some(n) = self.read(&mut scratch[..room], now) else {
                break;
            };
            self.hold(&scratch[..n], now);
            any = true;
        }
        any
    }

    /// Reads once, and gives what others are to hear now: with a plain speaker what was read.
    /// `None` when nothing was there.
    pub fn hear<'a>(&mut self, scratch: &'a mut [u8], now: Instant) -> Option<Cow<'a, [u8]>> {
        let goes_through = self.speaker.is_plain() && self.stage.is_none();
        let room = if goes_through {
            scratch.len()
        } else {
            self.room_to_hold().min(scratch.len())
        };
        let n = self.read(&mut scratch[..room], now)?;
        if goes_through {
            return Some(Cow::Borrowed(&scratch[..n]));
        }
        self.hold(&scratch[..n], now);
        Some(Cow::Owned(self.speaker.take_early()))
    }

    /// Returns whether a read is worth a call.
    pub fn is_readable(&self) -> bool {
        self.inn == FlowState::Open && self.end.is_readable()
    }

    /// Reads once; at the end 0 bytes, and `None` when there is nothing.
    fn read(&mut self, buf: &mut [u8], now: Instant) -> Option<usize> {
        let room = self.allowed(buf.len());
        let buf = &mut buf[..room];
        // One that does not read the answers to what it asks (telnet) is not read either.
        if self.outbox.is_empty() {
            self.answers = 0;
        }
        let asks_too_much = self.answers >= BACK_BYTES;
        if self.inn != FlowState::Open || buf.is_empty() || asks_too_much {
            return None;
        }
        let mut got = self.end.try_read(buf);
        // Clients cannot say much that is nothing: TLS bounds it.
        while matches!(got, Ok(Got::Again)) {
            got = self.end.try_read(buf);
        }
        match got {
            Ok(Got::Bytes(n)) => {
                self.moved.1 += n as u64;
                self.taps.see_read(&buf[..n], Some(&self.end));
                self.last = now;
                self.spend(n);
                return Some(n);
            }
            Ok(Got::Pending | Got::Again) => return None,
            Ok(Got::Eof) => {}
            // Cut short (TLS): it may still read.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.fault.get_or_insert(error);
            }
            Err(error) => self.stop_sending(error),
        }
        self.inn = FlowState::Draining;
        self.speaker.end();
        Some(0)
    }

    /// How many bytes the speaker may take, as far as there is memory for them.
    fn room_to_hold(&mut self) -> usize {
        self.lease.set(self.speaker.held());
        self.speaker.limit(memory::grant(usize::MAX));
        self.speaker.room()
    }

    fn hold(&mut self, bytes: &[u8], now: Instant) {
        if let Some(stage) = &mut self.stage {
            let (mut out, mut back) = (Vec::new(), Vec::new());
            stage.apply(bytes, &mut out, &mut back);
            // A stage that only takes bytes out, telnet, leaves no more than there was room for.
            let _all = self.speaker.push(&out);
            self.answers += back.len();
            self.send(&mut Chunk::new(&back), now);
        } else {
            let _all = self.speaker.push(bytes);
        }
        self.lease.set(self.speaker.held());
    }

    /// Returns whether it stays, when all that could be moved has been.
    pub fn judge(&mut self, ends: &Ends, now: Instant) -> Presence {
        self.lease.set(self.speaker.held());
        let has_output = self.speaker.has_output();
        if self.inn == FlowState::Draining && !has_output {
            self.inn = FlowState::Closed;
        }
        if self.inn == FlowState::Closed && ends.until == Until::Peer {
            // Else one that is sent something all the time would never be done with.
            self.end_input();
        }
        if self.inn != FlowState::Open
            && self.out != FlowState::Closed
            && let Some(fault) = self.end.write_fault()
        {
            let is_lost = is_unread(&fault, self.moved.0, self.last, now);
            if is_lost || !self.outbox.is_empty() {
                self.stop_sending(fault.error);
            } else {
                self.out = FlowState::Closed;
            }
        }
        let out = FlowStatus {
            state: self.out,
            pending: !self.outbox.is_empty() || self.end.holds(),
        };
        let inn = FlowStatus {
            state: self.inn,
            pending: has_output,
        };
        let over = matches!(verdict(out, inn, ends), Verdict::Over | Verdict::Linger(_));
        // What it said before it was reset may still be there to be read.
        let breaks = |fault: &io::Error| fault.kind() != io::ErrorKind::UnexpectedEof;
        let broken = self.fault.as_ref().is_some_and(breaks) && self.inn == FlowState::Closed;
        if over || broken {
            Presence::Gone(self.fault.take())
        } else {
            Presence::Here
        }
    }

    /// See `Endpoint::say_goodbye`.
    pub fn say_goodbye(&mut self) {
        self.end.say_goodbye();
    }

    /// The session is cut off: has the peer see a reset, unless it was sent everything there is to
    /// send, and all it sent is written. `has_input` is whether there is anything to send.
    pub fn cut_off(&self, has_input: bool) {
        let is_sent = if has_input {
            self.out == FlowState::Closed
        } else {
            self.outbox.is_empty()
        };
        if !is_sent || self.end.unsent() > 0 || self.speaker.has_output() {
            self.end.cut_off();
        }
    }
}
