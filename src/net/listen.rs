//! Binding and accepting.

use super::options::{self, OptionError, Whose};
use super::resolve;
use crate::io::reactor::{Registered, Registrar};
use crate::io::ready::{Bits, Ready};
use crate::plan::{Binding, Family, Net, Transport};
use crate::sys::{errno, pktinfo};
use mio::Interest;
use rustix::net::SocketFlags;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Connections that may wait to be accepted; the kernel lowers it to net.core.somaxconn.
pub const BACKLOG: i32 = 4096;
/// Accepted sockets are non-blocking and closed in children.
const SOCK_FLAGS: i32 = (SocketFlags::NONBLOCK.bits() | SocketFlags::CLOEXEC.bits()) as i32;
/// So many clients lost in a row while being accepted are the fault of something else.
const LOST: u32 = 64;
/// The pause after an accept for which there was no descriptor.
const PAUSE: Duration = Duration::from_millis(500);

/// Why there is no listener.
#[derive(Debug)]
pub enum ListenError {
    /// The name could not be looked up.
    Name(io::Error),
    /// The address could not be bound.
    Bind(SocketAddr, io::Error),
    /// A socket option was refused.
    Option(OptionError),
}

/// The addresses to listen or receive on. A name is looked up here and now.
///
/// # Errors
/// The name cannot be looked up.
pub fn addresses(at: &Binding, net: &Net) -> Result<Vec<SocketAddr>, ListenError> {
    match &at.host {
        Some(host) => resolve::now(host, at.port, net).map_err(ListenError::Name),
        None => Ok(any_addresses(at, net)),
    }
}

/// Binds the sockets to listen or receive on, all with one port; TCP ones listen already.
///
/// # Errors
/// No address could be bound: the last reason.
pub fn bind(addrs: Vec<SocketAddr>, at: &Binding, net: &Net) -> Result<Vec<Socket>, ListenError> {
    let mut socks: Vec<Socket> = Vec::new();
    let mut failed = None;
    let mut port = at.port;
    for mut addr in addrs {
        addr.set_port(port);
        match bind_one(addr, at, net) {
            Ok(sock) => {
                let bound = sock.local_addr().ok().and_then(|addr| addr.as_socket());
                port = bound.map_or(port, |addr| addr.port());
                socks.push(sock);
                if !at.all_addresses {
                    break;
                }
            }
            Err(error @ ListenError::Option(_)) => return Err(error),
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        // An address that is not ours does no harm while another works (::1 without IPv6).
        Some(ListenError::Bind(_, error)) if !socks.is_empty() && errno::is_no_family(&error) => {
            Ok(socks)
        }
        Some(error) => Err(error),
        None => Ok(socks),
    }
}

/// Without an address: `[::]`, which takes IPv4 as well when asked to, or else `0.0.0.0`.
fn any_addresses(at: &Binding, net: &Net) -> Vec<SocketAddr> {
    let v4 = SocketAddr::from((Ipv4Addr::UNSPECIFIED, at.port));
    let v6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, at.port));
    match net.family {
        Family::V6 => vec![v6],
        Family::Any if at.dual_stack && has_ipv6() => vec![v6],
        Family::Any | Family::V4 => vec![v4],
    }
}

fn has_ipv6() -> bool {
    let probe = Socket::new(Domain::IPV6, Type::DGRAM, None);
    let any = SockAddr::from(SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)));
    probe.and_then(|probe| probe.bind(&any)).is_ok()
}

fn bind_one(addr: SocketAddr, at: &Binding, net: &Net) -> Result<Socket, ListenError> {
    let failed = |error| ListenError::Bind(addr, error);
    let sock = socket(addr, net.transport).map_err(failed)?;
    // A UDP port shared by SO_REUSEADDR would lose its datagrams to the next program that binds it.
    if net.transport != Transport::Udp || at.shares_port {
        sock.set_reuse_address(true).map_err(failed)?;
    }
    if at.shares_port {
        sock.set_reuse_port(true).map_err(failed)?;
    }
    if addr.is_ipv6() && at.host.is_none() {
        // Where both families are the rule, `-6` asks for IPv6 alone.
        let only_v6 = at.dual_stack && net.family == Family::V6;
        sock.set_only_v6(only_v6).map_err(failed)?;
    }
    apply_options(&sock, net)?;
    // Before the first datagram can come.
    ask_local(&sock, addr, net).map_err(failed)?;
    sock.bind(&addr.into()).map_err(failed)?;
    if net.transport != Transport::Udp {
        sock.listen(BACKLOG).map_err(failed)?;
    }
    Ok(sock)
}

