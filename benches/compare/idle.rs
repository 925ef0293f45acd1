//! Idleness: what a netcat does while nothing happens.

use std::fs;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::Pid;

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::place::{Place, Transport};

/// How long nothing happens.
const QUIET: Duration = Duration::from_secs(10);

/// Time to come to rest in.
const SETTLE: Duration = Duration::from_millis(500);

/// A netcat in the middle of a session, and one that nobody has called yet.
struct Pair {
    client: Child,
    listener: Child,
    /// The other ends of both, open as long as this lives.
    _ends: (TcpStream, PipeWriter, PipeReader, PipeWriter),
}

/// Watches all at the same time: context switches of a client and of a listener for each.
pub fn watch<'a>(contenders: impl Iterator<Item = &'a Contender>) -> Vec<Result<Vec<f64>>> {
    let pairs: Vec<Result<Pair>> = contenders.map(Pair::start).collect();
    thread::sleep(SETTLE);
    let before: Vec<_> = pairs.iter().map(switches).collect();
    thread::sleep(QUIET);
    let after = pairs.iter().map(switches);
    let change = |(before, after): (Option<[f64; 2]>, Option<[f64; 2]>)| {
        let (before, after) = (before?, after?);
        Some(vec![after[0] - before[0], after[1] - before[1]])
    };
    let changes: Vec<_> = before.into_iter().zip(after).map(change).collect();
    let told = pairs.into_iter().zip(changes);
    told.map(|(pair, change)| {
        change
            .context("it has ended")
            .map_err(|why| pair.err().unwrap_or(why))
    })
    .collect()
}

impl Pair {
    /// Starts both, and sends one byte each way through the client.
    fn start(contender: &Contender) -> Result<Self> {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (stdin, mut to) = std::io::pipe()?;
        let (mut from, stdout) = std::io::pipe()?;
        let place = Place::Tcp(server.local_addr()?.port());
        let client = Child::start(contender.talk(&place), stdin.into(), stdout.into())?;
        let watchdog = client.watch()?;
        let (mut socket, _) = server.accept()?;
        let mut byte = [b'.'];
        to.write_all(&byte)?;
        socket.read_exact(&mut byte)?;
        socket.write_all(&byte)?;
        from.read_exact(&mut byte)?;
        drop(watchdog);
        let place = Place::new(Transport::Tcp)?;
        let (stdin, open) = std::io::pipe()?;
        let listener = Child::start(contender.serve(&place), stdin.into(), Stdio::null())?;
        place.wait_listening(&listener, Instant::now() + PATIENCE)?;
        ensure!(!client.is_gone(), "{} has ended", client.what());
        Ok(Self {
            client,
            listener,
            _ends: (socket, to, from, open),
        })
    }
}

/// Context switches of both so far.
fn switches(pair: &Result<Pair>) -> Option<[f64; 2]> {
    let pair = pair.as_ref().ok()?;
    Some([
        switches_of(pair.client.pid())?,
        switches_of(pair.listener.pid())?,
    ])
}

/// Context switches of a process, wanted or not, all its threads together.
fn switches_of(pid: Pid) -> Option<f64> {
    let mut sum = None;
    for task in fs::read_dir(format!("/proc/{}/task", pid.as_raw_pid())).ok()? {
        let status = fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        let lines = status
            .lines()
            .filter(|line| line.contains("ctxt_switches:"));
        let numbers = lines.filter_map(|line| line.split_ascii_whitespace().nth(1));
        for number in numbers {
            sum = Some(sum.unwrap_or(0.0) + number.parse::<f64>().ok()?);
        }
    }
    sum
}
