//! What a datagram socket sends: messages cut out of what is written, one or many to a call.

use super::super::ready::Put;
use super::{Datagram, PeerMode};
use crate::proto::framing::{self, HEADER_BYTES};
use crate::sys::{batch, pktinfo};
use rustix::io::Errno;
use rustix::net::SendFlags;
use std::io;

impl Datagram {
    /// Sends `buf` as one message, or as several when it is longer than a message may be; or the
    /// first of its frames. Takes whole messages only. Waits (`Pending`) while there is no peer to send to.
    ///
    /// # Errors
    /// ECONNREFUSED after an ICMP refusal, EMSGSIZE, and the like; with many peers, one that
    /// cannot be reached is no error.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        if !self.takes_frames {
            return self.write_messages(buf);
        }
        // The rest of a frame that is not whole can never come.
        let message = framing::first_message(buf).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(match self.write_messages(message)? {
            Put::Bytes(_) => Put::Bytes(HEADER_BYTES + message.len()),
            Put::Pending => Put::Pending,
        })
    }

    fn write_messages(&mut self, buf: &[u8]) -> io::Result<Put> {
        if !self.bits.is_writable() || !self.has_peer() {
            return Ok(Put::Pending);
        }
        let mut was_refused = false;
        loop {
            let message = self.shape.message_bytes;
            let piece = self.segments.piece_bytes(&self.sock, buf.len(), message);
            match self.send(buf, piece) {
                Ok(n) => return Ok(Put::Bytes(n)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.bits.set_full();
                    return Ok(Put::Pending);
                }
                Err(Errno::INVAL | Errno::MSGSIZE | Errno::IO)
                    if self.segments.give_up(&self.sock) => {}
                // It is not ours any more, or a broadcast address.
                Err(error) if pktinfo::is_not_from_there(error) && self.local.take().is_some() => {}
                // That was about one sent before; this one is not sent yet.
                Err(error) if !was_refused && self.refusals.forgive(error) => {
                    was_refused = true;
                    self.refusals.reconnect(&self.sock);
                }
                Err(error) if self.refusals.forgive(error) => {
                    return Ok(Put::Bytes(buf.len().min(piece)));
                }
                Err(error) if self.peers == PeerMode::Last => {
                    self.send_fault = Some(error.into());
                    return Ok(Put::Bytes(buf.len().min(piece)));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends as much of `buf` as goes with one system call, in pieces of `piece` bytes.
    fn send(&mut self, buf: &[u8], piece: usize) -> Result<usize, Errno> {
        let peer = self
            .peer
            .as_ref()
            .filter(|_| self.peers != PeerMode::Connected);
        if buf.len() <= piece || self.alone {
            let buf = &buf[..buf.len().min(piece)];
            let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
            let sent = match (peer, self.local) {
                (Some(peer), Some(local)) => pktinfo::send(&self.sock, buf, peer, local),
                (Some(peer), None) => rustix::net::sendto(&self.sock, buf, flags, peer),
                (None, _) => rustix::net::send(&self.sock, buf, flags),
            }?;
            self.alone = false;
            return Ok(sent);
        }
        let local = peer.and(self.local);
        let sent = batch::send(&self.sock, buf, piece, peer, local)?;
        self.alone = sent < buf.len().min(piece * batch::MOST_SENT);
        Ok(sent)
    }
}
