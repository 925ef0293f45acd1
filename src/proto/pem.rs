//! Sections of text that hold certificates and keys (PEM). RFC 7468; headers: RFC 1421, section 4.6.
//!
//! What OpenSSL or GnuTLS take is taken: text around the sections, spaces, a byte order mark, and
//! sections joined on one line, as `cat` makes them of files that do not end in a line end. What
//! looks like a section and is none is an error: of a chain or of a list of authorities no part may
//! go missing unseen.

use super::base64;
use std::fmt;

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";
/// U+FEFF in UTF-8, and in both orders of UTF-16.
const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";
const UTF16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];
/// Bytes of a line that an error shows.
const LINE_BYTES: usize = 100;

/// A section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What it holds, in capitals: `CERTIFICATE`.
    pub label: String,
    /// It is encrypted, as its headers say.
    pub is_encrypted: bool,
    /// The bytes in it.
    pub content: Vec<u8>,
}

/// Why a text has no sections that could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PemError {
    /// The text is in UTF-16.
    Utf16,
    /// A line that should begin a section, or end one, and does neither.
    Boundary(Vec<u8>),
    /// The section of this label has no end.
    NoEnd(String),
    /// The section of this label is not in base64.
    NotBase64(String),
}

impl fmt::Display for PemError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PemError::Utf16 => out.write_str("text in UTF-16 (iconv -f UTF-16 -t ASCII reads it)"),
            PemError::Boundary(line) => {
                let line = crate::parse::escape::printable(&line[..line.len().min(LINE_BYTES)]);
                write!(out, "not the beginning of a section: {line}")
            }
            PemError::NoEnd(label) => write!(out, "no end of a section (-----END {label}-----)"),
            PemError::NotBase64(label) => write!(out, "a section ({label}) that is not in base64"),
        }
    }
}

impl std::error::Error for PemError {}

/// The sections of a text, in their order; what is between them is passed over.
///
/// # Errors
/// [`PemError`], for all of the text.
pub fn sections(text: &[u8]) -> Result<Vec<Section>, PemError> {
    let is_utf16 = UTF16_MARKS.iter().any(|mark| text.starts_with(mark));
    if is_utf16 || position(text, b"-\0-\0-").is_some() {
        return Err(PemError::Utf16);
    }
    let mut rest = text.strip_prefix(UTF8_MARK).unwrap_or(text);
    let mut sections = Vec::new();
    while let Some(at) = position(rest, BEGIN) {
        check_between(&rest[..at])?;
        let (section, behind) = section(&rest[at + BEGIN.len()..])?;
        sections.push(section);
        rest = behind;
    }
    check_between(rest)?;
    Ok(sections)
}

/// A section, from its label on, and what is behind its end.
fn section(text: &[u8]) -> Result<(Section, &[u8]), PemError> {
    let line = text.split(|byte| b"\r\n".contains(byte)).next();
    let line = line.unwrap_or_default();
    let label = position(line, DASHES).map(|end| &line[..end]);
    let is_label = |label: &&[u8]| {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b" #.".contains(byte);
        !label.is_empty() && label.len() <= LINE_BYTES && label.iter().all(fits)
    };
    let Some(label) = label.filter(is_label) else {
        return Err(PemError::Boundary([BEGIN, line].concat()));
    };
    let body = &text[label.len() + DASHES.len()..];
    let label = String::from_utf8_lossy(label).into_owned();
    let end = format!("-----END {label}-----");
    let Some((body, behind)) = split_at(body, end.as_bytes()) else {
        return Err(PemError::NoEnd(label));
    };
    if position(body, BEGIN).is_some() {
        return Err(PemError::NoEnd(label));
    }
    let (headers, body) = headers(body);
    match base64::decode(body) {
        Some(content) => Ok((
            Section {
                is_encrypted: position(headers, b"ENCRYPTED").is_some(),
                label,
                content,
            },
            behind,
        )),
        None => Err(PemError::NotBase64(label)),
    }
}

/// Headers, and what is behind the empty line that ends them. RFC 1421, section 4.4.
fn headers(body: &[u8]) -> (&[u8], &[u8]) {
    if !body.contains(&b':') {
        return (b"", body);
    }
    let trimmed = body.trim_ascii_start();
    let ends = [&b"\n\n"[..], b"\r\n\r\n"].into_iter();
    let mut split = ends.filter_map(|end| split_at(trimmed, end));
    split.next().unwrap_or((b"", body))
}

/// Looks for lines that are meant to be boundaries of a section: those with fewer dashes, or with
/// the long ones that a word processor makes of them.
fn check_between(text: &[u8]) -> Result<(), PemError> {
    let is_meant = |line: &&[u8]| {
        let line = line.trim_ascii();
        let dashes = line
            .first()
            .is_some_and(|byte| *byte == b'-' || !byte.is_ascii());
        let has = |word: &[u8]| position(line, word).is_some();
        dashes && (has(b"BEGIN") || has(b"END")) && (has(b"CERTIFICATE") || has(b"KEY"))
    };
    let mut lines = text.split(|byte| b"\r\n".contains(byte));
    match lines.find(is_meant) {
        Some(line) => Err(PemError::Boundary(line.trim_ascii().to_vec())),
        None => Ok(()),
    }
}

