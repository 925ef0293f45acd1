//! Many clients at once: everything is delivered, nothing spins, and nobody stops the others.

use super::{comes_to_rest, crowd};
use crate::common::{
    Cmd, Log, Running, Sock, Stdin, Stdout, TempDir, assert_bytes, connect_to_listener, eventually,
    flood_until_stuck, pattern, rnc, shell, unread_by_owner,
};
use rustix::process::Signal;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

#[test]
fn a_client_that_reads_late_gets_everything() {
    let (mut crowd, mut client) = crowd(&[], piped);
    let payload = pattern(30_000_000, 1);
    let mut stdin = crowd.take_stdin();
    // As far as it goes while the client reads nothing.
    let sent = flood_until_stuck(&mut stdin, &payload);
    let rest = payload[sent..].to_vec();
    let feed = std::thread::spawn(move || stdin.write_all(&rest));
    let got = client.read_all(&crowd);
    feed.join().expect("feed").expect("write to stdin");
    assert_bytes("the client got", &got, &payload);
}

#[test]
fn a_crowd_does_not_spin_while_an_unfinished_line_waits_for_stdout() {
    let (crowd, mut client) = crowd(&[], |cmd| piped(cmd).stdout(Stdout::Unread));
    flood_until_stuck(
        &mut client,
        b"no line end here, ".repeat(1 << 12).as_slice(),
    );
    comes_to_rest(&crowd);
}

#[test]
fn a_crowd_does_not_spin_when_the_client_leaves_between_paced_lines() {
    let (mut crowd, mut client) = crowd(&["-i", "0.2"], piped);
    crowd.send("line\n".repeat(1000));
    assert_bytes("the client got", &client.read_some(5, &crowd), b"line\n");
    client.reset();
    comes_to_rest(&crowd);
}

#[test]
fn q_waits_until_a_blocked_stdout_has_everything() {
    let (mut crowd, mut client) = crowd(&["-q", "0.1"], |cmd| piped(cmd).stdout(Stdout::Unread));
    let payload = b"line\n".repeat(60_000);
    client.say(&payload, &crowd);
    client.half_close();
    crowd.close_stdin();
    // The time of -q is long over then.
    comes_to_rest(&crowd);
    assert_bytes("stdout", &read_stdout(&mut crowd), &payload);
    crowd.wait().expect_code(0).expect_silence();
}

#[test]
fn q_waits_until_a_slow_client_has_everything() {
    let (mut crowd, mut client) = crowd(&["-q", "0"], piped);
    let payload = pattern(16_000_000, 2);
    crowd.feed(payload.clone());
    // Every buffer on the way is full, and stays so until the end of stdin is read.
    comes_to_rest(&crowd);
    assert_bytes("the client got", &client.read_all(&crowd), &payload);
    crowd.wait().expect_code(0).expect_silence();
}

#[test]
fn sigint_delivers_what_the_crowd_has_sent() {
    let (mut crowd, mut client) = crowd(&[], |cmd| piped(cmd).stdout(Stdout::Unread));
    let payload = b"line\n".repeat(30_000);
    client.say(&payload, &crowd);
    let (ours, theirs) = client.ports();
    assert!(
        eventually(|| unread_by_owner(theirs, ours) == Some(0)),
        "it has not read everything"
    );
    crowd.signal(Signal::INT);
    let listens = || TcpStream::connect((Ipv4Addr::LOCALHOST, theirs)).is_ok();
    assert!(eventually(|| !listens()), "it has not noticed the signal");
    assert_bytes("stdout", &read_stdout(&mut crowd), &payload);
    crowd.wait().expect_signal(Signal::INT);
}

#[test]
fn a_client_that_only_sends_is_dropped_in_the_end_and_the_others_get_everything() {
    let (mut crowd, deaf) = crowd(&[], |cmd| piped(cmd).stdout(Stdout::Null));
    let good = connect_to_listener(&crowd, None);
    let received = Log::follow(good.try_clone());
    let payload = pattern(20_000_000, 3);
    crowd.feed(payload.clone());
    let chatter = sends_now_and_then(deaf);
    crowd.says("does not read: dropped");
    if !received.wait_end() {
        crowd.fail("the end does not reach the other client");
    }
    assert_bytes("the other client got", &received.bytes(), &payload);
    drop(chatter);
}

