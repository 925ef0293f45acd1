//! rnc as a row wants it, and the way its peers come to it.

use super::command;
use super::common::{
    ClosedPort, Running, Server, Sock, Stdin, TempDir, bound_udp_port_of, eventually,
    listening_port_of, never_answers, rnc, udp_socket,
};
use super::ends::{Far, Heard, Peer, with_deadline};
use super::outcome::{self, Names};
use super::peer::{TlsSock, client_config, server_config};
use super::row::{self, Carrier, Dialect, Event, Row, Source};
use rustix::process::Signal;
use socket2::{Domain, SockRef, Socket, Type};
use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::PathBuf;

/// rnc, and all there is around it.
pub struct World {
    pub row: Row,
    pub rnc: Running,
    way: Way,
    target: Target,
    names: Names,
    /// What each peer has heard, and each far end.
    heard: (Vec<Heard>, Vec<Heard>),
    /// How many have been greeted.
    greeted: usize,
    /// Ends that stay open until rnc has ended.
    kept: Vec<(Peer, Far)>,
    dir: TempDir,
}

/// How a peer and rnc come together.
enum Way {
    /// rnc connects to these, one after the other.
    Servers(Vec<Server>),
    /// rnc sends to this.
    UdpServer(Option<UdpSocket>),
    UnixDatagramServer(Option<UnixDatagram>),
    /// rnc listens, on a port of its choice or at a path.
    Listens,
    /// rnc was given this.
    Given(Option<Sock>),
    /// Nobody comes.
    Nobody {
        _kept: Vec<Socket>,
    },
}

/// What a relay connects to, or where a client's words would lead.
enum Target {
    Nothing,
    Server(Server),
    Closed { _port: ClosedPort },
    Silent { _socks: Vec<Socket> },
}

impl World {
    #[track_caller]
    pub fn new(row: Row) -> World {
        let dir = TempDir::new();
        let mut names = Names::default();
        let mut words = command::options(&row);
        let target = target(&row, &dir, &mut words, &mut names);
        let (way, given) = way(&row, &dir, &mut words, &mut names);
        let rnc = rnc(words).stdin(given.unwrap_or(Stdin::Pipe)).spawn();
        World {
            row,
            rnc,
            way,
            target,
            names,
            heard: Default::default(),
            greeted: 0,
            kept: Vec::new(),
            dir,
        }
    }

    /// Brings the next peer and rnc together.
    #[track_caller]
    pub fn peer(&mut self) -> Peer {
        let sock = self.sock();
        match sock {
            Peer::Plain(sock) if self.row.is_tls() => {
                let (authority, identity) = command::identity();
                Peer::Tls(Box::new(if self.row.connects() {
                    TlsSock::server_on(sock, server_config(identity), &self.rnc)
                } else {
                    TlsSock::client_on(sock, client_config(authority), &self.rnc)
                }))
            }
            sock => sock,
        }
    }

