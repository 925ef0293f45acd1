//! `--relay`: what comes in is dialled on. A client and a target made of plain sockets, and rnc in
//! between.

mod datagrams;
mod words;

use crate::common::{
    ClosedPort, Cmd, Running, Server, Sock, TempDir, Transport, assert_bytes, connect_to_listener,
    eventually, lines, pattern, private_kib, rnc, rnc_binary,
};
use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};
use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::thread;

/// A relay under test and the target behind it.
struct Relay {
    rnc: Running,
    target: Server,
    path: Option<PathBuf>,
    _dir: TempDir,
}

impl Relay {
    /// A relay over TCP on both sides.
    #[track_caller]
    fn tcp(options: &str) -> Relay {
        Relay::over(Transport::Tcp, Transport::Tcp, options)
    }

    /// A relay that listens on the one and dials the other; `options` have `-l` or `-lk` in them.
    #[track_caller]
    fn over(listening: Transport, dialled: Transport, options: &str) -> Relay {
        let dir = TempDir::new();
        let target = Server::new(dialled, &dir);
        let onward = match &target {
            Server::Tcp(_) => format!("127.0.0.1:{}", target.port()),
            Server::Unix(_, path) => format!("unix:{}", path.display()),
        };
        let mut words: Vec<OsString> = options.split_whitespace().map(OsString::from).collect();
        words.extend(["--relay".into(), onward.into()]);
        let path = match listening {
            Transport::Tcp => {
                words.extend(["127.0.0.1".into(), "0".into()]);
                None
            }
            Transport::Unix => {
                let path = dir.join("relay");
                words.extend(["-v".into(), "-U".into(), path.clone().into()]);
                Some(path)
            }
        };
        let rnc = rnc(words).spawn();
        rnc.listening_line();
        Relay {
            rnc,
            target,
            path,
            _dir: dir,
        }
    }

    #[track_caller]
    fn client(&self) -> Sock {
        connect_to_listener(&self.rnc, self.path.as_ref())
    }

    /// A client, and the connection the relay made for it.
    #[track_caller]
    fn pair(&self) -> (Sock, Sock) {
        let client = self.client();
        (client, self.target.accept(&self.rnc))
    }
}

const WAYS: [(Transport, Transport); 4] = [
    (Transport::Tcp, Transport::Tcp),
    (Transport::Tcp, Transport::Unix),
    (Transport::Unix, Transport::Tcp),
    (Transport::Unix, Transport::Unix),
];

#[track_caller]
fn expect_reset(sock: &mut Sock) {
    let mut rest = Vec::new();
    match sock.read_to_end(&mut rest) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("wanted a reset, got {other:?}"),
    }
}

