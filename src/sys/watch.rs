//! What reports that a program has ended: its pidfd, or SIGCHLD where there are none (Linux before
//! 5.3, the profiles of older containers).

use super::errno;
use rustix::event::EventfdFlags;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

/// Written to by the handler of SIGCHLD, once that is set.
static BELL: OnceLock<OwnedFd> = OnceLock::new();

/// Watches one program.
#[derive(Debug)]
pub enum Watch {
    /// This becomes readable when the program has ended.
    Own(OwnedFd),
    /// This becomes readable, anew each time, when any program has ended.
    Any(BorrowedFd<'static>),
}

impl Watch {
    /// Watches a program that is not reaped yet.
    ///
    /// # Errors
    /// EMFILE and the like.
    pub fn new(program: Pid) -> io::Result<Watch> {
        match rustix::process::pidfd_open(program, PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Watch::Own(pidfd)),
            Err(error) if errno::is_refusal(error) => bell().map(Watch::Any),
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns whether a program of ours has ended; it can still be reaped then.
pub fn has_ended(program: Pid) -> bool {
    let looks = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    let status = rustix::process::waitid(WaitId::Pid(program), looks);
    // One that cannot be waited for is gone.
    !matches!(status, Ok(None))
}

/// What the handler of SIGCHLD writes to. It is readable from the beginning, since a program may
/// have ended before there was a handler.
fn bell() -> io::Result<BorrowedFd<'static>> {
    if let Some(bell) = BELL.get() {
        return Ok(bell.as_fd());
    }
    let bell = rustix::event::eventfd(1, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let bell = BELL.get_or_init(|| bell);
    // SAFETY: all-zero is valid for both structs; the calls only read them, and set a handler that
    // is async-signal-safe and lives as long as the program. Programs do not inherit it.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = ring as *const () as usize;
        action.sa_flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
        libc::sigaction(libc::SIGCHLD, &action, std::ptr::null_mut());
        // We may have been started with it blocked.
        let mut child: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut child);
        libc::sigaddset(&mut child, libc::SIGCHLD);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &child, std::ptr::null_mut());
    }
    Ok(bell.as_fd())
}

extern "C" fn ring(_signal: libc::c_int) {
    if let Some(bell) = BELL.get() {
        // There is room for 2^64 rings, so it does not fail and leaves errno alone.
        let _ = rustix::io::write(bell, &1u64.to_ne_bytes());
    }
}
