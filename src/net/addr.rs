//! How addresses are shown: numbers only, and IPv4 addresses as IPv4 even on an IPv6 socket.

use super::vsock;
use crate::parse::escape::printable;
use crate::plan::Transport;
use crate::sys::pktinfo;
use socket2::SockAddr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;

/// The IP address and port of a socket address; `None` for other families. An IPv4 address mapped
/// into IPv6 (RFC 4291, section 2.5.5.2) is given as IPv4.
pub fn ip(addr: &SockAddr) -> Option<SocketAddr> {
    addr.as_socket().map(unmapped)
}

/// The same address, as IPv4 if it is one mapped into IPv6.
pub fn unmapped(addr: SocketAddr) -> SocketAddr {
    match addr.ip().to_canonical() {
        IpAddr::V4(v4) if addr.is_ipv6() => SocketAddr::from((v4, addr.port())),
        _ => addr,
    }
}

/// `127.0.0.1 8080`, `::1 8080`, a path, `@name` for an abstract Unix name, `vsock 2 8080`,
/// `vsock any 8080` for all of this machine's identifiers.
pub fn show(addr: &SockAddr) -> String {
    if let Some(ip) = ip(addr) {
        return format!("{} {}", show_ip(&ip), ip.port());
    }
    if let Some((cid, port)) = addr.as_vsock_address() {
        return match cid {
            vsock::ANY => format!("vsock any {port}"),
            cid => format!("vsock {cid} {port}"),
        };
    }
    match (addr.as_pathname(), addr.as_abstract_namespace()) {
        (Some(path), _) => printable(path.as_os_str().as_bytes()),
        (_, Some(name)) => format!("@{}", printable(name)),
        _ => "(unnamed)".into(),
    }
}

/// The port of an IP or vsock address.
pub fn port(addr: &SockAddr) -> Option<u32> {
    let vsock = addr.as_vsock_address().map(|(_, port)| port);
    vsock.or(ip(addr).map(|ip| ip.port().into()))
}

/// An address of this machine that others may reach it at: the one that it sends from to the rest of
/// the network. No datagram is sent for that, and no name looked up. Without a network it is the
/// loopback address.
pub fn own(is_v6: bool) -> IpAddr {
    // TEST-NET-1 (RFC 5737) and the IPv6 prefix for documentation (RFC 3849): the default route.
    let (to, loopback): (IpAddr, IpAddr) = if is_v6 {
        let documentation = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
        (documentation.into(), Ipv6Addr::LOCALHOST.into())
    } else {
        (
            Ipv4Addr::new(192, 0, 2, 1).into(),
            Ipv4Addr::LOCALHOST.into(),
        )
    };
    let port = 9;
    pktinfo::source_towards((to, port).into()).unwrap_or(loopback)
}

/// The IP address, with its scope if it has one (RFC 4007).
pub fn show_ip(addr: &SocketAddr) -> String {
    match addr {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => format!("{}%{}", v6.ip(), v6.scope_id()),
        _ => addr.ip().to_string(),
    }
}

/// What to add to the reason why an address could not be connected to or bound, where that is the
/// fix. `broadcasts` if `-b` is given.
pub fn hint(
    addr: &SocketAddr,
    error: &io::Error,
    transport: Transport,
    broadcasts: bool,
) -> &'static str {
    let is_udp = transport == Transport::Udp;
    match addr {
        SocketAddr::V6(v6)
            if v6.scope_id() == 0
                && is_link_local(v6.ip())
                && error.kind() == io::ErrorKind::InvalidInput =>
        {
            " (a link-local address needs %interface)"
        }
        SocketAddr::V4(_)
            if is_udp && !broadcasts && error.kind() == io::ErrorKind::PermissionDenied =>
        {
            " (a broadcast address needs -b)"
        }
        _ => "",
    }
}

/// fe80::/10, ff02::/16, and groups of an interface, ff01::/16. RFC 4291, section 2.7.
fn is_link_local(ip: &Ipv6Addr) -> bool {
    ip.is_unicast_link_local() || matches!(ip.octets(), [0xff, scope, ..] if scope & 0xf <= 2)
}
