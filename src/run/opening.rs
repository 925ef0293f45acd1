//! Opening what a session needs: the remote side, then ours, unless the peer has come.

use super::client::{Arrival, Link};
use super::company::Company;
use super::event::Event;
use super::outcome::{Outcome, failed};
use super::terms::Terms;
use super::{itself, password, words};
use crate::exit::Exit;
use crate::io::datagram::PeerAddr;
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stdio::Uses;
use crate::net::environment::Addresses;
use crate::net::inside::Facing;
use crate::net::open::{Opened, Opener};
use crate::net::open_error::OpenError;
use crate::net::own_file::OwnFile;
use crate::net::prepared::Prepared;
use crate::plan::{Base, Purpose};
use crate::report;
use crate::sys::{fdpass, signal};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Instant;

/// What a session starts from.
#[derive(Default)]
pub struct Start {
    /// The peer of a listener, if it is one.
    pub client: Option<Box<Arrival>>,
    /// The port to connect to, of several.
    pub port: Option<u16>,
    /// Another session follows, so that standard output stays open.
    pub is_followed: bool,
}

/// What both sides are called in messages.
#[derive(Default)]
pub struct Labels {
    /// The peer of a listener, or the one that was dialed.
    pub peer: Box<str>,
    /// The target that a listener's peer is relayed to.
    pub target: Box<str>,
}

impl Labels {
    /// The remote side: the target of a relay, or the peer.
    pub fn remote(&self, terms: &Terms) -> &str {
        if terms.relays() {
            &self.target
        } else {
            &self.peer
        }
    }
}

/// Both sides of a session until they are open.
pub struct Opening {
    terms: Rc<Terms>,
    company: Company,
    /// The connection of a listener's peer, until it is an end.
    link: Option<Link>,
    /// The sides that are open.
    ends: [Option<Endpoint>; 2],
    /// Opens the next one.
    opener: Option<Opener>,
    /// Closed when the other side is opened.
    reserve: Vec<OwnedFd>,
    port: Option<u16>,
    is_followed: bool,
    /// What the sides are called.
    pub names: Labels,
    /// Our own socket file.
    pub file: Option<OwnFile>,
}

/// Our side of a session, and the peer's, as they stand in arrays.
const LOCAL: usize = 0;
const REMOTE: usize = 1;

impl Opening {
    /// Nothing is open yet.
    pub fn new(terms: &Rc<Terms>, start: Start, company: Company) -> Opening {
        let mut opening = Opening {
            terms: Rc::clone(terms),
            company,
            link: None,
            ends: [None, None],
            opener: None,
            reserve: Vec::new(),
            port: start.port,
            is_followed: start.is_followed,
            names: Labels::default(),
            file: None,
        };
        if let Some(client) = start.client {
            opening.names.peer = client.label.into();
            opening.link = Some(client.link);
            opening.reserve = client.reserve;
        }
        opening
    }

    /// Goes on as far as it can; returns both ends, our side before the peer's.
    ///
    /// # Errors
    /// The outcome of a session that cannot begin, or need not.
    pub fn drive(&mut self, cx: Cx<'_>) -> Poll<Result<[Endpoint; 2], Outcome>> {
        if let Some(link) = self.link.take() {
            self.take_in(link, cx)?;
        }
        self.reserve.clear();
        loop {
            match std::mem::take(&mut self.ends) {
                [Some(local), Some(remote)] => return Poll::Ready(Ok([local, remote])),
                ends => self.ends = ends,
            }
            ready!(self.open(cx))?;
        }
    }

    /// Makes an end of a listener's peer.
    fn take_in(&mut self, link: Link, cx: Cx<'_>) -> Result<(), Outcome> {
        let end = link.into_end(&cx.registrar);
        let mut end = end.map_err(|error| Outcome::fatal(failed(&error.into())))?;
        if let Endpoint::Mailbox(mailbox) = &mut end {
            mailbox.wakes(cx.registrar.waker());
        }
        let side = if self.terms.relays() { LOCAL } else { REMOTE };
        self.ends[side] = Some(end);
        Ok(())
    }

    /// Goes on opening the side that is missing, the peer's first.
    fn open(&mut self, cx: Cx<'_>) -> Poll<Result<(), Outcome>> {
        let is_remote = self.ends[REMOTE].is_none();
        let mut opener = match self.opener.take() {
            Some(opener) => opener,
            None => self.opener(is_remote, cx.now)?,
        };
        if is_remote && itself::returns(self.ends[LOCAL].as_ref(), opener.to()) {
            return Poll::Ready(Err(Outcome::of(Exit::FAILED)));
        }
        let opened = opener.drive(cx);
        for news in opener.take_news() {
            words::tell_opening(&news, opener.to().end(), opener.port());
        }
        Poll::Ready(match opened {
            Poll::Pending => {
                self.opener = Some(opener);
                return Poll::Pending;
            }
            Poll::Ready(Err(error)) => self.not_opened(error, &opener),
            Poll::Ready(Ok(opened)) => {
                self.terms.shortage.set(None);
                if is_remote {
                    self.opened(opened, opener.to())
                } else {
                    self.ends[LOCAL] = Some(opened.end);
                    Ok(())
                }
            }
        })
    }

