//! Address words: where to connect to or to listen.
//!
//! ```text
//! host  1.2.3.4  ::1  fe80::1%eth0  [::1]     Host
//! host:port  1.2.3.4:port  [::1]:port         HostPort
//! :port  *:port                               AnyHost
//! unix:/path  unix:@abstract                  Unix
//! vsock:CID:PORT  vsock::PORT                 Vsock
//! ```

use core::net::Ipv6Addr;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

/// Every address of this machine, as a host to listen on.
pub const ANY: &str = "*";

/// What an address word says. Hosts and ports are not looked up, ports not even judged: they may
/// be names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A name or an address, without brackets.
    Host(String),
    /// A name or an address, without brackets, and a port or service.
    HostPort(String, String),
    /// A port or service of every address of this machine: to listen on.
    AnyHost(String),
    /// A Unix socket: a path, or an abstract name with its `@` still in front.
    Unix(PathBuf),
    /// A virtual machine socket: context identifier, if there is one, and port.
    Vsock(Option<u32>, u32),
}

/// Which part of an address word is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Bytes that are no text, elsewhere than in a Unix path.
    NotUtf8,
    /// Nothing in front of the port, or nothing at all.
    NoHost,
    /// Nothing behind the colon.
    NoPort,
    /// `[` without `]`.
    NoBracket,
    /// Something other than an IPv6 address in brackets.
    NotV6,
    /// Something other than `:port` behind the closing bracket.
    BehindBracket,
    /// Several colons, but no IPv6 address.
    Colons,
    /// Nothing behind `unix:`.
    NoPath,
    /// `vsock:` without both numbers behind it.
    VsockForm,
    /// A context identifier that is no 32-bit number.
    VsockCid,
    /// A vsock port that is no 32-bit number.
    VsockPort,
}

/// Reads an address word.
///
/// # Errors
/// [`AddressError`] names the part that is wrong.
pub fn address(word: &OsStr) -> Result<Address, AddressError> {
    if let Some(path) = unix_path(word) {
        return if path.as_os_str().is_empty() {
            Err(AddressError::NoPath)
        } else {
            Ok(Address::Unix(path.to_owned()))
        };
    }
    let text = word.to_str().ok_or(AddressError::NotUtf8)?;
    if let Some(rest) = text.strip_prefix("vsock:") {
        return vsock(rest);
    }
    if let Some(rest) = text.strip_prefix('[') {
        return bracketed(rest);
    }
    match text.split_once(':') {
        None if text.is_empty() => Err(AddressError::NoHost),
        None => Ok(Address::Host(text.to_owned())),
        Some(_) if is_v6(text) => Ok(Address::Host(text.to_owned())),
        Some((_, port)) if port.contains(':') => Err(AddressError::Colons),
        Some(("", "")) => Err(AddressError::NoHost),
        Some((_, "")) => Err(AddressError::NoPort),
        Some(("" | ANY, port)) => Ok(Address::AnyHost(port.to_owned())),
        Some((host, port)) => Ok(Address::HostPort(host.to_owned(), port.to_owned())),
    }
}

/// What stands behind `unix:`, if the word begins so. Such a path may be any bytes.
#[cfg(unix)]
fn unix_path(word: &OsStr) -> Option<&Path> {
    use std::os::unix::ffi::OsStrExt;
    let path = word.as_bytes().strip_prefix(b"unix:")?;
    Some(Path::new(OsStr::from_bytes(path)))
}

/// What stands behind `unix:`, if the word begins so and is text: elsewhere than on Unix, the
/// standard library cannot cut other words without `unsafe`.
#[cfg(not(unix))]
fn unix_path(word: &OsStr) -> Option<&Path> {
    word.to_str()?.strip_prefix("unix:").map(Path::new)
}

/// Reads `CID:PORT`, or `:PORT`.
fn vsock(text: &str) -> Result<Address, AddressError> {
    let (cid, port) = text.split_once(':').ok_or(AddressError::VsockForm)?;
    let cid = match cid {
        "" => None,
        cid => Some(cid.parse().map_err(|_| AddressError::VsockCid)?),
    };
    let port = port.parse().map_err(|_| AddressError::VsockPort)?;
    Ok(Address::Vsock(cid, port))
}

