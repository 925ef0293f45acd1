//! One-shot: start, connect, send a GET, print the answer, leave.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{self, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::place::Place;
use crate::sys;

/// What is asked.
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Bytes of the page.
const PAGE: usize = 612;

/// A small web server, in a thread of this process, that closes after its answer.
#[derive(Debug)]
pub struct Server {
    port: u16,
    answer: Arc<[u8]>,
    /// The server waits for this before it answers.
    gate: Arc<Mutex<()>>,
}

impl Server {
    /// Starts it; it lives as long as the process.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {PAGE}\r\nConnection: close\r\n\r\n");
        let page = (0..PAGE).map(|at| b'a' + (at % 26) as u8);
        let answer: Arc<[u8]> = head.bytes().chain(page).collect();
        let gate = Arc::new(Mutex::new(()));
        let server = Self {
            port,
            answer: Arc::clone(&answer),
            gate: Arc::clone(&gate),
        };
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A client that fails is seen and told by the one who started it.
                let _ = serve(client, &answer, &gate);
            }
        });
        Ok(server)
    }
}

/// Answers one client.
fn serve(client: TcpStream, answer: &[u8], gate: &Mutex<()>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    drop(gate.lock());
    reader.into_inner().write_all(answer)
}

/// One GET; wall and processor time in milliseconds.
pub fn timed(server: &Server, contender: &Contender) -> Result<Vec<f64>> {
    let deadline = Instant::now() + PATIENCE;
    let (stdin, stdout, mut reader) = ends()?;
    let start = Instant::now();
    let child = Child::start(contender.talk(&Place::Tcp(server.port)), stdin, stdout)?;
    let exit = child.finish(deadline)?;
    let wall = start.elapsed();
    check_answer(server, &mut reader)?;
    Ok(vec![wall.as_secs_f64() * 1e3, exit.cpu.as_secs_f64() * 1e3])
}

/// One GET under trace; peak of resident memory in MiB.
pub fn memory(server: &Server, contender: &Contender) -> Result<Vec<f64>> {
    let deadline = Instant::now() + PATIENCE;
    let (stdin, stdout, mut reader) = ends()?;
    // Without an answer it cannot leave before it is traced.
    let held = server.gate.lock();
    let child = Child::start(contender.talk(&Place::Tcp(server.port)), stdin, stdout)?;
    sys::trace_exit(child.pid())?;
    drop(held);
    let peak = child.finish_traced(deadline)?;
    check_answer(server, &mut reader)?;
    Ok(vec![peak / 1024.0])
}

/// Says whether instructions can be counted here.
///
/// # Errors
/// When there is no valgrind.
pub fn has_callgrind() -> Result<()> {
    let version = Command::new("valgrind").arg("--version").output();
    version.context("valgrind is not installed").map(drop)
}

/// One GET inside valgrind; millions of instructions in user space.
pub fn instructions(server: &Server, contender: &Contender) -> Result<Vec<f64>> {
    let deadline = Instant::now() + PATIENCE;
    let (stdin, stdout, mut reader) = ends()?;
    let words = contender.talk(&Place::Tcp(server.port));
    let profile = Profile(std::env::temp_dir().join(format!("rnc-compare-{}", process::id())));
    let mut command = Command::new("valgrind");
    command
        .args([
            "-q",
            "--tool=callgrind",
            &format!("--callgrind-out-file={}", profile.0.display()),
        ])
        .arg(words.get_program())
        .args(words.get_args());
    Child::start(command, stdin, stdout)?.finish(deadline)?;
    check_answer(server, &mut reader)?;
    let text = fs::read_to_string(&profile.0)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals:"));
    let total = total.and_then(|total| total.trim().parse::<f64>().ok());
    Ok(vec![total.context("callgrind tells no total")? / 1e6])
}

/// A file callgrind writes; removed when dropped.
struct Profile(PathBuf);

impl Drop for Profile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A stdin that holds the request and ends, a stdout, and the reading end of that.
fn ends() -> Result<(Stdio, Stdio, impl Read)> {
    let (stdin, mut request) = std::io::pipe()?;
    request.write_all(REQUEST)?;
    let (answer, stdout) = std::io::pipe()?;
    Ok((stdin.into(), stdout.into(), answer))
}

/// The whole answer and nothing else must have come.
fn check_answer(server: &Server, reader: &mut impl Read) -> Result<()> {
    let mut got = Vec::new();
    reader.read_to_end(&mut got)?;
    let (len, expected) = (got.len(), server.answer.len());
    ensure!(
        got[..] == server.answer[..],
        "wrong answer: {len} bytes, {expected} expected"
    );
    Ok(())
}
