//! When the end of stdin is passed on: not into an answer, and not later than needed.

use super::session::{Role, Session, session_with};
use crate::common::{Cmd, Server, Sock, Stdin, TempDir, Transport, assert_bytes, pattern, rnc};
use std::time::Duration;

/// Longer than a client waits for quiet, which is a second.
const LONGER: Duration = Duration::from_millis(1500);

const REQUEST: &str = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A client on a transport whose stdin gave `input` and ended.
#[track_caller]
fn client(transport: Transport, options: &[&str], input: &str) -> Session {
    let mut session = session_with(Role::Connect, transport, options, |cmd| {
        cmd.stdin(Stdin::Pipe)
    });
    session.rnc.feed(input.as_bytes().to_vec());
    let got = session.peer.read_some(input.len(), &session.rnc);
    assert_bytes("the request", &got, input.as_bytes());
    session
}

/// Checks that no end reaches the peer for longer than a client would wait for quiet.
#[track_caller]
fn sees_no_end(peer: &Sock, what: &str) {
    // Not a time measured: a span in which nothing may come.
    std::thread::sleep(LONGER);
    assert!(peer.has_nothing_to_read(), "{what}: an end came");
}

#[test]
fn a_sink_that_says_nothing_sees_the_end() {
    for transport in [Transport::Tcp, Transport::Unix] {
        let Session { rnc, mut peer, .. } = client(transport, &[], "hello\n");
        assert_bytes("behind it", &peer.read_all(&rnc), b"");
        drop(peer);
        rnc.wait().expect_code(0).expect_stdout("").expect_silence();
    }
}

