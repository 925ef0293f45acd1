//! Certificates and keys in files (PEM, RFC 7468).

use super::SetupError;
use crate::parse::escape::printable;
use crate::plan::tls::Identity;
use crate::report;
use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls_native_certs::ErrorKind;
use std::fs;
use std::path::Path;

/// The authorities the system trusts.
///
/// # Errors
/// There are none.
pub fn platform_roots() -> Result<RootCertStore, SetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let doing = "find the authorities the system trusts";
    Err(match found.errors.into_iter().next() {
        Some(error) => match error.kind {
            ErrorKind::Io { inner, path } => {
                let (path, reason) = (path.display(), report::reason(&inner));
                SetupError::new(doing, format!("{path}: {reason}"))
            }
            _ => SetupError::new(doing, error),
        },
        None => SetupError::new(doing, "there are none (--tls-ca names a file)"),
    })
}

/// The authorities in a file, and their certificates as they are.
///
/// # Errors
/// The file cannot be read, or does not hold certificates.
pub fn authorities(
    file: &Path,
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), SetupError> {
    let mut roots = RootCertStore::empty();
    let certs = read_certs(file)?;
    for cert in &certs {
        roots
            .add(cert.clone())
            .map_err(|error| SetupError::new(reading("authorities", file), error))?;
    }
    Ok((roots, certs))
}

fn read_certs(file: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let failed = |error: &dyn std::fmt::Display| {
        SetupError::new(reading("certificate", file), format!("{error}"))
    };
    let text = fs::read(file).map_err(|error| failed(&report::reason(&error)))?;
    let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certs = certs.map_err(|error| failed(&pem_reason(&error)))?;
    match certs.is_empty() {
        true => Err(failed(&"no certificate (PEM) in it")),
        false => Ok(certs),
    }
}

/// A certificate, those behind it, and its private key.
///
/// # Errors
/// A file cannot be read, or does not hold what it should.
pub fn identity(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SetupError> {
    let certs = read_certs(&identity.cert)?;
    let failed = |error: &dyn std::fmt::Display| {
        SetupError::new(reading("key", &identity.key), format!("{error}"))
    };
    let text = fs::read(&identity.key).map_err(|error| failed(&report::reason(&error)))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        _ if is_encrypted(&text) => failed(
            &"it has a passphrase, and rnc asks for none (openssl pkey -in FILE takes it off)",
        ),
        pem::Error::NoItemsFound => failed(&"no private key (PEM) in it"),
        error => failed(&pem_reason(&error)),
    })?;
    Ok((certs, key))
}

/// Says whether a key in PEM has a passphrase: RFC 5958, section 3; RFC 1421, section 4.6.1.1.
fn is_encrypted(text: &[u8]) -> bool {
    let has = |words: &[u8]| text.windows(words.len()).any(|part| part == words);
    has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
}

/// What is wrong with a file in PEM (RFC 7468).
fn pem_reason(error: &pem::Error) -> String {
    let shown = |line: &[u8]| printable(&line[..line.len().min(100)]);
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            let name = String::from_utf8_lossy(end_marker);
            format!(
                "no end of a section (-----END {})",
                shown(name.trim().as_bytes())
            )
        }
        pem::Error::IllegalSectionStart { line } => {
            format!("not the beginning of a section: {}", shown(line))
        }
        pem::Error::Base64Decode(_) => "a section that is not in base64".into(),
        error => error.to_string(),
    }
}

fn reading(what: &str, file: &Path) -> String {
    format!("read the {what} {}", file.display())
}

/// The error of a certificate and a key that do not go together.
pub fn mismatch(identity: &Identity, error: &rustls::Error) -> SetupError {
    let reason = match error {
        rustls::Error::InconsistentKeys(_) => "they do not belong together".into(),
        rustls::Error::General(_) => {
            "no key that rnc takes: RSA of 2048 bits or more, ECDSA on P-256 or P-384, Ed25519"
                .into()
        }
        error => error.to_string(),
    };
    SetupError::new(
        format!(
            "use the certificate {} with the key {}",
            identity.cert.display(),
            identity.key.display()
        ),
        reason,
    )
}
