//! Lines under names: no cut matters, every line is named, and nothing a terminal would obey is
//! left in a chat.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::chat::{Label, Speaker};

fuzz_target!(|data: &[u8]| {
    let Some((head, tail)) = common::cut(data) else {
        return;
    };
    let input = [head, tail].concat();
    let name = Label::Name {
        name: "user1".into(),
        origin: "127.0.0.1:1".into(),
    };
    let heard = hears(name.clone(), &[&input]);
    assert_eq!(heard, hears(name, &[head, tail]));
    let text = String::from_utf8(heard).expect("all else is spelt out");
    for line in text.lines() {
        assert!(line.starts_with("<user1> "));
        assert!(!line.contains(|c: char| c.is_control() && c != '\t'));
    }
    assert_eq!(hears(Label::None, &[head, tail]), input);
});

/// What comes out of a speaker that hears these pieces, and then the end.
fn hears(label: Label, pieces: &[&[u8]]) -> Vec<u8> {
    let (mut speaker, mut out) = (Speaker::new(label), Vec::new());
    pieces.iter().for_each(|piece| speaker.pass(piece, &mut out));
    speaker.end();
    out.extend(speaker.take());
    out
}
