//! What a flow does besides moving bytes.

use super::stages::{Pace, Stage};
use super::taps::Taps;

/// What a flow does besides moving bytes.
#[derive(Default)]
pub struct Settings {
    /// Changes to the bytes, first to last.
    pub stages: Vec<Box<dyn Stage>>,
    /// Watchers of what is read, before the changes, and of what is written, after them.
    pub taps: Taps,
    /// One line at a time.
    pub pace: Option<Pace>,
    /// The longest message to read, in bytes, where messages count.
    pub message_bytes: Option<usize>,
    /// The flow takes its source to have ended after this many reads (`-W`).
    pub max_reads: Option<u64>,
    /// The end of the source is not passed on to the sink until `pass_end` is called.
    pub holds_end: bool,
    /// The bytes may go past this process, if the ends allow it and nothing here wants them.
    pub may_offload: bool,
    /// A source that broke has no end to pass on: the owner of the sink resets it.
    pub passes_clean_ends_only: bool,
}

impl Settings {
    /// Returns whether nothing in between wants to see all bytes, to change or to count them.
    pub fn wants_no_bytes(&self) -> bool {
        let plain = self.stages.is_empty() && self.pace.is_none() && self.taps.is_empty();
        plain && self.message_bytes.is_none() && self.max_reads.is_none()
    }
}
