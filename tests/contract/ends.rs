//! Ends that are not clean: what was received is delivered all the same, and said to be cut off.

use super::session::{Role, Session, everywhere, session, session_with};
use crate::common::{
    Cmd, Log, Pty, Running, Sock, Stdin, Stdout, Transport, assert_bytes, eventually,
    is_nonblocking, pattern, unread_by_owner,
};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

#[test]
fn a_reset_is_told_and_what_came_before_it_is_on_stdout() {
    for role in [Role::Connect, Role::Listen] {
        let Session { rnc, mut peer, .. } = session(role, Transport::Tcp);
        let payload = pattern(50_000, 20);
        peer.say(&payload, &rnc);
        rnc.stdout.wait_until(|bytes| bytes.len() >= payload.len());
        peer.reset();
        rnc.wait()
            .expect_code(1)
            .expect_stdout(&payload)
            .expect_complaint("Connection reset by peer");
    }
}

#[test]
fn a_reset_right_behind_the_data_does_not_cost_the_data() {
    for role in [Role::Connect, Role::Listen] {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, Transport::Tcp);
        both_ways_work(&mut rnc, &mut peer);
        // While it is stopped both arrive, so that it finds them together.
        rnc.stop();
        let payload = pattern(8_000, 21);
        peer.say(&payload, &rnc);
        peer.reset();
        rnc.go_on();
        rnc.wait()
            .expect_code(1)
            .expect_stdout([b"hello".as_slice(), &payload].concat())
            .expect_complaint("Connection reset by peer");
    }
}

#[test]
fn a_reset_while_sending_is_told() {
    let Session { mut rnc, peer, .. } = session(Role::Connect, Transport::Tcp);
    let mut stdin = rnc.take_stdin();
    crate::common::flood_until_stuck(&mut stdin, &pattern(1 << 16, 22));
    peer.reset();
    // The rest of the flood waits in the pipe: it cannot be delivered, and that is a failure.
    let done = rnc.wait();
    let text = if done.stderr.contains("reset") {
        "Connection reset by peer"
    } else {
        "Broken pipe"
    };
    done.expect_code(1).expect_complaint(text);
    drop(stdin);
}

#[test]
fn a_unix_peer_that_goes_without_reading_is_told() {
    for role in [Role::Connect, Role::Listen] {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, Transport::Unix);
        let mut stdin = rnc.take_stdin();
        crate::common::flood_until_stuck(&mut stdin, &pattern(1 << 16, 23));
        peer.say("last words", &rnc);
        rnc.shows("last words");
        drop(peer);
        let done = rnc.wait().expect_code(1);
        assert_eq!(done.complaints().len(), 1, "{done}");
        drop(stdin);
    }
}

#[test]
fn a_signal_delivers_what_was_received_and_ends_rnc_by_that_signal() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        everywhere(|role, transport| {
            let Session {
                mut rnc, mut peer, ..
            } = session(role, transport);
            both_ways_work(&mut rnc, &mut peer);
            let payload = pattern(30_000, 24);
            peer.say(&payload, &rnc);
            rnc.stdout
                .wait_until(|bytes| bytes.len() >= payload.len() + 5);
            rnc.signal(signal);
            rnc.wait()
                .expect_signal(signal)
                .expect_stdout([b"hello".as_slice(), &payload].concat())
                .expect_silence();
        });
    }
}

#[test]
fn sigint_delivers_what_still_waits_for_the_reader_of_stdout() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Connect, Transport::Tcp, &[], |cmd| {
        cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
    });
    // More than the pipe of stdout takes, and little enough for rnc to have read it all.
    let payload = pattern((64 + 8) << 10, 25);
    peer.say(&payload, &rnc);
    let (ours, theirs) = peer.ports();
    assert!(
        eventually(|| unread_by_owner(theirs, ours) == Some(0)),
        "it did not read everything"
    );
    rnc.signal(Signal::INT);
    let stdout = Log::follow(rnc.stdout_pipe.take().expect("stdout"));
    let done = rnc.wait().expect_signal(Signal::INT);
    assert!(stdout.wait_end());
    assert_bytes("stdout", &stdout.bytes(), &payload);
    done.expect_silence();
}

#[test]
fn ctrl_c_ends_a_session_in_a_terminal_and_leaves_the_terminal_as_it_was() {
    everywhere(|role, transport| {
        let pty = Pty::open();
        let before = pty.settings();
        let Session { rnc, mut peer, .. } =
            session_with(role, transport, &[], |cmd| cmd.in_terminal(&pty));
        peer.say("shown\n", &rnc);
        pty.shows("shown\r\n", &rnc);
        pty.types_interrupt();
        rnc.wait().expect_signal(Signal::INT).expect_silence();
        assert_eq!(pty.settings(), before);
        assert!(
            !is_nonblocking(pty.slave()),
            "O_NONBLOCK was left on the terminal"
        );
    });
}

