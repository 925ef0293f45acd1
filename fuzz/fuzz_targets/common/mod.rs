//! What the targets share: input to cut, and conversations with a handshake.

#![allow(dead_code, reason = "each target uses its own part")]

use rnc::proto::{Handshake, Progress, Refused};
use std::mem::discriminant;

/// Takes the first two bytes as the place where the others are to be cut.
pub fn cut(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (place, bytes) = data.split_first_chunk::<2>()?;
    let place = usize::from(u16::from_be_bytes(*place));
    Some(bytes.split_at(place % (bytes.len() + 1)))
}

/// Holds a handshake to its contract: it uses no more than it is given, and neither what is sent
/// nor what is left for the session depends on where the answer is cut.
pub fn check<M: Handshake>(make: impl Fn() -> M, data: &[u8]) {
    let Some((head, tail)) = cut(data) else {
        return;
    };
    let (whole, sent) = feed(make(), &[&[head, tail].concat()]);
    let (parts, sent_in_parts) = feed(make(), &[head, tail]);
    match (whole, parts) {
        (Ok(whole), Ok(parts)) => assert_eq!((whole, sent), (parts, sent_in_parts)),
        (Err(whole), Err(parts)) => assert_eq!(discriminant(&whole), discriminant(&parts)),
        (whole, parts) => panic!("{whole:?} in one piece, {parts:?} in two"),
    }
}

/// What was left for the session, or None if the machine wants more; and what was sent.
type End = (Result<Option<Vec<u8>>, Refused>, Vec<u8>);

/// Feeds pieces as a dialer does, offering again what was not used.
fn feed(mut machine: impl Handshake, pieces: &[&[u8]]) -> End {
    let (mut sent, mut unread, mut done) = (Vec::new(), Vec::new(), false);
    for piece in std::iter::once(&&[][..]).chain(pieces) {
        unread.extend_from_slice(piece);
        if done {
            continue;
        }
        let used = match machine.step(&unread, &mut sent) {
            Ok(Progress::More { used }) => used,
            Ok(Progress::Done { used }) => {
                done = true;
                used
            }
            // The next connection stays silent here.
            Ok(Progress::Anew) => {
                let begun = machine.step(&[], &mut sent);
                assert_eq!(begun, Ok(Progress::More { used: 0 }));
                return (Ok(None), sent);
            }
            Err(refused) => {
                let text = refused.to_string();
                assert!(!text.contains(char::is_control), "{text:?}");
                return (Err(refused), sent);
            }
        };
        assert!(used <= unread.len());
        unread.drain(..used);
    }
    (Ok(done.then_some(unread)), sent)
}
