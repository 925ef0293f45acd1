//! SSLRequest of PostgreSQL. "Frontend/Backend Protocol", sections "SSL Session Encryption" and
//! "Message Formats".
//!
//! ```text
//!   Start -- request --> Answer -- S --> TLS
//!                          +------ E --> Error
//! ```

use crate::proto::{Handshake, Progress, Refused};

/// A message of 8 bytes, which says 1234 and 5679 where others say their version.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
/// The longest error taken, the bytes of its length counted: the longest that libpq takes.
const ERROR_MAX: usize = 30_000;
/// The type of the field with the text for people. "Error and Notice Message Fields".
const FIELD_MESSAGE: u8 = b'M';

/// Asks a PostgreSQL server for TLS.
#[derive(Default)]
pub struct Postgres {
    state: PostgresState,
}

/// What comes next.
#[derive(Default)]
enum PostgresState {
    /// Our request.
    #[default]
    Start,
    /// One byte.
    Answer,
    /// The rest of an error, of which so much has come.
    Error(Vec<u8>),
}

impl Postgres {
    /// Takes the one byte that is the answer; `rest` begins with it.
    fn take_answer(&mut self, rest: &[u8]) -> Result<Progress, Refused> {
        match rest.first() {
            None => Ok(Progress::More { used: 0 }),
            Some(b'S') => Ok(Progress::Done { used: 1 }),
            Some(b'N') => Err(Refused::NoStarttls),
            Some(b'E') => {
                self.state = PostgresState::Error(Vec::new());
                let used = rest.len();
                self.take_error(&rest[1..])
                    .map(|()| Progress::More { used })
            }
            Some(_) => Err(Refused::garbage(rest)),
        }
    }

    /// Adds a piece to the error, which is the refusal once it is whole.
    fn take_error(&mut self, piece: &[u8]) -> Result<(), Refused> {
        let PostgresState::Error(error) = &mut self.state else {
            return Ok(());
        };
        error.extend_from_slice(piece);
        match error_text(error) {
            Some(text) => Err(Refused::Server(Refused::shown(text))),
            None => Ok(()),
        }
    }
}

/// The text of an error, of which so much has come behind its `E`; `None` if more has to come.
fn error_text(error: &[u8]) -> Option<&[u8]> {
    let length = usize::try_from(u32::from_be_bytes(*error.first_chunk()?)).ok()?;
    if (8..=ERROR_MAX).contains(&length) {
        return error.get(4..length).map(message);
    }
    // Without a length: the form of version 2, a text up to a NUL, in which a server reports early
    // failures.
    let end = error.iter().position(|&byte| byte == 0);
    let end = end.or((error.len() >= Refused::SHOWN).then_some(error.len()))?;
    Some(&error[..end])
}

/// The text for people in the fields of an error, or else all of them.
fn message(fields: &[u8]) -> &[u8] {
    let mut each = fields.split(|&byte| byte == 0);
    each.find_map(|field| field.strip_prefix(&[FIELD_MESSAGE]))
        .unwrap_or(fields)
}

impl Handshake for Postgres {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        match self.state {
            PostgresState::Start => {
                output.extend_from_slice(&SSL_REQUEST);
                self.state = PostgresState::Answer;
                self.take_answer(input)
            }
            PostgresState::Answer => self.take_answer(input),
            PostgresState::Error(_) => {
                self.take_error(input)?;
                Ok(Progress::More { used: input.len() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    fn end(answer: &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        converse(Postgres::default, answer).0
    }

    #[test]
    fn the_answer_is_one_byte() {
        assert_eq!(feed(Postgres::default(), std::iter::empty()).1, SSL_REQUEST);
        assert_eq!(end(b"S"), Ok(Some(vec![])));
        assert_eq!(end(b"SSR"), Ok(Some(b"SR".to_vec())));
        assert_eq!(end(b"N"), Err(Refused::NoStarttls));
        assert!(matches!(end(b"HTTP"), Err(Refused::Garbage(_))));
    }

    #[test]
    fn errors_tell_the_text_for_people() {
        let fields = b"SFATAL\0C53300\0Msorry, too many\n\0Fx.c\0\0";
        let length = u32::try_from(fields.len() + 4).unwrap().to_be_bytes();
        let error = [&b"E"[..], &length, fields].concat();
        assert_eq!(
            end(&error),
            Err(Refused::Server("sorry, too many\\n".into()))
        );
        for len in 0..error.len() {
            assert_eq!(end(&error[..len]), Ok(None));
        }
        assert_eq!(end(b"E\0\0\0\x08oops"), Err(Refused::Server("oops".into())));
    }

    #[test]
    fn errors_of_the_old_form_end_with_a_nul() {
        let old = b"Ecould not fork\n\0";
        assert_eq!(end(old), Err(Refused::Server("could not fork\\n".into())));
        assert_eq!(end(&old[..old.len() - 1]), Ok(None));
        // A length that cannot be one is text.
        assert_eq!(
            end(b"E\0\0\x75\x31 x\0"),
            Err(Refused::Server(String::new()))
        );
        let endless = [b'E'; 201];
        assert_eq!(end(&endless), Err(Refused::Server("E".repeat(200))));
    }
}
