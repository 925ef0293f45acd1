//! What can be opened: the ends of sessions.

use super::net::{Net, Transport, UdpProbe};
use super::program::{Builtin, Program};
use super::tls;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

/// A Unix socket's address: a path, or `@` and an abstract name.
pub type UnixPath = PathBuf;

/// An end that is opened: its base, the layers on it from the wire inwards, and how it is opened.
#[derive(Clone, Debug)]
pub struct End {
    /// What is opened.
    pub base: Base,
    /// What is put on it: first a proxy, then TLS.
    pub layers: Vec<Layer>,
    /// How.
    pub how: How,
}

/// What is opened.
#[derive(Clone, Debug)]
pub enum Base {
    /// Standard input and output.
    Stdio,
    /// A port of a host, over the transport of `How`.
    Ip {
        /// The host's name or address.
        host: Rc<str>,
        /// The port.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Where it is.
        path: UnixPath,
        /// Datagrams instead of a stream, from this address.
        datagrams: Option<UnixSource>,
    },
    /// A vsock port.
    Vsock {
        /// The context identifier of the machine.
        cid: u32,
        /// The port.
        port: u32,
    },
    /// A program, run for each session.
    Program(Program),
    /// A service inside this process.
    Builtin(Builtin),
}

/// What is put on a base before there is a session.
#[derive(Clone, Debug)]
pub enum Layer {
    /// A proxy: it is connected to instead, and asked to connect to the base.
    Proxy(Proxy),
    /// TLS, as a client.
    Tls(tls::Client),
}

/// Where a Unix datagram client is bound, so that it can be answered.
#[derive(Clone, Debug)]
pub enum UnixSource {
    /// A socket file of our own making, in the directory for temporary files.
    Temporary,
    /// This path.
    Path(UnixPath),
}

/// How an end is opened.
#[derive(Clone, Debug)]
pub struct How {
    /// Families, transport, source and socket options.
    pub net: Net,
    /// The time for connecting.
    pub timeout: Option<Duration>,
    /// The time counts for each address anew.
    pub timeout_per_address: bool,
    /// What follows "timed out" in messages.
    pub timeout_reason: Option<&'static str>,
    /// The pause before the next address is tried beside the ones under way (RFC 8305); `None`:
    /// one after the other.
    pub stagger: Option<Duration>,
    /// It is tried again until it can be opened, after pauses up to this long; the time for
    /// connecting is that of all attempts then.
    pub retry: Option<Duration>,
    /// Messages about connecting to the proxy say that it is the proxy.
    pub names_proxy: bool,
    /// How a UDP port is probed; `None`: it is taken to be open.
    pub udp_probe: Option<UdpProbe>,
}

impl End {
    /// The proxy it is reached through, if any.
    pub fn proxy(&self) -> Option<&Proxy> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Proxy(proxy) => Some(proxy),
            Layer::Tls(_) => None,
        })
    }

    /// The TLS on it, if any.
    pub fn tls(&self) -> Option<&tls::Client> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Tls(tls) => Some(tls),
            Layer::Proxy(_) => None,
        })
    }

    /// Returns whether it needs no network.
    pub fn is_inside(&self) -> bool {
        matches!(self.base, Base::Stdio | Base::Program(_) | Base::Builtin(_))
    }

    /// The host that is connected to, if it has a name or an address of IP.
    pub fn host(&self) -> Option<&str> {
        match &self.base {
            Base::Ip { host, .. } => Some(host),
            _ => None,
        }
    }

    /// Returns whether it carries messages, not a stream of bytes.
    pub fn keeps_messages(&self) -> bool {
        match &self.base {
            Base::Ip { .. } => self.how.net.transport == Transport::Udp,
            Base::Unix { datagrams, .. } => datagrams.is_some(),
            Base::Stdio | Base::Vsock { .. } | Base::Program(_) | Base::Builtin(_) => false,
        }
    }
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
    /// Where the name of the target is looked up.
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

/// Where the name that a proxy is to connect to is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyNames {
    /// Here.
    Local,
    /// By the proxy.
    Remote,
    /// Here, and by the proxy where that finds no address.
    Both,
    /// No look-up: it has to be an address.
    Neither,
}
