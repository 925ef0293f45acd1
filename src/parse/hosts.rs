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

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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

/// Some of the values of an octet: one bit for each, the low half first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Octets([u128; 2]);

/// Any number of hosts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostSet {
    /// Blocks in order, none of which reaches into the next: lists of bad hosts are long, and every
    /// client is looked up in them.
    blocks: Vec<(IpAddr, IpAddr)>,
    patterns: Vec<[Octets; 4]>,
    at_interfaces: Vec<(IpAddr, IpAddr, u32)>,
}

/// What is wrong with a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostError {
    /// Neither an address nor a pattern nor a name.
    NotAHost,
    /// An IPv4 address with more or less than four octets.
    NotFourOctets,
    /// An octet that is no number, range, `*`, or list of them.
    BadOctet,
    /// A range whose end is before its beginning.
    Backwards,
    /// Colons, but no IPv6 address.
    NotV6,
    /// An interface behind an address that is not of one link.
    NotLinkLocal,
    /// Something else than a number behind the slash.
    BadBits,
    /// More bits than the address has: it has that many.
    TooManyBits(u8),
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

/// Says whether a word may be a host's name: labels between dots, the last of which is not just a
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

impl Octets {
    /// Reads `*`, or a list of values and ranges between commas.
    fn read(text: &str) -> Result<Octets, HostError> {
        let mut octets = Octets::default();
        if text == "*" {
            (0..=u8::MAX).for_each(|value| octets.insert(value));
            return Ok(octets);
        }
        for item in text.split(',') {
            let (first, last) = match item.split_once('-') {
                Some((first, last)) => (octet(first, 0)?, octet(last, u8::MAX)?),
                None if item.is_empty() => return Err(HostError::BadOctet),
                None => (octet(item, 0)?, octet(item, 0)?),
            };
            if first > last {
                return Err(HostError::Backwards);
            }
            (first..=last).for_each(|value| octets.insert(value));
        }
        Ok(octets)
    }

    /// All values that agree with one of the set in the bits of the mask, which are the leading
    /// ones.
    fn spread(self, mask: u8) -> Octets {
        let mut spread = Octets::default();
        for first in (0..=u8::MAX).step_by(usize::from(!mask) + 1) {
            let alike = first..=first | !mask;
            if alike.clone().any(|value| self.contains(value)) {
                alike.for_each(|value| spread.insert(value));
            }
        }
        spread
    }

    fn insert(&mut self, value: u8) {
        self.0[usize::from(value >> 7)] |= 1 << (value & 127);
    }

    fn contains(&self, value: u8) -> bool {
        self.0[usize::from(value >> 7)] >> (value & 127) & 1 == 1
    }
}

/// Reads a value; nothing is `missing`.
fn octet(text: &str, missing: u8) -> Result<u8, HostError> {
    let has_zero_in_front = text.len() > 1 && text.starts_with('0');
    match text.parse() {
        _ if text.is_empty() => Ok(missing),
        Ok(value) if !has_zero_in_front => Ok(value),
        _ => Err(HostError::BadOctet),
    }
}

impl HostSet {
    /// Returns whether a peer is in the set: its address, or its address at its interface.
    pub fn has(&self, peer: &SocketAddr) -> bool {
        let (ip, scope) = match peer {
            SocketAddr::V4(v4) => (IpAddr::V4(*v4.ip()), 0),
            SocketAddr::V6(v6) => (IpAddr::V6(*v6.ip()), v6.scope_id()),
        };
        let mut at = self.at_interfaces.iter();
        self.contains(ip)
            || at.any(|(first, last, at)| *at == scope && (first..=last).contains(&&ip))
    }

    /// Says whether an address is in the set; one that is mapped into IPv6 counts as IPv4.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        let after = self.blocks.partition_point(|(first, _)| *first <= ip);
        let in_block = after > 0 && ip <= self.blocks[after - 1].1;
        in_block || matches!(ip, IpAddr::V4(v4) if self.fits_pattern(v4))
    }

    fn fits_pattern(&self, ip: Ipv4Addr) -> bool {
        let fits = |pattern: &[Octets; 4]| {
            let mut pairs = pattern.iter().zip(ip.octets());
            pairs.all(|(octets, value)| octets.contains(value))
        };
        self.patterns.iter().any(fits)
    }
}