    /// The same before anything is said.
    #[track_caller]
    pub fn sock(&mut self) -> Peer {
        let (rnc, dir, row) = (&self.rnc, &self.dir, &self.row);
        let peer = match &mut self.way {
            Way::Servers(servers) => Peer::Plain(servers.remove(0).accept(rnc)),
            Way::UdpServer(sock) => {
                let sock = sock.take().expect("one peer");
                connect_to_sender(SockRef::from(&sock));
                Peer::Udp(sock)
            }
            Way::UnixDatagramServer(sock) => {
                let sock = sock.take().expect("one peer");
                connect_to_sender(SockRef::from(&sock));
                Peer::UnixDatagram(sock)
            }
            Way::Listens if row.carrier == Carrier::UnixDatagram => {
                // Each has a name of its own.
                let own = (0..).map(|n| dir.join(&format!("peer{n}")));
                let own = own.into_iter().find(|path| !path.exists()).expect("a name");
                let sock = UnixDatagram::bind(own).expect("bind");
                let path = dir.join("socket");
                if !eventually(|| sock.connect(&path).is_ok()) {
                    rnc.fail("nobody could connect to it");
                }
                Peer::UnixDatagram(with_deadline(sock))
            }
            Way::Listens if row.carrier == Carrier::Udp => {
                let Some(port) = port(rnc, row, bound_udp_port_of) else {
                    rnc.fail("it is not bound")
                };
                let sock = udp_socket();
                sock.connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
                self.names.port(port, "<port>");
                Peer::Udp(sock)
            }
            Way::Listens => Peer::Plain(connect(rnc, row, dir, &mut self.names)),
            Way::Given(sock) => Peer::Plain(sock.take().expect("one peer")),
            Way::Nobody { .. } => rnc.fail("nobody comes to it"),
        };
        let port = match &peer {
            Peer::Plain(Sock::Tcp(sock)) if row.connects() => sock.peer_addr().ok(),
            Peer::Plain(Sock::Tcp(sock)) => sock.local_addr().ok(),
            Peer::Udp(sock) if row.connects() => sock.peer_addr().ok(),
            Peer::Udp(sock) => sock.local_addr().ok(),
            _ => None,
        };
        if let Some(addr) = port {
            self.names.port(addr.port(), "<peer>");
        }
        peer
    }

    /// The far end of the peer that came last.
    #[track_caller]
    pub fn far(&mut self) -> Far {
        match (self.row.far, &self.target) {
            (row::Far::Stdio | row::Far::Broker, _) => Far::Stdio,
            (_, Target::Server(server)) => {
                let sock = server.accept(&self.rnc);
                if let Sock::Tcp(_) = &sock {
                    self.names.port(sock.ports().1, "<to target>");
                }
                Far::Target(sock)
            }
            _ => Far::Inside,
        }
    }

    /// Waits until nc has greeted all that have come: the look-up of their names takes its time.
    #[track_caller]
    pub fn greets(&mut self) {
        let row = &self.row;
        if row.dialect == Dialect::Nc && row.verbose > 0 && !row.connects() && !row.is_unix() {
            self.greeted += 1;
            let wanted = self.greeted;
            let greeting = "Connection received on ";
            let all =
                |said: &[u8]| String::from_utf8_lossy(said).matches(greeting).count() >= wanted;
            if !self.rnc.stderr.wait_until(all) {
                self.rnc.fail("it did not greet its client");
            }
        }
    }

    /// Keeps what a peer and a far end have heard, to be told.
    pub fn tell(&mut self, peer: Heard, far: Option<Heard>) {
        self.heard.0.push(peer);
        self.heard.1.extend(far);
    }

    /// Keeps ends open until rnc has ended.
    pub fn keep(&mut self, peer: Peer, far: Far) {
        self.kept.push((peer, far));
    }

    /// Waits until rnc listens.
    #[track_caller]
    pub fn listens(&mut self) {
        let has_port = !self.row.is_datagram() && self.row.carrier != Carrier::Vsock;
        if has_port && matches!(self.way, Way::Listens) {
            self.port_or_path();
        }
    }

    /// Waits for the end; a listener that would stay is ended.
    #[track_caller]
    pub fn finish(mut self) -> String {
        // Its end would be one more event.
        let keeps_stdin = self.row.is_limited() || self.row.event == Event::Reset;
        let _stdin = keeps_stdin.then(|| self.rnc.hold_stdin());
        if self.row.stays() {
            self.rnc.signal(Signal::TERM);
        }
        let done = self.rnc.wait();
        let said = done.stderr.lines();
        let said = said.map(|line| self.names.put_into(line, self.dir.path()));
        let tells_all = matches!(self.row.event, Event::Whole | Event::Ready);
        let mut said: Vec<String> = said
            .filter(|line| tells_all || !outcome::is_opening(line))
            .collect();
        if self.row.is_datagram() {
            // What is lost again and again is told each time.
            said.dedup();
        }
        outcome::text(&done, &self.heard, &said)
    }

