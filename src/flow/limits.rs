//! The limits of one connection, as it goes.

use std::fmt;
use std::time::Duration;

/// Which limit of time was reached, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Nothing moved.
    Idle(Duration),
    /// The whole connection.
    Whole(Duration),
}

impl Late {
    /// Says whether nothing moved.
    pub fn is_idle(self) -> bool {
        matches!(self, Late::Idle(_))
    }

    /// Says whether that is no failure but what was asked for: `-w 0` leaves as soon as nothing
    /// moves.
    pub fn is_wanted(self) -> bool {
        matches!(self, Late::Idle(Duration::ZERO))
    }
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Late::Idle(time) => write!(f, "nothing moved for {time:?}"),
            Late::Whole(time) => write!(f, "connected for {time:?}"),
        }
    }
}
