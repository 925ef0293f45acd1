//! Scanning (`-z`): the ports of a host are tried many at once, and told in their order.
//!
//! ```text
//! each port:  (its turn comes) ──► Dialing ──► Probing (UDP) ──► Report ──► told after those before it
//!                     ▲               │
//!                     └── no descriptor left, password wanted
//! ```

use super::outcome::{failed, signal_exit};
use super::owners::Owners;
use super::ports::{self, Tally, UNREAD};
use super::probe::Probe;
use super::turns::Turns;
use super::{password, words};
use crate::exit::Exit;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::net::dial::{Connected, DialError, Dialer};
use crate::net::handshake::ProxyAnswer;
use crate::net::lookup::{Found, Lookup, Role, Unknown};
use crate::net::race::{Hop, Obstacle};
use crate::plan::{Dialing, Net, Plan, Ports, Proxy, Transport, UdpProbe};
use crate::report;
use crate::sys::limits;
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

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
pub struct Scan {
    plan: Rc<Plan>,
    net: Rc<Net>,
    dialing: Rc<Dialing>,
    /// The password a proxy has asked for.
    answer: Option<Rc<ProxyAnswer>>,
    to: Ports,
    host: Rc<str>,
    names: Names,
    /// The ports in their order.
    ports: Vec<u16>,
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
enum Names {
    /// Being looked up, until then.
    Asked(Lookup, Option<Instant>),
    Known(Found),
}

/// A port under way.
struct Flight {
    turn: usize,
    stage: Stage,
    deadline: Option<Instant>,
    /// What is to be said about it so far.
    lines: Vec<String>,
    /// Where its descriptors begin.
    marks: Vec<Registered>,
}

enum Stage {
    Dialing(Box<Dialer>),
    Probing(Box<Probe>),
}

/// How a flight ended.
enum Landed {
    /// Open, at this address; with what `-vv` tells.
    Open(SocketAddr, Option<String>),
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
    outcome: Outcome,
}

enum Outcome {
    Open,
    Closed { timed_out: bool },
    Fatal,
}

impl Scan {
    /// A scan of the ports, as many at once as are wanted and there are descriptors for.
    pub fn new(plan: Rc<Plan>, to: Ports, parallel: Option<u16>) -> Scan {
        let ports = ports::list(&to);
        let is_told = parallel.is_some();
        let wanted = usize::from(parallel.unwrap_or(PARALLEL));
        let most = limits::descriptors(wanted.min(ports.len()) + OTHER_DESCRIPTORS);
        let parallel = wanted.min(most.saturating_sub(OTHER_DESCRIPTORS)).max(1);
        let host: Rc<str> = to.host.as_str().into();
        let (net, dialing) = (Rc::new(plan.net.clone()), Rc::new(to.dialing.clone()));
        let first: Hop = (host.clone(), ports.first().copied().unwrap_or_default());
        let limit = dialing.timeout.filter(|_| !dialing.timeout_per_address);
        let limit = limit.filter(|limit| !limit.is_zero());
        let until = limit.map(|limit| Instant::now() + limit);
        Scan {
            names: Names::Asked(Lookup::new(first, &net, &dialing), until),
            plan,
            net,
            dialing,
            answer: None,
            to,
            host,
            ports,
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
            tally: Tally::default(),
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
            return Err(self.tally.exit(Some(&self.to), &self.plan));
        }
        Ok(if self.may_start() && self.is_start_due(cx.now) {
            Step::Again
        } else {
            Step::Wait
        })
    }

    /// Looks the host up, and says whether its addresses are known.
    fn look_up(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let Names::Asked(lookup, until) = &mut self.names else {
            return Ok(true);
        };
        let is_late = until.is_some_and(|until| cx.now >= until);
        let (unknown, code) = match lookup.drive(&cx.registrar) {
            Poll::Ready(Ok(found)) => {
                let is_local = found.hop.iter().all(|addr| addr.ip().is_loopback());
                if self.udp_probe().is_some() && !self.is_told && !is_local {
                    self.parallel = PARALLEL_PROBES;
                }
                self.names = Names::Known(found);
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
                (late, Exit::Code(self.plan.codes.connect_timed_out))
            }
            Poll::Ready(Err(unknown)) => (unknown, Exit::Code(self.plan.codes.other)),
        };
        let proxy = self.dialing.proxy.as_ref();
        report::error(&words::no_connection(
            &DialError::Name(unknown),
            proxy,
            &self.plan,
        ));
        Err(code)
    }

    // ---- beginning

    /// There is a port to be begun, and room for it.
    fn may_start(&self) -> bool {
        // The first port shows whether the proxy wants the password.
        let proxy = self.dialing.proxy.as_ref();
        let may_be_asked = self.answer.is_none() && proxy.is_some_and(Proxy::lacks_password);
        let most = if may_be_asked { 1 } else { self.parallel };
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
        let Names::Known(found) = &self.names else {
            return Ok(());
        };
        let turn = self.again.pop().unwrap_or(self.next);
        self.next = self.next.max(turn + 1);
        self.next_start = self.to.interval.map(|pause| cx.now + pause);
        let place = self.free.pop().unwrap_or_else(|| {
            self.flights.push(None);
            self.flights.len() - 1
        });
        let target = (self.host.clone(), self.ports[turn]);
        let dialer = Dialer::new(target, &self.net, &self.dialing, cx.now);
        let dialer = dialer.answering(self.answer.as_ref());
        self.flights[place] = Some(Flight {
            turn,
            stage: Stage::Dialing(Box::new(dialer.knowing(found.clone()))),
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
                flight.deadline = flight.stage.deadline();
                self.deadlines.extend(flight.deadline.map(|at| (at, place)));
                self.flights[place] = Some(flight);
            }
        }
        Ok(())
    }

