//! Connecting: to the ports of a host one after the other, to a Unix socket, to a vsock port.
//!
//! ```text
//! Next ──► Dialing ──► Probing (UDP) ──► Session ──► Next … ──► Done
//!                 └────────── failed ──► Pausing ──► Next
//!
//! With TLS: Dialing ──► Securing ──► Session
//! DialingUnix and DialingVsock are like Dialing.
//! ```

mod local;
mod secured;

use super::company::Company;
use super::environment::Addresses;
use super::labels::ip_label;
use super::outcome::{failed, signal_exit};
use super::ports::{self, Tally, UNREAD};
use super::probe::Probe;
use super::program::{Peer, Program, Progress};
use super::session::{self, Joined};
use super::{password, words};
use crate::exit::Exit;
use crate::flow::bridge;
use crate::io::datagram::PeerAddr;
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::net::addr::{show_ip, unmapped};
use crate::net::dial::{Connected, DialError, Dialer};
use crate::net::handshake::ProxyAnswer;
use crate::net::own_file::OwnFile;
use crate::net::secure::Securing;
use crate::net::tls::TlsConnector;
use crate::net::{unix, vsock};
use crate::parse::escape::printable;
use crate::plan::{Dialing, Mode, Net, Plan, Ports, Service, Transport};
use crate::report;
use crate::sys::{fdpass, signal};
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;
use std::task::Poll;
use std::time::Instant;

/// Connects, and runs the sessions.
pub struct Connect {
    plan: Rc<Plan>,
    net: Rc<Net>,
    dialing: Option<Rc<Dialing>>,
    /// The password a proxy has asked for.
    answer: Option<Rc<ProxyAnswer>>,
    /// Ports still to be tried, the next one last.
    ports: Vec<u16>,
    /// There was more than one.
    has_many: bool,
    /// How connections are made secure, if they are.
    tls: Option<Rc<TlsConnector>>,
    state: State,
    /// When the connection that is under way was begun.
    began: Instant,
    tally: Tally,
    /// The code of a session that broke.
    broken: Option<Exit>,
    signalled: bool,
    /// Our own socket file of a Unix datagram session.
    _file: Option<OwnFile>,
}

enum State {
    Next,
    Dialing(Box<Dialer>, u16),
    DialingUnix(unix::Dialer),
    DialingVsock(Box<vsock::Dialer>),
    Probing(Box<Probe>),
    Pausing(Instant),
    /// Making it secure: the label of the connection.
    Securing(Box<Securing>, String),
    Session(Box<Joined>),
    Program(Box<Program>),
}

impl Connect {
    /// Goes through the ports of the plan; `tls` makes the connections secure.
    pub fn new(plan: Rc<Plan>, tls: Option<Rc<TlsConnector>>) -> Connect {
        let (ports, dialing) = match &plan.mode {
            Mode::Connect { to, .. } => {
                let mut list = ports::list(to);
                list.reverse();
                (list, Some(Rc::new(to.dialing.clone())))
            }
            _ => (vec![0], None),
        };
        Connect {
            net: Rc::new(plan.net.clone()),
            plan,
            dialing,
            answer: None,
            has_many: ports.len() > 1,
            ports,
            tls,
            state: State::Next,
            began: Instant::now(),
            tally: Tally::default(),
            broken: None,
            signalled: false,
            _file: None,
        }
    }

    fn to(&self) -> Option<&Ports> {
        match &self.plan.mode {
            Mode::Connect { to, .. } => Some(to),
            _ => None,
        }
    }

