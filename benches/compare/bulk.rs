//! Bulk transfer: a source, a sender, a receiver, a sink; and the check that all arrived.

use std::fs::File;
use std::io::Seek;
use std::process::Stdio;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};

use crate::child::{Child, LINGER, PATIENCE};
use crate::contender::Pair;
use crate::data::{Check, Data};
use crate::netns::{self, Counters, Network};

/// What the sender's stdin is.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A file in /dev/shm.
    File,
    /// A pipe with a plain writer at its other end.
    Pipe,
}

/// What the receiver's stdout is.
#[derive(Clone, Copy, Debug)]
pub enum Sink {
    /// /dev/null.
    Null,
    /// A pipe with a plain reader at its other end.
    Pipe,
    /// A file in /dev/shm that is overwritten, its pages being there already.
    File,
}

/// What is left to look at when both netcats have ended.
enum Evidence {
    /// The kernel's counters before.
    Null(Counters),
    /// The reader's count.
    Pipe(JoinHandle<Result<u64>>),
    /// The description the receiver wrote through, whose position it has moved.
    File(File),
}

/// Moves the data once; GB/s, and processor seconds per GB of both ends, sender and receiver.
/// The time runs from the start of the sender to the end of the last of both.
pub fn transfer(
    data: &Data,
    network: &Network,
    pair: &Pair,
    (source, sink): (Source, Sink),
    check: Check,
) -> Result<Vec<f64>> {
    // /dev/null tells nothing: what is compared is taken from a pipe. The timed rounds have the
    // counters.
    let sink = match (sink, check) {
        (Sink::Null, Check::Bytes) => Sink::Pipe,
        _ => sink,
    };
    let deadline = Instant::now() + PATIENCE;
    let port = netns::free_port()?;
    let (stdout, evidence) = open_sink(data, sink, check)?;
    let receiver = Child::start(pair.receiver.receive(port), Stdio::null(), stdout)?;
    netns::wait_listening(port, &receiver, deadline)?;
    let (stdin, writer) = open_source(data, source, check)?;
    let start = Instant::now();
    let sender = Child::start(pair.sender.send(port), stdin, Stdio::null())?;
    let sent = sender.finish(deadline)?;
    let received = receiver.finish(deadline.min(Instant::now() + LINGER))?;
    let wall = start.elapsed();
    if let Some(writer) = writer {
        join(writer)?;
    }
    evidence.judge(data, network, check)?;
    let gigabytes = data.len as f64 / 1e9;
    let (sent, received) = (sent.cpu.as_secs_f64(), received.cpu.as_secs_f64());
    Ok(vec![
        gigabytes / wall.as_secs_f64(),
        (sent + received) / gigabytes,
        sent / gigabytes,
        received / gigabytes,
    ])
}

/// The sender's stdin, and the thread that fills it where one is needed.
fn open_source(
    data: &Data,
    source: Source,
    check: Check,
) -> Result<(Stdio, Option<JoinHandle<Result<()>>>)> {
    match source {
        Source::File => Ok((data.open_source()?.into(), None)),
        Source::Pipe => {
            let (reader, writer) = std::io::pipe()?;
            let work = data.writer(check)?;
            Ok((reader.into(), Some(thread::spawn(move || work(writer)))))
        }
    }
}

/// The receiver's stdout, and what will tell how much came out of it.
fn open_sink(data: &Data, sink: Sink, check: Check) -> Result<(Stdio, Evidence)> {
    Ok(match sink {
        Sink::Null => (Stdio::null(), Evidence::Null(Counters::now()?)),
        Sink::Pipe => {
            let (reader, writer) = std::io::pipe()?;
            let work = data.reader(check)?;
            (
                writer.into(),
                Evidence::Pipe(thread::spawn(move || work(reader))),
            )
        }
        Sink::File => {
            let file = data.open_target(check)?;
            (file.try_clone()?.into(), Evidence::File(file))
        }
    })
}

impl Evidence {
    /// Says whether all bytes arrived.
    fn judge(self, data: &Data, network: &Network, check: Check) -> Result<()> {
        let arrived = match self {
            Self::Pipe(reader) => join(reader)?,
            Self::File(mut file) => {
                data.check_target(check)?;
                file.stream_position()?
            }
            // As many bytes went over the wire, and no socket was closed with some unread: what
            // can be known about bytes that were thrown away.
            Self::Null(before) if network.is_private => {
                let now = Counters::now()?;
                let unread = now.closed_unread - before.closed_unread;
                ensure!(unread == 0, "the receiver closed before it had read all");
                (now.bytes - before.bytes).min(data.len)
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
