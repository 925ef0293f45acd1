//! Framing: no cut matters, and what comes out is whole frames.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::plan::Framing;
use rnc::proto::framing::{Framer, HEADER_BYTES, Unfit, first_message, unframe};

/// How long a message may be.
const MOST: usize = 40;

fuzz_target!(|data: &[u8]| {
    let Some((head, tail)) = common::cut(data) else {
        return;
    };
    let input = [head, tail].concat();
    for framing in [Framing::Line, Framing::Length] {
        let (out, unfit) = apply(framing, &[&input]);
        assert_eq!((&out, unfit), (&apply(framing, &[head, tail]).0, unfit));
        let mut back = Vec::new();
        let mut rest = &out[..];
        while let Some(message) = first_message(rest) {
            assert!(message.len() <= MOST);
            unframe(framing, message, &mut back);
            rest = &rest[HEADER_BYTES + message.len()..];
        }
        assert!(rest.is_empty());
        // A last line without its end has got one.
        assert!(back.starts_with(&input) || input.starts_with(&back));
        assert!(unfit.is_some() || back.starts_with(&input));
    }
});

/// The frames of a stream in these pieces, and what is wrong with it.
fn apply(framing: Framing, pieces: &[&[u8]]) -> (Vec<u8>, Option<Unfit>) {
    let (mut framer, mut out) = (Framer::new(framing, MOST), Vec::new());
    for piece in pieces {
        framer.apply(piece, &mut out);
    }
    framer.finish(&mut out);
    (out, framer.unfit())
}
