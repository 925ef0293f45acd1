//! Port words: one port, a service name, or a range of them.

use super::number::strtonum;
use std::ops::RangeInclusive;

/// Why a word is no port; its texts are nc's ("too small", "too large", "invalid").
pub use super::number::NumberError as PortError;

/// Reads a port to connect to: 1 to 65535.
///
/// # Errors
/// [`PortError::TooSmall`] for 0 and below, [`PortError::TooLarge`] above 65535, else
/// [`PortError::Invalid`].
pub fn port(text: &str) -> Result<u16, PortError> {
    at_least(1, text)
}

/// Reads a port to listen on: 0 to 65535, where 0 lets the system choose.
///
/// # Errors
/// As [`port`], but 0 is taken.
pub fn listen_port(text: &str) -> Result<u16, PortError> {
    at_least(0, text)
}

/// Reads one operand of a port list: a service, a range `lo-hi` written either way round, or a
/// port. `service` looks a name up in the system's table for the protocol in use.
///
/// A whole word that names a service is that service, dashes and all (`x11-1`). Only what starts
/// with a digit can be a range, cut at its first dash; each side is a port or a service.
///
/// # Errors
/// What is wrong, and the part of the word it is wrong with. The upper side is judged first, as
/// nc does.
pub fn ranges(
    text: &str,
    service: &dyn Fn(&str) -> Option<u16>,
) -> Result<RangeInclusive<u16>, (PortError, String)> {
    let one = |word: &str| match service(word) {
        Some(port) => Ok(port),
        None => port(word).map_err(|error| (error, word.to_owned())),
    };
    let sides = text
        .split_once('-')
        .filter(|_| text.starts_with(|c: char| c.is_ascii_digit()));
    match sides {
        Some((first, second)) if service(text).is_none() => {
            let second = one(second)?;
            let first = one(first)?;
            Ok(first.min(second)..=first.max(second))
        }
        _ => one(text).map(|port| port..=port),
    }
}

/// Reads a port that is `min` or more.
fn at_least(min: i64, text: &str) -> Result<u16, PortError> {
    let number = strtonum(text, min, i64::from(u16::MAX))?;
    u16::try_from(number).map_err(|_| PortError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn services(name: &str) -> Option<u16> {
        match name {
            "http" => Some(80),
            "x11-1" => Some(6001),
            "3com-tsmux" => Some(106),
            _ => None,
        }
    }

    #[test]
    fn a_port_is_1_to_65535_and_may_have_a_plus() {
        assert_eq!(port("1"), Ok(1));
        assert_eq!(port("+80"), Ok(80));
        assert_eq!(port("65535"), Ok(65535));
        for text in ["0", "-0", "-1", "-99999999999999999999"] {
            assert_eq!(port(text), Err(PortError::TooSmall), "{text}");
        }
        for text in ["65536", "99999", "9999999999999999999999999999999999999999"] {
            assert_eq!(port(text), Err(PortError::TooLarge), "{text}");
        }
        for text in ["", "htp", "80x", "80 ", "0x50", "8.0", "-", "+"] {
            assert_eq!(port(text), Err(PortError::Invalid), "{text}");
        }
    }

    #[test]
    fn a_listener_may_ask_for_port_0() {
        assert_eq!(listen_port("0"), Ok(0));
        assert_eq!(listen_port("-1"), Err(PortError::TooSmall));
        assert_eq!(listen_port("70000"), Err(PortError::TooLarge));
    }

    #[test]
    fn words_are_services_then_ranges_then_ports() {
        let cases = [
            ("80", 80..=80),
            ("http", 80..=80),
            ("x11-1", 6001..=6001),
            ("3com-tsmux", 106..=106),
            ("20-25", 20..=25),
            ("25-20", 20..=25),
            ("7-7", 7..=7),
            ("1-65535", 1..=65535),
            ("70-http", 70..=80),
            ("90-http", 80..=90),
            ("7000-x11-1", 6001..=7000),
        ];
        for (text, range) in cases {
            assert_eq!(ranges(text, &services), Ok(range), "{text}");
        }
    }

    #[test]
    fn errors_name_the_side_that_is_wrong() {
        let cases = [
            ("1-a", PortError::Invalid, "a"),
            ("5-", PortError::Invalid, ""),
            ("0-5", PortError::TooSmall, "0"),
            ("5-70000", PortError::TooLarge, "70000"),
            ("99999-0", PortError::TooSmall, "0"),
            ("1-2-3", PortError::Invalid, "2-3"),
            ("http-81", PortError::Invalid, "http-81"),
            ("-5", PortError::TooSmall, "-5"),
            ("-", PortError::Invalid, "-"),
            ("", PortError::Invalid, ""),
        ];
        for (text, error, word) in cases {
            assert_eq!(
                ranges(text, &services),
                Err((error, word.to_owned())),
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn a_range_is_the_same_either_way_round(a in 1u16.., b in 1u16..) {
            let range = ranges(&format!("{a}-{b}"), &services);
            prop_assert_eq!(&range, &ranges(&format!("{b}-{a}"), &services));
            prop_assert_eq!(range, Ok(a.min(b)..=a.max(b)));
        }
    }
}
