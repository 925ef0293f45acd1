//! Signals that end rnc, or have files read again.
//!
//! A handler of our own, set before anything can block, notes each one. What then happens:
//!
//! | rnc | an ending signal |
//! | --- | --- |
//! | prepares, asks for a password, writes its last words: all of it may block | ends it at once |
//! | runs its loop | wakes the loop, which calls `act` |
//! | runs its loop, and ctrlc's thread is there | wakes that thread, too, which calls `act` even if the loop is held up |
//!
//! What rnc inherited (ignored and blocked signals) is what its programs inherit from it.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The signals ctrlc handles: what a user or a service manager ends a program with.
const ENDING: [libc::c_int; 3] = [libc::SIGINT, libc::SIGTERM, libc::SIGHUP];

/// What a service manager ends a program with.
pub const TERM: i32 = libc::SIGTERM;

static LAST: AtomicI32 = AtomicI32::new(0);
/// How many signals have come that end rnc, and how many of them `act` has passed on.
static ENDINGS: AtomicUsize = AtomicUsize::new(0);
static ACTED_ON: AtomicUsize = AtomicUsize::new(0);
/// SIGHUP does not end rnc, but has files read again.
static HANGUP_RELOADS: AtomicBool = AtomicBool::new(false);
/// A SIGHUP has come that was not acted on yet.
static HANGUP: AtomicBool = AtomicBool::new(false);
/// A child of this process has ended, and was not looked for yet.
static CHILD: AtomicBool = AtomicBool::new(false);
/// There is no loop that could act on a signal.
static AT_ONCE: AtomicBool = AtomicBool::new(true);
/// ctrlc's handler, once it is set; `ALONE` where its thread cannot be had.
static CTRLC_HANDLER: AtomicUsize = AtomicUsize::new(0);
const ALONE: usize = 1;

/// Acts on what a signal has asked for.
type Notify = Box<dyn FnMut(SignalRequest) + Send>;
static NOTIFY: Mutex<Option<Notify>> = Mutex::new(None);
static WAKE: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();
static INHERITED: OnceLock<Inherited> = OnceLock::new();

/// What a signal has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRequest {
    /// To end; `last()` gives the signal.
    End,
    /// To read files again.
    Reload,
}

/// The settings this process was started with, as far as they are changed.
struct Inherited {
    mask: libc::sigset_t,
    /// The signals that were ignored.
    ignored: Vec<libc::c_int>,
}

/// Sets the handlers, and takes away what would keep a signal from them: SIGCHLD ignored by the
/// parent (no end of a program could be seen), and blocked signals. An ending signal that was
/// ignored (nohup, a background job) stays ignored.
pub fn begin() {
    let mut ignored = Vec::new();
    let mut set = |signal, handler| {
        let before = current_action(signal);
        if before.sa_sigaction == libc::SIG_IGN {
            ignored.push(signal);
            if ENDING.contains(&signal) {
                return;
            }
        }
        set_handler(signal, handler);
    };
    // A write to a closed pipe is an error then.
    set(libc::SIGPIPE, libc::SIG_IGN);
    // So is a write beyond the limit on the size of files.
    set(libc::SIGXFSZ, note_nothing as *const () as usize);
    set(libc::SIGCHLD, note_child as *const () as usize);
    for signal in ENDING {
        set(signal, note_signal as *const () as usize);
    }
    let [int, term, hup] = ENDING;
    let mask = change_mask(libc::SIG_UNBLOCK, &set_of(&[int, term, hup, libc::SIGCHLD]));
    let _ = INHERITED.set(Inherited { mask, ignored });
}

/// Has SIGHUP ask for files to be read again, even if it was ignored when rnc started.
pub fn reload_at_hangup() {
    HANGUP_RELOADS.store(true, Ordering::SeqCst);
    set_handler(libc::SIGHUP, note_signal as *const () as usize);
}

