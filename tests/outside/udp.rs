//! Datagrams: their boundaries, their order, who is answered, and what is lost.

use crate::common::{
    ClosedPort, Cmd, Running, Stdin, Stdout, TempDir, assert_bytes, eventually, pattern, require,
    rnc, udp_socket,
};
use rustix::process::Signal;
use std::fs::File;
use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

/// Lengths around every place where rnc does something else: the first byte, an Ethernet packet,
/// a page, its own limits, and the longest there is.
const LENGTHS: [usize; 14] = [
    1, 2, 64, 1400, 1472, 1473, 4096, 8191, 8192, 8193, 16_384, 16_385, 40_000, 65_507,
];

/// More than the socket of any test holds is never under way at once.
const WINDOW: usize = 50;

/// rnc waiting for datagrams, and a socket connected to it.
fn listener(cmd: Cmd) -> (Running, UdpSocket) {
    let rnc = cmd.spawn();
    let peer = peer_of(&rnc);
    (rnc, peer)
}

fn peer_of(rnc: &Running) -> UdpSocket {
    let peer = udp_socket();
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    peer.connect(to).expect("connect");
    peer
}

/// A pair of sockets that keep messages apart, one of them to be given to rnc.
fn packets() -> (UnixDatagram, OwnedFd) {
    let (ours, theirs) = UnixDatagram::pair().expect("socketpair");
    ours.set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    (ours, theirs.into())
}

/// The next message.
#[track_caller]
fn next(sock: &UnixDatagram, rnc: &Running) -> Vec<u8> {
    let mut buf = vec![0; 70_000];
    match sock.recv(&mut buf) {
        Ok(n) => buf[..n].to_vec(),
        Err(error) => rnc.fail(&format!("no message came out: {error}")),
    }
}

/// The next datagram.
#[track_caller]
fn heard(sock: &UdpSocket, rnc: &Running) -> Vec<u8> {
    let mut buf = vec![0; 70_000];
    match sock.recv(&mut buf) {
        Ok(n) => buf[..n].to_vec(),
        Err(error) => rnc.fail(&format!("its peer got no datagram: {error}")),
    }
}

/// Waits until everything sent to a stopped rnc is where it will find it: loopback delivers within
/// the call that sends, so there is nothing to wait for.
fn while_stopped(rnc: &Running, send: impl FnOnce()) {
    rnc.stop();
    send();
    rnc.go_on();
}

#[test]
fn each_packet_on_stdin_is_one_datagram() {
    let server = udp_socket();
    let port = server.local_addr().expect("local_addr").port();
    let (input, theirs) = packets();
    let rnc = rnc(["-u", "127.0.0.1", &port.to_string()])
        .stdin(Stdin::Fd(theirs))
        .spawn();
    for len in LENGTHS {
        let sent = pattern(len, 1);
        input.send(&sent).expect("send");
        assert_bytes(&format!("{len} bytes"), &heard(&server, &rnc), &sent);
    }
}

#[test]
fn each_datagram_is_one_packet_on_stdout() {
    let (output, theirs) = packets();
    let (rnc, peer) = listener(rnc(["-dlu", "127.0.0.1", "0"]).stdout(Stdout::Fd(theirs)));
    for len in LENGTHS {
        let sent = pattern(len, 2);
        peer.send(&sent).expect("send");
        assert_bytes(&format!("{len} bytes"), &next(&output, &rnc), &sent);
    }
}

#[test]
fn datagrams_that_come_together_stay_apart_on_a_packet_socket() {
    let (output, theirs) = packets();
    let (rnc, peer) = listener(rnc(["-dlu", "127.0.0.1", "0"]).stdout(Stdout::Fd(theirs)));
    let sent: Vec<Vec<u8>> = (0..WINDOW).map(|n| pattern(n * 7 % 90, 3)).collect();
    for _ in 0..4 {
        while_stopped(&rnc, || {
            for datagram in &sent {
                peer.send(datagram).expect("send");
            }
        });
        for datagram in &sent {
            assert_bytes("a datagram", &next(&output, &rnc), datagram);
        }
    }
}

