//! Wire formats as machines without sockets and clocks, floor 0: bytes in, bytes out.
//!
//! A [`Handshake`] talks to a proxy until the way to the target is open, or to a server until TLS
//! may begin ([`starttls`]). Others change the bytes of one direction ([`crlf`], [`telnet`],
//! [`lines`], [`chat`]), cut them ([`framing`]), show them ([`hexdump`], [`record`],
//! [`timestamp`]), answer ([`services`]), or watch both directions ([`http::exchange`]). All of
//! them give the same result however their input is cut.

mod answer;
pub mod base64;
pub mod calendar;
pub mod chat;
pub mod crlf;
pub mod find;
pub mod framing;
pub mod hello;
pub mod hexdump;
pub mod http;
pub mod lines;
pub mod pem;
pub mod record;
pub mod services;
pub mod socks4;
pub mod socks5;
pub mod starttls;
pub mod telnet;
pub mod timestamp;

use crate::parse::escape::printable;
use core::net::IpAddr;
use http::challenge::Challenge;
use std::fmt;

/// A dialogue before the session, with a proxy that is asked for a way through or with a server
/// that is asked for TLS; it ends in that, or in a refusal.
pub trait Handshake {
    /// Moves on with `input`, and appends to `output` what is to be sent.
    ///
    /// It is called first with an empty input, to let the client speak, then whenever bytes came:
    /// those not used before, with the new ones behind. (The machines here use all they are given
    /// until they are done; a caller need not keep more than it read.) What is appended by the step
    /// that says [`Progress::Done`] has to be sent as well, before anything else.
    ///
    /// # Errors
    /// [`Refused`]; the connection is then of no more use.
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused>;

    /// Says what it means that the connection ended before the handshake did: `None` where the
    /// dialogue goes on over a new one, as after [`Progress::Anew`].
    fn lost(&mut self) -> Option<Refused> {
        Some(Refused::Closed)
    }
}

impl<H: Handshake + ?Sized> Handshake for Box<H> {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        (**self).step(input, output)
    }

    fn lost(&mut self) -> Option<Refused> {
        (**self).lost()
    }
}

/// How far a handshake got. `used` is how many bytes of the input it consumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The peer has to say more. What was not used is to be offered again with more behind it.
    More {
        /// Bytes consumed.
        used: usize,
    },
    /// The way is open. What was not used is the peer's first bytes of the session; where TLS is to
    /// begin, they are none of it.
    Done {
        /// Bytes consumed.
        used: usize,
    },
    /// The dialogue goes on over a new connection, which it begins with an empty input; this one
    /// is of no more use.
    Anew,
}

/// Where a proxy is asked to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address.
    Ip(IpAddr),
    /// A name, for the proxy to look up.
    Name(String),
}

/// Who we say we are to a proxy. It has no `Debug`, so that no log can show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user's name.
    pub user: String,
    /// The password, possibly empty.
    pub password: String,
}

/// Why a handshake did not end in a way to the target, or in TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The request cannot be put into the proxy's language; nothing was sent.
    Request(&'static str),
    /// SOCKS4 reply code, other than 90.
    Socks4(u8),
    /// SOCKS5 reply code, other than 0.
    Socks5(u8),
    /// HTTP status outside 2xx, other than 407.
    Http {
        /// The status code.
        status: u16,
        /// The whole status line, escaped.
        line: String,
    },
    /// No login was given: to be tried again with one, on a new connection, knowing the challenge
    /// (HTTP only).
    PasswordWanted(Option<Challenge>),
    /// The user and password were not accepted.
    PasswordRejected,
    /// The proxy takes none of the authentication methods we have.
    NoMethod,
    /// The server does not do what it was asked for; in its own words, escaped.
    Server(String),
    /// The server does not offer TLS on this connection.
    NoStarttls,
    /// The server takes us for someone who has logged in, which is too late for TLS (IMAP only).
    LoggedIn,
    /// Not an answer in the language spoken; what it was instead, escaped.
    Garbage(String),
    /// The answer is longer than any sensible one.
    TooLong,
    /// The peer closed the connection too early.
    Closed,
}

impl Refused {
    /// Shows at most so many bytes of an answer.
    const SHOWN: usize = 200;

    /// The start of an answer, escaped.
    fn shown(answer: &[u8]) -> String {
        printable(&answer[..answer.len().min(Self::SHOWN)])
    }

    /// An answer that is not in the language spoken.
    fn garbage(answer: &[u8]) -> Self {
        Self::Garbage(format!("\"{}\"", Self::shown(answer)))
    }
}

/// The piece of an answer that has not come whole yet.
#[derive(Default)]
struct Partial(Vec<u8>);

