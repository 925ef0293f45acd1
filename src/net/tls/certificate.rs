//! A certificate (X.509, RFC 5280) in words. All that comes from it is escaped and of bounded
//! length, whatever is in it.

use super::pin::{fingerprint, show_pin};
use crate::io::tls::TlsSession;
use crate::parse::escape::printable;
use crate::proto::calendar::Civil;
use rustls::pki_types::CertificateDer;
use std::net::IpAddr;
use x509_parser::asn1_rs::Oid;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// Names of hosts that are shown; of more only the number.
const NAMES_SHOWN: usize = 8;
/// Parts of a subject or an issuer that are shown.
const PARTS_SHOWN: usize = 8;
/// Characters of one name or part that are shown: the longest name of a host has 253.
const PART_CHARS: usize = 255;
/// Uses that are shown.
const USES_SHOWN: usize = 4;
/// Certificates of a chain that are shown.
const CHAIN_SHOWN: usize = 16;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// What a certificate holds, to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Whose it is: `CN=example.org, O=Example`.
    pub subject: String,
    /// Who signed it, as `subject`.
    pub issuer: String,
    /// Who signed it has the same name as its owner.
    pub is_self_signed: bool,
    /// The names and addresses of hosts it is for (subjectAltName), the first few.
    names: Vec<String>,
    /// How many more there are.
    more_names: usize,
    /// What it is for (extKeyUsage), the first few; nothing when it does not say.
    pub uses: Vec<String>,
    /// When it begins and ends to be valid: seconds since 1970.
    pub valid: (i64, i64),
    /// The bits of its key, if that is an RSA key.
    pub rsa_bits: Option<usize>,
}

impl Certificate {
    /// Reads a certificate in DER; `None` when it is none.
    pub fn read(der: &[u8]) -> Option<Certificate> {
        let (_, cert) = X509Certificate::from_der(der).ok()?;
        let mut hosts = hosts(&cert);
        let names: Vec<String> = hosts.by_ref().take(NAMES_SHOWN).collect();
        let more_names = hosts.count();
        let rsa_bits = match cert.public_key().parsed() {
            Ok(PublicKey::RSA(key)) => Some(key.key_size()),
            _ => None,
        };
        let validity = cert.validity();
        Some(Certificate {
            subject: distinguished_name(cert.subject()),
            issuer: distinguished_name(cert.issuer()),
            is_self_signed: cert.subject().as_raw() == cert.issuer().as_raw(),
            names,
            more_names,
            uses: uses(&cert),
            valid: (
                validity.not_before.timestamp(),
                validity.not_after.timestamp(),
            ),
            rsa_bits,
        })
    }

    /// The names of hosts it is for: `a.example, *.b.example, 192.0.2.1 and 3 more`; `None` when
    /// it has none.
    pub fn hosts(&self) -> Option<String> {
        let names = self.names.join(", ");
        match (self.names.is_empty(), self.more_names) {
            (true, _) => None,
            (_, 0) => Some(names),
            (_, more) => Some(format!("{names} and {more} more")),
        }
    }
}

/// A peer's certificate (DER) in four lines: whose it is, the hosts it is for and who signed it,
/// when it is valid, and its fingerprint as `--tls-pin` takes it. `now` is in seconds since 1970.
pub fn lines(der: &[u8], now: u64) -> [String; 4] {
    let pin = format!("Fingerprint {}", show_pin(&fingerprint(der)));
    let Some(cert) = Certificate::read(der) else {
        let unknown = |what| format!("{what} unknown");
        let size = format!("Certificate that cannot be read, {} bytes", der.len());
        return [size, unknown("Hosts and issuer"), unknown("Validity"), pin];
    };
    let hosts = cert.hosts().unwrap_or_else(|| "no host".into());
    [
        format!("Certificate of {}", cert.subject),
        format!("For {hosts}; issued by {}", cert.issuer),
        validity(cert.valid, now),
        pin,
    ]
}

