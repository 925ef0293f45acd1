//! The peer: a TLS library that follows a script, and does to its records what it is told.

use super::pattern::Pattern;
use super::wire;
use rustls::{Connection, Error};
use socket2::Socket;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

/// The most plaintext of a record (RFC 8446, section 5.1).
const RECORD_BYTES: usize = 16 << 10;
/// Changes of keys without data between them that everybody takes; with many more, rustls calls the
/// peer a nuisance.
const KEY_CHANGES: usize = 16;

/// A peer, and what became of both directions so far, in bytes.
pub struct Peer {
    sock: Option<Socket>,
    connection: Connection,
    /// Records that are not sent yet.
    records: Vec<u8>,
    /// Of records, sent.
    pub sent: u64,
    /// Of records, received.
    received: u64,
    /// Written before close_notify.
    pub written: u64,
    /// Read, and held to be what the user wrote.
    pub read: u64,
    /// How much of `written` is in the records up to there.
    marks: Vec<(u64, u64)>,
    /// Where close_notify ends among the records.
    notified_at: Option<u64>,
    /// Where the first byte is that no TLS library has made.
    tampered_at: Option<u64>,
    key_changes: usize,
    /// It has ended its side of the connection.
    pub has_shut: bool,
    /// Nobody takes its records any more.
    is_cut_off: bool,
    /// It makes nothing of rnc's records any more.
    is_broken: bool,
    /// rnc's close_notify has come.
    pub has_seen_end: bool,
}

impl Peer {
    /// A peer at the other end of a socket.
    pub fn new(sock: Socket, mut connection: Connection) -> Peer {
        connection.set_buffer_limit(None);
        let mut peer = Peer {
            sock: Some(sock),
            connection,
            records: Vec::new(),
            sent: 0,
            received: 0,
            written: 0,
            read: 0,
            marks: Vec::new(),
            notified_at: None,
            tampered_at: None,
            key_changes: 0,
            has_shut: false,
            is_cut_off: false,
            is_broken: false,
            has_seen_end: false,
        };
        peer.take_records();
        peer
    }

