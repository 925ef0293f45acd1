//! A program that is run for a peer, and joined to it.
//!
//! ```text
//! Serving ── over ──► Lingering ── the peer has all ──► Ending ── nobody is left ──► over
//!    └──── broken, timed out, signalled ──────────────────┘
//! ```
//! The session is over when the program has ended and all it wrote is with the peer, or when both
//! directions have ended. A program that is still there then may end by itself for a while, unless
//! its peer is gone; then its process group is asked to end (SIGTERM), and after a while ended
//! (SIGKILL).

use super::company::{Company, tell_left};
use super::entrance::Client;
use super::environment::Addresses;
use super::labels::label;
use super::outcome::{failed, signal_exit};
use super::relayed::reset;
use super::secure::Alerted;
use super::session::Joined;
use crate::exit::Exit;
use crate::flow::bridge::{Bridge, BrokenEnd, Ended, GRACE, Turn};
use crate::io::child::Child;
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::mailbox::Mailbox;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::{Got, Ready};
use crate::io::seat::Seat;
use crate::io::store::Mem;
use crate::parse::escape::printable;
use crate::plan::{self, Plan};
use crate::report;
use crate::sys::child::{self, Channel, Order, Process};
use rustix::process::Signal;
use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// How long a program may take to end by itself after its session, and then to heed SIGTERM.
const PATIENCE: Duration = Duration::from_secs(1);
/// The first pause before it is looked again whether those a program has left behind are gone, which
/// nothing tells; each one is twice as long as the one before.
const LOOK: Duration = Duration::from_millis(1);
/// Reads of what nobody wants any more, in one turn.
const READS: usize = 16;

/// Why the last program could not be started; 0 once one could be.
static NOT_STARTED: AtomicI32 = AtomicI32::new(0);

/// A peer that a program is to be run for.
pub struct Peer {
    /// The connection.
    pub end: Endpoint,
    /// Its name in messages.
    pub label: String,
    /// Who it is, and whom it has come to.
    pub addresses: Addresses,
}

/// A program, and the peer it is joined to.
pub struct Program {
    plan: Rc<Plan>,
    company: Company,
    label: Box<str>,
    state: State,
    /// Whether the peer has sent a TLS alert.
    alerted: Alerted,
    process: Process,
    /// What reports that it has ended.
    exit: Registered,
    has_ended: bool,
    /// Its exit code, once it is reaped.
    code: Option<u8>,
    /// What the session came to.
    outcome: Exit,
    /// What was sent to its group last, and until when it may heed that.
    sent: Option<Signal>,
    limit: Instant,
    /// When those it has left behind are looked for again, and the pause after that.
    look: Option<(Instant, Duration)>,
    /// The code is of its own choice: no signal of ours came before it.
    ended_by_itself: bool,
}

enum State {
    Serving(Box<Bridge>),
    /// The end is sent; bytes may still be on their way to the peer.
    Lingering(Box<Endpoint>, Instant),
    Ending,
}

/// What one drive of a program came to.
pub enum Progress {
    /// Nothing can be done until something happens.
    Wait,
    /// There may be more to do: come again.
    Again,
    /// The program has ended, and its session.
    Over(Exit),
}

impl Program {
    /// Starts the program for a peer. One that cannot be started is told, and the peer is reset.
    ///
    /// # Errors
    /// The exit code for that.
    pub fn start(
        plan: &Rc<Plan>,
        program: &plan::Program,
        peer: Peer,
        company: Company,
        cx: Cx<'_>,
    ) -> Result<Program, Exit> {
        let channel = if program.terminal {
            Channel::Terminal
        } else if peer.end.keeps_messages() {
            Channel::Messages
        } else {
            Channel::Bytes
        };
        let order = Order {
            words: &program.words,
            environment: &peer.addresses.variables(plan.net.transport),
            channel,
            input: plan.session.writes_stdout,
            output: plan.session.reads_stdin,
        };
        let started = child::start(&order).and_then(|(process, ends)| {
            let exit = cx.registrar.register_program(process.watch())?;
            let end = Child::new(ends, channel, exit, &cx.registrar)?;
            Ok((process, exit, Endpoint::Child(Box::new(end))))
        });
        let (process, exit, end) = started.map_err(|error| {
            peer.end.reset();
            not_started(&program.words, &error, company)
        })?;
        NOT_STARTED.store(0, Ordering::Relaxed);
        let ends = (end, peer.end);
        let joined = Joined::new(ends, plan, peer.label.clone(), cx.now);
        let (bridge, alerted) = joined.into_bridge();
        Ok(Program {
            plan: Rc::clone(plan),
            company,
            label: peer.label.into(),
            state: State::Serving(Box::new(bridge)),
            alerted,
            process,
            exit,
            has_ended: false,
            code: None,
            outcome: Exit::OK,
            sent: None,
            limit: cx.now,
            look: None,
            ended_by_itself: true,
        })
    }

