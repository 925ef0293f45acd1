//! Bulk transfer: a source, a sender, a receiver, a sink; and the check that all arrived.

use std::process::Stdio;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};

use crate::child::{Child, LINGER, PATIENCE};
use crate::contender::Pair;
use crate::data::{Check, Data, Target};
use crate::netns::{Counters, Network};
use crate::place::{Place, Transport};

/// One kind of transfer.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Between the netcats.
    pub transport: Transport,
    /// The sender's stdin.
    pub source: Source,
    /// The receiver's stdout.
    pub sink: Sink,
    /// The receiver sends as much at the same time.
    pub both_ways: bool,
}

/// What is sent in all sizes.
pub const SIZED: Shape = Shape {
    transport: Transport::Tcp,
    source: Source::File,
    sink: Sink::Pipe,
    both_ways: false,
};

impl Shape {
    /// How many times the data goes through.
    fn directions(self) -> u64 {
        1 + u64::from(self.both_ways)
    }
}

/// What a stdin is.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A file in /dev/shm.
    File,
    /// A pipe with a plain writer at its other end.
    Pipe,
    /// A large pipe that is given pages, which costs the writer next to nothing.
    GivenPipe,
}

/// What a stdout is.
#[derive(Clone, Copy, Debug)]
pub enum Sink {
    /// /dev/null.
    Null,
    /// A pipe with a plain reader at its other end.
    Pipe,
    /// A large pipe whose reader splices to /dev/null.
    DroppedPipe,
    /// A file in /dev/shm that is overwritten, its pages being there already.
    File,
    /// An empty file in /dev/shm.
    NewFile,
}

/// What is left to look at when both netcats have ended.
enum Evidence {
    /// The kernel's counters before.
    Null(Counters),
    /// The reader's count.
    Pipe(JoinHandle<Result<u64>>),
    /// What the receiver wrote to.
    File(Target),
}

/// Moves the data once; GB/s, and processor seconds per GB of both ends, sender and receiver.
/// The time runs from the start of the sender to the end of the last of both.
pub fn transfer(
    data: &Data,
    network: &Network,
    pair: &Pair,
    shape: Shape,
    check: Check,
) -> Result<Vec<f64>> {
    let deadline = Instant::now() + PATIENCE;
    let place = Place::new(shape.transport)?;
    let (stdout, evidence) = open_sink(data, shape, check)?;
    let receiver = &pair.receiver;
    let (quiet, _open) = receiver.quiet_stdin()?;
    let (command, stdin, writer) = if shape.both_ways {
        let (stdin, writer) = open_source(data, shape.source, check)?;
        (receiver.serve(&place), stdin, writer)
    } else {
        (receiver.receive(&place), quiet, None)
    };
    let receiver = Child::start(command, stdin, stdout)?;
    place.wait_listening(&receiver, deadline)?;
    let (stdin, other_writer) = open_source(data, shape.source, check)?;
    let (command, stdout, back) = if shape.both_ways {
        let (stdout, evidence) = open_sink(data, shape, check)?;
        (pair.sender.talk(&place), stdout, Some(evidence))
    } else {
        (pair.sender.send(&place), Stdio::null(), None)
    };
    let start = Instant::now();
    let sender = Child::start(command, stdin, stdout)?;
    let sent = sender.finish(deadline)?;
    let received = receiver.finish(deadline.min(Instant::now() + LINGER))?;
    let wall = start.elapsed();
    for writer in [writer, other_writer].into_iter().flatten() {
        join(writer)?;
    }
    evidence.judge(data, network, shape, check)?;
    if let Some(back) = back {
        back.judge(data, network, shape, check)?;
    }
    let gigabytes = (data.len * shape.directions()) as f64 / 1e9;
    let (sent, received) = (sent.cpu.as_secs_f64(), received.cpu.as_secs_f64());
    Ok(vec![
        gigabytes / wall.as_secs_f64(),
        (sent + received) / gigabytes,
        sent / gigabytes,
        received / gigabytes,
    ])
}

/// A stdin, and the thread that fills it where one is needed.
fn open_source(
    data: &Data,
    source: Source,
    check: Check,
) -> Result<(Stdio, Option<JoinHandle<Result<()>>>)> {
    if let Source::File = source {
        return Ok((data.open_source()?.into(), None));
    }
    let (reader, pipe) = std::io::pipe()?;
    let thread = match (source, check) {
        // Given pages have no meaning to compare.
        (Source::GivenPipe, Check::Length | Check::Counted) => {
            let work = data.giver();
            thread::spawn(move || work(pipe))
        }
        _ => {
            let work = data.writer(check)?;
            thread::spawn(move || work(pipe))
        }
    };
    Ok((reader.into(), Some(thread)))
}

/// A stdout, and what will tell how much came out of it.
fn open_sink(data: &Data, shape: Shape, check: Check) -> Result<(Stdio, Evidence)> {
    Ok(match (shape.sink, check) {
        // The timed rounds over TCP have the kernel's counters; of a Unix socket nothing tells.
        (Sink::Null, Check::Length) => (Stdio::null(), Evidence::Null(Counters::now()?)),
        (Sink::File, _) => {
            let target = data.open_target(check)?;
            (target.stdout()?.into(), Evidence::File(target))
        }
        (Sink::NewFile, _) => {
            let target = data.new_target()?;
            (target.stdout()?.into(), Evidence::File(target))
        }
        (Sink::DroppedPipe, Check::Length | Check::Counted) => {
            let (pipe, writer) = std::io::pipe()?;
            let work = data.dropper()?;
            let thread = thread::spawn(move || work(pipe));
            (writer.into(), Evidence::Pipe(thread))
        }
        (Sink::Pipe | Sink::DroppedPipe | Sink::Null, _) => {
            let (pipe, writer) = std::io::pipe()?;
            let work = data.reader(check)?;
            let thread = thread::spawn(move || work(pipe));
            (writer.into(), Evidence::Pipe(thread))
        }
    })
}

impl Evidence {
    /// Says whether all bytes arrived.
    fn judge(self, data: &Data, network: &Network, shape: Shape, check: Check) -> Result<()> {
        let is_tcp = shape.transport == Transport::Tcp;
        let is_tls = shape.transport == Transport::Tls;
        let arrived = match self {
            Self::Pipe(reader) => join(reader)?,
            Self::File(target) => data.check_target(&target, check)?,
            // As many bytes went over the wire, and no socket was closed with some unread: what
            // can be known about bytes that were thrown away. With TLS it may be the sender who
            // closes with something unread, a session ticket.
            Self::Null(before) if network.is_private && (is_tcp || is_tls) => {
                let now = Counters::now()?;
                let unread = now.closed_unread - before.closed_unread;
                let is_whole = unread == 0 || is_tls;
                ensure!(is_whole, "the receiver closed before it had read all");
                ((now.bytes - before.bytes) / shape.directions()).min(data.len)
            }
            Self::Null(_) => data.len,
        };
        ensure!(
            arrived == data.len,
            "{arrived} of {} bytes arrived",
            data.len
        );
        Ok(())
    }
}

/// The result of a helper thread.
fn join<T>(thread: JoinHandle<Result<T>>) -> Result<T> {
    thread
        .join()
        .map_err(|_| anyhow!("a helper thread panicked"))?
}