/// Reads what follows an opening bracket: `v6]` or `v6]:port`.
fn bracketed(text: &str) -> Result<Address, AddressError> {
    let (host, behind) = text.split_once(']').ok_or(AddressError::NoBracket)?;
    if !is_v6(host) {
        return Err(AddressError::NotV6);
    }
    match behind.strip_prefix(':') {
        None if behind.is_empty() => Ok(Address::Host(host.to_owned())),
        None => Err(AddressError::BehindBracket),
        Some("") => Err(AddressError::NoPort),
        Some(port) => Ok(Address::HostPort(host.to_owned(), port.to_owned())),
    }
}

/// Whether `text` is an IPv6 address, with or without a scope (`%eth0`) behind it.
fn is_v6(text: &str) -> bool {
    let (address, scope) = text.split_once('%').unwrap_or((text, "none"));
    !scope.is_empty() && address.parse::<Ipv6Addr>().is_ok()
}

/// Which part of a proxy's address is wrong; where nc has a text for it, that text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyError {
    /// `[` without `]`.
    NoBracket,
    /// Something other than `:port` behind the closing bracket.
    Delimiter,
    /// No host.
    NoHost,
    /// A colon with no port behind it.
    NoPort,
}

/// Reads the word of `-x`: `host`, `host:port`, `[host]` or `[host]:port`. Without brackets the
/// last colon is the one before the port, as in nc, except in a bare IPv6 address.
///
/// # Errors
/// [`ProxyError`] names the part that is wrong.
pub fn proxy(text: &str) -> Result<(String, Option<String>), ProxyError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, behind) = rest.split_once(']').ok_or(ProxyError::NoBracket)?;
            match behind.strip_prefix(':') {
                None if !behind.is_empty() => return Err(ProxyError::Delimiter),
                port => (host, port),
            }
        }
        None if is_v6(text) => (text, None),
        None => text
            .rsplit_once(':')
            .map_or((text, None), |(host, port)| (host, Some(port))),
    };
    match (host, port) {
        ("", _) => Err(ProxyError::NoHost),
        (_, Some("")) => Err(ProxyError::NoPort),
        (host, port) => Ok((host.to_owned(), port.map(str::to_owned))),
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotUtf8 => "not valid text",
            Self::NoHost => "missing host",
            Self::NoPort => "missing port after the colon",
            Self::NoBracket => "missing closing bracket",
            Self::NotV6 => "not an IPv6 address in the brackets",
            Self::BehindBracket => "something other than :port after the bracket",
            Self::Colons => "more than one colon, but not an IPv6 address",
            Self::NoPath => "missing path after unix:",
            Self::VsockForm => "not of the form vsock:CID:PORT",
            Self::VsockCid => "invalid vsock CID",
            Self::VsockPort => "invalid vsock port",
        })
    }
}

impl std::error::Error for AddressError {}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoBracket => "missing closing bracket in proxy",
            Self::Delimiter => "garbage proxy port delimiter",
            Self::NoHost => "missing proxy host",
            Self::NoPort => "missing proxy port",
        })
    }
}

