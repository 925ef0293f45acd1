//! A terminal with its echo off, put back as it was also by a signal.

use rustix::termios::{self, OptionalActions, Termios};
use std::fs::File;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A terminal whose echo is off, for signal handlers.
pub struct Quiet {
    /// The terminal.
    pub tty: File,
    /// As it was.
    pub before: Termios,
    /// Without echo.
    pub quiet: Termios,
}

/// The terminal that a password is being asked for at; null where there is none.
pub static QUIET: AtomicPtr<Quiet> = AtomicPtr::new(ptr::null_mut());

/// Puts back the terminal that a password is being asked for at. May be called in a signal handler.
pub fn restore() {
    let quiet = QUIET.swap(ptr::null_mut(), Ordering::SeqCst);
    // SAFETY: null, or a value that is never freed nor changed.
    if let Some(quiet) = unsafe { quiet.as_ref() } {
        // The terminal has gone: there is nothing to put back.
        let _ = termios::tcsetattr(&quiet.tty, OptionalActions::Flush, &quiet.before);
    }
}
