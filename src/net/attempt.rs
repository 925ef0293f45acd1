//! One attempt to open an end, whatever it is: connecting to its base, then putting its layers on.
//!
//! ```text
//! Dialing (IP) ──► Talking (proxy) ─┬─► Probing (UDP) ──► open
//!     ▲                │            ├─► Securing (TLS) ─► open
//!     └───── anew ─────┘            │
//! Unix, Vsock ──────────────────────┤
//! Inside (stdio, programs, services)┴───────────────────► open
//! ```

use super::dial::{Connected, Dialer};
use super::handshake::{Dialogue, DialogueError, DialogueStep};
use super::inside::{self, Facing};
use super::labels::{base_label, ip_label};
use super::lookup::Found;
use super::news::{News, SocketDetails};
use super::open_error::{OpenError, Unreached};
use super::own_file::OwnFile;
use super::prepared::Prepared;
use super::probe::Probe;
use super::wrap::{Wrap, WrapError};
use super::{tls, unix, vsock};
use crate::io::connection::Connection;
use crate::io::datagram::{Datagram, PeerMode};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::io::tls::TlsStream;
use crate::parse::escape::printable;
use crate::plan::{Base, Proxy, Transport};
use crate::proto::{Refused, Target};
use crate::report;
use socket2::Socket;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Poll, ready};
use std::time::Instant;

/// An attempt.
pub struct Attempt {
    to: Rc<Prepared>,
    /// The port, of an end that has one.
    port: u16,
    /// What an end inside this machine has to know.
    facing: Option<Box<Facing>>,
    state: OpenState,
    /// When connecting, a proxy's dialogue included, is given up. No later state is limited by it.
    deadline: Option<Instant>,
    /// A dialogue that goes on over the next connection.
    talk: Option<Dialogue>,
    news: Vec<News>,
}

enum OpenState {
    Dialing(Box<Dialer>),
    /// The proxy at this address is asked for the way.
    Talking(Box<Dialer>, Box<(Dialogue, Stream)>, SocketAddr),
    Probing(Box<Probe>),
    Unix(unix::UnixDialer),
    Vsock(Box<vsock::VsockDialer>),
    Securing(Box<Wrap>, String),
    Inside,
    Over,
}

/// An end that is open.
pub struct Opened {
    /// The end, registered for the task that has opened it.
    pub end: Endpoint,
    /// What its peer is called in messages: `127.0.0.1 port 80 (tcp)`.
    pub label: String,
    /// The socket file of ours that goes with it.
    pub file: Option<OwnFile>,
}

impl Attempt {
    /// Begins to open an end at this port, if it has one. `known` are its addresses, where they have
    /// been looked up.
    pub fn new(
        to: &Rc<Prepared>,
        port: u16,
        known: Option<&Found>,
        deadline: Option<Instant>,
    ) -> Attempt {
        let end = to.end();
        let timeout = end.how.timeout;
        let state = match &end.base {
            Base::Ip { host, .. } => OpenState::Dialing(Box::new(match known {
                Some(found) => Dialer::knowing(port, end, found),
                None => Dialer::new((Rc::clone(host), port), end),
            })),
            Base::Unix {
                path,
                datagrams: None,
            } => OpenState::Unix(unix::UnixDialer::new(path, timeout)),
            Base::Vsock { cid, port } => {
                OpenState::Vsock(Box::new(vsock::VsockDialer::new(*cid, *port, timeout)))
            }
            Base::Unix { .. } | Base::Stdio | Base::Program(_) | Base::Builtin(_) => {
                OpenState::Inside
            }
        };
        Attempt {
            to: Rc::clone(to),
            port,
            facing: None,
            state,
            deadline,
            talk: None,
            news: Vec::new(),
        }
    }

