//! Starting a process while other tests run. Between fork and exec a new process holds copies of all
//! descriptors of this one: if a test closes its own meanwhile, the other end sees no end yet, the
//! port stays taken, and a program just written cannot be run.

use super::seccomp::Seccomp;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Mutex, Once, PoisonError};

/// The last of the signals with a name. See signal(7).
const LAST_SIGNAL: i32 = 31;

/// What the new process does itself before exec.
#[derive(Default)]
pub struct Setup {
    /// Standard descriptors to close.
    pub closed: Vec<RawFd>,
    /// The terminal that controls it.
    pub terminal: Option<RawFd>,
    /// A descriptor to hand on, and its number there.
    pub handed: Option<(OwnedFd, RawFd)>,
    pub seccomp: Seccomp,
}

/// Starts a process, with no signal ignored.
///
/// With nothing to set up this is posix_spawn(3), which copies no page tables as fork(2) does: a third
/// of the system time of all tests together.
///
/// # Errors
///
/// It cannot be started.
pub fn start(command: &mut Command, setup: Setup) -> io::Result<Child> {
    pass_on_no_ignored_signals();
    if !setup.is_empty() {
        let in_the_child = move || setup.run();
        // SAFETY: `run` only makes async-signal-safe system calls and allocates nothing.
        unsafe { command.pre_exec(in_the_child) };
    }
    while_none_starts(|| command.spawn())
}

/// Closes a descriptor so that no copy of it is left: a process that runs sees it closed at once.
pub fn close<T>(ends: T) {
    while_none_starts(|| drop(ends));
}

/// Calls `act` while no process is being started: no copy is left of what it closes, and a program
/// that it writes can be run.
pub fn while_none_starts<T>(act: impl FnOnce() -> T) -> T {
    static STARTING: Mutex<()> = Mutex::new(());
    let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    act()
}

impl Setup {
    fn is_empty(&self) -> bool {
        self.closed.is_empty()
            && self.terminal.is_none()
            && self.handed.is_none()
            && self.seccomp.is_empty()
    }

    fn run(&self) -> io::Result<()> {
        if let Some((fd, number)) = &self.handed {
            // SAFETY: a plain system call; the copy under the new number survives exec.
            if unsafe { libc::dup2(fd.as_raw_fd(), *number) } < 0 {
                return Err(io::Error::last_os_error());
            }
            // SAFETY: as above; dup2 to the same number keeps what would close it at exec.
            unsafe { libc::fcntl(*number, libc::F_SETFD, 0) };
        }
        if let Some(fd) = self.terminal {
            // SAFETY: both are plain system calls on a descriptor this process holds.
            if unsafe { libc::setsid() < 0 || libc::ioctl(fd, libc::TIOCSCTTY, 0) < 0 } {
                return Err(io::Error::last_os_error());
            }
        }
        for &fd in &self.closed {
            // SAFETY: nothing in the child uses its standard descriptors before exec.
            unsafe { libc::close(fd) };
        }
        self.seccomp.install()
    }
}

/// What the tests were started with is not what is tested: nohup ignores SIGHUP, and a shell without
/// job control SIGINT and SIGQUIT of what it starts in the background. exec(2) keeps what is
/// ignored, and resets what has a handler, if only one that does nothing.
fn pass_on_no_ignored_signals() {
    extern "C" fn nothing(_: libc::c_int) {}
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        for signal in 1..=LAST_SIGNAL {
            // SAFETY: the structure is plain numbers, and lives through the calls, which copy it;
            // the handler does nothing, so it may run at any time.
            unsafe {
                let mut action: libc::sigaction = std::mem::zeroed();
                let asked = libc::sigaction(signal, std::ptr::null(), &mut action);
                if asked == 0 && action.sa_sigaction == libc::SIG_IGN {
                    action.sa_sigaction = nothing as *const () as libc::sighandler_t;
                    action.sa_flags = libc::SA_RESTART;
                    libc::sigaction(signal, &action, std::ptr::null_mut());
                }
            }
        }
    });
}
