//! Half-close is kept in both roles, and each end is passed on at once.

use super::session::{Role, Session, everywhere, session, session_with};
use crate::common::{Cmd, Pty, Stdin, Stdout, Transport, assert_bytes, eventually, pattern, rnc};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

#[test]
fn the_end_of_stdin_reaches_the_peer_and_the_answer_still_comes() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, transport);
        rnc.feed(b"request".to_vec());
        assert_bytes("the request", &peer.read_all(&rnc), b"request");
        peer.say("answer", &rnc);
        rnc.shows("answer");
        assert!(rnc.is_running(), "it left before the peer ended");
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("answer")
            .expect_silence();
    });
}

#[test]
fn after_the_peers_end_stdout_is_closed_and_stdin_still_goes_out() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, transport);
        peer.say("all I have", &rnc);
        peer.half_close();
        assert!(
            rnc.stdout.wait_end(),
            "stdout was not closed at the peer's end"
        );
        assert_bytes("stdout", &rnc.stdout.bytes(), b"all I have");
        for piece in ["still ", "going ", "out"] {
            rnc.send(piece);
            assert_bytes(
                "the peer got",
                &peer.read_some(piece.len(), &rnc),
                piece.as_bytes(),
            );
        }
        assert!(rnc.is_running(), "it left before stdin ended");
        rnc.close_stdin();
        assert_bytes("after stdin's end", &peer.read_all(&rnc), b"");
        rnc.wait().expect_code(0).expect_silence();
    });
}

#[test]
fn a_client_that_half_closes_gets_the_answer_of_rnc_listening() {
    let mut listener = rnc(["-l", "0"]).stdin(Stdin::Pipe).spawn();
    let port = listener.listening_port().to_string();
    let mut client = rnc(["127.0.0.1", &port]).stdin(Stdin::Pipe).spawn();
    let request = pattern(300_000, 3);
    client.feed(request.clone());
    assert!(
        listener.stdout.wait_end(),
        "the client's end did not get through"
    );
    assert_bytes("the request", &listener.stdout.bytes(), &request);
    let answer = pattern(400_000, 4);
    listener.feed(answer.clone());
    client
        .wait()
        .expect_code(0)
        .expect_stdout(&answer)
        .expect_silence();
    listener
        .wait()
        .expect_code(0)
        .expect_stdout(&request)
        .expect_silence();
}

#[test]
fn a_listener_with_nothing_to_say_receives_everything() {
    // OpenBSD nc truncates here (BEHAVIOUR.md, 2.8, number 1).
    let listener = rnc(["-l", "0"]).spawn();
    let port = listener.listening_port().to_string();
    let payload = pattern(3 << 20, 5);
    let mut client = rnc(["127.0.0.1", &port]).stdin(Stdin::Pipe).spawn();
    client.feed(payload.clone());
    client.wait().expect_code(0).expect_silence();
    listener
        .wait()
        .expect_code(0)
        .expect_stdout(&payload)
        .expect_silence();
}

#[test]
fn a_listener_with_a_file_sends_all_of_it_to_a_client_that_says_nothing() {
    let dir = crate::common::TempDir::new();
    let payload = pattern(3 << 20, 6);
    let file = dir.open_at("payload", b"", &payload);
    let listener = rnc(["-l", "0"]).stdin(Stdin::Fd(file.into())).spawn();
    let port = listener.listening_port().to_string();
    rnc(["127.0.0.1", &port])
        .run()
        .expect_code(0)
        .expect_stdout(&payload)
        .expect_silence();
    listener.wait().expect_code(0).expect_silence();
}

#[test]
fn the_peers_end_ends_a_session_typed_in_a_terminal() {
    everywhere(|role, transport| {
        let pty = Pty::open();
        let before = pty.settings();
        let Session { rnc, mut peer, .. } =
            session_with(role, transport, &[], |cmd| cmd.in_terminal(&pty));
        pty.types("a line from the keyboard\n");
        assert_bytes(
            "the line",
            &peer.read_some(25, &rnc),
            b"a line from the keyboard\n",
        );
        peer.say("a line from the peer\n", &rnc);
        pty.shows("a line from the peer\r\n", &rnc);
        assert!(rnc.is_running());
        peer.half_close();
        assert_bytes("after the peer's end", &peer.read_all(&rnc), b"");
        rnc.wait().expect_code(0).expect_silence();
        assert_eq!(pty.settings(), before);
    });
}

