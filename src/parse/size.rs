//! Sizes in bytes: `16k`, `4M`, `1G` are powers of 1000, `16Ki`, `4Mi`, `1Gi` of 1024.

use super::number::split_unit;
use std::fmt;

/// Why a word is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SizeError {
    /// Nothing there.
    Empty,
    /// No whole number in front of the unit.
    Invalid,
    /// A unit other than `k`, `M`, `G`, `Ki`, `Mi`, `Gi`, each with or without `B`, or `B`.
    Unit,
    /// A minus in front.
    Negative,
    /// More bytes than 64 bits can count.
    TooLarge,
}

/// Reads a size in bytes: a whole number and a unit, in either case; none, or `B`, is bytes.
///
/// # Errors
/// [`SizeError`], by the first part that is wrong.
pub fn size(text: &str) -> Result<u64, SizeError> {
    if text.is_empty() {
        return Err(SizeError::Empty);
    }
    let (number, unit) = split_unit(text);
    if number.starts_with('-') {
        return Err(SizeError::Negative);
    }
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(SizeError::Invalid);
    }
    let unit = unit.to_ascii_lowercase();
    let factor = match unit.strip_suffix('b').unwrap_or(&unit) {
        "" => 1,
        "k" => 1000,
        "m" => 1000 * 1000,
        "g" => 1000 * 1000 * 1000,
        "ki" => 1 << 10,
        "mi" => 1 << 20,
        "gi" => 1 << 30,
        _ => return Err(SizeError::Unit),
    };
    // All digits by now: only an overflow is left to fail.
    let number: u64 = number.parse().map_err(|_| SizeError::TooLarge)?;
    number.checked_mul(factor).ok_or(SizeError::TooLarge)
}

impl fmt::Display for SizeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty size",
            Self::Invalid => "not a whole number",
            Self::Unit => "unit unknown (k, M, G, Ki, Mi or Gi)",
            Self::Negative => "negative",
            Self::TooLarge => "too large",
        })
    }
}

impl std::error::Error for SizeError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_powers_of_1000_and_with_an_i_of_1024() {
        let cases = [
            ("0", 0),
            ("512", 512),
            ("512B", 512),
            ("16k", 16_000),
            ("16K", 16_000),
            ("16kB", 16_000),
            ("4M", 4_000_000),
            ("1G", 1_000_000_000),
            ("16Ki", 16_384),
            ("16KiB", 16_384),
            ("4Mi", 4_194_304),
            ("1Gi", 1_073_741_824),
            ("18446744073709551615", u64::MAX),
        ];
        for (text, bytes) in cases {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn errors_tell_what_is_wrong() {
        for (error, texts) in [
            (SizeError::Empty, ""),
            (SizeError::Negative, "-1k"),
            (SizeError::Invalid, "k|1.5k|1 k|+1"),
            (SizeError::Unit, "1T|1kk|1BB|0x10"),
            (
                SizeError::TooLarge,
                "18446744073709551616|18446744073709551615k",
            ),
        ] {
            for text in texts.split('|') {
                assert_eq!(size(text), Err(error), "{text:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn bytes_come_back(bytes: u64) {
            prop_assert_eq!(size(&bytes.to_string()), Ok(bytes));
            prop_assert_eq!(size(&format!("{bytes}Ki")).ok(), bytes.checked_mul(1024));
        }
    }
}
