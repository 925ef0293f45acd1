//! The limits of one connection, as it goes.

use crate::plan::Limits;
use std::cell::Cell;
use std::fmt;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Which limit of time was reached, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Nothing moved.
    Idle(Duration),
    /// The whole connection.
    Whole(Duration),
}

impl Late {
    /// The limit that is reached first, and when, where nothing has moved since `last` and the
    /// connection has stood since `began`; without a `last` only the whole connection counts.
    pub fn first(
        limits: &Limits,
        last: Option<Instant>,
        began: Instant,
    ) -> Option<(Instant, Late)> {
        let idle = last.zip(limits.idle);
        let idle = idle.map(|(last, idle)| (last + idle, Late::Idle(idle)));
        let whole = limits
            .whole
            .map(|whole| (began + whole, Late::Whole(whole)));
        idle.into_iter().chain(whole).min_by_key(|(at, _)| *at)
    }

    /// Returns whether nothing moved.
    pub fn is_idle(self) -> bool {
        matches!(self, Late::Idle(_))
    }

    /// Returns whether that is no failure but what was asked for: `-w 0` leaves as soon as nothing
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

/// Bytes a connection may still read, shared by its two directions.
#[derive(Clone, Debug)]
pub struct Budget(Rc<Cell<u64>>);

impl Budget {
    /// A budget of so many bytes.
    pub fn new(bytes: u64) -> Budget {
        Budget(Rc::new(Cell::new(bytes)))
    }

    /// How many of `bytes` may be read.
    pub fn allows(&self, bytes: usize) -> usize {
        usize::try_from(self.0.get()).map_or(bytes, |left| left.min(bytes))
    }

    /// So many bytes have been read.
    pub fn spend(&self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.0.set(self.0.get().saturating_sub(bytes));
    }

    /// Returns whether nothing may be read any more.
    pub fn is_used_up(&self) -> bool {
        self.0.get() == 0
    }
}
