//! UDP: datagrams at a steady rate and flat out into a receiver, and a pipe cut into datagrams.

use std::io::Write;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::child::{Child, PATIENCE};
use crate::contender::{Contender, LIMIT, REFERENCE};
use crate::data::Unnamed;
use crate::{limit, sys};

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub enum Load {
    /// Datagrams of so many bytes into the receiver, so many of them a second, or as many as go.
    Receive { bytes: usize, rate: Option<u32> },
    /// A pipe of zeros cut into datagrams of so many bytes, to a socket that nobody reads.
    Send { bytes: usize },
}

/// No datagram and no write for so long: the receiver has them all.
const QUIET: Duration = Duration::from_millis(100);

/// Bytes a sender is given.
const SENT: usize = 256 << 20;

/// One run, a receiver's of `time`; for receivers the share of the datagrams that arrived in percent and processor
/// microseconds per datagram, for senders GB/s and how often that is of a plain loop of send(2)
/// over the same pipe.
pub fn run(contender: &Contender, load: Load, time: Duration) -> Result<Vec<f64>> {
    match load {
        Load::Receive { bytes, rate } => receive(contender, bytes, rate, time),
        Load::Send { bytes } => {
            let theirs = send(bytes, |port| {
                let stdin = fed_pipe()?;
                let child = Child::start(sender(contender, port, bytes), stdin, Stdio::null())?;
                child.finish(Instant::now() + PATIENCE).map(drop)
            })?;
            let plain = send(bytes, |port| plain_loop(port, bytes))?;
            Ok(vec![theirs, theirs / plain])
        }
    }
}

/// The command line of a receiver; its stdin is /dev/null.
fn receiver(contender: &Contender, port: u16) -> Command {
    let mut command = Command::new(&contender.path);
    match contender.name {
        _ if contender.is_rnc() => command.args(["-d", "-l", "-u", "127.0.0.1", &port.to_string()]),
        REFERENCE => command.args(["-d", "-l", "-u", "127.0.0.1", &port.to_string()]),
        "nc.traditional" => command.args(["-l", "-u", "-p", &port.to_string()]),
        LIMIT => command.args([limit::DATAGRAMS, &port.to_string()]),
        "ncat" => command.args(["-l", "-u", "--recv-only", "127.0.0.1", &port.to_string()]),
        _ => command.args(["-u", &format!("UDP4-RECV:{port}"), "STDOUT"]),
    };
    command
}

/// The command line of a sender; one whose datagrams can be given a size.
fn sender(contender: &Contender, port: u16, bytes: usize) -> Command {
    let mut command = Command::new(&contender.path);
    let (port, bytes) = (port.to_string(), bytes.to_string());
    match contender.name {
        _ if contender.is_rnc() => command.args([
            "-u",
            "-q",
            "0",
            "--datagram-size",
            &bytes,
            "127.0.0.1",
            &port,
        ]),
        _ => {
            let to = format!("UDP4-SENDTO:127.0.0.1:{port}");
            command.args(["-b", &bytes, "-u", "STDIN", &to])
        }
    };
    command
}

/// Datagrams into a receiver that writes to a file.
fn receive(
    contender: &Contender,
    bytes: usize,
    rate: Option<u32>,
    time: Duration,
) -> Result<Vec<f64>> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = free_udp_port()?;
    let file = Unnamed::new("udp")?;
    let stdout = file.open(std::fs::OpenOptions::new().write(true))?;
    let seen = stdout.try_clone()?;
    let child = Child::start(receiver(contender, port), Stdio::null(), stdout.into())?;
    let _watchdog = child.watch()?;
    wait_bound(port, &child)?;
    socket.connect((Ipv4Addr::LOCALHOST, port))?;
    let sent = flood(&socket, &vec![b'.'; bytes], rate, time)?;
    let mut len = 0;
    loop {
        thread::sleep(QUIET);
        let now = seen.metadata()?.len();
        if now == len {
            break;
        }
        len = now;
    }
    let cpu = sys::cpu_so_far(child.pid())?;
    ensure!(len % bytes as u64 == 0, "a datagram was cut");
    let arrived = (len / bytes as u64) as f64;
    ensure!(arrived > 0.0, "nothing arrived");
    Ok(vec![
        100.0 * arrived / sent as f64,
        cpu.as_secs_f64() * 1e6 / arrived,
    ])
}

/// Sends for `time`; gives the number of datagrams.
fn flood(socket: &UdpSocket, datagram: &[u8], rate: Option<u32>, time: Duration) -> Result<u64> {
    /// Looked at the clock after so many, when there is no rate to keep.
    const BURST: u64 = 64;
    let (start, mut sent) = (Instant::now(), 0);
    loop {
        let passed = start.elapsed();
        if passed >= time {
            return Ok(sent);
        }
        let due = rate.map_or(sent + BURST, |rate| {
            (passed.as_secs_f64() * f64::from(rate)) as u64
        });
        while sent < due {
            socket.send(datagram).context("the receiver has gone")?;
            sent += 1;
        }
    }
}

/// GB/s of `work`, which sends `SENT` bytes to a port, where they are thrown away.
fn send(bytes: usize, work: impl FnOnce(u16) -> Result<()>) -> Result<f64> {
    let hole = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let start = Instant::now();
    work(hole.local_addr()?.port())?;
    let wall = start.elapsed();
    let mut first = vec![0; bytes + 1];
    let len = hole.recv(&mut first)?;
    ensure!(len == bytes, "a datagram of {len} bytes, not {bytes}");
    Ok(SENT as f64 / 1e9 / wall.as_secs_f64())
}

/// A pipe that gives `SENT` zeros.
fn fed_pipe() -> Result<Stdio> {
    Ok(feed()?.into())
}

fn feed() -> Result<std::io::PipeReader> {
    let (reader, mut writer) = std::io::pipe()?;
    thread::spawn(move || {
        let piece = vec![0; 64 << 10];
        // Who leaves early has failed, and is told so by its exit code.
        (0..SENT / piece.len()).try_for_each(|_| writer.write_all(&piece))
    });
    Ok(reader)
}

/// What any program would do that reads a pipe and sends it on.
fn plain_loop(port: u16, bytes: usize) -> Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect((Ipv4Addr::LOCALHOST, port))?;
    let mut pipe = feed()?;
    let mut buf = vec![0; (64 << 10) / bytes * bytes];
    loop {
        let n = std::io::Read::read(&mut pipe, &mut buf)?;
        if n == 0 {
            return Ok(());
        }
        for datagram in buf[..n].chunks(bytes) {
            socket.send(datagram)?;
        }
    }
}

fn free_udp_port() -> Result<u16> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    Ok(socket.local_addr()?.port())
}

/// Waits until a UDP socket is bound to `port`: the second word of a line of proc_net_udp is the
/// local address.
fn wait_bound(port: u16, child: &Child) -> Result<()> {
    let (port, deadline) = (format!(":{port:04X}"), Instant::now() + PATIENCE);
    let is_bound = |file: &str| {
        let table = std::fs::read_to_string(file).unwrap_or_default();
        table.lines().any(|line| {
            let mut words = line.split_ascii_whitespace().skip(1);
            words.next().is_some_and(|local| local.ends_with(&port))
        })
    };
    while !is_bound("/proc/net/udp") && !is_bound("/proc/net/udp6") {
        ensure!(!child.is_gone(), "{} left", child.what());
        ensure!(Instant::now() < deadline, "{} binds nothing", child.what());
        thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