/// Has the kernel report which address each datagram was sent to, where there is more than one and
/// something is answered.
///
/// # Errors
/// Not an IP socket.
pub fn ask_local(sock: &Socket, addr: SocketAddr, net: &Net) -> io::Result<()> {
    let is_udp = net.transport == Transport::Udp;
    if is_udp && net.options.answers && addr.ip().is_unspecified() {
        pktinfo::ask(sock)
    } else {
        Ok(())
    }
}

/// Sets the options of a socket that is to listen.
///
/// # Errors
/// `ListenError::Option`.
pub fn apply_options(sock: &Socket, net: &Net) -> Result<(), ListenError> {
    let applied = options::apply(sock, Whose::Everyone, net.transport, &net.options);
    applied.map_err(ListenError::Option)
}

/// A new socket for an address, non-blocking and closed in children.
///
/// # Errors
/// As socket(2).
pub fn socket(addr: SocketAddr, transport: Transport) -> io::Result<Socket> {
    let (kind, protocol) = match transport {
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
        Transport::Sctp => (Type::STREAM, Protocol::SCTP),
    };
    let kind = kind.nonblocking().cloexec();
    Socket::new_raw(Domain::for_address(addr), kind, Some(protocol))
}

/// A client that has been accepted, and where it is from.
pub type Arrived = (Socket, SockAddr);

/// What an attempt to accept gave.
#[derive(Debug)]
pub enum Accepted {
    /// A client.
    Client(Socket, SockAddr),
    /// None now.
    Pending,
    /// None can be taken, most often for want of descriptors; it is tried again after a pause.
    Failed(io::Error),
}

/// Accepts clients from one or more sockets; no failure of a single client ever ends it.
#[derive(Debug)]
pub struct Listener {
    socks: Vec<(Socket, Registered, Bits)>,
    paused_until: Option<Instant>,
}

impl Listener {
    /// Registers non-blocking listening sockets.
    ///
    /// # Errors
    /// They cannot be registered.
    pub fn new(socks: Vec<Socket>, registrar: &Registrar<'_>) -> io::Result<Listener> {
        let mut registered = Vec::new();
        for sock in socks {
            let id = registrar.register(sock.as_fd(), Interest::READABLE)?;
            registered.push((sock, id, Bits::new(true)));
        }
        Ok(Listener {
            socks: registered,
            paused_until: None,
        })
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        let noted = self.socks.iter_mut().filter(|(_, own, _)| *own == id);
        noted.for_each(|(_, _, bits)| bits.note(ready));
    }

    /// Accepts one client, if there is one and there is a descriptor for it.
    pub fn try_accept(&mut self, now: Instant) -> Accepted {
        if self.paused_until.is_some_and(|until| now < until) {
            return Accepted::Pending;
        }
        self.paused_until = None;
        let mut lost = 0;
        for (sock, _, bits) in &mut self.socks {
            while bits.is_readable() {
                match sock.accept4(SOCK_FLAGS) {
                    Ok((client, addr)) => return Accepted::Client(client, addr),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => bits.set_drained(),
                    Err(error) if errno::is_lost_client(&error) && lost < LOST => lost += 1,
                    Err(error) => {
                        self.paused_until = Some(now + PAUSE);
                        return Accepted::Failed(error);
                    }
                }
            }
        }
        Accepted::Pending
    }

    /// Ends a pause early: there may be descriptors now.
    pub fn resume(&mut self) {
        self.paused_until = None;
    }

    /// When a pause ends.
    pub fn deadline(&self) -> Option<Instant> {
        self.paused_until
    }
}
