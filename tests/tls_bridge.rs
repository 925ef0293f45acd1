//! A session over TLS, with a peer and a user that do whatever a script says, in any order: what is
//! given out is what was written, and no cut is taken for an end. `fuzz/fuzz_targets/tls_bridge.rs`
//! plays scripts of the same kind.
#![cfg(feature = "tls")]

mod tls_script;

use proptest::prelude::*;
use tls_script::{End, play};

/// Steps that have both sides write more than is kept anywhere (see `tls_script/steps.rs`).
const BULK: [u8; 8] = [0, 240, 11, 240, 4, 0, 11, 240];
/// The peer writes 80 KiB.
const SOME: [u8; 2] = [0, 211];
/// The second byte of a setting: Unix sockets, or TCP.
const WIRES: [u8; 2] = [0, 0xe0];

proptest! {
    #[test]
    fn any_script_ends_as_it_must(script in prop::collection::vec(any::<u8>(), 2..160)) {
        play(&script);
    }
}

#[test]
fn close_notify_is_a_clean_end_and_a_bare_one_is_a_truncation() {
    // Both roles, both versions, wide and narrow sockets, the handshake before and within.
    for settings in 0..16 {
        for (farewell, end) in [(0, End::Clean), (1, End::Clean), (2, End::Truncated)] {
            for wire in WIRES {
                let setting = [farewell << 6 | settings, wire];
                let script = [&setting[..], &BULK].concat();
                assert_eq!(play(&script), end, "{script:?}");
            }
        }
    }
}

#[test]
fn a_changed_byte_is_never_taken_for_data_nor_for_an_end() {
    for settings in 0..4 {
        // The type of a record, its first byte, says nothing in TLS 1.3 (RFC 8446, section 5.2).
        for place in 1..=255 {
            let script = [&[settings, 0][..], &SOME, &[18, place]].concat();
            let end = play(&script);
            assert!(matches!(end, End::Broken | End::Truncated), "{script:?}");
        }
    }
}

/// What closes a socket with bytes in it that were not read is a reset, which throws away what was
/// sent. The runner holds a clean end to all of that having come.
#[test]
fn bytes_behind_close_notify_lose_nothing_of_what_was_sent() {
    let script = [0, 0xe0, 11, 240, 20, 0, 4, 0, 0, 18, 4, 0, 21, 0];
    assert_eq!(play(&script), End::Clean);
}

/// The peer's bad record comes while the last bytes are still on their way to it.
#[test]
fn what_breaks_while_the_last_bytes_are_on_their_way_is_told() {
    let script = [48, 0xe0, 11, 240, 0, 200, 21, 0, 18, 148, 7, 200];
    assert_eq!(play(&script), End::Broken);
}
