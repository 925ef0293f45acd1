//! One relayed client: dialling the target, then a bridge between the two.
//!
//! ```text
//! Dialing ── connected ──► Joined ──► over
//!    └────── failed ──► the client is reset
//! ```

use super::company::{Company, tell_left};
use super::entrance::Client;
use super::labels::{ip_label, label};
use super::outcome::{failed, signal_exit};
use super::secure::Alerted;
use super::{logs, words};
use crate::exit::Exit;
use crate::flow::bridge::{Bridge, BrokenEnd, Ended, Turn};
use crate::flow::flow::{Flow, Settings};
use crate::io::connection::Connection;
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Registrar, Step};
use crate::io::ready::Ready;
use crate::io::seat::Seat;
use crate::io::stream::Stream;
use crate::net::addr;
use crate::net::dial::{Connected, DialError, Dialer};
use crate::net::unix;
use crate::parse::escape::printable;
use crate::plan::{Ends, Onward, Plan, Relay};
use crate::report;
use crate::sys::stdio;
use socket2::Socket;
use std::cell::Cell;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Where the clients of a listener are relayed to.
pub struct Destination {
    relay: Relay,
    /// Connections that were made to the listener itself, and are closed again: they are still to
    /// come in, and would be relayed as clients are.
    returning: Cell<usize>,
}

impl Destination {
    /// The target of the plan.
    pub fn new(relay: Relay) -> Destination {
        Destination {
            relay,
            returning: Cell::new(0),
        }
    }

    /// Returns whether a client is one of our own connections.
    fn returns(&self, client: &Socket) -> bool {
        let returning = self.returning.get();
        let is_ours = returning > 0 && stdio::is_hung_up(client.as_fd());
        self.returning.set(returning - usize::from(is_ours));
        is_ours
    }
}

/// A client, and its connection to the target.
pub struct Relayed {
    plan: Rc<Plan>,
    to: Rc<Destination>,
    company: Company,
    /// Who is at either side, for messages.
    client: Box<str>,
    target: Box<str>,
    came: Instant,
    signalled: bool,
    state: State,
    /// Its place among those who may be there at once.
    _seat: Seat,
}

enum State {
    Dialing(Box<Dialing>),
    Joined(Box<Bridge>, Alerted),
    Over,
}

struct Dialing {
    client: Connection,
    dial: Dial,
    /// To be given up for the socket to the target.
    reserve: Vec<OwnedFd>,
}

enum Dial {
    Ip(Box<Dialer>),
    Unix(unix::Dialer),
}

/// A connection to the target, and its name for messages.
type Target = (Stream, String);

impl Relayed {
    /// Begins to dial the target for a client that has come.
    pub fn new(
        plan: Rc<Plan>,
        to: Rc<Destination>,
        company: Company,
        client: Client,
        reserve: Vec<OwnedFd>,
        now: Instant,
    ) -> Relayed {
        let relay = &to.relay;
        let dial = match &relay.to {
            Onward::Ip { host, port } => {
                let (net, dialing) = (Rc::new(plan.net.clone()), Rc::new(relay.dialing.clone()));
                let hop = (host.as_str().into(), *port);
                let dialer = Dialer::new(hop, &net, &dialing, now);
                Dial::Ip(Box::new(dialer))
            }
            Onward::Unix(path) => Dial::Unix(unix::Dialer::new(path, relay.dialing.timeout)),
        };
        let dialing = Dialing {
            client: client.conn,
            dial,
            reserve,
        };
        Relayed {
            client: label(&client.addr, &plan.net).into(),
            target: Box::default(),
            plan,
            to,
            company,
            came: now,
            signalled: false,
            state: State::Dialing(Box::new(dialing)),
            _seat: client.seat,
        }
    }

