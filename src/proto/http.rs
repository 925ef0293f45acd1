//! HTTP CONNECT client. RFC 9110, sections 9.3.6 and 11.7; RFC 9112, sections 3 and 4.
//!
//! ```text
//!   Start -- request --> Status -- 2xx --> Headers -- empty line --> Done
//! ```

use super::find::find;
use super::{Handshake, Login, Progress, Refused, Target};
use core::net::IpAddr;

/// The longest line taken, its end counted.
const LINE_MAX: usize = 8 * 1024;
/// The longest answer taken, from the status line to the empty line.
const ANSWER_MAX: usize = 64 * 1024;
/// The characters of a base64 digit. RFC 4648, section 4.
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Asks an HTTP proxy for a tunnel.
pub struct HttpConnect {
    request: Vec<u8>,
    /// The line that has begun to come, with its end.
    line: Vec<u8>,
    /// Bytes of the answer so far.
    seen: usize,
    state: State,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Our request.
    Start,
    /// The status line.
    Status,
    /// A header, or the empty line.
    Headers,
    /// The session.
    Done,
}

impl HttpConnect {
    /// A request for `target`, worded as nc does, with `login` as Basic credentials.
    ///
    /// # Errors
    /// [`Refused::Request`] for a name that is empty or has blanks, control characters, colons or
    /// brackets in it, and for a user with a colon (RFC 7617, section 2).
    pub fn new(target: &Target, port: u16, login: Option<&Login>) -> Result<Self, Refused> {
        let host = match target {
            Target::Ip(IpAddr::V6(address)) => format!("[{address}]"),
            Target::Ip(IpAddr::V4(address)) => address.to_string(),
            Target::Name(name) => {
                let bad = |c: char| c.is_control() || c.is_whitespace() || "[]:".contains(c);
                if name.is_empty() || name.contains(bad) {
                    return Err(Refused::Request("invalid host name for HTTP"));
                }
                name.clone()
            }
        };
        let mut request = format!("CONNECT {host}:{port} HTTP/1.0\r\n");
        if let Some(Login { user, password }) = login {
            if user.contains(':') {
                return Err(Refused::Request("colon in the user name for HTTP"));
            }
            let credentials = base64(format!("{user}:{password}").as_bytes());
            request.push_str("Proxy-Authorization: Basic ");
            request.push_str(&credentials);
            request.push_str("\r\n");
        }
        request.push_str("\r\n");
        let request = request.into_bytes();
        Ok(Self {
            request,
            line: Vec::new(),
            seen: 0,
            state: State::Start,
        })
    }

    /// Adds to the line at hand.
    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), Refused> {
        self.seen += bytes.len();
        if self.line.len() + bytes.len() > LINE_MAX || self.seen > ANSWER_MAX {
            return Err(Refused::TooLong);
        }
        self.line.extend_from_slice(bytes);
        // Known at the first wrong byte: another kind of server may never send a line end.
        let starts_well = self.line.iter().zip(b"HTTP/1.").all(|(a, b)| a == b);
        if self.state == State::Status && !starts_well {
            return Err(Refused::garbage(&self.line));
        }
        Ok(())
    }

    /// Judges the line at hand, which is whole, and clears it.
    fn end_line(&mut self) -> Result<(), Refused> {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        // Bare LF is taken too. RFC 9112, section 2.2.
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.state = match self.state {
            State::Status => {
                judge_status(line)?;
                State::Headers
            }
            _ if line.is_empty() => State::Done,
            state => state,
        };
        self.line.clear();
        Ok(())
    }
}

/// Takes a status line that says 2xx: the tunnel stands. RFC 9110, section 9.3.6.
fn judge_status(line: &[u8]) -> Result<(), Refused> {
    let status = status_code(line).ok_or_else(|| Refused::garbage(line))?;
    let line = Refused::shown(line);
    match status {
        200..=299 => Ok(()),
        407 => Err(Refused::PasswordWanted { line }),
        _ => Err(Refused::Http { status, line }),
    }
}