impl Partial {
    /// Moves bytes from the front of `input` until there are `N`, then gives them out. Until then
    /// it must be asked for the same `N`.
    fn take<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        self.fill(N, input);
        let whole = <[u8; N]>::try_from(self.0.as_slice()).ok()?;
        self.0.clear();
        Some(whole)
    }

    /// As `take`, for a length that the peer has chosen.
    fn take_bytes(&mut self, len: usize, input: &mut &[u8]) -> Option<Vec<u8>> {
        self.fill(len, input);
        (self.0.len() == len).then(|| std::mem::take(&mut self.0))
    }

    fn fill(&mut self, len: usize, input: &mut &[u8]) {
        let missing = len.saturating_sub(self.0.len()).min(input.len());
        let (head, rest) = input.split_at(missing);
        self.0.extend_from_slice(head);
        *input = rest;
    }
}

impl From<&str> for Target {
    /// Takes an IPv4 or IPv6 address, without brackets, for an address, and all else for a name.
    fn from(host: &str) -> Self {
        host.parse()
            .map_or_else(|_| Self::Name(host.to_owned()), Self::Ip)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(reason) => f.write_str(reason),
            Self::Socks4(code) => {
                write!(
                    f,
                    "proxy refused: {} (SOCKS4 reply {code})",
                    socks4::reply_text(*code)
                )
            }
            Self::Socks5(code) => {
                write!(
                    f,
                    "proxy refused: {} (SOCKS5 reply {code})",
                    socks5::reply_text(*code)
                )
            }
            Self::Http { line, .. } => write!(f, "proxy refused: {line}"),
            Self::PasswordWanted(_) => f.write_str("proxy wants a user and password"),
            Self::PasswordRejected => f.write_str("proxy rejected the user and password"),
            Self::NoMethod => f.write_str("proxy accepts none of our authentication methods"),
            Self::Server(words) => write!(f, "server refused: {words}"),
            Self::NoStarttls => f.write_str("server offers no STARTTLS"),
            Self::LoggedIn => f.write_str("server says we are logged in, too late for STARTTLS"),
            Self::Garbage(what) => write!(f, "answer is garbage: {what}"),
            Self::TooLong => f.write_str("answer too long"),
            Self::Closed => f.write_str("peer closed the connection during the handshake"),
        }
    }
}

impl std::error::Error for Refused {}

/// What the tests of all handshakes share: one conversation, cut in every way.
#[cfg(test)]
mod testing {
    use super::*;

    /// What came of a conversation: the proxy's bytes left for the session, or None for a machine
    /// that wants more; and all that was sent.
    pub type End = (Result<Option<Vec<u8>>, Refused>, Vec<u8>);

    /// Feeds the pieces as a dialer does, offering again what was not used.
    pub fn feed<'a>(mut machine: impl Handshake, pieces: impl Iterator<Item = &'a [u8]>) -> End {
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
                Err(refused) => return (Err(refused), sent),
            };
            unread.drain(..used);
        }
        (Ok(done.then_some(unread)), sent)
    }

    /// Feeds the answer whole, byte by byte, and cut at each place; all must end alike.
    pub fn converse<M: Handshake>(make: impl Fn() -> M, answer: &[u8]) -> End {
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
    fn assert_alike(a: &End, b: &End, how: &str) {
        match (&a.0, &b.0) {
            (Err(Refused::Garbage(_)), Err(Refused::Garbage(_))) => {}
            (a, b) => assert_eq!(a, b, "{how}"),
        }
        if a.0.is_ok() {
            assert_eq!(a.1, b.1, "{how}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_address_if_it_can_be() {
        assert_eq!(
            Target::from("10.0.0.1"),
            Target::Ip(IpAddr::from([10, 0, 0, 1]))
        );
        assert_eq!(Target::from("::1"), Target::Ip(IpAddr::V6(1.into())));
        for name in ["example.org", "[::1]", "fe80::1%eth0", "1.2.3", ""] {
            assert_eq!(Target::from(name), Target::Name(name.to_owned()));
        }
    }

    #[test]
    fn refusals_name_the_reason() {
        let cases = [
            (
                Refused::Socks5(5),
                "proxy refused: connection refused (SOCKS5 reply 5)",
            ),
            (
                Refused::Socks4(91),
                "proxy refused: request rejected or failed (SOCKS4 reply 91)",
            ),
            (
                Refused::PasswordWanted(None),
                "proxy wants a user and password",
            ),
            (
                Refused::garbage(b"SSH\x1b"),
                "answer is garbage: \"SSH\\x1b\"",
            ),
            (Refused::TooLong, "answer too long"),
            (
                Refused::Closed,
                "peer closed the connection during the handshake",
            ),
            (
                Refused::Server("502 no".to_owned()),
                "server refused: 502 no",
            ),
            (Refused::NoStarttls, "server offers no STARTTLS"),
            (
                Refused::LoggedIn,
                "server says we are logged in, too late for STARTTLS",
            ),
        ];
        for (refused, text) in cases {
            assert_eq!(refused.to_string(), text);
        }
    }

    #[test]
    fn long_garbage_is_shown_in_part() {
        assert_eq!(
            Refused::garbage(&[b'x'; 5000]).to_string().len(),
            r#"answer is garbage: """#.len() + 200
        );
    }
}