#[test]
fn one_byte_at_a_time_arrives_whole_both_ways() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, transport);
        let payload = pattern(2000, 7);
        for byte in &payload {
            peer.say([*byte], &rnc);
        }
        peer.half_close();
        for byte in &payload {
            rnc.send([*byte]);
        }
        rnc.close_stdin();
        assert_bytes("the peer got", &peer.read_all(&rnc), &payload);
        rnc.wait()
            .expect_code(0)
            .expect_stdout(&payload)
            .expect_silence();
    });
}

#[test]
fn no_shutdown_keeps_the_connection_open_at_the_end_of_stdin() {
    everywhere(|role, transport| {
        let Session { rnc, mut peer, .. } =
            session_with(role, transport, &["--no-shutdown"], |cmd| cmd);
        // What comes through now was sent well after rnc could have seen the end of /dev/null.
        peer.say("one", &rnc);
        rnc.shows("one");
        peer.say(" two", &rnc);
        rnc.shows("one two");
        assert!(
            peer.has_nothing_to_read(),
            "it sent its end, or something else"
        );
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
    });
}

#[test]
fn d_never_reads_stdin() {
    everywhere(|role, transport| {
        let mut session = session_with(role, transport, &["-d"], |cmd: Cmd| cmd.stdin(Stdin::Pipe));
        session.rnc.send("for nobody");
        session.peer.say("one", &session.rnc);
        session.rnc.shows("one");
        assert!(
            session.peer.has_nothing_to_read(),
            "something of stdin was sent"
        );
        drop(session.peer);
        session
            .rnc
            .wait()
            .expect_code(0)
            .expect_stdout("one")
            .expect_silence();
    });
}

#[test]
fn under_inetd_one_socket_is_stdin_and_stdout() {
    let (mut outside, given) = UnixStream::pair().expect("socketpair");
    outside
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let shared = given.try_clone().expect("dup");
    let Session { rnc, mut peer, .. } =
        session_with(Role::Connect, Transport::Tcp, &[], move |cmd| {
            let both = given.try_clone().expect("dup");
            cmd.stdin(Stdin::Fd(given.into()))
                .stdout(Stdout::Fd(both.into()))
        });
    outside.write_all(b"from outside").expect("write");
    assert_bytes("the peer got", &peer.read_some(12, &rnc), b"from outside");
    peer.say("from the peer", &rnc);
    peer.half_close();
    // The write side of the socket is shut down: others, such as this test, hold it too.
    let mut got = Vec::new();
    outside
        .read_to_end(&mut got)
        .expect("the end of the peer to get through");
    assert_bytes("outside got", &got, b"from the peer");
    outside.write_all(b", and more").expect("write");
    outside
        .shutdown(std::net::Shutdown::Write)
        .expect("shutdown");
    assert_bytes("the peer got", &peer.read_all(&rnc), b", and more");
    rnc.wait().expect_code(0).expect_silence();
    assert!(
        !crate::common::is_nonblocking(&shared),
        "O_NONBLOCK was left on the socket"
    );
}

#[test]
fn a_silent_session_is_kept_alive_so_that_a_dead_peer_is_found_out() {
    let Some(ss) = crate::common::require("ss", "iproute2") else {
        return;
    };
    for role in [Role::Connect, Role::Listen] {
        let Session { rnc, peer, .. } = session(role, Transport::Tcp);
        let (ours, theirs) = peer.ports();
        let filter = format!("sport = :{theirs} and dport = :{ours}");
        let has_timer = eventually(|| {
            let shown = Cmd::new(&ss).args(["-tnoH"]).arg(&filter).run();
            String::from_utf8_lossy(&shown.stdout).contains("timer:(keepalive")
        });
        assert!(has_timer, "no keep-alive timer as {role:?}");
        drop(peer);
        drop(rnc);
    }
}
