//! Command lines of `--exec`, split into words as Ncat splits them: at spaces, without a shell.

/// Splits a command line at spaces. A backslash takes the next byte as it is, a space too; one at
/// the very end counts for nothing. There are no quotes. Blanks at either end make no words, and
/// an empty line has none.
pub fn words(line: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word = None;
    let mut bytes = line.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b' ' => words.extend(word.take()),
            b'\\' => {
                if let Some(&next) = bytes.next() {
                    word.get_or_insert_with(Vec::new).push(next);
                }
            }
            byte => word.get_or_insert_with(Vec::new).push(byte),
        }
    }
    words.extend(word);
    words
}

/// Returns whether a command line has a pair of quotes without backslashes before them: they were meant for
/// a shell.
pub fn has_quotes(line: &[u8]) -> bool {
    let (mut single, mut double) = (0, 0);
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            b'\'' => single += 1,
            b'"' => double += 1,
            _ => {}
        }
    }
    single > 1 || double > 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_as_ncat_splits() {
        let cases: [(&str, &[&str]); 14] = [
            ("", &[]),
            ("   ", &[]),
            ("\\", &[]),
            ("/bin/cat", &["/bin/cat"]),
            ("  /bin/cat  -n ", &["/bin/cat", "-n"]),
            ("a\\nb", &["anb"]),
            ("one\\ word", &["one word"]),
            ("\\ ", &[" "]),
            ("a \\  b", &["a", " ", "b"]),
            ("a\\\\b", &["a\\b"]),
            ("end\\", &["end"]),
            ("'no quotes' \"here\"", &["'no", "quotes'", "\"here\""]),
            ("tab\tstays", &["tab\tstays"]),
            ("größe 網", &["größe", "網"]),
        ];
        for (line, wanted) in cases {
            let wanted: Vec<&[u8]> = wanted.iter().map(|word| word.as_bytes()).collect();
            assert_eq!(words(line.as_bytes()), wanted, "{line:?}");
        }
    }

    #[test]
    fn pairs_of_quotes_are_found_unless_escaped() {
        for line in ["sh -c 'x'", "\"a b\"", "\\\\''"] {
            assert!(has_quotes(line.as_bytes()), "{line}");
        }
        for line in ["", "cat -n", "it's", "it\\'s'", "'\"", "\\\"a\\\"", "end\\"] {
            assert!(!has_quotes(line.as_bytes()), "{line}");
        }
    }

    proptest! {
        #[test]
        fn escaped_words_come_back(list in prop::collection::vec(
            prop::collection::vec(any::<u8>(), 1..8), 0..6)) {
            let escaped: Vec<Vec<u8>> = list.iter()
                .map(|word| word.iter().flat_map(|byte| [b'\\', *byte]).collect())
                .collect();
            prop_assert_eq!(words(&escaped.join(&b"   "[..])), list);
        }

        #[test]
        fn no_word_is_empty_and_no_byte_is_new(line: Vec<u8>) {
            let words = words(&line);
            prop_assert!(words.iter().all(|word| !word.is_empty()));
            let mut rest = line.iter();
            for byte in words.iter().flatten() {
                prop_assert!(rest.any(|other| other == byte));
            }
        }
    }
}
