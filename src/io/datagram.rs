//! Datagram sockets: UDP and Unix. One read is one message, one write is one message; there is no
//! end of file, and an empty message is a message.

use super::reactor::Registrar;
use super::ready::{Bits, Got, Put, Ready};
use mio::Interest;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketAddrAny, SocketAddrUnix};
use socket2::Socket;
use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::path::PathBuf;

/// Who a datagram socket talks with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    /// The socket is connected: one peer, fixed.
    Connected,
    /// Anyone may write; the peer that wrote last is answered.
    Last,
    /// The first that writes is the peer from then on; the others are not heard.
    First,
}

/// The address of a peer of a datagram socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PeerAddr {
    /// An IP address and port.
    Ip(SocketAddr),
    /// The path of a Unix socket; abstract names begin with `@`, unnamed ones are empty.
    Unix(PathBuf),
}

/// A datagram socket.
#[derive(Debug)]
pub struct Datagram {
    sock: Socket,
    slot: u16,
    bits: Bits,
    peers: Peers,
    peer: Option<SocketAddrAny>,
    /// A peer that was not the peer before, not yet told to the user.
    news: Option<SocketAddrAny>,
    /// A send to one of many peers failed; not yet told to the user.
    send_fault: Option<io::Error>,
}

impl Datagram {
    /// Takes over a bound or connected, non-blocking socket and registers it.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(
        sock: Socket,
        peers: Peers,
        slot: u16,
        registrar: &Registrar<'_>,
    ) -> io::Result<Datagram> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        registrar.register(sock.as_fd(), slot, interest)?;
        Ok(Datagram {
            sock,
            slot,
            bits: Bits::new(true),
            peers,
            peer: None,
            news: None,
            send_fault: None,
        })
    }

    /// The socket itself, for its addresses and options.
    pub fn socket(&self) -> &Socket {
        &self.sock
    }

    /// See `Endpoint::has_peer`.
    pub fn has_peer(&self) -> bool {
        self.peers == Peers::Connected || self.peer.is_some()
    }

    /// The peer that wrote and is new since the last call.
    pub fn take_new_peer(&mut self) -> Option<PeerAddr> {
        self.news.take().map(peer_addr)
    }

    /// What a send to one of many peers failed with since the last call; the session goes on.
    pub fn take_send_fault(&mut self) -> Option<io::Error> {
        self.send_fault.take()
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        if slot == self.slot {
            self.bits.note(ready);
        }
    }

    /// Reads one message; what `buf` cannot hold of it is lost, so offer 64 KiB.
    ///
    /// # Errors
    /// ECONNREFUSED after an ICMP refusal, and the like.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        if !self.bits.readable() {
            return Ok(Got::Pending);
        }
        loop {
            match rustix::net::recvfrom(&self.sock, &mut *buf, RecvFlags::empty()) {
                Ok((n, _, from)) => {
                    self.hears(from);
                    return Ok(Got::Bytes(n));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.bits.is_drained();
                    return Ok(Got::Pending);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends `buf` as one message. Waits (`Pending`) while there is
    /// no peer to send to.
    ///
    /// # Errors
    /// ECONNREFUSED after an ICMP refusal, EMSGSIZE, and the like; with many peers, one that
    /// cannot be reached is no error.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        if !self.bits.writable() {
            return Ok(Put::Pending);
        }
        loop {
            let sent = match (self.peers, &self.peer) {
                (Peers::Connected, _) => rustix::net::send(&self.sock, buf, SendFlags::NOSIGNAL),
                (_, Some(peer)) => rustix::net::sendto(&self.sock, buf, SendFlags::NOSIGNAL, peer),
                (_, None) => return Ok(Put::Pending),
            };
            match sent {
                Ok(n) => return Ok(Put::Bytes(n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.bits.is_full();
                    return Ok(Put::Pending);
                }
                Err(error) if self.peers == Peers::Last => {
                    self.send_fault = Some(error.into());
                    return Ok(Put::Bytes(buf.len()));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes note of who wrote. With `Peers::First` the socket is connected to the first.
    fn hears(&mut self, from: Option<SocketAddrAny>) {
        if self.peers == Peers::Connected || from.is_none() || self.peer == from {
            return;
        }
        self.news.clone_from(&from);
        self.peer = from;
        let Some(peer) = &self.peer else { return };
        if self.peers == Peers::First && rustix::net::connect(&self.sock, peer).is_ok() {
            self.peers = Peers::Connected;
        }
    }
}

fn peer_addr(addr: SocketAddrAny) -> PeerAddr {
    if let Ok(ip) = SocketAddr::try_from(addr.clone()) {
        return PeerAddr::Ip(ip);
    }
    let unix = SocketAddrUnix::try_from(addr).ok();
    let path = unix.as_ref().and_then(|unix| {
        let named = unix.path().map(|path| path.to_string_lossy().into_owned());
        named.or_else(|| {
            let name = unix.abstract_name()?;
            Some(format!("@{}", String::from_utf8_lossy(name)))
        })
    });
    PeerAddr::Unix(PathBuf::from(path.unwrap_or_default()))
}
