//! Who hears what is said: standard input is heard by all, a peer by standard output or by all the
//! others.

use super::{Hub, Topology};
use crate::flow::floor;
use crate::flow::member::Member;
use crate::flow::outbox::Chunk;
use crate::io::reactor::Registered;
use crate::io::ready::Got;
use std::io;
use std::time::Instant;

/// Chunks of standard input moved in one turn.
const TURN: usize = 16;

impl Hub {
    /// Unfinished lines are not waited for any more; returns whether there are some.
    pub(super) fn end_speakers(&mut self, now: Instant) -> bool {
        let mut unfinished = Vec::new();
        for (&id, member) in &mut self.members {
            member.speaker.end();
            if member.speaker.has_output() {
                unfinished.push(id);
            }
        }
        if self.settings.topology == Topology::Mesh {
            self.speaker.end();
            let words = self.speaker.take();
            self.spread(None, &words, now);
            for id in &unfinished {
                let member = self.members.get_mut(id);
                let words = member
                    .map(|member| member.speaker.take())
                    .unwrap_or_default();
                self.spread(Some(*id), &words, now);
            }
        }
        !unfinished.is_empty()
    }

    /// How many bytes every peer but the speaker has room for; 0 without other peers.
    fn room_beside(&self, speaker: Option<Registered>) -> usize {
        let others = self.members.iter();
        let others = others.filter(|(id, _)| Some(**id) != speaker);
        let rooms = others.filter_map(|(_, member)| member.room());
        rooms.min().unwrap_or(match speaker {
            // Nobody hears it: it is read all the same, for its end.
            Some(_) => usize::MAX,
            None => 0,
        })
    }

    /// Sends bytes to all but the one who said them.
    pub(super) fn spread(&mut self, speaker: Option<Registered>, bytes: &[u8], now: Instant) {
        let mut chunk = Chunk::new(bytes);
        for (&id, member) in &mut self.members {
            if Some(id) != speaker {
                member.send(&mut chunk, now);
            }
        }
    }

    /// How much of standard input may be read: nothing when there is no peer, or when one has
    /// no room.
    pub(super) fn input_room(&self) -> usize {
        match self.leaving_until {
            Some(_) => 0,
            None if self.members.is_empty() => 0,
            None => self.room_beside(None),
        }
    }

    pub(super) fn read_input(&mut self, now: Instant) -> io::Result<bool> {
        let mut read = false;
        for _ in 0..TURN {
            let room = self.input_room();
            if self.input_ended.is_some() || room == 0 {
                break;
            }
            if self.input.is_empty() {
                match self.local_fill()? {
                    Got::Bytes(_) => {}
                    Got::Pending | Got::Again => break,
                    Got::Eof => {
                        self.end_input(now);
                        return Ok(true);
                    }
                }
            }
            let allowed = match &mut self.settings.pace {
                Some(pace) => pace.allows(self.input.data(), now),
                None => self.input.data().len(),
            };
            if allowed == 0 {
                break;
            }
            self.say_input(allowed.min(room), now);
            read = true;
        }
        Ok(read)
    }

    /// Sends up to `allowed` bytes of what standard input gave to all.
    fn say_input(&mut self, allowed: usize, now: Instant) {
        let mut input = std::mem::take(&mut self.input);
        let mut said = &input.data()[..allowed];
        if self.speaker.is_plain() {
            self.spread(None, said, now)
        } else {
            said = &said[..self.speaker.push(said)];
            let lines = self.speaker.take();
            self.spread(None, &lines, now);
        }
        if let Some(pace) = &mut self.settings.pace {
            pace.note_written(said, now);
        }
        let said = said.len();
        input.consume(said);
        self.input = input;
    }

    /// In a star each peer is passed the end of standard input; in a mesh the others go on.
    fn end_input(&mut self, now: Instant) {
        self.input_ended = Some(now);
        self.speaker.end();
        let rest = self.speaker.take();
        self.spread(None, &rest, now);
        if self.settings.topology == Topology::Star {
            self.members.values_mut().for_each(Member::end_input);
        }
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

    /// Reads from the peers, for standard output.
    pub(super) fn receive(&mut self, now: Instant) -> bool {
        let mut busy = false;
        for member in self.members.values_mut() {
            if member.receive(&mut self.scratch, now) {
                busy = true;
                count_read(&mut self.settings.max_reads);
            }
        }
        busy
    }

    /// Reads once from each peer that has something to say, for all the others. It begins with the
    /// one behind the last that spoke: the queues may not have room for all.
    pub(super) fn hear(&mut self, now: Instant) -> bool {
        let readable = |(id, member): (Registered, &Member)| member.is_readable().then_some(id);
        let in_turn = floor::in_turn(&self.members, self.last_speaker);
        let speakers: Vec<Registered> = in_turn.filter_map(readable).collect();
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut busy = false;
        for id in speakers {
            let room = self.room_beside(Some(id)).min(scratch.len());
            let Some(member) = self.members.get_mut(&id) else {
                continue;
            };
            let Some(words) = member.hear(&mut scratch[..room], now) else {
                continue;
            };
            self.last_speaker = Some(id);
            self.spread(Some(id), &words, now);
            count_read(&mut self.settings.max_reads);
            busy = true;
        }
        self.scratch = scratch;
        busy
    }
}

fn count_read(left: &mut Option<u64>) {
    if let Some(left) = left {
        *left = left.saturating_sub(1);
    }
}
