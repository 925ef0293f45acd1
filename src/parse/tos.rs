//! The words of `-T`: names of traffic classes, or the byte itself.

use super::number::strtonum;
use std::fmt;

/// The word names no traffic class and is no number from 0 to 255.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTos;

/// Reads an IPv4 type of service, or an IPv6 traffic class: nc's keywords (in either case), a
/// decimal number, or one in hexadecimal with `0x`, from 0 to 255.
///
/// # Errors
/// [`IllegalTos`], for `0xzz` too, which nc takes for 0.
pub fn tos(text: &str) -> Result<u8, IllegalTos> {
    let keyword = KEYWORDS
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(text));
    if let Some(&(_, value)) = keyword {
        return Ok(value);
    }
    match text.strip_prefix("0x") {
        // from_str_radix alone would take a sign behind the x.
        Some(hex) if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u8::from_str_radix(hex, 16).map_err(|_| IllegalTos)
        }
        Some(_) => Err(IllegalTos),
        None => strtonum(text, 0, 255)
            .ok()
            .and_then(|number| u8::try_from(number).ok())
            .ok_or(IllegalTos),
    }
}

/// nc's keywords and their bytes: DSCPs of RFC 2474, 2597 and 3246 shifted left by two, IP
/// precedences of RFC 791, and the bits of RFC 1349.
const KEYWORDS: [(&str, u8); 28] = [
    ("af11", 0x28),
    ("af12", 0x30),
    ("af13", 0x38),
    ("af21", 0x48),
    ("af22", 0x50),
    ("af23", 0x58),
    ("af31", 0x68),
    ("af32", 0x70),
    ("af33", 0x78),
    ("af41", 0x88),
    ("af42", 0x90),
    ("af43", 0x98),
    ("critical", 0xa0),
    ("cs0", 0x00),
    ("cs1", 0x20),
    ("cs2", 0x40),
    ("cs3", 0x60),
    ("cs4", 0x80),
    ("cs5", 0xa0),
    ("cs6", 0xc0),
    ("cs7", 0xe0),
    ("ef", 0xb8),
    ("inetcontrol", 0xc0),
    ("lowcost", 0x02),
    ("lowdelay", 0x10),
    ("netcontrol", 0xe0),
    ("reliability", 0x04),
    ("throughput", 0x08),
];

impl fmt::Display for IllegalTos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("illegal tos value")
    }
}

impl std::error::Error for IllegalTos {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_a_dscp_shifted_by_two() {
        for class in 1..=4 {
            for drop in 1..=3 {
                assert_eq!(
                    tos(&format!("af{class}{drop}")),
                    Ok((class * 8 + drop * 2) << 2)
                );
            }
        }
        for class in 0..=7 {
            assert_eq!(tos(&format!("cs{class}")), Ok(class << 5));
        }
        assert_eq!(tos("ef"), Ok(46 << 2));
        assert_eq!(tos("EF"), Ok(46 << 2));
    }

    #[test]
    fn numbers_are_decimal_or_0x() {
        for value in 0..=255u8 {
            assert_eq!(tos(&value.to_string()), Ok(value));
            assert_eq!(tos(&format!("{value:#x}")), Ok(value));
        }
        assert_eq!(tos("012"), Ok(12));
    }

    #[test]
    fn anything_else_is_illegal() {
        for text in [
            "", "256", "-1", "0x", "0xzz", "0x1ff", "0x+1", "3x", "cs8", "af44", "best",
        ] {
            assert_eq!(tos(text), Err(IllegalTos), "{text:?}");
        }
    }
}