    /// Counts the time for the whole connection from `began` on, which was before this.
    pub fn count_from(&mut self, began: Instant) {
        if let State::Serving(bridge) = &mut self.state {
            bridge.count_from(began);
        }
    }

    /// The peer's mailbox, if it has one and the session goes on.
    pub fn mailbox(&mut self) -> Option<&mut Mailbox> {
        match &mut self.state {
            State::Serving(bridge) => match bridge.remote() {
                Endpoint::Mailbox(mailbox) => Some(mailbox),
                _ => None,
            },
            _ => None,
        }
    }

    /// Says whether nothing has moved for as long as may be.
    pub fn is_idle(&self, now: Instant) -> bool {
        match &self.state {
            State::Serving(bridge) => bridge.is_idle(now),
            _ => false,
        }
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.has_ended |= id == self.exit;
        match &mut self.state {
            State::Serving(bridge) => bridge.note(id, ready),
            State::Lingering(end, _) => end.note(id, ready),
            State::Ending => {}
        }
    }

    /// A program has ended: if it is this one, that is noted.
    pub fn look(&mut self) {
        if !self.has_ended && self.process.has_ended() {
            self.note(self.exit, Ready::default());
        }
    }

    /// A signal came: deliver what is received, and end the program.
    pub fn leave(&mut self, now: Instant) {
        match &mut self.state {
            State::Serving(bridge) => bridge.leave(Ended::Signalled, now),
            State::Lingering(..) => self.begin_to_end(now),
            State::Ending => {}
        }
        self.outcome = signal_exit();
        self.send_next(now);
    }

    /// Moves what can be moved, and sees the program off.
    pub fn drive(&mut self, now: Instant) -> Progress {
        loop {
            match &mut self.state {
                State::Serving(bridge) => match bridge.drive(now) {
                    Turn::Wait => return Progress::Wait,
                    Turn::Again => return Progress::Again,
                    Turn::Over(ended) => self.session_over(&ended, now),
                },
                State::Lingering(end, until) => {
                    if now < *until && !has_everything(end) {
                        return Progress::Wait;
                    }
                    self.begin_to_end(now + PATIENCE);
                }
                State::Ending => {
                    return if self.is_gone(now) {
                        Progress::Over(self.exit())
                    } else {
                        Progress::Wait
                    };
                }
            }
        }
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Serving(bridge) => bridge.deadline(),
            State::Lingering(_, until) => Some(*until),
            State::Ending => {
                let look = self.look.map(|(at, _)| at);
                look.into_iter().chain([self.limit]).min()
            }
        }
    }

    fn session_over(&mut self, ended: &Ended, now: Instant) {
        let State::Serving(bridge) = std::mem::replace(&mut self.state, State::Ending) else {
            return;
        };
        tell_left(&self.label, &bridge);
        let (_, received) = bridge.moved();
        let alert = self.alerted.line(&self.label, received);
        let outcome = match alert.filter(|_| !matches!(ended, Ended::Signalled)) {
            Some(line) => {
                self.company.tell(&line);
                Exit::Code(self.plan.codes.broken)
            }
            None => self.tell(ended),
        };
        if outcome != Exit::OK {
            self.outcome = outcome;
        }
        let [_, remote] = bridge.into_ends();
        match ended {
            Ended::Clean | Ended::Quit | Ended::Truncated(..) => {
                self.state = State::Lingering(Box::new(remote), now + GRACE);
            }
            Ended::Broken(..) => {
                remote.reset();
                self.begin_to_end(now);
            }
            Ended::TimedOut(_) | Ended::Signalled => self.begin_to_end(now),
        }
    }

    /// The session is over: the program has until `limit` to end by itself.
    fn begin_to_end(&mut self, limit: Instant) {
        self.state = State::Ending;
        if self.sent.is_none() {
            self.limit = limit;
        }
    }

    /// Says whether the program and all it started are gone, and sends the signals that make it
    /// so.
    fn is_gone(&mut self, now: Instant) -> bool {
        if self.has_ended && self.code.is_none() {
            // Before it is reaped: until then the group's number is nobody else's.
            if self.sent != Some(Signal::KILL) {
                self.send(Signal::TERM, now);
            }
            self.code = self.process.reap();
        }
        // Who was killed is gone, though it may not be reaped yet.
        let are_killed = self.sent == Some(Signal::KILL);
        if self.code.is_some() && (are_killed || !self.process.has_others()) {
            return true;
        }
        if now < self.limit {
            if self.code.is_some() {
                let pause = self.look.map_or(LOOK, |(_, pause)| pause);
                self.look = Some((now + pause, pause * 2));
            }
            return false;
        }
        self.send_next(now);
        self.sent == Some(Signal::KILL) && self.code.is_some()
    }

    /// Asks its group to end; if that was done already, ends it.
    fn send_next(&mut self, now: Instant) {
        let next = self.sent.map_or(Signal::TERM, |_| Signal::KILL);
        self.send(next, now);
    }

    fn send(&mut self, signal: Signal, now: Instant) {
        self.ended_by_itself &= self.has_ended;
        self.process.signal(signal);
        self.sent = Some(signal);
        self.limit = now + PATIENCE;
    }

    fn exit(&self) -> Exit {
        let passes = match &self.plan.service {
            plan::Service::Program(program) => program.passes_status,
            _ => false,
        };
        match self.code {
            Some(code) if passes && self.ended_by_itself && code != 0 => Exit::Code(code),
            _ => self.outcome,
        }
    }

    /// Says what there is to say about the end of the session, and gives the exit code.
    fn tell(&self, ended: &Ended) -> Exit {
        let label = &self.label;
        self.company
            .outcome(ended, &self.plan, label, |place| match place {
                BrokenEnd::Peer => format!("connection to {label}"),
                BrokenEnd::Input => format!("read from the program for {label}"),
                BrokenEnd::Output => format!("write to the program for {label}"),
            })
    }
}

