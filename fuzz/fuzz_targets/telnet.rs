//! Telnet streams: no cut matters, nothing grows, replies are whole.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::telnet::Telnet;

fuzz_target!(|data: &[u8]| {
    let Some((head, tail)) = common::cut(data) else {
        return;
    };
    let whole = apply(&[&[head, tail].concat()]);
    assert_eq!(whole, apply(&[head, tail]));
    let (out, reply) = whole;
    assert!(out.len() + reply.len() <= head.len() + tail.len());
    for answer in reply.chunks(3) {
        assert!(matches!(answer, [255, 252 | 254, _]));
    }
});

/// The data and the replies in the pieces.
fn apply(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
    let (mut telnet, mut out, mut reply) = (Telnet::default(), Vec::new(), Vec::new());
    for piece in pieces {
        telnet.apply(piece, &mut out, &mut reply);
    }
    (out, reply)
}
