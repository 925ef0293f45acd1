//! Why a certificate was refused, in words.

use super::super::certificate::{Certificate, date, dotted};
use super::super::pin::{fingerprint, show_pin};
use super::context::{Context, TlsSide, spaced};
use crate::parse::escape::printable;
use rustls::{CertificateError, ExtendedKeyPurpose};
use std::fmt::Write as _;
use std::ops::RangeInclusive;
use x509_parser::asn1_rs::Oid;
use x509_parser::prelude::FromDer;

/// Bits an RSA key must have for its signatures to be taken.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// The tag of one. X.690, section 8.19.
const OBJECT_IDENTIFIER: u8 = 6;

/// Signature algorithms that are known, but not taken: the object identifier, and its name.
const REFUSED_ALGORITHMS: [(&str, &str); 10] = [
    ("1.2.840.113549.1.1.4", "RSA with MD5"),
    ("1.2.840.113549.1.1.5", "RSA with SHA-1"),
    ("1.2.840.113549.1.1.14", "RSA with SHA-224"),
    ("1.2.840.10045.4.1", "ECDSA with SHA-1"),
    ("1.2.840.10045.4.3.1", "ECDSA with SHA-224"),
    ("1.2.840.10045.4.3.4", "ECDSA with SHA-512"),
    ("1.2.840.10040.4.3", "DSA with SHA-1"),
    ("2.16.840.1.101.3.4.3.2", "DSA with SHA-256"),
    ("1.3.101.113", "Ed448"),
    ("1.2.156.10197.1.501", "SM2 with SM3"),
];

/// Why the peer's certificate was refused.
pub fn words(why: &CertificateError, context: &Context<'_>) -> String {
    let shown = Shown::of(context);
    let it = shown.it();
    match why {
        CertificateError::ExpiredContext { not_after, .. } => {
            expired(&shown, seconds(not_after.as_secs()))
        }
        CertificateError::NotValidYetContext { not_before, .. } => {
            not_yet(&shown, seconds(not_before.as_secs()), context.now)
        }
        CertificateError::Expired => never_valid(&shown),
        CertificateError::NotValidForNameContext { .. } | CertificateError::NotValidForName => {
            other_name(&shown, context.name)
        }
        CertificateError::UnknownIssuer => unknown_issuer(&shown),
        CertificateError::BadSignature => bad_signature(&shown),
        CertificateError::Revoked => format!("{it} is revoked"),
        CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id,
            ..
        } => {
            let name = algorithm(signature_algorithm_id);
            format!(
                "{it}, or one between it and its authority, is signed with {name}, which is not taken{}",
                shown.hint()
            )
        }
        CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => format!(
            "{it} or its authority has a key of a kind that is not taken{}",
            shown.hint()
        ),
        CertificateError::InvalidPurposeContext { presented, .. } => purpose(&shown, presented),
        CertificateError::BadEncoding => format!("{it} cannot be read"),
        CertificateError::UnhandledCriticalExtension => unknown_extension(&shown),
        CertificateError::ApplicationVerificationFailure => match shown.pin() {
            Some(pin) => format!("{it} is {pin}, which is no {}", shown.pin_option()),
            None => format!("{it} is no {}", shown.pin_option()),
        },
        CertificateError::Other(other) => {
            let why = other.0.downcast_ref::<webpki::Error>();
            why.map_or_else(
                || printable(other.to_string().as_bytes()),
                |why| rare(why, &shown),
            )
        }
        why => format!("{it} was refused ({}){}", spaced(why), shown.hint()),
    }
}

/// The certificate that was shown.
struct Shown<'a> {
    der: Option<&'a [u8]>,
    cert: Option<Certificate>,
    side: TlsSide,
}

impl<'a> Shown<'a> {
    fn of(context: &Context<'a>) -> Shown<'a> {
        Shown {
            der: context.cert,
            cert: context.cert.and_then(Certificate::read),
            side: context.side,
        }
    }

    fn it(&self) -> &'static str {
        match self.side {
            TlsSide::Client { .. } => "the certificate",
            TlsSide::Server => "the client's certificate",
        }
    }

    /// The certificate if that is true of it, and otherwise one behind it.
    fn it_if(&self, is_true: impl Fn(&Certificate) -> bool) -> &'static str {
        match &self.cert {
            Some(cert) if !is_true(cert) => "one of the certificates between it and its authority",
            _ => self.it(),
        }
    }

    fn pin(&self) -> Option<String> {
        self.der.map(|der| show_pin(&fingerprint(der)))
    }

    /// The name of the option that trusts it.
    fn pin_name(&self) -> &'static str {
        match self.side {
            TlsSide::Client { .. } => "pin",
            TlsSide::Server => "client-pin",
        }
    }

    fn pin_option(&self) -> String {
        self.side.spelling().option(self.pin_name())
    }

    /// The end of a line: what makes it trusted, to paste, or why nothing does.
    fn hint(&self) -> String {
        match (self.odd_key(), self.pin()) {
            (Some(odd), _) => format!("; {odd}"),
            (None, Some(pin)) => {
                let trusts = self.side.spelling().with(self.pin_name(), &pin);
                format!("; to trust it: {trusts}")
            }
            (None, None) => String::new(),
        }
    }

    /// Its key is too short or too long for any signature to be taken, pinned or not.
    fn odd_key(&self) -> Option<String> {
        let bits = self.cert.as_ref()?.rsa_bits?;
        let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
        let odd = || format!("its RSA key has {bits} bits, not {least} to {most}");
        (!RSA_BITS.contains(&bits)).then(odd)
    }
}

