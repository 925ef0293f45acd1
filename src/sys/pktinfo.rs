//! The address of ours a datagram was sent to, and the one an answer comes from, at sockets bound
//! to all addresses: IP_PKTINFO, ip(7), and IPV6_PKTINFO, RFC 3542 section 6.

use super::sockopt;
use rustix::io::Errno;
use rustix::net::SocketAddrAny;
use rustix::net::addr::SocketAddrStorage;
use socket2::{Domain, Socket};
use std::mem::{MaybeUninit, size_of};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

/// Room for what comes with one datagram: at a socket for both families an IPv4 one has both.
const ROOM_BYTES: usize =
    control_bytes(size_of::<libc::in_pktinfo>()) + control_bytes(size_of::<libc::in6_pktinfo>());

/// The bytes a control message with that much data takes.
const fn control_bytes(data: usize) -> usize {
    // SAFETY: it only computes.
    unsafe { libc::CMSG_SPACE(data as libc::c_uint) as usize }
}

/// Control messages of one datagram, aligned as `struct cmsghdr`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub struct Control {
    bytes: [u8; ROOM_BYTES],
    /// How many of them there are.
    len: usize,
}

impl Default for Control {
    /// Room for what comes.
    fn default() -> Control {
        Control {
            bytes: [0; ROOM_BYTES],
            len: ROOM_BYTES,
        }
    }
}

/// Asks for the address each datagram is sent to.
///
/// # Errors
/// Not an IP socket.
pub fn ask(sock: &Socket) -> std::io::Result<()> {
    if sock.domain()? == Domain::IPV6 {
        sockopt::set(sock, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, &1i32)?;
    }
    // At an IPv6 socket it counts for the IPv4 datagrams, and says what to answer from where one
    // was sent to a broadcast address.
    sockopt::set(sock, libc::IPPROTO_IP, libc::IP_PKTINFO, &1i32)
}

/// Returns whether that was asked for.
pub fn is_asked(sock: &Socket) -> bool {
    let mut asked = 0i32;
    let read = sockopt::get(sock, libc::IPPROTO_IP, libc::IP_PKTINFO, &mut asked);
    read.is_ok() && asked != 0
}

impl Control {
    /// Has a datagram come from `local`.
    pub fn from_local(local: IpAddr) -> Control {
        let mut control = Control::default();
        match local {
            IpAddr::V4(v4) => {
                let info = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr {
                        s_addr: u32::from_ne_bytes(v4.octets()),
                    },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                control.put(libc::IPPROTO_IP, libc::IP_PKTINFO, info);
            }
            IpAddr::V6(v6) => {
                let info = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr {
                        s6_addr: v6.octets(),
                    },
                    ipi6_ifindex: 0,
                };
                control.put(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, info);
            }
        }
        control
    }

    /// Puts in the only message. `info` is a C struct of integers, no larger than there is room.
    fn put<T>(&mut self, level: i32, kind: i32, info: T) {
        self.len = control_bytes(size_of::<T>());
        let mut header = empty_header();
        self.attach(&mut header);
        // SAFETY: the control bytes are aligned, and there is room for a message with this data.
        unsafe {
            let message = libc::CMSG_FIRSTHDR(&raw const header);
            (*message).cmsg_level = level;
            (*message).cmsg_type = kind;
            (*message).cmsg_len = libc::CMSG_LEN(size_of::<T>() as libc::c_uint) as _;
            std::ptr::write_unaligned(libc::CMSG_DATA(message).cast(), info);
        }
    }

    /// Gives the room to a call that fills it, or what is in it to one that sends. It must live
    /// through that call.
    pub(super) fn attach(&mut self, header: &mut libc::msghdr) {
        header.msg_control = self.bytes.as_mut_ptr().cast();
        header.msg_controllen = self.len as _;
    }

    /// The address of ours in what a call has filled in: one that can be answered from, not that of
    /// a group.
    pub(super) fn local(&self, header: &libc::msghdr) -> Option<IpAddr> {
        let mut filled = empty_header();
        filled.msg_control = self.bytes.as_ptr().cast_mut().cast();
        filled.msg_controllen = header.msg_controllen;
        let mut found = None;
        // SAFETY: the kernel has written whole control messages, with no more bytes than there are
        // here; the data of these two kinds are these structs, and any bytes are integers.
        unsafe {
            let mut at = libc::CMSG_FIRSTHDR(&raw const filled);
            while let Some(message) = at.as_ref() {
                let data = libc::CMSG_DATA(at);
                match (message.cmsg_level, message.cmsg_type) {
                    (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                        let info: libc::in_pktinfo = std::ptr::read_unaligned(data.cast());
                        // What came before that was asked for has only the other one.
                        let local = [info.ipi_spec_dst, info.ipi_addr].map(v4);
                        found = local.into_iter().find(|ip| !ip.is_unspecified());
                        break;
                    }
                    (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                        let info: libc::in6_pktinfo = std::ptr::read_unaligned(data.cast());
                        found = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).into());
                    }
                    _ => {}
                }
                at = libc::CMSG_NXTHDR(&raw const filled, at);
            }
        }
        found.filter(|ip| !ip.is_unspecified() && !ip.is_multicast())
    }
}

