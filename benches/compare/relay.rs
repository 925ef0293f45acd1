//! Relays: a netcat between clients and a server, both of which are threads here.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::process::Stdio;
use std::sync::OnceLock;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rustix::fs::sendfile;
use rustix::process::{Pid, Resource, Rlimit, getrlimit, setrlimit};

use crate::child::{Child, LINGER, PATIENCE};
use crate::contender::Contender;
use crate::data::{Check, Data};
use crate::place::{Place, Transport};
use crate::sys;

/// Bytes moved at once by the ends of the bulk job.
const PIECE: usize = 1024 * 1024;

/// Clients at a time, and the bytes each sends and gets back.
const CLIENTS: usize = 20;
const MESSAGE: usize = 64;

/// Idle connections, and for who starts two programs for each.
const IDLE: usize = 500;
const FEW_IDLE: usize = 20;

/// Descriptors a relay of so many needs, with some to spare: more than the 1024 that are usual.
const DESCRIPTORS: u64 = 4096;

/// How long an end waits for anything.
const TIMEOUT: Duration = Duration::from_secs(10);

/// All data through one connection: GB/s, and the relay's processor seconds per GB.
pub fn bulk(data: &Data, contender: &Contender, check: Check) -> Result<Vec<f64>> {
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (relay, port) = start(contender, &target)?;
    let read = data.reader(check)?;
    let sink = thread::spawn(move || -> Result<u64> {
        let (socket, _) = target.accept()?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        match check {
            Check::Bytes => read(socket),
            _ => discard(&socket),
        }
    });
    let source = data.open_source()?;
    let begun = Instant::now();
    let socket = connect(port)?;
    while sendfile(&socket, &source, None, PIECE).context("the relay broke off")? > 0 {}
    socket.shutdown(Shutdown::Write)?;
    let arrived = sink
        .join()
        .map_err(|_| anyhow!("a helper thread panicked"))??;
    let wall = begun.elapsed().as_secs_f64();
    ensure!(
        arrived == data.len,
        "{arrived} of {} bytes arrived",
        data.len
    );
    // The target has closed: that must come through, too.
    expect_end(&socket)?;
    drop(socket);
    let cpu = stop(relay)?;
    let gigabytes = data.len as f64 / 1e9;
    Ok(vec![gigabytes / wall, cpu / gigabytes])
}

/// Short connections for some time: how many per second, and the relay's processor microseconds
/// for each, those of the programs it starts included.
pub fn short(contender: &Contender, time: Duration) -> Result<Vec<f64>> {
    let (relay, port) = start(contender, echo_server()?)?;
    let (count, wall) = call_for(time, || call(port))?;
    let cpu = stop(relay)?;
    Ok(vec![count / wall, cpu * 1e6 / count])
}

/// Has all clients call over and over for some time: how often that was, and the seconds it took.
pub fn call_for(time: Duration, call: impl Fn() -> Result<()> + Sync) -> Result<(f64, f64)> {
    let begun = Instant::now();
    let call_on = || -> Result<u32> {
        let mut count = 0;
        while begun.elapsed() < time {
            call().with_context(|| format!("connection {count} of one client"))?;
            count += 1;
        }
        Ok(count)
    };
    let counts = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(call_on)).collect();
        let join = |client: thread::ScopedJoinHandle<Result<u32>>| {
            client
                .join()
                .map_err(|_| anyhow!("a helper thread panicked"))?
        };
        clients.into_iter().map(join).sum::<Result<u32>>()
    });
    Ok((f64::from(counts?), begun.elapsed().as_secs_f64()))
}

/// Connections over which nothing goes any more: KiB for each, as the kernel shares them out
/// (PSS), of the relay and of all programs it has started.
pub fn idle(contender: &Contender) -> Result<Vec<f64>> {
    let _limit = Descriptors::raise()?;
    let count = if contender.relays_by_program() {
        FEW_IDLE
    } else {
        IDLE
    };
    let target = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let (relay, port) = start(contender, &target)?;
    let before = memory(relay.pid())?;
    let (arrived, arrivals) = mpsc::channel();
    thread::spawn(move || -> Result<()> {
        for _ in 0..count {
            let (mut socket, _) = target.accept()?;
            socket.set_read_timeout(Some(TIMEOUT))?;
            // One byte each way: a relay that only promises has done nothing yet.
            let mut byte = [0];
            socket.read_exact(&mut byte)?;
            socket.write_all(&byte)?;
            arrived.send(socket)?;
        }
        Ok(())
    });
    let mut held = Vec::new();
    for number in 0..count {
        let socket = answered(port).with_context(|| format!("connection {number} of {count}"))?;
        held.push((socket, arrivals.recv_timeout(TIMEOUT)?));
    }
    let after = memory(relay.pid())?;
    drop(held);
    stop(relay)?;
    Ok(vec![(after - before) / count as f64])
}