    /// Goes on dialling; `false` when that has to wait.
    fn dial(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let State::Dialing(dialing) = &mut self.state else {
            return Ok(true);
        };
        dialing.reserve.clear();
        if self.to.returns(dialing.client.socket()) {
            return Err(Exit::FAILED);
        }
        let dialed = match &mut dialing.dial {
            Dial::Ip(dialer) => {
                let dialed = dialer.drive(cx);
                dialer
                    .take_news()
                    .iter()
                    .for_each(|line| report::line(line));
                match dialed {
                    Poll::Pending => return Ok(false),
                    Poll::Ready(Ok(connected)) => Ok(self.connected(connected)),
                    Poll::Ready(Err(error)) => {
                        let summary = dialer.summary();
                        Err(self.not_connected(&error, &summary))
                    }
                }
            }
            Dial::Unix(dialer) => match dialer.drive(cx.now) {
                Poll::Pending => return Ok(false),
                Poll::Ready(Ok(sock)) => Ok((Stream::new(sock), self.unix_label())),
                Poll::Ready(Err(error)) => Err(self.unix_not_connected(&error)),
            },
        };
        let State::Dialing(dialing) = std::mem::replace(&mut self.state, State::Over) else {
            return Ok(true);
        };
        let dialed = dialed.and_then(|target| self.not_itself(dialing.client.socket(), target));
        match dialed {
            Ok(target) => self.join(dialing.client, target, cx)?,
            Err(exit) => {
                reset(dialing.client.socket());
                return Err(exit);
            }
        }
        Ok(true)
    }

    fn connected(&self, connected: Connected) -> Target {
        let Onward::Ip { host, port } = &self.to.relay.to else {
            return (connected.stream, String::new());
        };
        let via_proxy = self.to.relay.dialing.proxy.is_some();
        if report::is_verbose(1) {
            let line = words::succeeded(host, *port, &connected.addr, via_proxy, &self.plan);
            report::line(&line);
        }
        if report::is_verbose(2) {
            report::line(&words::socket_details(connected.stream.socket()));
        }
        let label = if via_proxy {
            format!("{} port {port} (tcp)", printable(host.as_bytes()))
        } else {
            ip_label(&connected.addr, &self.plan.net)
        };
        (connected.stream, label)
    }

    fn not_connected(&self, error: &DialError, summary: &str) -> Exit {
        let proxy = self.to.relay.dialing.proxy.as_ref();
        match error {
            // With -v each address has been told by now.
            DialError::Connect(_) if report::is_verbose(1) => {}
            DialError::Connect(_) => report::failure(summary),
            DialError::PasswordWanted(_) => {
                let at = proxy.map(|proxy| format!("{} port {}", proxy.host, proxy.port));
                let at = at.unwrap_or_default();
                report::error(&format!(
                    "connect through {at} failed: it wants a password (--proxy-auth)"
                ));
            }
            _ => report::error(&words::no_connection(error, proxy, &self.plan)),
        }
        match error {
            DialError::Connect(true) => Exit::Code(self.plan.codes.connect_timed_out),
            _ => Exit::FAILED,
        }
    }

    /// Refuses a target where the client itself came in: its connection would be the next client,
    /// and so on without end.
    fn not_itself(&self, client: &Socket, target: Target) -> Result<Target, Exit> {
        let (Ok(here), Ok(there)) = (client.local_addr(), target.0.socket().peer_addr()) else {
            return Ok(target);
        };
        let is_same = match (addr::ip(&here), addr::ip(&there)) {
            (Some(here), Some(there)) => here.ip() == there.ip() && here.port() == there.port(),
            _ => here.domain() == there.domain() && addr::show(&here) == addr::show(&there),
        };
        if is_same && self.to.relay.dialing.proxy.is_none() {
            let label = &target.1;
            report::error(&format!(
                "connect to {label} failed: rnc itself listens there"
            ));
            target.0.reset();
            self.to.returning.set(self.to.returning.get() + 1);
            return Err(Exit::FAILED);
        }
        Ok(target)
    }

    fn unix_label(&self) -> String {
        match &self.to.relay.to {
            Onward::Unix(path) => format!("{} (unix)", printable(path.as_os_str().as_bytes())),
            Onward::Ip { .. } => String::new(),
        }
    }

    fn unix_not_connected(&self, error: &io::Error) -> Exit {
        let label = self.unix_label();
        // The kernel never says this of a Unix socket: it is our limit.
        if error.kind() == io::ErrorKind::TimedOut {
            report::failure(&format!("connect to {label} timed out"));
            return Exit::Code(self.plan.codes.connect_timed_out);
        }
        if let Onward::Unix(path) = &self.to.relay.to {
            report::failure(&words::not_reached(path, error, &self.plan));
        }
        Exit::FAILED
    }

