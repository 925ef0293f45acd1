//! Scanning (`-z`): the ports of a host are tried many at once, and told in their order.
//!
//! ```text
//! each port:  (its turn comes) ──► being opened ──► Report ──► told after those before it
//!                     ▲                 │
//!                     └── no descriptor left, password wanted
//! ```

use super::outcome::signal_exit;
use super::owners::Owners;
use super::ports::{self, Tally, UNREAD};
use super::turns::Turns;
use super::{password, words};
use crate::exit::Exit;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::net::backoff::Backoff;
use crate::net::lookup::{Found, Lookup, Role, Unknown};
use crate::net::open::Opener;
use crate::net::open_error::OpenError;
use crate::net::prepared::Prepared;
use crate::net::race::{Hop, Obstacle};
use crate::plan::{Manners, Scan};
use crate::report;
use crate::sys::limits;
use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// How many ports are tried at once, if the user does not say.
const PARALLEL: u16 = 512;
/// The same for probes of another machine. Linux sends one refusal a second to a peer (icmp(7),
/// icmp_ratelimit), so that of 30 closed ports 17 look open when 4 are asked at once, 28 when all.
const PARALLEL_PROBES: usize = 1;
/// Descriptors for everything but dials: standard ones, the loop's, those of the C library.
const OTHER_DESCRIPTORS: usize = 32;
/// Ports begun in one drive: over loopback each is done at once, and signals have to get through.
const STARTS: usize = 64;
/// Text held back for its turn, beyond which no further port is begun. A whole range of refusals
/// fits in; only a port that does not answer holds back as much.
const MAX_HELD_BYTES: usize = 16 << 20;

/// Finds out which ports are open.
pub struct Scanner {
    manners: Manners,
    to: Rc<Prepared>,
    /// The ports in their order.
    ports: Vec<u16>,
    /// The pause between them.
    interval: Option<Duration>,
    host: Rc<str>,
    names: HostAddresses,
    /// When the host is looked up once more, and the pauses between such attempts.
    next_look: Option<Instant>,
    backoff: Option<Backoff>,
    began: Instant,
    /// The turn of the next port to be begun.
    next: usize,
    /// Turns to be begun once more.
    again: Vec<usize>,
    /// No port is begun before.
    next_start: Option<Instant>,
    /// Ports under way, by place.
    flights: Vec<Option<Flight>>,
    free: Vec<usize>,
    /// Their places by their descriptors.
    owners: Owners,
    /// How many may be under way.
    parallel: usize,
    /// The user said how many.
    is_told: bool,
    /// Places an event was seen for.
    noted: Vec<usize>,
    deadlines: BTreeSet<(Instant, usize)>,
    reports: Turns<Report>,
    held_bytes: usize,
    tally: Tally,
    signalled: bool,
}

/// The addresses of the host, looked up once for all ports.
enum HostAddresses {
    /// Being looked up, until then.
    Asked(Lookup, Option<Instant>),
    Known(Rc<Found>),
}

/// A port under way.
struct Flight {
    turn: usize,
    opener: Opener,
    deadline: Option<Instant>,
    /// What is to be said about it so far.
    lines: Vec<String>,
    /// Where its descriptors begin.
    marks: Vec<Registered>,
}

/// How a flight ended.
enum Landed {
    /// Open.
    Open,
    /// Not open, or no answer in time.
    Closed { timed_out: bool },
    /// To be begun once more.
    Again,
    /// Nothing can be found out, about this port or those behind it; why.
    Fatal(String),
}

/// What is told about a port when its turn comes.
struct Report {
    lines: Vec<String>,
    outcome: PortState,
}

enum PortState {
    Open,
    Closed { timed_out: bool },
    Fatal,
}

