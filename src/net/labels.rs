//! How peers are named in messages.

use super::addr::{self, show_ip};
use crate::plan::Net;
use socket2::SockAddr;
use std::net::SocketAddr;

/// `127.0.0.1 port 80 (tcp)`, as peers are named in messages.
pub fn label(addr: &SockAddr, net: &Net) -> String {
    match (addr::ip(addr), addr.as_vsock_address()) {
        (Some(ip), _) => ip_label(&ip, net),
        (None, Some((cid, port))) => format!("vsock {cid} port {port}"),
        (None, None) => format!("{} (unix)", addr::show(addr)),
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