    fn join(
        &mut self,
        client: Connection,
        (target, label): Target,
        cx: Cx<'_>,
    ) -> Result<(), Exit> {
        self.target = label.into();
        let target = Connection::Stream(target);
        let ends =
            end(client, &cx.registrar).and_then(|client| Ok((client, end(target, &cx.registrar)?)));
        let ends = ends.map_err(|error| failed(&error.into()))?;
        let watchers = logs::watchers(&self.client);
        let alerted = Alerted::default();
        let mut answers = watchers.received();
        answers.first = Some(alerted.look());
        let settings = |taps| Settings {
            taps,
            may_offload: self.plan.session.may_offload,
            passes_clean_ends_only: true,
            ..Settings::default()
        };
        let (out, inn) = (
            Flow::new(settings(watchers.sent())),
            Flow::new(settings(answers)),
        );
        let limits = self.plan.session.limits;
        let mut bridge = Bridge::new(ends, (out, inn), Ends::BOTH, limits, cx.now);
        bridge.count_from(self.came);
        self.state = State::Joined(Box::new(bridge), alerted);
        Ok(())
    }

    /// Says what there is to say about the end, and gives the exit code.
    fn finish(&mut self, ended: &Ended) -> Exit {
        let State::Joined(bridge, alerted) = &self.state else {
            return Exit::OK;
        };
        tell_left(&self.client, bridge);
        let (_, received) = bridge.moved();
        let alert = alerted.line(&self.target, received);
        if let Some(line) = alert.filter(|_| !matches!(ended, Ended::Signalled)) {
            self.company.tell(&line);
            return Exit::Code(self.plan.codes.broken);
        }
        if matches!(ended, Ended::Broken(..) | Ended::Truncated(..)) {
            bridge.ends().into_iter().for_each(Endpoint::reset);
        }
        let name = format!("connection from {}", self.client);
        self.company
            .outcome(ended, &self.plan, &name, |place| match place {
                BrokenEnd::Peer => format!("connection to {}", self.target),
                BrokenEnd::Input | BrokenEnd::Output => name.clone(),
            })
    }

    /// The task has ended.
    fn done(&self, exit: Exit) -> Step<Exit> {
        Step::Done(self.company.exit(exit))
    }
}

/// Makes an end of a connection. What is read is passed on at once: the sender has gathered what
/// belongs together.
fn end(conn: Connection, registrar: &Registrar<'_>) -> io::Result<Endpoint> {
    // No TCP socket: nothing is held back there.
    let _ = conn.socket().set_tcp_nodelay(true);
    conn.into_end(registrar)
}

/// Has a socket's peer see a reset, not an end, once it is closed.
pub fn reset(sock: &Socket) {
    // A Unix socket knows no reset: its peer sees the end.
    let _ = sock.set_linger(Some(Duration::ZERO));
}

impl Drive<Exit> for Relayed {
    fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            State::Dialing(dialing) => {
                if let Dial::Ip(dialer) = &mut dialing.dial {
                    dialer.note(id, ready);
                }
            }
            State::Joined(bridge, _) => bridge.note(id, ready),
            State::Over => {}
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        match (notice, &mut self.state) {
            (Notice::Ending, State::Joined(bridge, _)) => bridge.leave(Ended::Signalled, now),
            (Notice::Ending, _) => self.signalled = true,
            (_, State::Dialing(dialing)) => {
                if let Dial::Ip(dialer) = &mut dialing.dial {
                    dialer.notice(notice);
                }
            }
            _ => {}
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if self.signalled {
            if let State::Dialing(dialing) = &self.state {
                reset(dialing.client.socket());
            }
            return self.done(signal_exit());
        }
        match self.dial(cx) {
            Ok(true) => {}
            Ok(false) => return Step::Wait,
            Err(exit) => return self.done(exit),
        }
        let State::Joined(bridge, _) = &mut self.state else {
            return self.done(Exit::OK);
        };
        match bridge.drive(cx.now) {
            Turn::Wait => Step::Wait,
            Turn::Again => Step::Again,
            Turn::Over(ended) => {
                let exit = self.finish(&ended);
                self.done(exit)
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Dialing(dialing) => match &dialing.dial {
                Dial::Ip(dialer) => dialer.deadline(),
                Dial::Unix(dialer) => dialer.deadline(),
            },
            State::Joined(bridge, _) => bridge.deadline(),
            State::Over => None,
        }
    }
}
