//! Datagram sockets: UDP and Unix. One read is one message, or several where that makes no
//! difference; one write is as many messages as its bytes make; there is no end of file, and an
//! empty message is a message.
//!
//! Messages come and go several to a system call. What has come waits in a batch, out of which
//! reads are served; what is sent is cut by sendmmsg(2), or by the kernel (UDP_SEGMENT).

mod sending;

pub use super::peer_addr::PeerAddr;

use super::reactor::{Registered, Registrar};
use super::ready::{Bits, Got, Ready};
use super::refusals::Refusals;
use super::segments::Segments;
use super::senders::Senders;
use crate::plan::access::Admission;
use crate::proto::framing;
use crate::sys::batch::{Batch, Wants};
use crate::sys::{pktinfo, sockopt};
use mio::Interest;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SocketAddrAny};
use socket2::Socket;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::sync::Arc;

/// The longest message that is received whole, in bytes: a Unix one is bounded by its sender's
/// SO_SNDBUF, by default 208 KiB. Where messages are joined, several UDP ones.
pub const MAX_RECEIVED_BYTES: usize = 256 << 10;

/// The peers of a datagram socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerMode {
    /// The socket is connected: one peer, fixed.
    Connected,
    /// Anyone may write; the peer that wrote last is answered.
    Last,
    /// The first that writes is the peer from then on; the others are not heard.
    First,
    /// Anyone may write; what is sent goes to a group, or to all of a network.
    Group,
}

/// How messages of a socket and bytes go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MessageShape {
    /// The longest message to send, in bytes.
    pub message_bytes: usize,
    /// A read may give several messages at once, one behind the other.
    pub joins: bool,
}

/// A datagram socket.
#[derive(Debug)]
pub struct Datagram {
    sock: Socket,
    id: Registered,
    bits: Bits,
    peers: PeerMode,
    /// The peer to write to; `None` while no peer is known, or when the socket is connected.
    peer: Option<SocketAddrAny>,
    /// The last peer with a name that wrote.
    sender: Option<SocketAddrAny>,
    /// The message read last came from a peer without a name.
    is_nameless: bool,
    /// The socket is bound to all addresses of ours, and answers leave from the one that was asked.
    asks_local: bool,
    /// The address of ours that the message read last was sent to, where that is asked for.
    local: Option<IpAddr>,
    /// Senders that were not the sender before, not yet printed; at most `MOST_NEWS`.
    news: Vec<SocketAddrAny>,
    /// Whose messages are received.
    senders: Senders,
    refusals: Refusals,
    /// A send to one of many peers failed; not yet reported to the user.
    send_fault: Option<io::Error>,
    shape: MessageShape,
    /// What is written are frames.
    takes_frames: bool,
    /// UDP: no message is longer than 64 KiB. Unix ones may be, and come one by one.
    is_ip: bool,
    /// What has come and not been read; made when the first message has come that may be followed
    /// by more of its kind: a short one of UDP.
    batch: Option<Batch>,
    /// What receiving failed with behind messages that were still to be read.
    recv_fault: Option<Errno>,
    /// The last message was long: taken in one by one, such are not copied once more.
    long: bool,
    segments: Segments,
    /// The next message goes alone: a batch has stopped at it, and only so does it report why.
    alone: bool,
}

