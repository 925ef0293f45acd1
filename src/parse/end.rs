//! An end in words: `[LAYER:]BASE[,OPTION[=VALUE]]…`, as `tls:example.com:443,ca=ca.pem`.
//!
//! Only the parts are told apart here. A comma in a part is written `\,`, a backslash before
//! anything else stands for itself.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// The parts of an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndWord {
    /// What stands before the first colon, where that names a kind of end: `tls`, `exec`.
    pub kind: Option<&'static str>,
    /// The base without its kind.
    pub base: OsString,
    /// The options, in order.
    pub options: Vec<(String, Option<OsString>)>,
}

/// Cuts a word into its parts; `kinds` are the names of kinds that are known. Anything else before a
/// colon is a part of the base, such as a host. The words of a program may have commas: there no
/// options follow.
pub fn end_word(word: &OsStr, kinds: &[&'static str], takes_all: &[&str]) -> EndWord {
    let bytes = word.as_bytes();
    let kind = kinds.iter().copied().find(|kind| {
        let rest = bytes.strip_prefix(kind.as_bytes());
        rest.is_some_and(|rest| rest.first() == Some(&b':'))
    });
    let rest = kind.map_or(bytes, |kind| &bytes[kind.len() + 1..]);
    if kind.is_some_and(|kind| takes_all.contains(&kind)) {
        return EndWord {
            kind,
            base: OsString::from_vec(rest.to_vec()),
            options: Vec::new(),
        };
    }
    let mut parts = parts(rest).into_iter();
    let base = OsString::from_vec(parts.next().unwrap_or_default());
    let option = |part: Vec<u8>| {
        let at = part.iter().position(|byte| *byte == b'=');
        let (name, value) = part.split_at(at.unwrap_or(part.len()));
        let value = value
            .get(1..)
            .map(|value| OsString::from_vec(value.to_vec()));
        (String::from_utf8_lossy(name).into_owned(), value)
    };
    EndWord {
        kind,
        base,
        options: parts.map(option).collect(),
    }
}

/// The pieces between commas.
fn parts(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b',' => parts.push(Vec::new()),
            b'\\' if rest.peek() == Some(&b',') => {
                rest.next();
                parts
                    .last_mut()
                    .into_iter()
                    .for_each(|part| part.push(b','));
            }
            byte => parts
                .last_mut()
                .into_iter()
                .for_each(|part| part.push(byte)),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case<'a> = (
        &'a str,
        Option<&'a str>,
        &'a str,
        &'a [(&'a str, Option<&'a str>)],
    );

    #[test]
    fn words_are_cut_into_their_parts() {
        let cases: [Case<'_>; 7] = [
            ("h:80", None, "h:80", &[]),
            ("tls:h:443", Some("tls"), "h:443", &[]),
            (
                "tls:h:443,ca=a.pem,no-verify",
                Some("tls"),
                "h:443",
                &[("ca", Some("a.pem")), ("no-verify", None)],
            ),
            ("exec:a b,c=d", Some("exec"), "a b,c=d", &[]),
            (r"unix:/a\,b", None, "unix:/a,b", &[]),
            (r"h:1,x=a\b=c", None, "h:1", &[("x", Some(r"a\b=c"))]),
            ("tlsx:1", None, "tlsx:1", &[]),
        ];
        for (word, kind, base, options) in cases {
            let read = end_word(OsStr::new(word), &["tls", "exec"], &["exec"]);
            let options = options.iter().map(|(name, value)| {
                let value = value.map(OsString::from);
                ((*name).to_string(), value)
            });
            assert_eq!(
                (read.kind, read.base.to_str()),
                (kind, Some(base)),
                "{word}"
            );
            assert_eq!(read.options, options.collect::<Vec<_>>(), "{word}");
        }
    }
}
