//! One peer among several in a hub: its own queue of what is to be sent to it, and its own store of
//! lines received from it.

use super::flow::FlowState;
use super::limits::Late;
use super::stages::Stage;
use super::taps::Taps;
use super::verdict::{Verdict, Way, verdict};
use crate::io::endpoint::Endpoint;
use crate::io::ready::{Got, Put, Ready};
use crate::plan::{Ends, Limits};
use crate::proto::lines::Lines;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// What may wait to be sent to one peer, in bytes. When it is full, standard input is not read.
const QUEUE_BYTES: usize = 256 << 10;
/// What may wait to be written to standard output from one peer, in bytes. When it is full, the
/// peer is not read from.
const LINES_BYTES: usize = 64 << 10;
/// Reads from one peer before the others get their turn.
const READS: usize = 4;

/// A peer in a hub.
pub struct Member {
    end: Endpoint,
    /// What it is called in messages.
    pub label: String,
    queue: VecDeque<Rc<[u8]>>,
    queued: usize,
    /// Bytes of the first chunk that are already sent.
    sent_of_first: usize,
    lines: Lines,
    stage: Option<Box<dyn Stage>>,
    taps: Taps,
    out: FlowState,
    inn: FlowState,
    came: Instant,
    /// When a byte last moved, either way.
    last: Instant,
    /// When a byte was last sent to it, or it came.
    last_sent: Instant,
    fault: Option<io::Error>,
    moved: (u64, u64),
    /// Bytes it may still send or be sent.
    left: Option<u64>,
    _seat: Rc<()>,
}

/// What a drive of a member came to.
#[derive(Debug)]
pub enum Presence {
    /// It stays.
    Here,
    /// It stays, and has more to do.
    Busy,
    /// It is done with: reset, or at its end by the rules.
    Gone(Option<io::Error>),
}

impl Member {
    /// A peer that has just come; `stage` changes what it sends, and `seat` is its place among
    /// those who may be there, which it keeps until it is gone.
    pub fn new(
        end: Endpoint,
        label: String,
        stage: Option<Box<dyn Stage>>,
        seat: Rc<()>,
        now: Instant,
    ) -> Member {
        Member {
            end,
            label,
            queue: VecDeque::new(),
            queued: 0,
            sent_of_first: 0,
            lines: Lines::new(LINES_BYTES),
            stage,
            taps: Taps::default(),
            out: FlowState::Open,
            inn: FlowState::Open,
            came: now,
            last: now,
            last_sent: now,
            fault: None,
            moved: (0, 0),
            left: None,
            _seat: seat,
        }
    }

    /// The same peer, watched: what it sends, and what it is sent.
    pub fn watched(self, taps: Taps) -> Member {
        Member { taps, ..self }
    }