impl FromIterator<Hosts> for HostSet {
    fn from_iter<T: IntoIterator<Item = Hosts>>(hosts: T) -> HostSet {
        let mut set = HostSet::default();
        let mut blocks: Vec<(IpAddr, IpAddr)> = Vec::new();
        for hosts in hosts {
            match hosts {
                Hosts::Block(first, last) => blocks.push((first, last)),
                Hosts::Pattern(pattern) => set.patterns.push(pattern),
                Hosts::AtInterface(first, last, index) => {
                    set.at_interfaces.push((first, last, index));
                }
            }
        }
        blocks.sort_unstable();
        for (first, last) in blocks {
            match set.blocks.last_mut() {
                Some((_, end)) if first <= *end => *end = last.max(*end),
                _ => set.blocks.push((first, last)),
            }
        }
        set
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAHost => f.write_str("neither an address nor a name"),
            Self::NotFourOctets => f.write_str("an IPv4 address has four octets"),
            Self::BadOctet => f.write_str("an octet is 0 to 255, a range, *, or a list of them"),
            Self::Backwards => f.write_str("a range goes backwards"),
            Self::NotV6 => f.write_str("not an IPv6 address"),
            Self::NotLinkLocal => f.write_str("only link-local addresses have an interface"),
            Self::BadBits => f.write_str("no number of bits behind the slash"),
            Self::TooManyBits(most) => write!(f, "the address has only {most} bits"),
        }
    }
}

