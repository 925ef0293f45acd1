//! Memory stays bounded, and an idle rnc does nothing at all.

use super::session::{Role, Session, session_with};
use crate::common::{
    Pty, Running, Sock, Stdin, Stdout, TempDir, Transport, Work, eventually, flood_until_stuck,
    pattern, peak_rss_kib, rnc, shell, work_done,
};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::thread::JoinHandle;
use std::time::Duration;

/// What rnc may need at most, whatever goes through it. A build without optimization has more code.
const MAX_RSS_KIB: u64 = if cfg!(debug_assertions) { 12 } else { 4 } * 1024;

/// How much goes each way.
const LOAD_BYTES: usize = 256 << 20;

/// How much of it is written and checked at a time.
const BLOCK_BYTES: usize = 1 << 16;

#[test]
fn a_quarter_of_a_gibibyte_each_way_takes_little_memory_over_tcp() {
    carries_the_load(Role::Connect, Transport::Tcp);
}

#[test]
fn a_quarter_of_a_gibibyte_each_way_takes_little_memory_over_unix() {
    carries_the_load(Role::Listen, Transport::Unix);
}

#[test]
fn a_quarter_of_a_gibibyte_from_a_file_and_into_a_file_takes_under_16_mib() {
    let dir = TempDir::new();
    let path = dir.join("received");
    let stdout = File::create(&path).expect("make a file");
    carries_files(&dir, Stdout::Fd(stdout.into()), || {
        assert!(
            eventually(|| path.metadata().expect("metadata").len() == LOAD_BYTES as u64),
            "not everything came into the file"
        );
    });
    let mut received = File::open(&path).expect("open");
    let block = pattern(BLOCK_BYTES, 33);
    let mut piece = vec![0; BLOCK_BYTES];
    for n in 0..LOAD_BYTES / BLOCK_BYTES {
        received.read_exact(&mut piece).expect("read the file");
        assert!(piece == block, "block {n} is damaged");
    }
}

#[test]
fn a_quarter_of_a_gibibyte_from_a_file_and_into_nowhere_takes_under_16_mib() {
    carries_files(&TempDir::new(), Stdout::Null, || {});
}

#[test]
fn waiting_for_slow_readers_takes_under_16_mib() {
    for role in [Role::Connect, Role::Listen] {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, Transport::Tcp, &[], |cmd| {
            cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
        });
        let piece = pattern(1 << 16, 30);
        let mut stdin = rnc.take_stdin();
        flood_until_stuck(&mut peer, &piece);
        flood_until_stuck(&mut stdin, &piece);
        expect_little_memory(&rnc);
    }
}

#[test]
fn clients_that_have_gone_do_not_use_up_the_descriptors() {
    // stdin stays open and silent, as a fifo or `tail -f` does, so nothing sent tells that they
    // are gone.
    let dir = TempDir::new();
    let listener = shell("ulimit -n 40; exec rnc -lk 0", &dir)
        .stdin(Stdin::Pipe)
        .spawn();
    let addr = (Ipv4Addr::LOCALHOST, listener.listening_port());
    for n in 1..=100 {
        let mut client = TcpStream::connect(addr).expect("connect");
        writeln!(client, "client {n}").expect("write");
        drop(client);
        listener.shows(&format!("client {n}\n"));
    }
}

#[test]
fn an_idle_rnc_does_nothing() {
    let mut idle: Vec<(&str, Running)> = Vec::new();
    let mut kept: Vec<Box<dyn Send>> = Vec::new();
    let mut keep = |name: &'static str, session: Session, idle: &mut Vec<(&str, Running)>| {
        let Session { rnc, peer, .. } = session;
        idle.push((name, rnc));
        kept.push(Box::new(peer));
    };

    // A terminal controls one session only.
    let terminals = super::session::EVERYWHERE.map(|_| Pty::open());
    for ((role, transport), pty) in super::session::EVERYWHERE.into_iter().zip(&terminals) {
        let open = |shape: &dyn Fn(crate::common::Cmd) -> crate::common::Cmd| {
            session_with(role, transport, &[], shape)
        };
        let mut silent = open(&|cmd| cmd.stdin(Stdin::Pipe));
        exchange_a_word(&mut silent.rnc, &mut silent.peer);
        keep("both sides silent", silent, &mut idle);

        keep("stdin at its end", open(&|cmd| cmd), &mut idle);

        let in_terminal = open(&|cmd| cmd.in_terminal(pty));
        keep("nobody types", in_terminal, &mut idle);

        let after_peer = open(&|cmd| cmd.stdin(Stdin::Pipe));
        after_peer.peer.half_close();
        assert!(after_peer.rnc.stdout.wait_end());
        keep("the peer at its end", after_peer, &mut idle);

        let mut unread = open(&|cmd| cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread));
        flood_until_stuck(&mut unread.peer, &pattern(1 << 16, 31));
        keep("nobody reads stdout", unread, &mut idle);

        let mut stuck = open(&|cmd| cmd.stdin(Stdin::Pipe));
        let mut stdin = stuck.rnc.take_stdin();
        flood_until_stuck(&mut stdin, &pattern(1 << 16, 32));
        keep("the peer does not read", stuck, &mut idle);
        // Left open for as long as the process lives.
        std::mem::forget(stdin);

        let mut discarding = open(&|cmd| cmd.stdin(Stdin::Pipe).stdout(Stdout::Closed));
        discarding.peer.say("for nobody", &discarding.rnc);
        keep("stdout closed", discarding, &mut idle);
    }
    let listener = rnc(["-l", "0"]).spawn();
    listener.listening_port();
    idle.push(("a listener without a client", listener));
    let listener = rnc(["-u", "-l", "0"]).stdin(Stdin::Pipe).spawn();
    listener.listening_port();
    idle.push(("a UDP listener", listener));

    let look = |idle: &[(&str, Running)]| -> Vec<Work> {
        idle.iter().map(|(_, rnc)| work_done(rnc.pid())).collect()
    };
    let mut busy = String::new();
    let rests = eventually(|| {
        let before = look(&idle);
        // Not a time measured: a span in which nothing at all may happen, once what was under way is
        // done.
        std::thread::sleep(Duration::from_secs(2));
        let after = look(&idle);
        busy = idle
            .iter()
            .zip(before.iter().zip(&after))
            .filter(|(_, (before, after))| !after.is_at_rest_since(**before))
            .map(|((name, rnc), change)| format!("{name}: {change:?}, {}\n", rnc.stderr.text()))
            .collect();
        busy.is_empty()
    });
    assert!(rests, "not idle:\n{busy}");
}

