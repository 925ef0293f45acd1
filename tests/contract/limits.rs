//! When rnc leaves because it was told to: `--until`, `-q`, `--send-only`, `-W`.

use super::session::{Session, everywhere, session_with};
use crate::common::{Sock, Stdin, assert_bytes, pattern};
use rustix::process::Signal;

#[test]
fn until_peer_leaves_at_the_peers_end_though_stdin_is_open() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &["--until", "peer"], |cmd| {
            cmd.stdin(Stdin::Pipe)
        });
        let stdin = rnc.take_stdin();
        let payload = pattern(100_000, 70);
        peer.say(&payload, &rnc);
        peer.half_close();
        rnc.wait()
            .expect_code(0)
            .expect_stdout(&payload)
            .expect_silence();
        drop(stdin);
    });
}

#[test]
fn until_stdin_leaves_when_stdin_is_sent_though_the_peer_stays() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &["--until", "stdin"], |cmd| {
            cmd.stdin(Stdin::Pipe)
        });
        let payload = pattern(300_000, 71);
        rnc.feed(payload.clone());
        assert_bytes("the peer got", &peer.read_all(&rnc), &payload);
        rnc.wait().expect_code(0).expect_silence();
    });
}

#[test]
fn until_never_outlasts_both_ends() {
    everywhere(|role, transport| {
        let Session { rnc, mut peer, .. } =
            session_with(role, transport, &["--until", "never", "-N"], |cmd| cmd);
        assert_bytes("the peer got", &peer.read_all(&rnc), b"");
        peer.say("last words", &rnc);
        drop(peer);
        // stdout is closed, which is all that the end of both brings.
        assert!(rnc.stdout.wait_end(), "stdout was not closed");
        assert!(rnc.is_running(), "it left");
        rnc.signal(Signal::TERM);
        rnc.wait()
            .expect_signal(Signal::TERM)
            .expect_stdout("last words")
            .expect_silence();
    });
}

#[test]
fn send_only_leaves_when_stdin_is_sent_and_discards_what_comes() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &["--send-only"], |cmd| {
            cmd.stdin(Stdin::Pipe)
        });
        peer.say("for nobody", &rnc);
        let payload = pattern(300_000, 72);
        rnc.feed(payload.clone());
        assert_bytes(
            "the peer got",
            &read_whole(&mut peer, payload.len()),
            &payload,
        );
        rnc.wait().expect_code(0).expect_stdout("").expect_silence();
    });
}

#[test]
fn q_leaves_by_itself_after_the_last_answer() {
    everywhere(|role, transport| {
        let Session { rnc, mut peer, .. } = session_with(role, transport, &["-q", "1"], |cmd| cmd);
        peer.say("answer", &rnc);
        // The peer stays, and says nothing more.
        rnc.wait()
            .expect_code(0)
            .expect_stdout("answer")
            .expect_silence();
    });
}

#[test]
fn q_0_drops_no_answer_that_is_there_to_be_read() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &["-q", "0"], |cmd| cmd.stdin(Stdin::Pipe));
        rnc.send("hello");
        assert_bytes("the peer got", &peer.read_some(5, &rnc), b"hello");
        // While it is stopped the answer comes and stdin ends, so that it finds both together.
        rnc.stop();
        let answer = pattern(30_000, 73);
        peer.say(&answer, &rnc);
        rnc.close_stdin();
        rnc.go_on();
        rnc.wait()
            .expect_code(0)
            .expect_stdout(&answer)
            .expect_silence();
    });
}

#[test]
fn w_1_leaves_after_one_read() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &["-W", "1"], |cmd| cmd.stdin(Stdin::Pipe));
        let stdin = rnc.take_stdin();
        peer.say("one", &rnc);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("one")
            .expect_silence();
        drop(stdin);
    });
}

/// Reads what is expected and leaves it there: the end may be a reset, since nobody reads what
/// the peer has sent.
fn read_whole(peer: &mut Sock, len: usize) -> Vec<u8> {
    use std::io::Read;
    let mut bytes = vec![0; len];
    peer.read_exact(&mut bytes).expect("all of stdin");
    bytes
}
