//! What a peer showed, kept for messages: of a certificate that is refused the session says nothing.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};

/// The certificate that was shown last, and what was wrong with it where that did not count.
#[derive(Clone, Debug, Default)]
pub struct Seen(Arc<Mutex<(Option<CertificateDer<'static>>, Option<Error>)>>);

impl Seen {
    /// The certificate.
    pub fn cert(&self) -> Option<CertificateDer<'static>> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.0.clone()
    }

    /// What was wrong with it.
    pub fn doubt(&self) -> Option<Error> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.1.clone()
    }

    fn note(&self, cert: &CertificateDer<'_>, doubt: Option<Error>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = (Some(cert.clone().into_owned()), doubt);
    }
}

/// A check, and a note of what it was shown.
#[derive(Debug)]
pub struct Watched<V: ?Sized> {
    check: Arc<V>,
    /// One that does not count: what it says is only noted.
    doubter: Option<Arc<V>>,
    seen: Seen,
}

impl<V: ?Sized> Watched<V> {
    /// Notes in `seen`.
    pub fn new(check: Arc<V>, seen: Seen) -> Watched<V> {
        Watched {
            check,
            doubter: None,
            seen,
        }
    }

    /// The same, and what another check says is noted too, though it does not count.
    pub fn doubted_by(self, doubter: Option<Arc<V>>) -> Watched<V> {
        Watched { doubter, ..self }
    }
}

impl ServerCertVerifier for Watched<dyn ServerCertVerifier> {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let asked = |check: &Arc<dyn ServerCertVerifier>| {
            check.verify_server_cert(cert, between, name, ocsp, now)
        };
        let doubt = self.doubter.as_ref().map(asked);
        self.seen.note(cert, doubt.and_then(Result::err));
        asked(&self.check)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.check.supported_verify_schemes()
    }
}

impl ClientCertVerifier for Watched<dyn ClientCertVerifier> {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.check.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        cert: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.seen.note(cert, None);
        self.check.verify_client_cert(cert, between, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.check.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.check.supported_verify_schemes()
    }
}
