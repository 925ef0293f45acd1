//! A datagram socket with all its peers: one session, in which all are heard, and the last one, or
//! the only one, is answered.

use super::bind::BoundSock;
use super::entrance::Patience;
use super::greet::Greeter;
use super::guard::{self, Guard};
use super::session::Session;
use super::words;
use crate::exit::Exit;
use crate::io::datagram::{Datagram, PeerAddr, Peers};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registrar};
use crate::net::addr::unmapped;
use crate::net::labels::ip_label;
use crate::net::own_file::OwnFile;
use crate::parse::escape::printable;
use crate::plan::{Listening, Manners};
use crate::report;
use socket2::Socket;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Instant;

/// A datagram socket.
pub struct Whole {
    listening: Rc<Listening>,
    sock: Option<Socket>,
    greeter: Greeter,
    /// Who is heard.
    guard: Guard,
    has_changed: bool,
    patience: Patience,
    /// Removed when we leave.
    _files: Vec<OwnFile>,
}

impl Whole {
    /// All peers of a bound socket.
    pub fn new(listening: Rc<Listening>, bound: BoundSock, manners: Manners) -> Whole {
        Whole {
            patience: Patience::new(&listening.reception, &manners),
            sock: Some(bound.sock),
            greeter: Greeter::new(manners),
            guard: bound.guard,
            has_changed: false,
            listening,
            _files: bound.files,
        }
    }

    /// The end of the socket, the first time.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn end(&mut self, registrar: &Registrar<'_>) -> io::Result<Option<Endpoint>> {
        let Some(sock) = self.sock.take() else {
            return Ok(None);
        };
        let peers = if self.listening.is_single() {
            Peers::First
        } else {
            Peers::Last
        };
        let mut datagram = Datagram::new(sock, peers, registrar)?;
        datagram.set_rules(self.guard.rules());
        Ok(Some(Endpoint::Datagram(Box::new(datagram))))
    }

    /// Takes in a notice.
    pub fn notice(&mut self, notice: &Notice) {
        self.greeter.notice(notice);
        self.has_changed |= self.guard.notice(notice);
    }

    /// Tells what is new; gives the exit code when nobody has come for too long.
    pub fn attend(&mut self, session: &mut Session, cx: Cx<'_>) -> Option<Exit> {
        self.hear(session, cx);
        self.patience.exit(cx.now)
    }

    /// Tells about peers that are new, and about sends that failed.
    pub fn hear(&mut self, session: &mut Session, cx: Cx<'_>) {
        let Some(datagram) = session.datagram() else {
            return;
        };
        if std::mem::take(&mut self.has_changed) {
            datagram.set_rules(self.guard.rules());
        }
        if datagram.has_peer() {
            self.patience.end();
        }
        let (peers, fault) = (datagram.take_new_peers(), datagram.take_send_fault());
        guard::tell_refused(datagram);
        for peer in peers {
            match peer {
                PeerAddr::Ip(ip) => {
                    let ip = unmapped(ip);
                    session.set_label(ip_label(&ip, &self.listening.net));
                    self.greeter.greet_ip(ip, &cx.registrar);
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
            let reason = report::reason(&error);
            report::failure(&format!("send to the peer failed: {reason}"));
        }
    }

    /// Tells those whose names are still being looked up without them.
    pub fn flush(&mut self) {
        self.greeter.flush();
    }

    /// When nobody is waited for any more.
    pub fn deadline(&self) -> Option<Instant> {
        self.patience.deadline()
    }
}
