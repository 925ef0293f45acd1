//! Lists of ports.

use super::end::End;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Ports of a host, and how they are tried.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The end at the first of them.
    pub end: End,
    /// The ports, in order.
    pub ranges: Vec<RangeInclusive<u16>>,
    /// The ports in random order.
    pub shuffled: bool,
    /// Pause between ports.
    pub interval: Option<Duration>,
    /// What the list has to come to.
    pub success: Success,
}

/// What a list of ports has to come to for exit code 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// Any of them is open.
    Any,
    /// All of them are.
    All,
    /// The last one is.
    Last,
}
