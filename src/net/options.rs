//! Plan → socket options.

use crate::plan::{SocketOptions, Transport};
use crate::sys::sockopt;
use socket2::{Domain, Socket, TcpKeepalive};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;
use std::time::Duration;

/// Silence after which a peer is asked whether it is still there, the time between such probes,
/// and how many may go unanswered: a vanished peer is found out within two minutes.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(60);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 4;

/// Room for datagrams that come faster than they are read, without `-I`. With the usual 208 KiB
/// every other program lost some of 300,000 64-byte datagrams a second; with this none were.
const UDP_RECV_BUFFER_BYTES: usize = 4 << 20;

/// The key that segments are signed with (RFC 2385), once it has been asked for.
static MD5_KEY: OnceLock<Vec<u8>> = OnceLock::new();

/// Sets the key that segments are signed with, once.
pub fn set_md5_key(key: Vec<u8>) {
    let _ = MD5_KEY.set(key);
}

/// Whose packets the options of a socket are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of this peer, which the socket will connect to.
    Peer(SocketAddr),
    /// Those of all that come to the socket.
    Everyone,
}

/// Sets the options on a socket that will connect or listen. They count for each packet, whatever
/// its family.
///
/// # Errors
/// The name of the option, and why the kernel refused it.
pub fn apply(
    sock: &Socket,
    whose: Whose,
    transport: Transport,
    options: &SocketOptions,
) -> Result<(), OptionError> {
    apply_to_socket(sock, transport, options)?;
    let levels = Levels::of(sock);
    if let Some(tos) = options.tos.map(u32::from) {
        levels.v4("set IP ToS", || sock.set_tos_v4(tos))?;
        levels.v6("set IPv6 traffic class", || sock.set_tclass_v6(tos))?;
    }
    if let Some(ttl) = options.ttl {
        apply_ttl(sock, levels, transport, ttl.into())?;
    }
    if let Some(ttl) = options.min_ttl {
        levels.v4("set IP min TTL", || sockopt::set_min_ttl_v4(sock, ttl))?;
        let set = || sockopt::set_min_hop_limit_v6(sock, ttl);
        levels.v6("set IPv6 min hop count", set)?;
    }
    if let Some(loops) = options.multicast_loop {
        let set = || sock.set_multicast_loop_v4(loops);
        levels.v4("set IP multicast loop", set)?;
        let set = || sock.set_multicast_loop_v6(loops);
        levels.v6("set IPv6 multicast loop", set)?;
    }
    if options.own_groups_only {
        // Linux has the second one since 4.20.
        let _ = levels.v4("", || sock.set_multicast_all_v4(false));
        let _ = levels.v6("", || sock.set_multicast_all_v6(false));
    }
    if let Some(key) = MD5_KEY.get().filter(|_| options.signs) {
        apply_md5_key(sock, levels, whose, key)?;
    }
    Ok(())
}

/// The options that know no family.
fn apply_to_socket(
    sock: &Socket,
    transport: Transport,
    options: &SocketOptions,
) -> Result<(), OptionError> {
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

/// Sets the TTL; datagrams to a group have one of their own, which is 1 otherwise.
fn apply_ttl(
    sock: &Socket,
    levels: Levels,
    transport: Transport,
    ttl: u32,
) -> Result<(), OptionError> {
    levels.v4("set IP TTL", || sock.set_ttl_v4(ttl))?;
    levels.v6("set IPv6 unicast hops", || sock.set_unicast_hops_v6(ttl))?;
    if transport == Transport::Udp {
        levels.v4("set IP multicast TTL", || sock.set_multicast_ttl_v4(ttl))?;
        let set = || sock.set_multicast_hops_v6(ttl);
        levels.v6("set IPv6 multicast hops", set)?;
    }
    Ok(())
}

/// Sets the key of one peer, or of all: of a socket for both families those of either have their
/// own.
fn apply_md5_key(
    sock: &Socket,
    levels: Levels,
    whose: Whose,
    key: &[u8],
) -> Result<(), OptionError> {
    let doing = "set TCP MD5 signature";
    let (any_v4, any_v6) = (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED);
    let set = |peers: SocketAddr, prefix| sockopt::set_md5_key(sock, &peers, prefix, key);
    if let Whose::Peer(peer) = whose {
        return set(peer, None).map_err(named(doing));
    }
    let any_v4 = if levels.v6 {
        any_v4.to_ipv6_mapped().into()
    } else {
        IpAddr::V4(any_v4)
    };
    levels.v4(doing, || set((any_v4, 0).into(), Some(0)))?;
    levels.v6(doing, || set((any_v6, 0).into(), Some(0)))
}

/// The families whose packets a socket sends and takes: an IPv6 socket may have both, and each has
/// options of its own.
#[derive(Clone, Copy, Debug)]
struct Levels {
    v4: bool,
    v6: bool,
}

impl Levels {
    fn of(sock: &Socket) -> Levels {
        let v6 = sock.domain().is_ok_and(|domain| domain == Domain::IPV6);
        let only_v6 = v6 && sock.only_v6().unwrap_or(false);
        Levels { v4: !only_v6, v6 }
    }

    fn v4(self, doing: &'static str, set: impl Fn() -> io::Result<()>) -> Result<(), OptionError> {
        if self.v4 {
            set().map_err(named(doing))?;
        }
        Ok(())
    }

    fn v6(self, doing: &'static str, set: impl Fn() -> io::Result<()>) -> Result<(), OptionError> {
        if self.v6 {
            set().map_err(named(doing))?;
        }
        Ok(())
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