    /// Begins with the next port, if there is one.
    fn next(&mut self, cx: Cx<'_>) -> Result<(), Exit> {
        // What is found at many ports is worth nothing unless it is read.
        if self.has_many && report::is_behind() {
            self.state = State::Pausing(cx.now + UNREAD);
            return Ok(());
        }
        let Some(port) = self.ports.pop() else {
            return Err(self.exit());
        };
        self.began = cx.now;
        match &self.plan.mode {
            Mode::Connect { to, .. } => self.dial(to.host.as_str().into(), port, cx.now),
            Mode::ConnectUnix {
                path,
                datagram: None,
                timeout,
                ..
            } => {
                self.state = State::DialingUnix(unix::Dialer::new(path, *timeout));
                Ok(())
            }
            Mode::ConnectUnix {
                path,
                datagram: Some(from),
                ..
            } => {
                let connected = unix::connect_datagram(path, from);
                let connected = connected.map(|(sock, file)| (sock, Some(file)));
                self.unix_dialed(connected, cx)
            }
            Mode::ConnectVsock { cid, port, timeout } => {
                let dialer = vsock::Dialer::new(*cid, *port, *timeout);
                self.state = State::DialingVsock(Box::new(dialer));
                Ok(())
            }
            _ => Err(Exit::FAILED),
        }
    }

    fn dial(&mut self, host: Rc<str>, port: u16, now: Instant) -> Result<(), Exit> {
        let Some(dialing) = &self.dialing else {
            return Err(Exit::FAILED);
        };
        let dialer = Dialer::new((host, port), &self.net, dialing, now);
        let dialer = dialer.answering(self.answer.as_ref());
        self.state = State::Dialing(Box::new(dialer), port);
        Ok(())
    }

    fn join(&mut self, remote: Endpoint, label: String, cx: Cx<'_>) -> Result<(), Exit> {
        if let Service::Program(program) = &self.plan.service {
            let peer = Peer {
                addresses: Addresses::of_end(&remote),
                end: remote,
                label,
            };
            let mut program = Program::start(&self.plan, program, peer, Company::Alone, cx)?;
            program.count_from(self.began);
            self.state = State::Program(Box::new(program));
            return Ok(());
        }
        let is_last = self.ports.is_empty();
        let local =
            session::local_end(&self.plan.session, is_last, &cx.registrar).map_err(io_exit)?;
        let mut joined = Joined::new((local, remote), &self.plan, label, cx.now);
        joined.count_from(self.began);
        self.state = State::Session(Box::new(joined));
        Ok(())
    }

    /// A dialer has connected, or has given up.
    fn dialed(
        &mut self,
        dialed: Result<Connected, DialError>,
        port: u16,
        cx: Cx<'_>,
    ) -> Result<(), Exit> {
        let connected = match dialed {
            Ok(connected) => connected,
            Err(DialError::PasswordWanted(challenge)) => {
                self.ports.push(port);
                let dialing = self.dialing.as_ref();
                let proxy = dialing.and_then(|dialing| dialing.proxy.as_ref());
                self.answer = Some(password::ask(proxy, challenge)?);
                self.state = State::Next;
                return Ok(());
            }
            Err(error) => return self.dial_failed(error, cx.now),
        };
        let probe = self.to().and_then(|to| to.udp_probe);
        if let (Transport::Udp, Some(asking)) = (self.plan.net.transport, probe) {
            let probe = Probe::new(connected, port, asking, cx).map_err(io_exit)?;
            self.state = State::Probing(Box::new(probe));
            return Ok(());
        }
        self.connected(connected, port, cx)
    }

    fn dial_failed(&mut self, error: DialError, now: Instant) -> Result<(), Exit> {
        let DialError::Connect(timed_out) = error else {
            let proxy = self
                .dialing
                .as_ref()
                .and_then(|dialing| dialing.proxy.as_ref());
            return Err(words::tell_no_connection(&error, proxy, &self.plan));
        };
        if let State::Dialing(dialer, _) = &self.state
            && !report::is_verbose(1)
        {
            report::failure(&dialer.summary());
        }
        self.port_failed(timed_out, now);
        Ok(())
    }

    /// A port is not open: on to the next.
    fn port_failed(&mut self, timed_out: bool, now: Instant) {
        self.tally.closed(timed_out);
        self.pause(now);
    }

    fn pause(&mut self, now: Instant) {
        let pause = self.to().and_then(|to| to.interval);
        self.state = match pause {
            Some(pause) if !self.ports.is_empty() => State::Pausing(now + pause),
            _ => State::Next,
        };
    }

