//! Several datagrams with one system call: recvmmsg(2) and sendmmsg(2); one by one where those are
//! not available.

use super::errno;
use rustix::io::Errno;
use rustix::net::addr::SocketAddrStorage;
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny};
use std::io::IoSlice;
use std::mem::MaybeUninit;
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

/// What the C library takes as flags of recvmmsg(2).
#[cfg(target_env = "musl")]
type BatchFlags = libc::c_uint;
/// What the C library takes as flags of recvmmsg(2).
#[cfg(not(target_env = "musl"))]
type BatchFlags = libc::c_int;

/// Datagrams received with one call and handed out one by one. 1 MiB of addresses, of which only
/// what datagrams have been written to is memory.
pub struct Batch {
    slots: Box<[u8]>,
    names: Box<[MaybeUninit<SocketAddrStorage>; SLOTS]>,
    /// Length of the datagram and of its sender's address.
    lens: [(usize, u32); SLOTS],
    next: usize,
    count: usize,
}

impl Default for Batch {
    fn default() -> Batch {
        Batch {
            slots: vec![0; SLOTS * STRIDE_BYTES].into(),
            names: Box::new([const { MaybeUninit::zeroed() }; SLOTS]),
            lens: [(0, 0); SLOTS],
            next: 0,
            count: 0,
        }
    }
}

impl Batch {
    /// Says whether all datagrams have been handed out.
    pub fn is_empty(&self) -> bool {
        self.next == self.count
    }

    /// The length of the datagram that is next.
    pub fn next_len(&self) -> Option<usize> {
        (!self.is_empty()).then(|| self.lens[self.next].0)
    }

    /// Hands out the next datagram and who sent it, when that was asked for and is known.
    pub fn take(&mut self) -> Option<(&[u8], Option<SocketAddrAny>)> {
        let len = self.next_len()?;
        let from = self.next_from();
        let start = self.next * STRIDE_BYTES;
        self.next += 1;
        Some((&self.slots[start..start + len], from))
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
    /// empty batch. Gives how many came, and whether there may be more. `names` says whether the
    /// senders are wanted.
    ///
    /// # Errors
    /// EAGAIN when there is none, and whatever else the socket has to report. What comes behind
    /// the first datagram the kernel keeps for the next call.
    pub fn receive(&mut self, sock: impl AsFd, names: bool) -> Result<Came, Errno> {
        // SAFETY: all-zero is valid for these C structs of integers and pointers.
        let (mut headers, mut parts): ([libc::mmsghdr; SLOTS], [libc::iovec; SLOTS]) =
            unsafe { std::mem::zeroed() };
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
            if names {
                header.msg_hdr.msg_name = name.as_mut_ptr().cast();
                header.msg_hdr.msg_namelen = NAME_BYTES;
            }
        }
        (self.next, self.count) = (0, 0);
        // Each header points at one part, each part at SLOT_BYTES of its own slot, each name at a
        // whole storage; all of them live through the call and nothing else uses them.
        let count = receive_into(sock.as_fd(), &mut headers)?;
        for (lens, header) in self.lens.iter_mut().zip(&headers[..count]) {
            let len = usize::try_from(header.msg_len).unwrap_or(SLOT_BYTES);
            *lens = (
                len.min(SLOT_BYTES),
                header.msg_hdr.msg_namelen.min(NAME_BYTES),
            );
        }
        self.count = count;
        let of = match RECEIVES_ONE.load(Ordering::Relaxed) {
            true => 1,
            false => SLOTS,
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
        match usize::try_from(came) {
            Ok(count) => return Ok(count),
            Err(_) => match last_error() {
                error if errno::is_refusal(error) => RECEIVES_ONE.store(true, Ordering::Relaxed),
                error => return Err(error),
            },
        }
    }
    let [first, ..] = headers;
    // SAFETY: as above.
    let len = unsafe { libc::recvmsg(sock.as_raw_fd(), &mut first.msg_hdr, libc::MSG_DONTWAIT) };
    let len = usize::try_from(len).map_err(|_| last_error())?;
    first.msg_len = u32::try_from(len).unwrap_or(u32::MAX);
    Ok(1)
}

fn last_error() -> Errno {
    Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
}

/// The size of the storage of an address.
const NAME_BYTES: libc::socklen_t = size_of::<SocketAddrStorage>() as libc::socklen_t;

impl std::fmt::Debug for Batch {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Batch({} of {})", self.next, self.count)
    }
}

/// What one call took in.
#[derive(Clone, Copy, Debug)]
pub struct Came {
    /// Datagrams.
    pub count: usize,
    /// Datagrams there was room for.
    pub of: usize,
}

const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// Sends the first `MOST_SENT` pieces of `data`, each of `piece_bytes` but for the last, as one
/// message each, to `peer` or to whom the socket is connected to. Gives the bytes that were sent,
/// at least one piece.
///
/// # Errors
/// What the first message failed with. What a later one failed with is lost: the kernel only
/// tells how many were sent.
pub fn send(
    sock: impl AsFd,
    data: &[u8],
    piece_bytes: usize,
    peer: Option<&SocketAddrAny>,
) -> Result<usize, Errno> {
    if !SENDS_ONE.load(Ordering::Relaxed) {
        match send_pieces(&sock, data, piece_bytes, peer) {
            Err(error) if errno::is_refusal(error) => {}
            sent => return sent,
        }
    }
    let piece = &data[..data.len().min(piece_bytes)];
    let sent = match peer {
        Some(peer) => rustix::net::sendto(&sock, piece, SEND_FLAGS, peer),
        None => rustix::net::send(&sock, piece, SEND_FLAGS),
    }?;
    // A message that a packet filter refuses is refused here as well.
    SENDS_ONE.store(true, Ordering::Relaxed);
    Ok(sent)
}

fn send_pieces(
    sock: impl AsFd,
    data: &[u8],
    piece_bytes: usize,
    peer: Option<&SocketAddrAny>,
) -> Result<usize, Errno> {
    let pieces = || data.chunks(piece_bytes).take(MOST_SENT);
    let parts: Vec<[IoSlice<'_>; 1]> = pieces().map(|piece| [IoSlice::new(piece)]).collect();
    let mut controls: Vec<SendAncillaryBuffer<'_, '_, '_>> = parts
        .iter()
        .map(|_| SendAncillaryBuffer::default())
        .collect();
    let mut messages: Vec<MMsgHdr<'_>> = parts
        .iter()
        .zip(&mut controls)
        .map(|(part, control)| match peer {
            Some(peer) => MMsgHdr::new_with_addr(peer, part, control),
            None => MMsgHdr::new(part, control),
        })
        .collect();
    let sent = rustix::net::sendmmsg(sock, &mut messages, SEND_FLAGS)?;
    Ok(pieces().take(sent).map(<[u8]>::len).sum())
}
