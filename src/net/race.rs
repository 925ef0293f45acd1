//! Connecting to one of several addresses of the same host.
//!
//! With a stagger they are raced as RFC 8305 says: the next one is tried beside those under way
//! after 250 ms, or at once when one fails. Without, one after the other.

use super::news::News;
use super::options::{self, OptionError, Whose};
use super::{group, listen, resolve};
use crate::io::error;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::plan::{End, Net, Transport};
use crate::report;
use crate::sys::{errno, sockopt};
use socket2::Socket;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// A host and a port to connect to.
pub type Hop = (Rc<str>, u16);

/// Why no address can work; those that merely do not are gone through.
#[derive(Debug)]
pub enum Obstacle {
    /// The local address could not be bound.
    Source(SocketAddr, io::Error),
    /// A socket option was refused.
    Option(OptionError),
    /// There are no descriptors left.
    NoDescriptor(io::Error),
    /// The kernel does not have the transport.
    NoTransport(Transport, io::Error),
}

/// Why no address has won.
#[derive(Debug)]
pub enum Lost {
    /// No address can work.
    Obstacle(Obstacle),
    /// None can be connected to.
    All(Unreached),
}

/// Addresses that could not be connected to.
#[derive(Debug, Default)]
pub struct Unreached {
    /// Each that was tried, and why it failed.
    pub failures: Vec<(SocketAddr, io::Error)>,
    /// The time for all of them ran out.
    pub ran_out: bool,
}

impl Unreached {
    /// Returns whether time ran out, ours or the kernel's.
    pub fn timed_out(&self) -> bool {
        let mut failures = self.failures.iter();
        self.ran_out || failures.any(|(_, error)| error.kind() == io::ErrorKind::TimedOut)
    }
}

/// Tries addresses until one is connected.
pub struct Race {
    end: Rc<End>,
    /// The time one address may take.
    limit: Option<Duration>,
    stagger: Option<Duration>,
    source: Vec<SocketAddr>,
    queue: VecDeque<SocketAddr>,
    attempts: Vec<Connecting>,
    failures: Vec<(SocketAddr, io::Error)>,
    next_start: Option<Instant>,
    /// An event was seen.
    may_be_done: bool,
    /// What `-v` prints, and the caller has not fetched yet.
    news: Vec<News>,
}

/// One attempt to connect to one address.
#[derive(Debug)]
struct Connecting {
    stream: Stream,
    addr: SocketAddr,
    deadline: Option<Instant>,
}

enum Begun {
    /// Connected already, as it happens over loopback.
    Connected(Stream),
    Pending(Connecting),
}

enum BeginError {
    /// This address does not work.
    This(io::Error),
    /// All descriptors are in use.
    NoDescriptor(io::Error),
    /// No address can work.
    Fatal(Obstacle),
}

impl Race {
    /// A race to an end, or to the proxy in front of it.
    pub fn new(end: &Rc<End>) -> Race {
        let how = &end.how;
        // Two sockets of one family cannot be bound to the same port at the same time.
        let stagger = how.stagger.filter(|_| how.net.source_port.is_none());
        let limit = how.timeout.filter(|_| how.timeout_per_address);
        Race {
            end: Rc::clone(end),
            // nc's `-w 0` is no limit for connecting.
            limit: limit.filter(|limit| !limit.is_zero()),
            stagger,
            source: Vec::new(),
            queue: VecDeque::new(),
            attempts: Vec::new(),
            failures: Vec::new(),
            next_start: None,
            may_be_done: false,
            news: Vec::new(),
        }
    }

    fn net(&self) -> &Net {
        &self.end.how.net
    }

    /// The addresses to send from: of each family the first counts.
    pub fn set_source(&mut self, source: Vec<SocketAddr>) {
        self.source = source;
    }

    /// Lets the addresses enter.
    pub fn enter(&mut self, addrs: Vec<SocketAddr>) {
        let addrs = match self.stagger {
            Some(_) => resolve::interleaved(addrs),
            None => addrs,
        };
        self.queue = addrs.into();
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.may_be_done = true;
        for attempt in &mut self.attempts {
            attempt.stream.note(id, ready);
        }
    }