impl Scanner {
    /// A scan of the ports, as many at once as are wanted and there are descriptors for.
    pub fn new(scan: &Scan, to: Rc<Prepared>, manners: Manners) -> Scanner {
        let Scan {
            to: wanted,
            parallel,
        } = scan;
        let ports = ports::list(wanted);
        let is_told = parallel.is_some();
        let at_once = usize::from(parallel.unwrap_or(PARALLEL));
        let most = limits::descriptors(at_once.min(ports.len()) + OTHER_DESCRIPTORS);
        let parallel = at_once.min(most.saturating_sub(OTHER_DESCRIPTORS)).max(1);
        let host: Rc<str> = to.end().host().unwrap_or_default().into();
        let how = &to.end().how;
        let first: Hop = (host.clone(), ports.first().copied().unwrap_or_default());
        let is_whole = !how.timeout_per_address || how.retry.is_some();
        let limit = how.timeout.filter(|_| is_whole);
        let limit = limit.filter(|limit| !limit.is_zero());
        let began = Instant::now();
        let until = limit.map(|limit| began + limit);
        Scanner {
            names: HostAddresses::Asked(Lookup::new(first, to.end()), until),
            next_look: None,
            backoff: None,
            began,
            manners,
            host,
            ports,
            interval: wanted.interval,
            to,
            next: 0,
            again: Vec::new(),
            next_start: None,
            flights: Vec::new(),
            free: Vec::new(),
            owners: Owners::default(),
            parallel,
            is_told,
            noted: Vec::new(),
            deadlines: BTreeSet::new(),
            reports: Turns::new(),
            held_bytes: 0,
            tally: Tally::new(wanted.success),
            signalled: false,
        }
    }

    fn advance(&mut self, cx: Cx<'_>) -> Result<Step<Exit>, Exit> {
        if !self.look_up(cx)? {
            return Ok(Step::Wait);
        }
        let mut places = std::mem::take(&mut self.noted);
        while let Some((_, place)) = self.deadlines.first().filter(|(at, _)| *at <= cx.now) {
            places.push(*place);
            self.deadlines.pop_first();
        }
        for place in places {
            self.look(place, cx)?;
        }
        for _ in 0..STARTS {
            if !self.may_start() || !self.is_start_due(cx.now) {
                break;
            }
            self.start(cx)?;
            self.tell()?;
        }
        self.tell()?;
        if self.reports.past() == self.ports.len() && !report::is_behind() {
            return Err(self.tally.exit(&self.manners.codes));
        }
        Ok(if self.may_start() && self.is_start_due(cx.now) {
            Step::Again
        } else {
            Step::Wait
        })
    }

    /// Looks the host up; returns whether its addresses are known.
    fn look_up(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let HostAddresses::Asked(lookup, until) = &mut self.names else {
            return Ok(true);
        };
        let is_late = until.is_some_and(|until| cx.now >= until);
        if !is_late && self.next_look.is_some_and(|at| cx.now < at) {
            return Ok(false);
        }
        self.next_look = None;
        let (unknown, code) = match lookup.drive(&cx.registrar) {
            Poll::Ready(Ok(found)) => {
                let is_local = found.hop.iter().all(|addr| addr.ip().is_loopback());
                if self.to.end().how.udp_probe.is_some() && !self.is_told && !is_local {
                    self.parallel = PARALLEL_PROBES;
                }
                self.names = HostAddresses::Known(Rc::new(found));
                return Ok(true);
            }
            Poll::Pending if !is_late => return Ok(false),
            Poll::Pending => {
                let first = self.ports.first().copied().unwrap_or_default();
                let late = Unknown {
                    role: Role::Hop,
                    host: (self.host.clone(), first),
                    error: io::ErrorKind::TimedOut.into(),
                };
                (late, Exit::Code(self.manners.codes.connect_timed_out))
            }
            Poll::Ready(Err(_)) if self.asks_again(cx.now) => return Ok(false),
            Poll::Ready(Err(unknown)) => (unknown, Exit::Code(self.manners.codes.other)),
        };
        let error = OpenError::Name(unknown);
        report::error(&words::no_connection(&error, self.to.end(), &self.manners));
        Err(code)
    }

