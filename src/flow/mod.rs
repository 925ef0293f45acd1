//! Floor 3: moving bytes between two ends. Does not know where the ends come from.

#[allow(clippy::module_inception)]
pub mod flow;

pub mod bridge;
pub mod draining;
pub mod ended;
pub mod exchange;
pub mod floor;
pub mod hold;
pub mod hub;
pub mod limits;
pub mod liveness;
pub mod member;
pub mod outbox;
pub mod settings;
pub mod stages;
pub mod taps;
pub mod verdict;