    /// There is a connection to a port: tell it, and do with it what is asked.
    fn connected(&mut self, connected: Connected, port: u16, cx: Cx<'_>) -> Result<(), Exit> {
        let Mode::Connect { to, passes_fd } = &self.plan.mode else {
            return Err(Exit::FAILED);
        };
        self.tally.open();
        let via_proxy = self
            .dialing
            .as_ref()
            .is_some_and(|dialing| dialing.proxy.is_some());
        if report::is_verbose(1) {
            report::line(&words::succeeded(
                &to.host,
                port,
                &connected.addr,
                via_proxy,
                &self.plan,
            ));
        }
        if report::is_verbose(2) {
            report::line(&words::socket_details(connected.stream.socket()));
        }
        if *passes_fd {
            return Err(pass_fd(&connected));
        }
        let label = if via_proxy {
            format!("{} port {port} (tcp)", printable(to.host.as_bytes()))
        } else {
            ip_label(&connected.addr, &self.plan.net)
        };
        match self.plan.net.transport {
            Transport::Tcp | Transport::Sctp => self.connected_stream(connected.stream, label, cx),
            Transport::Udp => {
                let (sock, to) = (connected.stream.into_socket(), Some(connected.addr));
                let remote = session::datagram_end(sock, to, &cx.registrar).map_err(io_exit)?;
                self.join(remote, label, cx)
            }
        }
    }

    /// One look at a UDP port; `false` when it has to wait.
    fn probe(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let State::Probing(probe) = &mut self.state else {
            return Ok(true);
        };
        let Poll::Ready(look) = probe.look(cx.now) else {
            return Ok(false);
        };
        let State::Probing(probe) = std::mem::replace(&mut self.state, State::Next) else {
            return Ok(true);
        };
        let (connected, port) = probe.into_connected();
        if let Err(error) = look {
            // nc says nothing here, not even with -v.
            if self.plan.session.tells_breaks && report::is_verbose(1) {
                report::error(&words::refused(&connected.addr, port, &error, &self.plan));
            }
            self.port_failed(false, cx.now);
        } else {
            self.connected(connected, port, cx)?;
        }
        Ok(true)
    }

    fn exit(&self) -> Exit {
        let ports = || self.tally.exit(self.to(), &self.plan);
        self.broken.unwrap_or_else(ports)
    }

    /// One step of the state machine; `None` when it has to wait.
    fn step(&mut self, cx: Cx<'_>) -> Result<Option<Step<Exit>>, Exit> {
        match &mut self.state {
            State::Next => self.next(cx)?,
            State::Pausing(until) if cx.now >= *until => self.state = State::Next,
            State::Pausing(_) => return Ok(Some(Step::Wait)),
            State::Dialing(dialer, port) => {
                let port = *port;
                let dialed = dialer.drive(cx);
                for line in dialer.take_news() {
                    report::line(&line);
                }
                match dialed {
                    Poll::Pending => return Ok(Some(Step::Wait)),
                    Poll::Ready(dialed) => self.dialed(dialed, port, cx)?,
                }
            }
            State::DialingUnix(dialer) => match dialer.drive(cx.now) {
                Poll::Pending => return Ok(Some(Step::Wait)),
                Poll::Ready(dialed) => {
                    self.unix_dialed(dialed.map(|sock| (sock, None)), cx)?;
                }
            },
            State::DialingVsock(_) => {
                if !self.dial_vsock(cx)? {
                    return Ok(Some(Step::Wait));
                }
            }
            State::Probing(_) => {
                if !self.probe(cx)? {
                    return Ok(Some(Step::Wait));
                }
            }
            State::Securing(..) => {
                if !self.secure(cx)? {
                    return Ok(Some(Step::Wait));
                }
            }
            State::Session(joined) => match drive_session(joined, cx.now) {
                bridge::Turn::Wait => return Ok(Some(Step::Wait)),
                bridge::Turn::Again => return Ok(Some(Step::Again)),
                bridge::Turn::Over(ended) => {
                    let State::Session(joined) = std::mem::replace(&mut self.state, State::Next)
                    else {
                        return Ok(None);
                    };
                    let exit = joined.finish(&ended, &self.plan);
                    self.session_over(exit, cx.now)?;
                }
            },
            State::Program(program) => match program.drive(cx.now) {
                Progress::Wait => return Ok(Some(Step::Wait)),
                Progress::Again => return Ok(Some(Step::Again)),
                Progress::Over(exit) => self.session_over(exit, cx.now)?,
            },
        }
        Ok(None)
    }

