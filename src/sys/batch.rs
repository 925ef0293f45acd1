//! Several datagrams with one system call: recvmmsg(2) and sendmmsg(2); one by one where those are
//! not available.

use super::errno;
use super::pktinfo::{Control, last_error};
use rustix::io::Errno;
use rustix::net::SocketAddrAny;
use rustix::net::addr::SocketAddrStorage;
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// Datagrams one call takes in. Measured at 64 bytes, in µs of processor per datagram: 4 of them
/// 1.76, 16 of them 1.64, 64 of them 1.76; OpenBSD nc's single calls 3.2.
const SLOTS: usize = 16;
/// Room for one datagram, in bytes: no UDP datagram is longer.
const SLOT_BYTES: usize = 64 << 10;
/// From one slot to the next. Starts that are powers of two apart would share the same few lines
/// of the processor's first cache.
const STRIDE_BYTES: usize = SLOT_BYTES + 192;
/// The most messages of one `send`.
pub const MOST_SENT: usize = 64;

/// recvmmsg(2) is not available to this process.
static RECEIVES_ONE: AtomicBool = AtomicBool::new(false);
/// sendmmsg(2) is not available to this process.
static SENDS_ONE: AtomicBool = AtomicBool::new(false);

/// What the C library takes as flags of recvmmsg(2) and sendmmsg(2).
#[cfg(target_env = "musl")]
type BatchFlags = libc::c_uint;
/// What the C library takes as flags of recvmmsg(2) and sendmmsg(2).
#[cfg(not(target_env = "musl"))]
type BatchFlags = libc::c_int;

/// Datagrams received with one call and handed out one by one. 1 MiB of addresses, of which only
/// what datagrams have been written to is memory.
pub struct Batch {
    slots: Box<[u8]>,
    names: Box<[MaybeUninit<SocketAddrStorage>; SLOTS]>,
    /// Length of the datagram and of its sender's address.
    lens: [(usize, u32); SLOTS],
    /// The addresses of ours they were sent to, where those are asked for.
    locals: [Option<IpAddr>; SLOTS],
    next: usize,
    count: usize,
}

impl Default for Batch {
    fn default() -> Batch {
        Batch {
            slots: vec![0; SLOTS * STRIDE_BYTES].into(),
            names: Box::new([const { MaybeUninit::zeroed() }; SLOTS]),
            lens: [(0, 0); SLOTS],
            locals: [None; SLOTS],
            next: 0,
            count: 0,
        }
    }
}

impl Batch {
    /// Returns whether all datagrams have been handed out.
    pub fn is_empty(&self) -> bool {
        self.next == self.count
    }

    /// The length of the datagram that is next.
    pub fn next_len(&self) -> Option<usize> {
        (!self.is_empty()).then(|| self.lens[self.next].0)
    }

    /// Hands out the next datagram, and its sender and the address of ours it was sent to where
    /// they were asked for and are known.
    pub fn take(&mut self) -> Option<(&[u8], Option<SocketAddrAny>, Option<IpAddr>)> {
        let len = self.next_len()?;
        let (from, local) = (self.next_from(), self.locals[self.next]);
        let start = self.next * STRIDE_BYTES;
        self.next += 1;
        Some((&self.slots[start..start + len], from, local))
    }

    /// Drops the next datagram.
    pub fn skip(&mut self) {
        self.next = self.count.min(self.next + 1);
    }

    /// Who sent the datagram that is next, when that was asked for and is known.
    pub fn next_from(&self) -> Option<SocketAddrAny> {
        let at = (!self.is_empty()).then_some(self.next)?;
        let (_, name_len) = self.lens[at];
        // An unnamed Unix socket has an address family at most.
        let named = name_len as usize > size_of::<libc::sa_family_t>();
        named.then(|| {
            // SAFETY: the kernel wrote a socket address of this length, which `receive` has
            // limited to the size of the storage.
            unsafe { SocketAddrAny::read(self.names[at].as_ptr(), name_len) }
        })
    }

    /// Takes in as many datagrams as there are and as it has room for, at least one; only for an
    /// empty batch. Gives how many came, and whether there may be more.
    ///
    /// # Errors
    /// EAGAIN when there is none, and whatever else the socket has to report. What comes behind
    /// the first datagram the kernel keeps for the next call.
    pub fn receive(&mut self, sock: impl AsFd, wants: Wants) -> Result<Came, Errno> {
        // SAFETY: all-zero is valid for these C structs of integers and pointers.
        let (mut headers, mut parts): ([libc::mmsghdr; SLOTS], [libc::iovec; SLOTS]) =
            unsafe { std::mem::zeroed() };
        let mut controls = (wants == Wants::Addresses).then(|| [Control::default(); SLOTS]);
        let slots = self.slots.chunks_mut(STRIDE_BYTES);
        for (((header, part), slot), name) in headers
            .iter_mut()
            .zip(&mut parts)
            .zip(slots)
            .zip(self.names.iter_mut())
        {
            part.iov_base = slot.as_mut_ptr().cast();
            part.iov_len = SLOT_BYTES;
            header.msg_hdr.msg_iov = part;
            header.msg_hdr.msg_iovlen = 1;
            if wants != Wants::Messages {
                header.msg_hdr.msg_name = name.as_mut_ptr().cast();
                header.msg_hdr.msg_namelen = NAME_BYTES;
            }
        }
        let rooms = controls.iter_mut().flatten();
        for (control, header) in rooms.zip(&mut headers) {
            control.attach(&mut header.msg_hdr);
        }
        (self.next, self.count) = (0, 0);
        // Each header points at one part, each part at SLOT_BYTES of its own slot, each name at a
        // whole storage, each control at its own room; all of them live through the call and
        // nothing else uses them.
        let count = receive_into(sock.as_fd(), &mut headers)?;
        for (lens, header) in self.lens.iter_mut().zip(&headers[..count]) {
            let len = usize::try_from(header.msg_len).unwrap_or(SLOT_BYTES);
            *lens = (
                len.min(SLOT_BYTES),
                header.msg_hdr.msg_namelen.min(NAME_BYTES),
            );
        }
        let filled = controls.iter().flatten().zip(&headers[..count]);
        for (local, (control, header)) in self.locals.iter_mut().zip(filled) {
            *local = control.local(&header.msg_hdr);
        }
        self.count = count;
        let of = if RECEIVES_ONE.load(Ordering::Relaxed) {
            1
        } else {
            SLOTS
        };
        Ok(Came { count, of })
    }
}

