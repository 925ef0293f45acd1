//! What passed, as it stands in a log: bytes, their sender and receiver, where and when.
//!
//! | format | of two lines sent to a server |
//! | --- | --- |
//! | raw | the bytes, of both directions as they passed |
//! | tagged | `2026-11-21T12:00:00.123456Z > 127.0.0.1 port 80 (tcp): GET /\n`, a line of the log for each line |
//! | JSON | `{"time":"2026-…","direction":"sent","peer":"127.0.0.1 port 80 (tcp)","offset":0,"size":6,"text":"GET /\n"}` |
//! | hex | `2026-11-21T12:00:00.123456Z > 6 bytes, 127.0.0.1 port 80 (tcp)`, then the rows |
//! | Ncat's hex | the rows, no mark of the direction |
//!
//! But for raw ones, records are made of printable text and line feeds, so that a terminal obeys
//! nothing that a peer sent.

use super::base64::base64;
use super::{hexdump, timestamp};
use crate::parse::escape::{is_obeyed, printable};
use crate::plan::LogFormat;
use std::time::Duration;

/// In which direction bytes passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the peer; in a relay, to its target.
    Sent,
    /// From there.
    Received,
}

impl Direction {
    /// The mark of the direction: `>` or `<`.
    pub fn mark(self) -> char {
        match self {
            Direction::Sent => '>',
            Direction::Received => '<',
        }
    }

    fn name(self) -> &'static str {
        match self {
            Direction::Sent => "sent",
            Direction::Received => "received",
        }
    }

    /// Selects a colour of a terminal: green or cyan. ECMA-48, section 8.3.117.
    fn colour(self) -> &'static str {
        match self {
            Direction::Sent => "\x1b[32m",
            Direction::Received => "\x1b[36m",
        }
    }
}

