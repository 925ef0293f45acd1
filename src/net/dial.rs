//! Connecting: name → addresses → one connection → through a proxy, if there is one.
//!
//! ```text
//! Start ──► Resolving ──► Racing ──► Talking (to a proxy) ──► Done
//! ```
//! With a stagger the addresses are raced as RFC 8305 says: the next one is tried beside those
//! under way after 250 ms, or at once when one fails. Without, one after the other.

use super::addr::show_ip;
use super::handshake::{Talk, TalkError};
use super::options::{self, OptionError};
use super::{listen, resolve};
use crate::io::endpoint::Ready;
use crate::io::reactor::Registrar;
use crate::io::stream::Stream;
use crate::parse::escape::printable;
use crate::plan::{Dialing, Net, Transport};
use crate::proto::{Refused, Target};
use crate::report;
use crate::sys::errno;
use mio::Interest;
use socket2::Socket;
use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// The name could not be looked up: host, port, reason.
    Name(String, u16, io::Error),
    /// No address could be connected to; the reason of each is told by then.
    Connect {
        /// The line to say where that has not been said yet.
        message: String,
        /// The time ran out.
        timed_out: bool,
    },
    /// The local address could not be bound.
    Source(io::Error),
    /// A socket option was refused.
    Option(OptionError),
    /// The proxy refused.
    Proxy(TalkError),
    /// The proxy wants a password for our user: to be asked for.
    PasswordWanted,
}

/// A connection.
#[derive(Debug)]
pub struct Connected {
    /// The socket.
    pub sock: Socket,
    /// The address connected to: the peer's, or the proxy's.
    pub addr: SocketAddr,
    /// The peer's first bytes, which came behind the proxy's answer.
    pub left_over: Vec<u8>,
}

/// What a drive of a dialer came to.
#[derive(Debug)]
pub enum Dialed {
    /// Not there yet.
    Wait,
    /// Connected.
    Done(Connected),
    /// Given up.
    Failed(DialError),
}

/// One attempt to connect to one address.
#[derive(Debug)]
struct Attempt {
    sock: Socket,
    addr: SocketAddr,
    slot: u16,
    may_be_done: bool,
    deadline: Option<Instant>,
}

enum State {
    Start,
    Resolving,
    Racing,
    Talking(Box<(Talk, Stream, SocketAddr)>),
}

/// Makes one connection.
pub struct Dialer {
    net: Net,
    dialing: Dialing,
    /// The peer's name or address, and port.
    target: (String, u16),
    /// The one connected to: the target, or the proxy.
    hop: (String, u16),
    state: State,
    answer: Option<io::Result<Vec<SocketAddr>>>,
    queue: VecDeque<SocketAddr>,
    attempts: Vec<Attempt>,
    failures: Vec<(SocketAddr, io::Error)>,
    next_slot: u16,
    first_slot: u16,
    next_start: Option<Instant>,
    deadline: Option<Instant>,
}

impl Dialer {
    /// A dialer that registers its sockets under `first_slot` and the slots behind it.
    pub fn new(host: &str, port: u16, net: &Net, dialing: &Dialing, first_slot: u16) -> Dialer {
        let target = (host.to_string(), port);
        let proxy = dialing.proxy.as_ref();
        let hop = proxy.map_or(target.clone(), |proxy| (proxy.host.clone(), proxy.port));
        Dialer {
            net: net.clone(),
            dialing: dialing.clone(),
            target,
            hop,
            state: State::Start,
            answer: None,
            queue: VecDeque::new(),
            attempts: Vec::new(),
            failures: Vec::new(),
            next_slot: first_slot,
            first_slot,
            next_start: None,
            deadline: None,
        }
    }

