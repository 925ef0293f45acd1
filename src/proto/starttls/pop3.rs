//! STLS of POP3. RFC 1939, section 3; RFC 2595, section 4.
//!
//! ```text
//!   Greeting -- +OK --> (STLS) --> Answer -- +OK --> TLS
//! ```

use super::lines::{InLines, LineDialogue, agrees};
use crate::proto::Refused;

const OK: &[u8] = b"+OK";
const ERR: &[u8] = b"-ERR";

/// Asks a POP3 server for TLS.
pub fn pop3() -> InLines<Pop3> {
    InLines::new(Pop3::Greeting)
}

/// What comes next.
pub enum Pop3 {
    /// The greeting.
    Greeting,
    /// The answer to STLS.
    Answer,
}

impl LineDialogue for Pop3 {
    fn can_begin(&self, begun: &[u8]) -> bool {
        agrees(begun, OK) || agrees(begun, ERR)
    }

    fn take_line(&mut self, line: &[u8], output: &mut Vec<u8>) -> Result<bool, Refused> {
        if line.starts_with(ERR) {
            return Err(Refused::Server(Refused::shown(line)));
        }
        if !line.starts_with(OK) {
            return Err(Refused::garbage(line));
        }
        match self {
            Pop3::Greeting => {
                output.extend_from_slice(b"STLS\r\n");
                *self = Pop3::Answer;
                Ok(false)
            }
            Pop3::Answer => Ok(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    #[test]
    fn nothing_is_said_before_the_greeting() {
        assert_eq!(feed(pop3(), std::iter::empty()), (Ok(None), vec![]));
        assert_eq!(converse(pop3, b"+OK\r\n"), (Ok(None), b"STLS\r\n".into()));
    }

    #[test]
    fn refusals_are_told_in_the_servers_words() {
        for (answer, words) in [
            (
                "-ERR too many\x07 clients\r\n",
                "-ERR too many\\x07 clients",
            ),
            (
                "+OK hi\r\n-ERR Unknown command.\r\n",
                "-ERR Unknown command.",
            ),
        ] {
            let end = converse(pop3, answer.as_bytes()).0;
            assert_eq!(end, Err(Refused::Server(words.to_owned())));
        }
    }

    #[test]
    fn other_languages_are_garbage_at_the_first_wrong_byte() {
        for answer in ["* OK", "+ok", "-e", "+OK\r\n220 ", "\r\n", "+\r\n"] {
            let end = converse(pop3, answer.as_bytes()).0;
            assert!(matches!(end, Err(Refused::Garbage(_))), "{answer:?}");
        }
    }
}
