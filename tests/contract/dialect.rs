//! The rules of OpenBSD nc, when rnc is called by its name: the same contract with other values.

use super::session::{Role, Session, session_with};
use crate::common::{Cmd, Stdin, Transport, assert_bytes, eventually};
use std::time::Duration;

fn as_nc(cmd: Cmd) -> Cmd {
    cmd.called("nc")
}

#[test]
fn nc_sends_no_end_when_stdin_ends() {
    for transport in [Transport::Tcp, Transport::Unix] {
        let Session { rnc, mut peer, .. } = session_with(Role::Connect, transport, &[], as_nc);
        peer.say("one", &rnc);
        rnc.shows("one");
        assert!(
            peer.has_nothing_to_read(),
            "it sent its end, or something else"
        );
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("one")
            .expect_silence();
    }
}

#[test]
fn nc_with_big_n_sends_the_end_and_receives_the_answer() {
    for transport in [Transport::Tcp, Transport::Unix] {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(Role::Connect, transport, &["-N"], |cmd| {
            as_nc(cmd).stdin(Stdin::Pipe)
        });
        rnc.feed(b"request".to_vec());
        assert_bytes("the request", &peer.read_all(&rnc), b"request");
        peer.say("answer", &rnc);
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("answer")
            .expect_silence();
    }
}

#[test]
fn nc_listening_leaves_at_the_clients_end() {
    // -v, since plain nc says no port.
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Listen, Transport::Tcp, &["-v"], |cmd| {
        as_nc(cmd).stdin(Stdin::Pipe)
    });
    peer.say("all I have", &rnc);
    peer.half_close();
    let stdin = rnc.take_stdin();
    rnc.wait().expect_code(0).expect_stdout("all I have");
    drop(stdin);
}

#[test]
fn nc_connected_stays_while_stdin_is_open() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Connect, Transport::Tcp, &[], |cmd| {
        as_nc(cmd).stdin(Stdin::Pipe)
    });
    peer.say("all I have", &rnc);
    peer.half_close();
    rnc.shows("all I have");
    rnc.send("still here");
    assert_bytes("the peer got", &peer.read_some(10, &rnc), b"still here");
    assert!(rnc.is_running());
    drop(peer);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn nc_idle_timeout_is_0_and_silent() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Connect, Transport::Tcp, &["-w", "1"], |cmd| {
        as_nc(cmd).stdin(Stdin::Pipe)
    });
    peer.say("one", &rnc);
    rnc.shows("one");
    let stdin = rnc.take_stdin();
    let done = rnc.wait_within(Duration::from_secs(20));
    done.expect_code(0).expect_stdout("one").expect_silence();
    drop(stdin);
}

#[test]
fn nc_takes_a_reset_for_an_end() {
    let Session { rnc, mut peer, .. } = session_with(Role::Connect, Transport::Tcp, &[], as_nc);
    peer.say("one", &rnc);
    rnc.shows("one");
    peer.reset();
    rnc.wait()
        .expect_code(0)
        .expect_stdout("one")
        .expect_silence();
}

#[test]
fn nc_says_nothing_when_refused_unless_asked() {
    let closed = crate::common::ClosedPort::tcp();
    let port = closed.port().to_string();
    let nc = |words: &[&str]| crate::common::rnc(words).called("nc").run().expect_code(1);
    assert_eq!(nc(&["127.0.0.1", &port]).stderr, "");
    assert_eq!(
        nc(&["-v", "127.0.0.1", &port]).stderr,
        format!("nc: connect to 127.0.0.1 port {port} (tcp) failed: Connection refused\n")
    );
}

#[test]
fn nc_with_d_never_reads_stdin_and_ends_with_the_peer() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Connect, Transport::Tcp, &["-d"], |cmd| {
        as_nc(cmd).stdin(Stdin::Pipe)
    });
    rnc.send("for nobody");
    peer.say("one", &rnc);
    rnc.shows("one");
    assert!(
        eventually(|| peer.has_nothing_to_read()),
        "something of stdin was sent"
    );
    let stdin = rnc.take_stdin();
    drop(peer);
    rnc.wait()
        .expect_code(0)
        .expect_stdout("one")
        .expect_silence();
    drop(stdin);
}
