//! Certificates and keys in files, in PEM or DER. What is in a file of them is read, or refused with
//! the reason: no certificate is passed over.

use super::setup::SetupError;
use super::verify::key_of;
use crate::plan::tls::Identity;
use crate::proto::pem::{self, Section};
use crate::report;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs1KeyDer, PrivatePkcs8KeyDer, PrivateSec1KeyDer,
};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls_native_certs::ErrorKind;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use x509_parser::asn1_rs::Any;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

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
        roots.add(cert.clone()).map_err(|error| {
            let reason = match error {
                rustls::Error::InvalidCertificate(_) => UNREADABLE.to_owned(),
                error => error.to_string(),
            };
            SetupError::new(reading("authorities", file), reason)
        })?;
    }
    Ok((roots, certs))
}

/// Why something is not a certificate.
const UNREADABLE: &str = "a certificate in it cannot be read";

fn read_certs(file: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let read = || -> Result<Vec<_>, String> {
        let mut certs = Vec::new();
        for section in sections(file)? {
            certs.extend(certificate(section)?);
        }
        if certs.is_empty() {
            Err("no certificate (PEM or DER) in it".into())
        } else {
            Ok(certs)
        }
    };
    read().map_err(|reason| SetupError::new(reading("certificate", file), reason))
}

/// A certificate, those behind it, and its private key.
///
/// # Errors
/// A file cannot be read, or does not hold what it should.
pub fn identity(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SetupError> {
    let certs = read_certs(&identity.cert)?;
    let key = sections(&identity.key).and_then(key);
    let key = key.map_err(|reason| SetupError::new(reading("key", &identity.key), reason))?;
    Ok((certs, key))
}

/// What a file holds: sections of PEM, or one thing in DER, which becomes a section.
fn sections(file: &Path) -> Result<Vec<Section>, String> {
    let text = fs::read(file).map_err(|error| report::reason(&error))?;
    match text[..] {
        // A long SEQUENCE, or one that begins with a version: neither is text.
        [0x30, 0x80..=0xff, ..] | [0x30, _, 0x02, ..] => der(text).map(|section| vec![section]),
        _ => pem::sections(&text).map_err(|error| error.to_string()),
    }
}

/// One thing in DER. PKCS #12: RFC 7292, section 4; PKCS #7: RFC 2315, section 7.
fn der(content: Vec<u8>) -> Result<Section, String> {
    let one = Any::from_der(&content).ok();
    let one = one.filter(|(behind, _)| behind.trim_ascii().is_empty());
    let (behind, whole) = one.ok_or("it is neither PEM nor one whole thing in DER")?;
    let length = content.len() - behind.len();
    let label = match PrivateKeyDer::try_from(&content[..]) {
        _ if X509Certificate::from_der(&content).is_ok() => "CERTIFICATE",
        // Its version is 3, and that of a key 0 or 1.
        _ if whole.data.starts_with(b"\x02\x01\x03") => {
            return Err("it is PKCS #12 (openssl pkcs12 -in FILE -nodes makes PEM of it)".into());
        }
        _ if whole.data.starts_with(PKCS7_SIGNED) => {
            return Err(
                "it is PKCS #7 (openssl pkcs7 -inform DER -in FILE -print_certs makes PEM of it)"
                    .into(),
            );
        }
        Ok(PrivateKeyDer::Pkcs1(_)) => "RSA PRIVATE KEY",
        Ok(PrivateKeyDer::Sec1(_)) => "EC PRIVATE KEY",
        Ok(PrivateKeyDer::Pkcs8(_)) => "PRIVATE KEY",
        _ => return Err("it is DER of a kind that is not known".into()),
    };
    Ok(Section {
        label: label.into(),
        is_encrypted: false,
        content: content[..length].to_vec(),
    })
}

/// signedData, which is what holds certificates. RFC 2315, section 14.
const PKCS7_SIGNED: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";

/// The certificate in a section; `None` where a file of certificates may have something else.
fn certificate(section: Section) -> Result<Option<CertificateDer<'static>>, String> {
    match section.label.as_str() {
        "CERTIFICATE" | "X509 CERTIFICATE" => Ok(Some(section.content.into())),
        "TRUSTED CERTIFICATE" => trusted(section.content).map(Some),
        label if label.ends_with("KEY") || label.ends_with("PARAMETERS") => Ok(None),
        "PKCS7" => Err("a section in PKCS #7 (openssl pkcs7 -print_certs reads it)".into()),
        "X509 CRL" => {
            Err("a list of revoked certificates (X509 CRL), which rnc does not check".into())
        }
        label => Err(format!("a section that is no certificate ({label})")),
    }
}

