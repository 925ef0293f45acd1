//! Several peers at once: standard input goes to all of them, what they send goes to standard
//! output, lines kept whole.
//!
//! Standard input is read only when every peer's queue has room, so nothing is lost and memory is
//! bounded; a peer that has taken nothing for ten seconds while its queue is full is dropped, so
//! that it cannot stop the others for ever. With nobody there, standard input waits.

use super::bridge::{Ended, Place, Turn};
use super::limits::Late;
use super::member::{Member, Presence};
use super::stages::{Pace, Stage};
use crate::io::endpoint::Endpoint;
use crate::io::ready::{Got, Put, Ready};
use crate::io::store::Mem;
use crate::plan::{Ends, Limits};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long the writer of an unfinished line keeps others from standard output after its last byte.
const FLOOR: Duration = Duration::from_millis(200);
/// How long a full queue may stay without one byte sent before the peer is dropped.
const STALLED: Duration = Duration::from_secs(10);
/// Bytes read from a peer at once.
const SCRATCH_BYTES: usize = 16 << 10;
/// Chunks of standard input, and of output, moved in one turn.
const TURN: usize = 16;

/// Something about a peer, to be told with `-v`.
#[derive(Debug)]
pub enum Departure {
    /// It ended, after so many bytes sent and received.
    Ended(String, (u64, u64)),
    /// It broke.
    Broken(String, io::Error),
    /// It reached a limit of time.
    Late(String, Late),
    /// It did not read for too long.
    Stalled(String),
}

/// How a hub works.
pub struct Settings {
    /// The rules at the end of each peer's stream.
    pub ends: Ends,
    /// How much each peer may take.
    pub limits: Limits,
    /// Changes to what is read from standard input.
    pub stages: Vec<Box<dyn Stage>>,
    /// One line of standard input at a time.
    pub pace: Option<Pace>,
    /// Reads from peers after which all is over.
    pub max_reads: Option<u64>,
}

/// Peers joined to standard input and output.
pub struct Hub {
    local: Endpoint,
    members: BTreeMap<u16, Member>,
    settings: Settings,
    input: Mem,
    input_ended: Option<Instant>,
    output: Vec<u8>,
    written: usize,
    /// The member whose unfinished line stands on standard output, since its last byte.
    floor: Option<(u16, Instant)>,
    /// The member to look at first for lines.
    turn: u16,
    scratch: Vec<u8>,
    departures: Vec<Departure>,
    last: Instant,
    /// Leaving: until when undelivered bytes are waited for.
    leaving_until: Option<Instant>,
}

impl Hub {
    /// A hub without peers.
    pub fn new(local: Endpoint, settings: Settings, now: Instant) -> Hub {
        Hub {
            local,
            members: BTreeMap::new(),
            settings,
            input: Mem::default(),
            input_ended: None,
            output: Vec::new(),
            written: 0,
            floor: None,
            turn: 0,
            scratch: vec![0; SCRATCH_BYTES],
            departures: Vec::new(),
            last: now,
            leaving_until: None,
        }
    }

    /// Adds a peer, registered under `slot`.
    pub fn join(&mut self, slot: u16, mut member: Member) {
        member.limit_bytes(self.settings.limits.bytes);
        if self.input_ended.is_some() {
            member.end_input();
        }
        self.members.insert(slot, member);
    }

    /// Says whether a slot is taken.
    pub fn has(&self, slot: u16) -> bool {
        self.members.contains_key(&slot)
    }

    /// Says how many peers there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Says whether there is no peer.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Drops the peer that sent its end the longest time ago and is sent nothing, if there is one:
    /// most likely it is gone, and its descriptor is needed.
    pub fn make_room(&mut self) -> bool {
        let ended = self.members.iter();
        let ended = ended.filter_map(|(&slot, member)| Some((member.half_closed_since()?, slot)));
        let Some((_, slot)) = ended.min() else {
            return false;
        };
        self.depart(slot, |member| {
            Departure::Ended(member.label.clone(), member.moved())
        });
        true
    }

    /// Who left since the last call.
    pub fn take_departures(&mut self) -> Vec<Departure> {
        std::mem::take(&mut self.departures)
    }

