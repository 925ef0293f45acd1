//! One direction of a session: source → stages → store → sink.
//!
//! ```text
//! Open ── end of source ──► Draining ── store empty ──► Closed   (the end is passed on here)
//!   │                          │
//!   └──── sink failed ─────────┴──────────────────────► Closed
//! ```
//! A flow never waits for the other one, and knows nothing about kinds of ends.

use super::limits::Budget;
pub use super::settings::Settings;
use crate::io::endpoint::Endpoint;
use crate::io::kernel::{Carry, Kernel};
use crate::io::ready::{Got, Put};
use crate::io::store::Mem;
use std::io;
use std::time::Instant;

/// Reads and writes a flow does in one turn before the other flow and the other tasks get theirs.
const TURN: usize = 16;
/// When at least so many of the next bytes need not be seen, they may go past this process.
const OFFLOADED_BYTES: u64 = 64 << 10;
/// Answers of a stage (telnet) that may wait to be sent, in bytes; beyond, no more is read.
pub const BACK_BYTES: usize = 4 << 10;

/// Where a flow is between its first byte and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlowState {
    /// The source may give more.
    Open,
    /// The source has ended; the store is being emptied.
    Draining,
    /// Nothing moves any more.
    Closed,
}

/// What broke a flow.
#[derive(Debug)]
pub enum Fault {
    /// Reading failed.
    Source(io::Error),
    /// Writing failed.
    Sink(io::Error),
}

impl Fault {
    /// Returns whether the source has ended, but its end was not confirmed (TLS): it may still read.
    pub fn is_truncation(&self) -> bool {
        matches!(self, Fault::Source(error) if error.kind() == io::ErrorKind::UnexpectedEof)
    }
}

/// What a turn did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// Nothing could be moved.
    Nothing,
    /// Something moved, and now nothing more can.
    Some,
    /// The turn's budget is used up; there may be more.
    Budget,
}

/// One direction of a session.
pub struct Flow {
    store: Mem,
    /// The store in use instead while traffic is heavy and the ends allow it.
    kernel: Option<Kernel>,
    may_offload: bool,
    state: FlowState,
    settings: Settings,
    budget: Option<Budget>,
    /// Bytes from the opposite flow's stages, sent before anything else.
    urgent: Vec<u8>,
    fault: Option<Fault>,
    moved: u64,
    /// The sink is gone, but the source is read on so that the peer is not blocked.
    discards: bool,
    /// The source has given its end, or an error: it is not read again.
    source_ended: bool,
    /// The stages have given what they held back.
    stages_finished: bool,
    /// The sink has taken bytes that it has not sent yet.
    sink_holds: bool,
    /// The end has been passed on to the sink.
    end_is_passed: bool,
}

impl Flow {
    /// A flow that has moved nothing yet.
    pub fn new(settings: Settings) -> Flow {
        Flow {
            store: Mem::default(),
            kernel: None,
            may_offload: settings.may_offload && settings.wants_no_bytes(),
            state: FlowState::Open,
            settings,
            budget: None,
            urgent: Vec::new(),
            fault: None,
            moved: 0,
            discards: false,
            source_ended: false,
            stages_finished: false,
            sink_holds: false,
            end_is_passed: false,
        }
    }

    /// Reads no more from now on than the budget allows.
    pub fn limit(&mut self, budget: &Budget) {
        self.may_offload = false;
        self.budget = Some(budget.clone());
    }

    /// Returns whether the source was taken to have ended although it may give more.
    pub fn is_cut_short(&self) -> bool {
        self.state != FlowState::Open && !self.source_ended
    }

    /// Where the flow is.
    pub fn state(&self) -> FlowState {
        self.state
    }

    /// Returns whether something waits to be written.
    pub fn is_pending(&self) -> bool {
        let held = self.kernel.as_ref().is_some_and(|kernel| kernel.held() > 0);
        let empty = self.store.is_empty() && self.urgent.is_empty() && !held && !self.sink_holds;
        self.state != FlowState::Closed && !empty
    }

    /// Bytes written to the sink.
    pub fn moved(&self) -> u64 {
        self.moved
    }

    /// What broke the flow, if something did.
    pub fn fault(&self) -> Option<&Fault> {
        self.fault.as_ref()
    }

    /// What is to be sent before anything else; the opposite flow's stages append to it.
    pub fn urgent(&mut self) -> &mut Vec<u8> {
        &mut self.urgent
    }

    /// When a pause ends.
    pub fn paused_until(&self) -> Option<Instant> {
        let pace = self.settings.pace.as_ref()?;
        // While answers wait to be sent, no line can be.
        pace.paused_until()
            .filter(|_| self.is_pending() && self.urgent.is_empty())
    }

    /// Takes the source to have ended; what was read is still delivered.
    pub fn end_source(&mut self) {
        if self.state == FlowState::Open {
            self.state = FlowState::Draining;
        }
    }

    /// Keeps the end of the source from being passed on to the sink, if it was not yet.
    pub fn hold_end(&mut self) {
        self.settings.holds_end = true;
    }

