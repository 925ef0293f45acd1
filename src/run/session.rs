//! One session: opening what is to be opened, then two ends joined by a bridge, then seeing a program
//! off.
//!
//! ```text
//! Coming ──► Opening (the remote side, then ours) ──► Joined ──► over
//!                │                                       └──► Parting (a program) ──► over
//!                └── failed ──► over
//! ```
//! It is a task of its own where there are many at once, and embedded where they come one after the
//! other.

use super::client::{Client, Link};
use super::closing::Closing;
use super::company::Company;
use super::joining::{self, Joined};
use super::outcome::{failed, signal_exit};
use super::parting::{self, Asked, PATIENCE, Parting};
use super::terms::Terms;
use super::{itself, password, words};
use crate::exit::Exit;
use crate::flow::bridge::{Ended, Place, Turn};
use crate::io::datagram::{Datagram, PeerAddr};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::io::seat::Seat;
use crate::io::stdio::Uses;
use crate::net::addr::{show_ip, unmapped};
use crate::net::environment::Addresses;
use crate::net::open::{Facing, OpenError, Opened, Opener};
use crate::net::own_file::OwnFile;
use crate::net::prepared::Prepared;
use crate::plan::{Base, Purpose};
use crate::report;
use crate::sys::{fdpass, signal};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

/// What a session begins with.
#[derive(Default)]
pub struct Start {
    /// The peer that has come, if one has.
    pub client: Option<Box<Client>>,
    /// The port to connect to, of several.
    pub port: Option<u16>,
    /// Another session follows, so that standard output stays open.
    pub is_followed: bool,
}

/// A session.
pub struct Session {
    terms: Rc<Terms>,
    company: Company,
    state: State,
    port: Option<u16>,
    is_followed: bool,
    /// What the peer is called that has come, or was dialed; and the target of a relay.
    label: Box<str>,
    target: Box<str>,
    began: Instant,
    signalled: bool,
    /// What it came to, when it is over.
    outcome: Outcome,
    /// A program was asked to end before its session was over.
    asked: Option<Asked>,
    /// Its place among those who may be there at once.
    _seat: Option<Seat>,
    /// Our own socket file.
    _file: Option<OwnFile>,
}

enum State {
    /// What leads to the peer that has come, if one has, and the descriptors put by.
    Coming(Option<Box<(Link, Vec<OwnedFd>)>>),
    Opening(Box<Opening>),
    Joined(Box<Joined>),
    Parting(Box<Parting>),
    Over,
}

/// Ends that are open, ours and the peer's, and what opens the next one.
struct Opening {
    ends: [Option<Endpoint>; 2],
    opener: Opener,
    /// To be given up for what is opened.
    reserve: Vec<OwnedFd>,
}

/// Our side of a session, and the peer's, as they stand in arrays.
const LOCAL: usize = 0;
const REMOTE: usize = 1;

/// What a session came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The exit code.
    pub exit: Exit,
    /// The peer could not be connected to; `true` when that took too long.
    pub closed: Option<bool>,
    /// It broke our own side, or was asked to end: who comes next would find the same.
    pub is_last: bool,
    /// Nothing else can be done either.
    pub is_fatal: bool,
}

/// What one drive of a session came to.
pub enum Progress {
    /// Nothing can be done until something happens.
    Wait,
    /// There may be more to do: come again.
    Again,
    /// It is over.
    Over(Outcome),
}

impl Session {
    /// A session on these terms.
    pub fn new(terms: &Rc<Terms>, start: Start, company: Company, now: Instant) -> Session {
        let (coming, label, seat) = match start.client {
            Some(client) => (
                Some(Box::new((client.link, client.reserve))),
                client.label,
                Some(client.seat),
            ),
            None => (None, String::new(), None),
        };
        Session {
            terms: Rc::clone(terms),
            company,
            state: State::Coming(coming),
            port: start.port,
            is_followed: start.is_followed,
            label: label.into(),
            target: Box::default(),
            began: now,
            signalled: false,
            outcome: Outcome {
                exit: Exit::OK,
                closed: None,
                is_last: false,
                is_fatal: false,
            },
            asked: None,
            _seat: seat,
            _file: None,
        }
    }

    /// The peer's end, if it is one of datagrams.
    pub fn datagram(&mut self) -> Option<&mut Datagram> {
        match &mut self.state {
            State::Joined(joined) => match joined.bridge.remote() {
                Endpoint::Datagram(end) => Some(end),
                _ => None,
            },
            _ => None,
        }
    }

    /// Names the peer anew.
    pub fn set_label(&mut self, label: String) {
        self.label = label.into();
    }

