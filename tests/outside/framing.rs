//! `--framing`: how datagrams stand in standard input and output.

use crate::common::{Running, Stdin, TempDir, assert_bytes, pattern, rnc, udp_socket};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::net::UnixDatagram;

/// A client of a socket of ours.
#[track_caller]
fn client(framing: &str) -> (Running, UdpSocket) {
    let sock = udp_socket();
    let port = sock.local_addr().expect("an address").port().to_string();
    let rnc = rnc(["-u", "--framing", framing, "127.0.0.1", &port])
        .stdin(Stdin::Pipe)
        .spawn();
    (rnc, sock)
}

#[track_caller]
fn heard(sock: &UdpSocket, rnc: &Running) -> Vec<u8> {
    let mut buf = vec![0; 70_000];
    match sock.recv(&mut buf) {
        Ok(len) => buf[..len].to_vec(),
        Err(error) => rnc.fail(&format!("no datagram came: {error}")),
    }
}

#[track_caller]
fn expect_datagrams(sock: &UdpSocket, wanted: &[&[u8]], rnc: &Running) {
    for wanted in wanted {
        assert_bytes("datagram", &heard(sock, rnc), wanted);
    }
}

/// A message behind its length.
fn framed(message: &[u8]) -> Vec<u8> {
    let len = u32::try_from(message.len()).expect("a short message");
    [&len.to_be_bytes(), message].concat()
}

#[test]
fn each_line_is_a_datagram() {
    let (mut rnc, sock) = client("line");
    // Many at once, an empty one, and one in pieces.
    rnc.send("one\ntwo\n\nfour\nfi");
    expect_datagrams(&sock, &[b"one", b"two", b"", b"four"], &rnc);
    rnc.send("ve");
    rnc.send("\nthe last has no end");
    expect_datagrams(&sock, &[b"five"], &rnc);
    rnc.close_stdin();
    expect_datagrams(&sock, &[b"the last has no end"], &rnc);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn each_datagram_is_a_line() {
    let (mut rnc, sock) = client("line");
    rnc.send("hello\n");
    let mut buf = [0; 10];
    let (_, peer) = sock.recv_from(&mut buf).expect("a datagram");
    for message in [&b"one"[..], b"", b"three\n", b"fo\nur"] {
        sock.send_to(message, peer).expect("send");
    }
    rnc.shows("ur\n");
    let done = rnc.wait().expect_code(0);
    done.expect_stdout("one\n\nthree\nfo\nur\n");
}

#[test]
fn lengths_go_both_ways() {
    let (mut rnc, sock) = client("len");
    let messages = [pattern(5, 1), Vec::new(), pattern(65_507, 2), b"a\n".into()];
    let stream: Vec<u8> = messages
        .iter()
        .flat_map(|message| framed(message))
        .collect();
    // The cuts are at no message's end.
    let (head, tail) = stream.split_at(7);
    rnc.send(head);
    rnc.feed(tail.to_vec());
    let mut buf = vec![0; 70_000];
    for message in &messages {
        let (len, peer) = sock.recv_from(&mut buf).expect("a datagram");
        assert_bytes("datagram", &buf[..len], message);
        sock.send_to(&buf[..len], peer).expect("send");
    }
    rnc.wait().expect_code(0).expect_stdout(&stream);
}

#[test]
fn lines_of_a_large_file_arrive_one_by_one() {
    const LINES: usize = 20_000;
    let lines = crate::common::lines(LINES, "all of these");
    let dir = TempDir::new();
    let path = dir.join("service");
    let service = UnixDatagram::bind(&path).expect("bind");
    service
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    // A Unix socket loses nothing: a sender waits for one that reads late.
    let mut rnc = rnc(["-uU", "--framing", "line"])
        .arg(&path)
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.feed(lines.clone());
    let (mut all, mut buf) = (Vec::new(), vec![0; 1000]);
    for _ in 0..LINES {
        let len = service.recv(&mut buf).expect("a line");
        all.extend_from_slice(&buf[..len]);
        all.push(b'\n');
    }
    assert_bytes("lines", &all, &lines);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_listener_answers_in_lines_too() {
    let mut rnc = rnc(["-lu", "--framing", "line", "127.0.0.1", "0"])
        .stdin(Stdin::Pipe)
        .spawn();
    let sock = udp_socket();
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    sock.connect(to).expect("connect");
    // Typed before anybody is there, it waits.
    rnc.send("one\ntwo\n");
    sock.send(b"hello").expect("send");
    expect_datagrams(&sock, &[b"one", b"two"], &rnc);
    rnc.shows("hello\n");
}

#[test]
fn what_does_not_fit_is_an_error() {
    let long = [b"ok\n".to_vec(), vec![b'x'; 65_508], b"\nnext\n".to_vec()].concat();
    let much = [framed(b"ok"), 70_000u32.to_be_bytes().to_vec()].concat();
    let cut = [framed(b"ok"), b"\0\0\0\x05abc".to_vec()].concat();
    for (framing, stream, complaint) in [
        (
            "line",
            long,
            "line 2 is too long for a datagram: over 65507",
        ),
        (
            "len",
            much,
            "message 2 is too long for a datagram: 70000 bytes",
        ),
        ("len", cut, "it ends inside message 2"),
    ] {
        let (mut rnc, sock) = client(framing);
        rnc.feed(stream);
        expect_datagrams(&sock, &[b"ok"], &rnc);
        let done = rnc.wait().expect_code(1);
        done.expect_complaint(complaint);
    }
}

#[test]
fn a_listener_says_too_what_does_not_fit() {
    let mut rnc = rnc([
        "-lu",
        "--framing",
        "line",
        "--datagram-size",
        "4",
        "127.0.0.1",
        "0",
    ])
    .stdin(Stdin::Pipe)
    .spawn();
    let sock = udp_socket();
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    sock.connect(to).expect("connect");
    sock.send(b"hello").expect("send");
    rnc.send("four\n12345\n");
    expect_datagrams(&sock, &[b"four"], &rnc);
    let done = rnc.wait().expect_code(1);
    done.expect_complaint("line 2 is too long for a datagram: over 4 bytes");
}

#[test]
fn a_log_has_the_datagrams_without_their_lengths() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let sock = udp_socket();
    let port = sock.local_addr().expect("an address").port().to_string();
    let mut rnc = rnc(["-u", "--framing", "line", "127.0.0.1", &port, "--output"])
        .arg(&log)
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.send("one\ntwo\n");
    expect_datagrams(&sock, &[b"one", b"two"], &rnc);
    rnc.wait().expect_code(0).expect_silence();
    assert_bytes("log", &std::fs::read(log).expect("a log"), b"onetwo");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, complaint) in [
        ("--framing line localhost 1", "--framing needs -u"),
        (
            "-u --framing lines localhost 1",
            "--framing lines: not line, len or raw",
        ),
        (
            "-u --framing len -C localhost 1",
            "-C cannot be used with --framing len",
        ),
        (
            "-u --framing line -i 1 localhost 1",
            "-i cannot be used with --framing line",
        ),
        (
            "-lu 0 --echo --framing line",
            "--framing cannot be used with --echo",
        ),
        (
            "-lu 0 -e cat --framing len",
            "-e cannot be used with --framing",
        ),
    ] {
        let done = rnc(words.split(' ')).run().expect_code(2);
        done.expect_complaint(complaint);
    }
}
