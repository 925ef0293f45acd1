//! The certificate all servers here show.

use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::{Result, anyhow};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::pki_types::CertificateDer;

use crate::data::Unnamed;

/// Whose certificate it is.
pub const NAME: &str = "localhost";

/// See [`Identity::at_most_tls_1_2`].
const AT_MOST_TLS_1_2: &str = "\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = default
[default]
MaxProtocol = TLSv1.2
";

/// A certificate, signed by itself, and its key; and how OpenSSL is told what it may not.
#[derive(Debug)]
pub struct Identity {
    cert: Unnamed,
    key: Unnamed,
    at_most_tls_1_2: Unnamed,
    /// The certificate.
    pub der: CertificateDer<'static>,
}

impl Identity {
    /// The one of this run.
    pub fn get() -> Result<&'static Self> {
        static IDENTITY: OnceLock<Result<Identity>> = OnceLock::new();
        let made = IDENTITY.get_or_init(Self::make).as_ref();
        made.map_err(|why| anyhow!("no certificate: {why:#}"))
    }

    /// A new one.
    fn make() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![NAME.to_owned()])?;
        let mut name = DistinguishedName::new();
        // socat looks for it here.
        name.push(DnType::CommonName, NAME);
        params.distinguished_name = name;
        let cert = params.self_signed(&key)?;
        Ok(Self {
            cert: file("cert", &cert.pem())?,
            key: file("key", &key.serialize_pem())?,
            at_most_tls_1_2: file("openssl", AT_MOST_TLS_1_2)?,
            der: cert.der().clone(),
        })
    }

    /// Where the certificate is, in PEM.
    pub fn cert(&self) -> PathBuf {
        self.cert.path()
    }

    /// Where the key is, in PEM.
    pub fn key(&self) -> PathBuf {
        self.key.path()
    }

    /// Where the configuration is that keeps OpenSSL from TLS 1.3. See config(5ssl).
    pub fn at_most_tls_1_2(&self) -> PathBuf {
        self.at_most_tls_1_2.path()
    }
}

/// A file with a text in it.
fn file(purpose: &str, text: &str) -> Result<Unnamed> {
    let file = Unnamed::new(purpose)?;
    let mut open = file.open(std::fs::OpenOptions::new().write(true))?;
    open.write_all(text.as_bytes())?;
    Ok(file)
}
