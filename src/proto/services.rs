//! The small services of old: what they answer. Echo (RFC 862) and discard (RFC 863) need nothing
//! but their input; chargen (RFC 864) has a pattern, daytime (RFC 867) a line.

use super::calendar::Civil;

/// The printing characters of ASCII, from the space on. RFC 864, "Data Syntax".
const CHARACTERS: usize = 95;
/// Characters in a line, without its CR LF.
const LINE_CHARACTERS: usize = 72;
const LINE_BYTES: usize = LINE_CHARACTERS + 2;
/// The most characters of an answering datagram. RFC 864, "UDP Based Character Generator Service".
pub const MOST_CHARGEN_BYTES: usize = 512;

/// The pattern: one line for each character it can begin with; then it comes anew.
const PATTERN: [u8; CHARACTERS * LINE_BYTES] = pattern();

const fn pattern() -> [u8; CHARACTERS * LINE_BYTES] {
    let mut bytes = [0; CHARACTERS * LINE_BYTES];
    let mut at = 0;
    while at < bytes.len() {
        let (line, column) = (at / LINE_BYTES, at % LINE_BYTES);
        bytes[at] = match column {
            LINE_CHARACTERS => b'\r',
            column if column > LINE_CHARACTERS => b'\n',
            // Below 127, so it fits.
            column => b' ' + ((line + column) % CHARACTERS) as u8,
        };
        at += 1;
    }
    bytes
}

/// Gives the pattern of chargen, without end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Chargen {
    /// Where in the pattern the next byte is.
    at: usize,
}

impl Chargen {
    /// Fills `buf` with what comes next.
    pub fn fill(&mut self, mut buf: &mut [u8]) {
        while !buf.is_empty() {
            let rest = &PATTERN[self.at..];
            let len = rest.len().min(buf.len());
            buf[..len].copy_from_slice(&rest[..len]);
            buf = &mut buf[len..];
            self.at = (self.at + len) % PATTERN.len();
        }
    }
}

/// The line of daytime for so many seconds since 1970, in the first form RFC 867 proposes:
/// `Saturday, November 21, 2026 12:45:03-UTC`, with CR LF behind it.
pub fn daytime(unix_seconds: u64) -> String {
    let civil = Civil::from_unix(unix_seconds);
    let Civil {
        year,
        day,
        hour,
        minute,
        second,
        ..
    } = civil;
    let (weekday, month) = (civil.weekday_name(), civil.month_name());
    format!("{weekday}, {month} {day}, {year} {hour:02}:{minute:02}:{second:02}-UTC\r\n")
}

/// Returns whether a datagram from this port may be answered by a service at `own_port`. An answer
/// to another such service would be answered in turn, without end; it is enough to forge the
/// first one. So nothing is said to ports of the system's services, below 1024, nor to our own
/// number, which another machine's service of the kind has.
pub fn may_be_answered(port: u16, own_port: u16) -> bool {
    port >= 1024 && port != own_port
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn generated(len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        Chargen::default().fill(&mut bytes);
        bytes
    }

    #[test]
    fn chargen_begins_as_in_the_rfc() {
        let text = String::from_utf8(generated(3 * LINE_BYTES)).expect("ASCII");
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(
            lines,
            [
                r##" !"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefg"##,
                r##"!"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefgh"##,
                r##""#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghi"##,
                "",
            ]
        );
    }

    #[test]
    fn chargen_comes_round_after_95_lines() {
        let bytes = generated(2 * PATTERN.len());
        assert_eq!(bytes[..PATTERN.len()], bytes[PATTERN.len()..]);
        let last = &bytes[94 * LINE_BYTES..PATTERN.len()];
        assert_eq!(&last[..3], b"~ !");
    }

    #[test]
    fn daytime_reads_as_the_rfc_has_it() {
        let cases = [
            (0, "Thursday, January 1, 1970 00:00:00-UTC\r\n"),
            (951_782_399, "Monday, February 28, 2000 23:59:59-UTC\r\n"),
            (951_782_400, "Tuesday, February 29, 2000 00:00:00-UTC\r\n"),
            (
                1_795_265_103,
                "Saturday, November 21, 2026 12:45:03-UTC\r\n",
            ),
            (4_107_542_400, "Monday, March 1, 2100 00:00:00-UTC\r\n"),
        ];
        for (seconds, text) in cases {
            assert_eq!(daytime(seconds), text);
        }
    }

    #[test]
    fn services_do_not_answer_each_other() {
        for (port, own, may) in [
            (7, 40_000, false),
            (19, 19, false),
            (1023, 7, false),
            (40_000, 40_000, false),
            (1024, 40_000, true),
            (40_000, 7, true),
        ] {
            assert_eq!(may_be_answered(port, own), may, "{port} to {own}");
        }
    }

    proptest! {
        #[test]
        fn chargen_is_the_same_however_it_is_cut(
            cuts in proptest::collection::vec(0usize..20_000, 0..12)
        ) {
            let (mut chargen, mut pieces) = (Chargen::default(), Vec::new());
            for len in cuts {
                let mut piece = vec![0; len];
                chargen.fill(&mut piece);
                pieces.extend(piece);
            }
            prop_assert_eq!(&generated(pieces.len()), &pieces);
        }
    }
}