    /// Waits until the host is looked up once more, where that is tried again.
    fn asks_again(&mut self, now: Instant) -> bool {
        let most = self.to.end().how.retry;
        let Some(most) = most else {
            return false;
        };
        let backoff = self.backoff.get_or_insert_with(|| Backoff::new(most));
        self.next_look = Some(now + backoff.pause());
        let first: Hop = (
            self.host.clone(),
            self.ports.first().copied().unwrap_or_default(),
        );
        if let HostAddresses::Asked(lookup, _) = &mut self.names {
            *lookup = Lookup::new(first, self.to.end());
        }
        true
    }

    // ---- beginning

    /// There is a port to be begun, and room for it.
    fn may_start(&self) -> bool {
        // The first port shows whether the proxy wants the password.
        let most = if self.to.may_be_asked() {
            1
        } else {
            self.parallel
        };
        let fresh = self.next < self.ports.len() && self.held_bytes < MAX_HELD_BYTES;
        // What is found is worth nothing unless it is read.
        self.under_way() < most && (fresh || !self.again.is_empty()) && !report::is_behind()
    }

    fn is_start_due(&self, now: Instant) -> bool {
        self.next_start.is_none_or(|at| now >= at)
    }

    fn under_way(&self) -> usize {
        self.flights.len() - self.free.len()
    }

    fn start(&mut self, cx: Cx<'_>) -> Result<(), Exit> {
        let HostAddresses::Known(found) = &self.names else {
            return Ok(());
        };
        let turn = self.again.pop().unwrap_or(self.next);
        self.next = self.next.max(turn + 1);
        self.next_start = self.interval.map(|pause| cx.now + pause);
        let place = self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            self.flights.len() - 1
        });
        let port = self.ports[turn];
        // All attempts together have so much time, and looking the host up counts into it.
        let retries = self.to.end().how.retry.is_some();
        let began = if retries { self.began } else { cx.now };
        self.flights[place] = Some(Flight {
            turn,
            opener: Opener::knowing(&self.to, port, found, began),
            deadline: None,
            lines: Vec::new(),
            marks: Vec::new(),
        });
        self.look(place, cx)
    }

    // ---- under way

    /// Goes on with the port under way in a place, if there is one.
    fn look(&mut self, place: usize, cx: Cx<'_>) -> Result<(), Exit> {
        let Some(mut flight) = self.flights.get_mut(place).and_then(Option::take) else {
            return Ok(());
        };
        if let Some(at) = flight.deadline.take() {
            self.deadlines.remove(&(at, place));
        }
        let first = cx.registrar.next();
        let flown = self.fly(&mut flight, cx)?;
        if cx.registrar.next() != first {
            self.owners.mark(first, place);
            flight.marks.push(first);
        }
        match flown {
            Some(landed) => {
                for mark in flight.marks.drain(..) {
                    self.owners.forget(mark);
                }
                self.free.push(place);
                self.land(flight, landed);
            }
            None => {
                flight.deadline = flight.opener.deadline();
                self.deadlines.extend(flight.deadline.map(|at| (at, place)));
                self.flights[place] = Some(flight);
            }
        }
        Ok(())
    }

    fn fly(&mut self, flight: &mut Flight, cx: Cx<'_>) -> Result<Option<Landed>, Exit> {
        let opened = flight.opener.drive(cx);
        for news in flight.opener.take_news() {
            let port = self.ports[flight.turn];
            let lines = words::opening(&news, self.to.end(), port, true);
            flight.lines.extend(lines);
        }
        // Those before it have been told.
        if flight.turn == self.reports.past() {
            flight.lines.drain(..).for_each(|line| report::line(&line));
        }
        match opened {
            Poll::Pending => Ok(None),
            Poll::Ready(Ok(_)) => Ok(Some(Landed::Open)),
            Poll::Ready(Err(error)) => self.not_opened(error, flight).map(Some),
        }
    }

    fn not_opened(&mut self, error: OpenError, flight: &mut Flight) -> Result<Landed, Exit> {
        let others = self.under_way() - 1;
        Ok(match error {
            OpenError::Connect(ref unreached) => {
                let timed_out = unreached.timed_out();
                if self.to.end().how.retry.is_some() {
                    let failure = words::not_opened(&error, &flight.opener, &self.manners, false);
                    let line = failure.line.map(|line| report::named(&line));
                    flight.lines.extend(line);
                }
                Landed::Closed { timed_out }
            }
            OpenError::PasswordWanted(challenge) => {
                password::ask(&self.to, challenge)?;
                Landed::Again
            }
            OpenError::Obstacle(Obstacle::NoDescriptor(_)) if others > 0 => {
                self.parallel = others;
                Landed::Again
            }
            OpenError::Refused(..) => {
                let failure = words::not_opened(&error, &flight.opener, &self.manners, false);
                flight
                    .lines
                    .extend(failure.line.map(|line| report::named(&line)));
                Landed::Closed { timed_out: false }
            }
            error => Landed::Fatal(words::no_connection(&error, self.to.end(), &self.manners)),
        })
    }

    /// A port is done: its report waits for its turn.
    fn land(&mut self, flight: Flight, landed: Landed) {
        let (turn, mut lines) = (flight.turn, flight.lines);
        // Looking up the name of a service takes a descriptor.
        drop(flight.opener);
        let outcome = match landed {
            Landed::Again => return self.again.push(turn),
            Landed::Open => PortState::Open,
            Landed::Closed { timed_out } => PortState::Closed { timed_out },
            Landed::Fatal(line) => {
                lines.push(report::named(&line));
                self.ports.truncate(self.next);
                PortState::Fatal
            }
        };
        let report = Report { lines, outcome };
        self.held_bytes += report.bytes();
        self.reports.put(turn, report);
    }

    // ---- telling

    /// Tells of the ports whose turn it is.
    fn tell(&mut self) -> Result<(), Exit> {
        while let Some(report) = self.reports.take_next() {
            self.held_bytes -= report.bytes();
            report.say();
            match report.outcome {
                PortState::Open => self.tally.open(),
                PortState::Closed { timed_out } => self.tally.closed(timed_out),
                PortState::Fatal => return Err(Exit::FAILED),
            }
        }
        Ok(())
    }
}