fn split_at<'a>(text: &'a [u8], boundary: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = position(text, boundary)?;
    Some((&text[..at], &text[at + boundary.len()..]))
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ONE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----";
    const TWO: &str = "-----BEGIN PRIVATE KEY-----\nBAUG\n-----END PRIVATE KEY-----\n";

    fn labels(text: impl AsRef<[u8]>) -> Result<Vec<String>, String> {
        let sections = sections(text.as_ref()).map_err(|error| error.to_string())?;
        Ok(sections.into_iter().map(|section| section.label).collect())
    }

    fn both() -> Result<Vec<String>, String> {
        Ok(vec!["CERTIFICATE".into(), "PRIVATE KEY".into()])
    }

    #[test]
    fn sections_are_found_wherever_they_are() {
        for text in [
            format!("{ONE}\n{TWO}"),
            format!("{ONE}{TWO}"),
            format!("\u{feff}{ONE}\r\n{TWO}"),
            format!("Bag Attributes\n  CN: x\n{ONE}\n# a comment\n{TWO}the end"),
            format!("{ONE}\n{TWO}").replace('\n', "\r\n"),
            format!("{ONE}\n{TWO}").replace('\n', "\r"),
            format!("{ONE}\n{TWO}").replace('\n', "\n    "),
            format!("## BEGIN of the list of KEYs\n{ONE}\n----\n{TWO}"),
        ] {
            assert_eq!(labels(&text), both(), "{text}");
            let contents = sections(text.as_bytes()).expect("sections");
            assert_eq!(contents[0].content, [1, 2, 3]);
            assert_eq!(contents[1].content, [4, 5, 6]);
        }
        assert_eq!(labels(""), Ok(vec![]));
        assert_eq!(labels("no section"), Ok(vec![]));
    }

    #[test]
    fn headers_are_no_content() {
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\
                         DEK-Info: AES-256-CBC,0A0B\n\nAQID\n-----END RSA PRIVATE KEY-----\n";
        for text in [encrypted.to_owned(), encrypted.replace('\n', "\r\n")] {
            let all = sections(text.as_bytes()).expect("a section");
            assert!(all[0].is_encrypted);
            assert_eq!(all[0].content, [1, 2, 3]);
        }
        let comment = "-----BEGIN X-----\nComment: me\n\nAQID\n-----END X-----";
        let all = sections(comment.as_bytes()).expect("a section");
        assert!(!all[0].is_encrypted);
        assert_eq!(all[0].content, [1, 2, 3]);
    }

    #[test]
    fn what_looks_like_a_section_and_is_none_is_an_error() {
        let no_end = Err("no end of a section (-----END CERTIFICATE-----)".to_owned());
        assert_eq!(labels(&ONE[..ONE.len() - 1]), no_end);
        assert_eq!(labels(format!("{}{ONE}", &ONE[..40])), no_end);
        assert_eq!(labels(format!("{}{TWO}", &ONE[..40])), no_end);
        for line in [
            "----BEGIN CERTIFICATE-----",
            "-----BEGINCERTIFICATE-----",
            "-----BEGIN CERTIFICATE",
            "-----BEGIN -----",
            "-----BEGIN A\u{2013}B-----",
            "\u{2014}\u{2014}-BEGIN CERTIFICATE\u{2014}\u{2014}-",
            "----- END CERTIFICATE -----",
        ] {
            for text in [format!("{ONE}\n{line}\nAQID\n"), format!("{line}\r\n{TWO}")] {
                let error = labels(&text).expect_err("no section");
                assert!(error.starts_with("not the beginning"), "{line}: {error}");
            }
        }
        let not = "-----BEGIN X-----\\nAQID\\n-----END X-----";
        assert_eq!(
            labels(not),
            Err("a section (X) that is not in base64".into())
        );
    }

    #[test]
    fn utf_16_is_known_with_a_mark_and_without() {
        let le: Vec<u8> = ONE.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = ONE.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for text in [
            [b"\xff\xfe", &le[..]].concat(),
            [b"\xfe\xff", &be[..]].concat(),
            le,
            be,
        ] {
            assert_eq!(sections(&text), Err(PemError::Utf16));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(parts in prop::collection::vec(prop_oneof![
            Just("-----BEGIN "), Just("-----"), Just("-----END "), Just("X"), Just("\n"),
            Just("AQID"), Just(": "), Just("\n\n"), Just("\u{feff}"), Just("\0"),
        ], 0..24)) {
            let _ = sections(parts.concat().as_bytes());
        }

        #[test]
        fn what_is_written_is_read(content: Vec<u8>, label in "[A-Z]{1,9}( [A-Z]{1,9})?") {
            let body = super::base64::base64(&content);
            let text = format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
            let wanted = Section { label, is_encrypted: false, content };
            prop_assert_eq!(sections(text.as_bytes()), Ok(vec![wanted]));
        }
    }
}