    /// Returns whether the source has ended, all of it is delivered, and its end is still to be
    /// passed on.
    pub fn is_holding_end(&self) -> bool {
        let held = self.settings.holds_end && !self.end_is_passed;
        held && self.source_ended && self.fault.is_none() && self.state == FlowState::Closed
    }

    /// Passes on an end that was held.
    pub fn pass_end(&mut self, sink: &mut Endpoint) {
        self.end_is_passed = true;
        sink.shutdown_write();
        self.sink_holds = sink.holds();
    }

    /// Returns whether the source has ended by itself and all it gave is delivered.
    pub fn is_complete(&self) -> bool {
        self.source_ended && self.fault.is_none() && !self.is_pending()
    }

    /// Ends the flow because its sink is known to be gone.
    pub fn break_sink(&mut self, error: io::Error) {
        if self.state != FlowState::Closed {
            self.state = FlowState::Closed;
            self.fault = Some(Fault::Sink(error));
        }
    }

    /// Ends the flow because its source is known to be broken; what was read is still delivered.
    pub fn break_source(&mut self, error: io::Error) {
        if self.state == FlowState::Open {
            self.note_source_end(Some(error));
        }
    }

    /// Reads on from the source of a flow whose sink is gone, to nowhere, so that a peer blocked
    /// by our not reading can go on reading.
    pub fn discard(&mut self) {
        self.discards = true;
        self.kernel = None;
        self.store.clear();
    }

    /// Moves what can be moved, one turn's worth. `back` takes what stages want sent the other
    /// way.
    pub fn pump(
        &mut self,
        source: &mut Endpoint,
        sink: &mut Endpoint,
        back: &mut Vec<u8>,
        now: Instant,
    ) -> Moved {
        let mut moved = self.flush(sink);
        for _ in 0..TURN {
            let did = if self.kernel.is_some() && self.urgent.is_empty() {
                self.carry(source, sink)
            } else {
                let wrote = self.write(sink, now);
                let offloads = self.offload(source, sink);
                let read = self.kernel.is_none() && self.read(source, back);
                wrote || read || offloads
            };
            let finishes = self.pass_on_end(sink);
            if !(did || finishes) {
                return moved;
            }
            moved = Moved::Some;
        }
        Moved::Budget
    }

    /// Has the sink send what it holds.
    fn flush(&mut self, sink: &mut Endpoint) -> Moved {
        let held = self.sink_holds;
        match sink.flush() {
            Ok(()) => {}
            // Only the end waits then, and its loss loses nothing.
            Err(_) if self.end_is_passed => self.state = FlowState::Closed,
            Err(error) => self.break_sink(error),
        }
        self.sink_holds = sink.holds();
        if held && !self.sink_holds {
            Moved::Some
        } else {
            Moved::Nothing
        }
    }

    /// Goes over to a store inside the kernel once a read has filled the one in memory.
    fn offload(&mut self, source: &Endpoint, sink: &Endpoint) -> bool {
        let open = self.state == FlowState::Open && self.store.is_empty();
        let is_bulk = self.store.was_filled() && self.settings.taps.unseen() >= OFFLOADED_BYTES;
        if !(open && self.may_offload && is_bulk) || self.kernel.is_some() {
            return false;
        }
        self.kernel = Kernel::between(source, sink);
        self.may_offload = self.kernel.is_some();
        self.may_offload
    }

    fn carry(&mut self, source: &mut Endpoint, sink: &mut Endpoint) -> bool {
        let Some(kernel) = &mut self.kernel else {
            return false;
        };
        let takes = self.state == FlowState::Open;
        let most = if takes {
            self.settings.taps.unseen()
        } else {
            0
        };
        if takes && most == 0 && kernel.held() == 0 {
            self.kernel = None;
            return true;
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        match kernel.carry(source, sink, most) {
            Carry::Moved(n) => {
                self.settings.taps.skip(n);
                self.moved += n as u64;
                return true;
            }
            Carry::Pending => return false,
            Carry::Eof if takes => self.note_source_end(None),
            Carry::Eof => {}
            Carry::GiveUp { held, for_good } => {
                self.settings.taps.skip(held.len());
                self.store.replace(&held);
                self.may_offload = !for_good;
            }
            Carry::SourceError(error) => self.note_source_end(Some(error)),
            Carry::SinkError(error) => self.break_sink(error),
        }
        self.kernel = None;
        true
    }

    fn read(&mut self, source: &mut Endpoint, back: &mut Vec<u8>) -> bool {
        let wants = self.state == FlowState::Open || self.discards;
        if !wants || self.source_ended || !self.store.is_empty() || back.len() >= BACK_BYTES {
            return false;
        }
        let budget = self.budget.as_ref();
        let most = budget.map_or(usize::MAX, |budget| budget.allows(usize::MAX));
        if most == 0 {
            return false;
        }
        let got = self.store.fill(source, self.settings.message_bytes, most);
        if let Ok(Got::Bytes(n)) = got {
            self.budget.iter().for_each(|budget| budget.spend(n));
            let taps = &mut self.settings.taps;
            taps.see_read(self.store.data(), Some(source));
            for stage in &mut self.settings.stages {
                stage.set_sender(source.sender());
            }
        }
        match got {
            Ok(Got::Bytes(_)) if self.discards => self.store.clear(),
            Ok(Got::Bytes(_)) => {
                self.apply_stages(back);
                self.count_read();
            }
            Ok(Got::Pending) => return false,
            Ok(Got::Again) => {}
            Ok(Got::Eof) => self.note_source_end(None),
            Err(error) => self.note_source_end(Some(error)),
        }
        true
    }

    fn note_source_end(&mut self, error: Option<io::Error>) {
        self.source_ended = true;
        self.end_source();
        if let Some(error) = error
            && self.fault.is_none()
        {
            self.fault = Some(Fault::Source(error));
        }
    }

    fn count_read(&mut self) {
        if let Some(left) = &mut self.settings.max_reads {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.end_source();
            }
        }
    }