/// The code in `HTTP/1.0 200 reason`, or 1.1; the reason may be missing. RFC 9112, section 4.
fn status_code(line: &[u8]) -> Option<u16> {
    let rest = line
        .strip_prefix(b"HTTP/1.0 ")
        .or_else(|| line.strip_prefix(b"HTTP/1.1 "))?;
    let (code, reason) = rest.split_at_checked(3)?;
    let ends = reason.first().is_none_or(|&byte| byte == b' ');
    let digits = code.iter().all(u8::is_ascii_digit);
    (ends && digits).then(|| {
        code.iter()
            .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'))
    })
}

/// Base64 with padding. RFC 4648, section 4.
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| chunk.get(at).map_or(0, |&byte| usize::from(byte));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            // A chunk of n bytes has n + 1 digits.
            let padding = digit > chunk.len();
            let value = bits >> (18 - 6 * digit) & 0x3f;
            text.push(if padding {
                '='
            } else {
                char::from(BASE64[value])
            });
        }
    }
    text
}

impl Handshake for HttpConnect {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        if self.state == State::Start {
            output.append(&mut self.request);
            self.state = State::Status;
        }
        let mut rest = input;
        while self.state != State::Done {
            let Some(end) = find(b'\n', rest) else {
                self.extend_line(rest)?;
                return Ok(Progress::More { used: input.len() });
            };
            let (line, behind) = rest.split_at(end + 1);
            self.extend_line(line)?;
            self.end_line()?;
            rest = behind;
        }
        Ok(Progress::Done {
            used: input.len() - rest.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{End, converse, feed};
    use super::*;
    use proptest::prelude::*;

    fn http(host: &str, login: Option<(&str, &str)>) -> Result<HttpConnect, Refused> {
        let login = login.map(|(user, password)| Login {
            user: user.to_owned(),
            password: password.to_owned(),
        });
        HttpConnect::new(&Target::from(host), 443, login.as_ref())
    }

    fn made() -> HttpConnect {
        http("h", None).unwrap()
    }

    /// Feeds an answer too long to be cut at each place.
    fn in_pieces(answer: &[u8]) -> End {
        let whole = feed(made(), std::iter::once(answer));
        for len in [1, 7, 4096] {
            assert_eq!(whole, feed(made(), answer.chunks(len)));
        }
        whole
    }

    #[test]
    fn asks_as_nc_does() {
        let sent = |host, login| {
            let sent = feed(http(host, login).unwrap(), std::iter::empty()).1;
            String::from_utf8(sent).unwrap()
        };
        assert_eq!(
            sent("example.org", None),
            "CONNECT example.org:443 HTTP/1.0\r\n\r\n"
        );
        assert_eq!(
            sent("10.0.0.1", None),
            "CONNECT 10.0.0.1:443 HTTP/1.0\r\n\r\n"
        );
        assert_eq!(
            sent("2001:db8::1", None),
            "CONNECT [2001:db8::1]:443 HTTP/1.0\r\n\r\n"
        );
        // The credentials of RFC 7617, section 2.
        assert_eq!(
            sent("h", Some(("Aladdin", "open sesame"))),
            "CONNECT h:443 HTTP/1.0\r\n\
             Proxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"
        );
    }

    #[test]
    fn any_2xx_opens_the_tunnel_and_session_bytes_are_kept() {
        for answer in [
            "HTTP/1.0 200 Connection established\r\n\r\n",
            "HTTP/1.1 200 OK\r\nVia: x\r\nDate: today\r\n\r\n",
            "HTTP/1.1 204\r\n\r\n",
            "HTTP/1.0 200 \n\n",
            "HTTP/1.0 299 odd\nA: b\r\n c\n\n",
        ] {
            let with_session = format!("{answer}\r\nSSH-2.0\n");
            let end = converse(made, with_session.as_bytes()).0;
            assert_eq!(end, Ok(Some(b"\r\nSSH-2.0\n".to_vec())), "{answer:?}");
            for len in 0..answer.len() {
                assert_eq!(feed(made(), answer.as_bytes()[..len].chunks(1)).0, Ok(None));
            }
        }
    }

    #[test]
    fn other_codes_are_refusals_in_the_proxys_words() {
        let end = converse(made, b"HTTP/1.0 403 No \x1b[31mway\r\n");
        let line = "HTTP/1.0 403 No \\x1b[31mway".to_owned();
        assert_eq!(end.0, Err(Refused::Http { status: 403, line }));
        assert_eq!(
            end.0.unwrap_err().to_string(),
            "proxy refused: HTTP/1.0 403 No \\x1b[31mway"
        );
        for code in ["100", "199", "300", "000", "999"] {
            let answer = format!("HTTP/1.1 {code}\n");
            assert!(matches!(
                converse(made, answer.as_bytes()).0,
                Err(Refused::Http { .. })
            ));
        }
    }

    #[test]
    fn status_407_asks_for_a_password() {
        let line = "HTTP/1.1 407 Proxy Authentication Required";
        let end = converse(made, format!("{line}\r\n").as_bytes()).0;
        assert_eq!(
            end,
            Err(Refused::PasswordWanted {
                line: line.to_owned()
            })
        );
    }

    #[test]
    fn other_languages_are_garbage_at_the_first_wrong_byte() {
        for answer in [
            "SSH-2.0-x\r\n",
            "S",
            "\n",
            "http/1.0 200 \n",
            "HTTP/2 200 \n",
            "HTTP/1.2 200 \n",
            "HTTP/1.0 20\n",
            "HTTP/1.0 2000\n",
            "HTTP/1.0  200\n",
            "HTTP/1.0 +20\n",
            "HTTP/1.0\n",
        ] {
            let end = converse(made, answer.as_bytes()).0;
            assert!(matches!(end, Err(Refused::Garbage(_))), "{answer:?}");
        }
    }

    #[test]
    fn lines_and_answers_have_a_longest() {
        let status = "HTTP/1.0 200 ok\r\n";
        let line = |len: usize| format!("{}\n", "x".repeat(len - 1));
        let fits = format!("{status}{}\n!", line(LINE_MAX));
        assert_eq!(in_pieces(fits.as_bytes()).0, Ok(Some(b"!".to_vec())));
        let long_line = format!("{status}{}\n!", line(LINE_MAX + 1));
        assert_eq!(in_pieces(long_line.as_bytes()).0, Err(Refused::TooLong));
        let endless = format!("{status}{}", "x".repeat(LINE_MAX + 1));
        assert_eq!(in_pieces(endless.as_bytes()).0, Err(Refused::TooLong));

        let left = ANSWER_MAX - 1 - status.len();
        let full = format!(
            "{status}{}{}\n!",
            line(1024).repeat(left / 1024),
            line(left % 1024)
        );
        assert_eq!(in_pieces(full.as_bytes()).0, Ok(Some(b"!".to_vec())));
        let many = format!("{status}{}\n!", line(1024).repeat(ANSWER_MAX / 1024));
        assert_eq!(in_pieces(many.as_bytes()).0, Err(Refused::TooLong));
    }

    #[test]
    fn names_that_would_change_the_request_are_refused_unsent() {
        for host in [
            "",
            "a b",
            "a\r\nX: y",
            "a\n",
            "a:b",
            "[::1]",
            "a\tb",
            "a\0",
            "fe80::1%eth0",
        ] {
            assert!(
                matches!(http(host, None).err(), Some(Refused::Request(_))),
                "{host:?}"
            );
        }
        assert!(matches!(
            http("h", Some(("a:b", "c"))).err(),
            Some(Refused::Request(_))
        ));
        assert!(http("h", Some(("a", "b:c\r\n"))).is_ok());
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let cases = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xfb]), "/+/7");
    }

    proptest! {
        #[test]
        fn no_answer_panics_and_no_cut_matters(
            answer in "(HTTP/1\\.[01] [2-4]0[0-9])?[ a\r\n]{0,30}", noise: Vec<u8>,
        ) {
            let _ = converse(made, answer.as_bytes());
            let _ = converse(made, &noise);
        }

        #[test]
        fn session_bytes_survive(session: Vec<u8>) {
            let answer = [b"HTTP/1.1 200 OK\r\n\r\n", &session[..]].concat();
            prop_assert_eq!(feed(made(), answer.chunks(5)).0, Ok(Some(session)));
        }
    }
}