#[test]
fn clients_that_have_ended_give_up_their_places_to_those_who_wait() {
    for options in [[].as_slice(), &["--tag"], &["--until", "never"]] {
        let limit = ["--max-conns", "2"];
        let (crowd, mut first) = crowd(&[options, &limit].concat(), piped);
        first.say("the first\n", &crowd);
        crowd.shows("the first\n");
        drop(first);
        for n in 0..10 {
            let words = format!("client {n}\n");
            let mut client = connect_to_listener(&crowd, None);
            client.say(&words, &crowd);
            crowd.shows(&words);
        }
        // All at once, so that the ends come with the clients that wait.
        crowd.stop();
        for n in 10..20 {
            let mut client = connect_to_listener(&crowd, None);
            client.say(pattern_line(n), &crowd);
        }
        crowd.go_on();
        let are_whole = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes);
            (10..20).all(|n| text.contains(&pattern_line(n)))
        };
        assert!(crowd.stdout.wait_until(are_whole), "some are not heard");
    }
}

#[test]
fn clients_that_have_ended_give_up_their_descriptors_to_those_who_wait() {
    let dir = TempDir::new();
    let crowd = shell("ulimit -n 30; exec rnc -lk 0", &dir)
        .stdin(Stdin::Pipe)
        .spawn();
    crowd.listening_port();
    crowd.stop();
    for n in 0..50 {
        let mut client = connect_to_listener(&crowd, None);
        client.say(format!("client {n}\n"), &crowd);
    }
    crowd.go_on();
    let are_there = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count() == 50;
    assert!(crowd.stdout.wait_until(are_there), "some are not heard");
    let said = crowd.stderr.text();
    assert!(!said.contains("clients wait"), "{said}");
}

/// A line that takes more than one read.
fn pattern_line(n: usize) -> String {
    format!("{}client {n}\n", ".".repeat(50_000))
}

#[test]
fn members_of_a_broker_that_have_ended_give_up_their_places() {
    for kind in ["--broker", "--chat"] {
        let broker = piped(rnc([kind, "--max-conns", "2", "-lv", "0"])).spawn();
        let mut listener = connect_to_listener(&broker, None);
        for n in 0..5 {
            let mut client = connect_to_listener(&broker, None);
            client.say(format!("client {n}\n"), &broker);
            client.half_close();
            let mut heard = Vec::new();
            while !String::from_utf8_lossy(&heard).contains(&format!("client {n}\n")) {
                heard.extend(listener.read_some(1, &broker));
            }
        }
    }
}

#[test]
fn a_client_that_is_still_sent_something_keeps_its_place() {
    let (mut crowd, mut first) = crowd(&["-v", "--max-conns", "1"], piped);
    let payload = pattern(20_000_000, 4);
    let mut stdin = crowd.take_stdin();
    let sent = flood_until_stuck(&mut stdin, &payload);
    // It has ended, and does not read yet.
    first.half_close();
    comes_to_rest(&crowd);
    let mut second = connect_to_listener(&crowd, None);
    assert_bytes("one too many got", &second.read_all(&crowd), b"");
    crowd.says("New connection denied: connection limit reached (1)");
    assert_bytes(
        "the first got",
        &first.read_some(sent, &crowd),
        &payload[..sent],
    );
    // Now it has nothing to come.
    let mut third = connect_to_listener(&crowd, None);
    third.say("the third\n", &crowd);
    crowd.shows("the third\n");
}

#[test]
fn a_client_that_is_only_silent_keeps_its_place() {
    let (crowd, mut first) = crowd(&["-v", "--max-conns", "1"], piped);
    let mut second = connect_to_listener(&crowd, None);
    assert_bytes("one too many got", &second.read_all(&crowd), b"");
    crowd.says("New connection denied: connection limit reached (1)");
    first.say("still here\n", &crowd);
    crowd.shows("still here\n");
}

fn piped(cmd: Cmd) -> Cmd {
    cmd.stdin(Stdin::Pipe)
}

/// Reads rnc's stdout to its end.
#[track_caller]
fn read_stdout(rnc: &mut Running) -> Vec<u8> {
    let mut pipe = rnc.stdout_pipe.take().expect("stdout is Unread");
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).expect("read stdout");
    bytes
}

/// Sends a line now and then and never reads, for as long as what it gives is kept.
fn sends_now_and_then(mut sock: Sock) -> Sender<()> {
    let (keep, kept) = channel();
    std::thread::spawn(move || {
        while kept.recv_timeout(Duration::from_millis(500)) == Err(RecvTimeoutError::Timeout) {
            // Fails once the client has been dropped.
            let _ = sock.write_all(b".\n");
        }
    });
    keep
}
