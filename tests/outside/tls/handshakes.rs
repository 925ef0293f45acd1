//! Handshakes that fail: a peer that stops in the middle, speaks something else or nonsense, or
//! goes; and a hundred of them beside a good one.

use super::certs::Authority;
use super::peer::{TlsSock, client_config, server_config};
use super::session::{ROLES, Role, connecting, fails, listening, tcp_pair};
use crate::common::{
    Running, Server, Sock, Stdin, assert_bytes, connect_to_listener, may_have_descriptors,
    peak_rss_kib, rnc, work_done,
};
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// What the test does to a connection on which rnc wants to shake hands, and what rnc says of it.
#[track_caller]
fn breaks_off(role: Role, reason: &str, does: impl FnOnce(&mut Sock, &Running)) -> String {
    let authority = Authority::new();
    let (rnc, mut sock) = tcp_pair(role, &authority, &[], |cmd| cmd);
    does(&mut sock, &rnc);
    // So that it is no reset: what rnc said is read.
    sock.half_close();
    let _ = sock.read_to_end(&mut Vec::new());
    drop(sock);
    let stderr = Arc::clone(&rnc.stderr);
    fails(role, &authority, rnc, reason);
    stderr.text()
}

/// Reads the beginning of what rnc says first as a client: its ClientHello's header.
fn hears_hello(sock: &mut Sock, rnc: &Running) {
    let header = sock.read_some(5, rnc);
    assert_eq!(header[0], 22, "a handshake record: {header:?}");
    let len = u16::from_be_bytes([header[3], header[4]]);
    sock.read_some(len.into(), rnc);
}