    /// What there is to print by now; nothing without `-v`.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// When the race wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        let attempts = self.attempts.iter().filter_map(|attempt| attempt.deadline);
        let next = self.next_start.filter(|_| !self.queue.is_empty());
        attempts.chain(next).min()
    }

    /// Starts, checks and gives up attempts; the first that is connected wins.
    ///
    /// # Errors
    /// No address is connected, and none is left to try.
    pub fn drive(&mut self, cx: Cx<'_>) -> Poll<Result<(Stream, SocketAddr), Lost>> {
        loop {
            if let Some(index) = self.check_attempts(cx) {
                let won = self.attempts.swap_remove(index);
                return self.won(won.stream, won.addr);
            }
            let due = self.stagger.is_some() && self.next_start.is_none_or(|at| cx.now >= at);
            if !self.attempts.is_empty() && !due {
                return Poll::Pending;
            }
            let Some(addr) = self.queue.pop_front() else {
                return if self.attempts.is_empty() {
                    Poll::Ready(Err(Lost::All(self.unreached())))
                } else {
                    Poll::Pending
                };
            };
            self.next_start = self.stagger.map(|stagger| cx.now + stagger);
            match self.begin(addr, cx) {
                Ok(Begun::Connected(stream)) => return self.won(stream, addr),
                Ok(Begun::Pending(attempt)) => self.attempts.push(attempt),
                Err(BeginError::This(error)) => self.fail(addr, error, false),
                // Its turn comes again when one under way is done, or later.
                Err(BeginError::NoDescriptor(_)) if !self.attempts.is_empty() => {
                    self.queue.push_front(addr);
                    return Poll::Pending;
                }
                Err(BeginError::NoDescriptor(error)) => {
                    return Poll::Ready(Err(Lost::Obstacle(Obstacle::NoDescriptor(error))));
                }
                Err(BeginError::Fatal(obstacle)) => {
                    return Poll::Ready(Err(Lost::Obstacle(obstacle)));
                }
            }
        }
    }

    fn won(
        &mut self,
        stream: Stream,
        addr: SocketAddr,
    ) -> Poll<Result<(Stream, SocketAddr), Lost>> {
        self.attempts.clear();
        self.queue.clear();
        Poll::Ready(Ok((stream, addr)))
    }

    fn begin(&mut self, addr: SocketAddr, cx: Cx<'_>) -> Result<Begun, BeginError> {
        let sock = self.socket(addr);
        if !matches!(sock, Err(BeginError::NoDescriptor(_))) {
            self.say_trying(&addr);
        }
        let sock = sock?;
        match sock.connect(&addr.into()) {
            Ok(()) => {}
            Err(error) if errno::is_in_progress(&error) => {}
            Err(error) => return Err(BeginError::This(error)),
        }
        let is_group = self.leads_to_group(&sock, &addr);
        if is_group.map_err(BeginError::This)? {
            // Its port may be the one wanted again.
            drop(sock);
            let sock = self.socket(addr)?;
            group::aim(&sock, &addr).map_err(BeginError::This)?;
            return Ok(Begun::Connected(Stream::new(sock)));
        }
        // Over loopback it is often done by now, and the loop need not be asked.
        if is_connected(&sock, self.net()).map_err(BeginError::This)? {
            return Ok(Begun::Connected(Stream::new(sock)));
        }
        let mut stream = Stream::new(sock);
        let registered = stream.register(&cx.registrar);
        registered.map_err(BeginError::This)?;
        let deadline = self.limit.map(|limit| cx.now + limit);
        Ok(Begun::Pending(Connecting {
            stream,
            addr,
            deadline,
        }))
    }

    /// A socket to connect to an address.
    fn socket(&self, addr: SocketAddr) -> Result<Socket, BeginError> {
        let transport = self.net().transport;
        let sock = match listen::socket(addr, transport) {
            Err(error) if errno::is_no_descriptor(&error) => {
                return Err(BeginError::NoDescriptor(error));
            }
            Err(error) if errno::is_no_protocol(&error) => {
                return Err(BeginError::Fatal(Obstacle::NoTransport(transport, error)));
            }
            other => other.map_err(BeginError::This)?,
        };
        self.bind_source(&sock, addr)?;
        options::apply(&sock, Whose::Peer(addr), transport, &self.net().options)
            .map_err(|error| BeginError::Fatal(Obstacle::Option(error)))?;
        Ok(sock)
    }

    /// Returns whether a connected socket leads to many hosts.
    fn leads_to_group(&self, sock: &Socket, addr: &SocketAddr) -> io::Result<bool> {
        let is_udp = self.net().transport == Transport::Udp;
        Ok(is_udp && group::leads_to_group(sock, addr, self.net().options.broadcast)?)
    }

    fn say_trying(&mut self, addr: &SocketAddr) {
        if report::is_verbose(2) {
            self.news.push(News::Trying(*addr));
        }
    }

    fn bind_source(&self, sock: &Socket, to: SocketAddr) -> Result<(), BeginError> {
        let port = self.net().source_port;
        if self.source.is_empty() && port.is_none() {
            return Ok(());
        }
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let mut from = SocketAddr::new(any, port.unwrap_or(0));
        if !self.source.is_empty() {
            let mut known = self.source.iter();
            let fitting = known.find(|addr| addr.is_ipv4() == to.is_ipv4());
            from = *fitting.ok_or_else(|| BeginError::This(errno::no_family()))?;
        }
        if port.is_some() {
            // A port in TIME_WAIT may be used towards another peer.
            sock.set_reuse_address(true).map_err(BeginError::This)?;
            // The port of a group is that of all its members.
            if self.net().transport == Transport::Udp && to.ip().to_canonical().is_multicast() {
                sock.set_reuse_port(true).map_err(BeginError::This)?;
            }
        }
        sock.bind(&from.into())
            .map_err(|error| BeginError::Fatal(Obstacle::Source(from, error)))
    }

    /// Looks at the attempts after an event, and at their time; gives the index of one that is
    /// connected.
    fn check_attempts(&mut self, cx: Cx<'_>) -> Option<usize> {
        let look = std::mem::take(&mut self.may_be_done);
        let mut index = 0;
        while index < self.attempts.len() {
            match self.attempts[index].check(look, self.net(), cx.now) {
                Poll::Ready(Ok(())) => return Some(index),
                Poll::Pending => index += 1,
                Poll::Ready(Err((error, timed_out))) => {
                    let lost = self.attempts.swap_remove(index);
                    cx.registrar.deregister(lost.stream.fd());
                    self.fail(lost.addr, error, timed_out);
                    // The next address need not wait for its turn.
                    self.next_start = Some(cx.now);
                }
            }
        }
        None
    }

    /// Takes note of an address that did not work; with `-v` it is told.
    fn fail(&mut self, addr: SocketAddr, error: io::Error, timed_out: bool) {
        if report::is_verbose(1) {
            self.news.push(News::NotConnected {
                addr: Some(addr),
                error: error::copy(&error),
                timed_out,
                others_left: !(self.queue.is_empty() && self.attempts.is_empty()),
            });
        }
        self.failures.push((addr, error));
    }

    /// The addresses that failed.
    pub fn unreached(&mut self) -> Unreached {
        Unreached {
            failures: std::mem::take(&mut self.failures),
            ran_out: false,
        }
    }
}

