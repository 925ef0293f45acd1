//! StartTLS of LDAP. RFC 4511, sections 4.1.9, 4.12, 4.14 and 5.1.
//!
//! ```text
//!   Start -- request --> Header -- short length --> Message -- success --> TLS
//!                          +-- so many bytes --> Length --^
//! ```

use crate::proto::answer::ANSWER_MAX;
use crate::proto::handshake::Partial;
use crate::proto::{Handshake, Progress, Refused};

/// ExtendedRequest with the name 1.3.6.1.4.1.1466.20037 in a message with the number 1.
const REQUEST: &[u8; 31] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// The number of our request.
const MESSAGE_ID: u32 = 1;
const TAG_INTEGER: u8 = 0x02;
const TAG_OCTET_STRING: u8 = 0x04;
const TAG_ENUMERATED: u8 = 0x0a;
const TAG_SEQUENCE: u8 = 0x30;
/// ExtendedResponse: APPLICATION 24, constructed.
const TAG_EXTENDED_RESPONSE: u8 = 0x78;
/// RFC 4511, appendix A.1.
const SUCCESS: u32 = 0;

/// Asks a directory server for TLS.
#[derive(Default)]
pub struct Ldap {
    partial: Partial,
    state: LdapState,
}

/// What comes next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum LdapState {
    /// Our request.
    #[default]
    Start,
    /// The tag of the message, and its length or how many bytes that has.
    Header,
    /// So many bytes of length.
    Length(usize),
    /// So many bytes of message.
    Message(usize),
    /// TLS.
    Done,
}

impl Ldap {
    /// Takes one step, if enough has come for it; returns the state after it.
    fn advance(
        &mut self,
        rest: &mut &[u8],
        output: &mut Vec<u8>,
    ) -> Result<Option<LdapState>, Refused> {
        match self.state {
            LdapState::Start => {
                output.extend_from_slice(REQUEST);
                Ok(Some(LdapState::Header))
            }
            LdapState::Header => self.partial.take(rest).map(after_header).transpose(),
            LdapState::Length(count) => {
                let length = self.partial.take_bytes(count, rest);
                length.map(|bytes| after_length(&bytes)).transpose()
            }
            LdapState::Message(length) => {
                let message = self.partial.take_bytes(length, rest);
                message.map(|message| judge(&message)).transpose()
            }
            LdapState::Done => Ok(None),
        }
    }
}

/// What follows the first bytes of a message. Its length is definite: RFC 4511, section 5.1.
fn after_header([tag, length]: [u8; 2]) -> Result<LdapState, Refused> {
    match (tag, length) {
        (TAG_SEQUENCE, 0..=0x7f) => Ok(LdapState::Message(length.into())),
        (TAG_SEQUENCE, 0x81..=0x84) => Ok(LdapState::Length((length & 0x7f).into())),
        _ => Err(Refused::garbage(&[tag, length])),
    }
}

fn after_length(bytes: &[u8]) -> Result<LdapState, Refused> {
    let length = number(bytes).and_then(|length| usize::try_from(length).ok());
    let length = length.filter(|length| *length <= ANSWER_MAX);
    length.map(LdapState::Message).ok_or(Refused::TooLong)
}

/// Judges the content of a message. A refusal may have the number 0, of the notice that the server
/// ends the session (section 4.4.1).
fn judge(message: &[u8]) -> Result<LdapState, Refused> {
    let (id, result) = response(message).ok_or_else(|| Refused::garbage(message))?;
    match result {
        LdapResult { code: SUCCESS, .. } if id == MESSAGE_ID => Ok(LdapState::Done),
        LdapResult { code: SUCCESS, .. } => Err(Refused::garbage(message)),
        refusal => Err(Refused::Server(refusal.text())),
    }
}

/// The beginning of an LDAPResult.
struct LdapResult<'a> {
    code: u32,
    diagnostics: &'a [u8],
}

impl LdapResult<'_> {
    fn text(&self) -> String {
        let name = result_name(self.code);
        let code = self.code;
        match self.diagnostics {
            [] => format!("{name} (LDAP result {code})"),
            text => format!("{name} (LDAP result {code}): {}", Refused::shown(text)),
        }
    }
}

/// Reads the content of a message with an ExtendedResponse: its number, and the answer.
fn response(message: &[u8]) -> Option<(u32, LdapResult<'_>)> {
    let mut rest = message;
    let id = number(element(TAG_INTEGER, &mut rest)?)?;
    let mut rest = element(TAG_EXTENDED_RESPONSE, &mut rest)?;
    let code = number(element(TAG_ENUMERATED, &mut rest)?)?;
    let _matched_name = element(TAG_OCTET_STRING, &mut rest)?;
    let diagnostics = element(TAG_OCTET_STRING, &mut rest)?;
    Some((id, LdapResult { code, diagnostics }))
}

