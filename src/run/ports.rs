//! Going through the ports of a host: their order, and what became of them.

use crate::exit::Exit;
use crate::plan::{Codes, Ports, Success};
use crate::report;
use std::time::{Duration, Instant};

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

/// Ports that are gone through one after the other.
pub struct PortList {
    /// Those still to be tried, the next one last.
    left: Vec<u16>,
    /// There was more than one.
    has_many: bool,
    interval: Option<Duration>,
    /// The next one is not tried before.
    pausing: Option<Instant>,
    tally: Tally,
    /// The code of a session that broke.
    broken: Option<Exit>,
}

impl PortList {
    /// All of them.
    pub fn new(to: &Ports) -> PortList {
        let mut left = list(to);
        left.reverse();
        PortList {
            has_many: left.len() > 1,
            left,
            interval: to.interval,
            pausing: None,
            tally: Tally::new(to.success),
            broken: None,
        }
    }

    /// The next port, if it may be tried now.
    pub fn next(&mut self, now: Instant) -> Option<u16> {
        if self.pausing.is_some_and(|until| now < until) {
            return None;
        }
        self.pausing = None;
        // What is found at many ports is worth nothing unless it is read.
        if self.has_many && report::is_behind() {
            self.pausing = Some(now + UNREAD);
            return None;
        }
        self.left.pop()
    }

    /// Returns whether there are others.
    pub fn has_more(&self) -> bool {
        !self.left.is_empty()
    }

    /// When the next port may be tried.
    pub fn deadline(&self) -> Option<Instant> {
        self.pausing
    }

    /// A port is done: it was not open (`true`: it did not answer in time), or a session with it
    /// ended with this code.
    pub fn done(&mut self, closed: Option<bool>, exit: Exit, now: Instant) {
        match closed {
            Some(timed_out) => self.tally.closed(timed_out),
            None => {
                self.tally.open();
                if exit != Exit::OK {
                    self.broken = Some(exit);
                }
            }
        }
        self.pausing = self
            .interval
            .filter(|_| self.has_more())
            .map(|pause| now + pause);
    }

    /// The exit code for all of them.
    pub fn exit(&self, codes: &Codes) -> Exit {
        self.broken.unwrap_or_else(|| self.tally.exit(codes))
    }
}

/// What became of the ports so far.
pub struct Tally {
    wanted: Success,
    any_open: bool,
    any_closed: bool,
    last_failed: bool,
    timed_out: bool,
}

impl Tally {
    /// None yet; this is what they have to come to.
    pub fn new(wanted: Success) -> Tally {
        Tally {
            wanted,
            any_open: false,
            any_closed: false,
            last_failed: false,
            timed_out: false,
        }
    }

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
    pub fn exit(&self, codes: &Codes) -> Exit {
        let failed = match self.wanted {
            Success::Last => self.last_failed,
            Success::All => self.any_closed,
            Success::Any => !self.any_open,
        };
        match (failed, self.timed_out) {
            (false, _) => Exit::OK,
            (true, true) => Exit::Code(codes.connect_timed_out),
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
