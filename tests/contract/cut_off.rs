//! A session that is cut off looks cut off to the peer: a reset, not an end.

use super::session::{Role, Session, session_with};
use crate::common::{
    Cmd, Pty, Running, Stdin, Stdout, Transport, assert_bytes, connect_to_listener, pattern, rnc,
};
use rustix::process::Signal;
use std::fs::File;

const ROLES: [Role; 2] = [Role::Connect, Role::Listen];

#[test]
fn a_signal_in_the_middle_of_stdin_resets() {
    for role in ROLES {
        for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
            let Session {
                mut rnc, mut peer, ..
            } = session_with(role, Transport::Tcp, &[], |cmd| cmd.stdin(Stdin::Pipe));
            rnc.send("half of");
            assert_bytes("the peer got", &peer.read_some(7, &rnc), b"half of");
            rnc.signal(signal);
            peer.read_to_reset(&rnc);
            rnc.wait().expect_signal(signal);
        }
    }
}

#[test]
fn a_signal_after_the_end_of_stdin_ends() {
    for role in ROLES {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, Transport::Tcp, &["-N"], |cmd| cmd.stdin(Stdin::Pipe));
        rnc.feed(b"all of it".to_vec());
        assert_bytes("the peer got", &peer.read_all(&rnc), b"all of it");
        rnc.signal(Signal::TERM);
        peer.read_all(&rnc);
        rnc.wait().expect_signal(Signal::TERM);
    }
}

#[test]
fn ctrl_c_at_a_terminal_and_its_hangup_are_an_end_and_sigterm_is_not() {
    for role in ROLES {
        for (signal, ends) in [
            (Signal::INT, true),
            (Signal::HUP, true),
            (Signal::TERM, false),
        ] {
            let pty = Pty::open();
            let Session { rnc, mut peer, .. } =
                session_with(role, Transport::Tcp, &[], |cmd| cmd.in_terminal(&pty));
            peer.say("hello\n", &rnc);
            pty.shows("hello", &rnc);
            rnc.signal(signal);
            assert_eq!(peer.read_to_any_end(&rnc).1, ends, "{role:?}, {signal:?}");
            rnc.wait();
        }
    }
}

#[test]
fn a_time_limit_in_the_middle_of_stdin_resets_but_is_an_end_as_nc() {
    for (options, ends) in [
        (&["--timeout", "300ms"][..], false),
        (&["-w", "300ms"], false),
        (&["--as", "nc", "-w", "1"], true),
    ] {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(Role::Connect, Transport::Tcp, options, |cmd| {
            cmd.stdin(Stdin::Pipe)
        });
        rnc.send("half");
        let stdin = rnc.take_stdin();
        assert_bytes("the peer got", &peer.read_some(4, &rnc), b"half");
        assert_eq!(peer.read_to_any_end(&rnc).1, ends, "{options:?}");
        rnc.wait();
        drop(stdin);
    }
}

#[test]
fn a_stdin_that_cannot_be_read_resets() {
    for role in ROLES {
        // A directory: EISDIR.
        let stdin = File::open("/").expect("open");
        let Session { rnc, mut peer, .. } = session_with(role, Transport::Tcp, &[], |cmd| {
            cmd.stdin(Stdin::Fd(stdin.into()))
        });
        peer.read_to_reset(&rnc);
        rnc.wait()
            .expect_code(1)
            .expect_complaint("read from standard input failed");
    }
}

#[test]
fn a_stdout_that_cannot_be_written_resets() {
    for role in ROLES {
        let Session { rnc, mut peer, .. } = session_with(role, Transport::Tcp, &[], |cmd| {
            cmd.stdin(Stdin::Pipe).stdout(Stdout::Full)
        });
        peer.say("for a full disk", &rnc);
        peer.read_to_reset(&rnc);
        rnc.wait()
            .expect_code(1)
            .expect_complaint("write to standard output failed");
    }
}

