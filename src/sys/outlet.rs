//! Records to a descriptor that is never waited for. A record that finds it full waits in a bounded
//! queue; one that finds the queue full is left out, and counted.

use super::stdio::Shared;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::VecDeque;
use std::fmt;

/// How long a reader that reads nothing is waited for at the end.
const PATIENCE: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// Where records go.
pub struct Outlet {
    open: Box<dyn Fn() -> Shared + Send>,
    shared: Option<Shared>,
    /// What is not written yet; all records together may be no more than `most` bytes.
    waiting: VecDeque<u8>,
    most: usize,
    left_out: u64,
    /// How many of them no notice has counted yet.
    untold: u64,
    notice: fn(u64) -> String,
}

impl Outlet {
    /// Writes to what `open` gives. `notice` is written in place of so many records left out.
    pub fn new(
        open: impl Fn() -> Shared + Send + 'static,
        most: usize,
        notice: fn(u64) -> String,
    ) -> Outlet {
        Outlet {
            open: Box::new(open),
            shared: None,
            waiting: VecDeque::new(),
            most,
            left_out: 0,
            untold: 0,
            notice,
        }
    }

    /// Writes a record in one write, or has it wait.
    pub fn write(&mut self, record: &[u8]) {
        self.flush();
        // The notice stands where the first of them would have stood.
        let is_full = !self.waiting.is_empty() && self.waiting.len() + record.len() > self.most;
        if self.untold > 0 || is_full {
            self.left_out += 1;
            self.untold += 1;
            return;
        }
        self.waiting.extend(record);
        self.flush();
    }

    /// Returns whether something waits to be written.
    pub fn is_behind(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// How many records were left out.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Writes what waits, as far as that goes.
    pub fn flush(&mut self) {
        loop {
            if self.waiting.is_empty() {
                if self.untold == 0 {
                    return;
                }
                let notice = (self.notice)(std::mem::take(&mut self.untold));
                self.waiting.extend(notice.as_bytes());
                continue;
            }
            let shared = self.shared.get_or_insert_with(&self.open);
            match shared.try_write(self.waiting.make_contiguous()) {
                Ok(None) => return,
                Ok(Some(written)) if written > 0 => drop(self.waiting.drain(..written)),
                // It has no reader any more, or is another kind of file by now.
                Ok(Some(_)) | Err(_) => {
                    self.waiting.clear();
                    self.untold = 0;
                    self.shared = None;
                    return;
                }
            }
        }
    }

    /// Writes what waits, as long as it is read.
    pub fn finish(&mut self) {
        self.flush();
        while self.is_behind()
            && let Some(shared) = &self.shared
        {
            let mut fds = [PollFd::from_borrowed_fd(shared.fd(), PollFlags::OUT)];
            if rustix::event::poll(&mut fds, Some(&PATIENCE)) == Ok(0) {
                return;
            }
            self.flush();
        }
    }
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}