    fn fly(&mut self, flight: &mut Flight, cx: Cx<'_>) -> Result<Option<Landed>, Exit> {
        let port = self.ports[flight.turn];
        if let Stage::Dialing(dialer) = &mut flight.stage {
            let dialed = dialer.drive(cx);
            flight.lines.append(&mut dialer.take_news());
            let connected = match dialed {
                Poll::Pending => return Ok(None),
                Poll::Ready(Err(error)) => return self.dial_failed(error).map(Some),
                Poll::Ready(Ok(connected)) => connected,
            };
            let Some(asking) = self.udp_probe() else {
                return Ok(Some(open(&connected)));
            };
            let probe = Probe::new(connected, port, asking, cx);
            let probe = probe.map_err(|error| failed(&error.into()))?;
            flight.stage = Stage::Probing(Box::new(probe));
        }
        let Stage::Probing(probe) = &mut flight.stage else {
            return Ok(None);
        };
        Ok(match probe.look(cx.now) {
            Poll::Pending => None,
            Poll::Ready(Ok(())) => Some(open(probe.connected())),
            Poll::Ready(Err(error)) => {
                // nc says nothing here, not even with -v.
                if self.plan.session.tells_breaks && report::is_verbose(1) {
                    let addr = &probe.connected().addr;
                    let line = words::refused(addr, port, &error, &self.plan);
                    flight.lines.push(report::named(&line));
                }
                Some(Landed::Closed { timed_out: false })
            }
        })
    }

    /// How each port is asked, if it is asked at all.
    fn udp_probe(&self) -> Option<UdpProbe> {
        let is_udp = self.plan.net.transport == Transport::Udp;
        self.to.udp_probe.filter(|_| is_udp)
    }

    fn dial_failed(&mut self, error: DialError) -> Result<Landed, Exit> {
        let others = self.under_way() - 1;
        Ok(match error {
            DialError::Connect(timed_out) => Landed::Closed { timed_out },
            DialError::PasswordWanted(challenge) => {
                self.answer = Some(password::ask(self.dialing.proxy.as_ref(), challenge)?);
                Landed::Again
            }
            DialError::Obstacle(Obstacle::NoDescriptor(_)) if others > 0 => {
                self.parallel = others;
                Landed::Again
            }
            error => {
                let proxy = self.dialing.proxy.as_ref();
                Landed::Fatal(words::no_connection(&error, proxy, &self.plan))
            }
        })
    }

    /// A port is done: its report waits for its turn.
    fn land(&mut self, flight: Flight, landed: Landed) {
        let (turn, mut lines) = (flight.turn, flight.lines);
        // Looking up the name of a service takes a descriptor.
        drop(flight.stage);
        let outcome = match landed {
            Landed::Again => return self.again.push(turn),
            Landed::Open(addr, details) => {
                if report::is_verbose(1) {
                    let via_proxy = self.dialing.proxy.is_some();
                    let port = self.ports[turn];
                    lines.push(words::succeeded(
                        &self.host, port, &addr, via_proxy, &self.plan,
                    ));
                }
                lines.extend(details);
                Outcome::Open
            }
            Landed::Closed { timed_out } => Outcome::Closed { timed_out },
            Landed::Fatal(line) => {
                lines.push(report::named(&line));
                self.ports.truncate(self.next);
                Outcome::Fatal
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
                Outcome::Open => self.tally.open(),
                Outcome::Closed { timed_out } => self.tally.closed(timed_out),
                Outcome::Fatal => return Err(Exit::FAILED),
            }
        }
        Ok(())
    }
}

impl Drive<Exit> for Scan {
    fn note(&mut self, id: Registered, ready: Ready) {
        let Some(place) = self.owners.of(id) else {
            return;
        };
        let Some(Some(flight)) = self.flights.get_mut(place) else {
            return;
        };
        if let Stage::Dialing(dialer) = &mut flight.stage {
            dialer.note(id, ready);
        }
        self.noted.push(place);
    }

    fn notice(&mut self, notice: &Notice, _now: Instant) {
        match (notice, &mut self.names) {
            (Notice::Ending, _) => self.signalled = true,
            (_, Names::Asked(lookup, _)) => lookup.notice(notice),
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
            Names::Asked(_, until) => *until,
            Names::Known(_) => None,
        };
        let start = self.next_start.filter(|_| self.may_start());
        let flights = self.deadlines.first().map(|(at, _)| *at);
        let reader = report::is_behind().then(|| Instant::now() + UNREAD);
        [names, start, flights, reader].into_iter().flatten().min()
    }
}

impl Stage {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Stage::Dialing(dialer) => dialer.deadline(),
            Stage::Probing(probe) => Some(probe.deadline()),
        }
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

fn open(connected: &Connected) -> Landed {
    let details = report::is_verbose(2).then(|| words::socket_details(connected.stream.socket()));
    Landed::Open(connected.addr, details)
}