    /// Takes in an event.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        self.local.note(slot, ready);
        if let Some(member) = self.members.get_mut(&slot) {
            member.note(slot, ready);
        }
    }

    /// Moves what can be moved.
    pub fn drive(&mut self, now: Instant) -> Turn {
        let mut busy = false;
        match self.read_input(now) {
            Ok(read) => busy |= read,
            Err(error) => return Turn::Over(Ended::Broken(Place::Input, error)),
        }
        busy |= self.drive_members(now);
        match self.write_output(now) {
            Ok(wrote) => busy |= wrote,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Turn::Over(Ended::Clean);
            }
            Err(error) => return Turn::Over(Ended::Broken(Place::Output, error)),
        }
        if self.local.write_fault().is_some() {
            return Turn::Over(Ended::Clean);
        }
        if busy {
            self.last = now;
            return Turn::Again;
        }
        match self.is_over(now) {
            true => Turn::Over(Ended::Quit),
            false => Turn::Wait,
        }
    }

    /// When the hub wants to be driven even if nothing happens: only for what could change then.
    pub fn deadline(&self) -> Option<Instant> {
        let members = self
            .members
            .values()
            .filter_map(|member| self.member_deadline(member));
        let floor = self.floor.map(|(_, since)| since + FLOOR);
        let floor = floor.filter(|_| {
            self.written == self.output.len() && self.members.values().any(Member::holds_lines)
        });
        let pause = self.settings.pace.as_ref().and_then(Pace::paused_until);
        let pause = pause.filter(|_| !self.input.is_empty() && self.takes_input());
        let leave = self.leaving_until;
        members
            .chain(floor)
            .chain(pause)
            .chain(self.quit_deadline())
            .chain(leave)
            .min()
    }

    fn member_deadline(&self, member: &Member) -> Option<Instant> {
        let stalled = member.stalled_deadline(STALLED);
        let limit = member.time_limit(&self.settings.limits).map(|(at, _)| at);
        limit.into_iter().chain(stalled).min()
    }

    fn quit_deadline(&self) -> Option<Instant> {
        self.input_ended.filter(|_| !self.is_pending())?;
        self.settings.ends.quit.map(|quiet| self.last + quiet)
    }

    /// Something received waits for standard output, or something read for a peer.
    fn is_pending(&self) -> bool {
        self.written < self.output.len() || self.members.values().any(Member::is_pending)
    }

    fn is_over(&self, now: Instant) -> bool {
        let quit = self.quit_deadline().is_some_and(|at| now >= at);
        quit || (self.settings.max_reads == Some(0) && !self.is_pending())
    }

    /// Begins to leave: standard input is not read any more, and what is on its way is delivered
    /// until `until`.
    pub fn leave(&mut self, until: Instant) {
        self.leaving_until.get_or_insert(until);
    }

    /// Leaving, and everything is delivered or the time is over.
    pub fn has_left(&self, now: Instant) -> bool {
        self.leaving_until
            .is_some_and(|until| now >= until || !self.is_pending())
    }

    /// There is no peer, and what all of them sent is written.
    pub fn is_done(&self) -> bool {
        self.members.is_empty() && !self.is_pending()
    }

    /// Standard input is read when there is somebody, and everybody has room.
    fn takes_input(&self) -> bool {
        let everybody = self.members.values().all(Member::has_room);
        everybody && !self.members.is_empty() && self.leaving_until.is_none()
    }

    fn read_input(&mut self, now: Instant) -> io::Result<bool> {
        let mut read = false;
        for _ in 0..TURN {
            if self.input_ended.is_some() || !self.takes_input() {
                break;
            }
            if self.input.is_empty() {
                match self.local_fill()? {
                    Got::Bytes(_) => {}
                    Got::Pending => break,
                    Got::Eof => {
                        self.input_ended = Some(now);
                        self.members.values_mut().for_each(Member::end_input);
                        return Ok(true);
                    }
                }
            }
            let data = self.input.data();
            let allowed = match &mut self.settings.pace {
                Some(pace) => pace.allows(data, now),
                None => data.len(),
            };
            if allowed == 0 {
                break;
            }
            let chunk: Rc<[u8]> = Rc::from(&data[..allowed]);
            if let Some(pace) = &mut self.settings.pace {
                pace.wrote(&chunk, now);
            }
            self.members
                .values_mut()
                .for_each(|member| member.send(&chunk));
            self.input.consume(allowed);
            read = true;
        }
        Ok(read)
    }

    fn local_fill(&mut self) -> io::Result<Got> {
        let got = self.input.fill(&mut self.local, None, usize::MAX)?;
        for stage in &mut self.settings.stages {
            let mut out = Vec::new();
            stage.apply(self.input.data(), &mut out, &mut Vec::new());
            self.input.replace(&out);
        }
        Ok(got)
    }

    fn drive_members(&mut self, now: Instant) -> bool {
        let mut busy = false;
        let mut gone = Vec::new();
        for (&slot, member) in &mut self.members {
            let received = member.moved().1;
            match member.drive(&mut self.scratch, &self.settings.ends, now) {
                Presence::Here => {}
                Presence::Busy => busy = true,
                Presence::Gone(fault) => gone.push((slot, fault)),
            }
            if member.moved().1 != received
                && let Some(left) = &mut self.settings.max_reads
            {
                *left = left.saturating_sub(1);
            }
        }
        for (slot, fault) in gone {
            self.depart(slot, |member| match fault {
                Some(error) => Departure::Broken(member.label, error),
                None => Departure::Ended(member.label.clone(), member.moved()),
            });
            busy = true;
        }
        // One that is dropped may have kept standard input from being read.
        self.drop_late(now) || busy
    }

    /// Drops the peers whose time is up.
    fn drop_late(&mut self, now: Instant) -> bool {
        let late: Vec<(u16, Option<Late>)> = self
            .members
            .iter()
            .filter(|(_, member)| self.member_deadline(member).is_some_and(|at| now >= at))
            .map(|(&slot, member)| {
                let limit = member.time_limit(&self.settings.limits);
                let limit = limit.filter(|(at, _)| now >= *at);
                // One that does not read is told apart from one that is idle.
                let limit = limit.filter(|(_, late)| member.has_room() || !late.is_idle());
                (slot, limit.map(|(_, late)| late))
            })
            .collect();
        let any = !late.is_empty();
        for (slot, late) in late {
            self.depart(slot, |member| match late {
                Some(late) => Departure::Late(member.label, late),
                None => Departure::Stalled(member.label),
            });
        }
        any
    }

    fn depart(&mut self, slot: u16, how: impl FnOnce(Member) -> Departure) {
        if let Some(mut member) = self.members.remove(&slot) {
            self.output.extend(member.take_all());
            self.departures.push(how(member));
        }
        if self.floor.is_some_and(|(holder, _)| holder == slot) {
            self.floor = None;
        }
    }

    fn write_output(&mut self, now: Instant) -> io::Result<bool> {
        let mut wrote = false;
        for _ in 0..TURN {
            if self.written == self.output.len() {
                self.written = 0;
                self.output = self.next_output(now);
                if self.output.is_empty() {
                    break;
                }
            }
            match self.local.try_write(&self.output[self.written..])? {
                Put::Bytes(n) => self.written += n,
                Put::Pending => break,
            }
            wrote = true;
        }
        Ok(wrote)
    }

    /// What standard output gets next: more from the one whose unfinished line stands there, or
    /// whole lines from the others in turn, or else an unfinished line.
    fn next_output(&mut self, now: Instant) -> Vec<u8> {
        if let Some((slot, since)) = self.floor {
            if let Some(member) = self.members.get_mut(&slot)
                && member.holds_lines()
            {
                let bytes = member.take_all();
                self.take_floor(slot, &bytes, now);
                return bytes;
            }
            if now < since + FLOOR {
                return Vec::new();
            }
            self.floor = None;
        }
        let order: Vec<u16> = {
            let from = self.members.range(self.turn..).map(|(&slot, _)| slot);
            from.chain(self.members.range(..self.turn).map(|(&slot, _)| slot))
                .collect()
        };
        for take in [Member::take_lines, Member::take_all] {
            for &slot in &order {
                let Some(member) = self.members.get_mut(&slot) else {
                    continue;
                };
                let bytes = take(member);
                if !bytes.is_empty() {
                    self.turn = slot.wrapping_add(1);
                    self.take_floor(slot, &bytes, now);
                    return bytes;
                }
            }
        }
        Vec::new()
    }

    fn take_floor(&mut self, slot: u16, bytes: &[u8], now: Instant) {
        self.floor = (bytes.last() != Some(&b'\n')).then_some((slot, now));
    }
}