impl std::error::Error for HostError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The set of words that are no names.
    fn set(words: &str) -> HostSet {
        let read = |word| match host(word) {
            Ok(HostSpec::Hosts(hosts)) => hosts,
            other => panic!("{word}: {other:?}"),
        };
        words.split_whitespace().map(read).collect()
    }

    #[track_caller]
    fn check(words: &str, inside: &str, outside: &str) {
        let set = set(words);
        let contains = |ip: &str| set.contains(ip.parse().expect("an address"));
        for ip in inside.split_whitespace() {
            assert!(contains(ip), "{words}: {ip} is missing");
        }
        for ip in outside.split_whitespace() {
            assert!(!contains(ip), "{words}: {ip} is in it");
        }
    }

    #[test]
    fn an_empty_set_has_nobody() {
        check("", "", "1.2.3.4 0.0.0.0 255.255.255.255 :: ::1");
    }

    #[test]
    fn addresses_are_compared_as_numbers() {
        check(
            "1.2.3.4",
            "1.2.3.4 ::ffff:1.2.3.4",
            "1.2.3.3 1.2.3.5 ::1.2.3.4 ::",
        );
        check(
            "1:2:3:0::4",
            "1:2:3::4 1:2:3:0:0:0:0:4",
            "1:2:3::5 1:2:3:4::",
        );
        check("FE80::ABCD", "fe80::abcd", "fe80::abce");
        check("::ffff:1.2.3.4", "1.2.3.4", "1.2.3.5 ::1.2.3.4");
        check("1.2.3.4 ::1", "1.2.3.4 ::1", "0.0.0.1 ::2");
    }

    #[test]
    fn octets_are_sets_that_combine() {
        check(
            "10.1-5.2.3",
            "10.1.2.3 10.3.2.3 10.5.2.3",
            "10.0.2.3 10.6.2.3",
        );
        check("1.2.3.-7", "1.2.3.0 1.2.3.7", "1.2.3.8");
        check("1.2.3.250-", "1.2.3.250 1.2.3.255", "1.2.3.249");
        check("1.-.3.*", "1.0.3.0 1.255.3.255 1.7.3.9", "1.7.4.9 2.7.3.9");
        check(
            "2,3,5-7.0.0.1",
            "2.0.0.1 3.0.0.1 5.0.0.1 7.0.0.1",
            "1.0.0.1 4.0.0.1 8.0.0.1",
        );
        check("192.168-168.0.1", "192.168.0.1", "192.167.0.1 192.169.0.1");
        check(
            "192-200,202.0.0.1,3-5",
            "192.0.0.1 200.0.0.3 202.0.0.5 196.0.0.4",
            "201.0.0.1 202.0.0.2 191.0.0.1 202.0.0.6",
        );
        check("*.*.*.*", "0.0.0.0 255.255.255.255", "::1");
        check("1.2.3.4,4,4", "1.2.3.4", "1.2.3.5");
        check("-,5.1.1.1", "0.1.1.1 5.1.1.1 255.1.1.1", "5.1.1.2");
    }

    #[test]
    fn a_mask_counts_for_every_element() {
        check("1.2.3.4/24", "1.2.3.0 1.2.3.255", "1.2.2.255 1.2.4.0");
        check("1.2.3.4/32", "1.2.3.4", "1.2.3.5");
        check("1.2.3.4/0", "0.0.0.0 255.255.255.255", ":: ::1");
        check("1.2.3.4/31", "1.2.3.4 1.2.3.5", "1.2.3.3 1.2.3.6");
        check(
            "192.168.0.5,30,191/30",
            "192.168.0.4 192.168.0.7 192.168.0.28 192.168.0.31 192.168.0.188 192.168.0.191",
            "192.168.0.3 192.168.0.8 192.168.0.27 192.168.0.32 192.168.0.187 192.168.0.192",
        );
        check(
            "1-5.1-5.1-5.1-5/28",
            "1.2.3.0 1.2.3.7 5.5.5.15",
            "1.2.3.16 1.2.6.0 0.1.1.1",
        );
        check("1-2.*.0.0/4", "0.0.0.0 15.255.255.255", "16.0.0.0");
    }

    #[test]
    fn an_ipv6_mask_need_not_end_at_a_group() {
        check(
            "1:2::3:4:5/95",
            "1:2::3:4:5 1:2::2:4:5 1:2::3:ffff:ffff",
            "1:2::1:ffff:0 1:2::4:0:0",
        );
        check("11::2/15", "11::2 10::1 11:ffff::", "12:: f::");
        check("fe80::/10", "fe80::1 febf::1", "fec0:: fe7f::");
        check("::1/128", "::1", "::2 ::");
        check(
            "::1/0",
            ":: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "1.2.3.4 ::ffff:1.2.3.4",
        );
        check("::ffff:1.2.3.4/120", "1.2.3.0 1.2.3.255", "1.2.4.0");
    }

    #[test]
    fn an_interface_counts_as_the_address_does() {
        let read = |word: &str| match host(word) {
            Ok(HostSpec::AtInterface(hosts, name)) if name == "eth0" => hosts.at_interface(7),
            other => panic!("{word}: {other:?}"),
        };
        let set: HostSet = ["fe80::1%eth0", "fe80::8:0%eth0/112"]
            .map(read)
            .into_iter()
            .collect();
        let has = |ip: &str, scope| {
            set.has(&std::net::SocketAddrV6::new(ip.parse().unwrap(), 1, 0, scope).into())
        };
        assert!(has("fe80::1", 7) && has("fe80::8:ffff", 7));
        assert!(!has("fe80::1", 8) && !has("fe80::1", 0) && !has("fe80::2", 7));
        assert_eq!(host("2001:db8::1%eth0"), Err(HostError::NotLinkLocal));
        assert_eq!(host("fe80::1%"), Err(HostError::NotV6));
        assert_eq!(host("fe80::1%eth0/129"), Err(HostError::TooManyBits(128)));
    }

    #[test]
    fn names_are_kept_with_their_mask() {
        let name = |text: &str, bits| Ok(HostSpec::Name(text.into(), bits));
        assert_eq!(host("localhost"), name("localhost", None));
        assert_eq!(host("example.org/24"), name("example.org", Some(24)));
        assert_eq!(host("a.example./128"), name("a.example.", Some(128)));
        assert_eq!(host("under_score.a-b.x1"), name("under_score.a-b.x1", None));
        assert_eq!(host("10-5.2.3.4.example"), name("10-5.2.3.4.example", None));
        assert_eq!(host("1a"), name("1a", None));
        assert_eq!(host("example.org/129"), Err(HostError::TooManyBits(128)));
    }

    #[test]
    fn what_ncat_rejects_is_rejected() {
        for word in [
            "",
            ".",
            "-",
            ",",
            "/",
            "1.2.3.4,",
            ",1.2.3.4",
            "1.2.3.4.5",
            "1",
            "1.2",
            "1.2.3",
            "1:2:3:4:5:6:7:8:9",
            "11::22::33",
            "256.256.256.256",
            "FFFFF::FFFFF",
            "10-5.2.3.4",
            "*10.10.10.10",
            "10*.10.10.10",
            "*,5.10.10.10",
            "5-10-15.10.10.10",
            "-10-15.10.10.10",
            "10-15-.10.10.10",
            ",.6.7.8",
            "5,.5.5.5",
            ",5.5.5.5",
            "5,,5.5.5.5",
            "+1.2.3.4",
            "+1.+2.+3.+4",
            "1.2.3.4/",
            "1.2.3.4/33",
            "1.2.3.4/+24",
            "1.2.3.4/24abc",
            "1.2.3.4//24",
            "1.2.3.4/-0",
            "1.2.3.4/24/24",
            "1.2.3.4/99999",
            "1.2.3.0-5/33",
            "FF::FF/129",
            "FF::FF/",
            "FF::FF/ 1",
            "01.02.03.04",
            "1.2.3.0-08",
            "1.2.3.256-",
            "1.2.3.1-256",
            "[::1]",
            "fe80::1%",
            "::ffff:1.2.3.4/129",
            "*.example.org",
            "a..b",
            ".a",
            "a b",
            "localhost/",
            "localhost/x",
            "1.2.3.4\0",
            "1..3.4",
            "1.2.3.4.",
        ] {
            assert!(host(word).is_err(), "{word:?}: {:?}", host(word));
        }
    }

    #[test]
    fn errors_say_what_is_wrong() {
        for (word, error) in [
            ("10-5.2.3.4", HostError::Backwards),
            ("1.2.3.4/33", HostError::TooManyBits(32)),
            ("FF::FF/129", HostError::TooManyBits(128)),
            ("1.2.3", HostError::NotFourOctets),
            ("1.2.3.300", HostError::BadOctet),
            ("1.2.3.4/x", HostError::BadBits),
            ("1::2::3", HostError::NotV6),
            ("+1.2.3.4", HostError::NotAHost),
        ] {
            assert_eq!(host(word), Err(error), "{word}");
        }
    }

    #[test]
    fn blocks_may_lie_within_each_other() {
        check(
            "10.0.0.0/8 10.1.0.0/16 9.9.9.9 10.255.255.255 11.0.0.0/31 ::/64 ::5 1::",
            "9.9.9.9 10.0.0.0 10.1.2.3 10.255.255.255 11.0.0.1 ::5 ::ffff:ffff 1::",
            "9.9.9.10 11.0.0.2 0:0:0:1:: 1::1",
        );
    }

    proptest! {
        #[test]
        fn a_word_is_an_address_or_what_it_says(word in "[0-9a-fx*,./:%-]{0,20}") {
            match (host(&word), word.parse::<IpAddr>()) {
                (read, Ok(ip)) => prop_assert_eq!(read, Ok(HostSpec::Hosts(
                    Hosts::around(ip, None).expect("an address")
                ))),
                (Ok(HostSpec::Name(name, _)), _) => {
                    prop_assert!(word.starts_with(&name) && !name.contains([':', '*', ',', '/']));
                }
                (Ok(HostSpec::Hosts(_)), _) => {
                    prop_assert!(word.contains(['/', '*', ',', '-']), "{}", word);
                }
                (Ok(HostSpec::AtInterface(_, name)), Err(_)) => {
                    prop_assert!(word.contains(&format!("%{name}")), "{}", word);
                }
                (Err(_), _) => {}
            }
        }

        #[test]
        fn a_block_and_a_pattern_of_the_same_hosts_agree(ip: u32, other: u32, bits in 0u8..=32) {
            let near = ip ^ (other >> (bits / 2));
            let octets = Ipv4Addr::from_bits(ip).octets();
            let [a, b, c, d] = octets;
            let block = set(&format!("{a}.{b}.{c}.{d}/{bits}"));
            let pattern = set(&format!("{a}-{a}.{b}.{c},{c}.{d}/{bits}"));
            for ip in [ip, other, near] {
                let ip = IpAddr::V4(Ipv4Addr::from_bits(ip));
                prop_assert_eq!(block.contains(ip), pattern.contains(ip));
            }
            prop_assert!(block.contains(IpAddr::V4(Ipv4Addr::from_bits(ip))));
        }

        #[test]
        fn a_set_has_what_its_words_have(blocks: Vec<(u32, u8)>, ip: u32) {
            let block = |(ip, bits): &(u32, u8)| {
                Hosts::around(Ipv4Addr::from_bits(*ip).into(), Some(bits % 33)).expect("a block")
            };
            let whole: HostSet = blocks.iter().map(block).collect();
            let mut ips: Vec<u32> = blocks.iter().map(|(ip, bits)| ip ^ (1 << (bits % 32))).collect();
            ips.push(ip);
            for ip in ips {
                let ip = IpAddr::V4(Ipv4Addr::from_bits(ip));
                let any = blocks.iter().any(|one| HostSet::from_iter([block(one)]).contains(ip));
                prop_assert_eq!(whole.contains(ip), any);
            }
        }
    }
}
