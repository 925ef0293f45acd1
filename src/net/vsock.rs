//! vsock: streams between a virtual machine and its host. See vsock(7).

use super::listen::BACKLOG;
use crate::io::reactor::{Cx, Registered, Registrar};
use crate::io::ready::Ready;
use crate::io::stream::Stream;
use crate::sys::{errno, sockopt};
use socket2::{Domain, SockAddr, Socket, Type};
use std::io;
use std::task::Poll;
use std::time::{Duration, Instant};

/// VMADDR_CID_ANY and VMADDR_PORT_ANY: all of this machine's identifiers, and a port the kernel
/// chooses.
pub const ANY: u32 = u32::MAX;

/// Connects to one port.
#[derive(Debug)]
pub struct VsockDialer {
    addr: SockAddr,
    limit: Option<Duration>,
    /// The socket whose connect is under way, and when it is given up.
    pending: Option<(Stream, Option<Instant>)>,
}

impl VsockDialer {
    /// A dialer that gives up after `limit`; zero is no
    /// limit. Without one the kernel gives up, after two seconds if not told otherwise.
    pub fn new(cid: u32, port: u32, limit: Option<Duration>) -> VsockDialer {
        VsockDialer {
            addr: SockAddr::vsock(cid, port),
            limit: limit.filter(|limit| !limit.is_zero()),
            pending: None,
        }
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// As connect(2); ECONNRESET is a port where nobody listens; `TimedOut` when the limit is
    /// reached.
    pub fn drive(&mut self, cx: Cx<'_>) -> Poll<io::Result<Stream>> {
        let (stream, until) = match self.pending.take() {
            Some(pending) => pending,
            None => (
                self.begin(&cx.registrar)?,
                self.limit.map(|limit| cx.now + limit),
            ),
        };
        // As in TCP's race, the peer counts more than an error that came after it.
        if stream.socket().peer_addr().is_ok() {
            return Poll::Ready(Ok(stream));
        }
        if let Some(error) = stream.socket().take_error()? {
            return Poll::Ready(Err(error));
        }
        if until.is_some_and(|until| cx.now >= until) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        self.pending = Some((stream, until));
        Poll::Pending
    }

    fn begin(&self, registrar: &Registrar<'_>) -> io::Result<Stream> {
        let sock = Socket::new(Domain::VSOCK, Type::STREAM.nonblocking(), None)?;
        if let Some(limit) = self.limit {
            // Without it the kernel only gives up earlier.
            let _ = sockopt::set_vsock_connect_timeout(&sock, limit);
        }
        match sock.connect(&self.addr) {
            Ok(()) => {}
            Err(error) if errno::is_in_progress(&error) => {}
            Err(error) => return Err(error),
        }
        let mut stream = Stream::new(sock);
        stream.register(registrar)?;
        Ok(stream)
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        if let Some((stream, _)) = &mut self.pending {
            stream.note(id, ready);
        }
    }

    /// When it wants to be driven even if nothing happens.
    pub fn deadline(&self) -> Option<Instant> {
        self.pending.as_ref().and_then(|(_, until)| *until)
    }
}

/// Binds a listening socket; port 0 lets the kernel choose.
///
/// # Errors
/// As bind(2) and listen(2).
pub fn bind(cid: Option<u32>, port: u32) -> io::Result<Socket> {
    let sock = Socket::new(Domain::VSOCK, Type::STREAM.nonblocking(), None)?;
    let port = if port == 0 { ANY } else { port };
    sock.bind(&SockAddr::vsock(cid.unwrap_or(ANY), port))?;
    sock.listen(BACKLOG)?;
    Ok(sock)
}