    // ---- opening

    /// Takes in the peer that has come, and begins to open the other side.
    fn begin(&mut self, coming: Option<Box<(Link, Vec<OwnedFd>)>>, cx: Cx<'_>) -> Result<(), Exit> {
        let mut ends = [None, None];
        let mut reserve = Vec::new();
        if let Some(coming) = coming {
            let (link, put_by) = *coming;
            let end = link.into_end(&cx.registrar);
            let mut end = end.map_err(|error| failed(&error.into()))?;
            if let Endpoint::Mailbox(mailbox) = &mut end {
                mailbox.wakes(cx.registrar.waker());
            }
            let side = if self.terms.relays() { LOCAL } else { REMOTE };
            ends[side] = Some(end);
            reserve = put_by;
        }
        self.open_next(ends, reserve, cx);
        Ok(())
    }

    /// Opens the side that is missing, the peer's first; where none is, joins them.
    fn open_next(&mut self, ends: [Option<Endpoint>; 2], reserve: Vec<OwnedFd>, cx: Cx<'_>) {
        let ends = match ends {
            [Some(local), Some(remote)] => return self.join([local, remote], cx.now),
            ends => ends,
        };
        let is_remote = ends[REMOTE].is_none();
        let terms = Rc::clone(&self.terms);
        let prepared = if is_remote {
            &terms.remote
        } else {
            &terms.local
        };
        let Some(prepared) = prepared else {
            return self.over(Exit::FAILED);
        };
        let facing = self.facing(prepared, ends[REMOTE].as_ref());
        let port = self.port.filter(|_| is_remote);
        let opener = Opener::new(prepared, port, facing, cx.now);
        self.state = State::Opening(Box::new(Opening {
            ends,
            opener,
            reserve,
        }));
    }

    /// What an end inside this machine has to know of the session.
    fn facing(&self, prepared: &Prepared, remote: Option<&Endpoint>) -> Facing {
        let rules = &self.terms.rules;
        let uses = Uses {
            input: rules.reads_stdin,
            output: rules.writes_stdout,
            keeps_open: self.is_followed,
        };
        let is_program = matches!(prepared.end().base, Base::Program(_));
        let peer = remote.filter(|_| is_program);
        Facing {
            uses,
            addresses: peer.map(Addresses::of_end).unwrap_or_default(),
            keeps_messages: peer.is_some_and(Endpoint::keeps_messages),
        }
    }

    /// Goes on opening; `false` when that has to wait.
    fn open(&mut self, cx: Cx<'_>) -> bool {
        let State::Opening(opening) = &mut self.state else {
            return true;
        };
        opening.reserve.clear();
        let is_remote = opening.ends[REMOTE].is_none();
        if is_remote && itself::returns(opening.ends[LOCAL].as_ref(), opening.opener.to()) {
            self.over(Exit::FAILED);
            return true;
        }
        let opened = opening.opener.drive(cx);
        let end = Rc::clone(opening.opener.to().end());
        let port = opening.opener.port();
        for news in opening.opener.take_news() {
            let lines = words::news(&news, &end, port, false);
            lines.iter().for_each(|line| report::line(line));
        }
        match opened {
            Poll::Pending => return false,
            Poll::Ready(Ok(opened)) => self.opened(opened, cx),
            Poll::Ready(Err(error)) => self.not_opened(error, cx),
        }
        true
    }

    /// One side is open.
    fn opened(&mut self, opened: Opened, cx: Cx<'_>) {
        let State::Opening(opening) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let Opening {
            mut ends, opener, ..
        } = *opening;
        if ends[REMOTE].is_some() {
            self.terms.not_started.set(None);
            ends[LOCAL] = Some(opened.end);
            return self.open_next(ends, Vec::new(), cx);
        }
        let label = opened.label.into_boxed_str();
        self._file = opened.file;
        if let Some(local) = &ends[LOCAL] {
            if itself::is_same(local, &opened.end, opener.to()) {
                local.reset();
                return self.over(Exit::FAILED);
            }
            self.target = label;
        } else {
            self.label = label;
        }
        match self.terms.purpose {
            Purpose::Join => {
                ends[REMOTE] = Some(opened.end);
                self.open_next(ends, Vec::new(), cx);
            }
            Purpose::Look => self.over(Exit::OK),
            Purpose::PassSocket => {
                let exit = pass_socket(&opened.end);
                self.stop(exit);
            }
        }
    }

