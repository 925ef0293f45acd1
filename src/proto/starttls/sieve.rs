//! STARTTLS of ManageSieve. RFC 5804, sections 1.7 and 2.2.
//!
//! ```text
//!   Greeting -- capabilities, OK --> (STARTTLS) --> Answer -- OK --> TLS
//! ```

use super::lines::{InLines, LineDialogue};
use crate::proto::Refused;

/// The words that end a response. RFC 5804, section 1.2.
const ENDS: [&[u8]; 3] = [b"OK", b"NO", b"BYE"];
/// The capability wanted. RFC 5804, section 1.7.
const STARTTLS: &[u8] = b"\"STARTTLS\"";

/// Asks a ManageSieve server for TLS.
pub fn sieve() -> InLines<Sieve> {
    InLines::new(Sieve::default())
}

/// The client of ManageSieve.
#[derive(Default)]
pub struct Sieve {
    /// STARTTLS was sent.
    is_asked: bool,
    /// It is among the capabilities.
    is_listed: bool,
    /// The response under way is an OK: its text has not ended yet.
    is_ok: bool,
    /// A literal is under way, or its line has not ended yet: bytes that are still to come of it.
    /// RFC 5804, section 4.
    literal: Option<usize>,
}

impl Sieve {
    /// Takes in a line that does not begin within a literal.
    fn judge(&mut self, line: &[u8]) -> Result<(), Refused> {
        let word = first_word(line);
        if word.eq_ignore_ascii_case(b"OK") {
            self.is_ok = true;
        } else if ENDS.iter().any(|end| word.eq_ignore_ascii_case(end)) {
            return Err(Refused::Server(Refused::shown(line)));
        } else if self.is_asked || !line.starts_with(b"\"") {
            return Err(Refused::garbage(line));
        } else {
            self.is_listed |= word.eq_ignore_ascii_case(STARTTLS);
        }
        Ok(())
    }
}

impl LineDialogue for Sieve {
    fn can_begin(&self, begun: &[u8]) -> bool {
        let is_end = ENDS.iter().any(|end| {
            let mut pairs = begun.iter().zip(*end);
            pairs.all(|(a, b)| a.eq_ignore_ascii_case(b))
        });
        is_end
            || self.is_ok
            || self.literal.is_some()
            || (!self.is_asked && begun.starts_with(b"\""))
    }

    fn take_line(&mut self, line: &[u8], output: &mut Vec<u8>) -> Result<bool, Refused> {
        let behind = match self.literal {
            None => {
                if !self.is_ok {
                    self.judge(line)?;
                }
                line
            }
            // A literal has line ends in it; they end in CRLF.
            Some(left) => match line.get(left..) {
                Some(behind) => behind,
                None => {
                    self.literal = Some(left.saturating_sub(line.len() + 2));
                    return Ok(false);
                }
            },
        };
        self.literal = literal(behind);
        if self.literal.is_some() || !self.is_ok {
            return Ok(false);
        }
        if self.is_asked {
            return Ok(true);
        }
        if !self.is_listed {
            return Err(Refused::NoStarttls);
        }
        output.extend_from_slice(b"STARTTLS\r\n");
        (self.is_asked, self.is_ok) = (true, false);
        Ok(false)
    }
}

fn first_word(line: &[u8]) -> &[u8] {
    let ends = |byte: &u8| b" (".contains(byte);
    line.split(ends).next().unwrap_or_default()
}

/// The length of the literal that a line announces at its end, as in `{42}` or `{42+}`.
fn literal(line: &[u8]) -> Option<usize> {
    let line = line.strip_suffix(b"}")?;
    let line = line.strip_suffix(b"+").unwrap_or(line);
    let start = line.iter().rposition(|&byte| byte == b'{')?;
    std::str::from_utf8(&line[start + 1..]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    const ASKED: &[u8] = b"STARTTLS\r\n";

    fn end(answer: &str) -> Result<Option<Vec<u8>>, Refused> {
        converse(sieve, answer.as_bytes()).0
    }

    #[test]
    fn nothing_is_said_before_the_capabilities_have_ended() {
        assert_eq!(feed(sieve(), std::iter::empty()), (Ok(None), vec![]));
        assert_eq!(converse(sieve, b"\"starttls\"\r\n").1, b"");
        let answer = b"\"SIEVE\" \"fileinto\"\r\n\"starttls\"\r\nok\r\n";
        assert_eq!(converse(sieve, answer), (Ok(None), ASKED.into()));
    }

    #[test]
    fn literals_are_no_lines() {
        for answer in [
            "\"STARTTLS\"\r\n\"NOTIFY\" {13+}\r\nNO such\r\nOK\r\n\r\nOK\r\nOK\r\n",
            "\"STARTTLS\"\r\nOK {4}\r\na\r\nb\r\nOK \"go\"\r\n",
            "\"STARTTLS\"\r\nOK\r\nOK (X {2}\r\nhi) {5}\r\nthere\r\n",
        ] {
            assert_eq!(end(answer), Ok(Some(vec![])), "{answer:?}");
        }
    }

    #[test]
    fn refusals_are_in_the_words_of_the_server() {
        for line in ["BYE \"too many\x07\"", "NO (TRYLATER) \"busy\"", "bye"] {
            let words = line.replace('\x07', "\\x07");
            for before in ["", "\"STARTTLS\"\r\nOK\r\n"] {
                let refused = end(&format!("{before}{line}\r\n"));
                assert_eq!(refused, Err(Refused::Server(words.clone())));
            }
        }
        let without = end("\"IMPLEMENTATION\" \"STARTTLS\"\r\nOK\r\n");
        assert_eq!(without, Err(Refused::NoStarttls));
    }

    #[test]
    fn other_languages_are_garbage_at_the_first_wrong_byte() {
        for answer in [
            "220 ",
            "* OK",
            "+OK",
            "\r\n",
            "OKAY\r\n",
            "\"STARTTLS\"\r\nOK\r\n\"",
            "\"STARTTLS\"\r\nOK\r\nHI",
        ] {
            let refused = end(answer);
            assert!(matches!(refused, Err(Refused::Garbage(_))), "{answer:?}");
        }
    }
}
