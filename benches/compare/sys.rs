//! What the benchmark needs from the kernel beyond std and rustix; its only unsafe code.

use std::fs::OpenOptions;
use std::io;
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::io::Errno;
use rustix::pipe::{IoSliceRaw, SpliceFlags, vmsplice};
use rustix::process::Pid;

/// Moves this thread, and what it starts, into a new network namespace; with `user`, into a new
/// user namespace too, which is how it is allowed without privileges.
pub fn unshare_network(user: bool) -> io::Result<()> {
    let flags = libc::CLONE_NEWNET | if user { libc::CLONE_NEWUSER } else { 0 };
    // SAFETY: takes a number, touches no memory of ours.
    check(unsafe { libc::unshare(flags) }).map(drop)
}

/// Brings up the loopback interface of this namespace.
pub fn raise_loopback() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: ifreq is plain data, and all zeros is a value of each of its fields.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    request.ifr_name[..2].copy_from_slice(&[b'l' as libc::c_char, b'o' as libc::c_char]);
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads one ifreq, which lives through the call; the name ends in zero.
    check(unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            libc::SIOCSIFFLAGS as _,
            &raw mut request,
        )
    })
    .map(drop)
}

/// Makes an interface whose other end is a host that takes every packet and never says anything:
/// a TUN device nobody reads. `address` is this side's, in a network of 24 bits; all ends when
/// the descriptor is closed.
pub fn make_tunnel(address: [u8; 4]) -> io::Result<OwnedFd> {
    let tunnel = OpenOptions::new()
        .read(true)
        .write(true)
        .open("/dev/net/tun")?;
    // SAFETY: ifreq is plain data, and all zeros is a value of each of its fields.
    let mut request: libc::ifreq = unsafe { mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"mute") {
        *to = *from as libc::c_char;
    }
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let ask = |fd: i32, call: libc::c_ulong, request: &mut libc::ifreq| {
        // SAFETY: each call here reads or writes one ifreq, which lives through it.
        check(unsafe { libc::ioctl(fd, call as _, &raw mut *request) }).map(drop)
    };
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    ask(tunnel.as_raw_fd(), libc::TUNSETIFF as _, &mut request)?;
    for (call, address) in [
        (libc::SIOCSIFADDR, address),
        (libc::SIOCSIFNETMASK, [255, 255, 255, 0]),
    ] {
        let [a, b, c, d] = address.map(|byte| byte as libc::c_char);
        request.ifr_ifru.ifru_addr = libc::sockaddr {
            sa_family: libc::AF_INET as libc::sa_family_t,
            // Two bytes of port, then the address. See sockaddr_in in ip(7).
            sa_data: [0, 0, a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0],
        };
        ask(socket.as_raw_fd(), call as _, &mut request)?;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    ask(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &mut request)?;
    Ok(tunnel.into())
}

/// Takes up to `len` bytes from a TCP socket and throws them away: MSG_TRUNC with no buffer.
pub fn discard(socket: BorrowedFd, len: usize) -> Result<usize, Errno> {
    let (fd, nowhere) = (socket.as_raw_fd(), std::ptr::null_mut());
    // SAFETY: with MSG_TRUNC TCP writes nothing, see tcp(7); any other socket says EFAULT.
    let taken = unsafe { libc::recv(fd, nowhere, len, libc::MSG_TRUNC) };
    usize::try_from(taken).map_err(|_| last_errno())
}

/// Waits for a datagram and takes all that are there, up to one a slot of `slot` bytes, into `buf`,
/// the first slot first. Gives their lengths.
pub fn receive_many(socket: BorrowedFd, buf: &mut [u8], slot: usize) -> Result<Vec<usize>, Errno> {
    let mut parts: Vec<libc::iovec> = buf
        .chunks_exact_mut(slot)
        .map(|slot| libc::iovec {
            iov_base: slot.as_mut_ptr().cast(),
            iov_len: slot.len(),
        })
        .collect();
    let mut headers: Vec<libc::mmsghdr> = parts
        .iter_mut()
        .map(|part| {
            // SAFETY: mmsghdr is plain data, and all zeros is a value of each of its fields.
            let mut header: libc::mmsghdr = unsafe { mem::zeroed() };
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            header
        })
        .collect();
    // SAFETY: each header points at one part, each part at a slot of its own, and all of them
    // live through the call.
    let came = unsafe {
        libc::recvmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            headers.len() as libc::c_uint,
            libc::MSG_WAITFORONE,
            std::ptr::null_mut(),
        )
    };
    let came = usize::try_from(came).map_err(|_| last_errno())?;
    Ok(headers[..came]
        .iter()
        .map(|header| header.msg_len as usize)
        .collect())
}

