//! Plan → socket options.

use crate::plan::{Group, SocketOptions, Transport};
use crate::sys::{names, sockopt};
use socket2::{Socket, TcpKeepalive};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Silence after which a peer is asked whether it is still there, the time between such probes,
/// and how many may go unanswered: a vanished peer is found out within two minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 4;

/// Room for datagrams that come faster than they are read, without `-I`. With the usual 208 KiB
/// every other program lost some of 300,000 64-byte datagrams a second; with this none were.
const UDP_RECV_BUFFER_BYTES: usize = 4 << 20;

/// Sets the options on a socket that will connect to, or listen on, `addr`.
///
/// # Errors
/// The name of the option, and why the kernel refused it.
pub fn apply(
    sock: &Socket,
    addr: &SocketAddr,
    transport: Transport,
    options: &SocketOptions,
) -> Result<(), OptionError> {
    let v4 = addr.is_ipv4();
    if options.broadcast {
        sock.set_broadcast(true).map_err(named("set broadcast"))?;
    }
    if options.debug {
        sockopt::set_debug(sock).map_err(named("set SO_DEBUG"))?;
    }
    if let Some(bytes) = options.recv_buffer {
        sock.set_recv_buffer_size(bytes)
            .map_err(named("set TCP receive buffer size"))?;
    } else if transport == Transport::Udp {
        sockopt::widen_recv_buffer(sock, UDP_RECV_BUFFER_BYTES);
    }
    if let Some(bytes) = options.send_buffer {
        sock.set_send_buffer_size(bytes)
            .map_err(named("set TCP send buffer size"))?;
    }
    if let Some(tos) = options.tos.map(u32::from) {
        let set = if v4 {
            sock.set_tos_v4(tos)
        } else {
            sock.set_tclass_v6(tos)
        };
        set.map_err(named(if v4 {
            "set IP ToS"
        } else {
            "set IPv6 traffic class"
        }))?;
    }
    if let Some(ttl) = options.ttl.map(u32::from) {
        let set = if v4 {
            sock.set_ttl_v4(ttl)
        } else {
            sock.set_unicast_hops_v6(ttl)
        };
        set.map_err(named(if v4 {
            "set IP TTL"
        } else {
            "set IPv6 unicast hops"
        }))?;
    }
    if let Some(ttl) = options.min_ttl {
        match v4 {
            true => sockopt::set_min_ttl_v4(sock, ttl).map_err(named("set IP min TTL"))?,
            false => {
                sockopt::set_min_hop_limit_v6(sock, ttl)
                    .map_err(named("set IPv6 min hop count"))?;
            }
        }
    }
    if let Some(key) = &options.md5_key {
        sockopt::set_md5_key(sock, addr, key).map_err(named("set TCP MD5 signature"))?;
    }
    if options.keepalive && transport == Transport::Tcp {
        let probes = TcpKeepalive::new()
            .with_time(KEEPALIVE_IDLE)
            .with_interval(KEEPALIVE_INTERVAL)
            .with_retries(KEEPALIVE_PROBES);
        // A kernel without it only finds vanished peers later.
        let _ = sock.set_tcp_keepalive(&probes);
    }
    Ok(())
}

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
        IpAddr::V4(addr) => {
            sock.join_multicast_v4_n(&addr, &socket2::InterfaceIndexOrAddress::Index(index))
        }
        IpAddr::V6(addr) => sock.join_multicast_v6(&addr, index),
    }
}

/// A socket option the kernel refused.
#[derive(Debug)]
pub struct OptionError {
    /// What was being done, such as `set IP TTL`.
    pub doing: &'static str,
    /// Why it failed.
    pub error: io::Error,
}

fn named(doing: &'static str) -> impl Fn(io::Error) -> OptionError {
    move |error| OptionError { doing, error }
}