    fn port_or_path(&mut self) {
        if !self.row.is_unix()
            && let Some(port) = port(&self.rnc, &self.row, listening_port_of)
        {
            self.names.port(port, "<port>");
        }
    }
}

/// Sets up what a relay connects to.
fn target(row: &Row, dir: &TempDir, words: &mut Vec<OsString>, names: &mut Names) -> Target {
    let mut relay_to = |port: u16| {
        let to = format!("127.0.0.1:{port}");
        words.extend(["--relay".into(), to.into()]);
        names.port(port, "<target>");
    };
    match (row.far, row.event) {
        (row::Far::Relay, _) if row.has_proxy() => {
            words.extend(["--relay".into(), BEHIND_PROXY.join(":").into()]);
            Target::Server(proxy(words, names))
        }
        (row::Far::Relay, Event::Refused) => {
            let port = ClosedPort::tcp();
            relay_to(port.port());
            Target::Closed { _port: port }
        }
        (row::Far::Relay, _) if row.is_silent() => {
            let (socks, port) = never_answers();
            relay_to(port);
            Target::Silent { _socks: socks }
        }
        (row::Far::Relay, _) => {
            let server = Server::tcp();
            relay_to(server.port());
            Target::Server(server)
        }
        (row::Far::RelayUnix, event) => {
            let path = dir.join("target");
            words.extend(["--relay".into(), format!("unix:{}", path.display()).into()]);
            match event {
                Event::Refused => Target::Nothing,
                _ => Target::Server(Server::Unix(UnixListener::bind(&path).expect("bind"), path)),
            }
        }
        _ => Target::Nothing,
    }
}

/// Sets up how rnc and its peers come together, with what rnc is given as standard input for that.
fn way(
    row: &Row,
    dir: &TempDir,
    words: &mut Vec<OsString>,
    names: &mut Names,
) -> (Way, Option<Stdin>) {
    let path = dir.join("socket");
    if row.source == Source::Inetd {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let addr = listener.local_addr().expect("local_addr");
        let client = TcpStream::connect(addr).expect("connect");
        let (passed, _) = listener.accept().expect("accept");
        names.port(addr.port(), "<port>");
        let client = Sock::Tcp(client).with_deadlines();
        return (Way::Given(Some(client)), Some(Stdin::Fd(passed.into())));
    }
    if row.is_unix() {
        words.push("-U".into());
        words.push(path.clone().into());
    }
    if !row.connects() {
        if row.carrier == Carrier::Vsock {
            words.push("vsock::0".into());
        } else if !row.is_unix() {
            words.extend([command::host(row).into(), "0".into()]);
        }
        return (Way::Listens, None);
    }
    let way = match (row.event, row.carrier) {
        (Event::Refused, Carrier::Unix | Carrier::UnixDatagram | Carrier::TlsUnix) => {
            Way::Nobody { _kept: Vec::new() }
        }
        (Event::Refused, _) => return (refused(row, words, names), None),
        _ if row.has_proxy() => {
            let proxy = proxy(words, names);
            words.extend(BEHIND_PROXY.map(OsString::from));
            Way::Servers(vec![proxy])
        }
        _ if row.is_silent() => {
            let (socks, port) = never_answers();
            names.port(port, "<port>");
            words.extend(["127.0.0.1".into(), port.to_string().into()]);
            Way::Nobody { _kept: socks }
        }
        (_, Carrier::Udp) => {
            let sock = udp_socket();
            let port = sock.local_addr().expect("local_addr").port();
            names.port(port, "<port>");
            words.extend(["127.0.0.1".into(), port.to_string().into()]);
            Way::UdpServer(Some(sock))
        }
        (_, Carrier::UnixDatagram) => {
            let sock = UnixDatagram::bind(path).expect("bind");
            Way::UnixDatagramServer(Some(with_deadline(sock)))
        }
        (_, Carrier::Unix | Carrier::TlsUnix) => {
            let listener = UnixListener::bind(&path).expect("bind");
            Way::Servers(vec![Server::Unix(listener, path)])
        }
        (_, Carrier::Tcp4 | Carrier::Tcp6 | Carrier::Tls | Carrier::Vsock) => {
            let count = if row.source == Source::Ports { 2 } else { 1 };
            let servers: Vec<Server> = (0..count).map(|_| server(row)).collect();
            words.push(command::host(row).into());
            for (server, name) in servers.iter().zip(["<port>", "<port 2>"]) {
                names.port(server.port(), name);
                words.push(server.port().to_string().into());
            }
            Way::Servers(servers)
        }
    };
    (way, None)
}