fn v4(addr: libc::in_addr) -> IpAddr {
    Ipv4Addr::from(addr.s_addr.to_ne_bytes()).into()
}

/// A header of no message.
pub(super) fn empty_header() -> libc::msghdr {
    // SAFETY: all-zero is valid for this C struct of integers and pointers.
    unsafe { std::mem::zeroed() }
}

/// Receives one datagram. Never waits. Gives its length, at most that of `buf`, its sender, and the
/// address it was sent to.
///
/// # Errors
/// EAGAIN when there is none, and whatever else the socket has to report.
pub fn receive(
    sock: impl AsFd,
    buf: &mut [u8],
) -> Result<(usize, Option<SocketAddrAny>, Option<IpAddr>), Errno> {
    let mut name = MaybeUninit::<SocketAddrStorage>::zeroed();
    let mut control = Control::default();
    let mut part = libc::iovec {
        iov_base: buf.as_mut_ptr().cast(),
        iov_len: buf.len(),
    };
    let mut header = empty_header();
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_name = name.as_mut_ptr().cast();
    header.msg_namelen = size_of::<SocketAddrStorage>() as libc::socklen_t;
    control.attach(&mut header);
    // SAFETY: the header points at the buffer, at a whole storage and at the control bytes, which
    // live through the call and are used by nothing else.
    let came = unsafe {
        libc::recvmsg(
            sock.as_fd().as_raw_fd(),
            &raw mut header,
            libc::MSG_DONTWAIT,
        )
    };
    let len = usize::try_from(came).map_err(|_| last_error())?;
    let named = header.msg_namelen as usize > size_of::<libc::sa_family_t>();
    // SAFETY: the kernel wrote a socket address of this length into the storage.
    let from = named.then(|| unsafe { SocketAddrAny::read(name.as_ptr(), header.msg_namelen) });
    Ok((len.min(buf.len()), from, control.local(&header)))
}

/// Sends one datagram to `peer`, from the address `local` of ours. Never waits.
///
/// # Errors
/// As sendmsg(2); see `is_not_from_there` for when the address is not ours any more.
pub fn send(
    sock: impl AsFd,
    buf: &[u8],
    peer: &SocketAddrAny,
    local: IpAddr,
) -> Result<usize, Errno> {
    let mut control = Control::from_local(local);
    let mut part = libc::iovec {
        iov_base: buf.as_ptr().cast_mut().cast(),
        iov_len: buf.len(),
    };
    let mut header = empty_header();
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_name = peer.as_ptr().cast_mut().cast();
    header.msg_namelen = peer.addr_len();
    control.attach(&mut header);
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    // SAFETY: the kernel only reads what the header points at, which lives through the call.
    let sent = unsafe { libc::sendmsg(sock.as_fd().as_raw_fd(), &raw const header, flags) };
    usize::try_from(sent).map_err(|_| last_error())
}

/// Returns whether an error may mean that nothing is sent from an address, which is not ours any more
/// or one of a group: Linux has EINVAL for both families, and ENETUNREACH for IPv4 since some time.
pub fn is_not_from_there(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::NETUNREACH)
}

pub(super) fn last_error() -> Errno {
    let error = std::io::Error::last_os_error();
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// The address of ours that the kernel chooses for what is sent to `peer`, if nothing else is
/// asked for.
pub fn source_towards(peer: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let probe = UdpSocket::bind((any, 0)).ok()?;
    probe.connect(peer).ok()?;
    probe
        .local_addr()
        .ok()
        .map(|local| local.ip().to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_put_in_is_read_back() {
        for ip in ["192.0.2.7", "2001:db8::7"] {
            let ip: IpAddr = ip.parse().unwrap();
            let mut control = Control::from_local(ip);
            let mut header = empty_header();
            control.attach(&mut header);
            assert_eq!(control.local(&header), Some(ip));
        }
    }

    #[test]
    fn a_group_is_no_address_to_answer_from() {
        for ip in ["224.0.0.251", "ff02::fb", "0.0.0.0", "::"] {
            let ip: IpAddr = ip.parse().unwrap();
            let mut control = Control::from_local(ip);
            let mut header = empty_header();
            control.attach(&mut header);
            assert_eq!(control.local(&header), None, "{ip}");
        }
    }
}
