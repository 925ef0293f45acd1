//! Pairs of sockets, and reading and writing them without waiting.

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// Bytes read at once.
const READ_BYTES: usize = 64 << 10;
/// How long bytes may take that are surely on their way.
const PATIENCE: Duration = Duration::from_secs(20);

/// Two Unix sockets, joined; narrow ones hold next to nothing.
pub fn pair(is_narrow: bool) -> (Socket, Socket) {
    let (ours, others) = Socket::pair(Domain::UNIX, Type::STREAM, None).expect("socketpair");
    narrow(&ours, is_narrow);
    narrow(&others, is_narrow);
    (ours, others)
}

/// The same over TCP. Narrow ones would wait for timers.
pub fn tcp_pair() -> (Socket, Socket) {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(any).expect("bind");
    let addr = listener.local_addr().expect("address");
    let others: Socket = TcpStream::connect(addr).expect("connect").into();
    let ours: Socket = listener.accept().expect("accept").0.into();
    others.set_tcp_nodelay(true).expect("TCP_NODELAY");
    (ours, others)
}

fn narrow(sock: &Socket, is_narrow: bool) {
    if is_narrow {
        sock.set_send_buffer_size(1).expect("SO_SNDBUF");
        sock.set_recv_buffer_size(1).expect("SO_RCVBUF");
    }
}

/// Sends what there is room for, and says how much that was; `None` when nobody takes it any more.
pub fn send(sock: &Socket, bytes: &[u8]) -> Option<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match rustix::net::send(sock, &bytes[sent..], flags) {
            Ok(n) => sent += n,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => break,
            Err(_) => return None,
        }
    }
    Some(sent)
}

/// Receives what has come, at most so much.
pub fn receive(sock: &Socket, most: usize) -> Vec<u8> {
    receive_with(sock, most, RecvFlags::DONTWAIT)
}

/// Receives until the end.
pub fn receive_rest(sock: &Socket) -> Vec<u8> {
    sock.set_nonblocking(false).expect("O_NONBLOCK");
    sock.set_read_timeout(Some(PATIENCE)).expect("SO_RCVTIMEO");
    receive_with(sock, usize::MAX, RecvFlags::empty())
}

fn receive_with(sock: &Socket, most: usize, flags: RecvFlags) -> Vec<u8> {
    let (mut bytes, mut buf) = (Vec::new(), vec![0; READ_BYTES.min(most)]);
    while bytes.len() < most {
        let len = buf.len().min(most - bytes.len());
        match rustix::net::recv(sock, &mut buf[..len], flags) {
            Ok((0, _)) => break,
            Ok((n, _)) => bytes.extend_from_slice(&buf[..n]),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                let waits = !flags.contains(RecvFlags::DONTWAIT);
                assert!(!waits, "no end came within {PATIENCE:?}");
                break;
            }
            // The end all the same.
            Err(_) => break,
        }
    }
    bytes
}

/// Bytes that wait to be received.
pub fn waiting(sock: &Socket) -> u64 {
    rustix::io::ioctl_fionread(sock).expect("FIONREAD")
}

/// Sends the end.
pub fn shut(sock: &Socket) {
    // The other side may be gone.
    let _ = sock.shutdown(Shutdown::Write);
}