    /// Takes in what an end inside this machine has to know.
    pub fn set_facing(&mut self, facing: Facing) {
        self.facing = Some(Box::new(facing));
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.state {
            OpenState::Dialing(dialer) => dialer.note(id, ready),
            OpenState::Talking(_, talking, _) => talking.1.note(id, ready),
            OpenState::Securing(wrap, _) => wrap.note(id, ready),
            OpenState::Vsock(dialer) => dialer.note(id, ready),
            OpenState::Probing(_) | OpenState::Unix(_) | OpenState::Inside | OpenState::Over => {}
        }
    }

    /// Takes in a notice: the addresses that were asked for.
    pub fn notice(&mut self, notice: &Notice) {
        if let OpenState::Dialing(dialer) = &mut self.state {
            dialer.notice(notice);
        }
    }

    /// What there is to print by now.
    pub fn take_news(&mut self) -> Vec<News> {
        std::mem::take(&mut self.news)
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        let own = match &self.state {
            OpenState::Dialing(dialer) => dialer.deadline(),
            OpenState::Unix(dialer) => dialer.deadline(),
            OpenState::Vsock(dialer) => dialer.deadline(),
            OpenState::Probing(probe) => Some(probe.deadline()),
            OpenState::Securing(wrap, _) => Some(wrap.deadline()),
            OpenState::Talking(..) | OpenState::Inside | OpenState::Over => None,
        };
        let all = self.deadline.filter(|_| self.is_connecting());
        own.into_iter().chain(all).min()
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// It is given up.
    pub fn drive(&mut self, cx: Cx<'_>) -> Poll<Result<Opened, OpenError>> {
        match self.advance(cx) {
            Poll::Pending if self.is_late(cx.now) => Poll::Ready(Err(self.timed_out())),
            polled => polled,
        }
    }

    fn timed_out(&mut self) -> OpenError {
        self.news.extend(News::timed_out());
        OpenError::Connect(match &mut self.state {
            OpenState::Dialing(dialer) | OpenState::Talking(dialer, ..) => dialer.ran_out(),
            _ => Unreached {
                ran_out: true,
                ..Unreached::default()
            },
        })
    }

    fn is_late(&self, now: Instant) -> bool {
        self.is_connecting() && self.deadline.is_some_and(|deadline| now >= deadline)
    }

    /// Returns whether the time for connecting counts.
    fn is_connecting(&self) -> bool {
        match &self.state {
            OpenState::Dialing(_)
            | OpenState::Talking(..)
            | OpenState::Unix(_)
            | OpenState::Vsock(_) => true,
            OpenState::Probing(_)
            | OpenState::Securing(..)
            | OpenState::Inside
            | OpenState::Over => false,
        }
    }

    fn advance(&mut self, cx: Cx<'_>) -> Poll<Result<Opened, OpenError>> {
        loop {
            match &mut self.state {
                OpenState::Dialing(dialer) => {
                    let dialed = dialer.drive(cx);
                    self.news.append(&mut dialer.take_news());
                    if let Some(opened) = self.dialed(ready!(dialed)?, cx)? {
                        return Poll::Ready(Ok(opened));
                    }
                }
                OpenState::Talking(_, talking, _) => {
                    let (talk, stream) = &mut **talking;
                    let talked = ready!(talk.drive(stream));
                    if let Some(opened) = self.talked(talked, cx)? {
                        return Poll::Ready(Ok(opened));
                    }
                }
                OpenState::Probing(probe) => {
                    let looked = ready!(probe.look(cx.now));
                    let OpenState::Probing(probe) =
                        std::mem::replace(&mut self.state, OpenState::Over)
                    else {
                        return Poll::Pending;
                    };
                    let connected = probe.into_connected();
                    if let Err(refused) = looked {
                        let error = OpenError::Refused(connected.addr, refused);
                        return Poll::Ready(Err(error));
                    }
                    return Poll::Ready(self.datagrams(connected, cx));
                }
                OpenState::Unix(dialer) => {
                    let sock = ready!(dialer.drive(cx.now)).map_err(OpenError::Local)?;
                    self.tell_connected(&sock, None);
                    let label = self.label(None);
                    if let Some(opened) = self.secure(Connection::plain(sock), label, cx)? {
                        return Poll::Ready(Ok(opened));
                    }
                }
                OpenState::Vsock(dialer) => {
                    let stream = ready!(dialer.drive(cx)).map_err(OpenError::Local)?;
                    self.tell_connected(stream.socket(), None);
                    let label = self.label(None);
                    if let Some(opened) = self.secure(Connection::Stream(stream), label, cx)? {
                        return Poll::Ready(Ok(opened));
                    }
                }
                OpenState::Securing(wrap, _) => {
                    let wrapped = ready!(wrap.drive(cx.now));
                    return Poll::Ready(self.secured(wrapped, cx));
                }
                OpenState::Inside => return Poll::Ready(self.inside(cx)),
                OpenState::Over => return Poll::Pending,
            }
        }
    }

    /// There is a connection to the host, or to its proxy.
    fn dialed(&mut self, connected: Connected, cx: Cx<'_>) -> Result<Option<Opened>, OpenError> {
        let to = Rc::clone(&self.to);
        let end = to.end();
        if let Some(proxy) = end.proxy() {
            self.begin_talk(proxy, connected, cx)?;
            return Ok(None);
        }
        if end.how.net.transport == Transport::Udp {
            if let Some(asking) = end.how.udp_probe {
                let probe = Probe::new(connected, asking, cx)?;
                self.state = OpenState::Probing(Box::new(probe));
                return Ok(None);
            }
            return self.datagrams(connected, cx).map(Some);
        }
        self.connected(Connection::Stream(connected.stream), connected.addr, cx)
    }

    /// The connection is one to the proxy in front of the end.
    fn begin_talk(
        &mut self,
        proxy: &Proxy,
        mut connected: Connected,
        cx: Cx<'_>,
    ) -> Result<(), OpenError> {
        let OpenState::Dialing(dialer) = std::mem::replace(&mut self.state, OpenState::Over) else {
            return Ok(());
        };
        let talk = match self.talk.take() {
            Some(talk) => talk,
            None => {
                // The name as it is, unless it was looked up.
                let host = self.to.end().host().unwrap_or_default();
                let target = dialer.target().map_or_else(|| host.into(), Target::Ip);
                let talk = self.to.talk(proxy, &target, self.port);
                talk.map_err(OpenError::Proxy)?
            }
        };
        connected.stream.register(&cx.registrar)?;
        let talking = Box::new((talk, connected.stream));
        self.state = OpenState::Talking(dialer, talking, connected.addr);
        Ok(())
    }

    /// The proxy has answered.
    fn talked(
        &mut self,
        talked: Result<DialogueStep, DialogueError>,
        cx: Cx<'_>,
    ) -> Result<Option<Opened>, OpenError> {
        let OpenState::Talking(mut dialer, talking, addr) =
            std::mem::replace(&mut self.state, OpenState::Over)
        else {
            return Ok(None);
        };
        let (talk, mut stream) = *talking;
        match talked {
            Ok(DialogueStep::Done(early)) => {
                // The peer's first bytes came with the proxy's answer.
                stream.unread(&early);
                self.connected(Connection::Stream(stream), addr, cx)
            }
            Ok(DialogueStep::Anew) => {
                self.talk = Some(talk);
                dialer.again(addr);
                self.state = OpenState::Dialing(dialer);
                Ok(None)
            }
            Err(DialogueError::Refused(Refused::PasswordWanted(challenge)))
                if self.to.may_be_asked() =>
            {
                Err(OpenError::PasswordWanted(challenge))
            }
            Err(error) => Err(OpenError::Proxy(error)),
        }
    }

    /// There is a way to the host over IP.
    fn connected(
        &mut self,
        conn: Connection,
        addr: SocketAddr,
        cx: Cx<'_>,
    ) -> Result<Option<Opened>, OpenError> {
        self.tell_connected(conn.socket(), Some(addr));
        let label = self.label(Some(addr));
        self.secure(conn, label, cx)
    }

    /// Puts TLS on a stream, where that is wanted.
    fn secure(
        &mut self,
        conn: Connection,
        label: String,
        cx: Cx<'_>,
    ) -> Result<Option<Opened>, OpenError> {
        let session = self.to.tls_session().map_err(OpenError::Setup)?;
        let (stream, (session, asking)) = match (conn, session) {
            (Connection::Stream(stream), Some(session)) => (stream, session),
            (conn, _) => return opened(conn, label, cx).map(Some),
        };
        let limit = self.to.tls_limit();
        let wrap = Wrap::new(stream, session, asking, limit, cx)?;
        self.state = OpenState::Securing(Box::new(wrap), label);
        Ok(None)
    }

    fn secured(
        &mut self,
        wrapped: Result<Box<TlsStream>, WrapError>,
        cx: Cx<'_>,
    ) -> Result<Opened, OpenError> {
        let label = match std::mem::replace(&mut self.state, OpenState::Over) {
            OpenState::Securing(_, label) => label,
            _ => String::new(),
        };
        match wrapped {
            Ok(tls) => {
                if report::is_verbose(1) {
                    let client = self.to.tls();
                    self.news.push(News::Secured {
                        label: label.clone(),
                        doubt: client.and_then(|client| client.doubt(self.to.end().host())),
                        agreed: tls::agreed(tls.session(), report::is_verbose(2)),
                    });
                }
                opened(Connection::Tls(tls), label, cx)
            }
            Err(error) => Err(OpenError::Tls(Box::new(error), label)),
        }
    }

    /// A datagram socket is connected, or leads to a group.
    fn datagrams(&mut self, connected: Connected, cx: Cx<'_>) -> Result<Opened, OpenError> {
        let (sock, addr) = (connected.stream.into_socket(), connected.addr);
        self.tell_connected(&sock, Some(addr));
        let end = if sock.peer_addr().is_ok() {
            Datagram::new(sock, PeerMode::Connected, &cx.registrar)
        } else {
            Datagram::to_group(sock, addr, &cx.registrar)
        };
        Ok(Opened {
            end: Endpoint::Datagram(Box::new(end?)),
            label: self.label(Some(addr)),
            file: None,
        })
    }

    /// Opens what needs no network.
    fn inside(&mut self, cx: Cx<'_>) -> Result<Opened, OpenError> {
        let to = Rc::clone(&self.to);
        let base = &to.end().base;
        let mut own_file = None;
        let end = match base {
            Base::Unix {
                path,
                datagrams: Some(from),
            } => {
                let (sock, file) = unix::connect_datagram(path, from).map_err(OpenError::Local)?;
                self.tell_connected(&sock, None);
                own_file = Some(file);
                let end = Datagram::new(sock, PeerMode::Connected, &cx.registrar)?;
                Endpoint::Datagram(Box::new(end))
            }
            base => {
                let transport = to.end().how.net.transport;
                let facing = self.facing.take().unwrap_or_default();
                inside::open(base, &facing, transport, &cx.registrar)?
            }
        };
        Ok(Opened {
            end,
            label: self.label(None),
            file: own_file,
        })
    }

    /// What the peer is called in messages; `addr` is what was connected to over IP.
    fn label(&self, addr: Option<SocketAddr>) -> String {
        let end = self.to.end();
        match (&end.base, addr) {
            (Base::Ip { host, .. }, _) if end.proxy().is_some() => {
                format!("{} port {} (tcp)", printable(host.as_bytes()), self.port)
            }
            (_, Some(addr)) => ip_label(&addr, &end.how.net),
            (base, None) => base_label(base),
        }
    }

    fn tell_connected(&mut self, sock: &Socket, addr: Option<SocketAddr>) {
        if report::is_verbose(1) {
            let details = addr.filter(|_| report::is_verbose(2));
            let details = details.map(|_| SocketDetails::of(sock));
            self.news.push(News::Connected(addr, details));
        }
    }
}

/// A stream is open.
fn opened(conn: Connection, label: String, cx: Cx<'_>) -> Result<Opened, OpenError> {
    Ok(Opened {
        end: conn.into_end(&cx.registrar)?,
        label,
        file: None,
    })
}
