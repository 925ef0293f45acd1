//! Going through the ports of a host: their order, and what became of them.

use crate::exit::Exit;
use crate::plan::{Plan, Ports, Success};
use std::time::Duration;

/// The pause before a look at whether the results of a scan printed so far have been read.
pub const UNREAD: Duration = Duration::from_millis(50);

/// The ports in the order they are tried in.
pub fn list(to: &Ports) -> Vec<u16> {
    let mut list: Vec<u16> = to.ranges.iter().cloned().flatten().collect();
    if to.shuffled {
        shuffle(&mut list);
    }
    list
}

/// What became of the ports so far.
#[derive(Default)]
pub struct Tally {
    any_open: bool,
    any_closed: bool,
    last_failed: bool,
    timed_out: bool,
}

impl Tally {
    /// The next port is open.
    pub fn open(&mut self) {
        self.any_open = true;
        self.last_failed = false;
    }

    /// The next port is not open, or did not answer in time.
    pub fn closed(&mut self, timed_out: bool) {
        self.any_closed = true;
        self.last_failed = true;
        self.timed_out |= timed_out;
    }

    /// The exit code for all of them.
    pub fn exit(&self, to: Option<&Ports>, plan: &Plan) -> Exit {
        let failed = match to.map(|to| to.success) {
            Some(Success::Last) => self.last_failed,
            Some(Success::All) => self.any_closed,
            Some(Success::Any) | None => !self.any_open,
        };
        match (failed, self.timed_out) {
            (false, _) => Exit::OK,
            (true, true) => Exit::Code(plan.codes.connect_timed_out),
            (true, false) => Exit::FAILED,
        }
    }
}

/// Fisher–Yates, with the randomness of std's hash keys: no secret hangs on the order.
fn shuffle(ports: &mut [u16]) {
    use std::hash::{BuildHasher, RandomState};
    let keys = RandomState::new();
    for at in (1..ports.len()).rev() {
        let span = at as u64 + 1;
        let other = usize::try_from(keys.hash_one(at) % span).unwrap_or_default();
        ports.swap(at, other);
    }
}
