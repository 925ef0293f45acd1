//! A certificate of our own making: ECDSA on P-256, signed by itself, and known by its fingerprint.

use super::files;
use super::pin::{fingerprint, show_pin};
use super::setup::SetupError;
use crate::plan::tls::Identity;
use crate::report;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// The files it is kept in.
const CERT_FILE: &str = "cert.pem";
const KEY_FILE: &str = "key.pem";

/// Modes that let others in; see inode(7).
const WRITABLE_BY_ALL: u32 = 0o002;
const WRITABLE_BY_OTHERS: u32 = 0o022;
const ACCESSIBLE_TO_OTHERS: u32 = 0o077;
const STICKY: u32 = 0o1000;

/// A day.
const DAY: Duration = Duration::from_secs(86_400);
/// How long a new certificate is valid, in days: ten years. A pin does not depend on it.
const VALID_DAYS: u32 = 3652;

/// 31 December 9999, 23:59:59, as a time since 1970.
const LAST_MOMENT: Duration = Duration::from_secs(253_402_300_799);

/// A certificate and its key.
pub struct Own {
    /// In DER.
    pub cert: CertificateDer<'static>,
    /// Its private key.
    pub key: PrivateKeyDer<'static>,
}

impl Own {
    /// Makes one for these names and addresses.
    ///
    /// # Errors
    /// There is no randomness, or a name is none.
    pub fn make(names: Vec<String>) -> Result<Own, SetupError> {
        Ok(Pair::make(names)?.into())
    }

    /// The one that is kept in the directory `dir`; if there is none, it is made and kept, so that
    /// only the user can read it. The directory is made too, but not those it is in.
    ///
    /// # Errors
    /// The files cannot be written, or do not hold what they should; or others could have put them
    /// there, or may read the key.
    pub fn kept(dir: &Path, names: Vec<String>) -> Result<Own, SetupError> {
        let identity = Identity {
            cert: dir.join(CERT_FILE),
            key: dir.join(KEY_FILE),
        };
        let is_there = |path: &Path| fs::symlink_metadata(path).is_ok();
        let check = |path: &Path, bits| {
            check_is_ours(path, bits)
                .map_err(|reason| SetupError::new(format!("use {}", path.display()), reason))
        };
        if fs::metadata(dir).is_ok_and(|meta| meta.is_dir()) {
            // In a sticky directory others cannot put theirs in place of ours.
            check(dir, WRITABLE_BY_ALL)?;
        }
        if is_there(&identity.key) || is_there(&identity.cert) {
            check(&identity.cert, WRITABLE_BY_OTHERS)?;
            check(&identity.key, ACCESSIBLE_TO_OTHERS)?;
            let (certs, key) = files::identity(&identity)?;
            let cert = certs.into_iter().next();
            let cert = cert.ok_or_else(|| SetupError::new("read the certificate", "none"))?;
            return Ok(Own { cert, key });
        }
        let pair = Pair::make(names)?;
        match DirBuilder::new().mode(0o700).create(dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                let doing = format!("make {}", dir.display());
                return Err(SetupError::new(doing, report::reason(&error)));
            }
            Ok(()) | Err(_) => {}
        }
        keep(&identity.key, pair.key.serialize_pem().as_bytes())?;
        keep(&identity.cert, pair.cert.pem().as_bytes()).inspect_err(|_| {
            // Without its certificate it would be in the way for ever.
            let _ = fs::remove_file(&identity.key);
        })?;
        Ok(pair.into())
    }
}

/// A certificate and its key, just made.
struct Pair {
    cert: rcgen::Certificate,
    key: KeyPair,
}

impl Pair {
    fn make(names: Vec<String>) -> Result<Pair, SetupError> {
        let failed = |error| SetupError::new("make a certificate", error);
        let key = KeyPair::generate().map_err(failed)?;
        let common_name = names.first().cloned().unwrap_or_else(|| "rnc".into());
        let mut params = CertificateParams::new(names).map_err(failed)?;
        let mut name = DistinguishedName::new();
        name.push(DnType::CommonName, common_name);
        params.distinguished_name = name;
        let (not_before, not_after) = validity(SystemTime::now());
        (params.not_before, params.not_after) = (not_before.into(), not_after.into());
        let cert = params.self_signed(&key).map_err(failed)?;
        Ok(Pair { cert, key })
    }
}

/// The first and the last moment of a certificate that is made now. None is later than a
/// certificate can say: RFC 5280, section 4.1.2.5.
fn validity(now: SystemTime) -> (SystemTime, SystemTime) {
    let last = SystemTime::UNIX_EPOCH + LAST_MOMENT;
    // The clocks of two machines may be apart.
    let not_before = now.min(last) - DAY;
    let not_after = now.checked_add(VALID_DAYS * DAY).unwrap_or(last);
    (not_before, not_after.min(last))
}

impl From<Pair> for Own {
    fn from(pair: Pair) -> Own {
        Own {
            cert: pair.cert.der().clone(),
            key: PrivatePkcs8KeyDer::from(pair.key.serialize_der()).into(),
        }
    }
}

impl std::fmt::Debug for Own {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Own({})", show_pin(&fingerprint(&self.cert)))
    }
}

/// Returns why a file or directory is not used: others may have written it, or have read it. A
/// directory that is sticky may be written to by all.
///
/// # Errors
/// The reason.
fn check_is_ours(path: &Path, bits: u32) -> Result<(), String> {
    let dir = fs::metadata(path).ok().filter(fs::Metadata::is_dir);
    let meta = dir.map_or_else(|| fs::symlink_metadata(path), Ok);
    let meta = meta.map_err(|error| report::reason(&error))?;
    let (owner, mode) = (meta.uid(), meta.mode());
    let is_sticky_dir = meta.is_dir() && mode & STICKY != 0;
    if ![0, rustix::process::geteuid().as_raw()].contains(&owner) {
        Err("it belongs to another user".into())
    } else if meta.is_symlink() {
        Err("it is a symbolic link".into())
    } else if mode & bits != 0 && !is_sticky_dir {
        let octal = mode & 0o777;
        let wanted = octal & !bits;
        Err(format!(
            "its mode {octal:03o} is open to others (chmod {wanted:03o})"
        ))
    } else {
        Ok(())
    }
}

/// Writes a new file that only its owner may read.
fn keep(path: &Path, text: &[u8]) -> Result<(), SetupError> {
    let write = || -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let mut file = options.open(path)?;
        file.write_all(text).inspect_err(|_| {
            // Half a file would be in the way for ever.
            let _ = fs::remove_file(path);
        })
    };
    write().map_err(|error| {
        SetupError::new(format!("write {}", path.display()), report::reason(&error))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_can_be_made_at_any_time() {
        let years = [0, 30, 56, 8018, 8020, 8029, 8031, 100_000];
        for now in years.map(|years| SystemTime::UNIX_EPOCH + years * 365 * DAY) {
            let (not_before, not_after) = validity(now);
            let mut params = CertificateParams::default();
            (params.not_before, params.not_after) = (not_before.into(), not_after.into());
            let key = KeyPair::generate().expect("a key");
            params.self_signed(&key).expect("a certificate");
            assert!(not_before < not_after);
        }
    }
}