    /// Returns whether the flow ended because it has had all the reads it may have (`-W`).
    pub fn has_used_up_reads(&self) -> bool {
        self.settings.max_reads == Some(0)
    }

    fn apply_stages(&mut self, back: &mut Vec<u8>) {
        for stage in &mut self.settings.stages {
            let mut out = Vec::with_capacity(self.store.data().len());
            stage.apply(self.store.data(), &mut out, back);
            self.store.replace(&out);
        }
        self.watch_stages();
    }

    /// Input that a stage cannot make anything of is as good as a source that broke.
    fn watch_stages(&mut self) {
        let fault = self.settings.stages.iter().find_map(|stage| stage.fault());
        if let Some(error) = fault {
            self.note_source_end(Some(error));
        }
    }

    /// The source has ended and the store is empty: what the stages held back comes last. Returns
    /// whether there was something.
    fn finish_stages(&mut self) -> bool {
        if std::mem::replace(&mut self.stages_finished, true) {
            return false;
        }
        for at in 0..self.settings.stages.len() {
            let mut out = Vec::new();
            if !self.store.is_empty() {
                let stage = &mut self.settings.stages[at];
                stage.apply(self.store.data(), &mut out, &mut Vec::new());
            }
            self.settings.stages[at].finish(&mut out);
            if !(self.store.is_empty() && out.is_empty()) {
                self.store.replace(&out);
            }
        }
        self.watch_stages();
        !self.store.is_empty()
    }

    fn write(&mut self, sink: &mut Endpoint, now: Instant) -> bool {
        if !self.takes_urgent() {
            self.urgent.clear();
        }
        if !self.urgent.is_empty() {
            return self.write_urgent(sink);
        }
        if self.state == FlowState::Closed || self.store.is_empty() {
            return false;
        }
        let data = self.store.data();
        let allowed = match &mut self.settings.pace {
            Some(pace) => pace.allows(data, now),
            None => data.len(),
        };
        let allowed = allowed.min(self.settings.message_bytes.unwrap_or(usize::MAX));
        if allowed == 0 && !data.is_empty() {
            return false;
        }
        match sink.try_write(&data[..allowed]) {
            Ok(Put::Bytes(n)) => {
                if let Some(pace) = &mut self.settings.pace {
                    pace.note_written(&data[..n], now);
                }
                let sent = sink.payload(&data[..n]);
                self.settings.taps.see_written(sent, sink);
                self.moved += sent.len() as u64;
                self.store.consume(n);
                true
            }
            Ok(Put::Pending) => false,
            Err(error) => {
                self.break_sink(error);
                true
            }
        }
    }

    /// Answers of the opposite flow's stages can be sent until the end is passed on, which may be
    /// never.
    fn takes_urgent(&self) -> bool {
        let broken = matches!(self.fault, Some(Fault::Sink(_)));
        self.state != FlowState::Closed || !(self.end_is_passed || broken)
    }

    fn write_urgent(&mut self, sink: &mut Endpoint) -> bool {
        match sink.try_write(&self.urgent) {
            Ok(Put::Bytes(n)) => {
                let taps = &mut self.settings.taps;
                taps.see_written(&self.urgent[..n], sink);
                self.urgent.drain(..n);
                self.moved += n as u64;
                true
            }
            Ok(Put::Pending) => false,
            Err(error) => {
                self.urgent.clear();
                self.break_sink(error);
                true
            }
        }
    }

    /// Returns whether the source broke, and the sink is not to take that for an end.
    pub fn is_broken_off(&self) -> bool {
        self.settings.passes_clean_ends_only && matches!(self.fault, Some(Fault::Source(_)))
    }

    /// Passes on the end once all else is. Returns whether there is something to be written first.
    fn pass_on_end(&mut self, sink: &mut Endpoint) -> bool {
        self.sink_holds = sink.holds();
        if self.state != FlowState::Draining || self.is_pending() {
            return false;
        }
        if self.finish_stages() {
            return true;
        }
        let is_held = self.settings.holds_end || self.is_broken_off();
        if !self.end_is_passed && !is_held {
            self.pass_end(sink);
        }
        if !self.sink_holds {
            self.state = FlowState::Closed;
        }
        false
    }
}
