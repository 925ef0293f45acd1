//! STARTTLS of SMTP (RFC 3207), LMTP (RFC 2033) and NNTP (RFC 4642), and AUTH TLS of FTP (RFC
//! 4217): replies begin with three digits.
//!
//! ```text
//!   Reply wanted -- its number, to the last line --> (command) --> the next one wanted ... --> TLS
//! ```

use super::lines::{InLines, LineDialogue};
use crate::proto::Refused;

/// A reply that leads on, and the command sent for it.
struct ExpectedReply {
    /// The numbers it may have.
    codes: &'static [&'static [u8; 3]],
    /// One of its lines, but the first, has to begin with this word.
    listing: Option<&'static [u8]>,
    /// What is sent for it.
    command: &'static [u8],
}

/// The client of SMTP. It has no name that would mean something to a mail server, and its address
/// may mean nothing either, so it names itself by an address literal (RFC 5321, section 4.1.4):
/// unlike `localhost` this is good for servers that want whole names. Under TLS it has to introduce
/// itself again (RFC 3207, section 4.2).
const SMTP: [ExpectedReply; 3] = mail(b"EHLO [127.0.0.1]\r\n");

/// The client of LMTP, which greets with another word. RFC 2033, section 4.1.
const LMTP: [ExpectedReply; 3] = mail(b"LHLO [127.0.0.1]\r\n");

/// The client of a mail server that is greeted so.
const fn mail(hello: &'static [u8]) -> [ExpectedReply; 3] {
    [
        turn(&[b"220"], hello),
        ExpectedReply {
            codes: &[b"250"],
            listing: Some(b"STARTTLS"),
            command: b"STARTTLS\r\n",
        },
        turn(&[b"220"], b""),
    ]
}

/// A reply that leads on, whatever is in its lines.
const fn turn(codes: &'static [&'static [u8; 3]], command: &'static [u8]) -> ExpectedReply {
    ExpectedReply {
        codes,
        listing: None,
        command,
    }
}

/// The client of NNTP. Posting may be allowed or not: RFC 3977, section 5.1; RFC 4642, section 2.2.
const NNTP: [ExpectedReply; 2] = [
    turn(&[b"200", b"201"], b"STARTTLS\r\n"),
    turn(&[b"382"], b""),
];

/// The client of FTP. RFC 4217, section 4.
const FTP: [ExpectedReply; 2] = [turn(&[b"220"], b"AUTH TLS\r\n"), turn(&[b"234"], b"")];

/// Asks a mail server for TLS.
pub fn smtp() -> InLines<Numbered> {
    InLines::new(Numbered::new(&SMTP))
}

/// Asks a server that delivers mail for TLS.
pub fn lmtp() -> InLines<Numbered> {
    InLines::new(Numbered::new(&LMTP))
}

/// Asks a news server for TLS.
pub fn nntp() -> InLines<Numbered> {
    InLines::new(Numbered::new(&NNTP))
}

/// Asks a file server for TLS.
pub fn ftp() -> InLines<Numbered> {
    InLines::new(Numbered::new(&FTP))
}

/// A dialogue in numbered replies.
pub struct Numbered {
    /// What is still to come, the reply under way first.
    turns: &'static [ExpectedReply],
    /// The number of the reply under way, if its first line is not its last.
    under_way: Option<[u8; 3]>,
    /// The word that must be listed was.
    is_listed: bool,
}

impl ExpectedReply {
    /// Returns whether a reply of this number leads on.
    fn takes(&self, code: [u8; 3]) -> bool {
        self.codes.contains(&&code)
    }
}

impl Numbered {
    fn new(turns: &'static [ExpectedReply]) -> Numbered {
        Numbered {
            turns,
            under_way: None,
            is_listed: false,
        }
    }

    /// Judges a reply by its first line; gives its number.
    fn begin(&mut self, turn: &ExpectedReply, line: &[u8]) -> Result<[u8; 3], Refused> {
        let parts = Parts::of(line).ok_or_else(|| Refused::garbage(line))?;
        // 1yz: another reply follows. RFC 959, section 4.2.
        if !turn.takes(parts.code) && parts.code[0] != b'1' {
            return Err(Refused::Server(Refused::shown(line)));
        }
        self.is_listed = false;
        self.under_way = Some(parts.code).filter(|_| !parts.is_last);
        Ok(parts.code)
    }

    /// Goes on with a reply of several lines. In FTP, those between the first and the last may be
    /// anything.
    fn go_on(&mut self, turn: &ExpectedReply, code: [u8; 3], line: &[u8]) {
        let Some(parts) = Parts::of(line).filter(|parts| parts.code == code) else {
            return;
        };
        let mut words = parts.text.split(u8::is_ascii_whitespace);
        let word = words.next().unwrap_or_default();
        self.is_listed |= turn.listing.is_some_and(|it| it.eq_ignore_ascii_case(word));
        if parts.is_last {
            self.under_way = None;
        }
    }
}

