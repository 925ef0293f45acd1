//! Standard output as what several peers share: whole lines of one after the other.

use super::member::Member;
use crate::io::endpoint::Endpoint;
use crate::io::reactor::Registered;
use crate::io::ready::Put;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

/// How long the writer of an unfinished line keeps others from standard output after its last byte.
const FLOOR: Duration = Duration::from_millis(200);
/// How long the writer of a line that does not end keeps others from it at all.
const LONGEST: Duration = Duration::from_secs(1);
/// Chunks written in one turn.
const TURN: usize = 16;

/// What is on its way to standard output, and who has the floor there.
#[derive(Debug, Default)]
pub struct Floor {
    output: Vec<u8>,
    written: usize,
    holder: Option<Holder>,
    /// The member whose lines were written last.
    last: Option<Registered>,
}

/// The members in the order of their coming, those after `last` first.
pub fn in_turn(
    members: &BTreeMap<Registered, Member>,
    last: Option<Registered>,
) -> impl Iterator<Item = (Registered, &Member)> {
    let all = || members.iter().map(|(id, member)| (*id, member));
    let after = all().filter(move |(id, _)| Some(*id) > last);
    after.chain(all().filter(move |(id, _)| Some(*id) <= last))
}

/// The member whose unfinished line stands on standard output.
#[derive(Clone, Copy, Debug)]
struct Holder {
    id: Registered,
    /// When its first and its last byte were taken.
    began: Instant,
    since: Instant,
}

impl Floor {
    /// Returns whether something waits to be written.
    pub fn is_pending(&self) -> bool {
        self.written < self.output.len()
    }

    /// When others may write although a line is unfinished, if they have something to write.
    pub fn deadline(&self, members: &BTreeMap<Registered, Member>) -> Option<Instant> {
        let holder = self.holder.filter(|_| !self.is_pending())?;
        let wanted = members.values().any(|member| member.speaker.has_output());
        wanted.then(|| holder.since + FLOOR)
    }

    /// Takes the last words of a member that leaves.
    pub fn take_leave(&mut self, id: Registered, words: &[u8]) {
        self.output.extend_from_slice(words);
        self.holder.take_if(|holder| holder.id == id);
    }

    /// Writes what goes; returns whether something went.
    ///
    /// # Errors
    /// Any error of the write.
    pub fn write(
        &mut self,
        local: &mut Endpoint,
        members: &mut BTreeMap<Registered, Member>,
        now: Instant,
    ) -> io::Result<bool> {
        let mut wrote = false;
        for _ in 0..TURN {
            if !self.is_pending() {
                self.written = 0;
                self.output = self.next(members, now);
                if self.output.is_empty() {
                    break;
                }
            }
            match local.try_write(&self.output[self.written..])? {
                Put::Bytes(n) => self.written += n,
                Put::Pending => break,
            }
            wrote = true;
        }
        Ok(wrote)
    }

    /// What standard output gets next: more from the one whose unfinished line stands there, or
    /// whole lines from the others in turn, or else an unfinished line.
    fn next(&mut self, members: &mut BTreeMap<Registered, Member>, now: Instant) -> Vec<u8> {
        if let Some(Holder { id, began, since }) = self.holder {
            let is_quick = now < began + LONGEST;
            let member = members.get_mut(&id).filter(|_| is_quick);
            if let Some(member) = member.filter(|member| member.speaker.has_output()) {
                let bytes = member.speaker.take_early();
                self.give_to(id, &bytes, now);
                return bytes;
            }
            if is_quick && now < since + FLOOR {
                return Vec::new();
            }
            self.holder = None;
        }
        let order: Vec<Registered> = in_turn(members, self.last)
            .filter(|(_, member)| member.speaker.has_output())
            .map(|(id, _)| id)
            .collect();
        for is_early in [false, true] {
            for &id in &order {
                let Some(member) = members.get_mut(&id) else {
                    continue;
                };
                let bytes = if is_early {
                    member.speaker.take_early()
                } else {
                    member.speaker.take()
                };
                if !bytes.is_empty() {
                    self.last = Some(id);
                    self.give_to(id, &bytes, now);
                    return bytes;
                }
            }
        }
        Vec::new()
    }

    fn give_to(&mut self, id: Registered, bytes: &[u8], now: Instant) {
        let same = self.holder.filter(|holder| holder.id == id);
        let began = same.map_or(now, |holder| holder.began);
        let is_unfinished = bytes.last() != Some(&b'\n');
        self.holder = is_unfinished.then_some(Holder {
            id,
            began,
            since: now,
        });
    }
}
