//! Peers made of plain sockets in the test itself, for what no real program does on demand.

use super::{DEADLINE, Running, TempDir, close};
use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use std::ffi::OsString;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

/// What carries the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Tcp,
    Unix,
}

/// A connected stream at the test's end. Reads and writes fail at the deadline.
pub enum Sock {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Sock {
    /// Says that no more will be sent: FIN.
    pub fn half_close(&self) {
        let done = match self {
            Sock::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Sock::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
        // The other end may have left already.
        let _ = done;
    }

    /// Breaks the connection off with RST.
    pub fn reset(self) {
        if let Sock::Tcp(stream) = &self {
            SockRef::from(stream)
                .set_linger(Some(Duration::ZERO))
                .expect("SO_LINGER");
        }
        close(self);
    }

    /// Reads to the end of the stream.
    #[track_caller]
    pub fn read_all(&mut self, from: &Running) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Err(error) = self.read_to_end(&mut bytes) {
            from.fail(&format!(
                "its peer got {} bytes and then: {error}",
                bytes.len()
            ));
        }
        bytes
    }

    /// Reads to the end of what comes; returns it, and whether that was an end, not a reset.
    #[track_caller]
    pub fn read_to_any_end(&mut self, from: &Running) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        match self.read_to_end(&mut bytes) {
            Ok(_) => (bytes, true),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => (bytes, false),
            Err(error) => from.fail(&format!("neither an end nor a reset: {error}")),
        }
    }

    /// Reads to a reset; an end is a failure.
    #[track_caller]
    pub fn read_to_reset(&mut self, from: &Running) -> Vec<u8> {
        match self.read_to_any_end(from) {
            (bytes, false) => bytes,
            (_, true) => from.fail("its peer saw an end, not a reset"),
        }
    }

    /// Reads this many bytes.
    #[track_caller]
    pub fn read_some(&mut self, len: usize, from: &Running) -> Vec<u8> {
        let mut bytes = vec![0; len];
        if let Err(error) = self.read_exact(&mut bytes) {
            from.fail(&format!("its peer did not get {len} bytes: {error}"));
        }
        bytes
    }

    /// Writes all of it; for what fits into the socket, or when the other end surely reads.
    #[track_caller]
    pub fn say(&mut self, bytes: impl AsRef<[u8]>, to: &Running) {
        if let Err(error) = self.write_all(bytes.as_ref()) {
            to.fail(&format!("its peer could not write: {error}"));
        }
    }

    pub fn try_clone(&self) -> Sock {
        match self {
            Sock::Tcp(stream) => Sock::Tcp(stream.try_clone().expect("dup")),
            Sock::Unix(stream) => Sock::Unix(stream.try_clone().expect("dup")),
        }
    }

    /// The ports of a TCP stream: ours, and the other end's.
    pub fn ports(&self) -> (u16, u16) {
        match self {
            Sock::Tcp(stream) => (
                stream.local_addr().expect("local_addr").port(),
                stream.peer_addr().expect("peer_addr").port(),
            ),
            Sock::Unix(_) => panic!("a Unix stream has no ports"),
        }
    }

    /// Says whether nothing, not even the end, can be read now.
    pub fn has_nothing_to_read(&self) -> bool {
        !is_ready(self, PollFlags::IN, Duration::ZERO)
    }

    /// Makes its reads and writes fail at the deadline.
    pub fn with_deadlines(self) -> Sock {
        let done = match &self {
            Sock::Tcp(stream) => stream
                .set_read_timeout(Some(DEADLINE))
                .and_then(|()| stream.set_write_timeout(Some(DEADLINE)))
                .and_then(|()| stream.set_nodelay(true)),
            Sock::Unix(stream) => stream
                .set_read_timeout(Some(DEADLINE))
                .and_then(|()| stream.set_write_timeout(Some(DEADLINE))),
        };
        done.expect("socket options");
        self
    }
}

impl Read for Sock {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Sock::Tcp(stream) => stream.read(buf),
            Sock::Unix(stream) => stream.read(buf),
        }
    }
}

impl Write for Sock {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Sock::Tcp(stream) => stream.write(buf),
            Sock::Unix(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Sock {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Sock::Tcp(stream) => stream.as_fd(),
            Sock::Unix(stream) => stream.as_fd(),
        }
    }
}

/// A listener in the test.
pub enum Server {
    Tcp(TcpListener),
    Unix(UnixListener, PathBuf),
}

impl Server {
    pub fn new(transport: Transport, dir: &TempDir) -> Server {
        match transport {
            Transport::Tcp => Server::tcp(),
            Transport::Unix => {
                let path = dir.join("server");
                Server::Unix(UnixListener::bind(&path).expect("bind"), path)
            }
        }
    }

    pub fn tcp() -> Server {
        let bind = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        Server::Tcp(unnamed("tcp", bind, |bound| {
            bound.local_addr().expect("local_addr")
        }))
    }

    /// The words that make rnc connect to it.
    pub fn words(&self) -> Vec<OsString> {
        match self {
            Server::Tcp(_) => vec!["127.0.0.1".into(), self.port().to_string().into()],
            Server::Unix(_, path) => vec!["-U".into(), path.into()],
        }
    }

    pub fn port(&self) -> u16 {
        match self {
            Server::Tcp(listener) => listener.local_addr().expect("local_addr").port(),
            Server::Unix(..) => panic!("a Unix socket has no port"),
        }
    }

