//! No deadlock: each direction moves whenever its own source and sink can, whatever the other
//! does, and memory stays bounded while it waits.

use super::session::{Role, Session, everywhere, session_with};
use crate::common::{
    Running, Sock, Stdin, Stdout, Transport, assert_bytes, flood_until_stuck, pattern, rnc,
};
use std::io::{Read, Write};
use std::process::ChildStdout;
use std::thread::JoinHandle;

#[test]
fn stdin_reaches_the_peer_while_nobody_reads_stdout_and_the_peer_floods() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &["-N"], |cmd| {
            cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
        });
        let flood = pattern(1 << 16, 10);
        let flooded = flood_until_stuck(&mut peer, &flood);
        let payload = pattern(1 << 20, 11);
        rnc.feed(payload.clone());
        assert_bytes("the peer got", &peer.read_all(&rnc), &payload);
        peer.half_close();
        let stdout = read_all(rnc.stdout_pipe.take().expect("stdout"));
        assert_bytes(
            "stdout",
            &stdout.join().expect("read"),
            &repeated(&flood, flooded),
        );
        rnc.wait().expect_code(0).expect_silence();
    });
}

#[test]
fn the_peer_reaches_stdout_while_it_reads_nothing_and_stdin_floods() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &[], |cmd| cmd.stdin(Stdin::Pipe));
        let flood = pattern(1 << 16, 12);
        let mut stdin = rnc.take_stdin();
        let flooded = flood_until_stuck(&mut stdin, &flood);
        let payload = pattern(1 << 20, 13);
        let sender = send_and_end(&peer, payload.clone());
        assert!(rnc.stdout.wait_end(), "stdout did not get to its end");
        sender.join().expect("send");
        assert_bytes("stdout", &rnc.stdout.bytes(), &payload);
        drop(stdin);
        assert_bytes(
            "the peer got",
            &peer.read_all(&rnc),
            &repeated(&flood, flooded),
        );
        rnc.wait().expect_code(0).expect_silence();
    });
}

#[test]
fn both_ways_at_once_between_two_rncs_lose_nothing() {
    let mut listener = rnc(["-l", "0"]).stdin(Stdin::Pipe).spawn();
    let port = listener.listening_port().to_string();
    let mut client = rnc(["127.0.0.1", &port]).stdin(Stdin::Pipe).spawn();
    let (there, back) = (pattern(5_000_000, 14), pattern(4_000_000, 15));
    client.feed(there.clone());
    listener.feed(back.clone());
    client
        .wait()
        .expect_code(0)
        .expect_stdout(&back)
        .expect_silence();
    listener
        .wait()
        .expect_code(0)
        .expect_stdout(&there)
        .expect_silence();
}

#[test]
fn a_session_stuck_both_ways_goes_on_when_both_readers_come_back() {
    let Session {
        mut rnc, mut peer, ..
    } = session_with(Role::Connect, Transport::Tcp, &[], |cmd| {
        cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
    });
    let flood = pattern(1 << 16, 16);
    let mut stdin = rnc.take_stdin();
    let came_in = flood_until_stuck(&mut peer, &flood);
    let went_out = flood_until_stuck(&mut stdin, &flood);
    peer.half_close();
    drop(stdin);
    let stdout = read_all(rnc.stdout_pipe.take().expect("stdout"));
    assert_bytes(
        "the peer got",
        &peer.read_all(&rnc),
        &repeated(&flood, went_out),
    );
    assert_bytes(
        "stdout",
        &stdout.join().expect("read"),
        &repeated(&flood, came_in),
    );
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_reader_that_leaves_early_ends_a_session_quietly() {
    // `rnc host port </dev/null | head -c 10`
    everywhere(|role, transport| {
        let Session { rnc, peer, .. } =
            session_with(role, transport, &[], |cmd| cmd.stdout(Stdout::Unread));
        leaves_quietly_when_the_reader_does(rnc, peer);
    });
}

#[test]
fn a_reader_that_leaves_early_ends_a_session_in_a_terminal_quietly() {
    let pty = crate::common::Pty::open();
    let Session { rnc, peer, .. } = session_with(Role::Connect, Transport::Tcp, &[], |cmd| {
        cmd.in_terminal(&pty).stdout(Stdout::Unread)
    });
    leaves_quietly_when_the_reader_does(rnc, peer);
}

#[test]
fn a_reader_that_leaves_early_does_not_stop_what_stdin_still_sends() {
    everywhere(|role, transport| {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, transport, &[], |cmd| {
            cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
        });
        drop(rnc.stdout_pipe.take());
        peer.say("for nobody", &rnc);
        let payload = pattern(300_000, 17);
        rnc.feed(payload.clone());
        assert_bytes("the peer got", &peer.read_all(&rnc), &payload);
        drop(peer);
        rnc.wait().expect_code(0).expect_silence();
    });
}

#[track_caller]
fn leaves_quietly_when_the_reader_does(mut rnc: Running, peer: Sock) {
    let mut flooder = peer.try_clone();
    let flood = std::thread::spawn(move || {
        let piece = pattern(1 << 16, 18);
        while flooder.write_all(&piece).is_ok() {}
    });
    let mut head = rnc.stdout_pipe.take().expect("stdout");
    let mut ten = [0; 10];
    head.read_exact(&mut ten).expect("ten bytes");
    drop(head);
    rnc.wait().expect_code(0).expect_silence();
    flood.join().expect("flood");
    drop(peer);
}

fn read_all(mut pipe: ChildStdout) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("read stdout");
        bytes
    })
}

fn send_and_end(peer: &Sock, payload: Vec<u8>) -> JoinHandle<()> {
    let mut sender = peer.try_clone();
    std::thread::spawn(move || {
        sender.write_all(&payload).expect("send");
        sender.half_close();
    })
}

fn repeated(pattern: &[u8], len: usize) -> Vec<u8> {
    pattern.iter().copied().cycle().take(len).collect()
}
