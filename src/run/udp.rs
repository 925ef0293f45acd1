//! Receiving datagrams: UDP and Unix. One socket, any number of peers, one session.

use super::bind::{self, Bound, tell_bound};
use super::entrance::Patience;
use super::greet::Greeter;
use super::guard::{self, Guard};
use super::labels::ip_label;
use super::outcome::{failed, signal_exit};
use super::session::{self, Joined};
use super::words;
use crate::exit::Exit;
use crate::flow::bridge;
use crate::io::datagram::{Datagram, PeerAddr, Peers};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Registrar, Step};
use crate::io::ready::Ready;
use crate::net::addr::unmapped;
use crate::net::group;
use crate::net::own_file::OwnFile;
use crate::parse::escape::printable;
use crate::plan::{Mode, Plan};
use crate::report;
use anyhow::Context;
use socket2::{Socket, Type};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Instant;

/// Receives datagrams and answers them.
pub struct Receive {
    plan: Rc<Plan>,
    sock: Option<Socket>,
    session: Option<Joined>,
    greeter: Greeter,
    /// Who is heard.
    guard: Guard,
    signalled: bool,
    patience: Patience,
    /// Removed when we leave.
    _files: Vec<OwnFile>,
}

/// A bound socket of datagrams, and the files that say where.
pub struct BoundSock {
    /// The socket.
    pub sock: Socket,
    /// The file of a Unix socket, and the one with the port.
    pub files: Vec<OwnFile>,
    /// Who is heard.
    pub guard: Guard,
}

/// Binds the socket, joins the groups, and tells where it is.
///
/// # Errors
/// It cannot be bound: one line for the user.
pub fn bind(plan: &Plan) -> anyhow::Result<BoundSock> {
    let Bound {
        mut socks,
        names,
        files,
        guard,
        ..
    } = match &plan.mode {
        Mode::ListenUnix { path, .. } => bind::bind_unix(plan, path, Type::DGRAM)?,
        _ => bind::bind(plan)?,
    };
    let sock = socks.drain(..).next().context("nothing to listen on")?;
    if let Mode::ListenUdp { at, groups, .. } = &plan.mode {
        for group in groups {
            group::join(&sock, group)
                .with_context(|| format!("join group {} failed", group.addr))?;
        }
        let name = names.first().and_then(Option::as_deref);
        tell_bound("Bound", &sock, name, at, plan);
    }
    Ok(BoundSock { sock, files, guard })
}

impl Receive {
    /// Receives on a bound socket.
    pub fn new(plan: Rc<Plan>, bound: BoundSock) -> Receive {
        Receive {
            patience: Patience::new(&plan),
            plan,
            sock: Some(bound.sock),
            session: None,
            greeter: Greeter::default(),
            guard: bound.guard,
            signalled: false,
            _files: bound.files,
        }
    }

    fn start(&mut self, cx: Cx<'_>) -> io::Result<()> {
        let Some(sock) = self.sock.take() else {
            return Ok(());
        };
        let peers = match &self.plan.mode {
            Mode::ListenUdp {
                locks_to_first: true,
                ..
            } => Peers::First,
            Mode::ListenUnix { clients, .. } if *clients == crate::plan::Clients::OneQueueing => {
                Peers::First
            }
            _ => Peers::Last,
        };
        let local = session::local_end(&self.plan.session, true, &cx.registrar)?;
        let mut datagram = Datagram::new(sock, peers, &cx.registrar)?;
        datagram.set_rules(self.guard.rules());
        let remote = Endpoint::Datagram(Box::new(datagram));
        let label = "the peer".to_string();
        self.session = Some(Joined::new((local, remote), &self.plan, label, cx.now));
        Ok(())
    }

    /// Tells about peers that are new, and about sends that failed.
    fn tell_news(&mut self, registrar: &Registrar<'_>) {
        let Some(session) = &mut self.session else {
            return;
        };
        let Some(datagram) = session.datagram() else {
            return;
        };
        if datagram.has_peer() {
            self.patience.end();
        }
        let (peers, fault) = (datagram.take_new_peers(), datagram.take_send_fault());
        guard::tell_refused(datagram);
        for peer in peers {
            match peer {
                PeerAddr::Ip(ip) => {
                    let ip = unmapped(ip);
                    session.set_label(ip_label(&ip, &self.plan.net));
                    self.greeter.greet_ip(ip, &self.plan, registrar);
                }
                PeerAddr::Unix(path) => {
                    let path = printable(path.as_os_str().as_bytes());
                    if report::is_verbose(1) {
                        report::line(&words::received_unix(&path));
                    }
                    session.set_label(format!("{path} (unix)"));
                }
            }
        }
        if let Some(error) = fault {
            report::failure(&format!(
                "send to the peer failed: {}",
                report::reason(&error)
            ));
        }
    }
}

impl Drive<Exit> for Receive {
    fn note(&mut self, id: Registered, ready: Ready) {
        if let Some(session) = &mut self.session {
            session.note(id, ready);
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        self.greeter.notice(notice);
        if self.guard.notice(notice)
            && let Some(datagram) = self.session.as_mut().and_then(Joined::datagram)
        {
            datagram.set_rules(self.guard.rules());
        }
        if matches!(notice, Notice::Ending) {
            self.signalled = true;
            if let Some(session) = &mut self.session {
                session.leave(now);
            }
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if let Err(error) = self.start(cx) {
            return Step::Done(failed(&error.into()));
        }
        let Some(session) = &mut self.session else {
            return Step::Done(signal_exit());
        };
        let turn = session.drive(cx.now);
        self.tell_news(&cx.registrar);
        if let Some(exit) = self.patience.exit(cx.now) {
            return Step::Done(exit);
        }
        match turn {
            bridge::Turn::Wait => Step::Wait,
            bridge::Turn::Again => Step::Again,
            bridge::Turn::Over(ended) => {
                self.greeter.flush();
                match self.session.take() {
                    Some(session) => Step::Done(session.finish(&ended, &self.plan)),
                    None => Step::Done(signal_exit()),
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let session = self.session.as_ref().and_then(Joined::deadline);
        session.into_iter().chain(self.patience.deadline()).min()
    }
}
