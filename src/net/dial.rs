//! Connecting: name → addresses → one connection → through a proxy, if there is one.
//!
//! ```text
//! Start ──► (ResolvingTarget, for SOCKS4) ──► Resolving ──► Racing ──► Talking (to a proxy) ──► Done
//! ```

use super::handshake::{Talk, TalkError};
use super::race::{Obstacle, Race, Raced};
use super::resolve;
use crate::io::inbox::Notice;
use crate::io::reactor::Registrar;
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::plan::{Dialing, Net};
use crate::proto::{Refused, Target};
use crate::report;
use socket2::Socket;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// The name could not be looked up: host, port, reason.
    Name(String, u16, io::Error),
    /// No address could be connected to. With `-v` the reason of each is told by then.
    Connect {
        /// The line to say where that has not been said yet.
        message: String,
        /// The time ran out.
        timed_out: bool,
    },
    /// No address can work.
    Obstacle(Obstacle),
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

enum State {
    Start,
    ResolvingTarget,
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
    race: Race,
    answer: Option<io::Result<Vec<SocketAddr>>>,
    /// The address of the target, where the proxy has to be told that.
    target_addr: Option<IpAddr>,
    first_slot: u16,
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
            race: Race::new(hop.clone(), net, dialing, first_slot),
            hop,
            state: State::Start,
            answer: None,
            target_addr: None,
            first_slot,
            deadline: None,
        }
    }

    /// Takes in an event.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        match &mut self.state {
            State::Talking(talking) => talking.1.note(slot, ready),
            _ => self.race.note(slot),
        }
    }

    /// Takes in the addresses that were asked for.
    pub fn notice(&mut self, notice: &Notice) {
        if let Notice::Addresses(answer) = notice {
            self.answer = Some(match answer {
                Ok(found) => Ok(found.clone()),
                Err(error) => Err(io::Error::other(error.to_string())),
            });
        }
    }

    /// When the dialer wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.race.deadline().into_iter().chain(self.deadline).min()
    }

    /// Goes on as far as it can.
    pub fn drive(&mut self, registrar: &Registrar<'_>, now: Instant) -> Dialed {
        match self.advance(registrar, now) {
            Ok(None) if self.is_late(now) => Dialed::Failed(self.timed_out()),
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
            self.start(now);
            self.state = match self.resolves_target() {
                true => self.ask_for(self.target.clone(), State::ResolvingTarget, registrar)?,
                false => self.ask_for(self.hop.clone(), State::Resolving, registrar)?,
            };
        }
        if matches!(self.state, State::ResolvingTarget)
            && let Some(answer) = self.answer.take()
        {
            let found = named(answer, &self.target)?;
            // SOCKS4 knows IPv4 only.
            let v4 = found.iter().find(|addr| addr.is_ipv4());
            self.target_addr = v4.or(found.first()).map(SocketAddr::ip);
            self.state = self.ask_for(self.hop.clone(), State::Resolving, registrar)?;
        }
        if matches!(self.state, State::Resolving)
            && let Some(answer) = self.answer.take()
        {
            self.race.enter(named(answer, &self.hop)?);
            self.state = State::Racing;
        }
        if matches!(self.state, State::Racing) {
            match self
                .race
                .drive(registrar, now)
                .map_err(DialError::Obstacle)?
            {
                Raced::Wait => return Ok(None),
                Raced::Lost => return Err(self.lost()),
                Raced::Won(sock, addr) if self.dialing.proxy.is_none() => {
                    return Ok(Some(Connected {
                        sock,
                        addr,
                        left_over: Vec::new(),
                    }));
                }
                Raced::Won(sock, addr) => self.begin_talk(sock, addr, registrar)?,
            }
        }
        self.talk()
    }

    fn start(&mut self, now: Instant) {
        // A dialogue with a proxy counts into the time as well.
        let whole = !self.dialing.timeout_per_address || self.dialing.proxy.is_some();
        let limit = self.dialing.timeout;
        let limit = limit.filter(|limit| whole && !limit.is_zero());
        self.deadline = limit.map(|limit| now + limit);
    }

    /// The target has to be known by its address, since the proxy cannot look up its name.
    fn resolves_target(&self) -> bool {
        let proxy = self.dialing.proxy.as_ref();
        proxy.is_some_and(|proxy| !proxy.resolves_names)
    }

    /// Asks for the addresses of a host; gives `next`, the state that waits for them.
    fn ask_for(
        &mut self,
        host: (String, u16),
        next: State,
        registrar: &Registrar<'_>,
    ) -> Result<State, DialError> {
        match resolve::ask(&host.0, host.1, &self.net, registrar) {
            Ok(resolve::Answer::Now(addrs)) => self.answer = Some(Ok(addrs)),
            Ok(resolve::Answer::Later) => {}
            Err(error) => return Err(DialError::Name(host.0, host.1, error)),
        }
        Ok(next)
    }

    fn begin_talk(
        &mut self,
        sock: Socket,
        addr: SocketAddr,
        registrar: &Registrar<'_>,
    ) -> Result<(), DialError> {
        let Some(proxy) = &self.dialing.proxy else {
            return Ok(());
        };
        let talk = Talk::new(proxy, &self.proxy_target(), self.target.1)
            .map_err(|refused| DialError::Proxy(TalkError::Refused(refused)))?;
        let stream = Stream::new(sock, self.first_slot, registrar)
            .map_err(|error| DialError::Proxy(TalkError::Io(error)))?;
        self.state = State::Talking(Box::new((talk, stream, addr)));
        Ok(())
    }

    fn talk(&mut self) -> Result<Option<Connected>, DialError> {
        let State::Talking(talking) = &mut self.state else {
            return Ok(None);
        };
        let (talk, stream, _) = &mut **talking;
        let left_over = match talk.drive(stream) {
            Ok(Some(left_over)) => left_over,
            Ok(None) => return Ok(None),
            Err(TalkError::Refused(Refused::PasswordWanted { .. })) if self.can_ask() => {
                return Err(DialError::PasswordWanted);
            }
            Err(error) => return Err(DialError::Proxy(error)),
        };
        let State::Talking(talking) = std::mem::replace(&mut self.state, State::Start) else {
            return Ok(None);
        };
        let (_, stream, addr) = *talking;
        Ok(Some(Connected {
            sock: stream.into_socket(),
            addr,
            left_over,
        }))
    }

    /// There is a user, and no password has been asked for yet.
    fn can_ask(&self) -> bool {
        let proxy = self.dialing.proxy.as_ref();
        proxy.is_some_and(|proxy| proxy.user.is_some() && proxy.password.is_none())
    }

    /// What the proxy is asked for: the name as it is, unless it was looked up.
    fn proxy_target(&self) -> Target {
        match self.target_addr {
            Some(addr) => Target::Ip(addr),
            None => Target::from(self.target.0.as_str()),
        }
    }

    fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    fn timed_out(&self) -> DialError {
        let message = self.race.timeout_line();
        if report::is_verbose(1) {
            report::error(&message);
        }
        DialError::Connect {
            message,
            timed_out: true,
        }
    }

    fn lost(&self) -> DialError {
        DialError::Connect {
            message: self.race.summary(),
            timed_out: self.race.any_timed_out(),
        }
    }
}

/// The addresses, or the error with the host they were asked for.
fn named(
    answer: io::Result<Vec<SocketAddr>>,
    host: &(String, u16),
) -> Result<Vec<SocketAddr>, DialError> {
    answer.map_err(|error| DialError::Name(host.0.clone(), host.1, error))
}
