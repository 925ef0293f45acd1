//! A peer that has shaken hands and then does what it should not: rnc stays small, says what was
//! wrong, and waits for those who read late.

use super::certs::Authority;
use super::peer::{ByHand, TlsSock, by_hand_config};
use super::session::{ROLES, Session, connecting, session, session_with, waits};
use crate::common::{
    Running, Server, Stdin, Stdout, assert_bytes, eventually, pattern, peak_rss_kib,
};
use rustls::ContentType;
use std::io::{Read, Write};

/// What rnc may use beside what it uses without a flood: room for its buffers, far less than a
/// flood brings.
const FEW_KIB: u64 = 2 << 10;
/// What a flood brings.
const FLOOD_BYTES: usize = 48 << 20;

/// rnc with a server that makes its own records.
#[track_caller]
fn by_hand() -> (Running, ByHand, Authority) {
    let authority = Authority::new();
    let server = Server::tcp();
    let rnc = connecting(&authority, &[], server.port())
        .stdin(Stdin::Pipe)
        .spawn();
    let config = by_hand_config(&authority.for_here());
    let mut tls = TlsSock::server_on(server.accept(&rnc), config, &rnc);
    tls.say("hello", &rnc);
    rnc.shows("hello");
    (rnc, tls.by_hand(), authority)
}

/// Sends records until there are enough or rnc takes no more; says whether it took them all.
fn flood(peer: &mut ByHand, mut record: impl FnMut(&mut ByHand) -> Vec<u8>) -> bool {
    let mut sent = 0;
    while sent < FLOOD_BYTES {
        let mut piece = Vec::new();
        while piece.len() < 64 << 10 {
            piece.extend(record(peer));
        }
        if peer.sock().write_all(&piece).is_err() {
            return false;
        }
        sent += piece.len();
    }
    true
}

#[test]
fn a_flood_of_tickets_is_not_kept() {
    let (mut rnc, mut peer, _authority) = by_hand();
    let before = peak_rss_kib(rnc.pid());
    let taken = flood(&mut peer, |peer| peer.ticket(4000));
    assert!(
        taken,
        "tickets may come at any time (RFC 8446, section 4.6.1)"
    );
    let last = peer.sealed(ContentType::ApplicationData, b", still there");
    peer.sock().say(last, &rnc);
    rnc.shows("hello, still there");
    let after = peak_rss_kib(rnc.pid());
    assert!(after < before + FEW_KIB, "{before} KiB, then {after} KiB");
    rnc.send("and heard");
    rnc.close_stdin();
    end(&mut peer, &rnc);
    rnc.wait().expect_code(0).expect_silence();
}

/// close_notify and FIN.
fn end(peer: &mut ByHand, rnc: &Running) {
    let alert = peer.sealed(ContentType::Alert, &[1, 0]);
    peer.sock().say(alert, rnc);
    peer.sock().half_close();
}