impl std::error::Error for ProxyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(word: &str) -> Result<Address, AddressError> {
        address(OsStr::new(word))
    }

    #[test]
    fn hosts_stand_alone() {
        for host in [
            "localhost",
            "10.0.0.1",
            "::1",
            "::",
            "fe80::1%eth0",
            "::ffff:1.2.3.4",
            "a%b",
        ] {
            assert_eq!(read(host), Ok(Address::Host(host.into())));
        }
        assert_eq!(read("[::1]"), Ok(Address::Host("::1".into())));
        assert_eq!(
            read("[fe80::1%eth0]"),
            Ok(Address::Host("fe80::1%eth0".into()))
        );
    }

    #[test]
    fn ports_follow_one_colon_or_a_bracket() {
        let cases = [
            ("localhost:80", "localhost", "80"),
            ("10.0.0.1:http", "10.0.0.1", "http"),
            ("[::1]:80", "::1", "80"),
            ("[fe80::1%eth0]:http", "fe80::1%eth0", "http"),
        ];
        for (word, host, port) in cases {
            assert_eq!(
                read(word),
                Ok(Address::HostPort(host.into(), port.into())),
                "{word}"
            );
        }
    }

    #[test]
    fn no_host_or_a_star_is_every_address() {
        for word in [":80", "*:80"] {
            assert_eq!(read(word), Ok(Address::AnyHost("80".into())), "{word}");
        }
    }

    #[test]
    fn unix_and_vsock_have_a_prefix() {
        for path in ["/run/x", "@name", "relative", "/a:b]", "/größe"] {
            assert_eq!(
                read(&format!("unix:{path}")),
                Ok(Address::Unix(path.into()))
            );
        }
        for (word, cid, port) in [
            ("vsock:2:1024", Some(2), 1024),
            ("vsock:4294967295:0", Some(u32::MAX), 0),
            ("vsock::1024", None, 1024),
        ] {
            assert_eq!(read(word), Ok(Address::Vsock(cid, port)), "{word}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_unix_paths_may_be_any_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let path = PathBuf::from(OsStr::from_bytes(b"/tmp/\xff"));
        assert_eq!(
            address(OsStr::from_bytes(b"unix:/tmp/\xff")),
            Ok(Address::Unix(path))
        );
        assert_eq!(
            address(OsStr::from_bytes(b"host\xff:80")),
            Err(AddressError::NotUtf8)
        );
    }

    #[test]
    fn errors_name_the_part_that_is_wrong() {
        for (error, words) in [
            (AddressError::NoHost, "|:"),
            (AddressError::NoPort, "*:|host:|[::1]:"),
            (AddressError::Colons, "*:1:2|a:b:c|::1%|1.2.3.4:5:6"),
            (AddressError::NoBracket, "[::1"),
            (AddressError::NotV6, "[host]:80|[]|[::1%]"),
            (AddressError::BehindBracket, "[::1]80"),
            (AddressError::NoPath, "unix:"),
            (AddressError::VsockForm, "vsock:1"),
            (AddressError::VsockCid, "vsock:x:1|vsock:4294967296:1"),
            (AddressError::VsockPort, "vsock:1:|vsock:1:2:3"),
        ] {
            for word in words.split('|') {
                assert_eq!(read(word), Err(error), "{word:?}");
            }
        }
    }

    #[test]
    fn a_proxy_is_a_host_and_perhaps_a_port() {
        let cases = [
            ("proxy", "proxy", None),
            ("proxy:3128", "proxy", Some("3128")),
            ("[::1]", "::1", None),
            ("[::1]:socks", "::1", Some("socks")),
            ("::1", "::1", None),
            ("[name]:1", "name", Some("1")),
        ];
        for (word, host, port) in cases {
            assert_eq!(
                proxy(word),
                Ok((host.to_owned(), port.map(str::to_owned))),
                "{word}"
            );
        }
    }

    #[test]
    fn proxy_errors_have_the_texts_of_nc() {
        let text = |word| proxy(word).err().map(|error| error.to_string());
        assert_eq!(
            text("[::1"),
            Some("missing closing bracket in proxy".to_owned())
        );
        assert_eq!(
            text("[::1]x"),
            Some("garbage proxy port delimiter".to_owned())
        );
        assert_eq!(text(":80"), Some("missing proxy host".to_owned()));
        assert_eq!(text(""), Some("missing proxy host".to_owned()));
        assert_eq!(text("[::1]:"), Some("missing proxy port".to_owned()));
    }

    proptest! {
        #[test]
        fn v6_addresses_are_read_in_every_form(bits: u128, port: u16) {
            let v6 = Ipv6Addr::from(bits).to_string();
            let both = Address::HostPort(v6.clone(), port.to_string());
            prop_assert_eq!(read(&format!("[{v6}]:{port}")), Ok(both));
            prop_assert_eq!(read(&format!("[{v6}]")), Ok(Address::Host(v6.clone())));
            prop_assert_eq!(read(&v6), Ok(Address::Host(v6.clone())));
            prop_assert_eq!(proxy(&v6), Ok((v6.clone(), None)));
            prop_assert_eq!(proxy(&format!("[{v6}]")), Ok((v6, None)));
        }

        #[test]
        fn no_word_panics_and_no_part_is_empty(word in "[a-z0-9:%@/\\[\\].]{0,24}") {
            match read(&word) {
                Ok(Address::Host(host)) => prop_assert!(!host.is_empty()),
                Ok(Address::HostPort(host, port)) => {
                    prop_assert!(!host.is_empty() && !port.is_empty());
                }
                Ok(Address::AnyHost(port)) => prop_assert!(!port.is_empty()),
                Ok(Address::Unix(path)) => prop_assert!(!path.as_os_str().is_empty()),
                Ok(Address::Vsock(..)) | Err(_) => {}
            }
        }
    }
}