    /// A session is over: on to the next port, unless a signal ended it.
    fn session_over(&mut self, exit: Exit, now: Instant) -> Result<(), Exit> {
        if exit != Exit::OK {
            self.broken = Some(exit);
        }
        if matches!(exit, Exit::Signal(_)) {
            return Err(exit);
        }
        self.pause(now);
        Ok(())
    }
}

impl Drive<Exit> for Connect {
    fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            State::Dialing(dialer, _) => dialer.note(id, ready),
            State::Securing(securing, _) => securing.note(id, ready),
            State::Session(joined) => joined.note(id, ready),
            State::Program(program) => program.note(id, ready),
            State::DialingVsock(dialer) => dialer.note(id, ready),
            State::Next | State::DialingUnix(_) | State::Probing(_) | State::Pausing(_) => {}
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        match (notice, &mut self.state) {
            (Notice::Ending, State::Session(joined)) => joined.leave(now),
            (Notice::Ending, State::Program(program)) => program.leave(now),
            (Notice::ProgramEnded, State::Program(program)) => program.look(),
            (Notice::Ending, _) => self.signalled = true,
            (_, State::Dialing(dialer, _)) => dialer.notice(notice),
            _ => {}
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        loop {
            if self.signalled {
                return Step::Done(signal_exit());
            }
            match self.step(cx) {
                Ok(Some(turn)) => return turn,
                Ok(None) => {}
                Err(exit) => return Step::Done(exit),
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.state {
            State::Next => None,
            State::Dialing(dialer, _) => dialer.deadline(),
            State::DialingUnix(dialer) => dialer.deadline(),
            State::DialingVsock(dialer) => dialer.deadline(),
            State::Probing(probe) => Some(probe.deadline()),
            State::Pausing(until) => Some(*until),
            State::Securing(securing, _) => Some(securing.deadline()),
            State::Session(joined) => joined.deadline(),
            State::Program(program) => program.deadline(),
        }
    }
}

/// Drives a session, and prints news of datagrams: the peers that answer, and that some are refused.
fn drive_session(joined: &mut Joined, now: Instant) -> bridge::Turn {
    let turn = joined.drive(now);
    let Some(datagram) = joined.datagram() else {
        return turn;
    };
    let fault = datagram.take_send_fault();
    for peer in datagram.take_new_peers() {
        if let PeerAddr::Ip(ip) = peer {
            let ip = unmapped(ip);
            report::verbose(1, &format!("Answer from {} {}", show_ip(&ip), ip.port()));
        }
    }
    if let Some(error) = fault {
        let (label, reason) = (joined.label(), report::reason(&error));
        report::verbose(1, &format!("Datagrams to {label} are lost: {reason}"));
    }
    turn
}

fn io_exit(error: io::Error) -> Exit {
    failed(&error.into())
}

fn pass_fd(connected: &Connected) -> Exit {
    // It waits until the socket is taken.
    let _blocking = signal::allow_blocking();
    // One that leads to a group is not connected; the receiver wants a connection.
    let sock = connected.stream.socket();
    if sock.peer_addr().is_err() {
        let _ = sock.connect(&connected.addr.into());
    }
    match fdpass::pass_to_stdout(sock.as_fd()) {
        Ok(()) => Exit::OK,
        Err(error) => {
            report::error(&format!(
                "pass the socket to standard output failed: {}",
                report::reason(&error)
            ));
            Exit::FAILED
        }
    }
}
