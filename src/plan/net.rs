//! Addresses and sockets.

use std::time::Duration;

/// Which address families may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Either.
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

/// What is spoken over an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// SCTP with one stream, in the style of TCP. RFC 6458, section 4.
    Sctp,
}

impl Transport {
    /// The name in messages and in /etc/services.
    pub fn name(self) -> &'static str {
        match self {
            Transport::Tcp => "tcp",
            Transport::Udp => "udp",
            Transport::Sctp => "sctp",
        }
    }
}

/// Options of sockets, as typed.
#[derive(Clone, Debug, Default)]
pub struct SocketOptions {
    /// SO_DEBUG.
    pub debug: bool,
    /// SO_BROADCAST.
    pub broadcast: bool,
    /// SO_RCVBUF, in bytes.
    pub recv_buffer: Option<usize>,
    /// SO_SNDBUF, in bytes.
    pub send_buffer: Option<usize>,
    /// TTL or hop limit of what is sent.
    pub ttl: Option<u8>,
    /// TTL or hop limit below which packets are dropped by the kernel.
    pub min_ttl: Option<u8>,
    /// TOS or traffic class.
    pub tos: Option<u8>,
    /// Datagrams are answered, and so from the address they were sent to.
    pub answers: bool,
    /// No datagrams come in of groups that only others on this machine have joined.
    pub own_groups_only: bool,
    /// Whether what is sent to a group comes to its members on this machine too; `None`: as the
    /// system has it.
    pub multicast_loop: Option<bool>,
    /// Segments are signed (RFC 2385), with the key that was asked for.
    pub signs: bool,
    /// A peer that vanishes is found out by probes (SO_KEEPALIVE).
    pub keepalive: bool,
}

impl SocketOptions {
    /// Returns whether there are some that only count over IP.
    pub fn need_ip(&self) -> bool {
        let bytes = [self.ttl, self.min_ttl, self.tos];
        self.signs || bytes.iter().any(Option::is_some)
    }
}

/// A multicast group to join, and the interface to join it on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group's address.
    pub addr: std::net::IpAddr,
    /// The interface's name; else the kernel chooses.
    pub interface: Option<String>,
}

/// What is common to all ways to reach or be reached over IP.
#[derive(Clone, Debug)]
pub struct Net {
    /// Which families.
    pub family: Family,
    /// TCP, UDP or SCTP.
    pub transport: Transport,
    /// Names are not looked up.
    pub numeric: bool,
    /// A reason may be followed by what would mend it.
    pub gives_hints: bool,
    /// The local address to send from.
    pub source: Option<String>,
    /// The local port to send from.
    pub source_port: Option<u16>,
    /// Socket options.
    pub options: SocketOptions,
}

/// How a UDP port is probed. Only a refusal is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpProbe {
    /// What is sent.
    pub datagram: &'static [u8],
    /// It is sent twice at once, then every second; else once.
    pub is_repeated: bool,
    /// How long a refusal is waited for.
    pub limit: Duration,
}
