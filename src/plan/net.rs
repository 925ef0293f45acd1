//! Addresses and sockets, and how connections are made.

use std::ops::RangeInclusive;
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
    /// The key segments are signed with (RFC 2385).
    pub md5_key: Option<Vec<u8>>,
    /// A peer that vanishes is found out by probes (SO_KEEPALIVE).
    pub keepalive: bool,
}

impl SocketOptions {
    /// Returns whether there are some that only count over IP.
    pub fn need_ip(&self) -> bool {
        let bytes = [self.ttl, self.min_ttl, self.tos];
        self.md5_key.is_some() || bytes.iter().any(Option::is_some)
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

/// How a connection is made.
#[derive(Clone, Debug)]
pub struct Dialing {
    /// The time for connecting.
    pub timeout: Option<Duration>,
    /// The time counts for each address anew.
    pub timeout_per_address: bool,
    /// What is said behind "timed out".
    pub timeout_reason: Option<&'static str>,
    /// The pause before the next address is tried beside the ones under way (RFC 8305); `None`:
    /// one after the other.
    pub stagger: Option<Duration>,
    /// A proxy to go through.
    pub proxy: Option<Proxy>,
    /// Messages about connecting to the proxy say that it is the proxy.
    pub names_proxy: bool,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// SOCKS version 4; version 4A when the proxy is to resolve the name.
    Socks4,
    /// SOCKS version 5, RFC 1928.
    Socks5,
    /// HTTP CONNECT, RFC 9110 section 9.3.6.
    Http,
}

/// A proxy to connect through.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// Its host name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user to present.
    pub user: Option<String>,
    /// The password; when there is a user but no password, it is asked for on the terminal.
    pub password: Option<String>,
    /// Who looks the name of the target up.
    pub names: ProxyNames,
    /// An HTTP request has a Host field.
    pub names_the_host: bool,
}

impl Proxy {
    /// Returns whether there is a user, but no password.
    pub fn lacks_password(&self) -> bool {
        self.user.is_some() && self.password.is_none()
    }
}

/// Who looks up the name a proxy is to connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyNames {
    /// We do.
    Local,
    /// The proxy.
    Remote,
    /// We do, and the proxy where we know no address.
    Both,
    /// No look-up: it has to be an address.
    Neither,
}

/// How a UDP port is asked whether somebody is there. Only a refusal is an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UdpProbe {
    /// What is sent.
    pub datagram: &'static [u8],
    /// It is sent twice at once, then every second; else once.
    pub is_repeated: bool,
    /// How long a refusal is waited for.
    pub limit: Duration,
}

/// Ports of a host, and how they are tried.
#[derive(Clone, Debug)]
pub struct Ports {
    /// The host's name or address.
    pub host: String,
    /// The ports, in order.
    pub ranges: Vec<RangeInclusive<u16>>,
    /// How connections are made.
    pub dialing: Dialing,
    /// The ports in random order.
    pub shuffled: bool,
    /// Pause between ports.
    pub interval: Option<Duration>,
    /// How UDP ports are probed; `None`: they are taken to be open.
    pub udp_probe: Option<UdpProbe>,
    /// What the list has to come to.
    pub success: Success,
}

/// What a list of ports has to come to for exit code 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Success {
    /// Any of them is open.
    Any,
    /// All of them are.
    All,
    /// The last one is.
    Last,
}
