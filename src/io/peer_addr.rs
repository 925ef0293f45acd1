//! Addresses of the peers of a datagram socket.

use rustix::net::{SocketAddrAny, SocketAddrUnix};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// The address of a peer of a datagram socket.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PeerAddr {
    /// An IP address and port.
    Ip(SocketAddr),
    /// The path of a Unix socket, as its bytes are; abstract names begin with `@`, paths that do
    /// with `./@`; unnamed ones are empty.
    Unix(PathBuf),
}

impl PeerAddr {
    /// Returns whether the peer has an address of its own.
    pub fn is_named(&self) -> bool {
        !matches!(self, PeerAddr::Unix(path) if path.as_os_str().is_empty())
    }
}

impl From<SocketAddrAny> for PeerAddr {
    fn from(addr: SocketAddrAny) -> PeerAddr {
        if let Ok(ip) = SocketAddr::try_from(addr.clone()) {
            return PeerAddr::Ip(ip);
        }
        let unix = SocketAddrUnix::try_from(addr).ok();
        let path = unix.as_ref().and_then(SocketAddrUnix::path_bytes);
        let name = unix.as_ref().and_then(SocketAddrUnix::abstract_name);
        let (prefix, bytes) = match (path, name) {
            (Some(path), _) if path.starts_with(b"@") => ("./", path),
            (Some(path), _) => ("", path),
            (None, Some(name)) => ("@", name),
            (None, None) => ("", &[][..]),
        };
        let bytes = [prefix.as_bytes(), bytes].concat();
        PeerAddr::Unix(OsString::from_vec(bytes).into())
    }
}

/// Returns whether a message comes from this peer. The scope of an IPv6 address is left to the
/// kernel, which has more than one name for it (VRF).
pub fn is_same_peer(from: &SocketAddrAny, peer: &PeerAddr) -> bool {
    match (PeerAddr::from(from.clone()), peer) {
        (PeerAddr::Ip(from), PeerAddr::Ip(peer)) => {
            (from.ip(), from.port()) == (peer.ip(), peer.port())
        }
        (from, peer) => from == *peer,
    }
}

/// Returns whether a message comes from the socket bound to `own` itself. Such senders are forged,
/// or are our own messages to a group: an answer would be answered in turn, without end. A socket
/// bound to all addresses has those of this machine.
pub fn is_own(from: &SocketAddrAny, own: &PeerAddr) -> bool {
    match (PeerAddr::from(from.clone()), own) {
        (PeerAddr::Ip(from), PeerAddr::Ip(own)) if from.port() != own.port() => false,
        (PeerAddr::Ip(from), PeerAddr::Ip(own)) if own.ip().is_unspecified() => is_local(from),
        (PeerAddr::Ip(from), PeerAddr::Ip(own)) => {
            from.ip().to_canonical() == own.ip().to_canonical()
        }
        (from, own) => from.is_named() && from == *own,
    }
}

/// Returns whether an address is of this machine. Sockets could be bound to any address where
/// ip_nonlocal_bind is set; but IPv4 does not send from one of others, and IPv6 sends to each of
/// ours from that one itself.
fn is_local(mut addr: SocketAddr) -> bool {
    let from: IpAddr = match addr.ip().to_canonical() {
        IpAddr::V4(v4) => {
            addr.set_ip(v4.into());
            v4.into()
        }
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let probe = UdpSocket::bind((from, 0));
    let sends_from = probe.and_then(|probe| {
        probe.connect(addr)?;
        probe.local_addr()
    });
    sends_from.is_ok_and(|local| local.ip() == addr.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_its_bytes_and_no_abstract_name() {
        let path = |bytes: &[u8]| SocketAddrUnix::new(bytes).expect("short");
        let name = |bytes: &[u8]| SocketAddrUnix::new_abstract_name(bytes).expect("short");
        let cases: [(SocketAddrUnix, &[u8]); 5] = [
            (path(b"/run/x"), b"/run/x"),
            (path(b"\xff\xfe"), b"\xff\xfe"),
            (path(b"@x"), b"./@x"),
            (name(b"x"), b"@x"),
            (name(b"\xff\0"), b"@\xff\0"),
        ];
        for (addr, bytes) in cases {
            let shown = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            assert_eq!(
                PeerAddr::from(SocketAddrAny::from(addr)),
                PeerAddr::Unix(shown)
            );
        }
    }

    #[test]
    fn what_comes_from_ourselves_is_known() {
        let addr = |text: &str| -> SocketAddr { text.parse().expect("an address") };
        for (from, own, is_ours) in [
            ("127.0.0.1:7", "127.0.0.1:7", true),
            ("[::ffff:127.0.0.1]:7", "127.0.0.1:7", true),
            ("127.0.0.1:8", "127.0.0.1:7", false),
            ("127.0.0.2:7", "127.0.0.1:7", false),
            ("127.0.0.2:7", "0.0.0.0:7", true),
            ("[::ffff:127.0.0.2]:7", "[::]:7", true),
            ("[::1]:7", "[::]:7", true),
            ("192.0.2.1:7", "0.0.0.0:7", false),
            ("[2001:db8::1]:7", "[::]:7", false),
        ] {
            let from_any = SocketAddrAny::from(addr(from));
            let own_ip = PeerAddr::Ip(addr(own));
            assert_eq!(is_own(&from_any, &own_ip), is_ours, "{from} at {own}");
        }
    }
}
