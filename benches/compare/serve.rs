//! Servers that answer each client by itself: with a program for each, or, rnc, without.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::place::{Place, Transport};
use crate::relay::{Descriptors, MESSAGE, call_for, connect, expect_end, memory, stop};

/// Idle connections, and for who has a program for each.
const IDLE: usize = 500;
const FEW_IDLE: usize = 50;

/// What serves.
#[derive(Clone, Copy, Debug)]
pub enum Server {
    /// The shortest way to an echo.
    Echo,
    /// `cat` for each client.
    Program,
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
    let count = match contender.echoes_by_program() {
        true => FEW_IDLE,
        false => IDLE,
    };
    let (child, port) = start(contender, Server::Echo)?;
    let before = memory(child.pid())?;
    let mut held = Vec::new();
    for number in 0..count {
        let mut socket = connect(port)?;
        let mut byte = [b'.'];
        socket.write_all(&byte)?;
        let got = socket.read_exact(&mut byte);
        got.with_context(|| format!("connection {number} of {count}"))?;
        held.push(socket);
    }
    let after = memory(child.pid())?;
    drop(held);
    stop(child)?;
    Ok(vec![(after - before) / count as f64])
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
    };
    let child = Child::start(command, Stdio::null(), Stdio::null())?;
    place.wait_listening(&child, Instant::now() + PATIENCE)?;
    Ok((child, port))
}

/// One short connection: a message there and back, then its end both ways.
fn call(port: u16) -> Result<()> {
    let mut socket = connect(port)?;
    let (message, mut back) = ([b'm'; MESSAGE], [0; MESSAGE]);
    socket.write_all(&message)?;
    socket
        .read_exact(&mut back)
        .context("no answer came back")?;
    ensure!(back == message, "a wrong answer came back");
    socket.shutdown(Shutdown::Write)?;
    expect_end(&socket)
}
