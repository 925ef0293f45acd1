//! Floor 3: moving bytes between two ends. Does not know where the ends come from.

#[allow(clippy::module_inception)]
pub mod flow;

pub mod bridge;
pub mod floor;
pub mod hub;
pub mod limits;
pub mod member;
pub mod outbox;
pub mod stages;
pub mod taps;
pub mod verdict;