#[test]
fn a_peer_that_leaves_instead_of_shaking_hands_is_told() {
    for role in ROLES {
        breaks_off(role, "closed the connection without a word", |_, _| {});
    }
    let reason = "closed the connection in the middle";
    breaks_off(Role::Connects, reason, |sock, rnc| {
        hears_hello(sock, rnc);
        // The beginning of a handshake record, and no more.
        sock.say(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", rnc);
    });
    breaks_off(Role::Listens, reason, |sock, rnc| {
        sock.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", rnc);
    });
}

#[test]
fn a_peer_that_resets_instead_of_shaking_hands_is_told() {
    for role in ROLES {
        let authority = Authority::new();
        let (rnc, mut sock) = tcp_pair(role, &authority, &[], |cmd| cmd);
        if role == Role::Connects {
            hears_hello(&mut sock, &rnc);
        }
        sock.reset();
        fails(role, &authority, rnc, "reset");
    }
}

#[test]
fn plain_text_is_told_and_its_beginning_shown() {
    let answer = "HTTP/1.1 400 Bad Request\r\nServer: \x1b[31mred\r\n\r\n";
    let reason = "plain text: HTTP/1.1 400 Bad Request";
    let told = breaks_off(Role::Connects, reason, |sock, rnc| {
        hears_hello(sock, rnc);
        sock.say(answer, rnc);
    });
    assert!(!told.contains("Server"), "more than its beginning: {told}");
    // A greeting comes before anybody asks.
    let reason = "plain text: 220 mail.example.test";
    breaks_off(Role::Connects, reason, |sock, rnc| {
        sock.say("220 mail.example.test ESMTP\r\n", rnc);
    });
    // What a terminal would obey is shown in hex.
    let reason = "it sent 32 32 30 20 1b";
    breaks_off(Role::Connects, reason, |sock, rnc| {
        sock.say("220 \x1b[31mred\r\n", rnc);
    });
    let reason = "plain text: GET /secret HTTP/1.1";
    breaks_off(Role::Listens, reason, |sock, rnc| {
        sock.say("GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n", rnc);
    });
}

#[test]
fn garbage_is_told() {
    for role in ROLES {
        for (garbage, reason) in [
            (&[0_u8; 100][..], "does not speak TLS: it sent 00 00"),
            (&[0xff; 100], "does not speak TLS: it sent ff ff"),
            (
                b"\x80\x2e\x01\x00\x02\x00\x15",
                "does not speak TLS: it sent 80 2e",
            ),
            // An over-long record (RFC 8446, section 5.1).
            (b"\x16\x03\x01\xff\xff\x01\x00\x00\x00", "over-long record"),
            // A handshake message of 16 MiB.
            (
                b"\x16\x03\x01\x00\x09\x01\xff\xff\xff\x00\x00\x00\x00\x00",
                "TLS",
            ),
            // An empty record.
            (b"\x16\x03\x01\x00\x00", "TLS"),
            // A fatal alert: internal_error.
            (b"\x15\x03\x01\x00\x02\x02\x50", "internal_error"),
            // Data before any handshake.
            (b"\x17\x03\x03\x00\x05hello", "TLS"),
        ] {
            eprintln!("rnc {role:?}, {garbage:?}");
            breaks_off(role, reason, |sock, rnc| sock.say(garbage, rnc));
        }
    }
}

#[test]
fn what_cannot_be_a_record_is_not_collected() {
    for role in ROLES {
        let authority = Authority::new();
        let (rnc, mut sock) = tcp_pair(role, &authority, &[], |cmd| cmd);
        // A handshake message of 16 MiB, in whole records.
        let first = [&b"\x16\x03\x01\x40\x00\x01\xff\xff\xff"[..], &[0; 16_380]].concat();
        let more = [&b"\x16\x03\x01\x40\x00"[..], &[0; 16_384]].concat();
        let mut sent = sock.write_all(&first);
        for _ in 0..1500 {
            sent = sent.and_then(|()| sock.write_all(&more));
        }
        sent.expect_err("it takes 24 MB of a handshake");
        fails(role, &authority, rnc, "TLS handshake");
    }
}

#[test]
fn a_handshake_in_single_bytes_is_one() {
    for role in ROLES {
        let authority = Authority::new();
        let (mut rnc, sock) = tcp_pair(role, &authority, &[], |cmd| cmd.stdin(Stdin::Pipe));
        let mut peer = match role {
            Role::Connects => TlsSock::server_before(sock, server_config(&authority.for_here())),
            Role::Listens => TlsSock::client_before(sock, client_config(&authority)),
        };
        peer.in_single_bytes();
        peer.shake_hands(&rnc);
        peer.say("one by one", &rnc);
        rnc.shows("one by one");
        rnc.feed(b"heard".to_vec());
        assert_bytes("the peer got", &peer.read_all(&rnc), b"heard");
        peer.half_close(&rnc);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn words_that_come_with_the_last_of_the_handshake_are_heard() {
    for role in ROLES {
        let authority = Authority::new();
        let (rnc, sock) = tcp_pair(role, &authority, &["--tls-min", "1.3"], |cmd| cmd);
        let mut peer = match role {
            Role::Connects => {
                let mut config = server_config(&authority.for_here());
                // In one write with its Finished, before it has heard ours.
                config.send_half_rtt_data = true;
                TlsSock::server_before(sock, config)
            }
            // In one write with its Finished.
            Role::Listens => TlsSock::client_before(sock, client_config(&authority)),
        };
        let mut writer = peer.session().writer();
        writer.write_all(b"at once").expect("room for it");
        peer.shake_hands(&rnc);
        rnc.shows("at once");
        peer.half_close(&rnc);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("at once")
            .expect_silence();
    }
}

#[test]
fn a_handshake_has_to_be_done_in_the_time_of_w() {
    // As a client all of connecting is within -w.
    let authority = Authority::new();
    let server = Server::tcp();
    let rnc = connecting(&authority, &["-w", "500ms"], server.port()).spawn();
    let mut sock = server.accept(&rnc);
    hears_hello(&mut sock, &rnc);
    rnc.wait().expect_code(3).expect_complaint("TLS handshake");
}

#[test]
fn a_silent_client_is_dropped_and_others_are_served() {
    let authority = Authority::new();
    let rnc = listening(&authority, &["-k", "--echo", "-w", "1s"]).spawn();
    let mut silent = connect_to_listener(&rnc, None);
    assert_bytes("silence", &silent.read_all(&rnc), b"");
    echoes(&authority, &rnc);
}

/// A good client.
#[track_caller]
fn echoes(authority: &Authority, rnc: &Running) {
    let mut good = TlsSock::connect(client_config(authority), rnc);
    good.say("hello", rnc);
    good.half_close(rnc);
    assert_bytes("echo", &good.read_all(rnc), b"hello");
}

#[test]
fn a_hundred_unfinished_handshakes_keep_nobody_waiting() {
    let authority = Authority::new();
    let rnc = listening(&authority, &["-k", "--echo"]).spawn();
    let begun: Vec<Sock> = (0..100)
        .map(|n| {
            let mut sock = connect_to_listener(&rnc, None);
            // Some say nothing, some begin.
            if n % 2 == 0 {
                sock.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", &rnc);
            }
            sock
        })
        .collect();
    echoes(&authority, &rnc);
    // Unfinished ones cost no time.
    let before = work_done(rnc.pid());
    std::thread::park_timeout(Duration::from_millis(300));
    let spent = work_done(rnc.pid()).sleeps - before.sleeps;
    assert!(spent < 20, "{spent} times awake for nothing");
    let peak = peak_rss_kib(rnc.pid());
    assert!(peak < 16 << 10, "{peak} KiB");
    drop(begun);
    echoes(&authority, &rnc);
}

#[test]
fn more_unfinished_handshakes_than_there_may_be_keep_nobody_out() {
    /// More than rnc goes on with at once.
    const MANY: usize = 1100;
    if !may_have_descriptors(MANY as u64 + 200) {
        return;
    }
    let authority = Authority::new();
    let rnc = listening(&authority, &["-k", "--echo"]).spawn();
    let mut silent: Vec<Sock> = (0..MANY).map(|_| connect_to_listener(&rnc, None)).collect();
    echoes(&authority, &rnc);
    // Room was made by those that had it for longest.
    assert_bytes("the first", &silent[0].read_all(&rnc), b"");
    assert!(silent[MANY - 1].has_nothing_to_read(), "the last is out");
    let peak = peak_rss_kib(rnc.pid());
    assert!(peak < 64 << 10, "{peak} KiB");
}

#[test]
fn failed_handshakes_do_not_end_a_listener_that_stays() {
    let authority = Authority::new();
    let rnc = listening(&authority, &["-k", "--echo"]).spawn();
    for _ in 0..3 {
        let mut plain = connect_to_listener(&rnc, None);
        plain.say("GET / HTTP/1.0\r\n\r\n", &rnc);
        let _ = plain.read_to_end(&mut Vec::new());
        connect_to_listener(&rnc, None).reset();
        drop(connect_to_listener(&rnc, None));
        echoes(&authority, &rnc);
    }
}

#[test]
fn tls_on_a_plain_listener_is_passed_on_whole_and_told_with_v() {
    let hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on";
    for (option, hints) in [("-l", 0), ("-lv", 1)] {
        let rnc = rnc([option, "127.0.0.1", "0"]).spawn();
        let mut sock = connect_to_listener(&rnc, None);
        sock.say(hello, &rnc);
        drop(sock);
        let done = rnc.wait().expect_code(0).expect_stdout(hello);
        assert_eq!(done.stderr.matches("--tls").count(), hints, "{done}");
    }
}
