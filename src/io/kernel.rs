//! A store inside the kernel: bytes go from source to sink without passing through this process.
//! Chosen by asking both ends; given up at the first refusal, or when traffic turns small.

use super::endpoint::Endpoint;
use crate::sys::offload::{Carried, Mover};

/// A move smaller than this is as cheap through memory, and quicker.
const SMALL_BYTES: usize = 8 << 10;
/// So many small moves in a row: traffic has turned small.
const SMALL_MOVES: u32 = 16;
/// So many moves in a row may show neither what they did nor what they wait for.
const UNSURE_MOVES: u32 = 8;

/// A store inside the kernel.
#[derive(Debug)]
pub struct Kernel {
    mover: Mover,
    small_moves: u32,
    /// Moves in a row for which it is not known what they wait for.
    unsure: u32,
}

/// What a turn of such a store came to.
#[derive(Debug)]
pub enum Carry {
    /// So many bytes reached the sink; there may be more to move.
    Moved(usize),
    /// Nothing moves now; an event will report it.
    Pending,
    /// The source has ended, and everything has reached the sink.
    Eof,
    /// To be gone on with through memory.
    GiveUp {
        /// Bytes that have left the source and not reached the sink.
        held: Vec<u8>,
        /// The kernel does not do this with these ends.
        for_good: bool,
    },
    /// Reading failed.
    SourceError(std::io::Error),
    /// Writing failed.
    SinkError(std::io::Error),
}

impl Kernel {
    /// A store between two ends, if both give their descriptors and the kernel has a way.
    pub fn between(source: &Endpoint, sink: &Endpoint) -> Option<Kernel> {
        let mover = Mover::between(source.raw_read()?, sink.raw_write()?)?;
        Some(Kernel {
            mover,
            small_moves: 0,
            unsure: 0,
        })
    }

    /// Bytes that have left the source and not reached the sink.
    pub fn held(&self) -> usize {
        self.mover.held()
    }

    /// Moves once; at most `most` bytes more are taken from the source. Never waits.
    pub fn carry(&mut self, source: &mut Endpoint, sink: &mut Endpoint, most: usize) -> Carry {
        let empties = self.held() > 0;
        let ready = if empties {
            sink.is_writable()
        } else {
            most == 0 || (source.is_readable() && sink.is_writable())
        };
        if !ready {
            return Carry::Pending;
        }
        let (Some(from), Some(to)) = (source.raw_read(), sink.raw_write()) else {
            return self.give_up(true);
        };
        match self.mover.carry(from, to, most) {
            Carried::Bytes { taken, given } => {
                self.count(taken, empties);
                self.unsure = 0;
                Carry::Moved(given)
            }
            Carried::Eof => Carry::Eof,
            Carried::Nothing => self.give_up(false),
            // One has become ready since: try again, but not for ever.
            Carried::Blocked {
                source: false,
                sink: false,
            } => {
                self.unsure += 1;
                if self.unsure > UNSURE_MOVES {
                    self.give_up(false)
                } else {
                    Carry::Moved(0)
                }
            }
            // Traffic that comes in small pieces leaves the source drained after each. And
            // splice(2) goes no further than urgent data, and then says that the source is drained.
            Carried::Blocked { source: true, .. }
                if self.small_moves > SMALL_MOVES || source.has_more_behind() =>
            {
                self.give_up(false)
            }
            Carried::Blocked {
                source: drained,
                sink: full,
            } => {
                if drained {
                    source.set_drained();
                }
                if full {
                    sink.set_full();
                }
                Carry::Pending
            }
            Carried::Refused => self.give_up(true),
            Carried::SourceError(error) => Carry::SourceError(error),
            Carried::SinkError(error) => Carry::SinkError(error),
        }
    }

    fn count(&mut self, taken: usize, empties: bool) {
        let cheap_either_way = matches!(self.mover, Mover::Discard(_) | Mover::SendFile);
        if empties || cheap_either_way {
            return;
        }
        self.small_moves = if taken < SMALL_BYTES {
            self.small_moves + 1
        } else {
            0
        };
    }

    fn give_up(&mut self, for_good: bool) -> Carry {
        let mover = std::mem::replace(&mut self.mover, Mover::Splice);
        Carry::GiveUp {
            held: mover.into_held(),
            for_good,
        }
    }
}
