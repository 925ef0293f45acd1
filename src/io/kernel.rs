//! A store inside the kernel: bytes go from source to sink without passing through this process.
//! Chosen by asking both ends; given up at the first refusal, or when traffic turns small.

use super::endpoint::Endpoint;
use crate::sys::offload::{Carried, Mover};

/// A move smaller than this is as cheap through memory, and quicker.
const SMALL_BYTES: usize = 8 << 10;
/// So many small moves in a row: traffic has turned small.
const SMALL_MOVES: u32 = 16;

/// A store inside the kernel.
#[derive(Debug)]
pub struct Kernel {
    mover: Mover,
    small_moves: u32,
}

/// What a turn of such a store came to.
#[derive(Debug)]
pub enum Carry {
    /// So many bytes reached the sink; there may be more to move.
    Moved(usize),
    /// Nothing moves now; an event will tell.
    Pending,
    /// The source has ended, and everything has reached the sink.
    Eof,
    /// To be gone on with through memory, beginning with these bytes.
    GiveUp(Vec<u8>),
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
        })
    }

    /// Bytes that have left the source and not reached the sink.
    pub fn held(&self) -> usize {
        self.mover.held()
    }

    /// Moves once; without `takes` nothing more is taken from the source. Never waits.
    pub fn carry(&mut self, source: &mut Endpoint, sink: &mut Endpoint, takes: bool) -> Carry {
        let empties = self.held() > 0;
        let ready = match empties {
            true => sink.is_writable(),
            false => !takes || (source.is_readable() && sink.is_writable()),
        };
        if !ready {
            return Carry::Pending;
        }
        let (Some(from), Some(to)) = (source.raw_read(), sink.raw_write()) else {
            return self.give_up();
        };
        match self.mover.carry(from, to, takes) {
            Carried::Bytes { taken, given } => {
                self.count(taken, empties);
                match self.small_moves > SMALL_MOVES && self.held() == 0 {
                    true if given > 0 => Carry::Moved(given),
                    true => self.give_up(),
                    false => Carry::Moved(given),
                }
            }
            Carried::Eof => Carry::Eof,
            // Neither blocks any more: it is not known what an event would tell.
            Carried::Blocked {
                source: false,
                sink: false,
            } => self.give_up(),
            Carried::Blocked {
                source: drained,
                sink: full,
            } => {
                if drained {
                    source.is_drained();
                }
                if full {
                    sink.is_full();
                }
                // Small traffic is what leaves the source drained after little.
                match self.small_moves > SMALL_MOVES && self.held() == 0 {
                    true => self.give_up(),
                    false => Carry::Pending,
                }
            }
            Carried::Refused => self.give_up(),
            Carried::SourceError(error) => Carry::SourceError(error),
            Carried::SinkError(error) => Carry::SinkError(error),
        }
    }

    fn count(&mut self, taken: usize, empties: bool) {
        let cheap_either_way = matches!(self.mover, Mover::Discard(_) | Mover::SendFile);
        if empties || cheap_either_way {
            return;
        }
        self.small_moves = match taken < SMALL_BYTES {
            true => self.small_moves + 1,
            false => 0,
        };
    }

    fn give_up(&mut self) -> Carry {
        let mover = std::mem::replace(&mut self.mover, Mover::Splice);
        Carry::GiveUp(mover.into_held())
    }
}