#[test]
fn an_answer_that_goes_on_sees_no_end_before_it_is_over() {
    for transport in [Transport::Tcp, Transport::Unix] {
        let Session { rnc, mut peer, .. } = client(transport, &[], "list\n");
        for n in 0..8 {
            std::thread::sleep(Duration::from_millis(300));
            assert!(peer.has_nothing_to_read(), "an end came at line {n}");
            peer.say(format!("line {n}\n"), &rnc);
        }
        assert_bytes("in quiet", &peer.read_all(&rnc), b"");
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn an_upload_to_a_silent_peer_ends_at_once() {
    let payload = pattern(65_537, 5);
    let Session {
        mut rnc, mut peer, ..
    } = session_with(
        Role::Connect,
        Transport::Tcp,
        &["--shutdown", "1h"],
        |cmd| cmd.stdin(Stdin::Pipe),
    );
    rnc.feed(payload.clone());
    assert_bytes("the upload", &peer.read_all(&rnc), &payload);
    drop(peer);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn shutdown_now_and_n_do_not_wait_and_never_does_not_end() {
    for options in [
        &["--shutdown", "now"][..],
        &["-N"],
        &["--shutdown", "200ms"],
    ] {
        let Session { rnc, mut peer, .. } = client(Transport::Tcp, options, "hello\n");
        assert_bytes("behind it", &peer.read_all(&rnc), b"");
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
    }
    for options in [&["--shutdown", "never"][..], &["--no-shutdown"]] {
        let Session { rnc, peer, .. } = client(Transport::Tcp, options, "hello\n");
        sees_no_end(&peer, options[0]);
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn the_answer_to_an_http_request_is_waited_for_to_its_end_and_no_longer() {
    for transport in [Transport::Tcp, Transport::Unix] {
        let Session { rnc, mut peer, .. } = client(transport, &[], REQUEST);
        sees_no_end(&peer, "before the answer");
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", &rnc);
        peer.say(pattern(60_000, 1), &rnc);
        sees_no_end(&peer, "in the answer");
        peer.say(pattern(40_000, 2), &rnc);
        // A server that keeps connections alive: the end comes from here.
        assert_bytes("after the answer", &peer.read_all(&rnc), b"");
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn an_http_answer_that_is_cut_short_is_an_error() {
    let big = "x".repeat(300_000);
    let announced = format!("HTTP/1.1 200 OK\r\nContent-Length: 300001\r\n\r\n{big}");
    for (answer, complaint) in [
        ("HTTP/1.1 200 OK\r\nContent-Le", "in the middle of its head"),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345",
            "after 5 of 10 bytes",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n",
            "before its last chunk",
        ),
        (announced.as_str(), "after 300000 of 300001 bytes"),
    ] {
        for options in [&[][..], &["-N"]] {
            let Session { rnc, mut peer, .. } = client(Transport::Tcp, options, REQUEST);
            peer.say(answer, &rnc);
            drop(peer);
            let done = rnc.wait().expect_code(1).expect_stdout(answer);
            done.expect_complaint(complaint);
        }
    }
}

#[test]
fn q_in_the_middle_of_an_http_answer_is_an_error() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345";
    let Session { rnc, mut peer, .. } = client(Transport::Tcp, &["-q", "300ms"], REQUEST);
    peer.say(answer, &rnc);
    let done = rnc.wait().expect_code(1).expect_stdout(answer);
    done.expect_complaint("after 5 of 10 bytes");
}

#[test]
fn as_nc_and_as_ncat_http_is_nothing_special() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345";
    for dialect in ["nc", "ncat"] {
        let Session { rnc, mut peer, .. } = client(Transport::Tcp, &["--as", dialect], REQUEST);
        match dialect {
            "nc" => sees_no_end(&peer, "as nc"),
            _ => assert_bytes("as ncat", &peer.read_all(&rnc), b""),
        }
        peer.say(answer, &rnc);
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout(answer)
            .expect_silence();
    }
}

#[test]
fn a_listener_without_a_stdin_sends_no_end_before_the_peers() {
    for transport in [Transport::Tcp, Transport::Unix] {
        for stdin in [Stdin::Null, Stdin::Closed] {
            let Session { rnc, mut peer, .. } =
                session_with(Role::Listen, transport, &[], |cmd| cmd.stdin(stdin));
            peer.say("first ", &rnc);
            sees_no_end(&peer, "a listener");
            peer.say("second", &rnc);
            peer.half_close();
            assert_bytes("the end", &peer.read_all(&rnc), b"");
            rnc.wait()
                .expect_code(0)
                .expect_stdout("first second")
                .expect_silence();
        }
    }
}

#[test]
fn all_clients_of_a_listener_without_a_stdin_end_first() {
    let rnc = rnc(["-lk", "0"]).stdin(Stdin::Null).spawn();
    let mut clients: Vec<Sock> = (0..3)
        .map(|_| crate::common::connect_to_listener(&rnc, None))
        .collect();
    clients.iter_mut().for_each(|one| one.say("hello\n", &rnc));
    sees_no_end(&clients[0], "-lk");
    for mut one in clients {
        one.half_close();
        assert_bytes("the end", &one.read_all(&rnc), b"");
    }
}

#[test]
fn an_empty_pipe_is_an_empty_answer() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Listen, Transport::Tcp, &[], |cmd| {
        cmd.stdin(Stdin::Pipe)
    });
    rnc.close_stdin();
    assert_bytes("the answer", &peer.read_all(&rnc), b"");
    drop(peer);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn w_0_leaves_only_after_the_writer_of_the_pipe_has_written() {
    let dir = TempDir::new();
    for options in [&["-w", "0"][..], &["-w", "100ms"]] {
        let server = Server::new(Transport::Tcp, &dir);
        let words = options.iter().map(|word| (*word).into());
        let cmd: Cmd = rnc(words.chain(server.words()));
        let mut rnc = cmd.stdin(Stdin::Pipe).spawn();
        let mut peer = server.accept(&rnc);
        // Longer than any of the limits.
        std::thread::sleep(Duration::from_millis(300));
        assert!(rnc.is_running(), "{options:?}: it did not wait");
        rnc.feed(b"metric:1|c\n".to_vec());
        let got = peer.read_some(11, &rnc);
        assert_bytes("the metric", &got, b"metric:1|c\n");
        rnc.wait();
    }
}