fn expired(shown: &Shown<'_>, end: i64) -> String {
    let it = shown.it_if(|cert| cert.valid.1 == end);
    format!("{it} expired on {}", date(end))
}

fn not_yet(shown: &Shown<'_>, begin: i64, now: u64) -> String {
    let it = shown.it_if(|cert| cert.valid.0 == begin);
    let (day, today) = (date(begin), date(seconds(now)));
    format!("{it} is not valid before {day}, and today is {today}")
}

fn never_valid(shown: &Shown<'_>) -> String {
    let it = shown.it_if(|cert| cert.valid.0 > cert.valid.1);
    format!("{it} was never valid: it ends before it begins")
}

fn other_name(shown: &Shown<'_>, name: Option<&str>) -> String {
    let it = shown.it();
    let wanted = match name {
        Some(name) => format!("not for {}", printable(name.as_bytes())),
        None => {
            let servername = shown.side.spelling().option("servername");
            format!("and no name is asked for: {servername}")
        }
    };
    match &shown.cert {
        Some(cert) => match cert.hosts() {
            Some(hosts) => format!("{it} is for {hosts}, {wanted}"),
            None => format!(
                "{it} is for no name at all (of {}, which does not count), {wanted}{}",
                cert.subject,
                shown.hint()
            ),
        },
        None => format!("{it} has another name, {wanted}"),
    }
}

fn unknown_issuer(shown: &Shown<'_>) -> String {
    match &shown.cert {
        Some(cert) if cert.is_self_signed => self_signed(shown),
        Some(cert) => format!(
            "{} is signed by {}, which is not trusted here{}",
            shown.it(),
            cert.issuer,
            shown.hint()
        ),
        None => format!(
            "{} is signed by an authority that is not trusted here",
            shown.it()
        ),
    }
}

fn self_signed(shown: &Shown<'_>) -> String {
    format!("{} is self-signed{}", shown.it(), shown.hint())
}

fn bad_signature(shown: &Shown<'_>) -> String {
    let it = shown.it();
    match shown.odd_key() {
        Some(odd) => format!("{it} cannot be taken: {odd}"),
        None => format!(
            "a signature is wrong, or made with too short or too long a key: {it}'s own, or that of the \
             handshake{}",
            shown.hint()
        ),
    }
}

fn purpose(shown: &Shown<'_>, presented: &[ExtendedKeyPurpose]) -> String {
    let role = match shown.side {
        TlsSide::Client { .. } => "a server's",
        TlsSide::Server => "a client's",
    };
    // What rustls presents has wrong numbers for long identifiers.
    let listed: Vec<String> = match &shown.cert {
        Some(cert) => cert.uses.clone(),
        None => presented.iter().take(4).map(ToString::to_string).collect(),
    };
    let listed: String = listed.join(", ").chars().take(200).collect();
    format!(
        "{} is not {role}, but for {listed}{}",
        shown.it(),
        shown.hint()
    )
}

/// What rustls has no name for.
fn rare(why: &webpki::Error, shown: &Shown<'_>) -> String {
    let it = shown.it();
    let is_self_signed = shown.cert.as_ref().is_some_and(|cert| cert.is_self_signed);
    match why {
        webpki::Error::CaUsedAsEndEntity if is_self_signed => self_signed(shown),
        webpki::Error::CaUsedAsEndEntity => {
            format!("{it} is an authority's own{}", shown.hint())
        }
        webpki::Error::UnsupportedCertVersion => {
            format!(
                "{it} is of X.509 version 1, not 3, and cannot be checked{}",
                shown.hint()
            )
        }
        webpki::Error::UnsupportedCriticalExtension => unknown_extension(shown),
        // Constraints on directory names are not judged by webpki, and count as violated.
        webpki::Error::NameConstraintViolation => {
            format!(
                "{it} is for a name that its authority may not sign for, or that rnc cannot judge{}",
                shown.hint()
            )
        }
        why => format!("{it} was refused ({}){}", spaced(why), shown.hint()),
    }
}

/// RFC 5280, section 4.2: what is critical and not known has to be refused. OpenSSL and GnuTLS know
/// policies (section 4.2.1.4), and take any.
fn unknown_extension(shown: &Shown<'_>) -> String {
    format!(
        "{}, or one between it and its authority, has a critical extension that is not known, such \
         as policies{}",
        shown.it(),
        shown.hint()
    )
}

/// A signature algorithm, from the content of its AlgorithmIdentifier in DER. RFC 5280, section
/// 4.1.1.2.
fn algorithm(id: &[u8]) -> String {
    let oid = Oid::from_der(id)
        .ok()
        .filter(|_| id.first() == Some(&OBJECT_IDENTIFIER));
    let Some((_, oid)) = oid else {
        let mut text = String::from("an algorithm that cannot be read:");
        for byte in id.iter().take(16) {
            let _ = write!(text, " {byte:02x}");
        }
        return text;
    };
    let oid = dotted(&oid);
    let known = REFUSED_ALGORITHMS.iter().find(|(known, _)| *known == oid);
    match known {
        Some((_, name)) => (*name).to_owned(),
        None => format!("algorithm {oid}"),
    }
}

fn seconds(unsigned: u64) -> i64 {
    i64::try_from(unsigned).unwrap_or(i64::MAX)
}