/// Puts the pages of `bytes` themselves into a pipe. They must never change again, which
/// `'static` and shared sees to.
pub fn give_pages(pipe: BorrowedFd, bytes: &'static [u8]) -> Result<usize, Errno> {
    // SAFETY: the pages are neither freed nor written to while the pipe refers to them.
    unsafe { vmsplice(pipe, &[IoSliceRaw::from_slice(bytes)], SpliceFlags::empty()) }
}

/// How a child ended, and the processor time it took in all.
#[derive(Clone, Copy, Debug)]
pub struct Exit {
    /// Its code or signal.
    pub status: ExitStatus,
    /// User and system time together.
    pub cpu: Duration,
}

/// Waits for the end of a child, or for its next stop if it is traced.
pub fn wait(pid: Pid) -> io::Result<Exit> {
    let (mut status, mut usage) = (0, MaybeUninit::<libc::rusage>::zeroed());
    // SAFETY: both pointers are good for writing one value of their type.
    check(unsafe { libc::wait4(pid.as_raw_pid(), &mut status, 0, usage.as_mut_ptr()) })?;
    // SAFETY: zeroed above, and rusage is plain data.
    let usage = unsafe { usage.assume_init() };
    let time = |t: libc::timeval| {
        Duration::from_secs(t.tv_sec as u64) + Duration::from_micros(t.tv_usec as u64)
    };
    let cpu = time(usage.ru_utime) + time(usage.ru_stime);
    Ok(Exit {
        status: ExitStatus::from_raw(status),
        cpu,
    })
}

/// The processor time a running process has taken so far, all its threads together.
pub fn cpu_so_far(pid: Pid) -> io::Result<Duration> {
    let mut clock = 0;
    // SAFETY: the pointer is good for writing one clockid_t. The call returns its errno.
    match unsafe { libc::clock_getcpuclockid(pid.as_raw_pid(), &mut clock) } {
        0 => {}
        errno => return Err(io::Error::from_raw_os_error(errno)),
    }
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is good for writing one timespec.
    check(unsafe { libc::clock_gettime(clock, &mut now) })?;
    Ok(Duration::new(now.tv_sec as u64, now.tv_nsec as u32))
}

/// Asks that a running child stops once more when it is about to exit, memory still in place.
pub fn trace_exit(pid: Pid) -> io::Result<()> {
    let no_address = std::ptr::null_mut::<libc::c_void>();
    let options = libc::PTRACE_O_TRACEEXIT as libc::c_long;
    // SAFETY: PTRACE_SEIZE takes its options by value and no address.
    let done = unsafe { libc::ptrace(libc::PTRACE_SEIZE, pid.as_raw_pid(), no_address, options) };
    check(done as libc::c_int).map(drop)
}

/// Lets a stopped child go on, handing it `signal` unless that is 0.
pub fn trace_continue(pid: Pid, signal: i32) -> io::Result<()> {
    let no_address = std::ptr::null_mut::<libc::c_void>();
    let signal = libc::c_long::from(signal);
    // SAFETY: PTRACE_CONT takes the signal by value and no address.
    let done = unsafe { libc::ptrace(libc::PTRACE_CONT, pid.as_raw_pid(), no_address, signal) };
    check(done as libc::c_int).map(drop)
}

/// True if a status says "about to exit", after [`trace_exit`].
pub fn is_exit_stop(status: ExitStatus) -> bool {
    status.into_raw() >> 8 == libc::SIGTRAP | (libc::PTRACE_EVENT_EXIT << 8)
}

/// The processors a thread may run on.
#[derive(Clone, Copy)]
pub struct Processors(libc::cpu_set_t);

impl Processors {
    /// Those of this thread.
    pub fn current() -> io::Result<Self> {
        // SAFETY: cpu_set_t is plain data, and all zeros is the empty set.
        let mut set: libc::cpu_set_t = unsafe { mem::zeroed() };
        // SAFETY: the size is that of the set behind the pointer.
        check(unsafe { libc::sched_getaffinity(0, mem::size_of_val(&set), &mut set) })?;
        Ok(Self(set))
    }

    /// The last one of the set alone: the first has more of the machine's interrupts.
    pub fn last(&self) -> Self {
        // SAFETY: as above; the indices are within the set.
        let mut one: libc::cpu_set_t = unsafe { mem::zeroed() };
        let all = 0..libc::CPU_SETSIZE as usize;
        // SAFETY: the indices are within the set.
        let last = all
            .rev()
            .find(|&cpu| unsafe { libc::CPU_ISSET(cpu, &self.0) });
        // SAFETY: as above.
        unsafe { libc::CPU_SET(last.unwrap_or(0), &mut one) };
        Self(one)
    }

    /// Keeps this thread, and what it starts from now on, on these.
    pub fn apply(&self) -> io::Result<()> {
        // SAFETY: the size is that of the set behind the pointer.
        check(unsafe { libc::sched_setaffinity(0, mem::size_of_val(&self.0), &self.0) }).map(drop)
    }
}

/// What errno says now.
fn last_errno() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// The result of a call that says -1 for "see errno".
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(result)
    }
}
