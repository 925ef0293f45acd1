//! Socket options that socket2 does not offer.

use rustix::net::sockopt;
use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

/// Sets SO_DEBUG (`-D`). See socket(7).
///
/// # Errors
/// EACCES without CAP_NET_ADMIN.
pub fn set_debug(fd: impl AsFd) -> io::Result<()> {
    set(fd, libc::SOL_SOCKET, libc::SO_DEBUG, &1i32)
}

/// Has the kernel drop packets whose TTL (IPv4) is under `ttl` (`-m`). See ip(7), IP_MINTTL.
///
/// # Errors
/// Any error of setsockopt(2).
pub fn set_min_ttl_v4(fd: impl AsFd, ttl: u8) -> io::Result<()> {
    set(fd, libc::IPPROTO_IP, libc::IP_MINTTL, &i32::from(ttl))
}

/// Has the kernel drop packets whose hop limit (IPv6) is under `ttl` (`-m`). RFC 5082.
///
/// # Errors
/// Any error of setsockopt(2).
pub fn set_min_hop_limit_v6(fd: impl AsFd, ttl: u8) -> io::Result<()> {
    set(
        fd,
        libc::IPPROTO_IPV6,
        libc::IPV6_MINHOPCOUNT,
        &i32::from(ttl),
    )
}

/// `struct tcp_md5sig` of linux/tcp.h.
#[repr(C)]
struct TcpMd5Sig {
    addr: libc::sockaddr_storage,
    flags: u8,
    prefix_len: u8,
    key_len: u16,
    if_index: i32,
    key: [u8; libc::TCP_MD5SIG_MAXKEYLEN],
}

/// `TCP_MD5SIG_FLAG_PREFIX`: the key is for all addresses under the prefix.
const TCP_MD5SIG_FLAG_PREFIX: u8 = 1;

/// Signs every TCP segment with an MD5 key (`-S`), RFC 2385: those from and to the peer `addr`, or
/// all peers that agree with it in the first `prefix` bits. At an IPv6 socket IPv4 peers are those
/// of an address mapped into IPv6, the bits of which are those of the IPv4 address. At most 80 key
/// bytes.
///
/// # Errors
/// ENOENT or EPERM where the kernel lacks the option.
pub fn set_md5_key(
    fd: impl AsFd,
    addr: &SocketAddr,
    prefix: Option<u8>,
    key: &[u8],
) -> io::Result<()> {
    let key_len = key.len().min(libc::TCP_MD5SIG_MAXKEYLEN);
    let name = socket2::SockAddr::from(*addr);
    // SAFETY: all-zero is valid for this struct of plain integers; the copy writes the SockAddr's
    // bytes, at most sizeof(sockaddr_storage), into the storage at its front.
    let mut option: TcpMd5Sig = unsafe { std::mem::zeroed() };
    unsafe {
        std::ptr::copy_nonoverlapping(
            name.as_ptr().cast::<u8>(),
            (&raw mut option.addr).cast::<u8>(),
            name.len() as usize,
        );
    }
    if let Some(bits) = prefix {
        (option.flags, option.prefix_len) = (TCP_MD5SIG_FLAG_PREFIX, bits);
    }
    option.key_len = u16::try_from(key_len).unwrap_or_default();
    option.key[..key_len].copy_from_slice(&key[..key_len]);
    set(fd, libc::IPPROTO_TCP, libc::TCP_MD5SIG_EXT, &option)
}

/// Bytes in the send queue that the peer's system has not acknowledged yet. See tcp(7), SIOCOUTQ.
///
/// # Errors
/// Not a socket.
pub fn unsent(fd: impl AsFd) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ, which is TIOCOUTQ, fills in the int it is given the address of.
    let failed = unsafe { libc::ioctl(fd.as_fd().as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    worked(failed)?;
    Ok(usize::try_from(bytes).unwrap_or_default())
}

/// Returns whether a TCP connection is over for good, by a reset. See tcp(7), TCP_INFO.
pub fn is_closed(fd: impl AsFd) -> bool {
    /// TCP_CLOSE of the kernel.
    const CLOSED: u8 = 7;
    tcp_info(fd).is_ok_and(|info| info.tcpi_state == CLOSED)
}

/// How long the peer's system has acknowledged nothing although it was asked to, again and again:
/// bytes were retransmitted, or its closed window was probed. Zero if it answers. See tcp(7),
/// TCP_INFO.
///
/// # Errors
/// No TCP socket.
pub fn unanswered(fd: impl AsFd) -> io::Result<Duration> {
    let info = tcp_info(fd)?;
    let is_asked = info.tcpi_unacked > 0 && info.tcpi_retransmits > 0;
    // One probe is always under way for a moment.
    let is_probed = info.tcpi_probes > 1;
    Ok(if is_asked || is_probed {
        Duration::from_millis(info.tcpi_last_ack_recv.into())
    } else {
        Duration::ZERO
    })
}

/// What the kernel knows of a TCP connection. See tcp(7), TCP_INFO.
fn tcp_info(fd: impl AsFd) -> io::Result<libc::tcp_info> {
    // SAFETY: all-zero is valid for a struct of plain integers.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    get(fd, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info)?;
    Ok(info)
}

/// Whose process is at the other end of a Unix socket. See unix(7), SO_PEERCRED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The process; 0 for one this process cannot see.
    pub pid: i32,
    /// Its user when it connected.
    pub uid: u32,
    /// Its group when it connected.
    pub gid: u32,
}