#[test]
fn datagrams_of_all_lengths_that_come_together_are_joined_in_a_file() {
    let dir = TempDir::new();
    let path = dir.join("out");
    let file = File::create(&path).expect("create");
    let (rnc, peer) = listener(rnc(["-dlu", "127.0.0.1", "0"]).stdout(Stdout::Fd(file.into())));
    let mut wanted = Vec::new();
    for (round, lens) in [
        [5, 20_000, 0, 9],
        [30_000, 7, 8192, 1],
        [65_507, 3, 65_507, 2],
    ]
    .into_iter()
    .enumerate()
    {
        while_stopped(&rnc, || {
            for len in lens {
                let sent = pattern(len, round as u32);
                peer.send(&sent).expect("send");
                wanted.extend(sent);
            }
        });
        let all = || std::fs::read(&path).is_ok_and(|got| got.len() >= wanted.len());
        eventually(all);
    }
    assert_bytes("the file", &std::fs::read(&path).expect("read"), &wanted);
}

#[test]
fn ten_thousand_datagrams_arrive_in_order() {
    let (rnc, peer) = listener(rnc(["-dlu", "127.0.0.1", "0"]));
    let mut wanted = Vec::new();
    for n in 0..10_000 {
        let line = format!("datagram {n}\n");
        peer.send(line.as_bytes()).expect("send");
        wanted.extend(line.into_bytes());
        if n % WINDOW == WINDOW - 1 && !rnc.stdout.wait_until(|got| got.len() >= wanted.len()) {
            break;
        }
    }
    assert_bytes("stdout", &rnc.stdout.bytes(), &wanted);
}

#[test]
fn empty_datagrams_are_no_end() {
    let (rnc, peer) = listener(rnc(["-dlu", "127.0.0.1", "0"]));
    while_stopped(&rnc, || {
        for datagram in ["", "a", "", "", "b", ""] {
            peer.send(datagram.as_bytes()).expect("send");
        }
    });
    rnc.shows("ab");
    peer.send(b"").expect("send");
    peer.send(b"c").expect("send");
    rnc.shows("abc");
    assert!(rnc.is_running());
}

#[test]
fn empty_datagrams_count_as_reads() {
    let (rnc, peer) = listener(rnc(["-dlu", "-W", "3", "127.0.0.1", "0"]));
    while_stopped(&rnc, || {
        for datagram in ["", "a", "", "not this"] {
            peer.send(datagram.as_bytes()).expect("send");
        }
    });
    rnc.wait().expect_code(0).expect_stdout("a");
}

#[test]
fn a_peer_whose_only_datagram_ends_the_session_is_named_all_the_same() {
    let (rnc, peer) = listener(rnc(["-dlunvv", "-W", "1", "127.0.0.1", "0"]));
    peer.send(b"a").expect("send");
    let done = rnc.wait().expect_code(0).expect_stdout("a");
    let came = done.stderr.find("Connection received on 127.0.0.1 ");
    let left = done.stderr.find("1 bytes received");
    assert!(came.is_some() && came < left, "{done}");
}

#[test]
fn a_relay_of_datagrams_counts_its_peers_and_gives_them_time_to_finish() {
    let target = udp_socket();
    let to = target.local_addr().expect("an address").to_string();
    let (rnc, peer) = listener(rnc([
        "-lu",
        "--relay",
        &to,
        "--max-conns",
        "1",
        "--grace",
        "1h",
        "127.0.0.1",
        "0",
    ]));
    let mut buf = [0; 9];
    peer.send(b"a").expect("send");
    let (len, from) = target.recv_from(&mut buf).expect("a datagram");
    assert_bytes("first", &buf[..len], b"a");
    peer_of(&rnc).send(b"b").expect("send");
    let is_full = || rnc.stderr.text().contains("1 peers at once");
    assert!(eventually(is_full), "{}", rnc.stderr.text());
    rnc.signal(Signal::TERM);
    target.send_to(b"answer", from).expect("send");
    let len = peer.recv(&mut buf).expect("a datagram");
    assert_bytes("answer", &buf[..len], b"answer");
    let ends = eventually(|| {
        rnc.signal(Signal::TERM);
        !rnc.is_running()
    });
    assert!(ends, "it waits for its peer");
    rnc.wait().expect_signal(Signal::TERM);
}

#[test]
fn the_last_to_speak_is_answered_wherever_the_datagrams_were_read() {
    let (mut rnc, first) = listener(rnc(["-lu", "127.0.0.1", "0"]).stdin(Stdin::Pipe));
    let second = peer_of(&rnc);
    for round in 0..6 {
        let (other, last) = match round % 2 {
            0 => (&first, &second),
            _ => (&second, &first),
        };
        while_stopped(&rnc, || {
            for n in 0..20 {
                let sock = if n % 2 == 0 { other } else { last };
                sock.send(b".").expect("send");
            }
            last.send(format!("asks {round}").as_bytes()).expect("send");
        });
        rnc.shows(&format!("asks {round}"));
        rnc.send(format!("answer {round}"));
        let wanted = format!("answer {round}");
        assert_bytes("the answer", &heard(last, &rnc), wanted.as_bytes());
    }
    first.set_nonblocking(true).expect("O_NONBLOCK");
    assert!(
        first.recv(&mut [0; 10]).is_err(),
        "an answer to the wrong one"
    );
}

