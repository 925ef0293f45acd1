//! Whole numbers, read as OpenBSD's `strtonum(3)` reads them.

use std::fmt;
use std::num::IntErrorKind;

/// Why a word is not a number in the range asked for; the texts are strtonum's, to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// A number below the least one allowed, however many digits it has.
    TooSmall,
    /// A number above the greatest one allowed, however many digits it has.
    TooLarge,
    /// Not a decimal number, or not only one.
    Invalid,
}

/// Reads a decimal number between `min` and `max`, both included.
///
/// As strtoll does, it takes blanks and one sign in front, and nothing behind.
///
/// # Errors
/// [`NumberError`], in strtonum's order: what is not a number is never too large.
pub fn strtonum(text: &str, min: i64, max: i64) -> Result<i64, NumberError> {
    // isspace(3) in the C locale has the vertical tab, which Rust's ASCII white space lacks.
    let word = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Invalid);
    }
    match word.parse::<i64>() {
        Ok(number) if number < min => Err(NumberError::TooSmall),
        Ok(number) if number > max => Err(NumberError::TooLarge),
        Ok(number) => Ok(number),
        Err(error) => Err(match error.kind() {
            IntErrorKind::PosOverflow => NumberError::TooLarge,
            IntErrorKind::NegOverflow => NumberError::TooSmall,
            _ => NumberError::Invalid,
        }),
    }
}

/// Cuts `text` before its first letter: the number and its unit, either of them possibly empty.
pub(super) fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(char::is_alphabetic).unwrap_or(text.len()))
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooSmall => "too small",
            Self::TooLarge => "too large",
            Self::Invalid => "invalid",
        })
    }
}

impl std::error::Error for NumberError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_what_strtonum_reads() {
        for (text, number) in [("0", 0), ("+7", 7), ("-7", -7), (" \t\x0b7", 7), ("007", 7)] {
            assert_eq!(strtonum(text, i64::MIN, i64::MAX), Ok(number), "{text:?}");
        }
    }

    #[test]
    fn refuses_blanks_behind_second_signs_and_other_bases() {
        for text in [
            "", " ", "+", "-", "++1", "+-1", "- 1", "1 ", "1x", "0x10", "1.5", "１",
        ] {
            assert_eq!(strtonum(text, 0, 99), Err(NumberError::Invalid), "{text:?}");
        }
    }

    #[test]
    fn any_count_of_digits_is_too_large_and_garbage_behind_them_invalid() {
        let nines = "9".repeat(40);
        assert_eq!(strtonum(&nines, 0, 99), Err(NumberError::TooLarge));
        assert_eq!(
            strtonum(&format!("-{nines}"), 0, 99),
            Err(NumberError::TooSmall)
        );
        assert_eq!(
            strtonum(&format!("{nines}x"), 0, 99),
            Err(NumberError::Invalid)
        );
    }

    #[test]
    fn texts_are_those_of_strtonum() {
        assert_eq!(NumberError::TooSmall.to_string(), "too small");
        assert_eq!(NumberError::TooLarge.to_string(), "too large");
        assert_eq!(NumberError::Invalid.to_string(), "invalid");
    }

    proptest! {
        #[test]
        fn keeps_to_its_bounds(number: i64, min: i64, max: i64) {
            let wanted = if number < min {
                Err(NumberError::TooSmall)
            } else if number > max {
                Err(NumberError::TooLarge)
            } else {
                Ok(number)
            };
            prop_assert_eq!(strtonum(&number.to_string(), min, max), wanted);
        }
    }
}
