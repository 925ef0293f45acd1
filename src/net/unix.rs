//! Unix sockets: their addresses, and what becomes of the files they leave.

use super::own_file::{self, FileId, OwnFile};
use crate::plan::{UnixListening, UnixPath, UnixSource};
use crate::sys::clock;
use crate::sys::sockopt::{self, Credentials};
use rustix::fs::Mode;
use rustix::io::Errno;
use socket2::{Domain, SockAddr, Socket, Type};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::task::Poll;
use std::time::{Duration, Instant};

/// The longest path a Unix socket may have, in bytes, without the NUL at its end. See unix(7).
const MAX_PATH_BYTES: usize = 107;
/// The first pause before a listener whose queue is full is tried again; each one is twice as long
/// as the one before, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The address behind a word of the command line: a path, or an abstract name behind `@`.
///
/// # Errors
/// The path is too long, or the name is empty.
pub fn address(path: &Path) -> io::Result<SockAddr> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() > MAX_PATH_BYTES {
        return Err(name_too_long());
    }
    match bytes.strip_prefix(b"@") {
        Some(b"") => Err(io::Error::other("no name after @")),
        Some(name) => {
            let raw = [b"\0".as_slice(), name].concat();
            SockAddr::unix(OsString::from_vec(raw))
        }
        None => SockAddr::unix(path),
    }
}

fn name_too_long() -> io::Error {
    Errno::NAMETOOLONG.into()
}

/// Returns whether there is something at a path that is not a socket.
pub fn is_other_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket())
}

/// Connects a stream socket without waiting: the kernel has no event for "there is room in the
/// listener's queue", so while there is none it is tried again.
#[derive(Debug)]
pub struct UnixDialer {
    path: UnixPath,
    limit: Option<Duration>,
    gives_up: Option<Instant>,
    next_try: Option<Instant>,
    pause: Duration,
}

impl UnixDialer {
    /// A dialer that gives up after `limit`; zero is no limit.
    pub fn new(path: &Path, limit: Option<Duration>) -> UnixDialer {
        UnixDialer {
            path: path.to_path_buf(),
            limit: limit.filter(|limit| !limit.is_zero()),
            gives_up: None,
            next_try: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Tries, if it is time to.
    ///
    /// # Errors
    /// As connect(2); `TimedOut` when the limit is reached.
    pub fn drive(&mut self, now: Instant) -> Poll<io::Result<Socket>> {
        if self.next_try.is_some_and(|at| now < at) {
            return Poll::Pending;
        }
        if self.gives_up.is_none() {
            self.gives_up = self.limit.map(|limit| now + limit);
        }
        let sock = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None)?;
        match sock.connect(&address(&self.path)?) {
            Ok(()) => Poll::Ready(Ok(sock)),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Poll::Ready(Err(error)),
            Err(_) if self.gives_up.is_some_and(|at| now >= at) => {
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Err(_) => {
                let next = now + self.pause;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                self.next_try = Some(self.gives_up.map_or(next, |at| next.min(at)));
                Poll::Pending
            }
        }
    }

    /// When the next try is.
    pub fn deadline(&self) -> Option<Instant> {
        self.next_try
    }
}

/// Connects a datagram socket that is itself bound, so that the peer can answer. Also gives the
/// path to remove afterwards.
///
/// # Errors
/// As bind(2) and connect(2).
pub fn connect_datagram(path: &Path, from: &UnixSource) -> io::Result<(Socket, OwnFile)> {
    let sock = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
    let own = match from {
        UnixSource::Path(own) => own.clone(),
        UnixSource::Temporary => temporary_path(),
    };
    sock.bind(&address(&own)?)?;
    let file = file_of(&sock, &own);
    sock.connect(&address(path)?)?;
    sock.set_nonblocking(true)?;
    Ok((sock, file))
}

/// Binds a listening or receiving socket; what stands at the path is treated by the rules.
///
/// # Errors
/// As bind(2) and listen(2); EADDRINUSE when somebody listens there.
pub fn bind(
    path: &Path,
    kind: Type,
    rules: UnixListening,
) -> io::Result<(Socket, Option<OwnFile>)> {
    let addr = address(path)?;
    let sock = Socket::new(Domain::UNIX, kind.nonblocking(), None)?;
    if rules.replaces_anything && !addr.is_unnamed() && addr.as_pathname().is_some() {
        let _ = fs::remove_file(path);
    }
    match bind_with_mode(&sock, &addr, rules.mode) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let found = own_file::identity(path);
            if !is_stale(path, kind) {
                return Err(error);
            }
            remove(path, found)?;
            bind_with_mode(&sock, &addr, rules.mode)?;
        }
        other => other?,
    }
    // At once: scripts wait for the file, and connect.
    let listens = match kind {
        Type::STREAM => sock.listen(super::listen::BACKLOG),
        _ => Ok(()),
    };
    let file = rules.removed_at_end.then(|| file_of(&sock, path));
    listens.map(|()| (sock, file))
}