#[test]
fn new_keys_are_taken_as_often_as_the_peer_likes() {
    for role in ROLES {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, &["--tls-min", "1.3"]);
        for round in 0..200 {
            peer.update_keys().expect("new keys");
            let word = format!("round {round}");
            peer.say(&word, &rnc);
            rnc.shows(&word);
            rnc.send(&word);
            let heard = peer.read_some(word.len(), &rnc);
            assert_bytes("the peer got", &heard, word.as_bytes());
        }
        rnc.close_stdin();
        peer.half_close(&rnc);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn a_flood_of_key_updates_ends_the_session() {
    for role in ROLES {
        let Session { rnc, mut peer, .. } = session(role, &["--tls-min", "1.3"]);
        peer.say("hello", &rnc);
        rnc.shows("hello");
        let refused = (0..1_000_000).any(|_| peer.update_keys().is_err());
        assert!(refused, "{role:?}: it takes any number");
        breaks_off(rnc, "too many key update");
    }
}

#[test]
fn a_flood_of_empty_records_ends_the_session_or_is_passed_over() {
    let (rnc, mut peer, _authority) = by_hand();
    let taken = flood(&mut peer, |peer| {
        peer.sealed(ContentType::ApplicationData, b"")
    });
    if taken {
        end(&mut peer, &rnc);
        rnc.wait().expect_code(0).expect_stdout("hello");
    } else {
        breaks_off(rnc, "too many empty");
    }
}

#[test]
fn a_flood_of_warnings_ends_the_session() {
    let (rnc, mut peer, _authority) = by_hand();
    // user_canceled (90), the only warning left in TLS 1.3.
    flood(&mut peer, |peer| peer.sealed(ContentType::Alert, &[1, 90]));
    breaks_off(rnc, "too many warning");
}

#[test]
fn a_handshake_message_without_end_ends_the_session() {
    let (rnc, mut peer, _authority) = by_hand();
    // A ticket of 16 MiB that never ends.
    let begun = [&[4, 0xff, 0xff, 0xff][..], &[0; 1000]].concat();
    let first = peer.sealed(ContentType::Handshake, &begun);
    peer.sock().say(first, &rnc);
    flood(&mut peer, |peer| {
        peer.sealed(ContentType::Handshake, &[0; 16_000])
    });
    breaks_off(rnc, "TLS");
}

#[track_caller]
fn breaks_off(mut rnc: Running, reason: &str) {
    // It is not stdin's end that ends it.
    let _stdin = rnc.take_stdin();
    let done = rnc.wait().expect_code(1).expect_stdout("hello");
    done.expect_complaint(reason);
}

#[test]
fn a_record_that_is_none_ends_the_session() {
    for (garbage, reason) in [
        // Not a type of record.
        (&b"\xff\x03\x03\x00\x05hello"[..], "no TLS"),
        // Too long by one for any version (RFC 5246, section 6.2.3).
        (b"\x17\x03\x03\x48\x01", "over-long record"),
        // Sealed with no key we know.
        (
            b"\x17\x03\x03\x00\x20................................",
            "damaged or forged",
        ),
        // close_notify in the clear, which anybody on the way could have sent.
        (b"\x15\x03\x03\x00\x02\x01\x00", "damaged or forged"),
    ] {
        let (rnc, mut peer, _authority) = by_hand();
        peer.sock().say(garbage, &rnc);
        breaks_off(rnc, reason);
    }
}

#[test]
fn a_record_that_is_none_behind_our_own_end_is_told_too() {
    let (mut rnc, mut peer, _authority) = by_hand();
    rnc.close_stdin();
    // close_notify; no FIN follows it.
    assert!(eventually(|| !peer.sock().has_nothing_to_read()));
    let garbage = b"\x17\x03\x03\x00\x20................................";
    peer.sock().say(garbage, &rnc);
    let done = rnc.wait().expect_code(1).expect_stdout("hello");
    done.expect_complaint("damaged or forged");
}

#[test]
fn an_alert_is_told_in_words() {
    const FATAL: u8 = 2;
    for (alert, reason) in [(80, "internal_error"), (49, "access_denied")] {
        let (rnc, mut peer, _authority) = by_hand();
        let record = peer.sealed(ContentType::Alert, &[FATAL, alert]);
        peer.sock().say(record, &rnc);
        breaks_off(rnc, reason);
    }
}

#[test]
fn a_slow_reader_stops_stdin_and_gets_everything() {
    const LEN: usize = 64 << 20;
    let sent = pattern(LEN, 5);
    for role in ROLES {
        let Session {
            mut rnc, mut peer, ..
        } = session(role, &[]);
        rnc.feed(sent.clone());
        // It reads a little, and then not until rnc has stopped taking anything in.
        peer.read_some(1000, &rnc);
        waits(&rnc);
        let rest = peer.read_all(&rnc);
        assert_bytes("the peer got", &rest, &sent[1000..]);
        let peak = peak_rss_kib(rnc.pid());
        assert!(peak < 16 << 10, "{role:?}: {peak} KiB");
        peer.half_close(&rnc);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn stdout_that_is_read_late_stops_the_peer() {
    const LEN: usize = 64 << 20;
    let sent = pattern(LEN, 6);
    for role in ROLES {
        let Session {
            mut rnc, mut peer, ..
        } = session_with(role, &[], |cmd| {
            cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
        });
        let mut stdout = rnc.stdout_pipe.take().expect("a pipe");
        let mut got = vec![0; LEN];
        std::thread::scope(|scope| {
            let says = scope.spawn(|| {
                peer.say(&sent, &rnc);
                peer.half_close(&rnc);
            });
            waits(&rnc);
            assert!(!says.is_finished(), "{role:?}: all of it is in rnc");
            stdout.read_exact(&mut got).expect("stdout");
        });
        assert_bytes("stdout", &got, &sent);
        let peak = peak_rss_kib(rnc.pid());
        assert!(peak < 16 << 10, "{role:?}: {peak} KiB");
        rnc.close_stdin();
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn many_small_records_and_a_stdout_that_is_read_late_keep_nothing_busy() {
    const BULK: usize = 16 << 20;
    const LEN: usize = BULK + 300_000;
    let Session {
        mut rnc, mut peer, ..
    } = session_with(ROLES[0], &[], |cmd| {
        cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread)
    });
    let mut stdout = rnc.stdout_pipe.take().expect("a pipe");
    let sent = pattern(LEN, 7);
    // In bulk first, so that the kernel gives the connection much room; then records of one byte
    // each, all made before the first is sent: rnc never catches up.
    let mut records = Vec::new();
    let (bulk, small) = sent.split_at(BULK);
    for piece in bulk.chunks(16_000).chain(small.chunks(1)) {
        let session = peer.session();
        session.writer().write_all(piece).expect("a record");
        session.write_tls(&mut records).expect("a record");
    }
    let mut got = vec![0; LEN];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            peer.sock().say(&records, &rnc);
            peer.half_close(&rnc);
        });
        // What comes meanwhile waits before rnc, so that it finds as much as it takes at once.
        let (bulk, small) = got.split_at_mut(BULK);
        stdout.read_exact(bulk).expect("stdout");
        for piece in small.chunks_mut(64 << 10) {
            waits(&rnc);
            stdout.read_exact(piece).expect("stdout");
        }
    });
    assert_bytes("stdout", &got, &sent);
    rnc.close_stdin();
    rnc.wait().expect_code(0).expect_silence();
}
