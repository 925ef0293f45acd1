//! Foreign text made safe for a terminal.

use std::fmt::Write;

/// Renders bytes from a peer or a user so that a terminal shows them and obeys none of them.
///
/// Line feed, carriage return and tab become `\n`, `\r` and `\t`; the bytes of every other control
/// character (`is_obeyed`) and all that is not UTF-8 become `\xNN`. The rest stays as it is, the
/// backslash too: the result is to be read, not to be decoded.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\r' => text.push_str("\\r"),
                '\t' => text.push_str("\\t"),
                c if is_obeyed(c) => push_hex(&mut text, c.encode_utf8(&mut [0; 4]).as_bytes()),
                c => text.push(c),
            }
        }
        push_hex(&mut text, chunk.invalid());
    }
    text
}

/// Returns whether a terminal obeys a character instead of showing it: C0, DEL, C1, and those that
/// change the order of the characters around them (UAX #9, sections 2.1 to 2.4), so that text reads
/// as something else.
pub fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A word as it is typed into a shell, in quotes where that is needed; `None` when it cannot be
/// shown as it is. POSIX, Shell Command Language, section 2.2.2.
pub fn shell_word(bytes: &[u8]) -> Option<String> {
    let word = str::from_utf8(bytes)
        .ok()
        .filter(|word| printable(word.as_bytes()) == **word)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    Some(if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    })
}

/// Appends each byte as `\xNN`.
fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\x{byte:02x}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_is_kept_and_controls_are_spelt_out() {
        let cases: [(&[u8], &str); 10] = [
            (b"", ""),
            (b"plain text", "plain text"),
            ("größe 網 🦀".as_bytes(), "größe 網 🦀"),
            (b"a\r\n\tb", "a\\r\\n\\tb"),
            (b"\x1b[31m\x07\x00\x7f", "\\x1b[31m\\x07\\x00\\x7f"),
            ("\u{85}\u{9b}31m".as_bytes(), "\\xc2\\x85\\xc2\\x9b31m"),
            (b"\xff\x9b1m", "\\xff\\x9b1m"),
            (b"cut \xe7\xb6", "cut \\xe7\\xb6"),
            (
                "a\u{202e}b\u{2069}".as_bytes(),
                "a\\xe2\\x80\\xaeb\\xe2\\x81\\xa9",
            ),
            ("שלום\u{200f}".as_bytes(), "שלום\u{200f}"),
        ];
        for (bytes, text) in cases {
            assert_eq!(printable(bytes), text);
        }
    }

    #[test]
    fn a_word_for_a_shell_is_quoted_where_it_has_to_be() {
        let cases: [(&[u8], Option<&str>); 7] = [
            (b"/run/x-1.sock", Some("/run/x-1.sock")),
            (b"a b", Some("'a b'")),
            (b"it's $HOME", Some("'it'\\''s $HOME'")),
            (b"~x", Some("'~x'")),
            (b"", Some("''")),
            (b"a\nb", None),
            (b"\xff", None),
        ];
        for (bytes, word) in cases {
            assert_eq!(shell_word(bytes).as_deref(), word);
        }
    }

    proptest! {
        #[test]
        fn no_control_character_is_left(bytes: Vec<u8>) {
            prop_assert!(!printable(&bytes).contains(is_obeyed));
        }

        #[test]
        fn text_without_controls_is_untouched(text in "\\PC*") {
            let text = text.replace(is_obeyed, "");
            prop_assert_eq!(printable(text.as_bytes()), text);
        }
    }
}