#[test]
fn many_clients_at_once_are_cut_off_too() {
    let mut rnc = rnc(["-lk", "0"]).stdin(Stdin::Pipe).spawn();
    let mut clients = [(); 3].map(|()| connect_to_listener(&rnc, None));
    // A client is there once it was heard.
    for (n, client) in clients.iter_mut().enumerate() {
        client.say(format!("client {n}\n"), &rnc);
        rnc.shows(&format!("client {n}\n"));
    }
    rnc.send("half of");
    for client in &mut clients {
        assert_bytes("a client got", &client.read_some(7, &rnc), b"half of");
    }
    rnc.signal(Signal::TERM);
    for client in &mut clients {
        client.read_to_reset(&rnc);
    }
    rnc.wait().expect_signal(Signal::TERM);
}

#[test]
fn a_service_a_program_and_a_relay_are_cut_off_too() {
    let target = crate::common::Server::tcp();
    let relay = format!("127.0.0.1:{}", target.port());
    for words in [
        &["-l", "--echo", "0"][..],
        &["-l", "-e", "cat", "0"],
        &["-l", "--relay", &relay, "0"],
    ] {
        let rnc = rnc(words).spawn();
        let mut client = connect_to_listener(&rnc, None);
        client.say("hello", &rnc);
        let mut onward = words.contains(&"--relay").then(|| target.accept(&rnc));
        match &mut onward {
            Some(onward) => assert_bytes("onward", &onward.read_some(5, &rnc), b"hello"),
            None => assert_bytes("back", &client.read_some(5, &rnc), b"hello"),
        }
        rnc.signal(Signal::TERM);
        client.read_to_reset(&rnc);
        if let Some(mut onward) = onward {
            onward.read_to_reset(&rnc);
        }
        rnc.wait().expect_signal(Signal::TERM);
    }
}

/// rnc at both ends, whose receiver is the one to know that it has only a part.
#[test]
fn the_other_rnc_exits_with_1() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let receiver = rnc(["-l", "0"]).spawn();
        let port = receiver.listening_port().to_string();
        let mut sender: Running = rnc(["127.0.0.1", &port]).stdin(Stdin::Pipe).spawn();
        sender.send(pattern(1 << 20, 9));
        let stdin = sender.take_stdin();
        receiver.stdout.wait_until(|bytes| bytes.len() >= 1 << 20);
        sender.signal(signal);
        sender.wait().expect_signal(signal);
        drop(stdin);
        receiver
            .wait()
            .expect_code(1)
            .expect_complaint("Connection reset by peer");
    }
}

#[test]
fn what_a_slow_reader_has_not_read_yet_is_waited_for() {
    const LEN: usize = 400_000;
    for options in [
        &["--send-only"][..],
        &["-q", "0"],
        &["-q", "100ms"],
        &["--until", "stdin"],
        &["--as", "nc", "-N", "-q", "0"],
        &["--as", "ncat", "--send-only"],
    ] {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(Role::Connect, Transport::Tcp, options, |cmd: Cmd| {
            cmd.stdin(Stdin::Pipe)
        });
        let payload = pattern(LEN, 10);
        peer.say("an answer that makes closing at once a reset", &rnc);
        rnc.feed(payload.clone());
        // Longer than the second that a signal gives.
        std::thread::sleep(std::time::Duration::from_millis(1500));
        assert_bytes("the peer got", &peer.read_some(LEN, &rnc), &payload);
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn a_reset_after_the_peers_end_is_an_error() {
    for role in ROLES {
        for transport in [Transport::Tcp, Transport::Unix] {
            let Session { mut rnc, peer, .. } =
                session_with(role, transport, &[], |cmd| cmd.stdin(Stdin::Pipe));
            rnc.send("not read by anyone");
            let arrived = crate::common::eventually(|| !peer.has_nothing_to_read());
            assert!(arrived, "nothing came");
            let stdin = rnc.take_stdin();
            peer.half_close();
            assert!(rnc.stdout.wait_end(), "stdout was not closed");
            drop(peer);
            rnc.wait().expect_code(1).expect_complaint("failed");
            drop(stdin);
        }
    }
}
