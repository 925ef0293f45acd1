//! Asking the user for a password on the terminal, with echo off.

use super::quiet::{QUIET, Quiet, restore};
use super::signal::{self, Handling};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{self, LocalModes, OptionalActions, SpecialCodeIndex};
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::atomic::Ordering;

/// The longest password taken, in bytes.
const MAX_BYTES: usize = 1024;

/// Shows `prompt` on /dev/tty and reads one line from it with echo off; the terminal is put back
/// as it was, by a signal too. The line comes without its newline.
///
/// # Errors
/// There is no terminal, or it ended.
pub fn password(prompt: &str) -> io::Result<String> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut tty = File::from(rustix::fs::open("/dev/tty", flags, Mode::empty())?);
    let before = termios::tcgetattr(&tty)?;
    let mut quiet = before.clone();
    // Without ISIG ctrl-C is a byte; as an end of line it is given to us at once.
    let interrupt = before.special_codes[SpecialCodeIndex::VINTR];
    quiet.special_codes[SpecialCodeIndex::VEOL] = interrupt;
    quiet
        .local_modes
        .remove(LocalModes::ECHO | LocalModes::ISIG);
    quiet.local_modes.insert(LocalModes::ECHONL);
    let _blocking = signal::allow_blocking();
    // A handler may still be at it when this returns: it is never freed.
    QUIET.store(
        Box::leak(Box::new(Quiet {
            tty: tty.try_clone()?,
            before,
            quiet: quiet.clone(),
        })),
        Ordering::SeqCst,
    );
    let _handling = [
        Handling::new(libc::SIGQUIT, end),
        Handling::new(libc::SIGTSTP, stop),
    ];
    // First, since it drops what has been typed by then: no answer comes before the question.
    let set = termios::tcsetattr(&tty, OptionalActions::Flush, &quiet);
    let asked = set
        .map_err(io::Error::from)
        .and_then(|()| tty.write_all(prompt.as_bytes()));
    let line = asked.and_then(|()| read_line(&mut tty, interrupt));
    if line
        .as_ref()
        .is_err_and(|error| error.kind() == io::ErrorKind::Interrupted)
    {
        signal::end_by(libc::SIGINT);
    }
    restore();
    line
}

extern "C" fn end(signal: libc::c_int) {
    signal::end_by(signal);
}

/// Stops with the terminal as it was; when rnc goes on, the echo is off again.
extern "C" fn stop(_: libc::c_int) {
    let quiet = QUIET.load(Ordering::SeqCst);
    restore();
    // SAFETY: raise(3) touches no memory of ours, and may be called in a handler.
    unsafe { libc::raise(libc::SIGSTOP) };
    // SAFETY: as in `restore`.
    if let Some(quiet) = unsafe { quiet.as_ref() } {
        let _ = termios::tcsetattr(&quiet.tty, OptionalActions::Flush, &quiet.quiet);
    }
    QUIET.store(quiet, Ordering::SeqCst);
}

/// Reads a line; the byte `interrupt` is `ErrorKind::Interrupted`.
fn read_line(tty: &mut File, interrupt: u8) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0u8; 1];
    while line.len() < MAX_BYTES {
        tty.read_exact(&mut byte).map_err(named)?;
        if byte[0] == b'\n' {
            break;
        }
        if byte[0] == interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        line.push(byte[0]);
    }
    String::from_utf8(line).map_err(io::Error::other)
}

/// The error as the user is to read it: Ctrl-D ends the input before the line does.
fn named(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        io::Error::new(error.kind(), "end of input")
    } else {
        error
    }
}
