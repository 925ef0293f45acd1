//! What the tests and fuzz targets of all handshakes share: one conversation, cut in every way.

use super::{Handshake, Progress, Refused};

/// What came of a conversation: the proxy's bytes left for the session, or None for a machine
/// that wants more; and all that was sent.
pub type Conversation = (Result<Option<Vec<u8>>, Refused>, Vec<u8>);

/// Feeds the pieces as a dialer does, offering again what was not used.
pub fn feed<'a>(
    mut machine: impl Handshake,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Conversation {
    let (mut sent, mut unread, mut done) = (Vec::new(), Vec::new(), false);
    for piece in std::iter::once(&[][..]).chain(pieces) {
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
            // Here the next connection stays silent.
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

/// Feeds the answer whole, byte by byte, and cut at each place; all must end alike.
pub fn converse<M: Handshake>(make: impl Fn() -> M, answer: &[u8]) -> Conversation {
    let whole = feed(make(), std::iter::once(answer));
    assert_alike(&whole, &feed(make(), answer.chunks(1)), "byte by byte");
    for at in 0..=answer.len() {
        let (head, tail) = answer.split_at(at);
        assert_alike(
            &whole,
            &feed(make(), [head, tail].into_iter()),
            &format!("cut at {at}"),
        );
    }
    whole
}

/// Compares two ends; of garbage, how much is shown depends on how much had come.
fn assert_alike(a: &Conversation, b: &Conversation, how: &str) {
    match (&a.0, &b.0) {
        (Err(Refused::Garbage(_)), Err(Refused::Garbage(_))) => {}
        (a, b) => assert_eq!(a, b, "{how}"),
    }
    if a.0.is_ok() {
        assert_eq!(a.1, b.1, "{how}");
    }
}
