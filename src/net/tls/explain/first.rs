//! The first bytes a peer sent: TLS, or what else.

use super::context::TlsSide;
use crate::parse::escape::printable;
use crate::proto::hello::is_client_hello;

/// Bytes of a line that are shown.
const LINE_BYTES: usize = 100;
/// Bytes of what is no text that are shown.
const HEX_BYTES: usize = 8;

/// ContentType. RFC 8446, section 5.1; heartbeat: RFC 6520.
const CHANGE_CIPHER_SPEC: u8 = 20;
const HEARTBEAT: u8 = 24;
/// Where the version is in a ClientHello: behind the heads of the record and of the message.
const HELLO_VERSION: usize = 9;
/// TLS 1.2. RFC 5246, section 6.2.1.
const TLS12: (u8, u8) = (3, 3);
/// The first byte of all versions since SSL 3.0. RFC 8446, section 5.1.
const MAJOR: u8 = 3;

/// Whether a ClientHello is of a version before TLS 1.2: the version is all it can express.
/// RFC 8446, section 4.1.2.
pub fn is_old_hello(first: &[u8]) -> bool {
    match first.get(HELLO_VERSION..HELLO_VERSION + 2) {
        Some([major, minor]) => is_client_hello(first) && (*major, *minor) < TLS12,
        _ => false,
    }
}

/// What a peer speaks whose first bytes are no record of TLS; `None` when they are one, or none
/// came.
pub fn foreign(first: &[u8], side: TlsSide) -> Option<String> {
    match first {
        [] | [CHANGE_CIPHER_SPEC..=HEARTBEAT] => return None,
        [CHANGE_CIPHER_SPEC..=HEARTBEAT, MAJOR, ..] => return None,
        _ => {}
    }
    let line = first_line(first);
    if !is_text(line) {
        let bytes = first.iter().take(HEX_BYTES);
        let bytes: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
        let peer = side.peer();
        return Some(format!(
            "{peer} does not speak TLS: it sent {}",
            bytes.join(" ")
        ));
    }
    let shown = printable(line);
    Some(match side {
        TlsSide::Server => format!("the client spoke plain text: {shown}"),
        TlsSide::Client { .. } => {
            let way = starttls(line).map_or_else(String::new, |name| {
                format!(" (--starttls {name} goes over to TLS)")
            });
            format!("the peer answered in plain text: {shown}{way}")
        }
    })
}

