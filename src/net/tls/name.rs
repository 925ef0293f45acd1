//! The name a server's certificate must be for, from what was dialled.
//!
//! A name that is not ASCII is refused: neither the resolver (getaddrinfo without AI_IDN) nor a
//! proxy would find it, and a conversion for TLS alone (UTS #46) would add 150 KB of tables for
//! names that nothing else here knows.

use crate::parse::escape::printable;
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::IpAddr;

/// A name that no certificate could have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Letters beyond ASCII.
    NotAscii(String),
    /// Not the form of a name or an address.
    Malformed(String),
}

/// The name, or the address, that is asked for and checked: without the dot at the end, which is
/// for the resolver, and without the zone (`fe80::1%eth0`), which means something on this host
/// alone. RFC 6066, section 3; RFC 6125, section 6.2.
///
/// # Errors
/// No certificate could have such a name.
pub fn server_name(host: &str) -> Result<ServerName<'static>, NameError> {
    let address = host.split_once('%').map_or(host, |(address, _)| address);
    if let Ok(ip) = address.parse::<IpAddr>() {
        return Ok(ServerName::IpAddress(ip.into()));
    }
    let name = host.strip_suffix('.').unwrap_or(host);
    if !name.is_ascii() {
        return Err(NameError::NotAscii(name.to_owned()));
    }
    ServerName::try_from(name.to_owned()).map_err(|_| NameError::Malformed(name.to_owned()))
}

impl fmt::Display for NameError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAscii(name) => {
                let name = printable(name.as_bytes());
                write!(
                    out,
                    "{name} has to be given in ASCII (xn--…), as certificates have it"
                )
            }
            Self::Malformed(name) => {
                let name = printable(name.as_bytes());
                write!(out, "no certificate can be for \"{name}\"")
            }
        }
    }
}

impl std::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_as_certificates_have_them() {
        let cases = [
            ("a.example", "a.example"),
            ("a.example.", "a.example"),
            ("localhost", "localhost"),
            ("under_score.example", "under_score.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("::1", "::1"),
            ("fe80::1%eth0", "fe80::1"),
            ("fe80::1%3", "fe80::1"),
        ];
        for (host, name) in cases {
            assert_eq!(server_name(host).expect(host).to_str(), name);
        }
        assert!(matches!(
            server_name("192.0.2.1"),
            Ok(ServerName::IpAddress(_))
        ));
        assert!(matches!(
            server_name("fe80::1%eth0"),
            Ok(ServerName::IpAddress(_))
        ));
        assert!(matches!(
            server_name("a.example."),
            Ok(ServerName::DnsName(_))
        ));
    }

    #[test]
    fn a_name_that_is_not_ascii_asks_for_its_ascii_form() {
        let error = server_name("bücher.example").expect_err("not ASCII");
        assert_eq!(
            error.to_string(),
            "bücher.example has to be given in ASCII (xn--…), as certificates have it"
        );
    }

    #[test]
    fn what_no_certificate_can_have_is_refused_and_escaped() {
        let long = "x".repeat(300);
        for host in [
            "",
            ".",
            "a..example",
            "a b",
            "127.1",
            "a\u{1b}[31m",
            "a%b",
            &long,
        ] {
            assert!(server_name(host).is_err(), "{host}");
        }
        let error = server_name("a\u{1b}[31m").expect_err("a control character");
        assert!(!error.to_string().contains('\u{1b}'));
    }
}