impl Drive<Exit> for Scanner {
    fn note(&mut self, id: Registered, ready: Ready) {
        let Some(place) = self.owners.of(id) else {
            return;
        };
        let Some(Some(flight)) = self.flights.get_mut(place) else {
            return;
        };
        flight.opener.note(id, ready);
        self.noted.push(place);
    }

    fn notice(&mut self, notice: &Notice, _now: Instant) {
        match (notice, &mut self.names) {
            (Notice::Ending, _) => self.signalled = true,
            (_, HostAddresses::Asked(lookup, _)) => lookup.notice(notice),
            _ => {}
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if self.signalled {
            self.reports.take_all().for_each(|report| report.say());
            return Step::Done(signal_exit());
        }
        self.advance(cx).unwrap_or_else(Step::Done)
    }

    fn deadline(&self) -> Option<Instant> {
        let names = match &self.names {
            HostAddresses::Asked(_, until) => self.next_look.into_iter().chain(*until).min(),
            HostAddresses::Known(_) => None,
        };
        let start = self.next_start.filter(|_| self.may_start());
        let flights = self.deadlines.first().map(|(at, _)| *at);
        let reader = report::is_behind().then(|| Instant::now() + UNREAD);
        [names, start, flights, reader].into_iter().flatten().min()
    }
}

impl Report {
    fn bytes(&self) -> usize {
        self.lines.iter().map(String::len).sum()
    }

    fn say(&self) {
        self.lines.iter().for_each(|line| report::line(line));
    }
}
