//! The limit: the bytes moved with as little as the kernel asks for, and nothing else a netcat
//! does. No options, no messages, every answer other than the expected one is an error.
//!
//! It runs as a contender like the others: this program starts itself once more for it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::sendfile;
use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{Shutdown, shutdown};
use rustix::pipe::{SpliceFlags, fcntl_setpipe_size, splice};

use crate::sys;

/// Bytes asked for at once, and the size of every pipe.
const PIECE: usize = 1024 * 1024;

/// Bytes of a buffer, where there must be one.
const BUF: usize = 256 * 1024;

/// Bytes of datagrams that may wait.
const DATAGRAM_ROOM: usize = 4 * 1024 * 1024;

/// What it can be told to be, by its first word.
pub const RECEIVE: &str = "limit-receive";
pub const SEND: &str = "limit-send";
pub const SERVE: &str = "limit-serve";
pub const EXCHANGE: &str = "limit-exchange";
pub const RELAY: &str = "limit-relay";
pub const DATAGRAMS: &str = "limit-datagrams";

/// Does what the words say; `None` if they do not mean this program.
pub fn run(words: &[String]) -> Option<Result<()>> {
    let [role, address, rest @ ..] = words else {
        return None;
    };
    Some(match role.as_str() {
        RECEIVE => accept(address).and_then(|socket| drain(&socket)),
        SEND => connect(address).and_then(|socket| fill(&socket)),
        SERVE => accept(address).and_then(|socket| both_ways(&socket)),
        EXCHANGE => connect(address).and_then(|socket| both_ways(&socket)),
        RELAY => relay(address, rest),
        DATAGRAMS => datagrams(address),
        _ => return None,
    })
}

/// The first client at a port or a path.
fn accept(address: &str) -> Result<OwnedFd> {
    prepared(match address.parse() {
        Ok(port) => listen(port)?.accept()?.0.into(),
        Err(_) => UnixListener::bind(address)?.accept()?.0.into(),
    })
}

/// A connection to a port or a path.
fn connect(address: &str) -> Result<OwnedFd> {
    prepared(match address.parse::<u16>() {
        Ok(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port))?.into(),
        Err(_) => UnixStream::connect(address)?.into(),
    })
}

/// A listener on a port of 127.0.0.1.
fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
}

/// The socket made non-blocking: a blocking one holds the lock of the pipe it is spliced to.
fn prepared(socket: OwnedFd) -> Result<OwnedFd> {
    ioctl_fionbio(&socket, true)?;
    Ok(socket)
}

/// Sends stdin, then the end.
fn fill(socket: &OwnedFd) -> Result<()> {
    let stdin = rustix::stdio::stdin();
    let kind = File::from(stdin.try_clone_to_owned()?).metadata()?;
    if kind.file_type().is_fifo() {
        // What the pipe has already will do if it must not grow.
        let _ = fcntl_setpipe_size(stdin, PIECE);
        let step = || splice(stdin, None, socket, None, PIECE, SpliceFlags::empty());
        repeat(socket, PollFlags::OUT, step)?;
    } else {
        repeat(socket, PollFlags::OUT, || {
            sendfile(socket, stdin, None, PIECE)
        })?;
    }
    shutdown(socket, Shutdown::Write)?;
    Ok(())
}

/// Brings what comes to stdout.
fn drain(socket: &OwnedFd) -> Result<()> {
    let stdout = rustix::stdio::stdout();
    let mut file = File::from(stdout.try_clone_to_owned()?);
    let kind = file.metadata()?;
    let is_null = kind.file_type().is_char_device() && kind.rdev() == rustix::fs::makedev(1, 3);
    let is_tcp = rustix::net::sockopt::socket_domain(socket)? == rustix::net::AddressFamily::INET;
    if is_null && is_tcp {
        repeat(socket, PollFlags::IN, || {
            sys::discard(socket.as_fd(), PIECE)
        })
    } else if kind.file_type().is_fifo() {
        let _ = fcntl_setpipe_size(stdout, PIECE);
        let step = || splice(socket, None, stdout, None, PIECE, SpliceFlags::empty());
        repeat(socket, PollFlags::IN, step)
    } else if kind.is_file() && kind.len() == 0 {
        // Where pages have to be made, copying beats splicing.
        let (mut buf, mut from) = (vec![0; BUF], File::from(socket.try_clone()?));
        repeat(socket, PollFlags::IN, || {
            let len = from.read(&mut buf).map_err(errno)?;
            file.write_all(&buf[..len]).map_err(errno)?;
            Ok(len)
        })
    } else {
        pump(socket.as_fd(), stdout)
    }
}