/// Whose process is at the other end of a connected Unix stream; the peer may be gone already.
///
/// # Errors
/// Any error of getsockopt(2).
pub fn peer_credentials(fd: impl AsFd) -> io::Result<Credentials> {
    let mut peer = libc::ucred {
        pid: 0,
        uid: libc::uid_t::MAX,
        gid: libc::gid_t::MAX,
    };
    get(fd, libc::SOL_SOCKET, libc::SO_PEERCRED, &mut peer)?;
    Ok(Credentials {
        pid: peer.pid,
        uid: peer.uid,
        gid: peer.gid,
    })
}

/// `SO_VM_SOCKETS_CONNECT_TIMEOUT` of linux/vm_sockets.h, which libc does not have; its value is a
/// `struct timeval`.
const SO_VM_SOCKETS_CONNECT_TIMEOUT: i32 = 6;

/// How long the kernel waits for a vsock connection to be made. See vsock(7).
///
/// # Errors
/// ENOPROTOOPT for other sockets.
pub fn set_vsock_connect_timeout(fd: impl AsFd, limit: Duration) -> io::Result<()> {
    let limit = libc::timeval {
        tv_sec: limit.as_secs().try_into().unwrap_or(i32::MAX.into()),
        tv_usec: limit.subsec_micros().into(),
    };
    set(fd, libc::AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &limit)
}

/// The front of `struct tcp_info` of linux/tcp.h, up to the field asked for.
#[repr(C)]
struct TcpInfo {
    states_and_counts: [u32; 26],
    pacing_rate: u64,
    max_pacing_rate: u64,
    bytes_acked: u64,
}

/// Returns whether a TCP peer has ever acknowledged something, such as our SYN: then there was a
/// connection, whatever has become of it. `false` for other sockets, and before Linux 4.2.
pub fn was_acknowledged(fd: impl AsFd) -> bool {
    let mut info = TcpInfo {
        states_and_counts: [0; 26],
        pacing_rate: 0,
        max_pacing_rate: 0,
        bytes_acked: 0,
    };
    let told = get(fd, libc::IPPROTO_TCP, libc::TCP_INFO, &mut info);
    told.is_ok() && info.bytes_acked > 0
}

/// Makes room for `bytes` of datagrams that wait to be read, beyond the system's limit
/// (SO_RCVBUFFORCE, with CAP_NET_ADMIN) or else as far as it goes. Never makes it smaller, and
/// never fails: a small buffer only loses datagrams earlier. See socket(7).
pub fn widen_recv_buffer(fd: impl AsFd, bytes: usize) {
    let fd = fd.as_fd();
    // What is read back is twice what was set: the kernel's bookkeeping is counted in.
    if sockopt::socket_recv_buffer_size(fd).is_ok_and(|now| now >= 2 * bytes) {
        return;
    }
    if sockopt::set_socket_recv_buffer_size_force(fd, bytes).is_err() {
        let _ = sockopt::set_socket_recv_buffer_size(fd, bytes);
    }
}

/// Has the kernel cut what is sent on a UDP socket into datagrams of `bytes`, the last one of each
/// send being shorter (UDP_SEGMENT, udp(7)); 0 ends that.
///
/// # Errors
/// ENOPROTOOPT before Linux 4.18, and for sockets that are not UDP's.
pub fn set_udp_segment(fd: impl AsFd, bytes: u16) -> io::Result<()> {
    set(fd, libc::SOL_UDP, libc::UDP_SEGMENT, &i32::from(bytes))
}

/// `SO_MEMINFO` of asm-generic/socket.h, which libc does not have.
const SO_MEMINFO: i32 = 55;
/// The place of the drops among the numbers of SO_MEMINFO. See linux/sock_diag.h.
const SK_MEMINFO_DROPS: usize = 8;

/// Datagrams the kernel has dropped at this socket so far, most often for want of room in its
/// receive buffer. The counter SO_RXQ_OVFL tells too, but with the next datagram only: the ones
/// dropped after the last that was read would be missing.
///
/// # Errors
/// ENOPROTOOPT before Linux 4.12.
pub fn drops(fd: impl AsFd) -> io::Result<u32> {
    let mut info = [0u32; SK_MEMINFO_DROPS + 1];
    get(fd, libc::SOL_SOCKET, SO_MEMINFO, &mut info)?;
    Ok(info[SK_MEMINFO_DROPS])
}

/// `value` must be a type the option fills: integers, or a C struct of nothing else. What the
/// kernel has less of is left as it is.
pub(super) fn get<T>(fd: impl AsFd, level: i32, name: i32, value: &mut T) -> io::Result<()> {
    let mut len = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: the pointer and the length describe `value`, which lives through the call; the
    // kernel writes at most `len` bytes, and any bytes are integers.
    let failed = unsafe {
        libc::getsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            std::ptr::from_mut(value).cast(),
            &mut len,
        )
    };
    worked(failed)
}

/// `value` must be a type the option expects: an i32 or a C struct.
pub(super) fn set<T>(fd: impl AsFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    let len = libc::socklen_t::try_from(size_of::<T>()).map_err(io::Error::other)?;
    // SAFETY: the pointer and the length describe `value`, which lives through the call; the
    // kernel only reads it.
    let failed = unsafe {
        libc::setsockopt(
            fd.as_fd().as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            len,
        )
    };
    worked(failed)
}

/// The error of a call that returned this.
fn worked(returned: libc::c_int) -> io::Result<()> {
    if returned == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