    /// One side cannot be opened.
    fn not_opened(&mut self, error: OpenError, cx: Cx<'_>) {
        let State::Opening(opening) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let to = Rc::clone(opening.opener.to());
        let is_relayed = self.terms.relays();
        let error = match error {
            OpenError::PasswordWanted(challenge) if !is_relayed => {
                return match password::ask(&to, challenge) {
                    Ok(()) => self.open_next(opening.ends, Vec::new(), cx),
                    Err(exit) => self.stop(exit),
                };
            }
            error => error,
        };
        let failure = words::not_opened(&error, &opening.opener, &self.terms.manners, is_relayed);
        let is_news = self.terms.is_news(&error) || report::is_verbose(1);
        if is_news || self.company == Company::Alone {
            failure.tell();
        }
        if let OpenError::Connect(timed_out) = error {
            self.outcome.closed = Some(timed_out);
        } else if let OpenError::Refused(..) = error {
            self.outcome.closed = Some(false);
        }
        self.outcome.is_fatal = failure.is_fatal;
        opening.ends.iter().flatten().for_each(Endpoint::reset);
        self.over(failure.exit);
    }

    // ---- joined

    fn join(&mut self, ends: [Endpoint; 2], now: Instant) {
        let has_peer = ends[REMOTE].has_peer();
        let mut joined = joining::join(ends, &self.terms, &self.label, now);
        if self.terms.remote.is_some() && has_peer {
            joined.bridge.count_from(self.began);
        }
        self.state = State::Joined(Box::new(joined));
    }

    /// One drive of the bridge.
    fn move_bytes(&mut self, cx: Cx<'_>) -> Turn {
        let State::Joined(joined) = &mut self.state else {
            return Turn::Wait;
        };
        let is_idle = joined.bridge.is_idle(cx.now);
        let [local, remote] = joined.bridge.ends_mut();
        // Datagrams have no end: a silent peer is gone. What it is joined to reads the end, and has
        // its time, too.
        if is_idle
            && let Endpoint::Mailbox(mailbox) = remote
            && !matches!(local, Endpoint::Datagram(_))
        {
            mailbox.close();
        }
        let turn = joined.bridge.drive(cx.now);
        if self.terms.remote.is_some()
            && let Endpoint::Datagram(end) = joined.bridge.remote()
        {
            let name = if self.terms.relays() {
                &self.target
            } else {
                &self.label
            };
            tell_answers(end, name);
        }
        turn
    }

    /// The two ends have nothing more to say to each other.
    fn parted(&mut self, ended: &Ended, now: Instant) {
        let State::Joined(mut joined) = std::mem::replace(&mut self.state, State::Over) else {
            return;
        };
        let closing = Closing {
            terms: &self.terms,
            company: self.company,
            label: &self.label,
            target: &self.target,
        };
        let exit = closing.tell(&mut joined, ended, now);
        self.outcome.is_last = match ended {
            Ended::Clean
            | Ended::TimedOut(_)
            | Ended::Truncated(..)
            | Ended::Broken(Place::Peer, _) => false,
            Ended::Quit | Ended::Signalled | Ended::Broken(..) => true,
        };
        let [local, remote] = joined.bridge.into_ends();
        // What breaks at one side looks broken at the other.
        match ended {
            Ended::Broken(Place::Peer, _) | Ended::Truncated(Place::Peer, _) => local.reset(),
            Ended::Broken(..) | Ended::Truncated(..) => remote.reset(),
            _ => {}
        }
        let Endpoint::Child(child) = local else {
            return self.over(exit);
        };
        if exit != Exit::OK {
            self.outcome.exit = exit;
        }
        let has_time = matches!(ended, Ended::Clean | Ended::Quit | Ended::Truncated(..));
        let limit = if has_time { now + PATIENCE } else { now };
        self.state = State::Parting(Box::new(Parting::new(child, self.asked, limit)));
    }

    /// The program is gone, and the session over.
    fn program_gone(&mut self, own_code: Option<u8>) {
        let local = self.terms.local.as_ref();
        let passes = local.is_some_and(|local| match &local.end().base {
            Base::Program(program) => program.passes_status,
            _ => false,
        });
        let code = own_code.filter(|code| passes && *code != 0);
        self.over(code.map_or(self.outcome.exit, Exit::Code));
    }

    /// It is over, with this code.
    fn over(&mut self, exit: Exit) {
        self.outcome.exit = exit;
        self.state = State::Over;
    }

    /// It is over, and so is all.
    fn stop(&mut self, exit: Exit) {
        self.outcome.is_fatal = true;
        self.over(exit);
    }

    // ---- as a part of a task