/// Reports that a program cannot be started; the same reason once until one can be, where there are
/// many clients, or for each with `-v`.
fn not_started(words: &[OsString], error: &io::Error, company: Company) -> Exit {
    let code = error.raw_os_error().unwrap_or(0);
    let is_news = NOT_STARTED.swap(code, Ordering::Relaxed) != code;
    if is_news || company == Company::Alone || report::is_verbose(1) {
        let program = words.first().map(|word| printable(word.as_bytes()));
        let program = program.unwrap_or_default();
        report::error(&format!("run {program} failed: {}", report::reason(error)));
    }
    Exit::FAILED
}

/// Says whether all that was written has reached the peer's system, or the peer has ended. What
/// still comes is read and thrown away: a socket closed with unread input would tell the peer to
/// throw away what it was sent (RFC 2525, section 2.17).
fn has_everything(end: &mut Endpoint) -> bool {
    let mut unwanted = Mem::default();
    for _ in 0..READS {
        match unwanted.fill(end, None, usize::MAX) {
            Ok(Got::Bytes(_)) => unwanted.clear(),
            Ok(Got::Pending | Got::Again) => break,
            Ok(Got::Eof) | Err(_) => return true,
        }
    }
    end.unsent() == 0
}

/// A client of a listener that runs a program for each.
pub struct Hosted {
    plan: Rc<Plan>,
    order: Rc<plan::Program>,
    company: Company,
    client: Option<Client>,
    /// Descriptors put by for the program.
    reserve: Vec<OwnedFd>,
    program: Option<Program>,
    /// Its place among those who may be there at once.
    seat: Option<Seat>,
}

impl Hosted {
    /// For a client that has come.
    pub fn new(
        plan: Rc<Plan>,
        order: Rc<plan::Program>,
        company: Company,
        client: Client,
        reserve: Vec<OwnedFd>,
    ) -> Hosted {
        Hosted {
            plan,
            order,
            company,
            client: Some(client),
            reserve,
            program: None,
            seat: None,
        }
    }

    fn start(&mut self, client: Client, cx: Cx<'_>) -> Result<(), Exit> {
        // What a program writes at once belongs together. A Unix socket holds nothing back.
        let _ = client.conn.socket().set_tcp_nodelay(true);
        let addresses = Addresses::of(client.conn.socket());
        self.seat = Some(client.seat);
        let end = client.conn.into_end(&cx.registrar);
        let peer = Peer {
            end: end.map_err(|error| failed(&error.into()))?,
            label: label(&client.addr, &self.plan.net),
            addresses,
        };
        self.reserve = Vec::new();
        let program = Program::start(&self.plan, &self.order, peer, self.company, cx)?;
        self.program = Some(program);
        Ok(())
    }

    /// The task has ended.
    fn done(&self, exit: Exit) -> Step<Exit> {
        Step::Done(self.company.exit(exit))
    }
}

impl Drive<Exit> for Hosted {
    fn note(&mut self, id: Registered, ready: Ready) {
        if let Some(program) = &mut self.program {
            program.note(id, ready);
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        match (notice, &mut self.program) {
            (Notice::ProgramEnded, Some(program)) => program.look(),
            (Notice::Ending, Some(program)) => program.leave(now),
            (Notice::Ending, None) => {
                if let Some(client) = self.client.take() {
                    reset(client.conn.socket());
                }
            }
            _ => {}
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if let Some(client) = self.client.take()
            && let Err(exit) = self.start(client, cx)
        {
            return self.done(exit);
        }
        let Some(program) = &mut self.program else {
            return self.done(signal_exit());
        };
        match program.drive(cx.now) {
            Progress::Wait => Step::Wait,
            Progress::Again => Step::Again,
            Progress::Over(exit) => self.done(exit),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.program.as_ref().and_then(Program::deadline)
    }
}