#[test]
fn a_signal_ends_a_listener_that_waits() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let rnc = crate::common::rnc(["-l", "0"]).spawn();
        rnc.listening_port();
        rnc.signal(signal);
        rnc.wait().expect_signal(signal).expect_silence();
    }
}

#[test]
fn a_full_stdout_is_told_once_and_is_a_failure() {
    everywhere(|role, transport| {
        let Session { rnc, mut peer, .. } =
            session_with(role, transport, &[], |cmd| cmd.stdout(Stdout::Full));
        peer.say(pattern(100_000, 26), &rnc);
        drop(peer);
        let done = rnc
            .wait()
            .expect_code(1)
            .expect_complaint("No space left on device");
        assert!(done.complaints()[0].starts_with("rnc: "), "{done}");
    });
}

#[test]
fn descriptors_closed_at_the_start_are_harmless() {
    everywhere(|role, transport| {
        let closed = |cmd: Cmd| cmd.stdin(Stdin::Closed).stdout(Stdout::Closed);
        let Session { rnc, mut peer, .. } = session_with(role, transport, &[], closed);
        peer.say("this must not come back", &rnc);
        peer.half_close();
        // In OpenBSD nc the socket becomes descriptor 0 or 1, and the peer gets its own words.
        assert_bytes("the peer got", &peer.read_all(&rnc), b"");
        rnc.wait()
            .expect_code(1)
            .expect_complaint("write to standard output failed: Bad file descriptor");
    });
}

#[test]
fn a_closed_stderr_is_harmless() {
    let closed = |cmd: Cmd| {
        cmd.stdin(Stdin::Closed)
            .stdout(Stdout::Closed)
            .stderr(Stdout::Closed)
    };
    for transport in [Transport::Tcp, Transport::Unix] {
        // -v has something to say, which must not go to the peer.
        let Session { rnc, mut peer, .. } = session_with(Role::Connect, transport, &["-v"], closed);
        peer.say("this must not come back", &rnc);
        peer.half_close();
        assert_bytes("the peer got", &peer.read_all(&rnc), b"");
        rnc.wait().expect_code(1);
    }
}

#[test]
fn a_full_stderr_is_harmless() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Connect, Transport::Tcp, &["-v"], |cmd| {
        cmd.stdin(Stdin::Pipe).stderr(Stdout::Full)
    });
    both_ways_work(&mut rnc, &mut peer);
    drop(peer);
    rnc.wait().expect_code(0).expect_stdout("hello");
}

#[test]
fn o_nonblock_is_never_left_on_a_shared_pipe() {
    everywhere(|role, transport| {
        let (stdin, mut feeder) = std::io::pipe().expect("pipe");
        let (mut reader, stdout) = std::io::pipe().expect("pipe");
        let (shared_in, shared_out) = (stdin.try_clone(), stdout.try_clone());
        let (shared_in, shared_out) = (shared_in.expect("dup"), shared_out.expect("dup"));
        let Session { rnc, mut peer, .. } = session_with(role, transport, &[], |cmd| {
            cmd.stdin(Stdin::Fd(stdin.into()))
                .stdout(Stdout::Fd(stdout.into()))
        });
        feeder.write_all(b"hello").expect("write");
        assert_bytes("the peer got", &peer.read_some(5, &rnc), b"hello");
        peer.say("hello", &rnc);
        let mut five = [0; 5];
        reader.read_exact(&mut five).expect("read");
        // In the middle of the session others use them too.
        assert!(
            !is_nonblocking(&shared_in),
            "O_NONBLOCK is on stdin during the session"
        );
        assert!(
            !is_nonblocking(&shared_out),
            "O_NONBLOCK is on stdout during the session"
        );
        drop(peer);
        drop(feeder);
        rnc.wait().expect_code(0).expect_silence();
        assert!(!is_nonblocking(&shared_in), "O_NONBLOCK was left on stdin");
        assert!(
            !is_nonblocking(&shared_out),
            "O_NONBLOCK was left on stdout"
        );
    });
}

#[test]
fn o_nonblock_is_never_on_a_shared_terminal() {
    let pty = Pty::open();
    let Session { rnc, mut peer, .. } = session_with(Role::Connect, Transport::Tcp, &[], |cmd| {
        cmd.in_terminal(&pty)
    });
    peer.say("shown\n", &rnc);
    pty.shows("shown\r\n", &rnc);
    assert!(
        !is_nonblocking(pty.slave()),
        "O_NONBLOCK is on the terminal during the session"
    );
    drop(peer);
    rnc.wait().expect_code(0).expect_silence();
    assert!(
        !is_nonblocking(pty.slave()),
        "O_NONBLOCK was left on the terminal"
    );
}

