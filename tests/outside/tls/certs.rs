//! Certificates for the tests: an authority of their own, and what it signs, in PEM files that go
//! away with the test.

use crate::common::TempDir;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// An authority that the system does not know, and the directory of what it signs.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    name: String,
    /// Its own certificate.
    pub cert: CertificateDer<'static>,
    /// Where that is.
    pub file: PathBuf,
    dir: TempDir,
}

impl Authority {
    pub fn new() -> Authority {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Authority::named(format!("Authority {number} of a test"))
    }

    fn named(name: String) -> Authority {
        let dir = TempDir::new();
        let key = new_key();
        let mut params = named(&name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.self_signed(&key).expect("sign");
        Authority {
            cert: cert.der().clone(),
            file: dir.file("authority.pem", cert.pem()),
            issuer: Issuer::new(params, key),
            name,
            dir,
        }
    }

    /// One that this one has signed.
    pub fn between(&self) -> Authority {
        let dir = TempDir::new();
        let key = new_key();
        let name = format!("{}, signed", self.name);
        let mut params = named(&name, &[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let cert = params.signed_by(&key, &self.issuer).expect("sign");
        Authority {
            cert: cert.der().clone(),
            file: dir.file("authority.pem", cert.pem()),
            issuer: Issuer::new(params, key),
            name,
            dir,
        }
    }

    /// The name it signs with.
    pub fn name(&self) -> String {
        self.name.clone()
    }

    /// Another one with the same name, and another key.
    pub fn double(&self) -> Authority {
        Authority::named(self.name())
    }

    /// A certificate for these names and addresses.
    pub fn signs(&self, names: &[&str]) -> Identity {
        self.signs_with(names, |_| {})
    }

    /// A certificate for this machine.
    pub fn for_here(&self) -> Identity {
        self.signs(&["localhost", "127.0.0.1", "::1"])
    }

    /// A certificate for these names with something unusual in it.
    pub fn signs_with(
        &self,
        names: &[&str],
        shape: impl FnOnce(&mut CertificateParams),
    ) -> Identity {
        let key = new_key();
        let mut params = named(names.first().unwrap_or(&"nobody"), names);
        params.use_authority_key_identifier_extension = true;
        shape(&mut params);
        let cert = params.signed_by(&key, &self.issuer).expect("sign");
        Identity::keep(self.dir.path(), &cert, &key)
    }

    /// A certificate for a client.
    pub fn for_client(&self, name: &str) -> Identity {
        self.signs_with(&[name], |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        })
    }

    /// A certificate that nobody but its own key has signed.
    pub fn self_signed(&self, names: &[&str]) -> Identity {
        let key = new_key();
        let cert = named(names[0], names).self_signed(&key).expect("sign");
        Identity::keep(self.dir.path(), &cert, &key)
    }

    /// Where its files are.
    pub fn dir(&self) -> &TempDir {
        &self.dir
    }
}

/// A certificate that ended long ago.
pub fn expired(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2001, 2, 3);
    params.not_after = date_time_ymd(2002, 3, 4);
}

/// A certificate whose time has not come.
pub fn not_yet_valid(params: &mut CertificateParams) {
    params.not_before = date_time_ymd(2999, 2, 3);
    params.not_after = date_time_ymd(3000, 3, 4);
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Identity {
    /// The file of the certificate.
    pub cert: PathBuf,
    /// The file of the key.
    pub key: PathBuf,
    /// The certificate in DER.
    pub der: CertificateDer<'static>,
    key_der: Vec<u8>,
}

impl Identity {
    fn keep(dir: &Path, cert: &rcgen::Certificate, key: &KeyPair) -> Identity {
        let number = std::fs::read_dir(dir).expect("the directory").count();
        let file = |kind: &str, text: String| {
            let path = dir.join(format!("{number}-{kind}.pem"));
            std::fs::write(&path, text).expect("write a file");
            path
        };
        Identity {
            cert: file("cert", cert.pem()),
            key: file("key", key.serialize_pem()),
            der: cert.der().clone(),
            key_der: key.serialize_der(),
        }
    }

    /// One that another program has made.
    pub fn at(cert: PathBuf, key: PathBuf) -> Identity {
        let der = CertificateDer::from_pem_file(&cert).expect("a certificate");
        let key_der = PrivateKeyDer::from_pem_file(&key).expect("a key");
        Identity {
            key_der: key_der.secret_der().to_vec(),
            cert,
            key,
            der,
        }
    }

    /// Its key in DER.
    pub fn key_der(&self) -> PrivateKeyDer<'static> {
        PrivatePkcs8KeyDer::from(self.key_der.clone()).into()
    }

    /// Its fingerprint as `--tls-pin` takes it.
    pub fn pin(&self) -> String {
        pin_of(&self.der)
    }

    /// The `--tls-cert` and `--tls-key` with which rnc has it.
    pub fn options(&self) -> Vec<OsString> {
        let [cert, key] = [&self.cert, &self.key].map(OsString::from);
        vec!["--tls-cert".into(), cert, "--tls-key".into(), key]
    }
}

/// The fingerprint of a certificate in DER as `--tls-pin` takes it.
pub fn pin_of(der: &[u8]) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(der);
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

/// What a certificate with these names says.
fn named(subject: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| name.to_string()).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.distinguished_name.push(DnType::CommonName, subject);
    params.not_before = date_time_ymd(2020, 1, 1);
    params
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key")
}
