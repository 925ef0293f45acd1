//! A session that ends before its peer does loses nothing on the way out.

use super::{comes_to_rest, connected};
use crate::common::{
    Running, Sock, Stdin, Stdout, assert_bytes, connect_to_listener, pattern, rnc,
};
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[test]
fn send_only_loses_nothing_when_the_peer_talks_back() {
    loses_nothing_though_the_peer_talks(&["--send-only"]);
}

#[test]
fn until_stdin_loses_nothing_when_the_peer_talks_back() {
    loses_nothing_though_the_peer_talks(&["--until", "stdin"]);
}

#[test]
fn q_0_loses_nothing_when_the_peer_talks_back() {
    loses_nothing_though_the_peer_talks(&["-q", "0"]);
}

#[test]
fn until_stdin_delivers_what_came_before_to_a_slow_stdout() {
    let (mut rnc, mut peer) = connected(&["--until", "stdin"], |cmd| {
        cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
    });
    let payload = pattern(200_000, 1);
    peer.say(&payload, &rnc);
    comes_to_rest(&rnc);
    rnc.close_stdin();
    assert_bytes("the peer got", &peer.read_all(&rnc), b"");
    let mut stdout = Vec::new();
    let mut pipe = rnc.stdout_pipe.take().expect("stdout");
    pipe.read_to_end(&mut stdout).expect("read stdout");
    assert_bytes("stdout", &stdout, &payload);
    rnc.wait().expect_code(0).expect_silence();
}

/// rnc leaves when stdin is sent. Were it to leave with something of the peer's unread, RST would
/// destroy what the peer has not read yet.
#[track_caller]
fn loses_nothing_though_the_peer_talks(options: &[&str]) {
    let (mut rnc, mut peer) = connected(options, |cmd| cmd.stdin(Stdin::Pipe).stdout(Stdout::Null));
    let payload = pattern(8_000_000, 2);
    rnc.feed(payload.clone());
    let has_all = Arc::new(AtomicBool::new(false));
    let talk = {
        let (mut peer, has_all) = (peer.try_clone(), Arc::clone(&has_all));
        let words = b"progress\n".repeat(20);
        std::thread::spawn(move || {
            while !has_all.load(Ordering::Relaxed) && peer.write_all(&words).is_ok() {}
        })
    };
    let mut got = Vec::new();
    let mut piece = vec![0; 1 << 16];
    loop {
        match peer.read(&mut piece) {
            Ok(0) => break,
            Ok(n) => got.extend_from_slice(&piece[..n]),
            Err(error) => rnc.fail(&format!(
                "its peer got {} bytes and then: {error}",
                got.len()
            )),
        }
        // A peer slower than rnc: much of it is still on the way when rnc has sent the last byte.
        std::thread::sleep(Duration::from_millis(2));
    }
    has_all.store(true, Ordering::Relaxed);
    assert_bytes("the peer got", &got, &payload);
    rnc.wait().expect_code(0).expect_silence();
    talk.join().expect("talk");
}

#[test]
fn what_the_peer_does_not_take_after_its_own_end_is_an_error() {
    for (rnc, peer) in sent_to_a_peer_that_has_ended() {
        assert!(rnc.is_running(), "it left with bytes on their way");
        // Closing with bytes unread is a reset.
        drop(peer);
        rnc.wait().expect_code(1).expect_complaint("failed: ");
    }
}

#[test]
fn what_is_sent_after_the_peers_end_is_waited_for() {
    for (rnc, mut peer) in sent_to_a_peer_that_has_ended() {
        assert!(rnc.is_running(), "it left with bytes on their way");
        assert_bytes("the peer got", &peer.read_all(&rnc), &pattern(BULK, 3));
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn the_time_of_w_counts_anew_once_the_end_is_passed_on() {
    let options = ["-w", "300ms", "--shutdown", "300ms"];
    let (mut rnc, mut peer) = connected(&options, |cmd| cmd.stdin(Stdin::Pipe));
    rnc.send("request\n");
    rnc.close_stdin();
    peer.read_all(&rnc);
    // A peer that needs a moment for its answer to the end.
    std::thread::sleep(Duration::from_millis(50));
    peer.say("answer\n", &rnc);
    drop(peer);
    rnc.wait().expect_code(0).expect_stdout("answer\n");
}

/// More than a system stores for a program that does not read.
const BULK: usize = 600_000;

/// rnc as a client and as a listener, whose peer sends its end, and does not read yet: all of
/// `pattern(BULK, 3)` is written, and a part of it is under way.
fn sent_to_a_peer_that_has_ended() -> [(Running, Sock); 2] {
    let as_client = connected(&[], |cmd| cmd.stdin(Stdin::Pipe));
    let listener = rnc(["-l", "0"]).stdin(Stdin::Pipe).spawn();
    let client = connect_to_listener(&listener, None);
    [as_client, (listener, client)].map(|(mut rnc, peer)| {
        peer.half_close();
        rnc.feed(pattern(BULK, 3));
        // A span in which it must not leave.
        std::thread::sleep(Duration::from_secs(1));
        (rnc, peer)
    })
}