/// The certificate of OpenSSL's form, which may say behind it what it is trusted for
/// (openssl-x509(1), -addtrust and -addreject): that is not followed here.
fn trusted(content: Vec<u8>) -> Result<CertificateDer<'static>, String> {
    let (behind, _) = X509Certificate::from_der(&content).map_err(|_| UNREADABLE)?;
    let settings = match behind {
        [] => None,
        _ => Any::from_der(behind)
            .map_err(|_| UNREADABLE)?
            .1
            .data
            .first()
            .copied(),
    };
    // Uses, a SEQUENCE, and refused ones, [0]; a name, or what else comes, limits nothing.
    if let Some(0x30 | 0xa0) = settings {
        return Err(
            "a TRUSTED CERTIFICATE that says what for, which rnc does not follow \
                    (openssl x509 -in FILE drops that)"
                .into(),
        );
    }
    let length = content.len() - behind.len();
    Ok(content[..length].to_vec().into())
}

/// The first private key. A certificate may come before it, and parameters.
fn key(sections: Vec<Section>) -> Result<PrivateKeyDer<'static>, String> {
    let mut sections = sections.into_iter();
    let Some(section) = sections.find(|section| section.label.ends_with("PRIVATE KEY")) else {
        return Err("no private key (PEM or DER) in it".into());
    };
    // RFC 5958, section 3.
    if section.is_encrypted || section.label == "ENCRYPTED PRIVATE KEY" {
        return Err(
            "it has a passphrase, and rnc asks for none (openssl pkey -in FILE takes it off)"
                .into(),
        );
    }
    match section.label.as_str() {
        "PRIVATE KEY" => Ok(PrivatePkcs8KeyDer::from(section.content).into()),
        "RSA PRIVATE KEY" => Ok(PrivatePkcs1KeyDer::from(section.content).into()),
        "EC PRIVATE KEY" => Ok(PrivateSec1KeyDer::from(section.content).into()),
        label => Err(format!("a kind of key that rnc does not read ({label})")),
    }
}

fn reading(what: &str, file: &Path) -> String {
    format!("read the {what} {}", file.display())
}

/// What we show to peers, from files.
///
/// # Errors
/// A file cannot be read; the rest as [`shown`].
pub fn shown_from(
    identity: &Identity,
    provider: &CryptoProvider,
) -> Result<Arc<SingleCertAndKey>, SetupError> {
    let (certs, key) = self::identity(identity)?;
    shown(certs, key, provider).map_err(|reason| {
        let (cert, key) = (identity.cert.display(), identity.key.display());
        SetupError::new(
            format!("use the certificate {cert} with the key {key}"),
            reason,
        )
    })
}

/// What we show to peers: a certificate, those behind it, and its private key. What else is in the
/// certificate is for them to judge, even its version.
///
/// # Errors
/// The key is of no kind that signs, or is not that of the certificate.
pub fn shown(
    certs: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    provider: &CryptoProvider,
) -> Result<Arc<SingleCertAndKey>, &'static str> {
    let key = provider.key_provider.load_private_key(key).map_err(
        |_| "no key that rnc takes: RSA of 2048 to 4096 bits, ECDSA on P-256 or P-384, Ed25519",
    )?;
    let of_cert = certs.first().and_then(|cert| key_of(cert).ok());
    let of_cert = of_cert.ok_or("the certificate cannot be read")?;
    match key.public_key() {
        Some(of_key) if of_cert != of_key => Err("they do not belong together"),
        _ => Ok(Arc::new(CertifiedKey::new(certs, key).into())),
    }
}
