//! Ends: close_notify is a half-close, in both directions and both roles; an end of the connection
//! without it is a break.

use super::session::{ROLES, Role, Session, everywhere, session, session_with, waits};
use crate::common::{Pty, Stdin, Stdout, assert_bytes, pattern};
use std::io::Write;
use std::time::Duration;

/// What rnc says of a stream that ended without close_notify.
const CUT_SHORT: &str = "close_notify";

#[test]
fn the_end_of_stdin_reaches_the_peer_and_the_answer_still_comes() {
    everywhere(|role, options| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, options);
        rnc.feed(b"request".to_vec());
        assert_bytes("the request", &peer.read_all(&rnc), b"request");
        peer.say("answer", &rnc);
        rnc.shows("answer");
        assert!(rnc.is_running(), "it left before the peer ended");
        peer.half_close(&rnc);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("answer")
            .expect_silence();
    });
}

#[test]
fn after_the_peers_end_stdout_is_closed_and_stdin_still_goes_out() {
    everywhere(|role, options| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, options);
        peer.say("all I have", &rnc);
        // No FIN behind it: close_notify alone is the end.
        peer.close_notify(&rnc);
        assert!(
            rnc.stdout.wait_end(),
            "stdout was not closed at the peer's end"
        );
        assert_bytes("stdout", &rnc.stdout.bytes(), b"all I have");
        for piece in ["still ", "going ", "out"] {
            rnc.send(piece);
            let got = peer.read_some(piece.len(), &rnc);
            assert_bytes("the peer got", &got, piece.as_bytes());
        }
        assert!(rnc.is_running(), "it left before stdin ended");
        rnc.close_stdin();
        assert_bytes("after stdin's end", &peer.read_all(&rnc), b"");
        rnc.wait().expect_code(0).expect_silence();
    });
}

#[test]
fn megabytes_go_both_ways_before_during_and_after_a_half_close() {
    const LEN: usize = 3_000_000;
    everywhere(|role, options| {
        let Session { mut rnc, peer, .. } = session(role, options);
        let (ours, theirs) = (pattern(LEN, 1), pattern(LEN, 2));
        rnc.feed(ours.clone());
        let mut peer = peer;
        // It answers only when it has all: rnc's own end has been passed on by then.
        assert_bytes("the request", &peer.read_all(&rnc), &ours);
        peer.say(&theirs, &rnc);
        peer.half_close(&rnc);
        rnc.wait()
            .expect_code(0)
            .expect_stdout(&theirs)
            .expect_silence();
    });
}

#[test]
fn both_directions_are_under_way_at_once() {
    const LEN: usize = 3_000_000;
    everywhere(|role, options| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, options);
        let sent = pattern(LEN, 3);
        rnc.feed(sent.clone());
        // An echo: each piece goes back while the next is under way.
        let mut left = LEN;
        while left > 0 {
            let piece = peer.read_some(left.min(10_007), &rnc);
            left -= piece.len();
            peer.say(&piece, &rnc);
        }
        assert_bytes("after all", &peer.read_all(&rnc), b"");
        peer.half_close(&rnc);
        rnc.wait()
            .expect_code(0)
            .expect_stdout(&sent)
            .expect_silence();
    });
}

#[test]
fn an_end_without_close_notify_is_told_after_what_came() {
    everywhere(|role, options| {
        let Session { rnc, mut peer, .. } = session(role, options);
        let said = pattern(100_000, 4);
        peer.say(&said, &rnc);
        // FIN alone, which anyone on the way could have sent.
        peer.sock().half_close();
        rnc.wait()
            .expect_code(1)
            .expect_stdout(&said)
            .expect_complaint(CUT_SHORT);
    });
}

#[test]
fn an_end_in_the_middle_of_a_record_is_told_after_what_came() {
    everywhere(|role, options| {
        let Session { rnc, mut peer, .. } = session(role, options);
        peer.say("whole", &rnc);
        let half = half_a_record(&mut peer);
        peer.sock().say(half, &rnc);
        peer.sock().half_close();
        rnc.wait()
            .expect_code(1)
            .expect_stdout("whole")
            .expect_complaint(CUT_SHORT);
    });
}

/// The beginning of a record with data in it.
fn half_a_record(peer: &mut super::peer::TlsSock) -> Vec<u8> {
    let mut record = Vec::new();
    let mut writer = peer.session().writer();
    writer
        .write_all(b"never to be seen")
        .expect("a session takes it");
    peer.session()
        .write_tls(&mut record)
        .expect("a Vec takes it");
    record.truncate(record.len() - 3);
    record
}

#[test]
fn a_reset_is_told_after_what_came() {
    everywhere(|role, options| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, options);
        let stdin = rnc.take_stdin();
        peer.say("before", &rnc);
        rnc.shows("before");
        peer.into_sock().reset();
        let done = rnc.wait().expect_code(1).expect_stdout("before");
        done.expect_complaint("reset");
        drop(stdin);
    });
}