/// Binds, so that the socket file has these permissions from its very beginning.
fn bind_with_mode(sock: &Socket, addr: &SockAddr, mode: Option<u32>) -> io::Result<()> {
    let Some(mode) = mode else {
        return sock.bind(addr);
    };
    // The umask is that of the whole process, of which no other thread makes files.
    let before = rustix::process::umask(Mode::from_raw_mode(!mode & 0o777));
    let bound = sock.bind(addr);
    rustix::process::umask(before);
    bound
}

/// Says whether a socket file is left over from somebody who is gone. It is asked with a socket of
/// another type, which a live one refuses (EPROTOTYPE) without noticing.
fn is_stale(path: &Path, kind: Type) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if !is_socket {
        return false;
    }
    let other = if kind == Type::STREAM {
        Type::DGRAM
    } else {
        Type::STREAM
    };
    let probe = Socket::new(Domain::UNIX, other.nonblocking(), None);
    let answer = probe.and_then(|probe| probe.connect(&address(path)?));
    answer.is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

/// Removes the file that was found at a path, and not that of another listener that has taken its
/// place since: what is there is put aside before it is looked at, and back if it is not the same.
///
/// # Errors
/// EADDRINUSE when another listener is there; or as rename(2) and unlink(2).
fn remove(path: &Path, found: Option<FileId>) -> io::Result<()> {
    let aside = own_file::beside(path)?;
    match fs::rename(path, &aside) {
        // Another has removed it.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?,
    }
    if own_file::identity(&aside) == found {
        return fs::remove_file(&aside);
    }
    // A link, unlike a rename, replaces nothing.
    let _ = match fs::hard_link(&aside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => fs::rename(&aside, path),
        Ok(()) | Err(_) => fs::remove_file(&aside),
    };
    Err(Errno::ADDRINUSE.into())
}

/// The file of a bound socket, if it has one.
fn file_of(sock: &Socket, path: &Path) -> OwnFile {
    let is_named = |addr: SockAddr| addr.as_pathname().is_some();
    if sock.local_addr().is_ok_and(is_named) {
        OwnFile::at(path)
    } else {
        OwnFile::none()
    }
}

/// A path for a temporary socket that nobody else uses: binding fails if somebody does.
fn temporary_path() -> PathBuf {
    let nanos = clock::since_1970().subsec_nanos();
    std::env::temp_dir().join(format!("rnc-{}-{nanos:09}.sock", std::process::id()))
}

/// Whose process a client is, where that can be known: at a Unix socket.
pub fn credentials(sock: &Socket, addr: &SockAddr) -> Option<Credentials> {
    let is_unix = addr.is_unix();
    is_unix.then(|| sockopt::peer_credentials(sock).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

    #[test]
    fn no_file_is_removed_but_the_one_found() {
        let path = temporary_path();
        let stale = UnixDatagram::bind(&path).expect("bind");
        let found = own_file::identity(&path);
        fs::remove_file(&path).expect("remove");
        let live = UnixListener::bind(&path).expect("bind");
        let error = remove(&path, found).expect_err("another is there");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        UnixStream::connect(&path).expect("it is still there");
        drop((stale, live));
        remove(&path, own_file::identity(&path)).expect("removed");
        remove(&path, None).expect("it was removed before");
        assert!(fs::symlink_metadata(&path).is_err());
    }
}
