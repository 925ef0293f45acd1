//! Several peers at once, in one of two shapes.
//!
//! A star: standard input goes to all of them, what they send goes to standard output, lines kept
//! whole. A mesh: standard input goes to all of them, and what one says goes to all the others.
//!
//! A source, standard input or a peer that says something to others, is read only when there is
//! room for it in the queue of everybody who is to hear it: so nothing is lost, and memory is
//! bounded. A peer whose queue stays full is dropped, so that it cannot stop the others for ever.
//! Without peers, standard input waits.

mod speech;

use super::bridge::{BrokenEnd, Ended, Turn};
use super::floor::Floor;
use super::limits::Late;
use super::member::{Member, Presence};
use super::outbox::Chunk;
use super::stages::{Pace, Stage};
use crate::io::endpoint::Endpoint;
use crate::io::reactor::Registered;
use crate::io::ready::Ready;
use crate::io::store::Mem;
use crate::plan::{Ends, Limits};
use crate::proto::chat::{self, Label, Speaker};
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// How long a queue may stay full before its peer is dropped, when others wait for it.
const PATIENCE: Duration = Duration::from_secs(2);
/// The same for a peer that is alone.
const PATIENCE_ALONE: Duration = Duration::from_secs(10);
/// Bytes read from a peer at once.
const SCRATCH_BYTES: usize = 16 << 10;
/// The same in a mesh: what is read costs a call, and so does each write of it.
const MESH_BYTES: usize = 256 << 10;

/// Something about a peer, to be printed with `-v`.
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

impl Departure {
    /// A peer that is done leaves, and is sent the news.
    fn ended(mut member: Member) -> Departure {
        member.say_goodbye();
        Departure::Ended(member.label.clone(), member.moved())
    }
}

/// Where goes what a peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// To standard output.
    Star,
    /// To all the others.
    Mesh,
}

/// How a hub works.
pub struct HubSettings {
    /// Where goes what a peer says.
    pub topology: Topology,
    /// The rules at the end of each peer's stream.
    pub ends: Ends,
    /// How much each peer may take.
    pub limits: Limits,
    /// Changes to what is read from standard input.
    pub stages: Vec<Box<dyn Stage>>,
    /// What stands before each line of standard input.
    pub label: Label,
    /// One line of standard input at a time.
    pub pace: Option<Pace>,
    /// Reads from peers after which all is over.
    pub max_reads: Option<u64>,
}

/// Peers joined to standard input, and to standard output or each other.
pub struct Hub {
    local: Endpoint,
    members: BTreeMap<Registered, Member>,
    settings: HubSettings,
    input: Mem,
    /// What standard input says.
    speaker: Speaker,
    input_ended: Option<Instant>,
    floor: Floor,
    /// The member that spoke last, in a mesh.
    last_speaker: Option<Registered>,
    scratch: Vec<u8>,
    departures: Vec<Departure>,
    last: Instant,
    /// Leaving: until when undelivered bytes are waited for.
    leaving_until: Option<Instant>,
}

impl Hub {
    /// A hub without peers.
    pub fn new(local: Endpoint, settings: HubSettings, now: Instant) -> Hub {
        let scratch_bytes = match settings.topology {
            Topology::Star => SCRATCH_BYTES,
            Topology::Mesh => MESH_BYTES,
        };
        Hub {
            local,
            members: BTreeMap::new(),
            input: Mem::default(),
            speaker: Speaker::new(settings.label.clone()),
            input_ended: None,
            floor: Floor::default(),
            last_speaker: None,
            scratch: vec![0; scratch_bytes],
            departures: Vec::new(),
            last: now,
            leaving_until: None,
            settings,
        }
    }

