//! Connecting: to the ports of a host one after the other, to a Unix socket, to a vsock port.
//!
//! ```text
//! Next ──► Dialing ──► Probing (UDP) ──► Session ──► Next … ──► Done
//!                 └────────── failed ──► Pausing ──► Next
//! ```

use super::listen::ip_label;
use super::probe::{Look, Probe};
use super::session::{self, Joined};
use super::{FIRST_SLOT, signal_exit, words};
use crate::exit::Exit;
use crate::flow::bridge;
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Drive, Registrar, Step};
use crate::io::ready::Ready;
use crate::net::dial::{Connected, DialError, Dialed, Dialer};
use crate::net::unix::{self, SocketFile};
use crate::parse::escape::printable;
use crate::plan::{Dialing, Mode, Plan, ProxyKind, Scan, Transport, UnixSource};
use crate::report;
use crate::sys::{fdpass, tty};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;
use std::time::Instant;

/// Connects, and runs the sessions.
pub struct Connect {
    plan: Rc<Plan>,
    dialing: Option<Dialing>,
    /// Ports still to be tried, the next one last.
    ports: Vec<u16>,
    state: State,
    tally: Tally,
    signalled: bool,
    /// Our own socket file of a Unix datagram session.
    _file: Option<SocketFile>,
}

enum State {
    Next,
    Dialing(Box<Dialer>, u16),
    Probing(Box<Probe>),
    Pausing(Instant),
    Session(Box<Joined>),
}

/// What became of the ports so far.
#[derive(Default)]
struct Tally {
    any_open: bool,
    last_failed: bool,
    timed_out: bool,
    /// The code of a session that broke.
    session: Option<Exit>,
}

impl Connect {
    /// Goes through the ports of the plan.
    pub fn new(plan: Rc<Plan>) -> Connect {
        let (ports, dialing) = match &plan.mode {
            Mode::Connect {
                ports,
                dialing,
                scan,
                ..
            } => {
                let mut list: Vec<u16> = ports.iter().cloned().flatten().collect();
                if scan.shuffled {
                    shuffle(&mut list);
                }
                list.reverse();
                (list, Some(dialing.clone()))
            }
            _ => (vec![0], None),
        };
        let (state, tally) = (State::Next, Tally::default());
        Connect {
            plan,
            dialing,
            ports,
            state,
            tally,
            signalled: false,
            _file: None,
        }
    }

    fn scan(&self) -> Option<&Scan> {
        match &self.plan.mode {
            Mode::Connect { scan, .. } => Some(scan),
            _ => None,
        }
    }

    /// Begins with the next port, if there is one.
    fn next(&mut self, registrar: &Registrar<'_>, now: Instant) -> Result<(), Exit> {
        let Some(port) = self.ports.pop() else {
            return Err(self.exit());
        };
        match &self.plan.mode {
            Mode::Connect { host, .. } => self.dial(&host.clone(), port, now),
            Mode::ConnectUnix {
                path,
                datagram,
                zero_io,
            } => {
                let (path, datagram, zero_io) = (path.clone(), datagram.clone(), *zero_io);
                self.connect_unix(&path, datagram.as_ref(), zero_io, registrar, now)
            }
            Mode::ConnectVsock { cid, port } => self.connect_vsock(*cid, *port, registrar, now),
            _ => Err(Exit::FAILED),
        }
    }

    fn dial(&mut self, host: &str, port: u16, _now: Instant) -> Result<(), Exit> {
        let Some(dialing) = &mut self.dialing else {
            return Err(Exit::FAILED);
        };
        let asks_first = dialing.proxy.as_ref().is_some_and(|proxy| {
            proxy.kind == ProxyKind::Socks5 && proxy.user.is_some() && proxy.password.is_none()
        });
        if asks_first {
            ask_password(dialing)?;
        }
        let dialer = Dialer::new(host, port, &self.plan.net, dialing, FIRST_SLOT);
        self.state = State::Dialing(Box::new(dialer), port);
        Ok(())
    }

