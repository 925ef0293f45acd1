//! Memory stays bounded, and an idle rnc does nothing at all.

use crate::common::{
    Pty, Running, Sock, Stdin, Stdout, Transport, Work, eventually, flood_until_stuck, pattern,
    peak_rss_kib, rnc, work_done,
};
use crate::session::{Role, Session, session_with};
use std::io::{Read, Write};
use std::thread::JoinHandle;
use std::time::Duration;

/// What rnc may need at most, whatever goes through it.
const MAX_RSS_KIB: u64 = 16 * 1024;

/// How much goes each way.
const LOAD_BYTES: usize = 256 << 20;

/// Both ways at the same time, and at their end what memory was needed. Not over Unix in the
/// listening role: the two dimensions are independent, and this takes its time.
#[test]
fn a_quarter_of_a_gibibyte_each_way_takes_under_16_mib_over_tcp() {
    carries_the_load(Role::Connect, Transport::Tcp);
}

#[test]
fn a_quarter_of_a_gibibyte_each_way_takes_under_16_mib_over_unix() {
    carries_the_load(Role::Listen, Transport::Unix);
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
fn an_idle_rnc_does_nothing() {
    let mut idle: Vec<(&str, Running)> = Vec::new();
    let mut kept: Vec<Box<dyn Send>> = Vec::new();
    let mut keep = |name: &'static str, session: Session, idle: &mut Vec<(&str, Running)>| {
        let Session { rnc, peer, .. } = session;
        idle.push((name, rnc));
        kept.push(Box::new(peer));
    };

    let pty = Pty::open();
    for (role, transport) in crate::session::EVERYWHERE {
        let open = |shape: &dyn Fn(crate::common::Cmd) -> crate::common::Cmd| {
            session_with(role, transport, &[], shape)
        };
        let mut silent = open(&|cmd| cmd.stdin(Stdin::Pipe));
        exchange_a_word(&mut silent.rnc, &mut silent.peer);
        keep("both sides silent", silent, &mut idle);

        keep("stdin at its end", open(&|cmd| cmd), &mut idle);

        let in_terminal = open(&|cmd| cmd.in_terminal(&pty));
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
    // First whatever was under way comes to rest.
    let mut last = look(&idle);
    let came_to_rest = eventually(|| {
        std::thread::sleep(Duration::from_millis(200));
        let now = look(&idle);
        std::mem::replace(&mut last, now.clone()) == now
    });
    let before = look(&idle);
    // Not a time measured: a span in which nothing at all may happen.
    std::thread::sleep(Duration::from_secs(2));
    let after = look(&idle);
    let busy: Vec<_> = idle
        .iter()
        .zip(before.iter().zip(&after))
        .filter(|(_, (before, after))| before != after)
        .map(|((name, rnc), change)| format!("{name}: {change:?}, {}", rnc.stderr.text()))
        .collect();
    assert!(
        busy.is_empty() && came_to_rest,
        "not idle:\n{}",
        busy.join("\n")
    );
}

fn carries_the_load(role: Role, transport: Transport) {
    let Session { mut rnc, peer, .. } = session_with(role, transport, &[], |cmd| {
        cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
    });
    let mut stdin = rnc.take_stdin();
    let stdout = rnc.stdout_pipe.take().expect("stdout");
    let block = pattern(1 << 16, 33);
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