    fn opener(&self, is_remote: bool, now: Instant) -> Result<Opener, Outcome> {
        let prepared = if is_remote {
            &self.terms.remote
        } else {
            &self.terms.local
        };
        let prepared = prepared.as_ref().ok_or(Outcome::fatal(Exit::FAILED))?;
        let port = self.port.filter(|_| is_remote);
        let opener = Opener::new(prepared, port, now);
        Ok(if prepared.end().is_inside() {
            opener.facing(self.facing(prepared))
        } else {
            opener
        })
    }

    /// What an end inside this machine has to know of the session.
    fn facing(&self, prepared: &Prepared) -> Facing {
        let rules = &self.terms.rules;
        let uses = Uses {
            input: rules.reads_stdin,
            output: rules.writes_stdout,
            keeps_open: self.is_followed,
        };
        let is_program = matches!(prepared.end().base, Base::Program(_));
        let mut others = self.ends.iter().flatten().filter(|_| is_program);
        let peer = others.next();
        Facing {
            uses,
            addresses: peer.map(Addresses::of_end).unwrap_or_default(),
            keeps_messages: peer.is_some_and(Endpoint::keeps_messages),
        }
    }

    /// The peer's side is open.
    fn opened(&mut self, opened: Opened, to: &Prepared) -> Result<(), Outcome> {
        self.file = opened.file;
        let label = opened.label.into();
        if let Some(local) = &self.ends[LOCAL] {
            if itself::is_same(local, &opened.end, to) {
                local.reset();
                return Err(Outcome::of(Exit::FAILED));
            }
            self.names.target = label;
        } else {
            self.names.peer = label;
        }
        match self.terms.purpose {
            Purpose::Join => {
                self.ends[REMOTE] = Some(opened.end);
                Ok(())
            }
            Purpose::Look => Err(Outcome::of(Exit::OK)),
            Purpose::PassSocket => Err(Outcome::fatal(pass_socket(&opened.end))),
        }
    }

    /// One side cannot be opened.
    fn not_opened(&mut self, error: OpenError, opener: &Opener) -> Result<(), Outcome> {
        let error = match error {
            OpenError::PasswordWanted(challenge) if !self.terms.relays() => {
                // The next opener answers with it.
                return password::ask(opener.to(), challenge).map_err(Outcome::fatal);
            }
            error => error,
        };
        let failure = words::not_opened(&error, opener, &self.terms.manners, self.terms.relays());
        let is_news = self.terms.is_news(&error) || report::is_verbose(1);
        if is_news || self.company == Company::Alone {
            failure.tell();
        }
        self.reset();
        Err(Outcome {
            closed: match error {
                OpenError::Connect(unreached) => Some(unreached.timed_out()),
                OpenError::Refused(..) => Some(false),
                _ => None,
            },
            is_fatal: failure.is_fatal,
            ..Outcome::of(failure.exit)
        })
    }

    /// Has those that are there see a reset.
    pub fn reset(&self) {
        self.link.iter().for_each(Link::reset);
        self.ends.iter().flatten().for_each(Endpoint::reset);
    }

    /// Takes in an event. One of a side that is open already does not come again.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        let open = self.ends.iter_mut().flatten();
        open.for_each(|end| end.note(id, ready));
        if let Some(opener) = &mut self.opener {
            opener.note(id, ready);
        }
    }

    /// Takes in a notice.
    pub fn notice(&mut self, notice: &Notice) {
        if let Some(opener) = &mut self.opener {
            opener.notice(notice);
        }
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.opener.as_ref().and_then(Opener::deadline)
    }
}

fn pass_socket(end: &Endpoint) -> Exit {
    let Some(sock) = end.socket() else {
        return Exit::FAILED;
    };
    // It waits until the socket is taken.
    let _blocking = signal::allow_blocking();
    // One that leads to a group is not connected; the receiver wants a connection.
    if let (Err(_), Some(PeerAddr::Ip(group))) = (sock.peer_addr(), end.peer()) {
        let _ = sock.connect(&group.into());
    }
    match fdpass::pass_to_stdout(sock.as_fd()) {
        Ok(()) => Exit::OK,
        Err(error) => {
            words::tell(&Event::NotPassed(&error));
            Exit::FAILED
        }
    }
}
