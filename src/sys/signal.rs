//! Signals that end a session, or have files read again. ctrlc owns the handler and its thread;
//! since it is not told which signal came, a handler set in front of it notes the number first.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};

/// The signals ctrlc handles: what a user or a service manager ends a program with.
const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// What a service manager ends a program with.
pub const TERM: i32 = libc::SIGTERM;

static LAST: AtomicI32 = AtomicI32::new(0);
/// How many signals have come that end rnc.
static ENDINGS: AtomicUsize = AtomicUsize::new(0);
/// SIGHUP does not end rnc, but has files read again.
static HANGUP_RELOADS: AtomicBool = AtomicBool::new(false);
/// A SIGHUP has come that was not acted on yet.
static HANGUP: AtomicBool = AtomicBool::new(false);
static CTRLC_HANDLER: AtomicUsize = AtomicUsize::new(0);

/// What a signal has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To end; `last()` says by which signal.
    End,
    /// To read files again.
    Reload,
}

/// Has SIGHUP ask for files to be read again, from the next `on_signal` on; even if it was ignored
/// when rnc started.
pub fn reload_at_hangup() {
    HANGUP_RELOADS.store(true, Ordering::SeqCst);
}

/// Calls `notify`, on a thread of its own, at every SIGINT, SIGTERM and SIGHUP. A signal that was
/// ignored when rnc started (nohup, a background job) stays ignored.
///
/// # Errors
/// Whatever kept the handler from being set.
pub fn on_signal(mut notify: impl FnMut(Asked) + Send + 'static) -> io::Result<()> {
    // A signal that comes while only ctrlc's handler is set would not be noted.
    let held = Held::new();
    let before = ENDING.map(current_action);
    let mut known = 0;
    let tell = move || {
        // Two signals may have come before either is told, in any order.
        if HANGUP.swap(false, Ordering::SeqCst) {
            notify(Asked::Reload);
        }
        let endings = ENDINGS.load(Ordering::SeqCst);
        for _ in std::mem::replace(&mut known, endings)..endings {
            notify(Asked::End);
        }
    };
    ctrlc::set_handler(tell).map_err(io::Error::other)?;
    for (signal, before) in ENDING.into_iter().zip(before) {
        let reloads = signal == libc::SIGHUP && HANGUP_RELOADS.load(Ordering::SeqCst);
        if before.sa_sigaction == libc::SIG_IGN && !reloads {
            set_action(signal, &before);
            continue;
        }
        let mut action = current_action(signal);
        CTRLC_HANDLER.store(action.sa_sigaction, Ordering::SeqCst);
        action.sa_sigaction = note_signal as *const () as usize;
        set_action(signal, &action);
    }
    drop(held);
    Ok(())
}

/// The number of the last ending signal that came, if any did.
pub fn last() -> Option<i32> {
    match LAST.load(Ordering::SeqCst) {
        0 => None,
        signal => Some(signal),
    }
}

/// Returns whether the last ending signal is the one that a terminal sends for Ctrl-C.
pub fn is_interrupt() -> bool {
    last() == Some(libc::SIGINT)
}

/// Ends this process by the signal itself, so that the parent sees what happened (a shell shows
/// 128 + n, and stops a loop at ctrl-C). Returns only if the signal is blocked.
pub fn end_by(signal: i32) {
    // SAFETY: restoring a default action and sending a signal touch no memory of ours. It is sent
    // to the process, since the calling thread may have it blocked.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::kill(libc::getpid(), signal);
    }
}

extern "C" fn note_signal(signal: libc::c_int) {
    if signal == libc::SIGHUP && HANGUP_RELOADS.load(Ordering::SeqCst) {
        HANGUP.store(true, Ordering::SeqCst);
    } else {
        LAST.store(signal, Ordering::SeqCst);
        ENDINGS.fetch_add(1, Ordering::SeqCst);
    }
    let next = CTRLC_HANDLER.load(Ordering::SeqCst);
    if next > libc::SIG_IGN {
        // SAFETY: the value was read from ctrlc's own sigaction, which holds a plain handler
        // (no SA_SIGINFO) of exactly this type and is async-signal-safe.
        let next: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(next) };
        next(signal);
    }
}

/// Holds back the ending signals while it lives; those that came meanwhile are acted on when it
/// goes. Threads started meanwhile never take one.
pub struct Held {
    before: libc::sigset_t,
}

impl Held {
    /// Begins to hold them back, from this thread.
    #[allow(clippy::new_without_default, reason = "it changes the thread")]
    pub fn new() -> Held {
        // SAFETY: all-zero is valid for a signal set; the calls only fill in and read the two
        // sets, which live through them.
        unsafe {
            let mut ending: libc::sigset_t = std::mem::zeroed();
            let mut before: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut ending);
            for signal in ENDING {
                libc::sigaddset(&mut ending, signal);
            }
            libc::pthread_sigmask(libc::SIG_BLOCK, &ending, &mut before);
            Held { before }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // SAFETY: `before` is the mask this thread had, filled in by `new`.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, &self.before, std::ptr::null_mut());
        }
    }
}

fn current_action(signal: libc::c_int) -> libc::sigaction {
    // SAFETY: sigaction is a plain C struct for which all-zero is valid; with a null new action
    // the call only fills it in.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut action);
        action
    }
}

fn set_action(signal: libc::c_int, action: &libc::sigaction) {
    // SAFETY: `action` is a valid sigaction whose handler is SIG_IGN or an async-signal-safe
    // function that lives as long as the program.
    unsafe {
        libc::sigaction(signal, action, std::ptr::null_mut());
    }
}
