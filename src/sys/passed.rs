//! Sockets that another program has made and passed on to us: a service manager, by descriptors
//! from 3 on and the environment (sd_listen_fds(3)), or inetd(8), as standard input.

use rustix::fs::OFlags;
use socket2::{SockRef, Socket, Type};
use std::env;
use std::io;
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI32, Ordering};

/// The first descriptor that is passed, SD_LISTEN_FDS_START.
const FIRST: RawFd = 3;

/// What has been claimed.
static LISTED: OnceLock<Vec<Kind>> = OnceLock::new();
/// How many of these have not been taken yet.
static LEFT: AtomicI32 = AtomicI32::new(0);

/// What a socket is that was passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// It listens for streams.
    Listener,
    /// A stream that is connected.
    Connection,
    /// It receives datagrams.
    Datagrams,
    /// Something else, or no socket.
    #[default]
    Other,
}

/// Claims the sockets that are passed to this process by LISTEN_FDS and LISTEN_PID: no child gets
/// them, nor the variables.
///
/// # Safety
/// No other thread may exist: the environment is changed.
pub unsafe fn claim() {
    let number = |name: &str| -> Option<i32> { env::var(name).ok()?.parse().ok() };
    let own = i32::try_from(std::process::id()).ok();
    let is_ours = own.is_some() && number("LISTEN_PID") == own;
    let count = number("LISTEN_FDS").filter(|count| is_ours && *count > 0);
    for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"] {
        if env::var_os(name).is_some() {
            // SAFETY: there is no other thread that could read the environment.
            unsafe { env::remove_var(name) };
        }
    }
    let Some(count) = count else { return };
    let last = FIRST.saturating_add(count);
    let kinds = (FIRST..last).map(|fd| {
        // SAFETY: fcntl(2) touches no memory; a descriptor that is not open is refused.
        let is_open = unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } == 0;
        // SAFETY: it is open, and nothing closes it before it is taken.
        is_open.then(|| kind(unsafe { BorrowedFd::borrow_raw(fd) }))
    });
    // One that is not open ends the list: what is behind it may be ours by now.
    let kinds: Vec<Kind> = kinds.map_while(|kind| kind).collect();
    LEFT.store(i32::try_from(kinds.len()).unwrap_or(0), Ordering::SeqCst);
    let _ = LISTED.set(kinds);
}

/// What the claimed sockets are, in order.
pub fn listed() -> &'static [Kind] {
    LISTED.get().map_or(&[], Vec::as_slice)
}

/// Takes the sockets that were claimed, once.
pub fn take_listed() -> Vec<Socket> {
    let count = LEFT.swap(0, Ordering::SeqCst);
    // SAFETY: they were passed to us and were open when they were claimed; they are taken once.
    let take = |fd| unsafe { Socket::from(OwnedFd::from_raw_fd(fd)) };
    (FIRST..FIRST + count).map(take).collect()
}

/// What standard input is.
pub fn stdin_kind() -> Kind {
    kind(rustix::stdio::stdin())
}

/// Takes the socket that standard input is. Standard input and output, and standard error if it
/// is the same socket, become /dev/null: the peer sees the end when the socket taken is closed, and
/// hears nothing that is meant for the user.
///
/// # Errors
/// As dup(2) and open(2).
pub fn take_stdin() -> io::Result<Socket> {
    let stdin = rustix::stdio::stdin();
    let taken = rustix::io::fcntl_dupfd_cloexec(stdin, FIRST)?;
    let identity = |fd: BorrowedFd<'_>| {
        let stat = rustix::fs::fstat(fd).ok()?;
        Some((stat.st_dev, stat.st_ino))
    };
    let is_shared = |fd| identity(fd).is_some() && identity(fd) == identity(stdin);
    let hides_errors = is_shared(rustix::stdio::stderr());
    let null = rustix::fs::open(
        "/dev/null",
        OFlags::RDWR | OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    if is_shared(rustix::stdio::stdout()) {
        rustix::stdio::dup2_stdout(&null)?;
    }
    if hides_errors {
        rustix::stdio::dup2_stderr(&null)?;
    }
    rustix::stdio::dup2_stdin(&null)?;
    Ok(taken.into())
}

fn kind(fd: BorrowedFd<'_>) -> Kind {
    let sock = SockRef::from(&fd);
    match sock.r#type() {
        Ok(Type::DGRAM) => Kind::Datagrams,
        Ok(Type::STREAM) if sock.is_listener().unwrap_or(false) => Kind::Listener,
        Ok(Type::STREAM) if sock.peer_addr().is_ok() => Kind::Connection,
        _ => Kind::Other,
    }
}
