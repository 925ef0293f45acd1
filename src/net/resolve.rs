//! Names → addresses. Addresses in numbers are read at once; names are looked up on a thread, since
//! the C library's resolver may block for many seconds.

use crate::io::inbox::Notice;
use crate::io::reactor::Registrar;
use crate::parse::inet_aton::inet_aton;
use crate::plan::{Family, Net};
use crate::sys::names;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::task::Poll;

/// Why a host cannot be used, known without a look-up. The texts are getaddrinfo(3)'s.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnfitHost {
    /// It is an address, but not of this family.
    Family(Family),
    /// It is a name, where only addresses are taken.
    IsName,
}

impl fmt::Display for UnfitHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Family(_) => "Address family for hostname not supported",
            Self::IsName => "Name or service not known",
        })
    }
}

impl std::error::Error for UnfitHost {}

/// Asks for the addresses of `host`, in the order to try them. Those that are not known at once come
/// as a `Notice::Addresses`.
///
/// # Errors
/// The text is in the words of getaddrinfo(3).
pub fn ask(
    host: &str,
    port: u16,
    net: &Net,
    registrar: &Registrar<'_>,
) -> Poll<io::Result<Vec<SocketAddr>>> {
    if let Some(found) = numeric(host, port, net)? {
        return Poll::Ready(Ok(found));
    }
    let (host, family) = (host.to_string(), net.family);
    registrar.off_loop(move || {
        let found = look_up(&host, port, family);
        Notice::Addresses((host, port), found)
    });
    Poll::Pending
}

/// The addresses of `host`, looked up here and now: for listeners, before the loop runs.
///
/// # Errors
/// As `ask`.
pub fn now(host: &str, port: u16, net: &Net) -> io::Result<Vec<SocketAddr>> {
    match numeric(host, port, net)? {
        Some(found) => Ok(found),
        None => look_up(host, port, net.family),
    }
}

/// Reads an address in numbers, `fe80::1%eth0` and `127.1` included.
fn parse_ip(host: &str, port: u16) -> Option<SocketAddr> {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(SocketAddr::new(ip, port));
    }
    if let Some(ip) = inet_aton(host) {
        return Some(SocketAddr::new(ip.into(), port));
    }
    let (ip, scope) = host.split_once('%')?;
    let scope = names::scope(scope)?;
    Some(SocketAddrV6::new(ip.parse().ok()?, port, 0, scope).into())
}

fn numeric(host: &str, port: u16, net: &Net) -> io::Result<Option<Vec<SocketAddr>>> {
    match parse_ip(host, port) {
        Some(addr) if fits(&addr, net.family) => Ok(Some(vec![addr])),
        Some(_) => Err(io::Error::other(UnfitHost::Family(net.family))),
        None if net.numeric => Err(io::Error::other(UnfitHost::IsName)),
        None => Ok(None),
    }
}

fn look_up(host: &str, port: u16, family: Family) -> io::Result<Vec<SocketAddr>> {
    let mut found = names::addresses(host, port).or_else(|error| {
        let loopback = loopback(host, port);
        loopback.ok_or(error)
    })?;
    found.retain(|addr| fits(addr, family));
    if found.is_empty() {
        Err(io::Error::other("No address associated with hostname"))
    } else {
        Ok(found)
    }
}

/// The loopback addresses for a name that is always theirs, also where no file of hosts says so.
/// RFC 6761, section 6.3.
fn loopback(host: &str, port: u16) -> Option<Vec<SocketAddr>> {
    let name = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
    let is_loopback = name == "localhost" || name.ends_with(".localhost");
    let addrs = [
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
    ];
    is_loopback.then(|| addrs.to_vec())
}

fn fits(addr: &SocketAddr, family: Family) -> bool {
    match family {
        Family::Any => true,
        Family::V4 => addr.is_ipv4(),
        Family::V6 => addr.is_ipv6(),
    }
}

/// Puts the families in turns, beginning with the first address's: RFC 8305, section 4.
pub fn interleaved(addrs: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addrs.first() else {
        return addrs;
    };
    let first_is_v6 = first.is_ipv6();
    let (a, b): (Vec<_>, Vec<_>) = addrs.into_iter().partition(|x| x.is_ipv6() == first_is_v6);
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    let mut mixed = Vec::new();
    loop {
        let pair = [a.next(), b.next()];
        if pair.iter().all(Option::is_none) {
            return mixed;
        }
        mixed.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let addrs = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"].map(|a| a.parse().unwrap());
        let mixed: Vec<String> = interleaved(addrs.to_vec())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(mixed, ["[::1]:1", "1.1.1.1:1", "[::2]:1", "[::3]:1"]);
    }

    #[test]
    fn names_below_localhost_are_of_this_machine() {
        for (name, is_ours) in [
            ("localhost", true),
            ("LocalHost.", true),
            ("app.localhost", true),
            ("notlocalhost", false),
            ("localhost.example", false),
        ] {
            assert_eq!(loopback(name, 1).is_some(), is_ours, "{name}");
        }
    }

    #[test]
    fn scope_is_read_by_name_or_number() {
        assert!(parse_ip("fe80::1%lo", 1).is_some());
        assert!(parse_ip("fe80::1%7", 1).is_some());
        assert!(parse_ip("fe80::1%nope0", 1).is_none());
        assert!(parse_ip("example.org", 1).is_none());
    }
}
