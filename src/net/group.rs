//! Multicast groups, and addresses that stand for all hosts of a network.

use crate::plan::Group;
use crate::sys::names;
use rustix::io::Errno;
use socket2::{InterfaceIndexOrAddress, Socket};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Joins a multicast group.
///
/// # Errors
/// No such interface, or the kernel refused.
pub fn join(sock: &Socket, group: &Group) -> io::Result<()> {
    let index = match &group.interface {
        Some(name) => {
            let known = names::interface_index(name);
            known.ok_or_else(|| io::Error::other(format!("no interface named {name}")))?
        }
        None => 0,
    };
    match group.addr {
        IpAddr::V4(addr) if index == 0 => sock.join_multicast_v4(&addr, &Ipv4Addr::UNSPECIFIED),
        IpAddr::V4(addr) => sock.join_multicast_v4_n(&addr, &InterfaceIndexOrAddress::Index(index)),
        IpAddr::V6(addr) => sock.join_multicast_v6(&addr, index),
    }
}

/// Returns whether a UDP socket is connected to a group or, where `broadcasts`, to a broadcast
/// address: answers come from other addresses then, which such a socket does not hear. To take the
/// connection off is not enough: an IPv6 socket would go on not hearing them.
///
/// # Errors
/// The kernel refused.
pub fn leads_to_group(sock: &Socket, addr: &SocketAddr, broadcasts: bool) -> io::Result<bool> {
    let is_group = addr.ip().to_canonical().is_multicast();
    Ok(is_group || broadcasts && is_broadcast(sock, addr)?)
}

/// Has what is sent to a group leave by the interface its address names, whatever its scope.
///
/// # Errors
/// No such interface.
pub fn aim(sock: &Socket, addr: &SocketAddr) -> io::Result<()> {
    match addr {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => sock.set_multicast_if_v6(v6.scope_id()),
        _ => Ok(()),
    }
}

/// Only the kernel knows the broadcast addresses of its networks: connecting to one takes
/// SO_BROADCAST.
fn is_broadcast(sock: &Socket, addr: &SocketAddr) -> io::Result<bool> {
    sock.set_broadcast(false)?;
    let connected = rustix::net::connect(sock, addr);
    sock.set_broadcast(true)?;
    Ok(connected == Err(Errno::ACCESS))
}