    /// Its socket, which it has to begin with.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.sock.as_ref().expect("a socket").as_fd()
    }

    /// Encrypts so much, record by record.
    pub fn write(&mut self, len: usize, most: u64) {
        // What it writes during a handshake comes into records when that is done, unseen here.
        if self.is_shaking() || self.is_broken {
            return;
        }
        let left = usize::try_from(most.saturating_sub(self.written)).unwrap_or_default();
        let bytes = Pattern::PEER.bytes(self.written, len.min(left));
        for piece in bytes.chunks(RECORD_BYTES) {
            self.connection.writer().write_all(piece).expect("room");
            self.take_records();
            // Nobody is to take what comes behind the end.
            if self.notified_at.is_none() {
                self.key_changes = 0;
                self.written += piece.len() as u64;
                self.marks.push((self.made(), self.written));
            }
        }
    }

    /// Sends so much of the records. Says whether something was sent.
    pub fn send(&mut self, len: usize) -> bool {
        let (Some(sock), false) = (&self.sock, self.has_shut || self.is_cut_off) else {
            return false;
        };
        let len = len.min(self.records.len());
        match wire::send(sock, &self.records[..len]) {
            Some(n) => {
                self.records.drain(..n);
                self.sent += n as u64;
                n > 0
            }
            None => {
                self.is_cut_off = true;
                false
            }
        }
    }

    /// Reads so much of rnc's records. Says whether there was something.
    pub fn read(&mut self, len: usize) -> bool {
        let Some(sock) = &self.sock else { return false };
        let bytes = wire::receive(sock, len);
        self.take(&bytes);
        !bytes.is_empty()
    }

    /// Reads the rest, after rnc has left.
    pub fn read_rest(&mut self) {
        if let Some(sock) = &self.sock {
            let bytes = wire::receive_rest(sock);
            self.take(&bytes);
        }
    }

    /// Changes a byte of the records that are not sent yet.
    pub fn corrupt(&mut self, place: u8) {
        let at = self.records.len() * usize::from(place) / 256;
        if let Some(byte) = self.records.get_mut(at) {
            *byte ^= 1 << (place & 7);
            self.tampered(self.sent + at as u64);
        }
    }

    /// Puts bytes behind the records.
    pub fn insert(&mut self, bytes: &[u8]) {
        self.tampered(self.made());
        self.records.extend_from_slice(bytes);
    }

    /// Changes the key (RFC 8446, section 4.6.3).
    pub fn change_key(&mut self) {
        if !self.is_shaking() && self.key_changes < KEY_CHANGES {
            self.key_changes += 1;
            // There is no such thing in TLS 1.2.
            let _ = self.connection.refresh_traffic_keys();
            self.take_records();
        }
    }

    /// Makes close_notify. There is none within a handshake, where anybody could have made it.
    pub fn notify(&mut self) {
        if self.notified_at.is_none() && !self.is_shaking() {
            self.connection.send_close_notify();
            self.take_records();
            self.notified_at = Some(self.made());
        }
    }

    /// Ends its side of the connection.
    pub fn shut(&mut self) {
        self.has_shut = true;
        if let Some(sock) = &self.sock {
            wire::shut(sock);
        }
    }

    /// Closes its socket; over TCP that is a reset.
    pub fn go(&mut self) {
        self.has_shut = true;
        if let Some(sock) = self.sock.take() {
            // A Unix socket takes no notice.
            let _ = sock.set_linger(Some(Duration::ZERO));
        }
    }

    /// Says whether nobody is there any more.
    pub fn is_gone(&self) -> bool {
        self.sock.is_none()
    }

    /// Says whether the handshake is not done.
    pub fn is_shaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Says whether close_notify is sent.
    pub fn has_notified(&self) -> bool {
        self.notified_at.is_some_and(|at| at <= self.sent)
    }

    /// Says whether something was sent that no TLS library has made.
    pub fn is_tampered(&self) -> bool {
        self.tampered_at.is_some_and(|at| at < self.sent)
    }

    /// What of the data was sent in whole records, before anything was tampered with.
    pub fn sent_whole(&self) -> u64 {
        self.written_in(self.sent.min(self.tampered_at.unwrap_or(u64::MAX)))
    }

    /// How much data is in so many bytes of records.
    pub fn written_in(&self, records: u64) -> u64 {
        let whole = self.marks.iter().rev().find(|(end, _)| *end <= records);
        whole.map_or(0, |(_, written)| *written)
    }

    /// Says whether all records are sent.
    pub fn has_sent_all(&self) -> bool {
        self.records.is_empty()
    }

    /// Bytes of records that rnc has sent.
    pub fn sent_to_it(&self) -> u64 {
        self.received + self.sock.as_ref().map_or(0, wire::waiting)
    }

    /// Bytes of records made so far.
    fn made(&self) -> u64 {
        self.sent + self.records.len() as u64
    }

    fn tampered(&mut self, at: u64) {
        self.tampered_at = Some(self.tampered_at.map_or(at, |first| first.min(at)));
    }

    fn take_records(&mut self) {
        while self.connection.wants_write() {
            let records = &mut self.records;
            self.connection.write_tls(records).expect("room");
        }
    }

    /// Takes in what came from rnc.
    fn take(&mut self, mut bytes: &[u8]) {
        self.received += bytes.len() as u64;
        while !bytes.is_empty() && !self.has_seen_end && !self.is_broken {
            self.connection.read_tls(&mut bytes).expect("room");
            let state = self.connection.process_new_packets();
            self.take_plaintext();
            match state {
                Ok(state) => self.has_seen_end |= state.peer_has_closed(),
                Err(error) => self.broke(&error),
            }
            self.take_records();
        }
    }

    /// rnc may say what it likes to those who send it nonsense.
    fn broke(&mut self, error: &Error) {
        assert!(self.is_tampered(), "rnc made records that say: {error}");
        self.is_broken = true;
    }

    fn take_plaintext(&mut self) {
        let mut buf = [0; RECORD_BYTES];
        loop {
            match self.connection.reader().read(&mut buf) {
                Ok(0) => break,
                Ok(n) => {
                    Pattern::USER.check(self.read, &buf[..n]);
                    self.read += n as u64;
                }
                Err(error) => {
                    let is_empty = matches!(error.kind(), ErrorKind::WouldBlock);
                    assert!(is_empty, "the peer cannot read: {error}");
                    break;
                }
            }
        }
    }
}