    /// Takes in an event.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        if let State::Talking(talking) = &mut self.state {
            talking.1.note(slot, ready);
        }
        for attempt in self
            .attempts
            .iter_mut()
            .filter(|attempt| attempt.slot == slot)
        {
            attempt.may_be_done = true;
        }
    }

    /// Takes in the addresses that were asked for.
    pub fn addresses(&mut self, answer: io::Result<Vec<SocketAddr>>) {
        self.answer = Some(answer);
    }

    /// When the dialer wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        let attempts = self.attempts.iter().filter_map(|attempt| attempt.deadline);
        let next = self.next_start.filter(|_| !self.queue.is_empty());
        attempts.chain(self.deadline).chain(next).min()
    }

    /// Goes on as far as it can.
    pub fn drive(&mut self, registrar: &Registrar<'_>, now: Instant) -> Dialed {
        match self.advance(registrar, now) {
            Ok(None) => Dialed::Wait,
            Ok(Some(connected)) => Dialed::Done(connected),
            Err(error) => Dialed::Failed(error),
        }
    }

    fn advance(
        &mut self,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<Option<Connected>, DialError> {
        if matches!(self.state, State::Start) {
            self.start(registrar, now)?;
        }
        if matches!(self.state, State::Resolving) {
            let Some(answer) = self.answer.take() else {
                return if self.is_late(now) {
                    Err(self.timed_out())
                } else {
                    Ok(None)
                };
            };
            let (host, port) = self.hop.clone();
            self.begin_race(
                answer.map_err(|error| DialError::Name(host, port, error))?,
                now,
            );
        }
        if matches!(self.state, State::Racing)
            && let Some((sock, addr)) = self.race(registrar, now)?
        {
            let Some(proxy) = &self.dialing.proxy else {
                return Ok(Some(Connected {
                    sock,
                    addr,
                    left_over: Vec::new(),
                }));
            };
            let talk =
                Talk::new(proxy, &self.proxy_target(addr)?, self.target.1).map_err(refused)?;
            let stream = Stream::new(sock, self.first_slot, registrar).map_err(broken)?;
            self.state = State::Talking(Box::new((talk, stream, addr)));
        }
        self.talk(now)
    }

    fn start(&mut self, registrar: &Registrar<'_>, now: Instant) -> Result<(), DialError> {
        let whole = !self.dialing.timeout_per_address || self.dialing.proxy.is_some();
        self.deadline = self.time_limit().filter(|_| whole).map(|limit| now + limit);
        let (host, port) = self.hop.clone();
        match resolve::ask(&host, port, &self.net, registrar) {
            Ok(resolve::Answer::Now(addrs)) => self.begin_race(addrs, now),
            Ok(resolve::Answer::Later) => self.state = State::Resolving,
            Err(error) => return Err(DialError::Name(host, port, error)),
        }
        Ok(())
    }

    fn begin_race(&mut self, addrs: Vec<SocketAddr>, now: Instant) {
        let raced = self.dialing.stagger.is_some() && self.net.source_port.is_none();
        self.queue = if raced {
            resolve::interleaved(addrs)
        } else {
            addrs
        }
        .into();
        if !raced {
            self.dialing.stagger = None;
        }
        self.next_start = Some(now);
        self.state = State::Racing;
    }

    /// Starts, checks and gives up attempts; the first that is connected wins.
    fn race(
        &mut self,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<Option<(Socket, SocketAddr)>, DialError> {
        loop {
            if let Some(index) = self.check_attempts(registrar, now) {
                let won = self.attempts.swap_remove(index);
                registrar.deregister(won.sock.as_fd());
                self.attempts.clear();
                self.queue.clear();
                return Ok(Some((won.sock, won.addr)));
            }
            if self.is_late(now) {
                return Err(self.timed_out());
            }
            let due = self.dialing.stagger.is_some() && self.next_start.is_none_or(|at| now >= at);
            if !self.attempts.is_empty() && !due {
                return Ok(None);
            }
            let Some(addr) = self.queue.pop_front() else {
                return if self.attempts.is_empty() {
                    Err(self.failed())
                } else {
                    Ok(None)
                };
            };
            self.next_start = self.dialing.stagger.map(|stagger| now + stagger);
            self.attempt(addr, registrar, now)?;
        }
    }

    fn attempt(
        &mut self,
        addr: SocketAddr,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<(), DialError> {
        report::verbose(
            2,
            &format!(
                "Trying {} port {} ({})",
                show_ip(&addr),
                addr.port(),
                self.net.transport.name()
            ),
        );
        let begun = self.begin_attempt(addr, registrar, now);
        match begun {
            Ok(attempt) => self.attempts.push(attempt),
            Err(BeginError::Fatal(error)) => return Err(error),
            Err(BeginError::This(error)) => self.fail(addr, error, false),
        }
        Ok(())
    }

    fn begin_attempt(
        &mut self,
        addr: SocketAddr,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<Attempt, BeginError> {
        let sock = listen::socket(addr, self.net.transport).map_err(BeginError::This)?;
        self.bind_source(&sock, addr)?;
        options::apply(&sock, &addr, self.net.transport, &self.net.options)
            .map_err(|error| BeginError::Fatal(DialError::Option(error)))?;
        match sock.connect(&addr.into()) {
            Ok(()) => {}
            Err(error) if errno::is_in_progress(&error) => {}
            Err(error) => return Err(BeginError::This(error)),
        }
        let slot = self.next_slot;
        self.next_slot = self.next_slot.checked_add(1).unwrap_or(self.first_slot);
        registrar
            .register(sock.as_fd(), slot, Interest::WRITABLE)
            .map_err(BeginError::This)?;
        let limit = self
            .time_limit()
            .filter(|_| self.dialing.timeout_per_address);
        let deadline = limit.map(|limit| now + limit);
        // A connect over loopback is often done by now.
        Ok(Attempt {
            sock,
            addr,
            slot,
            may_be_done: true,
            deadline,
        })
    }

    fn bind_source(&self, sock: &Socket, to: SocketAddr) -> Result<(), BeginError> {
        let (source, port) = (&self.net.source, self.net.source_port);
        if source.is_none() && port.is_none() {
            return Ok(());
        }
        let any: IpAddr = match to {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let mut from = SocketAddr::new(any, port.unwrap_or(0));
        if let Some(host) = source {
            let found = resolve::now(host, port.unwrap_or(0), &self.net);
            let found = found.map_err(|error| {
                let name = DialError::Name(host.clone(), port.unwrap_or(0), error);
                BeginError::Fatal(name)
            })?;
            let fitting = found
                .into_iter()
                .find(|addr| addr.is_ipv4() == to.is_ipv4());
            from = fitting.ok_or_else(|| BeginError::This(errno::no_family()))?;
        }
        if port.is_some() {
            // A port in TIME_WAIT may be used towards another peer.
            sock.set_reuse_address(true).map_err(BeginError::This)?;
        }
        sock.bind(&from.into())
            .map_err(|error| BeginError::Fatal(DialError::Source(error)))
    }

    /// Looks at the attempts an event was seen for; gives the index of one that is connected.
    fn check_attempts(&mut self, registrar: &Registrar<'_>, now: Instant) -> Option<usize> {
        let mut index = 0;
        while index < self.attempts.len() {
            match self.attempts[index].check(now) {
                Check::Connected => return Some(index),
                Check::Pending => index += 1,
                Check::Failed(error, timed_out) => {
                    let lost = self.attempts.swap_remove(index);
                    registrar.deregister(lost.sock.as_fd());
                    self.fail(lost.addr, error, timed_out);
                    // The next address need not wait for its turn.
                    self.next_start = Some(now);
                }
            }
        }
        None
    }

    fn talk(&mut self, now: Instant) -> Result<Option<Connected>, DialError> {
        let late = self.is_late(now);
        let State::Talking(talking) = &mut self.state else {
            return Ok(None);
        };
        let (talk, stream, addr) = &mut **talking;
        let addr = *addr;
        let left_over = match talk.drive(stream) {
            Ok(Some(left_over)) => left_over,
            Ok(None) if late => return Err(self.timed_out()),
            Ok(None) => return Ok(None),
            Err(TalkError::Refused(Refused::PasswordWanted { .. })) if self.can_ask() => {
                return Err(DialError::PasswordWanted);
            }
            Err(error) => return Err(DialError::Proxy(error)),
        };
        let State::Talking(talking) = std::mem::replace(&mut self.state, State::Start) else {
            return Ok(None);
        };
        let sock = talking.1.into_socket();
        Ok(Some(Connected {
            sock,
            addr,
            left_over,
        }))
    }

    /// There is a user, and no password has been asked for yet.
    fn can_ask(&self) -> bool {
        let proxy = self.dialing.proxy.as_ref();
        proxy.is_some_and(|proxy| proxy.user.is_some() && proxy.password.is_none())
    }

    /// What the proxy is asked for: the name as it is, unless it cannot resolve it.
    fn proxy_target(&self, _proxy: SocketAddr) -> Result<Target, DialError> {
        let (host, port) = &self.target;
        let target = Target::from(host.as_str());
        let resolves = self
            .dialing
            .proxy
            .as_ref()
            .is_none_or(|proxy| proxy.resolves_names);
        match (&target, resolves) {
            (Target::Name(_), false) => {
                let name = |error| DialError::Name(host.clone(), *port, error);
                let found = resolve::now(host, *port, &self.net).map_err(name)?;
                let v4 = found.iter().find(|addr| addr.is_ipv4()).or(found.first());
                let addr = v4.ok_or_else(|| name(errno::no_family()))?;
                Ok(Target::Ip(addr.ip()))
            }
            _ => Ok(target),
        }
    }

    /// nc's `-w 0` is no limit for connecting.
    fn time_limit(&self) -> Option<Duration> {
        self.dialing.timeout.filter(|limit| !limit.is_zero())
    }

    fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// Takes note of an address that did not work, and tells it with `-v`.
    fn fail(&mut self, addr: SocketAddr, error: io::Error, timed_out: bool) {
        if report::is_verbose(1) {
            report::error(&self.failure_line(Some(addr), &error, timed_out));
        }
        self.failures.push((addr, error));
    }

    fn timed_out(&mut self) -> DialError {
        let error = io::Error::from(io::ErrorKind::TimedOut);
        let message = self.failure_line(None, &error, true);
        if report::is_verbose(1) {
            report::error(&message);
        }
        DialError::Connect {
            message,
            timed_out: true,
        }
    }

    /// All addresses failed: one line for all of them.
    fn failed(&mut self) -> DialError {
        let timed_out = self
            .failures
            .iter()
            .any(|(_, e)| e.kind() == io::ErrorKind::TimedOut);
        let reasons: Vec<String> = self
            .failures
            .iter()
            .map(|(_, error)| report::reason(error))
            .collect();
        let same = reasons.windows(2).all(|pair| pair[0] == pair[1]);
        let Some((addr, error)) = self.failures.last() else {
            let error = errno::no_family();
            let message = self.failure_line(None, &error, false);
            return DialError::Connect { message, timed_out };
        };
        let message = match (self.failures.len(), same) {
            (1, _) => self.failure_line(Some(*addr), error, is_timeout(error)),
            (_, true) => self.failure_line(None, error, is_timeout(error)),
            (_, false) => {
                let each = self.failures.iter().zip(&reasons);
                let each: Vec<String> = each
                    .map(|((addr, _), why)| format!("{why} ({})", show_ip(addr)))
                    .collect();
                let (host, port) = self.shown_hop();
                let proto = self.net.transport.name();
                format!(
                    "connect to {host} port {port} ({proto}) failed: {}",
                    each.join(", ")
                )
            }
        };
        DialError::Connect { message, timed_out }
    }

    /// nc's line about a connect that failed, to the letter.
    fn failure_line(&self, addr: Option<SocketAddr>, error: &io::Error, timed_out: bool) -> String {
        let (host, port) = self.shown_hop();
        let proto = self.net.transport.name();
        let ip = addr
            .map(|addr| show_ip(&addr))
            .filter(|ip| *ip != host && !self.net.numeric);
        let ip = ip.map(|ip| format!(" ({ip})")).unwrap_or_default();
        let end = match (timed_out, self.dialing.timeout_reason) {
            (true, Some(reason)) => format!("timed out: {reason}"),
            (true, None) => "timed out".into(),
            (false, _) => format!("failed: {}", report::reason(error)),
        };
        format!("connect to {host}{ip} port {port} ({proto}) {end}")
    }

    fn shown_hop(&self) -> (String, u16) {
        (printable(self.hop.0.as_bytes()), self.hop.1)
    }

    /// What is spoken.
    pub fn transport(&self) -> Transport {
        self.net.transport
    }
}

fn is_timeout(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none()
}

fn refused(refused: Refused) -> DialError {
    DialError::Proxy(TalkError::Refused(refused))
}

fn broken(error: io::Error) -> DialError {
    DialError::Proxy(TalkError::Io(error))
}

enum BeginError {
    /// This address does not work.
    This(io::Error),
    /// No address can work.
    Fatal(DialError),
}

enum Check {
    Connected,
    Pending,
    /// Why, and whether it is our own time limit.
    Failed(io::Error, bool),
}

impl Attempt {
    /// A connect has worked when there is no error and there is a peer.
    fn check(&mut self, now: Instant) -> Check {
        if std::mem::take(&mut self.may_be_done) {
            match self.sock.take_error() {
                Ok(Some(error)) | Err(error) => return Check::Failed(error, false),
                Ok(None) if self.sock.peer_addr().is_ok() => return Check::Connected,
                Ok(None) => {}
            }
        }
        match self.deadline {
            Some(deadline) if now >= deadline => {
                Check::Failed(io::ErrorKind::TimedOut.into(), true)
            }
            _ => Check::Pending,
        }
    }
}
