//! Sessions one after the other: with the ports of a host, with one end, with the clients of a
//! listener in turn, or with all peers of a datagram socket at once.

use super::company::Company;
use super::entrance::{Entrance, Next};
use super::opening::Start;
use super::outcome::{Outcome, signal_exit};
use super::ports::PortList;
use super::session::Session;
use super::terms::Terms;
use super::whole::Whole;
use crate::exit::Exit;
use crate::flow::bridge::Turn;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::plan::Clients;
use std::rc::Rc;
use std::time::Instant;

/// Where the peers of sessions come from that follow each other.
pub enum Source {
    /// One end, which is connected to once.
    Once,
    /// The ports of a host.
    Ports(PortList),
    /// A listener of streams, and which of its clients are served.
    Streams(Box<Entrance>, Clients),
    /// A datagram socket with all its peers.
    Whole(Box<Whole>),
}

impl Source {
    /// Prints which peers there are, before it is printed how their session ended.
    fn tell_peers(&mut self, session: &mut Session, cx: Cx<'_>) {
        match self {
            Source::Streams(entrance, _) => entrance.welcome.greeter.flush(),
            Source::Whole(whole) => {
                whole.hear(session, cx);
                whole.welcome.greeter.flush();
            }
            Source::Once | Source::Ports(_) => {}
        }
    }
}

/// Runs sessions one after the other.
pub struct Sequence {
    terms: Rc<Terms>,
    source: Source,
    session: Option<Box<Session>>,
    signalled: bool,
}

impl Sequence {
    /// Sessions with the peers of a source.
    pub fn new(terms: Rc<Terms>, source: Source) -> Sequence {
        Sequence {
            terms,
            source,
            session: None,
            signalled: false,
        }
    }

    /// What the next session begins with; or what is to be done while there is none.
    fn next(&mut self, cx: Cx<'_>) -> Result<Start, Step<Exit>> {
        if self.signalled {
            return Err(Step::Done(signal_exit()));
        }
        let codes = self.terms.manners.codes;
        match &mut self.source {
            Source::Once => Ok(Start::default()),
            Source::Ports(ports) => match ports.next(cx.now) {
                Some(port) => Ok(Start {
                    port: Some(port),
                    is_followed: ports.has_more(),
                    client: None,
                }),
                None if ports.deadline().is_some() => Err(Step::Wait),
                None => Err(Step::Done(ports.exit(&codes))),
            },
            Source::Streams(entrance, clients) => next_client(entrance, *clients, cx),
            Source::Whole(whole) => Ok(Start {
                client: whole.take_arrival(),
                ..Start::default()
            }),
        }
    }

    /// A session is over: is everything?
    fn over(&mut self, outcome: Outcome, now: Instant) -> Option<Exit> {
        let exit = outcome.exit;
        let ends_all = outcome.is_fatal || matches!(exit, Exit::Signal(_));
        match &mut self.source {
            Source::Ports(ports) => {
                ports.done(outcome.closed, exit, now);
                ends_all.then_some(exit)
            }
            Source::Streams(entrance, clients) => {
                entrance.welcome.greeter.flush();
                let is_last = *clients != Clients::InTurn || outcome.is_last;
                (is_last || ends_all).then_some(exit)
            }
            Source::Whole(whole) => {
                whole.welcome.greeter.flush();
                Some(exit)
            }
            Source::Once => Some(exit),
        }
    }
}

/// The next client, if there is one.
fn next_client(entrance: &mut Entrance, clients: Clients, cx: Cx<'_>) -> Result<Start, Step<Exit>> {
    if !entrance.is_open() {
        return Err(Step::Done(entrance.exit()));
    }
    let step = match entrance.next_or_none(cx) {
        Next::Client(client) => {
            if clients == Clients::One {
                entrance.close();
            }
            entrance.greet(&client, &cx.registrar);
            return Ok(Start {
                client: Some(client),
                port: None,
                is_followed: clients == Clients::InTurn,
            });
        }
        Next::Pending => Step::Wait,
        _ => Step::Again,
    };
    let nobody_came = entrance.welcome.nobody_came(cx.now);
    Err(nobody_came.map_or(step, Step::Done))
}

impl Drive<Exit> for Sequence {
    fn note(&mut self, id: Registered, ready: Ready) {
        if let Source::Streams(entrance, _) = &mut self.source {
            entrance.note(id, ready);
        }
        if let Some(session) = &mut self.session {
            session.note(id, ready);
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        match &mut self.source {
            Source::Streams(entrance, _) => entrance.notice(notice),
            Source::Whole(whole) => whole.welcome.notice(notice),
            Source::Once | Source::Ports(_) => {}
        }
        self.signalled |= matches!(notice, Notice::Ending);
        if let Some(session) = &mut self.session {
            session.notice(notice, now);
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if self.session.is_none() {
            match self.next(cx) {
                Ok(start) => {
                    let session = Session::new(&self.terms, start, Company::Alone, cx.now);
                    self.session = Some(Box::new(session));
                }
                Err(step) => return step,
            }
        }
        let Some(session) = &mut self.session else {
            return Step::Wait;
        };
        let source = &mut self.source;
        let progress = session.advance(cx, &mut |session| source.tell_peers(session, cx));
        if let Source::Whole(whole) = &mut self.source
            && let Some(exit) = whole.attend(session, cx)
        {
            return Step::Done(exit);
        }
        match progress {
            Turn::Wait => Step::Wait,
            Turn::Again => Step::Again,
            Turn::Over(outcome) => {
                self.session = None;
                let exit = self.over(outcome, cx.now);
                // Before the next one begins, signals are heard and the time is taken: a refused
                // port of this machine is done at once.
                exit.map_or(Step::Again, Step::Done)
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let session = self.session.as_ref().and_then(|session| session.deadline());
        let source = match &self.source {
            Source::Whole(whole) => whole.welcome.deadline(),
            _ if self.session.is_some() => None,
            Source::Streams(entrance, _) => entrance.deadline(),
            Source::Ports(ports) => ports.deadline(),
            Source::Once => None,
        };
        session.into_iter().chain(source).min()
    }
}