/// Both ways at the same time, and at the end a look at what memory that took.
fn carries_the_load(role: Role, transport: Transport) {
    let Session { mut rnc, peer, .. } = session_with(role, transport, &[], |cmd| {
        cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
    });
    let mut stdin = rnc.take_stdin();
    let stdout = rnc.stdout_pipe.take().expect("stdout");
    let block = pattern(BLOCK_BYTES, 33);
    let feed = {
        let block = block.clone();
        std::thread::spawn(move || {
            pour(&mut stdin, &block);
            stdin
        })
    };
    let send = {
        let (mut peer, block) = (peer.try_clone(), block.clone());
        std::thread::spawn(move || pour(&mut peer, &block))
    };
    let came_in = drain(stdout, block.clone());
    let went_out = drain(peer.try_clone(), block);
    send.join().expect("the peer could not send");
    let stdin = feed.join().expect("stdin did not take it");
    // Everything has been written; the last of it may still be on its way through rnc.
    came_in.wait_for_load();
    went_out.wait_for_load();
    expect_little_memory(&rnc);
    drop(stdin);
    peer.half_close();
    came_in.expect_end();
    went_out.expect_end();
    rnc.wait().expect_code(0).expect_silence();
}

/// As `carries_the_load`, with a file of nothing but zeros on stdin.
fn carries_files(dir: &TempDir, stdout: Stdout, wait_until_written: impl FnOnce()) {
    let stdin = dir.open_at("zeros", b"", b"");
    stdin
        .set_len(LOAD_BYTES as u64)
        .expect("make the file long");
    let Session { rnc, peer, .. } = session_with(Role::Connect, Transport::Tcp, &[], |cmd| {
        cmd.stdin(Stdin::Fd(stdin.into())).stdout(stdout)
    });
    let went_out = drain(peer.try_clone(), vec![0; BLOCK_BYTES]);
    let mut sender = peer.try_clone();
    let send = std::thread::spawn(move || pour(&mut sender, &pattern(BLOCK_BYTES, 33)));
    send.join().expect("the peer could not send");
    went_out.wait_for_load();
    wait_until_written();
    expect_little_memory(&rnc);
    peer.half_close();
    went_out.expect_end();
    rnc.wait().expect_code(0).expect_silence();
}

fn pour(sink: &mut impl Write, block: &[u8]) {
    for _ in 0..LOAD_BYTES / block.len() {
        sink.write_all(block).expect("write");
    }
}

/// A reader that checks the load, says when it has it all, and then waits for the end.
struct Drain {
    arrived: std::sync::mpsc::Receiver<()>,
    reader: JoinHandle<()>,
}

fn drain(mut source: impl Read + Send + 'static, block: Vec<u8>) -> Drain {
    let (say, arrived) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut piece = vec![0; block.len()];
        for n in 0..LOAD_BYTES / block.len() {
            source.read_exact(&mut piece).expect("read the load");
            assert!(piece == block, "block {n} is damaged");
        }
        say.send(()).expect("the test is there");
        assert_eq!(
            source.read(&mut piece).expect("read the end"),
            0,
            "more than was sent"
        );
    });
    Drain { arrived, reader }
}

impl Drain {
    fn wait_for_load(&self) {
        self.arrived
            .recv_timeout(Duration::from_secs(60))
            .expect("the load did not arrive");
    }

    fn expect_end(self) {
        self.reader.join().expect("no clean end");
    }
}

#[track_caller]
fn expect_little_memory(rnc: &Running) {
    let peak = peak_rss_kib(rnc.pid());
    assert!(
        peak < MAX_RSS_KIB,
        "it needed {peak} KiB, more than {MAX_RSS_KIB}"
    );
}

fn exchange_a_word(rnc: &mut Running, peer: &mut Sock) {
    rnc.send("word");
    peer.read_some(4, rnc);
    peer.say("word", rnc);
    rnc.shows("word");
}