    fn connect_unix(
        &mut self,
        path: &Path,
        datagram: Option<&UnixSource>,
        zero_io: bool,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<(), Exit> {
        let shown = printable(path.as_os_str().as_bytes());
        let connected = match datagram {
            None => unix::connect_stream(path).map(|sock| (sock, None)),
            Some(from) => unix::connect_datagram(path, from).map(|(sock, file)| (sock, Some(file))),
        };
        let (sock, file) = connected.map_err(|error| {
            let reason = report::reason(&error);
            match self.plan.plain_errors {
                true => report::error(&format!("{shown}: {reason}")),
                false => report::error(&format!("connect to {shown} (unix) failed: {reason}")),
            }
            Exit::FAILED
        })?;
        self._file = file;
        self.tally.any_open = true;
        if zero_io {
            return Ok(());
        }
        let remote = match datagram {
            None => session::stream_end(sock, registrar),
            Some(_) => session::datagram_end(sock, registrar),
        };
        self.join(
            remote.map_err(io_exit)?,
            &[],
            format!("{shown} (unix)"),
            registrar,
            now,
        )
    }

    fn connect_vsock(
        &mut self,
        cid: u32,
        port: u32,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<(), Exit> {
        let label = format!("vsock {cid} port {port}");
        let connected = Socket::new(Domain::VSOCK, Type::STREAM, None)
            .and_then(|sock| sock.connect(&SockAddr::vsock(cid, port)).map(|()| sock))
            .and_then(|sock| sock.set_nonblocking(true).map(|()| sock));
        let sock = connected.map_err(|error| {
            report::error(&format!(
                "connect to {label} failed: {}",
                report::reason(&error)
            ));
            Exit::FAILED
        })?;
        self.tally.any_open = true;
        let remote = session::stream_end(sock, registrar).map_err(io_exit)?;
        self.join(remote, &[], label, registrar, now)
    }

    fn join(
        &mut self,
        remote: Endpoint,
        left_over: &[u8],
        label: String,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<(), Exit> {
        let is_last = self.ports.is_empty();
        let local = session::local_end(&self.plan.session, is_last, registrar).map_err(io_exit)?;
        let joined = Joined::new((local, remote), left_over, &self.plan, label, now);
        self.state = State::Session(Box::new(joined));
        Ok(())
    }

    /// A dialer has connected, or has given up.
    fn dialed(
        &mut self,
        dialed: Result<Connected, DialError>,
        port: u16,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<(), Exit> {
        let connected = match dialed {
            Ok(connected) => connected,
            Err(DialError::PasswordWanted) => {
                self.ports.push(port);
                let Some(dialing) = &mut self.dialing else {
                    return Err(Exit::FAILED);
                };
                ask_password(dialing)?;
                self.state = State::Next;
                return Ok(());
            }
            Err(error) => return self.dial_failed(error, now),
        };
        let probe = self.scan().and_then(|scan| scan.udp_probe);
        if let (Transport::Udp, Some(limit)) = (self.plan.net.transport, probe) {
            let probe = Probe::new(connected, port, limit, registrar, now).map_err(io_exit)?;
            self.state = State::Probing(Box::new(probe));
            return Ok(());
        }
        self.connected(connected, port, registrar, now)
    }

    fn dial_failed(&mut self, error: DialError, now: Instant) -> Result<(), Exit> {
        // With -z a closed port is an answer, given by the exit code.
        let is_answer = self.scan().is_some_and(|scan| scan.zero_io);
        if let Some(dialing) = &self.dialing
            && !(is_answer && matches!(error, DialError::Connect { .. }))
        {
            words::tell_not_connected(&error, dialing);
        }
        let DialError::Connect { timed_out, .. } = error else {
            return Err(Exit::FAILED);
        };
        self.tally.timed_out |= timed_out;
        self.port_failed(now);
        Ok(())
    }

    /// A port is not open: on to the next.
    fn port_failed(&mut self, now: Instant) {
        self.tally.last_failed = true;
        self.pause(now);
    }

    fn pause(&mut self, now: Instant) {
        let pause = self.scan().and_then(|scan| scan.interval);
        self.state = match pause {
            Some(pause) if !self.ports.is_empty() => State::Pausing(now + pause),
            _ => State::Next,
        };
    }

    /// There is a connection to a port: tell it, and do with it what is asked.
    fn connected(
        &mut self,
        connected: Connected,
        port: u16,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<(), Exit> {
        let Mode::Connect {
            host,
            scan,
            passes_fd,
            ..
        } = &self.plan.mode
        else {
            return Err(Exit::FAILED);
        };
        self.tally.any_open = true;
        self.tally.last_failed = false;
        let via_proxy = self
            .dialing
            .as_ref()
            .is_some_and(|dialing| dialing.proxy.is_some());
        if report::is_verbose(1) {
            report::line(&words::succeeded(
                host, port, &connected, via_proxy, &self.plan,
            ));
        }
        if report::is_verbose(2) {
            report::line(&words::socket_details(&connected.sock));
        }
        if *passes_fd {
            return Err(pass_fd(&connected));
        }
        if scan.zero_io {
            self.pause(now);
            return Ok(());
        }
        let label = match via_proxy {
            true => format!("{} port {port} (tcp)", printable(host.as_bytes())),
            false => ip_label(&connected.addr, &self.plan.net),
        };
        let remote = match self.plan.net.transport {
            Transport::Tcp => session::stream_end(connected.sock, registrar),
            Transport::Udp => session::datagram_end(connected.sock, registrar),
        };
        let remote = remote.map_err(io_exit)?;
        self.join(remote, &connected.left_over, label, registrar, now)
    }

    /// One look at a UDP port; `false` when it has to wait.
    fn probe(&mut self, registrar: &Registrar<'_>, now: Instant) -> Result<bool, Exit> {
        let State::Probing(probe) = &mut self.state else {
            return Ok(true);
        };
        let look = probe.look(now);
        if matches!(look, Look::Wait) {
            return Ok(false);
        }
        let State::Probing(probe) = std::mem::replace(&mut self.state, State::Next) else {
            return Ok(true);
        };
        let (connected, port) = probe.into_connected();
        if let Look::Refused(error) = look {
            // nc says nothing here, not even with -v.
            if self.plan.session.tells_breaks && report::is_verbose(1) {
                report::error(&words::refused(&connected, port, &error, &self.plan));
            }
            self.port_failed(now);
        } else {
            self.connected(connected, port, registrar, now)?;
        }
        Ok(true)
    }

    fn exit(&self) -> Exit {
        if let Some(exit) = self.tally.session {
            return exit;
        }
        let last_decides = self.plan.net.transport == Transport::Udp
            && self.scan().is_some_and(|scan| scan.last_udp_port_decides);
        let failed = match last_decides {
            true => self.tally.last_failed,
            false => !self.tally.any_open,
        };
        match (failed, self.tally.timed_out) {
            (false, _) => Exit::OK,
            (true, true) => Exit::Code(self.plan.codes.connect_timed_out),
            (true, false) => Exit::FAILED,
        }
    }

    /// One step of the state machine; `None` when it has to wait.
    fn step(
        &mut self,
        registrar: &Registrar<'_>,
        now: Instant,
    ) -> Result<Option<Step<Exit>>, Exit> {
        match &mut self.state {
            State::Next => self.next(registrar, now)?,
            State::Pausing(until) if now >= *until => self.state = State::Next,
            State::Pausing(_) => return Ok(Some(Step::Wait)),
            State::Dialing(dialer, port) => {
                let port = *port;
                match dialer.drive(registrar, now) {
                    Dialed::Wait => return Ok(Some(Step::Wait)),
                    Dialed::Done(connected) => self.dialed(Ok(connected), port, registrar, now)?,
                    Dialed::Failed(error) => self.dialed(Err(error), port, registrar, now)?,
                }
            }
            State::Probing(_) => {
                if !self.probe(registrar, now)? {
                    return Ok(Some(Step::Wait));
                }
            }
            State::Session(joined) => match joined.drive(now) {
                bridge::Turn::Wait => return Ok(Some(Step::Wait)),
                bridge::Turn::Again => return Ok(Some(Step::Again)),
                bridge::Turn::Over(ended) => {
                    let State::Session(joined) = std::mem::replace(&mut self.state, State::Next)
                    else {
                        return Ok(None);
                    };
                    let exit = joined.finish(&ended, &self.plan);
                    if exit != Exit::OK {
                        self.tally.session = Some(exit);
                    }
                    if matches!(exit, Exit::Signal(_)) {
                        return Err(exit);
                    }
                    self.pause(now);
                }
            },
        }
        Ok(None)
    }
}

impl Drive<Exit> for Connect {
    fn note(&mut self, slot: u16, ready: Ready) {
        match &mut self.state {
            State::Dialing(dialer, _) => dialer.note(slot, ready),
            State::Session(joined) => joined.note(slot, ready),
            State::Next | State::Probing(_) | State::Pausing(_) => {}
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        match (notice, &mut self.state) {
            (Notice::Ending, State::Session(joined)) => joined.leave(now),
            (Notice::Ending, _) => self.signalled = true,
            (_, State::Dialing(dialer, _)) => dialer.notice(notice),
            _ => {}
        }
    }

    fn drive(&mut self, registrar: &Registrar<'_>, now: Instant) -> Step<Exit> {
        loop {
            if self.signalled {
                return Step::Done(signal_exit());
            }
            match self.step(registrar, now) {
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
            State::Probing(probe) => Some(probe.deadline()),
            State::Pausing(until) => Some(*until),
            State::Session(joined) => joined.deadline(),
        }
    }
}

fn io_exit(error: io::Error) -> Exit {
    super::failed(&error.into())
}

fn pass_fd(connected: &Connected) -> Exit {
    match fdpass::pass_to_stdout(connected.sock.as_fd()) {
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

fn ask_password(dialing: &mut Dialing) -> Result<(), Exit> {
    let Some(proxy) = &mut dialing.proxy else {
        return Ok(());
    };
    let user = proxy.user.as_deref().unwrap_or_default();
    let prompt = format!("Proxy password for {user}@{}: ", proxy.host);
    match tty::password(&prompt) {
        Ok(password) => {
            proxy.password = Some(password);
            Ok(())
        }
        Err(error) => {
            let reason = report::reason(&error);
            report::error(&format!("cannot ask for the proxy password: {reason}"));
            Err(Exit::FAILED)
        }
    }
}

/// Fisher–Yates, with the randomness of std's hash keys: no secret hangs on the order.
fn shuffle(ports: &mut [u16]) {
    use std::hash::{BuildHasher, RandomState};
    let keys = RandomState::new();
    for at in (1..ports.len()).rev() {
        let span = at as u64 + 1;
        let other = usize::try_from(keys.hash_one(at) % span).unwrap_or_default();
        ports.swap(at, other);
    }
}
