//! Connecting: name → addresses → one connection → through a proxy, if there is one.
//!
//! ```text
//! Looking (names up) ──► Racing ──► Talking (to a proxy) ──► Done
//!                          ^            │
//!                          └── anew ────┘
//! ```

use super::handshake::{ProxyAnswer, Talk, TalkError, Talked};
use super::lookup::{self, Found, Lookup, Unknown};
use super::race::{Hop, Lost, Obstacle, Race};
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registered, Registrar};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::plan::{Dialing, Net, Proxy};
use crate::proto::http::challenge::Challenge;
use crate::proto::{Refused, Target};
use crate::report;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Instant;

/// Why there is no connection.
#[derive(Debug)]
pub enum DialError {
    /// A name could not be looked up.
    Name(Unknown),
    /// No address could be connected to; `true` when the time ran out. With `-v` the reason of
    /// each is in the news by then; without, it is in `Dialer::summary`.
    Connect(bool),
    /// No address can work.
    Obstacle(Obstacle),
    /// The proxy refused.
    Proxy(TalkError),
    /// The proxy wants a password for our user, which has not been asked for. HTTP proxies say what
    /// they do with it.
    PasswordWanted(Option<Challenge>),
}

/// A connection.
#[derive(Debug)]
pub struct Connected {
    /// The socket; of UDP it is only carried as a stream.
    pub stream: Stream,
    /// The address connected to: the peer's, or the proxy's.
    pub addr: SocketAddr,
}

enum State {
    Looking(Lookup),
    Racing,
    Talking(Box<(Talk, Stream, SocketAddr)>),
}

/// Makes one connection.
pub struct Dialer {
    dialing: Rc<Dialing>,
    /// What a proxy is answered with that has asked for a password.
    answer: Option<Rc<ProxyAnswer>>,
    /// The peer's name or address, and port.
    target: Hop,
    state: State,
    race: Race,
    /// A dialogue that goes on over the next connection.
    talk: Option<Talk>,
    /// The address of the target, where the proxy has to be told that.
    target_addr: Option<IpAddr>,
    deadline: Option<Instant>,
    /// The time for all of it ran out.
    ran_out: bool,
    news: Vec<String>,
}

impl Dialer {
    /// A dialer. Its time begins now.
    pub fn new(target: Hop, net: &Rc<Net>, dialing: &Rc<Dialing>, now: Instant) -> Dialer {
        let hop = dialing.proxy.as_ref().map(lookup::proxy_hop);
        let hop = hop.unwrap_or_else(|| target.clone());
        // A dialogue with a proxy counts into the time as well.
        let whole = !dialing.timeout_per_address || dialing.proxy.is_some();
        let limit = dialing.timeout;
        let limit = limit.filter(|limit| whole && !limit.is_zero());
        Dialer {
            state: State::Looking(Lookup::new(target.clone(), net, dialing)),
            race: Race::new(hop, net, dialing),
            dialing: Rc::clone(dialing),
            answer: None,
            target,
            talk: None,
            target_addr: None,
            deadline: limit.map(|limit| now + limit),
            ran_out: false,
            news: Vec::new(),
        }
    }

    /// The same where a proxy has asked for a password.
    pub fn answering(mut self, answer: Option<&Rc<ProxyAnswer>>) -> Dialer {
        self.answer = answer.cloned();
        self
    }