    /// Adds a peer, whose end is a stream. If it has a name, all are told.
    pub fn join(&mut self, mut member: Member, now: Instant) {
        let Some(id) = member.id() else {
            return;
        };
        member.limit_bytes(self.settings.limits.bytes);
        if self.input_ended.is_some() && self.settings.topology == Topology::Star {
            member.end_input();
        }
        let label = member.speaker.label().clone();
        let others = self.members.values().filter_map(called);
        let present = chat::present(others);
        self.members.insert(id, member);
        if let Label::Name { name, origin } = label {
            self.spread(None, chat::joined(&name, &origin).as_bytes(), now);
            if let Some(member) = self.members.get_mut(&id) {
                member.send(&mut Chunk::new(present.as_bytes()), now);
            }
        }
    }

    /// How many peers there are.
    pub fn population(&self) -> usize {
        self.members.len()
    }

    /// Drops the peer that sent its end the longest time ago and is sent nothing, if there is one:
    /// most likely it is gone, and its descriptor is needed.
    pub fn make_room(&mut self, now: Instant) -> bool {
        let ended = self.members.iter();
        let ended = ended.filter_map(|(&id, member)| Some((member.half_closed_since()?, id)));
        let Some((_, id)) = ended.min() else {
            return false;
        };
        self.depart(id, now, Departure::ended);
        true
    }

    /// Returns whether all that has come from the peers is read and passed on, their ends too.
    pub fn is_settled(&self) -> bool {
        !self.members.values().any(Member::is_unheard)
    }

    /// Who left since the last call.
    pub fn take_departures(&mut self) -> Vec<Departure> {
        std::mem::take(&mut self.departures)
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.local.note(id, ready);
        if let Some(member) = self.members.get_mut(&id) {
            member.note(id, ready);
        }
    }

    /// Moves what can be moved.
    pub fn drive(&mut self, now: Instant) -> Turn {
        let turn = self.drive_all(now);
        if matches!(turn, Turn::Over(Ended::Clean | Ended::Quit)) {
            self.members.values_mut().for_each(Member::say_goodbye);
        }
        turn
    }