impl Connecting {
    /// Returns whether it is connected, or why it failed and whether that is our own time limit.
    fn check(&self, look: bool, net: &Net, now: Instant) -> Poll<Result<(), (io::Error, bool)>> {
        if look {
            match is_connected(self.stream.socket(), net) {
                Ok(true) => return Poll::Ready(Ok(())),
                Ok(false) => {}
                Err(error) => return Poll::Ready(Err((error, false))),
            }
        }
        match self.deadline {
            Some(deadline) if now >= deadline => {
                Poll::Ready(Err((io::ErrorKind::TimedOut.into(), true)))
            }
            _ => Poll::Pending,
        }
    }
}

/// A connect has worked when there is a peer, other than the socket itself: the local port the
/// kernel chooses for a connect to this machine can be the one connected to, and a TCP socket that
/// meets itself is connected (RFC 9293, section 3.5): nothing listens there then. Where the user
/// chose the port, it is meant.
///
/// It has worked, too, when the peer was there and has reset the connection since: what it sent
/// before is still to be read, and the error, which asking for it would take away, stands behind.
fn is_connected(sock: &Socket, net: &Net) -> io::Result<bool> {
    match sock.peer_addr() {
        Ok(peer) if net.source_port.is_none() && sock.local_addr()? == peer => {
            Err(errno::refused())
        }
        Ok(_) => Ok(true),
        Err(_) if sockopt::was_acknowledged(sock) => Ok(true),
        Err(_) => match sock.take_error()? {
            Some(error) => Err(error),
            None => Ok(false),
        },
    }
}