/// Receives at least one datagram; gives their number. The headers point at what may be written
/// for as long as the call lasts.
fn receive_into(
    sock: BorrowedFd<'_>,
    headers: &mut [libc::mmsghdr; SLOTS],
) -> Result<usize, Errno> {
    if !RECEIVES_ONE.load(Ordering::Relaxed) {
        // SAFETY: all headers are those of `Batch::receive`, which says why.
        let came = unsafe {
            libc::recvmmsg(
                sock.as_raw_fd(),
                headers.as_mut_ptr(),
                SLOTS as libc::c_uint,
                libc::MSG_DONTWAIT as BatchFlags,
                std::ptr::null_mut(),
            )
        };
        match usize::try_from(came).map_err(|_| last_error()) {
            Err(error) if errno::is_refusal(error) => {}
            came => return came,
        }
        RECEIVES_ONE.store(true, Ordering::Relaxed);
    }
    let [first, ..] = headers;
    // SAFETY: as above.
    let len = unsafe { libc::recvmsg(sock.as_raw_fd(), &mut first.msg_hdr, libc::MSG_DONTWAIT) };
    let len = usize::try_from(len).map_err(|_| last_error())?;
    first.msg_len = u32::try_from(len).unwrap_or(u32::MAX);
    Ok(1)
}

/// The size of the storage of an address.
const NAME_BYTES: libc::socklen_t = size_of::<SocketAddrStorage>() as libc::socklen_t;

impl std::fmt::Debug for Batch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Batch({} of {})", self.next, self.count)
    }
}

/// What is to be known of each datagram received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Only the message.
    Messages,
    /// Its sender too.
    Senders,
    /// Its sender, and the address of ours it was sent to: `pktinfo::ask`.
    Addresses,
}

/// What one call took in.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    /// Datagrams.
    pub count: usize,
    /// Datagrams there was room for.
    pub of: usize,
}

/// Sends the first `MOST_SENT` pieces of `data`, each of `piece_bytes` but for the last, as one
/// message each, to `peer` or to the peer the socket is connected to, from the address `local` of
/// ours if there is one. Gives the bytes that were sent, at least one piece.
///
/// # Errors
/// What the first message failed with. What a later one failed with is lost: the kernel only
/// tells how many were sent.
pub fn send(
    sock: impl AsFd,
    data: &[u8],
    piece_bytes: usize,
    peer: Option<&SocketAddrAny>,
    local: Option<IpAddr>,
) -> Result<usize, Errno> {
    // SAFETY: all-zero is valid for these C structs of integers and pointers.
    let (mut headers, mut parts): ([libc::mmsghdr; MOST_SENT], [libc::iovec; MOST_SENT]) =
        unsafe { std::mem::zeroed() };
    // All messages have the same one, which the kernel only reads.
    let mut control = local.map(Control::from_local);
    let pieces = || data.chunks(piece_bytes).take(MOST_SENT);
    for ((header, part), piece) in headers.iter_mut().zip(&mut parts).zip(pieces()) {
        part.iov_base = piece.as_ptr().cast_mut().cast();
        part.iov_len = piece.len();
        let header = &mut header.msg_hdr;
        header.msg_iov = part;
        header.msg_iovlen = 1;
        if let Some(peer) = peer {
            header.msg_name = peer.as_ptr().cast_mut().cast();
            header.msg_namelen = peer.addr_len();
        }
        if let Some(control) = &mut control {
            control.attach(header);
        }
    }
    // The first headers, as many as there are pieces, point at one part each, each part at a piece;
    // those, the name and the control live through the call, in which they are only read.
    let sent = send_from(sock.as_fd(), &mut headers[..pieces().count()])?;
    Ok(pieces().take(sent).map(<[u8]>::len).sum())
}

/// Sends at least one message; gives their number. The headers point at what may be read for as
/// long as the call lasts.
fn send_from(sock: BorrowedFd<'_>, headers: &mut [libc::mmsghdr]) -> Result<usize, Errno> {
    let flags = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    if !SENDS_ONE.load(Ordering::Relaxed) {
        let count = libc::c_uint::try_from(headers.len()).unwrap_or(1);
        // SAFETY: all headers are those of `send`, which says why.
        let sent = unsafe {
            libc::sendmmsg(
                sock.as_raw_fd(),
                headers.as_mut_ptr(),
                count,
                flags as BatchFlags,
            )
        };
        match usize::try_from(sent).map_err(|_| last_error()) {
            Err(error) if errno::is_refusal(error) => {}
            sent => return sent,
        }
    }
    let Some(first) = headers.first() else {
        return Ok(0);
    };
    // SAFETY: as above.
    let sent = unsafe { libc::sendmsg(sock.as_raw_fd(), &first.msg_hdr, flags) };
    usize::try_from(sent).map_err(|_| last_error())?;
    // A message that a packet filter refuses is refused here as well.
    SENDS_ONE.store(true, Ordering::Relaxed);
    Ok(1)
}
