//! What reports that a program has ended: its pidfd, or SIGCHLD where there are none (Linux before
//! 5.3, the profiles of older containers).

use super::errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};

/// There are no pidfds.
static BY_SIGNAL: AtomicBool = AtomicBool::new(false);

/// Watches one program.
#[derive(Debug)]
pub enum Watch {
    /// This becomes readable when the program has ended.
    Own(OwnedFd),
    /// SIGCHLD reports that some program has ended.
    Signal,
}

impl Watch {
    /// Watches a program that is not reaped yet.
    ///
    /// # Errors
    /// EMFILE and the like.
    pub fn new(program: Pid) -> io::Result<Watch> {
        match rustix::process::pidfd_open(program, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Watch::Own(pidfd)),
            Err(error) if errno::is_refusal(error) => {
                BY_SIGNAL.store(true, Ordering::Relaxed);
                Ok(Watch::Signal)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns whether there are programs of which only SIGCHLD reports that they have ended.
pub fn is_by_signal() -> bool {
    BY_SIGNAL.load(Ordering::Relaxed)
}

/// Returns whether a program of ours has ended; it can still be reaped then.
pub fn has_ended(program: Pid) -> bool {
    let looks = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = rustix::process::waitid(WaitId::Pid(program), looks);
    // One that cannot be waited for is gone.
    !matches!(status, Ok(None))
}