    /// Does what can be done without waiting.
    pub fn advance(&mut self, cx: Cx<'_>) -> Progress {
        loop {
            if self.signalled && !matches!(self.state, State::Over) {
                self.break_off();
            }
            match &mut self.state {
                State::Coming(coming) => {
                    let coming = coming.take();
                    if let Err(exit) = self.begin(coming, cx) {
                        self.stop(exit);
                    }
                }
                State::Opening(_) => {
                    if !self.open(cx) {
                        return Progress::Wait;
                    }
                }
                State::Joined(_) => match self.move_bytes(cx) {
                    Turn::Wait => return Progress::Wait,
                    Turn::Again => return Progress::Again,
                    Turn::Over(ended) => self.parted(&ended, cx.now),
                },
                State::Parting(parting) => {
                    if !parting.is_over(cx.now) {
                        return Progress::Wait;
                    }
                    let code = parting.own_code();
                    self.program_gone(code);
                }
                State::Over => return Progress::Over(self.outcome),
            }
        }
    }

    /// A signal came before the two sides were joined: the peer that has come sees a reset.
    fn break_off(&mut self) {
        match &self.state {
            State::Coming(Some(coming)) => coming.0.reset(),
            State::Opening(opening) => opening.ends.iter().flatten().for_each(Endpoint::reset),
            _ => {}
        }
        self.stop(signal_exit());
    }

    /// A signal came: deliver what is received, and end the program.
    fn leave(&mut self, now: Instant) {
        match &mut self.state {
            State::Joined(joined) => {
                joined.bridge.leave(Ended::Signalled, now);
                if let Endpoint::Child(child) = joined.bridge.local() {
                    self.asked = Some(parting::ask_to_end(child, now));
                    self.outcome.exit = signal_exit();
                }
            }
            State::Parting(parting) => {
                parting.hurry(now);
                self.outcome.exit = signal_exit();
            }
            State::Coming(_) | State::Opening(_) | State::Over => self.signalled = true,
        }
    }
}

impl Session {
    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            State::Opening(opening) => opening.opener.note(id, ready),
            State::Joined(joined) => joined.bridge.note(id, ready),
            State::Parting(parting) => parting.note(id, ready),
            State::Coming(_) | State::Over => {}
        }
    }

    /// Takes in a notice.
    pub fn notice(&mut self, notice: &Notice, now: Instant) {
        match (notice, &mut self.state) {
            (Notice::Ending, _) => self.leave(now),
            (Notice::ProgramEnded, State::Joined(joined)) => {
                if let Endpoint::Child(child) = joined.bridge.local() {
                    child.look();
                }
            }
            (Notice::ProgramEnded, State::Parting(parting)) => parting.look(),
            (_, State::Opening(opening)) => opening.opener.notice(notice),
            _ => {}
        }
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Opening(opening) => opening.opener.deadline(),
            State::Joined(joined) => joined.bridge.deadline(),
            State::Parting(parting) => parting.deadline(),
            State::Coming(_) | State::Over => None,
        }
    }
}

impl Drive<Exit> for Session {
    fn note(&mut self, id: Registered, ready: Ready) {
        Session::note(self, id, ready);
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        Session::notice(self, notice, now);
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        match self.advance(cx) {
            Progress::Wait => Step::Wait,
            Progress::Again => Step::Again,
            Progress::Over(outcome) => Step::Done(self.company.exit(outcome.exit)),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        Session::deadline(self)
    }
}

/// Prints news of datagrams: the peers that answer, and that some are refused.
fn tell_answers(end: &mut Datagram, label: &str) {
    let fault = end.take_send_fault();
    for peer in end.take_new_peers() {
        if let PeerAddr::Ip(ip) = peer {
            let ip = unmapped(ip);
            report::verbose(1, &format!("Answer from {} {}", show_ip(&ip), ip.port()));
        }
    }
    if let Some(error) = fault {
        let reason = report::reason(&error);
        report::verbose(1, &format!("Datagrams to {label} are lost: {reason}"));
    }
}

fn pass_socket(end: &Endpoint) -> Exit {
    let Some(sock) = end.socket() else {
        return Exit::FAILED;
    };
    // It waits until the socket is taken.
    let _blocking = signal::may_block();
    // One that leads to a group is not connected; the receiver wants a connection.
    if let (Err(_), Some(PeerAddr::Ip(group))) = (sock.peer_addr(), end.peer()) {
        let _ = sock.connect(&group.into());
    }
    match fdpass::pass_to_stdout(sock.as_fd()) {
        Ok(()) => Exit::OK,
        Err(error) => {
            let reason = report::reason(&error);
            report::error(&format!(
                "pass the socket to standard output failed: {reason}"
            ));
            Exit::FAILED
        }
    }
}
