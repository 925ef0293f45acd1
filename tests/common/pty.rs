//! A pseudo-terminal with the test as the person in front of it.

use super::{Cmd, Log, Running};
use rustix::termios::Winsize;
use std::ffi::CStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

/// The keys that have a name of their own.
pub const CTRL_C: &str = "\x03";
/// End of input, at the start of a line.
pub const CTRL_D: &str = "\x04";

/// A terminal in its usual, line by line and echoing, state.
pub struct Pty {
    keyboard: File,
    /// Kept open, so that what is on the screen stays readable when the last program has left.
    slave: OwnedFd,
    screen: Arc<Log>,
}

impl Pty {
    pub fn open() -> Pty {
        let pty = Pty::open_unwatched();
        let screen = Log::follow(pty.keyboard.try_clone().expect("dup"));
        Pty { screen, ..pty }
    }

    /// One whose screen nobody looks at.
    pub fn open_unwatched() -> Pty {
        let (master, slave) = open_pair().expect("a pseudo-terminal");
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&slave, size).expect("set the size of the terminal");
        Pty {
            keyboard: File::from(master),
            slave,
            screen: Log::nothing(),
        }
    }

    /// Types, key by key as written: end lines with `\n`.
    pub fn types(&self, keys: impl AsRef<[u8]>) {
        (&self.keyboard).write_all(keys.as_ref()).expect("type");
    }

    /// Types ctrl-D: the end of input.
    pub fn types_end(&self) {
        self.types(CTRL_D);
    }

    /// Types ctrl-C: SIGINT to the program that this terminal controls.
    pub fn types_interrupt(&self) {
        self.types(CTRL_C);
    }

    /// Closes the window: a hang-up for the program that this terminal controls. Only for a
    /// terminal opened with `open_unwatched`, whose other end nobody else holds.
    pub fn hang_up(self) {
        drop(self.keyboard);
    }

    /// Waits for the text on the screen; panics with screen and stderr if it does not come.
    #[track_caller]
    pub fn shows(&self, text: &str, of: &Running) {
        if !self.screen.wait_for(text) {
            of.fail(&format!(
                "{text:?} did not appear on the terminal, which shows\n{}",
                self.screen.text()
            ));
        }
    }

    /// Everything that was ever on the screen, with line ends as they are: `\r\n`.
    pub fn screen(&self) -> Arc<Log> {
        Arc::clone(&self.screen)
    }

    /// How often the text is on the screen.
    pub fn count(&self, text: &str) -> usize {
        self.screen.text().matches(text).count()
    }

    /// Stops showing what is typed: only what programs write is on the screen then. Else a program's
    /// line may come in the middle of a typed one.
    pub fn hide_typing(&self) {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let mut settings = tcgetattr(&self.slave).expect("tcgetattr");
        settings.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&self.slave, OptionalActions::Now, &settings).expect("tcsetattr");
    }

    /// The settings of the terminal, to compare.
    pub fn settings(&self) -> String {
        format!(
            "{:?}",
            rustix::termios::tcgetattr(&self.slave).expect("tcgetattr")
        )
    }

    /// A descriptor of the terminal to hand to a program.
    pub fn slave(&self) -> OwnedFd {
        self.slave.try_clone().expect("dup")
    }

    /// A descriptor of the person's end, to hand to a program in the person's place. Only for a
    /// terminal opened with `open_unwatched`.
    pub fn master(&self) -> OwnedFd {
        self.keyboard.try_clone().expect("dup").into()
    }

    pub fn slave_fd(&self) -> RawFd {
        self.slave.as_raw_fd()
    }
}

fn open_pair() -> std::io::Result<(OwnedFd, OwnedFd)> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    let mut name = [0u8; 64];
    // SAFETY: the calls take a descriptor, which is checked and owned by nobody else, and a
    // buffer given with its true length.
    let master = unsafe {
        let fd = libc::posix_openpt(flags);
        if fd < 0 {
            return Err(std::io::Error::last_os_error());
        }
        let master = OwnedFd::from_raw_fd(fd);
        let failed = libc::grantpt(fd) != 0
            || libc::unlockpt(fd) != 0
            || libc::ptsname_r(fd, name.as_mut_ptr().cast(), name.len()) != 0;
        if failed {
            return Err(std::io::Error::last_os_error());
        }
        master
    };
    let name = CStr::from_bytes_until_nul(&name).map_err(std::io::Error::other)?;
    let path = name.to_str().map_err(std::io::Error::other)?;
    let mut how = File::options();
    let slave = how
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(path)?;
    Ok((master, slave.into()))
}