/// A relay that listens, and its port.
fn start(contender: &Contender, target: &TcpListener) -> Result<(Child, u16)> {
    let place = Place::new(Transport::Tcp)?;
    let Place::Tcp(port) = place else {
        unreachable!("asked for TCP");
    };
    let command = contender.relay(port, target.local_addr()?.port());
    let relay = Child::start(command, Stdio::null(), Stdio::null())?;
    place.wait_listening(&relay, Instant::now() + PATIENCE)?;
    Ok((relay, port))
}

/// Ends a relay when the programs it started have ended, so that theirs counts too: its
/// processor time in seconds.
pub fn stop(relay: Child) -> Result<f64> {
    let deadline = Instant::now() + LINGER;
    while !children(relay.pid()).is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    Ok(relay.stop()?.cpu.as_secs_f64())
}

/// A connection to the relay that does not wait for ever.
pub fn connect(port: u16) -> io::Result<TcpStream> {
    let socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    Ok(socket)
}

/// A connection over which a byte came back.
pub fn answered(port: u16) -> io::Result<TcpStream> {
    let mut socket = connect(port)?;
    let mut byte = [b'.'];
    socket.write_all(&byte)?;
    socket.read_exact(&mut byte)?;
    Ok(socket)
}

/// One short connection: a message there and back, then the end.
fn call(port: u16) -> Result<()> {
    expect_end(&exchange(port)?)
}

/// A connection over which a message has gone there and back.
pub fn exchange(port: u16) -> Result<TcpStream> {
    let mut socket = connect(port)?;
    let (message, mut back) = ([b'm'; MESSAGE], [0; MESSAGE]);
    socket.write_all(&message)?;
    socket
        .read_exact(&mut back)
        .context("no answer came back")?;
    ensure!(back == message, "a wrong answer came back");
    Ok(socket)
}

/// The next thing to come must be the end.
pub fn expect_end(mut socket: &TcpStream) -> Result<()> {
    let len = socket.read(&mut [0]).context("the end did not come")?;
    ensure!(len == 0, "more came back than there was");
    Ok(())
}

/// The server of the short connections, which lives as long as the process: it sends a message
/// back and closes.
fn echo_server() -> Result<&'static TcpListener> {
    static SERVER: OnceLock<io::Result<TcpListener>> = OnceLock::new();
    let start = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        for _ in 0..CLIENTS {
            let listener = listener.try_clone()?;
            thread::spawn(move || {
                for client in listener.incoming().flatten() {
                    // A client that fails is seen and told by the one who started it.
                    let _ = echo(client);
                }
            });
        }
        Ok(listener)
    };
    let server = SERVER.get_or_init(start).as_ref();
    server.map_err(|why| anyhow!("no server: {why}"))
}

/// Answers one client.
fn echo(mut client: TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(TIMEOUT))?;
    let mut message = [0; MESSAGE];
    client.read_exact(&mut message)?;
    client.write_all(&message)
}

/// Counts what comes, to the end.
fn discard(socket: &TcpStream) -> Result<u64> {
    let mut total = 0;
    loop {
        match sys::discard(socket.as_fd(), PIECE).context("the end did not come")? {
            0 => return Ok(total),
            len => total += len as u64,
        }
    }
}

/// KiB of a process and its descendants, memory shared by n counting 1/n.
pub fn memory(pid: Pid) -> Result<f64> {
    let file = format!("/proc/{}/smaps_rollup", pid.as_raw_pid());
    let text = fs::read_to_string(&file).with_context(|| format!("cannot read {file}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"));
    let own = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<f64>().ok());
    let own = own.with_context(|| format!("no Pss in {file}"))?;
    let others = children(pid).into_iter().map(memory);
    Ok(own + others.sum::<Result<f64>>()?)
}

/// The processes that a process has started; none where the kernel does not tell.
fn children(pid: Pid) -> Vec<Pid> {
    let pid = pid.as_raw_pid();
    let text = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let numbers = text.split_ascii_whitespace();
    numbers
        .filter_map(|number| Pid::from_raw(number.parse().ok()?))
        .collect()
}

/// More descriptors, for this process and what it starts; as before when dropped.
pub struct Descriptors(Rlimit);

impl Descriptors {
    /// As many as are needed, or as may be.
    pub fn raise() -> Result<Self> {
        let before = getrlimit(Resource::Nofile);
        let enough = before
            .maximum
            .map_or(DESCRIPTORS, |most| most.min(DESCRIPTORS));
        let current = before.current.map(|current| current.max(enough));
        let maximum = before.maximum;
        setrlimit(Resource::Nofile, Rlimit { current, maximum })?;
        Ok(Self(before))
    }
}

impl Drop for Descriptors {
    fn drop(&mut self) {
        let _ = setrlimit(Resource::Nofile, self.0);
    }
}
