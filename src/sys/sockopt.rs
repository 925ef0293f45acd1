//! Socket options that neither socket2 nor rustix offers.

use std::io;
use std::mem::size_of;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

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
/// Whatever setsockopt(2) says.
pub fn set_min_ttl_v4(fd: impl AsFd, ttl: u8) -> io::Result<()> {
    set(fd, libc::IPPROTO_IP, libc::IP_MINTTL, &i32::from(ttl))
}

/// Has the kernel drop packets whose hop limit (IPv6) is under `ttl` (`-m`). RFC 5082.
///
/// # Errors
/// Whatever setsockopt(2) says.
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

/// Signs every TCP segment with an MD5 key (`-S`), RFC 2385. For a listener the key counts for
/// every peer of the address family of `addr`; else for the peer `addr`. At most 80 key bytes.
///
/// # Errors
/// ENOENT or EPERM where the kernel lacks the option.
pub fn set_md5_key(fd: impl AsFd, addr: &SocketAddr, key: &[u8]) -> io::Result<()> {
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
    if addr.ip().is_unspecified() {
        option.flags = TCP_MD5SIG_FLAG_PREFIX;
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
    match failed {
        0 => Ok(usize::try_from(bytes).unwrap_or_default()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// `value` must be a type the option expects: an i32 or a C struct.
fn set<T>(fd: impl AsFd, level: i32, name: i32, value: &T) -> io::Result<()> {
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
    if failed == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}
