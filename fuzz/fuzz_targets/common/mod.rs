//! What the targets share: input to cut, and conversations with a handshake.

#![allow(dead_code, reason = "each target uses its own part")]

#[path = "../../../src/proto/testing.rs"]
mod testing;

use rnc::proto::{Handshake, Progress, Refused};
use std::mem::discriminant;
use testing::feed;

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
    let (whole, sent) = feed(make(), [&[head, tail].concat()[..]].into_iter());
    let (parts, sent_in_parts) = feed(make(), [head, tail].into_iter());
    match (whole, parts) {
        (Ok(whole), Ok(parts)) => assert_eq!((whole, sent), (parts, sent_in_parts)),
        (Err(whole), Err(parts)) => assert_eq!(discriminant(&whole), discriminant(&parts)),
        (whole, parts) => panic!("{whole:?} in one piece, {parts:?} in two"),
    }
}