    /// Takes the next client, which is expected to be `client`.
    #[track_caller]
    pub fn accept(&self, client: &Running) -> Sock {
        let fd = match self {
            Server::Tcp(listener) => listener.as_fd(),
            Server::Unix(listener, _) => listener.as_fd(),
        };
        if !is_ready(&fd, PollFlags::IN, DEADLINE) {
            client.fail("it did not connect");
        }
        let sock = match self {
            Server::Tcp(listener) => listener.accept().map(|(stream, _)| Sock::Tcp(stream)),
            Server::Unix(listener, _) => listener.accept().map(|(stream, _)| Sock::Unix(stream)),
        };
        sock.expect("accept").with_deadlines()
    }
}

/// Connects to an rnc that says it listens. `path` is where a Unix one was told to listen.
#[track_caller]
pub fn connect_to_listener(listener: &Running, path: Option<&PathBuf>) -> Sock {
    let sock = match path {
        Some(path) => {
            listener.listening_line();
            // `Bound on` comes before `Listening on`, so the first tries may be refused.
            let mut found = None;
            super::eventually(|| {
                found = UnixStream::connect(path).ok();
                found.is_some()
            });
            found.map(Sock::Unix)
        }
        None => {
            let addr = (Ipv4Addr::LOCALHOST, listener.listening_port());
            TcpStream::connect(addr).ok().map(Sock::Tcp)
        }
    };
    match sock {
        Some(sock) => sock.with_deadlines(),
        None => listener.fail("nobody could connect to it"),
    }
}

/// Sends `pattern` over and over until the other end has long stopped taking any, and gives the
/// number of bytes sent.
pub fn flood_until_stuck(sock: &mut (impl Write + AsFd), pattern: &[u8]) -> usize {
    /// With no room for this long on one machine, every buffer on the way is full.
    const STUCK: Duration = Duration::from_millis(300);
    let mut sent = 0;
    while is_ready(sock, PollFlags::OUT, STUCK) {
        let at = sent % pattern.len();
        // A pipe is writable when it has room for one page; more would block.
        let piece = &pattern[at..(at + 4096).min(pattern.len())];
        match sock.write(piece) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("the flood broke off after {sent} bytes: {error}"),
        }
    }
    sent
}

/// A port of 127.0.0.1 where nobody answers, and nobody else can begin to, while this lives.
pub struct ClosedPort(Socket);

impl ClosedPort {
    /// Bound and not listening: connects are refused.
    pub fn tcp() -> ClosedPort {
        ClosedPort::bound(Type::STREAM)
    }

    /// Connected to itself, so datagrams of others are answered with ICMP's port unreachable.
    pub fn udp() -> ClosedPort {
        let port = ClosedPort::bound(Type::DGRAM);
        port.0
            .connect(&port.0.local_addr().expect("local_addr"))
            .expect("connect to itself");
        port
    }

    pub fn port(&self) -> u16 {
        let addr = self.0.local_addr().expect("local_addr");
        addr.as_socket_ipv4().expect("an IPv4 address").port()
    }

    /// Begins to listen: it is closed no more.
    pub fn open(self) -> TcpListener {
        self.0.listen(16).expect("listen");
        self.0.into()
    }

    fn bound(kind: Type) -> ClosedPort {
        let socket = Socket::new(Domain::IPV4, kind, None).expect("socket");
        socket
            .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
            .expect("bind");
        ClosedPort(socket)
    }
}

/// A UDP socket of 127.0.0.1 whose reads fail at the deadline.
pub fn udp_socket() -> UdpSocket {
    let bind = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let socket = unnamed("udp", bind, |bound| bound.local_addr().expect("local_addr"));
    socket
        .set_read_timeout(Some(DEADLINE))
        .expect("SO_RCVTIMEO");
    socket
}

/// Sends a datagram to a port of 127.0.0.1, as if it came from another. `None` for users that
/// cannot forge any.
pub fn forge_datagram(from: u16, to: u16, payload: &[u8]) -> Option<()> {
    let Ok(raw) = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::UDP)) else {
        super::skip("forging datagrams is for root");
        return None;
    };
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into();
    raw.bind(&addr).expect("bind");
    // RFC 768: source, destination, length, and no checksum.
    let len = u16::try_from(8 + payload.len()).expect("short");
    let header = [from, to, len, 0].map(u16::to_be_bytes).concat();
    raw.send_to(&[&header, payload].concat(), &addr)
        .expect("send");
    Some(())
}

fn is_ready(fd: &impl AsFd, what: PollFlags, at_most: Duration) -> bool {
    let mut fds = [PollFd::new(fd, what)];
    let at_most = Timespec::try_from(at_most).expect("a short time");
    matches!(rustix::event::poll(&mut fds, Some(&at_most)), Ok(n) if n > 0)
}

/// A listener whose queue is full, so that connects to it are never answered.
pub fn never_answers() -> (Vec<Socket>, u16) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    listener.bind(&any.into()).expect("bind");
    listener.listen(0).expect("listen");
    let addr = listener.local_addr().expect("local_addr");
    let port = addr.as_socket().expect("an address").port();
    let mut socks = vec![listener];
    loop {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        let result = client.connect_timeout(&addr, Duration::from_millis(200));
        socks.push(client);
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => return (socks, port),
            Err(error) => panic!("filling the queue: {error}"),
        }
    }
}

/// Binds until the port the system chose is no known service's, whose name would be shown beside
/// it. Those passed over are kept until then, so that they are not chosen again.
fn unnamed<T>(proto: &str, bind: impl Fn() -> T, addr: impl Fn(&T) -> SocketAddr) -> T {
    // The look-up is not for several threads at a time; see getservbyport(3).
    static LOOK_UP: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _alone = LOOK_UP.lock();
    let mut named = Vec::new();
    loop {
        let bound = bind();
        if rnc::sys::names::service_name(addr(&bound).port(), proto).is_none() {
            return bound;
        }
        named.push(bound);
    }
}