#[test]
fn what_stands_behind_close_notify_is_not_heard() {
    // It is not protected: anyone on the way can add it.
    everywhere(|role, options| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, options);
        peer.say("heard", &rnc);
        peer.close_notify(&rnc);
        peer.sock().say("in plain text\n", &rnc);
        peer.sock().half_close();
        assert!(
            rnc.stdout.wait_end(),
            "close_notify was not taken as the end"
        );
        rnc.send("and still going out");
        rnc.close_stdin();
        assert_bytes("the peer got", &peer.read_all(&rnc), b"and still going out");
        rnc.wait()
            .expect_code(0)
            .expect_stdout("heard")
            .expect_silence();
    });
}

#[test]
fn nothing_at_all_is_a_session_too() {
    everywhere(|role, options| {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, options);
        rnc.close_stdin();
        assert_bytes("the peer got", &peer.read_all(&rnc), b"");
        peer.half_close(&rnc);
        rnc.wait().expect_code(0).expect_stdout("").expect_silence();
    });
}

#[test]
fn no_shutdown_keeps_close_notify_back() {
    for role in ROLES {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, &["--no-shutdown"]);
        rnc.feed(b"request".to_vec());
        assert_bytes("request", &peer.read_some(7, &rnc), b"request");
        peer.say("answer", &rnc);
        rnc.shows("answer");
        // Had an end been sent, it would be there by now, before anything else.
        assert!(peer.sock().has_nothing_to_read(), "{role:?}: an end came");
        peer.half_close(&rnc);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("answer")
            .expect_silence();
    }
}

#[test]
fn who_leaves_at_the_end_of_stdin_has_sent_all_of_it_and_the_end() {
    // Little room on the way, and a peer that reads late: at the end of stdin some is still here.
    for (len, options) in [
        (150_000, &["--send-only"][..]),
        (200_000, &["-q", "0"]),
        (250_000, &["--until", "stdin"]),
    ] {
        let sent = pattern(len, 16);
        everywhere(|role, versions| {
            let options = [options, &["-O", "16384"], versions].concat();
            let Session {
                mut rnc, mut peer, ..
            } = session(role, &options);
            rnc.feed(sent.clone());
            waits(&rnc);
            // With close_notify behind it: an end without is a failure here.
            assert_bytes("the peer got", &peer.read_all(&rnc), &sent);
            rnc.wait().expect_code(0).expect_silence();
        });
    }
}

#[test]
fn silence_is_timed_out_as_without_tls() {
    for role in ROLES {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, &["-w", "1s"]);
        let stdin = rnc.take_stdin();
        peer.say("and then nothing", &rnc);
        let done = rnc.wait().expect_code(3);
        done.expect_stdout("and then nothing");
        drop(stdin);
    }
}

#[test]
fn the_peers_end_ends_a_session_in_a_terminal() {
    let pty = Pty::open();
    let Session { rnc, mut peer, .. } =
        session_with(Role::Connects, &[], |cmd| cmd.in_terminal(&pty));
    pty.types("typed\n");
    assert_bytes("typed", &peer.read_some(6, &rnc), b"typed\n");
    peer.say("answered\n", &rnc);
    pty.shows("answered", &rnc);
    peer.half_close(&rnc);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn stdout_that_is_gone_ends_what_is_received_and_no_more() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Connects, &[], |cmd| {
        cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
    });
    drop(rnc.stdout_pipe.take());
    peer.say("to nobody", &rnc);
    rnc.send("still heard");
    assert_bytes("the peer got", &peer.read_some(11, &rnc), b"still heard");
    rnc.close_stdin();
    rnc.wait();
}

#[test]
fn a_client_passes_close_notify_on_in_quiet_and_no_fin_after_it() {
    let Session {
        mut rnc, mut peer, ..
    } = session(Role::Connects, &["--tls-min", "1.3"]);
    rnc.feed(b"request".to_vec());
    assert_bytes("the request", &peer.read_all(&rnc), b"request");
    // Not a time measured: a span in which nothing may come.
    std::thread::sleep(Duration::from_millis(300));
    assert!(peer.sock().has_nothing_to_read(), "a FIN came");
    peer.say("answer", &rnc);
    peer.half_close(&rnc);
    rnc.wait()
        .expect_code(0)
        .expect_stdout("answer")
        .expect_silence();
}

#[test]
fn a_client_of_tls_1_2_keeps_its_end_until_it_leaves() {
    let Session {
        mut rnc, mut peer, ..
    } = session(Role::Connects, &["--tls-max", "1.2"]);
    rnc.feed(b"request".to_vec());
    assert_bytes("the request", &peer.read_some(7, &rnc), b"request");
    // Longer than a client waits for quiet, which is a second.
    std::thread::sleep(Duration::from_millis(1500));
    assert!(peer.sock().has_nothing_to_read(), "an end came");
    peer.say("answer", &rnc);
    peer.half_close(&rnc);
    rnc.wait()
        .expect_code(0)
        .expect_stdout("answer")
        .expect_silence();
}