/// Where a proxy is asked to connect to.
const BEHIND_PROXY: [&str; 2] = ["192.0.2.1", "9"];

/// A proxy that the test plays.
fn proxy(words: &mut Vec<OsString>, names: &mut Names) -> Server {
    let server = Server::tcp();
    let at = format!("127.0.0.1:{}", server.port());
    let options = ["--proxy", &at, "--proxy-type", "http"];
    words.extend(options.map(OsString::from));
    names.port(server.port(), "<proxy>");
    server
}

/// A port that is bound, and where nothing listens.
fn refused(row: &Row, words: &mut Vec<OsString>, names: &mut Names) -> Way {
    let ip: IpAddr = command::host(row).parse().expect("an address");
    let at = SocketAddr::new(ip, 0);
    let datagrams = row.carrier == Carrier::Udp;
    let kind = if datagrams { Type::DGRAM } else { Type::STREAM };
    let sock = Socket::new(Domain::for_address(at), kind, None).expect("socket");
    sock.bind(&at.into()).expect("bind");
    let at = sock.local_addr().expect("local_addr");
    if datagrams {
        // Connected to itself, it hears no others.
        sock.connect(&at).expect("connect");
    }
    let port = at.as_socket().expect("an address").port();
    names.port(port, "<port>");
    words.extend([command::host(row).into(), port.to_string().into()]);
    Way::Nobody { _kept: vec![sock] }
}

fn server(row: &Row) -> Server {
    match row.carrier {
        Carrier::Tcp6 => Server::Tcp(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("bind")),
        _ => Server::tcp(),
    }
}

/// The port rnc is bound to, which it need not have said; `of` finds it with its process.
fn port(rnc: &Running, row: &Row, of: fn(i32) -> Option<u16>) -> Option<u16> {
    if row.verbose > 0 || row.dialect == Dialect::Native {
        let line = rnc.listening_line();
        return line.rsplit([' ', ':']).next()?.parse().ok();
    }
    let mut port = None;
    eventually(|| {
        port = of(rnc.pid());
        port.is_some() || !rnc.is_running()
    });
    port
}

/// Connects a socket of datagrams to the one it has heard from.
fn connect_to_sender(sock: SockRef<'_>) {
    let sender = sock.peek_sender().expect("a datagram");
    sock.connect(&sender).expect("connect");
}

#[track_caller]
fn connect(rnc: &Running, row: &Row, dir: &TempDir, names: &mut Names) -> Sock {
    if row.is_unix() {
        let mut sock = None;
        let path: PathBuf = dir.join("socket");
        eventually(|| {
            sock = UnixStream::connect(&path).ok();
            sock.is_some() || !rnc.is_running()
        });
        return match sock {
            Some(sock) => Sock::Unix(sock).with_deadlines(),
            None => rnc.fail("nobody could connect to it"),
        };
    }
    let Some(port) = port(rnc, row, listening_port_of) else {
        rnc.fail("it does not listen")
    };
    names.port(port, "<port>");
    match TcpStream::connect((command::host(row), port)) {
        Ok(sock) => Sock::Tcp(sock).with_deadlines(),
        Err(error) => rnc.fail(&format!("nobody could connect to it: {error}")),
    }
}
