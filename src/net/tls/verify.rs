//! Whose certificates are taken: those of authorities, as rustls checks them, those with certain
//! fingerprints, or any at all. In all cases the peer has to prove that it holds the key.

use super::pin::fingerprint;
use crate::plan::tls::Pin;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{
    CertificateDer, ServerName, SignatureVerificationAlgorithm, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

/// What a peer showed last, kept for messages: the certificate, and what was wrong with it where
/// that did not count. Of a certificate that is refused rustls gives out nothing.
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

/// Whose certificates are taken; `A` checks those of authorities.
#[derive(Debug)]
pub enum PeerTrust<A> {
    /// Those of authorities, and those listed here, which `openssl req -x509` makes authorities of
    /// their own; both in their time, and a server's for the name that was dialled.
    Authorities(A, Vec<CertificateDer<'static>>),
    /// Those with these fingerprints, whatever else is in them.
    Pins(Vec<Pin>),
    /// All.
    Anyone,
}

/// Whose servers are taken.
pub type ServerTrust = PeerTrust<Arc<WebPkiServerVerifier>>;
/// Whose clients are taken.
pub type ClientTrust = PeerTrust<Arc<dyn ClientCertVerifier>>;

/// The check of servers.
#[derive(Debug)]
pub struct ServerCheck {
    /// Whose are taken.
    pub trust: ServerTrust,
    /// A check that does not count: its result is noted.
    pub doubter: Option<Doubter>,
    /// What was shown.
    pub seen: Seen,
    /// How signatures may be made.
    pub algorithms: WebPkiSupportedAlgorithms,
}

/// A check that does not count.
#[derive(Debug)]
pub enum Doubter {
    /// Of these authorities.
    Authorities(Arc<WebPkiServerVerifier>),
    /// There are no authorities: no certificate is vouched for.
    Nobody,
}

/// The check of clients.
#[derive(Debug)]
pub struct ClientCheck {
    /// Whose are taken.
    pub trust: ClientTrust,
    /// What was shown.
    pub seen: Seen,
    /// How signatures may be made.
    pub algorithms: WebPkiSupportedAlgorithms,
}

/// How it is checked that a peer holds the key of its certificate.
struct Keys<'a> {
    /// Of the certificate nothing but the key counts.
    alone: bool,
    algorithms: &'a WebPkiSupportedAlgorithms,
}

fn pinned(cert: &CertificateDer<'_>, pins: &[Pin]) -> Result<(), Error> {
    if pins.contains(&fingerprint(cert)) {
        Ok(())
    } else {
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}

/// Checks the dates of a certificate that is trusted as it is.
fn in_time(cert: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let (_, parsed) = X509Certificate::from_der(cert).map_err(|_| CertificateError::BadEncoding)?;
    let at = |time: i64| {
        let seconds = u64::try_from(time).unwrap_or_default();
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    };
    let validity = parsed.validity();
    let not_before = at(validity.not_before.timestamp());
    let not_after = at(validity.not_after.timestamp());
    let time = now;
    if now < not_before {
        return Err(CertificateError::NotValidYetContext { time, not_before }.into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext { time, not_after }.into());
    }
    Ok(())
}

/// The key in a certificate. Of one that is pinned or listed, or our own, nothing else counts, not
/// even that it is of X.509 version 3, without which webpki reads none.
///
/// # Errors
/// It cannot be read.
pub fn key_of(cert: &CertificateDer<'_>) -> Result<SubjectPublicKeyInfoDer<'static>, Error> {
    match X509Certificate::from_der(cert) {
        Ok((_, cert)) => Ok(cert.public_key().raw.to_vec().into()),
        Err(_) => Err(CertificateError::BadEncoding.into()),
    }
}

impl Keys<'_> {
    /// Checks a signature of TLS 1.2, with the bare key as rustls does it with a certificate that
    /// webpki can read. RFC 5246, section 7.4.3.
    fn check_tls12(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !self.alone {
            return verify_tls12_signature(message, cert, signed, self.algorithms);
        }
        let unreadable = CertificateError::BadEncoding;
        let key = key_of(cert)?;
        let key = webpki::RawPublicKeyEntity::try_from(&key).map_err(|_| unreadable)?;
        let mapping = self.algorithms.mapping.iter();
        // A scheme does not say the curve here: any algorithm that fits will do.
        let mut algorithms = mapping
            .filter(|(scheme, _)| *scheme == signed.scheme)
            .flat_map(|(_, algorithms)| algorithms.iter());
        let fits = |algorithm: &&dyn SignatureVerificationAlgorithm| {
            let checked = key.verify_signature(*algorithm, message, signed.signature());
            checked.is_ok()
        };
        if algorithms.any(fits) {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    /// The same in TLS 1.3. RFC 8446, section 4.4.3.
    fn check_tls13(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if self.alone {
            let key = key_of(cert)?;
            verify_tls13_signature_with_raw_key(message, &key, signed, self.algorithms)
        } else {
            verify_tls13_signature(message, cert, signed, self.algorithms)
        }
    }
}

impl<A> PeerTrust<A> {
    fn keys<'a>(
        &self,
        cert: &CertificateDer<'_>,
        algorithms: &'a WebPkiSupportedAlgorithms,
    ) -> Keys<'a> {
        let alone = match self {
            PeerTrust::Authorities(_, listed) => listed.contains(cert),
            PeerTrust::Pins(_) | PeerTrust::Anyone => true,
        };
        Keys { alone, algorithms }
    }
}

/// How both checks have signatures checked, in the words of rustls.
macro_rules! checks_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let keys = self.trust.keys(cert, &self.algorithms);
            keys.check_tls12(message, cert, signed)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let keys = self.trust.keys(cert, &self.algorithms);
            keys.check_tls13(message, cert, signed)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.algorithms.supported_schemes()
        }
    };
}

impl ServerCertVerifier for ServerCheck {
    fn verify_server_cert(
        &self,
        cert: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let vouched = |by: &Arc<WebPkiServerVerifier>| {
            let verified = by.verify_server_cert(cert, between, name, ocsp, now);
            verified.map(|_| ())
        };
        let doubt = match &self.doubter {
            None => None,
            Some(Doubter::Authorities(authorities)) => vouched(authorities).err(),
            Some(Doubter::Nobody) => Some(CertificateError::UnknownIssuer.into()),
        };
        self.seen.note(cert, doubt);
        match &self.trust {
            ServerTrust::Authorities(_, listed) if listed.contains(cert) => in_time(cert, now)
                .and_then(|()| verify_server_name(&ParsedCertificate::try_from(cert)?, name)),
            ServerTrust::Authorities(authorities, _) => vouched(authorities),
            ServerTrust::Pins(pins) => pinned(cert, pins),
            ServerTrust::Anyone => Ok(()),
        }
        .map(|()| ServerCertVerified::assertion())
    }

    checks_signatures!();
}

impl ClientCertVerifier for ClientCheck {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        match &self.trust {
            ClientTrust::Authorities(authorities, _) => authorities.root_hint_subjects(),
            ClientTrust::Pins(_) | ClientTrust::Anyone => &[],
        }
    }

    fn verify_client_cert(
        &self,
        cert: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.seen.note(cert, None);
        match &self.trust {
            ClientTrust::Authorities(_, listed) if listed.contains(cert) => in_time(cert, now)?,
            ClientTrust::Authorities(by, _) => return by.verify_client_cert(cert, between, now),
            ClientTrust::Pins(pins) => pinned(cert, pins)?,
            ClientTrust::Anyone => {}
        }
        Ok(ClientCertVerified::assertion())
    }

    checks_signatures!();
}