/// A line of a reply. RFC 959, section 4.2; RFC 5321, section 4.2.1.
struct Parts<'a> {
    code: [u8; 3],
    /// There is no hyphen behind the number.
    is_last: bool,
    text: &'a [u8],
}

impl Parts<'_> {
    fn of(line: &[u8]) -> Option<Parts<'_>> {
        let (&code, behind) = line.split_first_chunk()?;
        let (separator, text) = behind.split_first().unwrap_or((&b' ', b""));
        b" -".contains(separator).then_some(Parts {
            code,
            is_last: *separator == b' ',
            text,
        })
    }
}

impl LineDialogue for Numbered {
    fn can_begin(&self, begun: &[u8]) -> bool {
        self.under_way.is_some() || begun.iter().take(3).all(u8::is_ascii_digit)
    }

    fn take_line(&mut self, line: &[u8], output: &mut Vec<u8>) -> Result<bool, Refused> {
        let Some((turn, later)) = self.turns.split_first() else {
            return Ok(true);
        };
        let code = match self.under_way {
            Some(code) => {
                self.go_on(turn, code, line);
                code
            }
            None => self.begin(turn, line)?,
        };
        if self.under_way.is_some() || !turn.takes(code) {
            return Ok(false);
        }
        if turn.listing.is_some() && !self.is_listed {
            return Err(Refused::NoStarttls);
        }
        output.extend_from_slice(turn.command);
        self.turns = later;
        Ok(later.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::testing::{converse, feed};

    const EHLO: &[u8] = b"EHLO [127.0.0.1]\r\n";

    #[test]
    fn nothing_is_said_before_the_greeting_has_ended() {
        assert_eq!(feed(smtp(), std::iter::empty()), (Ok(None), vec![]));
        assert_eq!(converse(smtp, b"220-hi\r\n").1, b"");
        assert_eq!(converse(smtp, b"220-hi\r\n220 there\r\n").1, EHLO);
        assert_eq!(converse(smtp, b"220-hi\r\n220\r\n").1, EHLO);
        assert_eq!(converse(smtp, b"220\n").1, EHLO);
    }

    #[test]
    fn lines_within_a_reply_may_be_anything() {
        let answer = b"220-hi\r\n200 no end\r\n\r\n 220 nor this\r\n2200\r\n220-\r\n220 end\r\n";
        assert_eq!(converse(ftp, answer), (Ok(None), b"AUTH TLS\r\n".into()));
    }

    #[test]
    fn a_server_may_ask_for_patience() {
        let answer = b"120 in 5 minutes\r\n120-4\r\n120 minutes\r\n220 now\r\n";
        assert_eq!(converse(ftp, answer), (Ok(None), b"AUTH TLS\r\n".into()));
    }

    #[test]
    fn starttls_has_to_be_a_word_of_the_list() {
        for (lines, is_listed) in [
            ("250-h\r\n250-SIZE\r\n250 STARTTLS", true),
            ("250-h\r\n250-starttls x\r\n250 HELP", true),
            ("250 h", false),
            // The server's name, and no word.
            ("250 STARTTLS", false),
            ("250-STARTTLS\r\n250 HELP", false),
            ("250-h\r\n250 XSTARTTLS", false),
            (
                "250-h\r\n250-SIZE STARTTLS\r\n250xSTARTTLS\r\n250 STARTTLSX",
                false,
            ),
        ] {
            let (end, sent) = converse(smtp, format!("220 h\r\n{lines}\r\n").as_bytes());
            if is_listed {
                assert_eq!(sent, [EHLO, b"STARTTLS\r\n"].concat(), "{lines:?}")
            } else {
                assert_eq!(end, Err(Refused::NoStarttls), "{lines:?}")
            }
        }
    }

    #[test]
    fn refusals_are_told_in_the_servers_words_at_their_first_line() {
        for (answer, words) in [
            ("554-no \x1b[31mservice\r\n", "554-no \\x1b[31mservice"),
            ("220 h\r\n502 5.5.1 what?\r\n", "502 5.5.1 what?"),
            (
                "220 h\r\n250-h\r\n250 STARTTLS\r\n454 no TLS now\r\n",
                "454 no TLS now",
            ),
        ] {
            let end = converse(smtp, answer.as_bytes()).0;
            assert_eq!(end, Err(Refused::Server(words.to_owned())));
        }
        let end = converse(ftp, b"220 h\r\n334 ADAT=\r\n").0;
        assert_eq!(end, Err(Refused::Server("334 ADAT=".to_owned())));
    }

    #[test]
    fn other_languages_are_garbage_at_the_first_wrong_byte() {
        for answer in [
            "+",
            "SSH-2.0-x",
            "22x",
            "\r\n",
            "22\r\n",
            "2200\r\n",
            "220 h\r\n\x16\x03",
        ] {
            let end = converse(smtp, answer.as_bytes()).0;
            assert!(matches!(end, Err(Refused::Garbage(_))), "{answer:?}");
        }
    }
}
