//! Sets of hosts, written as Ncat's users write them: who may come in, and who may not.
//!
//! ```text
//! 192.0.2.7   192.0.2.0/24            an address; all that agree with it in so many bits
//! 10.1-5,9.*.20-   10.0.0,16.*/28     IPv4: each octet is a set, and all of them combine
//! 2001:db8::1   2001:db8::/32         IPv6
//! fe80::1%eth0   fe80::%eth0/64       IPv6, at one interface
//! example.org   example.org/24        a name: each of its addresses
//! ```
//! Names are kept as names; who uses the set looks them up.

mod error;
mod octets;

pub use error::HostError;
pub use octets::Octets;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// One word: some hosts, or a name that stands for some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostSpec {
    /// Addresses.
    Hosts(Hosts),
    /// Link-local addresses at an interface, which is a name or a number. RFC 4007, section 11.
    AtInterface(Hosts, String),
    /// A name, and how many leading bits of its addresses count; `None`: all.
    Name(String, Option<u8>),
}

/// Addresses that one word stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// All from the first to the last, which are of one family.
    Block(IpAddr, IpAddr),
    /// IPv4 addresses with each octet in its set.
    Pattern([Octets; 4]),
    /// A block at the interface of that number.
    AtInterface(IpAddr, IpAddr, u32),
}

/// Reads one word.
///
/// # Errors
/// [`HostError`] says what is wrong with it. A number with a zero in front is no octet, since some
/// read it as octal.
pub fn host(word: &str) -> Result<HostSpec, HostError> {
    let (text, bits) = match word.split_once('/') {
        Some((text, bits)) => (text, Some(read_bits(bits)?)),
        None => (word, None),
    };
    if text.contains(':') {
        return v6(text, bits);
    }
    if is_name(text) {
        return match bits {
            Some(129..) => Err(HostError::TooManyBits(128)),
            _ => Ok(HostSpec::Name(text.to_string(), bits)),
        };
    }
    pattern(text, bits).map(HostSpec::Hosts)
}

/// Reads an IPv6 address, perhaps with an interface.
fn v6(text: &str, bits: Option<u8>) -> Result<HostSpec, HostError> {
    let (text, interface) = match text.split_once('%') {
        Some((_, "")) => return Err(HostError::NotV6),
        Some((text, interface)) => (text, Some(interface)),
        None => (text, None),
    };
    let ip: Ipv6Addr = text.parse().map_err(|_| HostError::NotV6)?;
    let hosts = Hosts::around(ip.into(), bits)?;
    match interface {
        None => Ok(HostSpec::Hosts(hosts)),
        Some(name) if ip.is_unicast_link_local() => {
            Ok(HostSpec::AtInterface(hosts, name.to_string()))
        }
        Some(_) => Err(HostError::NotLinkLocal),
    }
}

impl Hosts {
    /// The same hosts, only at the interface of that number.
    #[must_use]
    pub fn at_interface(self, index: u32) -> Hosts {
        match self {
            Hosts::Block(first, last) => Hosts::AtInterface(first, last, index),
            other => other,
        }
    }

    /// The hosts that agree with an address in its first `bits`; `None`: only the address. An IPv4
    /// address mapped into IPv6 (RFC 4291, section 2.5.5.2) is the IPv4 one.
    ///
    /// # Errors
    /// [`HostError::TooManyBits`].
    pub fn around(ip: IpAddr, bits: Option<u8>) -> Result<Hosts, HostError> {
        match ip {
            IpAddr::V4(v4) => {
                let host_bits = host_bits(bits, 32)?;
                let host = u32::MAX.checked_shr(32 - host_bits).unwrap_or(0);
                let (first, last) = (v4.to_bits() & !host, v4.to_bits() | host);
                let ends = (Ipv4Addr::from_bits(first), Ipv4Addr::from_bits(last));
                Ok(Hosts::Block(ends.0.into(), ends.1.into()))
            }
            IpAddr::V6(v6) => {
                let host_bits = host_bits(bits, 128)?;
                if let Some(v4) = v6.to_ipv4_mapped().filter(|_| host_bits <= 32) {
                    return Hosts::around(v4.into(), bits.map(|bits| bits - 96));
                }
                let host = u128::MAX.checked_shr(128 - host_bits).unwrap_or(0);
                let (first, last) = (v6.to_bits() & !host, v6.to_bits() | host);
                let ends = (Ipv6Addr::from_bits(first), Ipv6Addr::from_bits(last));
                Ok(Hosts::Block(ends.0.into(), ends.1.into()))
            }
        }
    }
}

/// How many bits at the end of an address of `most` bits do not count.
fn host_bits(bits: Option<u8>, most: u8) -> Result<u32, HostError> {
    let bits = bits.unwrap_or(most);
    let rest = most.checked_sub(bits);
    rest.map(u32::from).ok_or(HostError::TooManyBits(most))
}

fn read_bits(text: &str) -> Result<u8, HostError> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(bits) if is_number => Ok(bits),
        // 256 and more: too many for any address.
        _ if is_number => Ok(u8::MAX),
        _ => Err(HostError::BadBits),
    }
}

/// Returns whether a word may be a host's name: labels between dots, the last of which is not just a
/// number (RFC 1123, section 2.1).
fn is_name(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    let fits = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut labels = text.split('.');
    labels.all(|label| !label.is_empty() && label.chars().all(fits))
        && text
            .rsplit('.')
            .next()
            .is_some_and(|last| last.contains(char::is_alphabetic))
}

/// Reads `OCTETS.OCTETS.OCTETS.OCTETS`.
fn pattern(text: &str, bits: Option<u8>) -> Result<Hosts, HostError> {
    if let Ok(ip) = text.parse::<Ipv4Addr>() {
        return Hosts::around(ip.into(), bits);
    }
    let known = |c: char| c.is_ascii_digit() || "*-,.".contains(c);
    if text.is_empty() || !text.chars().all(known) {
        return Err(HostError::NotAHost);
    }
    let words: Vec<&str> = text.split('.').collect();
    let words: [&str; 4] = words.try_into().map_err(|_| HostError::NotFourOctets)?;
    let host_bits = host_bits(bits, 32)?;
    let mask = u32::MAX.checked_shl(host_bits).unwrap_or(0).to_be_bytes();
    let mut octets = [Octets::default(); 4];
    for ((octets, word), mask) in octets.iter_mut().zip(words).zip(mask) {
        *octets = Octets::read(word)?.spread(mask);
    }
    Ok(Hosts::Pattern(octets))
}

#[cfg(test)]
mod tests;