    /// Takes in an event.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        self.end.note(slot, ready);
    }

    /// Says whether its queue takes more.
    pub fn has_room(&self) -> bool {
        self.queued < QUEUE_BYTES || self.out == FlowState::Closed
    }

    /// It ends after so many bytes, from it and to it together.
    pub fn limit_bytes(&mut self, most: Option<u64>) {
        self.left = most;
    }

    /// Queues a chunk to be sent to it.
    pub fn send(&mut self, chunk: &Rc<[u8]>) {
        if self.out == FlowState::Open {
            let chunk = match self.allowed(chunk.len()) {
                all if all == chunk.len() => chunk.clone(),
                some => Rc::from(&chunk[..some]),
            };
            self.queued += chunk.len();
            self.spend(chunk.len());
            self.queue.push_back(chunk);
        }
    }

    /// How many of `bytes` it may have.
    fn allowed(&self, bytes: usize) -> usize {
        let left = self.left.map(usize::try_from);
        left.map_or(bytes, |left| left.map_or(bytes, |left| left.min(bytes)))
    }

    /// It has had so many bytes; when those were the last, both directions end.
    fn spend(&mut self, bytes: usize) {
        let Some(left) = &mut self.left else { return };
        *left = left.saturating_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
        if *left == 0 {
            self.end_input();
            if self.inn == FlowState::Open {
                self.inn = FlowState::Draining;
            }
        }
    }

    /// Nothing more will be queued for it.
    pub fn end_input(&mut self) {
        if self.out == FlowState::Open {
            self.out = FlowState::Draining;
        }
    }

    /// Bytes sent to it and received from it.
    pub fn moved(&self) -> (u64, u64) {
        self.moved
    }

    /// Says whether something received from it waits for standard output.
    pub fn holds_lines(&self) -> bool {
        !self.lines.is_empty()
    }

    /// Whole lines it sent; everything, if its end has come.
    pub fn take_lines(&mut self) -> Vec<u8> {
        match self.inn {
            FlowState::Open => self.lines.take_lines(),
            _ => self.lines.take_all(),
        }
    }

    /// Everything it sent, an unfinished line too.
    pub fn take_all(&mut self) -> Vec<u8> {
        self.lines.take_all()
    }

    /// Since when it has sent its end and nothing waits to be sent to it: it may be gone
    /// altogether, which TCP does not tell apart.
    pub fn half_closed_since(&self) -> Option<Instant> {
        (self.inn == FlowState::Closed && self.queue.is_empty()).then_some(self.last)
    }

    /// The limit of time it reaches first, and when. What waits for standard output is not its
    /// idleness.
    pub fn time_limit(&self, limits: &Limits) -> Option<(Instant, Late)> {
        let idle = limits.idle.filter(|_| self.lines.is_empty());
        let idle = idle.map(|idle| (self.last + idle, Late::Idle(idle)));
        let whole = limits.whole;
        let whole = whole.map(|whole| (self.came + whole, Late::Whole(whole)));
        [idle, whole]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// When it will have taken nothing for `limit` although its queue is full.
    pub fn stalled_deadline(&self, limit: Duration) -> Option<Instant> {
        (!self.has_room()).then(|| self.last_sent + limit)
    }

    /// Says whether something waits to be sent to it, or to be written from it.
    pub fn is_pending(&self) -> bool {
        !self.queue.is_empty() || !self.lines.is_empty()
    }

    /// Sends from its queue and reads from it.
    pub fn drive(&mut self, scratch: &mut [u8], ends: &Ends, now: Instant) -> Presence {
        let sent = self.send_queue(ends);
        let read = self.receive(scratch);
        if sent {
            self.last_sent = now;
        }
        if sent || read {
            self.last = now;
        }
        if self.inn == FlowState::Draining && self.lines.is_empty() {
            self.inn = FlowState::Closed;
        }
        if self.inn != FlowState::Open
            && self.out != FlowState::Closed
            && let Some(error) = self.end.write_fault()
        {
            match self.queue.is_empty() {
                true => self.out = FlowState::Closed,
                false => self.stop_sending(error),
            }
        }
        let out = Way {
            state: self.out,
            pending: !self.queue.is_empty(),
        };
        let inn = Way {
            state: self.inn,
            pending: !self.lines.is_empty(),
        };
        let over = matches!(verdict(out, inn, ends), Verdict::Over | Verdict::Linger(_));
        let broken = self.fault.is_some() && self.lines.is_empty();
        match over || broken {
            true => Presence::Gone(self.fault.take()),
            false if read || sent => Presence::Busy,
            false => Presence::Here,
        }
    }

    fn send_queue(&mut self, ends: &Ends) -> bool {
        let mut sent = false;
        while self.out != FlowState::Closed {
            let Some(chunk) = self.queue.front() else {
                if self.out == FlowState::Draining {
                    self.out = FlowState::Closed;
                    if ends.passes_eof {
                        self.end.shutdown_write();
                    }
                }
                break;
            };
            match self.end.try_write(&chunk[self.sent_of_first..]) {
                Ok(Put::Bytes(n)) => {
                    sent = true;
                    self.moved.0 += n as u64;
                    let from = self.sent_of_first;
                    self.taps.written(&chunk[from..from + n], &self.end);
                    self.sent_of_first += n;
                    if self.sent_of_first == chunk.len() {
                        self.queued -= chunk.len();
                        self.sent_of_first = 0;
                        self.queue.pop_front();
                    }
                }
                Ok(Put::Pending) => break,
                Err(error) => self.stop_sending(error),
            }
        }
        sent
    }

    fn stop_sending(&mut self, error: io::Error) {
        self.out = FlowState::Closed;
        self.queue.clear();
        self.queued = 0;
        self.fault.get_or_insert(error);
    }

    fn receive(&mut self, scratch: &mut [u8]) -> bool {
        let mut read = false;
        for _ in 0..READS {
            let room = self.allowed(self.lines.room().min(scratch.len()));
            // One that does not read the answers to what it asks (telnet) is not read either.
            if self.inn != FlowState::Open || room == 0 || !self.has_room() {
                break;
            }
            match self.end.try_read(&mut scratch[..room]) {
                Ok(Got::Bytes(n)) => {
                    self.moved.1 += n as u64;
                    self.taps.read(&scratch[..n], Some(&self.end));
                    self.spend(n);
                    self.hold(&scratch[..n]);
                }
                Ok(Got::Pending) => break,
                Ok(Got::Eof) => self.inn = FlowState::Draining,
                Err(error) => {
                    self.inn = FlowState::Draining;
                    self.stop_sending(error);
                }
            }
            read = true;
        }
        read
    }

    fn hold(&mut self, bytes: &[u8]) {
        let Some(stage) = &mut self.stage else {
            let _all = self.lines.push(bytes);
            return;
        };
        let (mut out, mut back) = (Vec::new(), Vec::new());
        stage.apply(bytes, &mut out, &mut back);
        // A stage that only takes bytes out, telnet, leaves no more than there was room for.
        let _all = self.lines.push(&out);
        if !back.is_empty() {
            self.send(&Rc::from(back));
        }
    }
}