    fn drive_all(&mut self, now: Instant) -> Turn {
        let mut busy = false;
        match self.read_input(now) {
            Ok(read) => busy |= read,
            Err(error) => return Turn::Over(Ended::Broken(BrokenEnd::Input, error)),
        }
        busy |= self.drive_members(now);
        match self.floor.write(&mut self.local, &mut self.members, now) {
            Ok(wrote) => busy |= wrote,
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                return Turn::Over(Ended::Clean);
            }
            Err(error) => return Turn::Over(Ended::Broken(BrokenEnd::Output, error)),
        }
        if self.local.write_fault().is_some() {
            return Turn::Over(Ended::Clean);
        }
        if busy {
            self.last = now;
            return Turn::Again;
        }
        if !self.is_over(now) {
            Turn::Wait
        } else if self.end_speakers(now) {
            Turn::Again
        } else {
            Turn::Over(Ended::Quit)
        }
    }

    /// When the hub wants to be driven even if nothing happens: only for what could change then.
    pub fn deadline(&self) -> Option<Instant> {
        let members = self
            .members
            .values()
            .filter_map(|member| self.member_deadline(member));
        let pause = self.settings.pace.as_ref().and_then(Pace::paused_until);
        let pause = pause.filter(|_| !self.input.is_empty() && self.input_room() > 0);
        let leave = self.leaving_until;
        let vanished = self.members.values().filter_map(Member::liveness_deadline);
        members
            .chain(vanished)
            .chain(self.floor.deadline(&self.members))
            .chain(pause)
            .chain(self.quit_deadline())
            .chain(leave)
            .min()
    }

    fn member_deadline(&self, member: &Member) -> Option<Instant> {
        let patience = match self.members.len() {
            1 => PATIENCE_ALONE,
            _ => PATIENCE,
        };
        let stalled = member.stalled_deadline(patience);
        let limit = member.time_limit(&self.settings.limits).map(|(at, _)| at);
        limit.into_iter().chain(stalled).min()
    }

    fn quit_deadline(&self) -> Option<Instant> {
        self.input_ended.filter(|_| !self.is_pending())?;
        self.settings.ends.quit.map(|quiet| self.last + quiet)
    }

    /// Something received waits for standard output, or something read for a peer.
    fn is_pending(&self) -> bool {
        self.floor.is_pending() || self.members.values().any(Member::is_pending)
    }

    fn is_over(&self, now: Instant) -> bool {
        let quit = self.quit_deadline().is_some_and(|at| now >= at);
        quit || (self.settings.max_reads == Some(0) && !self.is_pending())
    }

    /// Begins to leave: standard input is not read any more, and what is on its way is delivered
    /// until `until`.
    pub fn leave(&mut self, until: Instant, now: Instant) {
        self.leaving_until.get_or_insert(until);
        self.end_speakers(now);
    }

    /// Leaving, and everything is delivered or the time is over.
    pub fn has_left(&self, now: Instant) -> bool {
        self.leaving_until
            .is_some_and(|until| now >= until || !self.is_pending())
    }

    /// The hub is given up in the middle: what is cut off looks cut off to the peers.
    pub fn cut_off(&self) {
        let has_input = self.has_input();
        let members = self.members.values();
        members.for_each(|member| member.cut_off(has_input));
    }

    /// Returns whether there is an input whose end a peer could wait for. What peers say to each
    /// other has none.
    fn has_input(&self) -> bool {
        self.settings.topology == Topology::Star && self.local.has_input()
    }

    /// There is no peer, and what all of them sent is written.
    pub fn is_done(&self) -> bool {
        self.members.is_empty() && !self.is_pending()
    }

    fn drive_members(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for member in self.members.values_mut() {
            busy |= member.flush(&self.settings.ends, now);
        }
        busy |= match self.settings.topology {
            Topology::Star => self.receive(now),
            Topology::Mesh => self.hear(now),
        };
        let mut gone = Vec::new();
        for (&id, member) in &mut self.members {
            if let Presence::Gone(fault) = member.judge(&self.settings.ends, now) {
                gone.push((id, fault));
            }
        }
        for (id, fault) in gone {
            self.depart(id, now, |member| match fault {
                Some(error) => Departure::Broken(member.label, error),
                None => Departure::ended(member),
            });
            busy = true;
        }
        // One that is dropped may have kept standard input from being read.
        self.drop_late(now) || busy
    }

    /// Drops the peers whose time is up.
    fn drop_late(&mut self, now: Instant) -> bool {
        let late: Vec<(Registered, Option<Late>)> = self
            .members
            .iter()
            .filter(|(_, member)| self.member_deadline(member).is_some_and(|at| now >= at))
            .map(|(&id, member)| {
                let limit = member.time_limit(&self.settings.limits);
                let limit = limit.filter(|(at, _)| now >= *at);
                // One that does not read is told apart from one that is idle.
                let limit = limit.filter(|(_, late)| !member.is_full() || !late.is_idle());
                (id, limit.map(|(_, late)| late))
            })
            .collect();
        let any = !late.is_empty();
        for (id, late) in late {
            let is_end = self.settings.ends.time_limit_is_end && late.is_some();
            let has_input = self.has_input();
            self.depart(id, now, |member| {
                if !is_end {
                    member.cut_off(has_input);
                }
                match late {
                    Some(late) => Departure::Late(member.label, late),
                    None => Departure::Stalled(member.label),
                }
            });
        }
        any
    }

    fn depart(&mut self, id: Registered, now: Instant, how: impl FnOnce(Member) -> Departure) {
        let Some(mut member) = self.members.remove(&id) else {
            return;
        };
        member.speaker.end();
        let words = member.speaker.take();
        match self.settings.topology {
            Topology::Star => self.floor.take_leave(id, &words),
            Topology::Mesh => self.spread(None, &words, now),
        }
        if let Some((name, _)) = called(&member) {
            self.spread(None, chat::left(name).as_bytes(), now);
        }
        self.departures.push(how(member));
    }
}

/// The name and origin of a member that has a name.
fn called(member: &Member) -> Option<(&str, &str)> {
    match member.speaker.label() {
        Label::Name { name, origin } => Some((name, origin)),
        Label::None | Label::Origin(_) => None,
    }
}
