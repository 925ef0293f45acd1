//! Why a handshake failed, and the words for it.

use super::http::challenge::Challenge;
use crate::parse::escape::printable;
use std::fmt;

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
    pub(super) const SHOWN: usize = 200;

    /// The start of an answer, escaped.
    pub(super) fn shown(answer: &[u8]) -> String {
        printable(&answer[..answer.len().min(Self::SHOWN)])
    }

    /// An answer that is not in the language spoken.
    pub(super) fn garbage(answer: &[u8]) -> Self {
        Self::Garbage(format!("\"{}\"", Self::shown(answer)))
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
                    socks4_reply(*code)
                )
            }
            Self::Socks5(code) => {
                write!(
                    f,
                    "proxy refused: {} (SOCKS5 reply {code})",
                    socks5_reply(*code)
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

/// What a reply code of SOCKS4 means.
fn socks4_reply(code: u8) -> &'static str {
    match code {
        90 => "request granted",
        91 => "request rejected or failed",
        92 => "SOCKS server cannot connect to identd on the client",
        93 => "client program and identd report different user-ids",
        _ => "unknown reply",
    }
}

/// What a reply code of SOCKS5 means. RFC 1928, section 6.
fn socks5_reply(code: u8) -> &'static str {
    match code {
        0 => "succeeded",
        1 => "general SOCKS server failure",
        2 => "connection not allowed by ruleset",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unknown reply",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
