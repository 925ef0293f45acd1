//! IPv4 addresses in the short and numeric forms of inet_aton(3): `127.1`, `0`, `2130706433`,
//! `0x7f.1`, `0177.0.0.1`.

use std::net::Ipv4Addr;

/// Reads an address of one to four parts, each decimal, octal (`0`) or hexadecimal (`0x`). The last
/// part stands for all the bytes that are left.
pub fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let parts: Option<Vec<u32>> = text.split('.').map(number).collect();
    let parts = parts.filter(|parts| parts.len() <= 4)?;
    let (last, front) = parts.split_last()?;
    let mut bits = 0u32;
    for (at, part) in front.iter().enumerate() {
        bits |= u32::from(u8::try_from(*part).ok()?) << (24 - 8 * at);
    }
    let left = u32::MAX.checked_shr(8 * u32::try_from(front.len()).ok()?)?;
    (*last <= left).then(|| Ipv4Addr::from_bits(bits | last))
}

/// Reads a number as strtoul(3) does with base 0, but for signs and spaces.
fn number(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (&text[2..], 16),
        [b'0', _, ..] => (&text[1..], 8),
        _ => (text, 10),
    };
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    u32::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_that_are_missing_are_in_the_last() {
        for (text, ip) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.258", "127.0.1.2"),
            ("10.66051", "10.1.2.3"),
            ("0", "0.0.0.0"),
            ("2130706433", "127.0.0.1"),
            ("4294967295", "255.255.255.255"),
            ("0x7f000001", "127.0.0.1"),
            ("0X7F.1", "127.0.0.1"),
            ("0177.0.0.01", "127.0.0.1"),
        ] {
            assert_eq!(inet_aton(text), Some(ip.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let texts = "|.|1.|.1|1..2|1.2.3.4.5|256.1|1.16777216|4294967296|08|0x|0xg|+1|-1| 1|1 |\
                     1e3|a|1.2.3.a|99999999999999999999";
        for text in texts.split('|') {
            assert_eq!(inet_aton(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn every_form_of_an_address_is_read(bits: u32) {
            let ip = Ipv4Addr::from_bits(bits);
            let [a, b, c, d] = ip.octets();
            for text in [
                bits.to_string(),
                format!("{bits:#x}"),
                format!("0{bits:o}"),
                format!("{a}.{}", bits & 0xff_ffff),
                format!("{a}.{b}.{}", bits & 0xffff),
                format!("{a}.{b:#x}.0{c:o}.{d}"),
            ] {
                prop_assert_eq!(inet_aton(&text), Some(ip), "{}", text);
            }
        }

        #[test]
        fn no_word_panics(word in "[0-9a-fxX.]{0,16}") {
            let _ = inet_aton(&word);
        }
    }
}
