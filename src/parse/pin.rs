//! Fingerprints of certificates: the SHA-256 of one, in hexadecimal.

use std::fmt;

/// Why a word is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinError {
    /// By its length, or its name, a SHA-1.
    Sha1,
    /// Of a public key, as curl has it, not of a certificate.
    Key,
    /// Something other than hexadecimal digits.
    NotHex,
    /// Another number of digits.
    Digits(usize),
}

/// Reads 64 hexadecimal digits, in either case, behind `sha256:` or, as OpenSSL has them, behind
/// `sha256 Fingerprint=`, or alone; colons and spaces between digits do not count.
///
/// # Errors
/// [`PinError`]. Nothing is read from a part of the word.
pub fn pin(text: &str) -> Result<[u8; 32], PinError> {
    if after("sha256//", text).is_some() {
        return Err(PinError::Key);
    }
    let is_sha1 = ["sha1", "sha-1"]
        .iter()
        .any(|name| after(name, text).is_some());
    if is_sha1 {
        return Err(PinError::Sha1);
    }
    let named = after("sha256:", text).or_else(|| after("sha256 Fingerprint=", text));
    let digits = named.unwrap_or(text).chars();
    let digits = digits.filter(|digit| ![':', ' '].contains(digit));
    let nibbles: Option<Vec<u8>> = digits.map(nibble).collect();
    let nibbles = nibbles.ok_or(PinError::NotHex)?;
    let (pairs, _) = nibbles.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    match (nibbles.len(), <[u8; 32]>::try_from(bytes)) {
        (64, Ok(pin)) => Ok(pin),
        (40, _) => Err(PinError::Sha1),
        (digits, _) => Err(PinError::Digits(digits)),
    }
}

fn nibble(digit: char) -> Option<u8> {
    digit
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// What stands behind a word, which may be in either case.
fn after<'a>(word: &str, text: &'a str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(word.len())?;
    start.eq_ignore_ascii_case(word).then_some(rest)
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PinError::Sha1 => write!(f, "that is a SHA-1; a pin is a SHA-256, of 64 digits"),
            PinError::Key => write!(
                f,
                "that is the fingerprint of a key; a pin is that of a certificate"
            ),
            PinError::NotHex => write!(f, "not sha256: and 64 hexadecimal digits"),
            PinError::Digits(count) => {
                write!(f, "not sha256: and 64 hexadecimal digits, but {count}")
            }
        }
    }
}

impl std::error::Error for PinError {}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn colons(hex: &str) -> String {
        let (pairs, _) = hex.as_bytes().as_chunks::<2>();
        let pairs = pairs.iter().map(|pair| String::from_utf8_lossy(pair));
        pairs.collect::<Vec<_>>().join(":")
    }

    #[test]
    fn every_spelling_of_a_sha256_is_taken() {
        let upper = HEX.to_uppercase();
        let wanted: Vec<u8> = (0..32).collect();
        for text in [
            format!("sha256:{HEX}"),
            format!("SHA256:{upper}"),
            HEX.to_string(),
            colons(&upper),
            format!("sha256:{}", colons(HEX)),
            format!("sha256 Fingerprint={}", colons(&upper)),
            format!("SHA256 Fingerprint={}", colons(&upper)),
        ] {
            assert_eq!(pin(&text).map(Vec::from), Ok(wanted.clone()), "{text}");
        }
    }

    #[test]
    fn what_else_it_may_be_is_told() {
        for (text, wanted) in [
            (colons(&HEX[..40]), PinError::Sha1),
            (
                "DA39 A3EE 5E6B 4B0D 3255 BFEF 9560 1890 AFD8 0709".into(),
                PinError::Sha1,
            ),
            (format!("sha1:{HEX}"), PinError::Sha1),
            ("SHA1 Fingerprint=DA:39".into(), PinError::Sha1),
            ("sha256//YWJj".into(), PinError::Key),
            (String::new(), PinError::Digits(0)),
            ("sha256:".into(), PinError::Digits(0)),
            (HEX[..63].into(), PinError::Digits(63)),
            (format!("{HEX}0"), PinError::Digits(65)),
            (format!("{HEX}{HEX}"), PinError::Digits(128)),
            (format!("md5:{HEX}"), PinError::NotHex),
            (format!("0x{HEX}"), PinError::NotHex),
            (format!("sha256:{}ä", &HEX[..62]), PinError::NotHex),
            ("sha256:+1".into(), PinError::NotHex),
        ] {
            assert_eq!(pin(&text), Err(wanted), "{text}");
        }
    }
}