    /// The same where the names have been looked up, for whatever port.
    pub fn knowing(mut self, mut found: Found) -> Dialer {
        if self.dialing.proxy.is_none() {
            for addr in &mut found.hop {
                addr.set_port(self.target.1);
            }
        }
        self.begin_race(found);
        self
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            State::Talking(talking) => talking.1.note(id, ready),
            _ => self.race.note(id, ready),
        }
    }

    /// Takes in a notice: the addresses that were asked for.
    pub fn notice(&mut self, notice: &Notice) {
        if let State::Looking(lookup) = &mut self.state {
            lookup.notice(notice);
        }
    }

    /// The lines there are to say by now, whole; there are none without `-v`.
    pub fn take_news(&mut self) -> Vec<String> {
        let mut news = self.race.take_news();
        news.append(&mut self.news);
        news
    }

    /// One line about a dialer that has given up, for those who were not told the news.
    pub fn summary(&self) -> String {
        if self.ran_out {
            self.race.timeout_line()
        } else {
            self.race.summary()
        }
    }

    /// When the dialer wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.race.deadline().into_iter().chain(self.deadline).min()
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// It is given up.
    pub fn drive(&mut self, cx: Cx<'_>) -> Poll<Result<Connected, DialError>> {
        match self.advance(cx) {
            Poll::Pending if self.is_late(cx.now) => Poll::Ready(Err(self.timed_out())),
            polled => polled,
        }
    }

    fn advance(&mut self, cx: Cx<'_>) -> Poll<Result<Connected, DialError>> {
        if let State::Looking(lookup) = &mut self.state {
            let found = ready!(lookup.drive(&cx.registrar));
            self.begin_race(found.map_err(DialError::Name)?);
        }
        loop {
            if matches!(self.state, State::Racing) {
                let (stream, addr) = match ready!(self.race.drive(cx)) {
                    Ok(won) => won,
                    Err(lost) => return Poll::Ready(Err(self.lost(lost))),
                };
                if self.dialing.proxy.is_none() {
                    return Poll::Ready(Ok(Connected { stream, addr }));
                }
                self.begin_talk(stream, addr, &cx.registrar)
                    .map_err(DialError::Proxy)?;
            }
            let State::Talking(talking) = &mut self.state else {
                return Poll::Pending;
            };
            let (talk, stream, _) = &mut **talking;
            match ready!(talk.drive(stream)).map_err(|error| self.refused(error))? {
                Talked::Done(early) => {
                    let connected = self.hang_up(&early).map(Ok);
                    return connected.map_or(Poll::Pending, Poll::Ready);
                }
                Talked::Anew => self.talk_anew(),
            }
        }
    }

    fn lost(&self, lost: Lost) -> DialError {
        match lost {
            Lost::Obstacle(obstacle) => DialError::Obstacle(obstacle),
            Lost::All => DialError::Connect(self.race.any_timed_out()),
        }
    }

    fn begin_race(&mut self, found: Found) {
        self.target_addr = found.target;
        self.race.set_source(found.source);
        self.race.enter(found.hop);
        self.state = State::Racing;
    }

    fn begin_talk(
        &mut self,
        mut stream: Stream,
        addr: SocketAddr,
        registrar: &Registrar<'_>,
    ) -> Result<(), TalkError> {
        let Some(proxy) = &self.dialing.proxy else {
            return Ok(());
        };
        let talk = match self.talk.take() {
            Some(talk) => talk,
            None => Talk::new(
                proxy,
                self.answer.as_deref(),
                &self.proxy_target(),
                self.target.1,
            )?,
        };
        stream.register(registrar)?;
        self.state = State::Talking(Box::new((talk, stream, addr)));
        Ok(())
    }

    /// Connects to the same address of the proxy again, for the same dialogue.
    fn talk_anew(&mut self) {
        if let State::Talking(talking) = std::mem::replace(&mut self.state, State::Racing) {
            let (talk, _, addr) = *talking;
            self.talk = Some(talk);
            self.race.enter(vec![addr]);
        }
    }

    /// Takes the connection out of a dialogue, and with it the peer's first bytes, which came behind
    /// the proxy's answer.
    fn hang_up(&mut self, early: &[u8]) -> Option<Connected> {
        match std::mem::replace(&mut self.state, State::Racing) {
            State::Talking(talking) => {
                let (_, mut stream, addr) = *talking;
                stream.unread(early);
                Some(Connected { stream, addr })
            }
            State::Looking(_) | State::Racing => None,
        }
    }

    fn refused(&self, error: TalkError) -> DialError {
        match error {
            TalkError::Refused(Refused::PasswordWanted(challenge)) if self.can_ask() => {
                DialError::PasswordWanted(challenge)
            }
            error => DialError::Proxy(error),
        }
    }

    /// There is a user, and no password has been asked for yet.
    fn can_ask(&self) -> bool {
        let proxy = self.dialing.proxy.as_ref();
        self.answer.is_none() && proxy.is_some_and(Proxy::lacks_password)
    }

    /// What the proxy is asked for: the name as it is, unless it was looked up.
    fn proxy_target(&self) -> Target {
        match self.target_addr {
            Some(addr) => Target::Ip(addr),
            None => Target::from(&*self.target.0),
        }
    }

    fn is_late(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }

    fn timed_out(&mut self) -> DialError {
        self.ran_out = true;
        if report::is_verbose(1) {
            self.news.push(report::named(&self.race.timeout_line()));
        }
        DialError::Connect(true)
    }
}
