//! The check against authorities in a file, in which a server's own certificate may stand as well:
//! `openssl req -x509` makes one that is its own authority, which webpki takes for no server's.

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// Takes who is vouched for by an authority, and who is listed himself: both for the name that was
/// dialled, in their time.
#[derive(Debug)]
pub struct Listed {
    authorities: Arc<WebPkiServerVerifier>,
    certs: Vec<CertificateDer<'static>>,
}

impl Listed {
    /// `certs` is the whole list.
    pub fn new(
        authorities: Arc<WebPkiServerVerifier>,
        certs: Vec<CertificateDer<'static>>,
    ) -> Listed {
        Listed { authorities, certs }
    }
}

/// Checks the name and the dates of a certificate that is trusted as it is.
fn check(cert: &CertificateDer<'_>, name: &ServerName<'_>, now: UnixTime) -> Result<(), Error> {
    let Ok((_, parsed)) = X509Certificate::from_der(cert) else {
        return Err(CertificateError::BadEncoding.into());
    };
    let validity = parsed.validity();
    let seconds = |time: i64| Duration::from_secs(u64::try_from(time).unwrap_or_default());
    let not_before = UnixTime::since_unix_epoch(seconds(validity.not_before.timestamp()));
    let not_after = UnixTime::since_unix_epoch(seconds(validity.not_after.timestamp()));
    if now < not_before {
        return Err(CertificateError::NotValidYetContext {
            time: now,
            not_before,
        }
        .into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext {
            time: now,
            not_after,
        }
        .into());
    }
    verify_server_name(&ParsedCertificate::try_from(cert)?, name)
}

impl ServerCertVerifier for Listed {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.certs.iter().any(|listed| listed == cert) {
            return check(cert, name, now).map(|()| ServerCertVerified::assertion());
        }
        self.authorities
            .verify_server_cert(cert, between, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities
            .verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.authorities
            .verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.authorities.supported_verify_schemes()
    }
}
