//! The standard descriptors, used without ever blocking and without ever setting O_NONBLOCK on
//! them: that flag belongs to the open file description, which the shell and other programs share.
//!
//! | what it is | read | write |
//! | --- | --- | --- |
//! | file, block device, /dev/null and its like | plain | plain |
//! | pipe | `preadv2` with RWF_NOWAIT | `pwritev2` with RWF_NOWAIT |
//! | pipe that splice(2) was used on (the kernel then takes RWF_NOWAIT away) | a private O_NONBLOCK description, else as a FIFO | the same |
//! | socket | `recv` with MSG_DONTWAIT | `send` with MSG_DONTWAIT |
//! | terminal, FIFO (it has no RWF_NOWAIT) | a private O_NONBLOCK description, else poll(2), then read | the same, else poll and small pieces |
//! | other devices | poll(2), then read | poll and small pieces |

use super::errno;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::{Errno, ReadWriteFlags};
use rustix::net::{RecvFlags, SendFlags};
use std::cell::{Cell, OnceCell};
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// As much as is written to a terminal or an old kernel's pipe after poll(2) said it has room.
/// 512 is POSIX's least PIPE_BUF.
const SMALL_PIECE_BYTES: usize = 512;

/// What standard input is, as far as the rules at its end depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Input {
    /// A terminal: a person ends it.
    Terminal,
    /// /dev/null, which also stands in for a closed descriptor.
    Null,
    /// A pipe or FIFO: its writer may not have written yet.
    Pipe,
    /// A file, a socket, another device.
    #[default]
    Other,
}

impl Input {
    /// Looks at descriptor 0.
    pub fn of_stdin() -> Input {
        let fd = rustix::stdio::stdin();
        let Ok(stat) = rustix::fs::fstat(fd) else {
            return Input::Null;
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Fifo => Input::Pipe,
            FileType::CharacterDevice if stat.st_rdev == rustix::fs::makedev(1, 3) => Input::Null,
            FileType::CharacterDevice if rustix::termios::isatty(fd) => Input::Terminal,
            _ => Input::Other,
        }
    }
}

/// How a descriptor is used without blocking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IoMode {
    Plain,
    NoWait,
    Socket,
    Polled,
    /// It cannot be written to (EBADF): standard output was closed. What comes is lost.
    Nowhere,
}

/// One of the standard descriptors, shared with other processes.
#[derive(Debug)]
pub struct Shared {
    fd: BorrowedFd<'static>,
    /// A private, non-blocking description of the same terminal, FIFO or pipe.
    private: OnceCell<OwnedFd>,
    /// How it would be opened.
    access: OFlags,
    mode: Cell<IoMode>,
}

impl Shared {
    /// Standard input.
    pub fn stdin() -> Shared {
        Shared::new(rustix::stdio::stdin(), OFlags::RDONLY)
    }

    /// Standard output.
    pub fn stdout() -> Shared {
        Shared::output(rustix::stdio::stdout())
    }

    /// Standard error.
    pub fn stderr() -> Shared {
        Shared::output(rustix::stdio::stderr())
    }

    /// Another descriptor to write to.
    pub fn output(fd: BorrowedFd<'static>) -> Shared {
        Shared::new(fd, OFlags::WRONLY)
    }

    fn new(fd: BorrowedFd<'static>, access: OFlags) -> Shared {
        let kind = rustix::fs::fstat(fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
        let mode = match kind {
            Ok(FileType::Fifo) if is_anonymous(fd) => IoMode::NoWait,
            Ok(FileType::Fifo) => IoMode::Polled,
            Ok(FileType::Socket) => IoMode::Socket,
            Ok(FileType::CharacterDevice) if rustix::termios::isatty(fd) => IoMode::Polled,
            _ => IoMode::Plain,
        };
        let shared = Shared {
            fd,
            private: OnceCell::new(),
            access,
            mode: Cell::new(mode),
        };
        if mode == IoMode::Polled {
            shared.open_private();
        }
        shared
    }

    /// The descriptor to wait on.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.private.get().map_or(self.fd, |own| own.as_fd())
    }

