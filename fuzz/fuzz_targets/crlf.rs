//! Line ends: no cut matters, and one CR is added for each bare LF.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::crlf::Crlf;

fuzz_target!(|data: &[u8]| {
    let Some((head, tail)) = common::cut(data) else {
        return;
    };
    let input = [head, tail].concat();
    let out = apply(&[&input]);
    assert_eq!(out, apply(&[head, tail]));
    assert_eq!(out, apply(&[&out]), "twice is once");

    let line_feeds = input.iter().filter(|&&byte| byte == b'\n').count();
    let ended_well = input.windows(2).filter(|pair| pair == b"\r\n").count();
    assert_eq!(out.len(), input.len() + line_feeds - ended_well);
});

/// The pieces with their line ends changed.
fn apply(pieces: &[&[u8]]) -> Vec<u8> {
    let (mut crlf, mut out) = (Crlf::default(), Vec::new());
    for piece in pieces {
        crlf.apply(piece, &mut out);
    }
    out
}
