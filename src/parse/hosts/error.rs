//! What is wrong with a word for hosts.

use std::fmt;

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
