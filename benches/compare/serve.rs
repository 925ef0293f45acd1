//! Servers of many: each client answered by itself, with a program for each or, rnc, without; or
//! all of them joined to each other.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::place::{Place, Transport};
use crate::relay::{Descriptors, answered, call_for, connect, exchange, expect_end, memory, stop};
use crate::sys;

/// Idle connections, and for who has a program for each.
const IDLE: usize = 500;
const FEW_IDLE: usize = 50;

/// Who hears what one sends to a broker, and in which pieces that is sent and read.
const RECEIVERS: usize = 50;
const BROKER_PIECE: usize = 8 << 10;
const BROKER_BUF: usize = 1 << 20;

/// What serves.
#[derive(Clone, Copy, Debug)]
pub enum Server {
    /// The shortest way to an echo.
    Echo,
    /// `cat` for each client.
    Program,
    /// Each client is joined to all others.
    Broker,
}

/// Short connections for some time: how many per second, and the server's processor microseconds
/// for each, those of the programs it starts included.
pub fn short(contender: &Contender, server: Server, time: Duration) -> Result<Vec<f64>> {
    let (child, port) = start(contender, server)?;
    let (count, wall) = call_for(time, || call(port))?;
    let cpu = stop(child)?;
    Ok(vec![count / wall, cpu * 1e6 / count])
}

/// Connections over which nothing goes any more: KiB for each, of the server and of all programs
/// it has started.
pub fn idle(contender: &Contender) -> Result<Vec<f64>> {
    let _limit = Descriptors::raise()?;
    let count = if contender.echoes_by_program() {
        FEW_IDLE
    } else {
        IDLE
    };
    let (child, port) = start(contender, Server::Echo)?;
    let before = memory(child.pid())?;
    let mut held = Vec::new();
    for number in 0..count {
        let socket = answered(port).with_context(|| format!("connection {number} of {count}"))?;
        held.push(socket);
    }
    let after = memory(child.pid())?;
    drop(held);
    stop(child)?;
    Ok(vec![(after - before) / count as f64])
}

/// One client sends so many bytes, which fifty others read: GB/s delivered in sum, and the broker's
/// processor seconds per GB delivered.
pub fn broker(contender: &Contender, bytes: u64) -> Result<Vec<f64>> {
    let (child, port) = start(contender, Server::Broker)?;
    let mut first = connect(port)?;
    // Each says a byte once it is there; when the first hears it, it has been let in.
    let mut others = Vec::new();
    for _ in 0..RECEIVERS {
        let mut socket = connect(port)?;
        socket.write_all(b".")?;
        first.read_exact(&mut [0])?;
        others.push(socket);
    }
    let mut sender = others.pop().context("nobody sends")?;
    // Whoever came later has been heard, too.
    let later = (1..=others.len() as u64).rev();
    let mut expected: Vec<u64> = later.map(|later| bytes + later).collect();
    others.push(first);
    expected.push(bytes);
    let begun = Instant::now();
    thread::scope(|scope| -> Result<()> {
        let sending = scope.spawn(move || -> Result<TcpStream> {
            let piece = [b'b'; BROKER_PIECE];
            for _ in 0..bytes / BROKER_PIECE as u64 {
                sender.write_all(&piece)?;
            }
            Ok(sender)
        });
        drain_all(&others, expected)?;
        sending.join().expect("a thread panicked").map(drop)
    })?;
    let delivered = (bytes * others.len() as u64) as f64 / 1e9;
    let wall = begun.elapsed().as_secs_f64();
    drop(others);
    let cpu = stop(child)?;
    Ok(vec![delivered / wall, cpu / delivered])
}

/// Takes bytes until as many as expected have come to each, and throws them away: who reads them
/// would be slower than who sends them.
fn drain_all(sockets: &[TcpStream], mut expected: Vec<u64>) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    for socket in sockets {
        socket.set_nonblocking(true)?;
    }
    while expected.iter().any(|&left| left > 0) {
        ensure!(Instant::now() < deadline, "not everything was delivered");
        let mut fds: Vec<PollFd> = sockets
            .iter()
            .map(|socket| PollFd::new(socket, PollFlags::IN))
            .collect();
        let second = Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        };
        poll(&mut fds, Some(&second))?;
        let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
        let all = sockets.iter().zip(&mut expected).zip(ready);
        for ((socket, left), _) in all.filter(|one| one.1) {
            match sys::discard(socket.as_fd(), BROKER_BUF) {
                Ok(0) => bail!("one was dropped"),
                Ok(len) => {
                    let rest = left.checked_sub(len as u64);
                    *left = rest.context("too much was delivered")?;
                }
                Err(Errno::AGAIN) => {}
                Err(why) => return Err(why.into()),
            }
        }
    }
    Ok(())
}

/// A server that listens, and its port.
fn start(contender: &Contender, server: Server) -> Result<(Child, u16)> {
    let place = Place::new(Transport::Tcp)?;
    let Place::Tcp(port) = place else {
        unreachable!("asked for TCP");
    };
    let command: Command = match server {
        Server::Echo => contender.echo(port),
        Server::Program => contender.run_cat(port),
        Server::Broker => contender.broker(port),
    };
    let child = Child::start(command, Stdio::null(), Stdio::null())?;
    place.wait_listening(&child, Instant::now() + PATIENCE)?;
    Ok((child, port))
}

/// One short connection: a message there and back, then its end both ways.
fn call(port: u16) -> Result<()> {
    let socket = exchange(port)?;
    socket.shutdown(Shutdown::Write)?;
    expect_end(&socket)
}
