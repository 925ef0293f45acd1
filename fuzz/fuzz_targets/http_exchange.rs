//! Conversations over HTTP/1: no cut matters, nor whether what need not be seen is seen.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::proto::http::exchange::{Cut, Exchanges, Speech};

/// The two directions of a connection.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Sent,
    Received,
}

fuzz_target!(|data: &[u8]| {
    let (mut whole, mut bytes) = (Exchanges::new(), Exchanges::new());
    let (mut skipped, mut other) = (Exchanges::new(), Exchanges::new());
    // Each 0xff changes the side: no head has one.
    for (at, piece) in data.split(|&byte| byte == 0xff).enumerate() {
        let side = [Side::Sent, Side::Received][at % 2];
        take(&mut whole, side, piece);
        for byte in piece.chunks(1) {
            take(&mut bytes, side, byte);
        }
        skip(&mut skipped, side, piece, |_| None);
        skip(&mut other, side, piece, |len| Some(vec![b'\n'; len]));
        for exchanges in [&bytes, &skipped, &other] {
            assert_eq!(known(&whole), known(exchanges));
        }
        check(&whole);
    }
});

/// All that can be asked.
type Known = (Speech, [u64; 2], [bool; 3], Result<(), Cut>);

fn known(exchanges: &Exchanges) -> Known {
    (
        exchanges.speech(),
        [exchanges.unseen_sent(), exchanges.unseen_received()],
        [
            exchanges.is_complete(),
            exchanges.is_sent_whole(),
            exchanges.has_answer(),
        ],
        exchanges.server_ended(),
    )
}

/// What holds for each conversation.
fn check(exchanges: &Exchanges) {
    let is_http = exchanges.speech() == Speech::Http;
    if exchanges.is_complete() {
        assert!(is_http && exchanges.has_answer());
        assert_eq!(exchanges.server_ended(), Ok(()));
    }
    if let Err(cut) = exchanges.server_ended() {
        assert!(is_http);
        assert_eq!(cut == Cut::NoAnswer, !exchanges.has_answer());
    }
}

fn take(exchanges: &mut Exchanges, side: Side, bytes: &[u8]) {
    match side {
        Side::Sent => exchanges.see_sent(bytes),
        Side::Received => exchanges.see_received(bytes),
    }
}

/// Counts what need not be seen, or shows what `instead` gives for so many bytes; shows the rest.
fn skip(
    exchanges: &mut Exchanges,
    side: Side,
    mut rest: &[u8],
    instead: impl Fn(usize) -> Option<Vec<u8>>,
) {
    while !rest.is_empty() {
        let unseen = match side {
            Side::Sent => exchanges.unseen_sent(),
            Side::Received => exchanges.unseen_received(),
        };
        let len = rest
            .len()
            .min(usize::try_from(unseen).unwrap_or(usize::MAX));
        match (instead(len), side) {
            _ if len == 0 => take(exchanges, side, &rest[..1]),
            (Some(bytes), _) => take(exchanges, side, &bytes),
            (None, Side::Sent) => exchanges.skip_sent(len as u64),
            (None, Side::Received) => exchanges.skip_received(len as u64),
        }
        rest = &rest[len.max(1)..];
    }
}