#[test]
fn passes_on_what_either_side_says() {
    for (listening, dialled) in WAYS {
        let relay = Relay::over(listening, dialled, "-l");
        let (mut client, mut target) = relay.pair();
        for (n, word) in ["one\n", "two\n", "three\n"].into_iter().enumerate() {
            client.say(word, &relay.rnc);
            let heard = target.read_some(word.len(), &relay.rnc);
            assert_bytes("to the target", &heard, word.as_bytes());
            let answer = lines(n + 1, "answer");
            target.say(&answer, &relay.rnc);
            let heard = client.read_some(answer.len(), &relay.rnc);
            assert_bytes("to the client", &heard, &answer);
        }
        drop((client, target));
        relay.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn the_client_ends_first_and_still_gets_its_answer() {
    for (listening, dialled) in WAYS {
        let relay = Relay::over(listening, dialled, "-l");
        let (mut client, mut target) = relay.pair();
        client.say("question", &relay.rnc);
        client.half_close();
        assert_bytes("question", &target.read_all(&relay.rnc), b"question");
        target.say("answer", &relay.rnc);
        drop(target);
        assert_bytes("answer", &client.read_all(&relay.rnc), b"answer");
        relay.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn the_target_ends_first_and_still_gets_the_rest() {
    for (listening, dialled) in WAYS {
        let relay = Relay::over(listening, dialled, "-l");
        let (mut client, mut target) = relay.pair();
        target.say("greeting", &relay.rnc);
        target.half_close();
        assert_bytes("greeting", &client.read_all(&relay.rnc), b"greeting");
        client.say("the rest", &relay.rnc);
        drop(client);
        assert_bytes("rest", &target.read_all(&relay.rnc), b"the rest");
        relay.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn much_in_both_directions_at_once_arrives_whole() {
    const LEN: usize = 64 << 20;
    for (listening, dialled) in [WAYS[0], WAYS[3]] {
        let relay = Relay::over(listening, dialled, "-lk");
        let (client, target) = relay.pair();
        let there = pattern(LEN, 1);
        let back = pattern(LEN - 12_345, 2);
        thread::scope(|scope| {
            for (sock, bytes) in [(client.try_clone(), &there), (target.try_clone(), &back)] {
                scope.spawn(move || {
                    let mut sock = sock;
                    sock.write_all(bytes).expect("write");
                    sock.half_close();
                });
            }
            for (sock, bytes) in [(client, &back), (target, &there)] {
                let rnc = &relay.rnc;
                scope.spawn(move || {
                    let mut sock = sock;
                    assert_bytes("bulk", &sock.read_all(rnc), bytes);
                });
            }
        });
    }
}

#[test]
fn many_clients_are_served_at_once() {
    const CLIENTS: usize = 200;
    let relay = Relay::tcp("-lk");
    let mut pairs: Vec<(Sock, Sock)> = (0..CLIENTS).map(|_| relay.pair()).collect();
    // All are there before any is served.
    for (n, (client, _)) in pairs.iter_mut().enumerate() {
        client.say(format!("{n:6}"), &relay.rnc);
    }
    let mut heard: Vec<usize> = Vec::new();
    for (_, target) in pairs.iter_mut().rev() {
        let word = target.read_some(6, &relay.rnc);
        let word = String::from_utf8(word).expect("digits");
        heard.push(word.trim().parse().expect("a number"));
        target.say(&word, &relay.rnc);
        target.half_close();
    }
    for (n, (client, _)) in pairs.iter_mut().enumerate() {
        client.half_close();
        let answer = client.read_all(&relay.rnc);
        assert_bytes("answer", &answer, format!("{n:6}").as_bytes());
    }
    heard.sort_unstable();
    assert_eq!(heard, Vec::from_iter(0..CLIENTS));
    assert!(relay.rnc.is_running());
}

#[test]
fn a_burst_of_short_connections_is_served() {
    let relay = Relay::tcp("-lk");
    let Relay { rnc, target, .. } = &relay;
    thread::scope(|scope| {
        scope.spawn(move || {
            for _ in 0..400 {
                let mut sock = target.accept(rnc);
                let said = sock.read_all(rnc);
                sock.say(said, rnc);
            }
        });
        for first in 0..8 {
            scope.spawn(move || {
                for n in 0..50 {
                    let mut sock = connect_to_listener(rnc, None);
                    let words = lines(3, &format!("client {first}.{n}"));
                    sock.say(&words, rnc);
                    sock.half_close();
                    assert_bytes("answer", &sock.read_all(rnc), &words);
                }
            });
        }
    });
}

#[test]
fn a_reset_by_the_client_reaches_the_target() {
    let relay = Relay::tcp("-l");
    let (mut client, mut target) = relay.pair();
    client.say("half of it", &relay.rnc);
    target.read_some(10, &relay.rnc);
    client.reset();
    expect_reset(&mut target);
    let done = relay.rnc.wait().expect_code(1);
    done.expect_complaint("Connection reset by peer");
}

#[test]
fn a_reset_by_the_target_reaches_the_client() {
    let relay = Relay::tcp("-l");
    let (mut client, mut target) = relay.pair();
    target.say("half of it", &relay.rnc);
    client.read_some(10, &relay.rnc);
    let port = relay.target.port();
    target.reset();
    expect_reset(&mut client);
    let done = relay.rnc.wait().expect_code(1);
    done.expect_complaint(&format!(
        "connection to 127.0.0.1 port {port} (tcp) failed: Connection reset by peer"
    ));
}

#[test]
fn a_reset_reaches_the_target_even_when_it_does_not_read() {
    let relay = Relay::tcp("-l");
    let (mut client, mut target) = relay.pair();
    let flood = pattern(64 << 10, 7);
    let sent = crate::common::flood_until_stuck(&mut client, &flood);
    client.reset();
    let mut got = Vec::new();
    let error = target.read_to_end(&mut got).expect_err("no clean end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(got.len() <= sent);
    relay.rnc.wait().expect_code(1);
}

#[test]
fn broken_connections_do_not_end_a_relay_for_many() {
    let relay = Relay::tcp("-lk");
    let (client, mut target) = relay.pair();
    client.reset();
    expect_reset(&mut target);
    let (mut client, mut target) = relay.pair();
    // Once the target speaks through it the connection is surely made on both sides.
    target.say("x", &relay.rnc);
    client.read_some(1, &relay.rnc);
    target.reset();
    expect_reset(&mut client);
    let (mut client, mut target) = relay.pair();
    client.say("still there", &relay.rnc);
    target.read_some(11, &relay.rnc);
    let said = relay.rnc.stderr.text();
    assert_eq!(said.lines().count(), 1, "{said}");
}

#[test]
fn a_refused_dial_resets_the_client_and_is_told_in_one_line() {
    let closed = ClosedPort::tcp();
    let onward = format!("127.0.0.1:{}", closed.port());
    let relay = rnc(["-l", "127.0.0.1", "0", "--relay", &onward]).spawn();
    expect_reset(&mut connect_to_listener(&relay, None));
    let done = relay.wait().expect_code(1);
    done.expect_complaint(&format!(
        "connect to 127.0.0.1 port {} (tcp) failed: Connection refused",
        closed.port()
    ));
}

#[test]
fn a_refused_dial_does_not_end_a_relay_for_many() {
    let dir = TempDir::new();
    let path = dir.join("target");
    let onward = format!("unix:{}", path.display());
    let relay = rnc(["-lk", "127.0.0.1", "0", "--relay", &onward]).spawn();
    expect_reset(&mut connect_to_listener(&relay, None));
    assert!(relay.stderr.wait_for("No such file or directory"));
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("bind");
    let mut client = connect_to_listener(&relay, None);
    let mut target = Server::Unix(listener, path).accept(&relay);
    client.say("now", &relay);
    assert_bytes("after", &target.read_some(3, &relay), b"now");
}

/// A listening Unix socket, and one who waits in its queue, which holds no more.
fn full_queue(dir: &TempDir) -> (Server, UnixStream) {
    let path = dir.join("full");
    let sock = Socket::new(Domain::UNIX, Type::STREAM, None).expect("socket");
    sock.bind(&SockAddr::unix(&path).expect("a path"))
        .and_then(|()| sock.listen(0))
        .expect("listen");
    let waiting = UnixStream::connect(&path).expect("connect");
    (Server::Unix(OwnedFd::from(sock).into(), path), waiting)
}

#[test]
fn w_bounds_the_dial() {
    let dir = TempDir::new();
    let (target, _waiting) = full_queue(&dir);
    let onward = format!("unix:{}", dir.join("full").display());
    let words = "-l 127.0.0.1 0 -w 50ms --relay";
    let relay = rnc(words.split(' ').chain([onward.as_str()])).spawn();
    expect_reset(&mut connect_to_listener(&relay, None));
    let done = relay.wait().expect_code(3);
    done.expect_complaint(&format!("connect to {} (unix) timed out", &onward[5..]));
    drop(target);
}

#[test]
fn a_busy_unix_target_is_waited_for_and_holds_up_nobody() {
    let dir = TempDir::new();
    let (target, waiting) = full_queue(&dir);
    let onward = format!("unix:{}", dir.join("full").display());
    let relay = rnc(["-lk", "-v", "127.0.0.1", "0", "--relay", &onward]).spawn();
    let mut clients = [(); 3].map(|()| connect_to_listener(&relay, None));
    for client in &clients {
        let (own, _) = client.ports();
        let came = format!("Connection received on 127.0.0.1 {own}");
        assert!(relay.stderr.wait_for(&came), "{came}");
    }
    drop((target.accept(&relay), waiting));
    for client in &mut clients {
        client.say("x", &relay);
    }
    for _ in 0..clients.len() {
        assert_bytes("x", &target.accept(&relay).read_some(1, &relay), b"x");
    }
}

#[test]
fn one_that_does_not_read_holds_up_no_other() {
    let relay = Relay::tcp("-lk");
    let (mut stuck, mut unread) = relay.pair();
    let flood = pattern(64 << 10, 3);
    let sent = crate::common::flood_until_stuck(&mut stuck, &flood);
    let sent_back = crate::common::flood_until_stuck(&mut unread, &flood);
    for n in 0..20 {
        let (mut client, mut target) = relay.pair();
        let words = lines(50, &format!("client {n}"));
        client.say(&words, &relay.rnc);
        client.half_close();
        assert_bytes("words", &target.read_all(&relay.rnc), &words);
    }
    // And nothing of the flood is lost.
    for (mut from, mut to, sent) in [
        (stuck.try_clone(), unread.try_clone(), sent),
        (unread, stuck, sent_back),
    ] {
        from.half_close();
        let got = to.read_all(&relay.rnc);
        assert_eq!(got.len(), sent);
        assert!(got.iter().zip(flood.iter().cycle()).all(|(a, b)| a == b));
        let _ = from.flush();
    }
}

#[test]
fn idle_connections_cost_next_to_nothing() {
    const CLIENTS: u64 = 500;
    let relay = Relay::tcp("-lk");
    // What a first connection needs is not what each one costs.
    let (mut client, mut target) = relay.pair();
    client.say("x", &relay.rnc);
    target.read_some(1, &relay.rnc);
    let before = private_kib(relay.rnc.pid());
    let mut pairs: Vec<(Sock, Sock)> = (0..CLIENTS).map(|_| relay.pair()).collect();
    let used = pairs.iter_mut().map(|(client, target)| {
        client.say("hello", &relay.rnc);
        target.read_some(5, &relay.rnc);
        target.say("hello", &relay.rnc);
        client.read_some(5, &relay.rnc).len()
    });
    assert_eq!(used.sum::<usize>() as u64, CLIENTS * 5);
    let kib = private_kib(relay.rnc.pid()).saturating_sub(before);
    eprintln!("{kib} KiB for {CLIENTS} idle connections");
    assert!(kib <= 2 * CLIENTS, "{kib} KiB for {CLIENTS} connections");
}

#[test]
fn goes_on_when_descriptors_run_out() {
    let relay = Relay::tcp("-lk");
    let limit = rustix::process::Rlimit {
        current: Some(24),
        maximum: Some(24),
    };
    let pid = rustix::process::Pid::from_raw(relay.rnc.pid());
    rustix::process::prlimit(pid, rustix::process::Resource::Nofile, limit).expect("prlimit");
    let mut clients: Vec<Sock> = (0..40).map(|_| relay.client()).collect();
    assert!(relay.rnc.stderr.wait_for("Too many open files"));
    // Each gets its turn as others leave.
    for mut client in clients.drain(..) {
        let mut target = relay.target.accept(&relay.rnc);
        client.say("turn", &relay.rnc);
        client.half_close();
        drop(client);
        assert_bytes("turn", &target.read_all(&relay.rnc), b"turn");
    }
    let text = relay.rnc.stderr.text();
    let told = text.matches("Too many open files").count();
    assert_eq!(told, 1, "{text}");
}

#[test]
fn a_signal_ends_it_after_what_was_received_is_delivered() {
    let relay = Relay::tcp("-lk");
    let (mut client, mut target) = relay.pair();
    let (idle, _idle_target) = relay.pair();
    client.say("last words", &relay.rnc);
    assert!(eventually(|| !target.has_nothing_to_read()));
    relay.rnc.signal(Signal::TERM);
    assert_bytes("words", &target.read_to_reset(&relay.rnc), b"last words");
    relay
        .rnc
        .wait()
        .expect_signal(Signal::TERM)
        .expect_silence();
    drop(idle);
}

#[test]
fn silence_ends_a_connection_and_not_the_relay() {
    let relay = Relay::tcp("-lk -w 100ms");
    let (mut client, mut target) = relay.pair();
    assert_bytes("client", &client.read_to_reset(&relay.rnc), b"");
    assert_bytes("target", &target.read_to_reset(&relay.rnc), b"");
    // The next one is served as well.
    let (mut client, _target) = relay.pair();
    assert_bytes("client", &client.read_to_reset(&relay.rnc), b"");
}

#[test]
fn silence_ends_a_relay_for_one_with_code_3() {
    let relay = Relay::tcp("-l -w 100ms");
    let pair = relay.pair();
    relay
        .rnc
        .wait()
        .expect_code(3)
        .expect_complaint("timed out");
    drop(pair);
}

#[test]
fn v_tells_who_came_and_where_they_went() {
    let relay = Relay::tcp("-lk -vv");
    let port = relay.target.port();
    let (mut client, target) = relay.pair();
    client.say("12345", &relay.rnc);
    let (own, _) = client.ports();
    client.half_close();
    drop(target);
    let lines = [
        format!("Connection received on 127.0.0.1 {own}"),
        format!("Connection to 127.0.0.1 {port} port [tcp/*] succeeded!"),
    ];
    for line in lines {
        assert!(relay.rnc.stderr.wait_for(&line), "{line}");
    }
    let left = format!("127.0.0.1 port {own} (tcp) left: ");
    assert!(relay.rnc.stderr.wait_for(&left), "{left}");
}

#[test]
fn the_proxy_is_for_the_target() {
    // A SOCKS5 proxy that says yes (RFC 1928) and then is the target itself.
    let proxy = Server::tcp();
    let at = format!("127.0.0.1:{}", proxy.port());
    let words = "-l 127.0.0.1 0 --relay target.example:7 -x";
    let relay = rnc(words.split(' ').chain([at.as_str()])).spawn();
    let mut client = connect_to_listener(&relay, None);
    let mut target = proxy.accept(&relay);
    target.read_some(3, &relay);
    target.say([5, 0], &relay);
    target.read_some(5 + "target.example".len() + 2, &relay);
    target.say(b"\x05\0\0\x01\0\0\0\0\0\0early", &relay);
    client.say("hello", &relay);
    assert_bytes("to", &target.read_some(5, &relay), b"hello");
    drop(target);
    client.half_close();
    assert_bytes("from", &client.read_all(&relay), b"early");
    relay.wait().expect_code(0);
}

#[test]
fn refuses_what_makes_no_sense() {
    for (words, why) in [
        ("--relay h:1 h 1", "--relay needs -l"),
        ("-l 0 --relay udp:h:1", "--relay udp:h:1 needs -u"),
        ("-l 0 -u --relay unix:/p", "it carries no datagrams"),
        ("-l 0 --relay h", "not HOST:PORT or unix:PATH"),
        ("-l 0 --relay h:0", "port"),
        ("-l 0 -C --relay h:1", "-C cannot be used with --relay"),
        ("-l 0 -q 1 --relay h:1", "-q cannot be used with --relay"),
        (
            "-l 0 -x p --relay unix:/p",
            "-x cannot be used with --relay unix:/p",
        ),
    ] {
        let done = rnc(words.split(' ')).run().expect_code(2);
        assert!(done.stderr.contains(why), "{words}: {done}");
    }
}

#[test]
fn a_relay_to_itself_is_refused() {
    for words in [
        "-l 127.0.0.1 47006 --relay 127.0.0.1:47006",
        "-lk 127.0.0.1:47006 --relay 127.0.0.1:47006",
        "-lk 47006 --relay localhost:47006",
        "-lk 47006 --relay [::1]:47006",
        "-lk -p 47006 --relay 127.0.0.2:47006",
        "-lU /nowhere/here --relay unix:/nowhere/here",
        "-lU @here --relay unix:@here",
    ] {
        let done = rnc(words.split(' ')).run().expect_code(2);
        done.expect_complaint("rnc itself listens");
    }
}

/// The target may be seen to be rnc itself only once it is connected.
#[test]
fn a_client_that_a_relay_would_bring_itself_is_reset() {
    let dir = TempDir::new();
    let (path, link) = (dir.join("relay"), dir.join("link"));
    std::os::unix::fs::symlink(&path, &link).expect("link");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = listener.local_addr().expect("local_addr").port();
    let passed = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
    let tcp = Cmd::new("/bin/sh")
        .args(["-c", passed])
        .arg(rnc_binary())
        .args(["-lk", "--relay", &format!("127.0.0.1:{port}")])
        .hand(listener.into(), 3);
    let unix = rnc(["-lkvU".as_ref(), path.as_os_str()])
        .arg("--relay")
        .arg(format!("unix:{}", link.display()));
    let connect_tcp =
        || Sock::Tcp(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connect"));
    let connect_unix = || Sock::Unix(UnixStream::connect(&path).expect("connect"));
    let cases: [(Cmd, &dyn Fn() -> Sock); 2] = [(tcp, &connect_tcp), (unix, &connect_unix)];
    for (cmd, connect) in cases {
        let relay = cmd.arg("-v").spawn();
        relay.says("Listening on");
        for _ in 0..3 {
            let mut client = connect();
            // A reset, or over a Unix socket the end.
            let _ = client.read_to_end(&mut Vec::new());
        }
        relay.signal(Signal::TERM);
        let said = relay.wait().stderr;
        let count = said.matches("rnc itself listens there").count();
        assert_eq!(count, 3, "{said}");
    }
}