/// Moves an element from the front of `rest`, if it has this tag and is whole; gives its content.
fn element<'a>(tag: u8, rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let ([found, length], mut behind) = rest.split_first_chunk()?;
    let mut length = usize::from(*length);
    if length >= 0x80 {
        let (bytes, after) = behind.split_at_checked(length - 0x80)?;
        length = usize::try_from(number(bytes)?).ok()?;
        behind = after;
    }
    let (content, behind) = behind.split_at_checked(length)?;
    *rest = behind;
    (*found == tag).then_some(content)
}

/// Reads a number of one to four bytes, none of which is below zero here.
fn number(bytes: &[u8]) -> Option<u32> {
    let fits = (1..=4).contains(&bytes.len());
    fits.then(|| {
        bytes
            .iter()
            .fold(0, |sum, &byte| sum << 8 | u32::from(byte))
    })
}

/// The name of a result. RFC 4511, appendix A.1: those that a refusal of TLS may have.
fn result_name(code: u32) -> &'static str {
    match code {
        1 => "operationsError",
        2 => "protocolError",
        8 => "strongerAuthRequired",
        10 => "referral",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => "unknown result",
    }
}

impl Handshake for Ldap {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        let mut rest = input;
        while let Some(next) = self.advance(&mut rest, output)? {
            self.state = next;
        }
        Ok(Progress::of(input, rest, self.state == LdapState::Done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    fn end(answer: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        converse(Ldap::default, answer).0
    }

    #[test]
    fn every_way_to_write_a_length_is_taken() {
        assert_eq!(feed(Ldap::default(), std::iter::empty()).1, REQUEST);
        let content = b"\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0";
        let name = b"\x02\x01\x01\x78\x81\x0b\x0a\x01\0\x04\x83\0\0\0\x04\0\x8a\0";
        for head in [&b"\x30\x0c"[..], b"\x30\x81\x0c", b"\x30\x84\0\0\0\x0c"] {
            let answer = [head, content, b"\x16"].concat();
            assert_eq!(end(&answer), Ok(Some(b"\x16".to_vec())));
        }
        assert_eq!(end(&[b"\x30\x12", &name[..]].concat()), Ok(Some(vec![])));
    }

    #[test]
    fn refusals_tell_the_result_and_the_servers_words() {
        for (answer, words) in [
            (
                &b"\x30\x11\x02\x01\x01\x78\x0c\x0a\x01\x02\x04\0\x04\x05no\x1btl"[..],
                "protocolError (LDAP result 2): no\\x1btl",
            ),
            (
                b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x34\x04\0\x04\0",
                "unavailable (LDAP result 52)",
            ),
            // The notice that the session ends, and a result of two bytes.
            (
                b"\x30\x0d\x02\x01\0\x78\x08\x0a\x02\x10\0\x04\0\x04\0",
                "unknown result (LDAP result 4096)",
            ),
        ] {
            assert_eq!(end(answer), Err(Refused::Server(words.to_owned())));
        }
    }

    #[test]
    fn all_else_is_garbage() {
        for answer in [
            &b"HTTP"[..],
            // A length without bounds, and of five bytes.
            b"\x30\x80",
            b"\x30\x85",
            b"\x30\0",
            // Another number, another message, an element longer than the message, no text.
            b"\x30\x0c\x02\x01\x02\x78\x07\x0a\x01\0\x04\0\x04\0",
            b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\0\x04\0\x04\0",
            b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\x01",
            b"\x30\x0a\x02\x01\x01\x78\x05\x0a\x01\0\x04\0",
            b"\x30\x0b\x02\x01\x01\x78\x06\x0a\0\x04\0\x04\0",
        ] {
            let end = end(answer);
            assert!(
                matches!(end, Err(Refused::Garbage(_))),
                "{end:?} {answer:x?}"
            );
        }
    }

    #[test]
    fn a_message_has_a_longest() {
        assert_eq!(end(b"\x30\x83\x01\0\0"), Ok(None));
        assert_eq!(end(b"\x30\x83\x01\0\x01"), Err(Refused::TooLong));
        assert_eq!(end(b"\x30\x84\xff\xff\xff\xff"), Err(Refused::TooLong));
    }
}