fn first_line(first: &[u8]) -> &[u8] {
    let first = &first[..first.len().min(LINE_BYTES)];
    let end = first.iter().position(|&byte| byte == b'\n');
    let line = &first[..end.unwrap_or(first.len())];
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn is_text(line: &[u8]) -> bool {
    let starts = line.first().is_some_and(u8::is_ascii_graphic);
    starts
        && !line
            .iter()
            .any(|&byte| byte.is_ascii_control() && byte != b'\t')
}

/// The protocol of `--starttls` whose servers greet so. RFC 5321, section 4.2; RFC 959, section
/// 5.4; RFC 9051, section 7.1.1; RFC 1939, section 4; RFC 3977, section 5.1; RFC 5804, section 1.7;
/// RFC 6120, section 4.3.1.
fn starttls(greeting: &[u8]) -> Option<&'static str> {
    let has = |word: &[u8]| greeting.windows(word.len()).any(|part| part == word);
    match greeting {
        [b'2', b'2', b'0', b' ' | b'-', ..] if has(b"LMTP") => Some("lmtp"),
        [b'2', b'2', b'0', b' ' | b'-', ..] if has(b"SMTP") => Some("smtp"),
        [b'2', b'2', b'0', b' ' | b'-', ..] if has(b"FTP") => Some("ftp"),
        [b'*', b' ', b'O', b'K', ..] => Some("imap"),
        [b'+', b'O', b'K', ..] => Some("pop3"),
        [b'2', b'0', b'0' | b'1', b' ', ..] if has(b"NNTP") || has(b"NNRP") => Some("nntp"),
        _ if has(b"\"IMPLEMENTATION\"") => Some("sieve"),
        _ if has(b"<stream:stream") && has(b"jabber:server") => Some("xmpp-server"),
        _ if has(b"<stream:stream") => Some("xmpp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tls::Spelling;

    const CLIENT: TlsSide = TlsSide::Client {
        has_cert: false,
        spelling: Spelling::Options,
    };

    #[test]
    fn an_old_client_hello_is_known_by_its_version() {
        let mut hello = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 2];
        assert!(is_old_hello(&hello));
        assert!(!is_old_hello(&hello[..10]));
        hello[10] = 3;
        assert!(!is_old_hello(&hello));
    }

    #[test]
    fn plain_text_is_shown_up_to_its_first_line() {
        let answer = b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n";
        assert_eq!(
            foreign(answer, CLIENT).as_deref(),
            Some("the peer answered in plain text: HTTP/1.1 400 Bad Request")
        );
        assert_eq!(
            foreign(b"GET / HTTP/1.1\r\n", TlsSide::Server).as_deref(),
            Some("the client spoke plain text: GET / HTTP/1.1")
        );
        let long = foreign(&[b'x'; 200], CLIENT).expect("no TLS");
        assert_eq!(
            long,
            format!("the peer answered in plain text: {}", "x".repeat(100))
        );
    }

    #[test]
    fn a_greeting_names_its_starttls() {
        let cases: [(&[u8], &str); 11] = [
            (
                b"220 mail.example ESMTP ready\r\n",
                " (--starttls smtp goes over to TLS)",
            ),
            (b"220-FTP server\r\n", " (--starttls ftp goes over to TLS)"),
            (b"* OK IMAP4rev2\r\n", " (--starttls imap goes over to TLS)"),
            (b"+OK ready\r\n", " (--starttls pop3 goes over to TLS)"),
            (b"220 h LMTP\r\n", " (--starttls lmtp goes over to TLS)"),
            (
                b"200 news INN NNRP server ready\r\n",
                " (--starttls nntp goes over to TLS)",
            ),
            (
                b"\"IMPLEMENTATION\" \"x\"\r\n",
                " (--starttls sieve goes over to TLS)",
            ),
            (
                b"<?xml version='1.0'?><stream:stream xmlns='jabber:client'>",
                " (--starttls xmpp goes over to TLS)",
            ),
            (
                b"<stream:stream xmlns='jabber:server'>",
                " (--starttls xmpp-server goes over to TLS)",
            ),
            (b"220 something\r\n", "220 something"),
            (b"SSH-2.0-OpenSSH_9.9\r\n", "SSH-2.0-OpenSSH_9.9"),
        ];
        for (greeting, end) in cases {
            let text = foreign(greeting, CLIENT).expect("no TLS");
            assert!(text.ends_with(end), "{text}");
        }
        let text = foreign(b"+OK ready\r\n", TlsSide::Server).expect("no TLS");
        assert_eq!(text, "the client spoke plain text: +OK ready");
    }

    #[test]
    fn what_is_no_text_is_shown_in_hex() {
        let cases: [(&[u8], &str); 4] = [
            (
                &[0x4a, 0, 0, 0, 10, 0x38, 0x2e, 0x30, 0x2e],
                "4a 00 00 00 0a 38 2e 30",
            ),
            (&[0x80, 0x2e, 1], "80 2e 01"),
            (b"\n", "0a"),
            (b"\x16\x09", "16 09"),
        ];
        for (bytes, hex) in cases {
            assert_eq!(
                foreign(bytes, CLIENT),
                Some(format!("the peer does not speak TLS: it sent {hex}"))
            );
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_not_shown_as_text() {
        let text = foreign(b"a\x1b[31m", CLIENT).expect("no TLS");
        assert_eq!(
            text,
            "the peer does not speak TLS: it sent 61 1b 5b 33 31 6d"
        );
        let text = foreign("a\u{9b}31m".as_bytes(), CLIENT).expect("no TLS");
        assert_eq!(text, "the peer answered in plain text: a\\xc2\\x9b31m");
    }

    #[test]
    fn records_of_tls_are_not_foreign() {
        for first in [
            &b""[..],
            b"\x16",
            b"\x16\x03\x03",
            b"\x15\x03\x01\x00\x02\x02\x28",
        ] {
            assert_eq!(foreign(first, CLIENT), None);
        }
    }
}
