//! Asking the user for a password on the terminal, with echo off.

use rustix::fs::{Mode, OFlags};
use rustix::termios::{self, LocalModes, OptionalActions};
use std::fs::File;
use std::io::{self, Read, Write};

/// The longest password taken, in bytes.
const MAX_BYTES: usize = 1024;

/// Shows `prompt` on /dev/tty and reads one line from it with echo off; the terminal is put back
/// as it was. The line comes without its newline.
///
/// # Errors
/// There is no terminal, or it ended.
pub fn password(prompt: &str) -> io::Result<String> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut tty = File::from(rustix::fs::open("/dev/tty", flags, Mode::empty())?);
    tty.write_all(prompt.as_bytes())?;
    let before = termios::tcgetattr(&tty)?;
    let mut quiet = before.clone();
    quiet.local_modes.remove(LocalModes::ECHO);
    quiet.local_modes.insert(LocalModes::ECHONL);
    termios::tcsetattr(&tty, OptionalActions::Flush, &quiet)?;
    let line = read_line(&mut tty);
    termios::tcsetattr(&tty, OptionalActions::Flush, &before)?;
    line
}

fn read_line(tty: &mut File) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0u8; 1];
    while line.len() < MAX_BYTES {
        if tty.read(&mut byte)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if byte[0] == b'\n' {
            break;
        }
        line.push(byte[0]);
    }
    String::from_utf8(line).map_err(io::Error::other)
}