/// Leaves it to `notify`, once the loop runs, what a signal does. `wake` has the loop call `act`
/// soon; it is called in a signal handler, and makes only system calls.
pub fn on_signal(
    notify: impl FnMut(SignalRequest) + Send + 'static,
    wake: impl Fn() + Send + Sync + 'static,
) {
    let mut current = NOTIFY.lock().unwrap_or_else(PoisonError::into_inner);
    *current = Some(Box::new(notify));
    let _ = WAKE.set(Box::new(wake));
}

/// From now on nothing blocks, and the loop acts on signals.
pub fn leave_to_loop() {
    AT_ONCE.store(false, Ordering::SeqCst);
}

/// From now on, as at the start, a signal ends rnc at once.
pub fn end_at_once() {
    AT_ONCE.store(true, Ordering::SeqCst);
}

/// As `end_at_once`, as long as the value lives: for what may block on the loop's thread.
#[must_use]
pub fn allow_blocking() -> Blocking {
    Blocking(AT_ONCE.swap(true, Ordering::SeqCst))
}

/// See `allow_blocking`.
pub struct Blocking(bool);

impl Drop for Blocking {
    fn drop(&mut self) {
        AT_ONCE.store(self.0, Ordering::SeqCst);
    }
}

/// Has a thread of ctrlc's act on signals too, beside the loop.
///
/// # Errors
/// There is no thread to be had: the loop goes on alone, and a second signal that finds the first
/// one not acted on ends rnc.
pub fn act_on_thread() -> io::Result<()> {
    // A signal that came while only ctrlc's handler is set would not be noted.
    let held = Held::new();
    let before = ENDING.map(current_action);
    let started = ctrlc::set_handler(act);
    let next = match &started {
        Ok(()) => current_action(libc::SIGINT).sa_sigaction,
        Err(_) => ALONE,
    };
    CTRLC_HANDLER.store(next, Ordering::SeqCst);
    for (signal, before) in ENDING.into_iter().zip(before) {
        set_action(signal, &before);
    }
    drop(held);
    started.map_err(io::Error::other)
}

/// Passes on what has come, if it was not passed on yet.
pub fn act() {
    let has_come = || ENDINGS.load(Ordering::SeqCst) != ACTED_ON.load(Ordering::SeqCst);
    if !has_come() && !HANGUP.load(Ordering::SeqCst) {
        return;
    }
    let mut notify = NOTIFY.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(notify) = &mut *notify else { return };
    if HANGUP.swap(false, Ordering::SeqCst) {
        notify(SignalRequest::Reload);
    }
    // Two may have come since.
    while has_come() {
        ACTED_ON.fetch_add(1, Ordering::SeqCst);
        notify(SignalRequest::End);
    }
}

/// Returns whether a child has ended since this was asked last.
pub fn take_child() -> bool {
    CHILD.load(Ordering::SeqCst) && CHILD.swap(false, Ordering::SeqCst)
}

/// The number of the last ending signal that came, if any did.
pub fn last() -> Option<i32> {
    match LAST.load(Ordering::SeqCst) {
        0 => None,
        signal => Some(signal),
    }
}

/// Returns whether the last ending signal is one that a terminal sends, for Ctrl-C or because it
/// is gone.
pub fn is_of_terminal() -> bool {
    matches!(last(), Some(libc::SIGINT | libc::SIGHUP))
}

/// Ends this process by the signal itself, so that the parent sees what happened (a shell shows
/// 128 + n, and stops a loop at ctrl-C). Process 1, which no default action ends, exits with that
/// code. May be called in a signal handler.
pub fn end_by(signal: i32) -> ! {
    super::quiet::restore();
    // SAFETY: restoring a default action, unblocking and raising a signal touch no memory of ours,
    // and _exit(2) does not return. All of them are async-signal-safe.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        change_mask(libc::SIG_UNBLOCK, &set_of(&[signal]));
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}

