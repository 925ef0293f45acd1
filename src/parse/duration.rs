//! Durations: `500ms`, `2s`, `1.5m`, `1h`; a bare number is seconds.

use super::number::{NumberError, split_unit, strtonum};
use std::fmt;
use std::time::Duration;

/// The longest duration taken: ten years of 365 days. It keeps `now + duration` representable.
pub const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Why a word is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationError {
    /// Nothing there.
    Empty,
    /// No number, or more than one, in front of the unit.
    Invalid,
    /// A unit other than `ms`, `s`, `m` and `h`.
    Unit,
    /// A minus in front.
    Negative,
    /// More than [`LONGEST`].
    TooLarge,
}

/// Reads a duration: a decimal number, with or without a fraction, and `ms`, `s`, `m`, `h` or no
/// unit, which is seconds. Parts below a nanosecond are cut off.
///
/// # Errors
/// [`DurationError`], by the first part that is wrong.
pub fn duration(text: &str) -> Result<Duration, DurationError> {
    if text.is_empty() {
        return Err(DurationError::Empty);
    }
    let (number, unit) = split_unit(text);
    if number.starts_with('-') {
        return Err(DurationError::Negative);
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = [whole, fraction]
        .iter()
        .all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !is_number || (whole.is_empty() && fraction.is_empty()) {
        return Err(DurationError::Invalid);
    }
    let unit_nanos = match unit {
        "ms" => 1_000_000,
        "" | "s" => 1_000_000_000,
        "m" => 60 * 1_000_000_000,
        "h" => 60 * 60 * 1_000_000_000,
        _ => return Err(DurationError::Unit),
    };
    let too_large = DurationError::TooLarge;
    let nanos = decimal(whole)
        .and_then(|whole| whole.checked_mul(unit_nanos))
        .and_then(|nanos| nanos.checked_add(fraction_of(unit_nanos, fraction)))
        .ok_or(too_large)?;
    let duration = Duration::from_nanos(u64::try_from(nanos).map_err(|_| too_large)?);
    if duration > LONGEST {
        Err(too_large)
    } else {
        Ok(duration)
    }
}

/// Reads whole seconds from `min` to `max`, as nc does for `-w`, `-i` and `-q`: no units.
///
/// # Errors
/// strtonum's, with its texts.
pub fn whole_seconds(text: &str, min: i64, max: i64) -> Result<i64, NumberError> {
    strtonum(text, min, max)
}

/// The value of digits, empty ones being 0; None when it does not fit.
fn decimal(digits: &str) -> Option<u128> {
    if digits.is_empty() {
        Some(0)
    } else {
        digits.parse().ok()
    }
}

/// The part of `unit_nanos` that the digits behind a point stand for, cut to whole nanoseconds.
fn fraction_of(unit_nanos: u128, digits: &str) -> u128 {
    // Filled up or cut to 15 digits: the next one is less than a nanosecond even in an hour.
    let scaled = decimal(&format!("{digits:0<15.15}"));
    scaled.map_or(0, |scaled| scaled * unit_nanos / 10u128.pow(15))
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty duration",
            Self::Invalid => "not a number",
            Self::Unit => "unit unknown (ms, s, m or h)",
            Self::Negative => "negative",
            Self::TooLarge => "too large (over ten years)",
        })
    }
}

impl std::error::Error for DurationError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_and_fractions_are_exact() {
        let cases = [
            ("500ms", 500_000_000),
            ("2s", 2_000_000_000),
            ("1m", 60_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1.5s", 1_500_000_000),
            ("0.5", 500_000_000),
            (".5", 500_000_000),
            ("3", 3_000_000_000),
            ("3.", 3_000_000_000),
            ("0", 0),
            ("0.0000000019", 1),
            ("0.1ms", 100_000),
            ("0.3h", 1_080_000_000_000),
            ("0.999999999999999h", 3_599_999_999_999),
            (
                "00000000000000000000000000000000000000000000000002",
                2_000_000_000,
            ),
        ];
        for (text, nanos) in cases {
            assert_eq!(duration(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn ten_years_is_the_longest() {
        assert_eq!(duration("87600h"), Ok(LONGEST));
        for text in [
            "87600.1h",
            "315360001",
            "99999999999999999999999999999999999999999999",
        ] {
            assert_eq!(duration(text), Err(DurationError::TooLarge), "{text}");
        }
    }

    #[test]
    fn errors_tell_what_is_wrong() {
        for (error, texts) in [
            (DurationError::Empty, ""),
            (DurationError::Negative, "-1|-1.5s"),
            (DurationError::Invalid, "s|.|1.2.3|1 s| 1|+1|inf"),
            (DurationError::Unit, "1e3|1d|1S|1s5"),
        ] {
            for text in texts.split('|') {
                assert_eq!(duration(text), Err(error), "{text:?}");
            }
        }
    }

    #[test]
    fn whole_seconds_are_those_of_strtonum() {
        assert_eq!(whole_seconds("+3", 0, 10), Ok(3));
        assert_eq!(whole_seconds(" 3", 0, 10), Ok(3));
        assert_eq!(whole_seconds("-1", -1, 10), Ok(-1));
        assert_eq!(whole_seconds("-1", 0, 10), Err(NumberError::TooSmall));
        assert_eq!(whole_seconds("11", 0, 10), Err(NumberError::TooLarge));
        assert_eq!(whole_seconds("3s", 0, 10), Err(NumberError::Invalid));
        assert_eq!(whole_seconds("3.5", 0, 10), Err(NumberError::Invalid));
    }

    proptest! {
        #[test]
        fn milliseconds_come_back(ms in 0u64..315_360_000_000) {
            let wanted = Ok(Duration::from_millis(ms));
            prop_assert_eq!(duration(&format!("{ms}ms")), wanted);
            prop_assert_eq!(duration(&format!("{}.{:03}", ms / 1000, ms % 1000)), wanted);
        }

        #[test]
        fn no_text_is_longer_than_the_longest(text in "[-+0-9.]{0,30}(ms|s|m|h)?") {
            prop_assert!(duration(&text).is_ok_and(|d| d <= LONGEST) || duration(&text).is_err());
        }
    }
}