/// Bytes that passed at once.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// When, since 1970-01-01T00:00:00Z.
    pub time: Duration,
    /// The direction.
    pub direction: Direction,
    /// Who is at the other end; printable.
    pub peer: &'a str,
    /// How many bytes have passed in it before.
    pub offset: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl Record<'_> {
    /// The record as it stands in a log.
    pub fn render(&self, format: LogFormat) -> Vec<u8> {
        match format {
            LogFormat::Raw => self.bytes.to_vec(),
            LogFormat::Tagged => self.tagged().into_bytes(),
            LogFormat::Json => self.json().into_bytes(),
            LogFormat::Hex { colours } => self.hex(colours).into_bytes(),
            LogFormat::NcatHex => lines(hexdump::ncat(self.bytes)).into_bytes(),
        }
    }

    fn tagged(&self) -> String {
        let (time, mark) = (timestamp::rfc3339(self.time), self.direction.mark());
        let line = |bytes: &[u8]| format!("{time} {mark} {}: {}", self.peer, printable(bytes));
        match self.bytes {
            // An empty datagram is a datagram.
            [] => lines([line(&[])].into_iter()),
            bytes => lines(bytes.split_inclusive(|&byte| byte == b'\n').map(line)),
        }
    }

    /// Bytes that are not UTF-8 are in base64, RFC 4648, section 4.
    fn json(&self) -> String {
        let content = match std::str::from_utf8(self.bytes) {
            Ok(text) => format!("\"text\":{}", quoted(text)),
            Err(_) => format!("\"base64\":\"{}\"", base64(self.bytes)),
        };
        format!(
            "{{\"time\":\"{}\",\"direction\":\"{}\",\"peer\":{},\"offset\":{},\"size\":{},{content}}}\n",
            timestamp::rfc3339(self.time),
            self.direction.name(),
            quoted(self.peer),
            self.offset,
            self.bytes.len(),
        )
    }

    fn hex(&self, colours: bool) -> String {
        let (time, mark) = (timestamp::rfc3339(self.time), self.direction.mark());
        let size = self.bytes.len();
        let unit = if size == 1 { "byte" } else { "bytes" };
        let heading = format!("{time} {mark} {size} {unit}, {}", self.peer);
        let rows = hexdump::canonical(mark, self.offset, self.bytes);
        let all = std::iter::once(heading).chain(rows);
        if colours {
            lines(all.map(|line| format!("{}{line}\x1b[m", self.direction.colour())))
        } else {
            lines(all)
        }
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

/// A JSON string. RFC 8259, section 7. What a terminal may obey is spelt out too.
fn quoted(text: &str) -> String {
    let escaped = |c: char| match c {
        '"' => "\\\"".to_string(),
        '\\' => "\\\\".to_string(),
        '\n' => "\\n".to_string(),
        '\r' => "\\r".to_string(),
        '\t' => "\\t".to_string(),
        c if is_obeyed(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    };
    let content: String = text.chars().map(escaped).collect();
    format!("\"{content}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rendered(direction: Direction, bytes: &[u8], format: LogFormat) -> String {
        let record = Record {
            time: Duration::new(1_795_262_400, 123_456_000),
            direction,
            peer: "127.0.0.1 port 80 (tcp)",
            offset: 16,
            bytes,
        };
        String::from_utf8(record.render(format)).expect("ASCII in, ASCII out")
    }

    const TIME: &str = "2026-11-21T12:00:00.123456Z";
    const PEER: &str = "127.0.0.1 port 80 (tcp)";

    #[test]
    fn tagged_records_have_a_line_for_each_line() {
        let text = rendered(Direction::Sent, b"one\r\ntwo \x1b", LogFormat::Tagged);
        let wanted = format!("{TIME} > {PEER}: one\\r\\n\n{TIME} > {PEER}: two \\x1b\n");
        assert_eq!(text, wanted);
        let empty = rendered(Direction::Received, b"", LogFormat::Tagged);
        assert_eq!(empty, format!("{TIME} < {PEER}: \n"));
    }

    #[test]
    fn json_keeps_every_byte() {
        let head = |direction| {
            format!("{{\"time\":\"{TIME}\",\"direction\":\"{direction}\",\"peer\":\"{PEER}\"")
        };
        let text = rendered(Direction::Sent, b"a\"\\\n\x1b\x7f", LogFormat::Json);
        let head_sent = head("sent");
        let wanted = format!(
            "{head_sent},\"offset\":16,\"size\":6,\"text\":\"a\\\"\\\\\\n\\u001b\\u007f\"}}\n"
        );
        assert_eq!(text, wanted);
        let text = rendered(Direction::Received, b"\xff\xef\xfb", LogFormat::Json);
        let head_received = head("received");
        let wanted = format!("{head_received},\"offset\":16,\"size\":3,\"base64\":\"/+/7\"}}\n");
        assert_eq!(text, wanted);
    }

    #[test]
    fn hex_records_tell_who_and_when() {
        let row = "< 00000010  61                                                |a|";
        let text = rendered(Direction::Received, b"a", LogFormat::Hex { colours: false });
        assert_eq!(text, format!("{TIME} < 1 byte, {PEER}\n{row}\n"));
        let text = rendered(Direction::Received, b"a", LogFormat::Hex { colours: true });
        let wanted = format!("\x1b[36m{TIME} < 1 byte, {PEER}\x1b[m\n\x1b[36m{row}\x1b[m\n");
        assert_eq!(text, wanted);
    }

    proptest! {
        #[test]
        fn nothing_a_terminal_obeys_is_left(bytes: Vec<u8>) {
            let record = Record {
                time: Duration::ZERO,
                direction: Direction::Received,
                peer: "peer",
                offset: 0,
                bytes: &bytes,
            };
            let plain = LogFormat::Hex { colours: false };
            for format in [LogFormat::Tagged, LogFormat::Json, plain, LogFormat::NcatHex] {
                let text = String::from_utf8(record.render(format)).expect("text");
                prop_assert!(text.lines().all(|line| !line.contains(is_obeyed)));
                prop_assert!(text.is_empty() || text.ends_with('\n'));
            }
            prop_assert_eq!(record.render(LogFormat::Raw), bytes);
        }
    }
}