extern "C" fn note_signal(signal: libc::c_int) {
    if signal == libc::SIGHUP && HANGUP_RELOADS.load(Ordering::SeqCst) {
        HANGUP.store(true, Ordering::SeqCst);
    } else {
        LAST.store(signal, Ordering::SeqCst);
        let endings = ENDINGS.fetch_add(1, Ordering::SeqCst) + 1;
        let is_alone = CTRLC_HANDLER.load(Ordering::SeqCst) == ALONE;
        let is_held_up = is_alone && endings - ACTED_ON.load(Ordering::SeqCst) > 1;
        if AT_ONCE.load(Ordering::SeqCst) || is_held_up {
            end_by(signal);
        }
    }
    wake();
    let next = CTRLC_HANDLER.load(Ordering::SeqCst);
    if next > ALONE {
        // SAFETY: the value was read from ctrlc's own sigaction, which holds a plain handler
        // (no SA_SIGINFO) of exactly this type and is async-signal-safe.
        let next: extern "C" fn(libc::c_int) = unsafe { std::mem::transmute(next) };
        next(signal);
    }
}

extern "C" fn note_child(_: libc::c_int) {
    CHILD.store(true, Ordering::SeqCst);
    wake();
}

/// For a signal whose call returns an error; unlike `SIG_IGN`, programs do not inherit a handler.
extern "C" fn note_nothing(_: libc::c_int) {}

/// Wakes the loop.
fn wake() {
    if let Some(wake) = WAKE.get() {
        wake();
    }
}

/// Gives a program, while it is started and the guard lives, the signal settings that this process
/// inherited. (std resets SIGPIPE; what a handler is set for is reset by exec.)
pub fn pass_on(command: &mut Command) -> Option<Held> {
    let inherited = INHERITED.get()?;
    // A signal that is still ignored is so in the program, too.
    let ignored = inherited.ignored.iter().copied();
    let changed = |signal: &libc::c_int| {
        *signal == libc::SIGPIPE || current_action(*signal).sa_sigaction != libc::SIG_IGN
    };
    let changed: Vec<_> = ignored.filter(changed).collect();
    if !changed.is_empty() {
        let ignore = move || {
            for signal in &changed {
                set_handler(*signal, libc::SIG_IGN);
            }
            Ok(())
        };
        // SAFETY: the closure runs between fork and exec; it only makes system calls, and allocates
        // nothing.
        unsafe { command.pre_exec(ignore) };
    }
    let before = change_mask(libc::SIG_SETMASK, &inherited.mask);
    Some(Held { before })
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
        let before = change_mask(libc::SIG_BLOCK, &set_of(&ENDING));
        Held { before }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        change_mask(libc::SIG_SETMASK, &self.before);
    }
}

fn set_of(signals: &[libc::c_int]) -> libc::sigset_t {
    // SAFETY: all-zero is valid for a signal set; the calls only change that set.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in signals {
            libc::sigaddset(&mut set, *signal);
        }
        set
    }
}

/// Changes the mask of the calling thread; gives the one before.
fn change_mask(how: libc::c_int, set: &libc::sigset_t) -> libc::sigset_t {
    // SAFETY: all-zero is valid for a signal set; both sets live through the call.
    unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(how, set, &mut before);
        before
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

/// A handler that is set as long as the value lives, unless the signal is ignored.
pub(super) struct Handling(libc::c_int, libc::sigaction);

impl Handling {
    /// Sets the handler, which must be async-signal-safe.
    pub(super) fn new(signal: libc::c_int, handler: extern "C" fn(libc::c_int)) -> Handling {
        let before = current_action(signal);
        if before.sa_sigaction != libc::SIG_IGN {
            set_handler(signal, handler as *const () as usize);
        }
        Handling(signal, before)
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        set_action(self.0, &self.1);
    }
}

/// Sets a handler, `SIG_IGN` or `SIG_DFL`; system calls it interrupts go on.
fn set_handler(signal: libc::c_int, handler: usize) {
    // SAFETY: all-zero is valid for a sigaction.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = libc::SA_RESTART | libc::SA_NOCLDSTOP;
    set_action(signal, &action);
}

fn set_action(signal: libc::c_int, action: &libc::sigaction) {
    // SAFETY: `action` is a valid sigaction whose handler is SIG_IGN, SIG_DFL or an
    // async-signal-safe function that lives as long as the program.
    unsafe {
        libc::sigaction(signal, action, std::ptr::null_mut());
    }
}
