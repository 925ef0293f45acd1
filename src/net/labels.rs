//! How peers are named in messages.

use super::addr::{self, show_ip};
use crate::io::datagram::PeerAddr;
use crate::parse::escape::printable;
use crate::plan::{Base, Net};
use socket2::SockAddr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;

/// `127.0.0.1 port 80 (tcp)`, as peers are named in messages.
pub fn label(addr: &SockAddr, net: &Net) -> String {
    match (addr::ip(addr), addr.as_vsock_address()) {
        (Some(ip), _) => ip_label(&ip, net),
        (None, Some((cid, port))) => format!("vsock {cid} port {port}"),
        (None, None) if addr.is_unnamed() => "a client (unix)".into(),
        (None, None) => format!("{} (unix)", addr::show(addr)),
    }
}

/// As `label`, for the sender of datagrams.
pub fn sender_label(sender: &PeerAddr, net: &Net) -> String {
    match sender {
        PeerAddr::Ip(ip) => ip_label(&addr::unmapped(*ip), net),
        PeerAddr::Unix(path) => format!("{} (unix)", printable(path.as_os_str().as_bytes())),
    }
}

/// As `label`, for an IP address.
pub fn ip_label(ip: &SocketAddr, net: &Net) -> String {
    format!(
        "{} port {} ({})",
        show_ip(ip),
        ip.port(),
        net.transport.name()
    )
}

/// What an end that is no port of IP is called in messages; a program by its first word.
pub fn base_label(base: &Base) -> String {
    match base {
        Base::Unix { path, .. } => format!("{} (unix)", printable(path.as_os_str().as_bytes())),
        Base::Vsock { cid, port } => format!("vsock {cid} port {port}"),
        Base::Ip { host, port } => format!("{} port {port}", printable(host.as_bytes())),
        Base::Stdio | Base::Builtin(_) => String::new(),
        Base::Program(program) => {
            let word = program.words.first();
            word.map(|word| printable(word.as_bytes()))
                .unwrap_or_default()
        }
    }
}