/// Both at once.
fn both_ways(socket: &OwnedFd) -> Result<()> {
    thread::scope(|scope| {
        let out = scope.spawn(|| fill(socket));
        drain(socket)?;
        out.join().expect("a thread panicked")
    })
}

/// Dials the port in `rest` for every client, for ever.
fn relay(address: &str, rest: &[String]) -> Result<()> {
    let [target] = rest else {
        bail!("which target?");
    };
    let (listener, target) = (listen(address.parse()?)?, target.clone());
    for client in listener.incoming() {
        let (client, target) = (prepared(client?.into())?, target.clone());
        thread::spawn(move || -> Result<()> {
            let server = connect(&target)?;
            thread::scope(|scope| {
                let forth = scope.spawn(|| pass(&client, &server));
                pass(&server, &client)?;
                forth.join().expect("a thread panicked")
            })
        });
    }
    Ok(())
}

/// One direction of a relay, and its end.
fn pass(from: &OwnedFd, to: &OwnedFd) -> Result<()> {
    pump(from.as_fd(), to.as_fd())?;
    shutdown(to, Shutdown::Write).context("cannot pass on the end")
}

/// Brings datagrams of up to 2 KiB to stdout, for ever.
fn datagrams(port: &str) -> Result<()> {
    const SLOT: usize = 2048;
    const SLOTS: usize = 64;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, port.parse()?))?;
    set_socket_recv_buffer_size_force(&socket, DATAGRAM_ROOM)
        .or_else(|_| set_socket_recv_buffer_size(&socket, DATAGRAM_ROOM))?;
    let mut stdout = File::from(rustix::stdio::stdout().try_clone_to_owned()?);
    let (mut buf, mut joined) = (vec![0; SLOT * SLOTS], Vec::with_capacity(SLOT * SLOTS));
    loop {
        let lens = sys::receive_many(socket.as_fd(), &mut buf, SLOT)?;
        joined.clear();
        for (slot, len) in buf.chunks_exact(SLOT).zip(lens) {
            joined.extend_from_slice(&slot[..len]);
        }
        stdout.write_all(&joined)?;
    }
}

/// From a socket to anything, through a pipe of its own.
fn pump(from: BorrowedFd, to: BorrowedFd) -> Result<()> {
    let (out, into) = rustix::pipe::pipe()?;
    let _ = fcntl_setpipe_size(&into, PIECE);
    repeat(from, PollFlags::IN, || {
        let len = splice(from, None, &into, None, PIECE, SpliceFlags::empty())?;
        let mut left = len;
        while left > 0 {
            match splice(&out, None, to, None, left, SpliceFlags::empty()) {
                Ok(done) => left -= done,
                Err(Errno::AGAIN) => wait(to, PollFlags::OUT)?,
                Err(why) => return Err(why),
            }
        }
        Ok(len)
    })
}

/// Takes a step until one says 0, and waits for the socket when it has to.
fn repeat(
    socket: impl AsFd,
    events: PollFlags,
    mut step: impl FnMut() -> Result<usize, Errno>,
) -> Result<()> {
    loop {
        match step() {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::AGAIN) => wait(socket.as_fd(), events)?,
            Err(why) => return Err(why.into()),
        }
    }
}

/// Waits for one event of one descriptor.
fn wait(fd: BorrowedFd, events: PollFlags) -> Result<(), Errno> {
    poll(&mut [PollFd::new(&fd, events)], None).map(drop)
}

/// The number of an error of std.
fn errno(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
