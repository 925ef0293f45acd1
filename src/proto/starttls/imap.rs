//! STARTTLS of IMAP. RFC 9051, sections 6.2.1 and 7.1.
//!
//! ```text
//!   Greeting -- * OK --> (STARTTLS) --> Answer -- a1 OK --> TLS
//!                                       ^    +-- * ... --+
//!                                       +----------------+
//! ```

use super::lines::{InLines, LineDialogue, agrees};
use crate::proto::Refused;

const UNTAGGED: &[u8] = b"* ";
/// The tag of our only command.
const TAGGED: &[u8] = b"a1 ";
const STARTTLS: &[u8] = b"a1 STARTTLS\r\n";

/// Asks an IMAP server for TLS.
pub fn imap() -> InLines<Imap> {
    InLines::new(Imap::Greeting)
}

/// What comes next.
pub enum Imap {
    /// The greeting.
    Greeting,
    /// The answer to STARTTLS; other things may be told before it.
    Answer,
}

impl Imap {
    /// Judges a line by its first words; true if TLS begins behind it.
    fn judge(&mut self, line: &[u8], output: &mut Vec<u8>) -> Result<bool, Refused> {
        let (origin, status) = first_words(line);
        match (&self, origin, status.as_slice()) {
            (Imap::Greeting, UNTAGGED, b"OK") => {
                output.extend_from_slice(STARTTLS);
                *self = Imap::Answer;
                Ok(false)
            }
            // STARTTLS is for those who have not logged in. RFC 9051, section 6.2.1.
            (Imap::Greeting, UNTAGGED, b"PREAUTH") => Err(Refused::LoggedIn),
            (_, UNTAGGED, b"BYE") | (Imap::Answer, TAGGED, b"NO" | b"BAD") => {
                Err(Refused::Server(Refused::shown(line)))
            }
            (Imap::Answer, UNTAGGED, _) => Ok(false),
            (Imap::Answer, TAGGED, b"OK") => Ok(true),
            _ => Err(Refused::garbage(line)),
        }
    }
}

/// Whom a line is for, and the word behind that in capitals, as their case does not matter.
fn first_words(line: &[u8]) -> (&'static [u8], Vec<u8>) {
    let origin = [UNTAGGED, TAGGED]
        .into_iter()
        .find(|origin| line.starts_with(origin))
        .unwrap_or_default();
    let mut words = line[origin.len()..].split(|&byte| byte == b' ');
    let word = words.next().unwrap_or_default();
    (origin, word.to_ascii_uppercase())
}

impl LineDialogue for Imap {
    fn can_begin(&self, begun: &[u8]) -> bool {
        match self {
            Imap::Greeting => agrees(begun, UNTAGGED),
            Imap::Answer => agrees(begun, UNTAGGED) || agrees(begun, TAGGED),
        }
    }

    fn take_line(&mut self, line: &[u8], output: &mut Vec<u8>) -> Result<bool, Refused> {
        self.judge(line, output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    #[test]
    fn nothing_is_said_before_the_greeting() {
        assert_eq!(feed(imap(), std::iter::empty()), (Ok(None), vec![]));
        assert_eq!(converse(imap, b"* ok\r\n"), (Ok(None), STARTTLS.to_vec()));
    }

    #[test]
    fn other_news_before_the_answer_is_passed_over() {
        let answer = b"* OK hi\r\n* CAPABILITY IMAP4rev1\r\n* OK [ALERT] soon\r\na1 ok go\r\n";
        assert_eq!(converse(imap, answer).0, Ok(Some(vec![])));
    }

    #[test]
    fn one_who_is_logged_in_cannot_have_tls() {
        let answer = b"* PREAUTH IMAP4rev2 logged in as Smith\r\n";
        assert_eq!(converse(imap, answer), (Err(Refused::LoggedIn), vec![]));
    }

    #[test]
    fn refusals_are_told_in_the_servers_words() {
        for line in [
            "* BYE overloaded",
            "* OK\r\n* BYE shutting down",
            "* OK\r\na1 BAD TLS support isn't enabled.",
            "* OK\r\na1 NO not here",
        ] {
            let end = converse(imap, format!("{line}\r\n").as_bytes()).0;
            let words = line.trim_start_matches("* OK\r\n").to_owned();
            assert_eq!(end, Err(Refused::Server(words)));
        }
    }

    #[test]
    fn other_languages_are_garbage_at_the_first_wrong_byte() {
        for answer in [
            "220 ",
            "a1 OK",
            "*OK",
            "*\r\n",
            "* HI\r\n",
            "* OK\r\nA1 OK",
            "* OK\r\na1 HI\r\n",
            "* OK\r\na1\r\n",
            "* OK\r\n+ go on\r\n",
        ] {
            let end = converse(imap, answer.as_bytes()).0;
            assert!(matches!(end, Err(Refused::Garbage(_))), "{answer:?}");
        }
    }
}
