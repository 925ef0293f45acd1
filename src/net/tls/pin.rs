//! Fingerprints of certificates.

use crate::plan::tls::Pin;
use std::fmt::Write as _;

/// The SHA-256 of a certificate in DER.
pub fn fingerprint(cert: &[u8]) -> Pin {
    use sha2::Digest;
    sha2::Sha256::digest(cert).into()
}

/// A fingerprint as `--tls-pin` takes it: `sha256:` and 64 digits.
pub fn show_pin(pin: &Pin) -> String {
    let mut text = String::from("sha256:");
    for byte in pin {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
