//! Ping-pong: 32 bytes in at stdin, through the netcat to an echo server, out at stdout.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::place::Place;
use crate::sys::{self, Processors};

/// Bytes of a message.
const MESSAGE: usize = 32;

/// Round trips before the clock starts.
const WARM_UP: u32 = 500;

/// Where all three run: netcat, echo server and player.
#[derive(Clone, Copy, Debug)]
pub enum Placing {
    /// On one processor: the steady figure.
    Together,
    /// Where the kernel puts them: what a user sees.
    Free,
}

/// Plays `trips` round trips; microseconds of wall and of the netcat's processor time per trip.
pub fn play(contender: &Contender, placing: Placing, trips: u32) -> Result<Vec<f64>> {
    let before = Processors::current()?;
    if let Placing::Together = placing {
        before.last().apply()?;
    }
    let result = play_here(contender, trips);
    before.apply()?;
    result
}

/// The same, on whatever processors this thread has.
fn play_here(contender: &Contender, trips: u32) -> Result<Vec<f64>> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || echo(&listener, WARM_UP + trips));
    let (stdin, mut to) = std::io::pipe()?;
    let (mut from, stdout) = std::io::pipe()?;
    let child = Child::start(
        contender.talk(&Place::Tcp(port)),
        stdin.into(),
        stdout.into(),
    )?;
    let watchdog = child.watch()?;
    for number in 0..WARM_UP {
        trip(number, &mut to, &mut from)?;
    }
    let (start, cpu_before) = (Instant::now(), sys::cpu_so_far(child.pid())?);
    for number in 0..trips {
        trip(number, &mut to, &mut from)?;
    }
    let (wall, cpu) = (start.elapsed(), sys::cpu_so_far(child.pid())? - cpu_before);
    drop((to, watchdog));
    child.finish(Instant::now() + PATIENCE)?;
    let per_trip = 1e6 / f64::from(trips);
    Ok(vec![
        wall.as_secs_f64() * per_trip,
        cpu.as_secs_f64() * per_trip,
    ])
}

/// One message there and back.
fn trip(number: u32, to: &mut impl Write, from: &mut impl Read) -> Result<()> {
    let mut message = [b'.'; MESSAGE];
    message[..4].copy_from_slice(&number.to_le_bytes());
    to.write_all(&message)
        .context("the netcat takes no more messages")?;
    let mut back = [0; MESSAGE];
    from.read_exact(&mut back)
        .context("a message did not come back")?;
    ensure!(back == message, "a wrong message came back");
    Ok(())
}

/// Sends back what the first client sends, and closes after `trips` messages.
fn echo(listener: &TcpListener, trips: u32) -> std::io::Result<()> {
    let (mut client, _) = listener.accept()?;
    client.set_nodelay(true)?;
    let mut message = [0; MESSAGE];
    for _ in 0..trips {
        client.read_exact(&mut message)?;
        client.write_all(&message)?;
    }
    Ok(())
}