    /// Reads what is there, 0 bytes at the end; `None` when a read would block.
    ///
    /// # Errors
    /// Any error of the read; EINTR is tried again. A terminal that went away is an end, not an
    /// error.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        loop {
            let result = match (self.mode.get(), self.private.get()) {
                (_, Some(own)) => rustix::io::read(own, &mut *buf),
                (IoMode::Plain | IoMode::Nowhere, None) => rustix::io::read(self.fd, &mut *buf),
                (IoMode::NoWait, None) => {
                    let bufs = &mut [IoSliceMut::new(buf)];
                    rustix::io::preadv2(self.fd, bufs, u64::MAX, ReadWriteFlags::NOWAIT)
                }
                (IoMode::Socket, None) => {
                    rustix::net::recv(self.fd, &mut *buf, RecvFlags::DONTWAIT).map(|(n, _)| n)
                }
                (IoMode::Polled, None) => {
                    if !is_readable(self.fd) {
                        return Ok(None);
                    }
                    rustix::io::read(self.fd, &mut *buf)
                }
            };
            match result {
                Ok(n) => return Ok(Some(n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(error) if self.falls_back(error) => {}
                Err(Errno::IO) if self.mode.get() == IoMode::Polled => return Ok(Some(0)),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Writes as much as goes without waiting; `None` when nothing does.
    ///
    /// # Errors
    /// Any error of the write (EPIPE, ENOSPC, …); EINTR is tried again. A descriptor that cannot be
    /// written to at all takes everything: see `loss`.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<Option<usize>> {
        loop {
            let result = match (self.mode.get(), self.private.get()) {
                (_, Some(own)) => rustix::io::write(own, buf),
                (IoMode::Plain, None) => rustix::io::write(self.fd, buf),
                (IoMode::NoWait, None) => {
                    let bufs = &[IoSlice::new(buf)];
                    rustix::io::pwritev2(self.fd, bufs, u64::MAX, ReadWriteFlags::NOWAIT)
                }
                (IoMode::Socket, None) => {
                    rustix::net::send(self.fd, buf, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)
                }
                (IoMode::Polled, None) => {
                    if !is_writable(self.fd) {
                        return Ok(None);
                    }
                    rustix::io::write(self.fd, &buf[..buf.len().min(SMALL_PIECE_BYTES)])
                }
                (IoMode::Nowhere, None) => Ok(buf.len()),
            };
            match result {
                Ok(n) => return Ok(Some(n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::BADF) => self.mode.set(IoMode::Nowhere),
                Err(error) if self.falls_back(error) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Why what was written went nowhere, if it did.
    pub fn loss(&self) -> Option<io::Error> {
        (self.mode.get() == IoMode::Nowhere).then(|| Errno::BADF.into())
    }

    /// Returns whether it is a file or a device that may never block.
    pub fn is_plain(&self) -> bool {
        self.mode.get() == IoMode::Plain
    }

    /// Takes note that the loop can wait for this descriptor. A device that is waited for may
    /// block, unlike files and /dev/null.
    pub fn set_pollable(&mut self) {
        if self.mode.get() == IoMode::Plain {
            self.mode.set(IoMode::Polled);
        }
    }

    fn open_private(&self) {
        if let Some(own) = private(self.fd, self.access) {
            self.private.get_or_init(|| own);
        }
    }

    /// Returns whether a reader cannot know where a write has ended: files and pipes, but not
    /// terminals, sockets and packet pipes (O_DIRECT).
    pub fn joins_writes(&self) -> bool {
        match self.mode.get() {
            IoMode::Plain | IoMode::Nowhere => true,
            IoMode::Polled | IoMode::Socket => false,
            IoMode::NoWait => {
                rustix::fs::fcntl_getfl(self.fd).is_ok_and(|flags| !flags.contains(OFlags::DIRECT))
            }
        }
    }

    /// Returns whether nothing can read what would be written here: the reader of a pipe or
    /// the peer of a socket is gone.
    pub fn has_lost_reader(&self) -> bool {
        is_hung_up(self.fd)
    }

    /// Lets the reader of our standard output see its end, by putting /dev/null in its place;
    /// descriptor 1 stays taken, so that no later socket becomes standard output by accident.
    /// Of a socket (inetd) the write side is shut down as well, since others may hold it.
    ///
    /// # Errors
    /// /dev/null cannot be opened.
    pub fn close(self) -> io::Result<()> {
        if self.mode.get() == IoMode::Socket {
            // A peer that is already gone has seen the end.
            let _ = rustix::net::shutdown(self.fd, rustix::net::Shutdown::Write);
        }
        let null = rustix::fs::open("/dev/null", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(rustix::stdio::dup2_stdout(&null)?)
    }

    /// Gives up a way the kernel refuses, once.
    fn falls_back(&self, error: Errno) -> bool {
        let falls = errno::is_refusal(error) && self.mode.get() == IoMode::NoWait;
        if falls {
            self.mode.set(IoMode::Polled);
            self.open_private();
        }
        falls
    }
}

/// Writes all of it to standard output, waiting as long as that takes: before there is a loop.
///
/// # Errors
/// Any error of the write. Std takes EBADF, of a standard output that is closed, for success.
pub fn write_all_to_stdout(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(rustix::stdio::stdout(), bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Returns whether a pipe has no name: one that has, a FIFO, does not know RWF_NOWAIT.
fn is_anonymous(pipe: BorrowedFd<'_>) -> bool {
    /// The file system of pipes, PIPEFS_MAGIC of linux/magic.h.
    const PIPEFS_MAGIC: u64 = 0x5049_5045;
    rustix::fs::fstatfs(pipe).is_ok_and(|stat| u64::try_from(stat.f_type) == Ok(PIPEFS_MAGIC))
}

/// Returns whether a read from the descriptor would not block. See poll(2).
pub fn is_readable(fd: BorrowedFd<'_>) -> bool {
    polls(fd, PollFlags::IN)
}

/// Returns whether a write to the descriptor would not block. See poll(2).
pub fn is_writable(fd: BorrowedFd<'_>) -> bool {
    polls(fd, PollFlags::OUT)
}

/// Returns whether the other side is gone: the reader of a pipe, or the peer of a socket in both
/// directions.
pub fn is_hung_up(fd: BorrowedFd<'_>) -> bool {
    // With nothing asked for, the end of both directions and errors are what is reported.
    polls(fd, PollFlags::empty())
}

fn polls(fd: BorrowedFd<'_>, what: PollFlags) -> bool {
    let mut fds = [PollFd::from_borrowed_fd(fd, what)];
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    rustix::event::poll(&mut fds, Some(&now)).is_ok() && !fds[0].revents().is_empty()
}

/// A description of the terminal, FIFO or pipe that is ours alone, so that O_NONBLOCK is too.
/// `None` where /proc is missing, it belongs to someone else, or it is the master of a
/// pseudo-terminal, which opened anew is another one.
fn private(fd: BorrowedFd<'_>, access: OFlags) -> Option<OwnedFd> {
    let stat = rustix::fs::fstat(fd).ok()?;
    if stat.st_rdev == rustix::fs::makedev(5, 2) {
        return None;
    }
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).ok()
}