/// What a sender with this `--datagram-size` makes of a file, by the lengths of the datagrams.
fn cut(size: usize, len: usize) {
    let server = udp_socket();
    let port = server.local_addr().expect("local_addr").port().to_string();
    let dir = TempDir::new();
    let sent = pattern(len, 4);
    std::fs::write(dir.join("in"), &sent).expect("write");
    let file = File::open(dir.join("in")).expect("open");
    let rnc = rnc([
        "-u",
        "-q",
        "0",
        "--datagram-size",
        &size.to_string(),
        "127.0.0.1",
        &port,
    ])
    .stdin(Stdin::Fd(file.into()))
    .spawn();
    for piece in sent.chunks(size) {
        assert_bytes(&format!("{size}"), &heard(&server, &rnc), piece);
    }
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn datagram_size_cuts_stdin() {
    // Within what an ordinary socket of the test holds: lost datagrams are not rnc's concern here.
    for (size, len) in [
        (1, 60),
        (7, 100),
        (64, 5000),
        (1400, 50_000),
        (1400, 1400),
        (1400, 14_000),
        (1400, 300),
        (9000, 80_000),
        (33_000, 90_000),
        (65_507, 100_000),
    ] {
        cut(size, len);
    }
}

#[test]
fn datagram_size_keeps_lines_typed_apart() {
    let server = udp_socket();
    let port = server.local_addr().expect("local_addr").port().to_string();
    let mut rnc = rnc(["-u", "--datagram-size", "10", "127.0.0.1", &port])
        .stdin(Stdin::Pipe)
        .spawn();
    for (typed, wanted) in [
        ("one\n", &["one\n"][..]),
        ("exactly 10", &["exactly 10"]),
        ("more than ten\n", &["more than ", "ten\n"]),
        ("x", &["x"]),
    ] {
        rnc.send(typed);
        for datagram in wanted {
            assert_bytes(typed, &heard(&server, &rnc), datagram.as_bytes());
        }
    }
}

#[test]
fn unix_datagrams_are_cut_and_wait_for_a_slow_reader() {
    let dir = TempDir::new();
    let path = dir.join("server");
    let server = UnixDatagram::bind(&path).expect("bind");
    server
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let sent = pattern(200_000, 5);
    let mut rnc = rnc(["-uU", "--datagram-size", "1400"])
        .arg(&path)
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.feed(sent.clone());
    // A pipe may be read in the middle of its writer's work: what counts is that nothing is longer,
    // and that all of it comes in order.
    let mut got = Vec::new();
    while got.len() < sent.len() {
        let datagram = next(&server, &rnc);
        assert!((1..=1400).contains(&datagram.len()), "{}", datagram.len());
        got.extend(datagram);
    }
    assert_bytes("all datagrams", &got, &sent);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn unix_datagrams_that_come_together_stay_apart() {
    let dir = TempDir::new();
    let path = dir.join("rnc");
    let (output, theirs) = packets();
    let rnc = rnc(["-dluU"]).arg(&path).stdout(Stdout::Fd(theirs)).spawn();
    let peer = UnixDatagram::unbound().expect("socket");
    assert!(eventually(|| peer.connect(&path).is_ok()));
    while_stopped(&rnc, || {
        for datagram in ["one", "", "three"] {
            peer.send(datagram.as_bytes()).expect("send");
        }
    });
    for datagram in ["one", "", "three"] {
        assert_bytes("a datagram", &next(&output, &rnc), datagram.as_bytes());
    }
}

#[test]
fn a_refusal_is_told_however_datagrams_are_sent() {
    let closed = ClosedPort::udp();
    for size in ["1", "1400", "40000"] {
        let dir = TempDir::new();
        std::fs::write(dir.join("in"), pattern(300_000, 6)).expect("write");
        let file = File::open(dir.join("in")).expect("open");
        rnc(["-u", "--datagram-size", size, "127.0.0.1"])
            .arg(closed.port().to_string())
            .stdin(Stdin::Fd(file.into()))
            .run()
            .expect_code(1)
            .expect_complaint("Connection refused");
    }
}

#[test]
fn vv_tells_how_many_datagrams_were_dropped() {
    const SENT: usize = 200;
    let (rnc, peer) = listener(rnc(["-dlu", "-vv", "-I", "4096", "127.0.0.1", "0"]));
    while_stopped(&rnc, || {
        for _ in 0..SENT {
            peer.send(&[b'x'; 1000]).expect("send");
        }
    });
    assert!(rnc.stdout.wait_until(|got| !got.is_empty()));
    // What was in the queue came out in one write, so there is room for this.
    peer.send(b"end").expect("send");
    assert!(rnc.stdout.wait_until(|got| got.ends_with(b"end")));
    rnc.signal(Signal::TERM);
    let finished = rnc.wait();
    let arrived = finished.stdout.len() / 1000;
    assert!(arrived < SENT, "nothing was dropped");
    let line = format!("{} datagrams dropped by the kernel", SENT - arrived);
    assert!(finished.stderr.contains(&line), "{finished}");
}

#[test]
fn nothing_is_said_of_drops_where_there_were_none() {
    let (rnc, peer) = listener(rnc(["-dlu", "-vv", "127.0.0.1", "0"]));
    peer.send(b"one").expect("send");
    rnc.shows("one");
    rnc.signal(Signal::TERM);
    let finished = rnc.wait();
    assert!(finished.stderr.contains("3 bytes received"), "{finished}");
    assert!(!finished.stderr.contains("dropped"), "{finished}");
}

#[test]
fn unix_datagrams_longer_than_udp_has_arrive_whole() {
    let dir = TempDir::new();
    let path = dir.join("rnc");
    let rnc = rnc(["-dluU"]).arg(&path).spawn();
    let peer = UnixDatagram::unbound().expect("socket");
    assert!(eventually(|| peer.connect(&path).is_ok()));
    let mut wanted = Vec::new();
    for len in [3, 100_000, 5, 150_000] {
        let sent = pattern(len, 7);
        peer.send(&sent).expect("send");
        wanted.extend(sent);
    }
    rnc.stdout.wait_until(|got| got.len() >= wanted.len());
    assert_bytes("stdout", &rnc.stdout.bytes(), &wanted);
}

/// A command under strace(1), with each of its calls of connect(2) delayed by a second: time for
/// others to write to a socket that is bound and not yet connected.
fn with_slow_connect(words: &[&str]) -> Option<Cmd> {
    let strace = require("strace", "strace")?;
    let delay = "inject=connect:delay_enter=1000000";
    let cmd = Cmd::new(strace).args(["-f", "-qq", "-o", "/dev/null", "-e", delay]);
    Some(cmd.arg(crate::common::rnc_binary()).args(words))
}

#[test]
fn fault_10_a_client_receives_from_its_peer_only() {
    let (server, stranger) = (udp_socket(), udp_socket());
    let to = server.local_addr().expect("local_addr").port().to_string();
    let own = udp_socket().local_addr().expect("local_addr");
    let port = own.port().to_string();
    let words = ["-u", "-p", &port, "-W", "1", "127.0.0.1", &to];
    let Some(cmd) = with_slow_connect(&words) else {
        return;
    };
    let mut rnc = cmd.stdin(Stdin::Pipe).spawn();
    rnc.send("hello");
    stranger.connect(own).expect("connect");
    assert!(eventually(|| {
        // What nothing receives is refused, which the next call reports.
        stranger.send(b"").is_ok() && stranger.send(b"of a stranger").is_ok()
    }));
    let mut buf = [0; 100];
    let (_, client) = server.recv_from(&mut buf).expect("a datagram");
    server.send_to(b"of the peer", client).expect("send");
    rnc.wait().expect_code(0).expect_stdout("of the peer");
}

#[test]
fn fault_10_a_unix_client_receives_from_its_peer_only() {
    let dir = TempDir::new();
    let (path, own) = (dir.join("server"), dir.join("client"));
    let server = UnixDatagram::bind(&path).expect("bind");
    let word = |path: &std::path::Path| path.to_str().expect("UTF-8").to_owned();
    let words = ["-uU", "-s", &word(&own), "-W", "1", &word(&path)];
    let Some(cmd) = with_slow_connect(&words) else {
        return;
    };
    let mut rnc = cmd.stdin(Stdin::Pipe).spawn();
    rnc.send("hello");
    let stranger = UnixDatagram::unbound().expect("socket");
    assert!(eventually(|| stranger
        .send_to(b"of a stranger", &own)
        .is_ok()));
    server
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    server.recv(&mut [0; 100]).expect("a datagram");
    server.send_to(b"of the peer", &own).expect("send");
    rnc.wait().expect_code(0).expect_stdout("of the peer");
}