/// The certificates a peer showed, a line each, its own first.
pub fn chain(certs: &[CertificateDer<'_>]) -> Vec<String> {
    let shown = certs.iter().take(CHAIN_SHOWN).enumerate();
    let mut lines: Vec<String> = shown.map(|(depth, der)| link(depth, der)).collect();
    match certs.len().saturating_sub(CHAIN_SHOWN) {
        0 => {}
        more => lines.push(format!("Chain: {more} more certificates")),
    }
    lines
}

/// A day in UTC: `2026-11-21`.
pub fn date(seconds: i64) -> String {
    match u64::try_from(seconds) {
        Ok(seconds) => {
            let Civil {
                year, month, day, ..
            } = Civil::from_unix(seconds);
            format!("{year:04}-{month:02}-{day:02}")
        }
        // No certificate is that old: a number to say that none was meant.
        Err(_) => "a day before 1970".into(),
    }
}

fn link(depth: usize, der: &[u8]) -> String {
    let pin = show_pin(&fingerprint(der));
    match Certificate::read(der) {
        Some(cert) => {
            let (subject, issuer) = (cert.subject, cert.issuer);
            let (begin, end) = (date(cert.valid.0), date(cert.valid.1));
            format!("Chain {depth}: {subject}; issued by {issuer}; {begin} to {end}; {pin}")
        }
        None => format!("Chain {depth}: cannot be read; {pin}"),
    }
}

fn validity((begin, end): (i64, i64), now: u64) -> String {
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let (first, last) = (date(begin), date(end));
    if now > end {
        return format!("Valid from {first}, expired on {last}");
    }
    if now < begin {
        return format!("Valid from {first} to {last}, not yet");
    }
    match (end - now) / DAY {
        0 => format!("Valid from {first} to {last}, less than a day left"),
        1 => format!("Valid from {first} to {last}, 1 day left"),
        days => format!("Valid from {first} to {last}, {days} days left"),
    }
}

/// The names and addresses of hosts. RFC 5280, section 4.2.1.6.
fn hosts<'a>(cert: &'a X509Certificate<'_>) -> impl Iterator<Item = String> + 'a {
    let names = cert.subject_alternative_name().ok().flatten();
    let names = names.map_or(&[][..], |names| &names.value.general_names[..]);
    names.iter().filter_map(|name| match name {
        // An address is one only as such: RFC 5280, section 4.2.1.6.
        GeneralName::DNSName(name) if name.parse::<IpAddr>().is_ok() => {
            Some(format!("{} (as a DNS name)", bounded(name.as_bytes())))
        }
        GeneralName::DNSName(name) => Some(bounded(name.as_bytes())),
        GeneralName::IPAddress(bytes) => Some(match address(bytes) {
            Some(ip) => ip.to_string(),
            None => "an address that cannot be read".into(),
        }),
        _ => None,
    })
}

/// What it is for. RFC 5280, section 4.2.1.12.
fn uses(cert: &X509Certificate<'_>) -> Vec<String> {
    let uses = cert.extended_key_usage().ok().flatten();
    let Some(uses) = uses.map(|uses| uses.value) else {
        return Vec::new();
    };
    let known = [
        (uses.any, "any use"),
        (uses.server_auth, "servers"),
        (uses.client_auth, "clients"),
        (uses.code_signing, "code signing"),
        (uses.email_protection, "email"),
        (uses.time_stamping, "time stamps"),
        (uses.ocsp_signing, "OCSP"),
    ];
    let known = known.into_iter().filter(|(has, _)| *has);
    let known = known.map(|(_, name)| name.to_owned());
    let others = uses.other.iter().map(dotted);
    known.chain(others).take(USES_SHOWN).collect()
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(v4.into());
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// A name as in `CN=example.org, O=Example`. RFC 4514, but for its escapes.
fn distinguished_name(name: &X509Name<'_>) -> String {
    let mut parts = name.iter_attributes();
    let shown: Vec<String> = parts.by_ref().take(PARTS_SHOWN).map(part).collect();
    let shown = shown.join(", ");
    match (shown.is_empty(), parts.count()) {
        (true, _) => "(an empty name)".into(),
        (_, 0) => shown,
        (_, more) => format!("{shown} and {more} more"),
    }
}

fn part(attribute: &AttributeTypeAndValue<'_>) -> String {
    let value = bounded(attribute.as_slice());
    let id = dotted(attribute.attr_type());
    format!("{}={value}", kind(&id).unwrap_or(&id))
}

/// An object identifier in numbers, bounded. X.690, section 8.19: the first two are in one, and the
/// first of them is at most 2. (What x509-parser and webpki give is wrong from 2.40 on.)
pub fn dotted(id: &Oid<'_>) -> String {
    let mut parts = Vec::new();
    let mut part = 0u128;
    for &byte in id.as_bytes() {
        part = part << 7 | u128::from(byte & 0x7f);
        if byte & 0x80 != 0 {
            continue;
        }
        if parts.is_empty() {
            let first = (part / 40).min(2);
            parts.push(first.to_string());
            part -= 40 * first;
        }
        parts.push(part.to_string());
        part = 0;
    }
    bounded(parts.join(".").as_bytes())
}

/// The short name of a kind of part. RFC 4514, section 3; PKCS #9.
fn kind(id: &str) -> Option<&'static str> {
    Some(match id {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "street",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

/// Foreign text, escaped, and cut when it is long.
fn bounded(bytes: &[u8]) -> String {
    // Four bytes make at least one character.
    let text = printable(&bytes[..bytes.len().min(4 * PART_CHARS)]);
    match text.char_indices().nth(PART_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The certificate the peer has shown in this session, unless it was refused.
pub fn peer_cert(session: &TlsSession) -> Option<CertificateDer<'static>> {
    session.connection().peer_certificates()?.first().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType, date_time_ymd};

    const NEW_YEAR_2030: u64 = 1_893_456_000;

    fn params(names: &[&str]) -> CertificateParams {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names).expect("names");
        params.not_before = date_time_ymd(2029, 6, 1);
        params.not_after = date_time_ymd(2030, 1, 31);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "a.example");
        params
            .distinguished_name
            .push(DnType::OrganizationName, "Exämple");
        params
    }

    fn made(params: CertificateParams) -> CertificateDer<'static> {
        let key = KeyPair::generate().expect("key");
        params.self_signed(&key).expect("certificate").der().clone()
    }

    #[test]
    fn a_certificate_is_told_in_four_lines() {
        let der = made(params(&[
            "a.example",
            "*.b.example",
            "192.0.2.1",
            "2001:db8::1",
        ]));
        let [owner, hosts, validity, pin] = lines(&der, NEW_YEAR_2030);
        assert_eq!(owner, "Certificate of CN=a.example, O=Exämple");
        assert_eq!(
            hosts,
            "For a.example, *.b.example, 192.0.2.1, 2001:db8::1; issued by CN=a.example, O=Exämple"
        );
        assert_eq!(
            validity,
            "Valid from 2029-06-01 to 2030-01-31, 30 days left"
        );
        assert_eq!(pin, format!("Fingerprint {}", show_pin(&fingerprint(&der))));
    }

    #[test]
    fn the_days_left_are_counted_and_the_end_is_told() {
        let valid = (1_000 * DAY, 2_000 * DAY);
        let cases = [
            (999 * DAY, "Valid from 1972-09-27 to 1975-06-24, not yet"),
            (
                1_000 * DAY,
                "Valid from 1972-09-27 to 1975-06-24, 1000 days left",
            ),
            (
                1_998 * DAY + 1,
                "Valid from 1972-09-27 to 1975-06-24, 1 day left",
            ),
            (
                1_999 * DAY + 1,
                "Valid from 1972-09-27 to 1975-06-24, less than a day left",
            ),
            (
                2_000 * DAY + 1,
                "Valid from 1972-09-27, expired on 1975-06-24",
            ),
        ];
        for (now, line) in cases {
            assert_eq!(
                validity(valid, u64::try_from(now).expect("after 1970")),
                line
            );
        }
        assert_eq!(date(-1), "a day before 1970");
    }

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let mut params = params(&[]);
        params
            .distinguished_name
            .push(DnType::CommonName, "\x1b[31mred\r\nrnc: all is well");
        let [owner, ..] = lines(&made(params), NEW_YEAR_2030);
        assert!(
            owner.contains("\\x1b[31mred\\r\\nrnc: all is well"),
            "{owner}"
        );
    }

    #[test]
    fn identifiers_are_those_of_the_standard() {
        let cases: [(&[u8], &str); 6] = [
            (b"\x55\x04\x03", "2.5.4.3"),
            (b"\x2a\x86\x48\x86\xf7\x0d", "1.2.840.113549"),
            (b"\x00", "0.0"),
            (b"\x27\x01", "0.39.1"),
            (b"\x88\x37\x83\x10", "2.999.400"),
            (b"\x81", ""),
        ];
        for (bytes, wanted) in cases {
            assert_eq!(dotted(&Oid::new(bytes.into())), wanted);
        }
        let huge = [[0xff; 1000].as_slice(), &[0x7f]].concat();
        assert!(dotted(&Oid::new(huge.into())).len() < 50);
    }

    #[test]
    fn a_thousand_names_and_a_huge_subject_make_short_lines() {
        let names: Vec<String> = (0..1000).map(|at| format!("{at}.example")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut params = params(&names);
        params
            .distinguished_name
            .push(DnType::CommonName, "x".repeat(1 << 20));
        let custom = |last| DnType::CustomDnType(vec![1, 3, 6, 1, 4, 1, 99_999, last]);
        for last in 0..100 {
            params
                .distinguished_name
                .push(custom(last), "y".repeat(1000));
        }
        let all = lines(&made(params), NEW_YEAR_2030);
        assert!(all[0].contains("1.3.6.1.4.1.99999.0=yyy"), "{}", all[0]);
        assert!(all[0].contains("… and 94 more"), "{}", all[0]);
        assert!(
            all[1].contains("7.example and 992 more; issued by"),
            "{}",
            all[1]
        );
        for line in all {
            assert!(line.len() < 6 * 1024, "{} bytes", line.len());
        }
    }

    #[test]
    fn a_name_without_parts_and_a_certificate_without_names_are_told() {
        let mut params = params(&[]);
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.subject_alt_names = vec![SanType::Rfc822Name(
            "me@a.example".try_into().expect("ascii"),
        )];
        let [owner, hosts, ..] = lines(&made(params), NEW_YEAR_2030);
        assert_eq!(owner, "Certificate of (an empty name)");
        assert_eq!(hosts, "For no host; issued by (an empty name)");
    }

    #[test]
    fn what_is_no_certificate_is_told_by_its_fingerprint_alone() {
        let [owner, _, _, pin] = lines(b"junk", NEW_YEAR_2030);
        assert_eq!(owner, "Certificate that cannot be read, 4 bytes");
        assert!(pin.starts_with("Fingerprint sha256:"), "{pin}");
    }

    #[test]
    fn a_chain_has_a_line_for_each_up_to_a_bound() {
        let der = made(params(&["a.example"]));
        let two = chain(&[der.clone(), b"junk"[..].into()]);
        let pin = show_pin(&fingerprint(&der));
        let name = "CN=a.example, O=Exämple";
        assert_eq!(
            two[0],
            format!("Chain 0: {name}; issued by {name}; 2029-06-01 to 2030-01-31; {pin}")
        );
        assert!(
            two[1].starts_with("Chain 1: cannot be read; sha256:"),
            "{}",
            two[1]
        );
        let many = chain(&vec![der; 1000]);
        assert_eq!(many.len(), CHAIN_SHOWN + 1);
        assert_eq!(many[CHAIN_SHOWN], "Chain: 984 more certificates");
    }
}