/// Senders that may wait to be printed; more are not.
const MOST_NEWS: usize = 64;
/// From this length on a message is received where it is wanted, and not by way of a batch: its
/// copy would cost more than the system call it saves.
const LONG_BYTES: usize = 8 << 10;
/// The most messages one read joins: empty ones fill no buffer.
const MOST_JOINED: usize = 1024;
/// Receiving calls in one read that may give nothing but what is dropped.
const REFUSALS: usize = 64;
/// The room a UDP message may need, in bytes.
const MESSAGE_BYTES: usize = 64 << 10;
impl Datagram {
    /// Takes over a bound or connected, non-blocking socket and registers it. Until changed
    /// by `set_shape`, every write is one message and every read too.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(sock: Socket, peers: PeerMode, registrar: &Registrar<'_>) -> io::Result<Datagram> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let id = registrar.register(sock.as_fd(), interest)?;
        let local = sock.local_addr()?;
        let is_any = local.as_socket().is_some_and(|ip| ip.ip().is_unspecified());
        let asks_local = is_any && matches!(peers, PeerMode::Last | PeerMode::First);
        // Others may have the same address where the port is shared.
        let is_alone = matches!(peers, PeerMode::Last | PeerMode::First)
            && !sock.reuse_port().unwrap_or_default();
        let only = (peers == PeerMode::Connected).then(|| rustix::net::getpeername(&sock));
        let only = only.and_then(Result::ok).flatten();
        let mut end = Datagram {
            asks_local: asks_local && pktinfo::is_asked(&sock),
            local: None,
            sender: None,
            is_ip: !local.is_unix(),
            sock,
            id,
            bits: Bits::new(true),
            peers,
            peer: None,
            is_nameless: false,
            news: Vec::new(),
            refusals: Refusals::default(),
            senders: Senders::of(only.map(PeerAddr::from).filter(PeerAddr::is_named)),
            send_fault: None,
            shape: MessageShape {
                message_bytes: usize::MAX,
                joins: false,
            },
            takes_frames: false,
            batch: None,
            recv_fault: None,
            long: false,
            segments: Segments::default(),
            alone: true,
        };
        if is_alone {
            end.drop_own();
        }
        Ok(end)
    }

    /// As `new`, for a socket that is not connected: what is written goes to `group`, a multicast
    /// group or the broadcast address of a network, and any of it may answer.
    ///
    /// # Errors
    /// As `new`.
    pub fn to_group(
        sock: Socket,
        group: SocketAddr,
        registrar: &Registrar<'_>,
    ) -> io::Result<Datagram> {
        let mut end = Datagram::new(sock, PeerMode::Group, registrar)?;
        end.peer = Some(group.into());
        Ok(end)
    }

    /// Sets how messages and bytes go together.
    pub fn set_shape(&mut self, shape: MessageShape) {
        self.shape = shape;
    }

    /// Goes on when datagrams are refused: they are lost.
    pub fn ignore_refusals(&mut self) {
        self.refusals = Refusals::ignored(&self.sock);
    }

    /// Hears nothing from the address of this socket, whether or not others share it.
    pub fn drop_own(&mut self) {
        let own = rustix::net::getsockname(&self.sock).ok();
        self.senders.drop_own(own.map(PeerAddr::from));
    }

    /// Sets the access rules. Datagrams of peers they deny are dropped.
    pub fn set_rules(&mut self, rules: &Arc<Admission>) {
        self.senders.set_rules(rules);
    }

    /// A peer that wrote although it may not, and was not the last to do so.
    pub fn take_refused(&mut self) -> Option<PeerAddr> {
        self.senders.take_refused()
    }

    /// The socket itself, for its addresses.
    pub fn socket(&self) -> &Socket {
        &self.sock
    }

    /// Takes frames from now on: each is one message, behind its length. See `proto::framing`.
    pub fn take_frames(&mut self) {
        self.takes_frames = true;
    }

    /// See `Endpoint::payload`.
    pub fn payload<'a>(&self, written: &'a [u8]) -> &'a [u8] {
        if self.takes_frames {
            framing::first_message(written).unwrap_or_default()
        } else {
            written
        }
    }

    /// How many datagrams for this socket the kernel has dropped: most often there was no room.
    pub fn drops(&self) -> u32 {
        sockopt::drops(&self.sock).unwrap_or_default()
    }

    /// See `Endpoint::has_peer`.
    pub fn has_peer(&self) -> bool {
        self.peers == PeerMode::Connected || self.peer.is_some()
    }

    /// The peer to write to; `None` if the socket is connected.
    pub fn peer(&self) -> Option<PeerAddr> {
        self.peer.clone().map(PeerAddr::from)
    }

    /// Who sent the message that was read last, if that is known: a Unix socket without a name
    /// cannot be answered. `None` too where there is one peer for good.
    pub fn sender(&self) -> Option<PeerAddr> {
        let known = self.sender.clone().filter(|_| !self.is_nameless);
        known.map(PeerAddr::from)
    }

    /// The address of ours that the message read last was sent to, where the socket is bound to all
    /// of them.
    pub fn local(&self) -> Option<IpAddr> {
        self.local
    }

    /// The peers that wrote since the last call, each as often as it was not the one before.
    pub fn take_new_peers(&mut self) -> Vec<PeerAddr> {
        self.news.drain(..).map(PeerAddr::from).collect()
    }

    /// What a send to one of many peers, or the first one that was refused, failed with since the
    /// last call; the session goes on.
    pub fn take_send_fault(&mut self) -> Option<io::Error> {
        let refusal = self.refusals.take_first();
        self.send_fault.take().or(refusal)
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        if id == self.id {
            self.bits.note(ready);
        }
    }

    /// Reads one message, or as many as there are and `buf` has room for where they are to be
    /// joined. What `buf` cannot hold of the first is lost: offer `MAX_RECEIVED_BYTES`.
    /// `Again` when nothing but dropped messages has come for a while.
    ///
    /// # Errors
    /// ECONNREFUSED after an ICMP refusal, and the like.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        let Some(mut len) = self.read_first(buf)? else {
            let drained = !self.bits.is_readable();
            return Ok(if drained { Got::Pending } else { Got::Again });
        };
        let more = if self.shape.joins { MOST_JOINED } else { 1 };
        for _ in 1..more {
            match self.read_another(&mut buf[len..]) {
                Ok(Some(n)) => len += n,
                Ok(None) => break,
                Err(error) => {
                    self.recv_fault = Some(error);
                    break;
                }
            }
        }
        Ok(Got::Bytes(len))
    }

    /// Reads a message; `None` when there is none.
    fn read_first(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Errno> {
        if let Some(len) = self.take(buf) {
            return Ok(Some(len));
        }
        if let Some(error) = self.recv_fault.take() {
            return Err(error);
        }
        self.receive(buf)
    }

    /// Reads one more message if it surely fits into `buf`.
    fn read_another(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Errno> {
        match self.batch.as_ref().and_then(Batch::next_len) {
            Some(len) if len <= buf.len() => Ok(self.take(buf)),
            None if self.is_ip && buf.len() >= MESSAGE_BYTES && self.recv_fault.is_none() => {
                self.receive(buf)
            }
            _ => Ok(None),
        }
    }

    /// Takes the next message out of the batch.
    fn take(&mut self, buf: &mut [u8]) -> Option<usize> {
        let (message, from, local) = self.batch.as_mut()?.take()?;
        let len = message.len().min(buf.len());
        buf[..len].copy_from_slice(&message[..len]);
        self.long = len >= LONG_BYTES;
        self.note_sender(from, local);
        self.drop_refused();
        Some(len)
    }

    /// Drops from the front of the batch what is not to be heard.
    fn drop_refused(&mut self) {
        while self.batch.as_ref().is_some_and(|batch| !batch.is_empty()) {
            let from = self.batch.as_ref().and_then(Batch::next_from);
            if self.senders.admits(from.as_ref()) {
                return;
            }
            self.batch.as_mut().into_iter().for_each(Batch::skip);
        }
    }

    /// Receives messages, and puts the first into `buf`; `None` when there was none in so many
    /// calls.
    fn receive(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Errno> {
        for _ in 0..REFUSALS {
            if !self.bits.is_readable() {
                return Ok(None);
            }
            let one_by_one = self.long || self.batch.is_none();
            let received = if one_by_one {
                self.receive_one(buf)
            } else {
                self.receive_batch().map(|()| self.take(buf))
            };
            match received {
                // Dropped, all of it.
                Ok(None) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => self.bits.set_drained(),
                Err(error) if self.refusals.forgive(error) => {}
                other => return other,
            }
        }
        Ok(None)
    }

    /// Receives one message; `None` when it is dropped.
    fn receive_one(&mut self, buf: &mut [u8]) -> Result<Option<usize>, Errno> {
        let (n, from, local) = if self.asks_local {
            pktinfo::receive(&self.sock, buf)?
        } else {
            let (n, _, from) = rustix::net::recvfrom(&self.sock, buf, RecvFlags::DONTWAIT)?;
            (n, from, None)
        };
        self.long = n >= LONG_BYTES;
        if self.is_ip && !self.long {
            self.batch.get_or_insert_default();
        }
        if !self.senders.admits(from.as_ref()) {
            return Ok(None);
        }
        self.note_sender(from, local);
        Ok(Some(n))
    }

    fn receive_batch(&mut self) -> Result<(), Errno> {
        let wants = match self.peers {
            PeerMode::Connected if !self.senders.is_of_one() => Wants::Messages,
            _ if self.asks_local => Wants::Addresses,
            _ => Wants::Senders,
        };
        let batch = self.batch.get_or_insert_default();
        let came = batch.receive(&self.sock, wants)?;
        self.bits.note_read(came.count, came.of);
        self.drop_refused();
        Ok(())
    }

    /// Takes note of the sender, and of the address of ours it wrote to. With `PeerMode::First` the
    /// socket is connected to the first, unless it would answer from another address then: so
    /// others, and refusals, stay in the kernel.
    fn note_sender(&mut self, from: Option<SocketAddrAny>, local: Option<IpAddr>) {
        if self.peers == PeerMode::Connected {
            return;
        }
        self.is_nameless = from.is_none();
        let Some(sender) = &from else { return };
        self.local = local;
        if self.sender == from {
            return;
        }
        if self.news.len() < MOST_NEWS {
            self.news.push(sender.clone());
        }
        self.sender.clone_from(&from);
        if self.peers != PeerMode::Group {
            self.peer = from;
        }
        let Some(peer) = &self.peer else { return };
        if self.peers == PeerMode::First {
            self.senders.set_only(PeerAddr::from(peer.clone()));
            if answers_from(peer, local) && rustix::net::connect(&self.sock, peer).is_ok() {
                self.peers = PeerMode::Connected;
            }
        }
    }
}

/// Returns whether what is sent to a peer leaves from this address of ours by itself.
fn answers_from(peer: &SocketAddrAny, local: Option<IpAddr>) -> bool {
    let peer = SocketAddr::try_from(peer.clone()).ok();
    let chosen = peer.and_then(pktinfo::source_towards);
    local.is_none_or(|local| chosen == Some(local.to_canonical()))
}