#[test]
fn descriptors_that_are_nonblocking_already_work_and_stay_so() {
    everywhere(|role, transport| {
        let (stdin, mut feeder) = std::io::pipe().expect("pipe");
        let (mut reader, stdout) = std::io::pipe().expect("pipe");
        set_nonblocking(&stdin);
        set_nonblocking(&stdout);
        let (shared_in, shared_out) = (stdin.try_clone(), stdout.try_clone());
        let (shared_in, shared_out) = (shared_in.expect("dup"), shared_out.expect("dup"));
        let Session { rnc, mut peer, .. } = session_with(role, transport, &["-N"], |cmd| {
            cmd.stdin(Stdin::Fd(stdin.into()))
                .stdout(Stdout::Fd(stdout.into()))
        });
        // More than the pipes hold, so that reads and writes find nothing to do.
        let payload = pattern(300_000, 27);
        let (to_feed, to_send) = (payload.clone(), payload.clone());
        let feed = std::thread::spawn(move || feeder.write_all(&to_feed).expect("feed"));
        let mut sender = peer.try_clone();
        let send = std::thread::spawn(move || sender.write_all(&to_send).expect("send"));
        assert_bytes("the peer got", &peer.read_all(&rnc), &payload);
        let mut got = vec![0; payload.len()];
        reader.read_exact(&mut got).expect("read");
        assert_bytes("stdout", &got, &payload);
        feed.join().expect("feed");
        send.join().expect("send");
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
        assert!(
            is_nonblocking(&shared_in) && is_nonblocking(&shared_out),
            "the flag was taken"
        );
    });
}

#[test]
fn a_stopped_terminal_does_not_stop_the_keyboard() {
    const CTRL_S: &str = "\x13";
    const CTRL_Q: &str = "\x11";
    everywhere(|role, transport| {
        let pty = Pty::open();
        let Session { rnc, mut peer, .. } =
            session_with(role, transport, &[], |cmd| cmd.in_terminal(&pty));
        pty.types(CTRL_S);
        let shown = crate::common::lines(5_000, "for a stopped screen");
        let mut sender = peer.try_clone();
        let to_send = shown.clone();
        let send = std::thread::spawn(move || sender.write_all(&to_send).expect("send"));
        for n in 1..=3 {
            pty.types(format!("line {n}\n"));
            let line = format!("line {n}\n").into_bytes();
            assert_bytes("the peer got", &peer.read_some(line.len(), &rnc), &line);
        }
        pty.types(CTRL_Q);
        send.join().expect("send");
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
        let screen = pty.screen();
        let last = String::from_utf8_lossy(&shown)
            .replace('\n', "\r\n")
            .into_bytes();
        // Echoes of what was typed may stand anywhere between the lines.
        assert!(
            screen.wait_until(|bytes| bytes.len() >= last.len()),
            "the screen is short"
        );
        assert_eq!(pty.count("for a stopped screen"), 5_000);
    });
}

#[test]
fn signals_ignored_at_the_start_stay_ignored() {
    // As under nohup, or in the background of a script.
    let dir = crate::common::TempDir::new();
    let line = "trap '' INT HUP; exec rnc -l 0";
    let mut rnc = crate::common::shell(line, &dir).stdin(Stdin::Pipe).spawn();
    let mut peer = crate::common::connect_to_listener(&rnc, None);
    both_ways_work(&mut rnc, &mut peer);
    rnc.signal(Signal::INT);
    rnc.signal(Signal::HUP);
    peer.say(", again", &rnc);
    rnc.shows("hello, again");
    drop(peer);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_terminal_that_goes_away_ends_the_session() {
    let pty = Pty::open_unwatched();
    let Session { rnc, mut peer, .. } = session_with(Role::Connect, Transport::Tcp, &[], |cmd| {
        cmd.in_terminal(&pty)
    });
    pty.types("hello\n");
    assert_bytes("the peer got", &peer.read_some(6, &rnc), b"hello\n");
    pty.hang_up();
    assert_bytes("after the hang-up", &peer.read_all(&rnc), b"");
    // The end of the terminal and SIGHUP come together: whichever it sees first.
    let done = rnc.wait();
    let by_signal = done.status.signal() == Some(Signal::HUP.as_raw());
    assert!(by_signal || done.status.success(), "{done}");
}

#[test]
fn an_idle_timeout_loses_nothing_that_was_received() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &["-w", "1"], |cmd| cmd.stdin(Stdin::Pipe));
        both_ways_work(&mut rnc, &mut peer);
        // stdin must stay open: `wait` would close it.
        let stdin = rnc.take_stdin();
        let done = rnc.wait_within(Duration::from_secs(20));
        done.expect_code(3)
            .expect_stdout("hello")
            .expect_complaint("timed out");
        drop(stdin);
    });
}

/// A few bytes in each direction, so that the session surely stands.
#[track_caller]
fn both_ways_work(rnc: &mut Running, peer: &mut Sock) {
    rnc.send("hello");
    assert_bytes("the peer got", &peer.read_some(5, rnc), b"hello");
    peer.say("hello", rnc);
    rnc.shows("hello");
}

fn set_nonblocking(fd: &impl std::os::fd::AsFd) {
    rustix::io::ioctl_fionbio(fd, true).expect("FIONBIO");
}
