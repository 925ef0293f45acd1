//! A certificate of our own making: ECDSA on P-256, signed by itself, and known by its fingerprint.

use super::SetupError;
use crate::plan::tls::Pin;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The files it is kept in.
const CERT_FILE: &str = "cert.pem";
const KEY_FILE: &str = "key.pem";

/// A certificate and its key.
pub struct Own {
    /// In DER.
    pub cert: CertificateDer<'static>,
    key: KeyPair,
}

impl Own {
    /// Makes one for these names and addresses; keeps it in the directory `save`.
    ///
    /// # Errors
    /// The files cannot be written; one that is there already is not overwritten.
    pub fn make(names: Vec<String>, save: Option<&Path>) -> Result<Own, SetupError> {
        let failed = |error| SetupError::new("make a certificate", error);
        let key = KeyPair::generate().map_err(failed)?;
        let common_name = names.first().cloned().unwrap_or_else(|| "rnc".into());
        let mut params = CertificateParams::new(names).map_err(failed)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, common_name);
        params.distinguished_name = name;
        let cert = params.self_signed(&key).map_err(failed)?;
        if let Some(dir) = save {
            keep(dir, KEY_FILE, key.serialize_pem().as_bytes())?;
            keep(dir, CERT_FILE, cert.pem().as_bytes())?;
        }
        Ok(Own {
            cert: cert.der().clone(),
            key,
        })
    }

    /// Its private key.
    pub fn key(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key.serialize_der()).into()
    }
}

impl std::fmt::Debug for Own {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Own({})", show_pin(&fingerprint(&self.cert)))
    }
}

/// Writes a new file that only its owner may read.
fn keep(dir: &Path, name: &str, text: &[u8]) -> Result<(), SetupError> {
    let path = dir.join(name);
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(&path)?.write_all(text)
    };
    write().map_err(|error| SetupError::new(format!("write {}", path.display()), error))
}

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
