//! The peers of a datagram socket, each as a client of its own. One socket; what a peer sends is
//! put into its mailbox, which its session reads.
//!
//! Datagrams have no end: a peer that has been silent for long enough counts as gone.

use super::bind::BoundSock;
use super::client::{Arrival, Link};
use super::entrance::Next;
use super::event::Event;
use super::loops::Loops;
use super::terms::Terms;
use super::welcome::Welcome;
use super::words;
use crate::exit::Exit;
use crate::io::datagram::{Datagram, MAX_RECEIVED_BYTES, PeerAddr, PeerMode};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::mailbox::{Mailbox, SharedSocket, Slot};
use crate::io::reactor::{Cx, Registered};
use crate::io::ready::{Got, Ready};
use crate::io::seat::Seat;
use crate::net::labels::sender_label;
use crate::net::unix;
use crate::plan::Listening;
use socket2::SockAddr;
use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::rc::Rc;

/// Peers at once without `--max-conns`: each may be a process. Datagrams of others are dropped.
const MOST_PEERS: usize = 256;

/// Receives datagrams, and sorts them by their senders.
pub struct Peers {
    listening: Rc<Listening>,
    end: Datagram,
    /// The same socket, for the mailboxes.
    shared: Rc<SharedSocket>,
    buf: Box<[u8]>,
    /// The ways into mailboxes by their peers, and by the addresses of ours those have written to.
    slots: HashMap<AddrPair, Slot>,
    most: usize,
    /// Only where a program answers. A relay passes on the same datagram as often as it comes.
    loops: Option<Loops>,
    /// The longest message to send, in bytes.
    message_bytes: usize,
    /// That there is no room for others was printed, and there has been none since.
    told_full: bool,
    /// How they are received.
    pub welcome: Welcome,
    /// One more than there are peers holds it.
    seats: Seat,
    hears: Hears,
}

/// Whose datagrams are received.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hears {
    /// Those of all.
    All,
    /// Those of peers that have a session.
    Known,
    /// None: rnc is leaving.
    Nothing,
}

/// A peer, and the address of ours it writes to where there are several.
type AddrPair = (PeerAddr, Option<IpAddr>);

impl Peers {
    /// The peers of a bound socket.
    ///
    /// # Errors
    /// The socket cannot be registered.
    pub fn new(
        listening: Rc<Listening>,
        bound: BoundSock,
        terms: &Terms,
        cx: Cx<'_>,
    ) -> io::Result<Peers> {
        let shared = Rc::new(SharedSocket::new(bound.sock.try_clone()?));
        let mut end = Datagram::new(bound.sock, PeerMode::Last, &cx.registrar)?;
        // What a peer is joined to could answer itself without end, and another socket with the
        // same address would not get the answer.
        end.drop_own();
        let mut welcome = Welcome::new(&listening, bound.guard, bound.files, terms.manners);
        welcome.watch(&mut end);
        Ok(Peers {
            end,
            shared,
            buf: vec![0; MAX_RECEIVED_BYTES].into(),
            slots: HashMap::new(),
            most: listening.reception.most_clients.unwrap_or(MOST_PEERS),
            loops: terms.starts_programs().then(Loops::default),
            message_bytes: terms.rules.datagram_bytes,
            told_full: false,
            welcome,
            seats: Seat::default(),
            hears: Hears::All,
            listening,
        })
    }

    /// Receives one datagram: for a peer that has a mailbox, or from a new one.
    ///
    /// # Errors
    /// The exit code, when nothing can be received any more.
    pub fn next(&mut self, cx: Cx<'_>) -> Result<Next, Exit> {
        if self.hears == Hears::Nothing {
            return Ok(Next::Pending);
        }
        let got = self.end.try_read(&mut self.buf);
        self.welcome.watch(&mut self.end);
        let len = match got {
            Ok(Got::Bytes(len)) => len,
            Ok(Got::Eof | Got::Pending) => return Ok(Next::Pending),
            Ok(Got::Again) => return Ok(Next::Refused),
            Err(error) => {
                words::tell(&Event::ReceiveFailed(&error));
                return Err(Exit::FAILED);
            }
        };
        self.welcome.has_come();
        let Some(peer) = self.end.sender() else {
            return Ok(Next::Refused);
        };
        let pair = (peer, self.end.local());
        let message = &self.buf[..len];
        let is_loop = |loops: &mut Loops| loops.is_loop(&(&pair, message), cx.now);
        if self.loops.as_mut().is_some_and(is_loop) {
            return Ok(Next::Refused);
        }
        if let Some(slot) = self.slots.get(&pair).filter(|slot| slot.is_open()) {
            slot.put(message);
            return Ok(Next::Refused);
        }
        let client = self.welcome(pair, len, cx);
        let client = client.map(Box::new);
        Ok(client.map_or(Next::Refused, Next::Client))
    }

    /// Makes a client of a new peer, whose first message is `len` bytes of `buf`; `None` when it is
    /// not heard.
    fn welcome(&mut self, pair: AddrPair, len: usize, cx: Cx<'_>) -> Option<Arrival> {
        if self.hears != Hears::All {
            return None;
        }
        let count = self.seats.others();
        if count >= self.most {
            if !std::mem::replace(&mut self.told_full, true) {
                words::tell(&Event::PeersFull(self.most));
            }
            return None;
        }
        if self.slots.len() > count {
            self.slots.retain(|_, slot| slot.is_there());
        }
        let (addr, label) = self.name(&pair.0)?;
        self.welcome.greeter.greet_sender(&pair.0, &cx.registrar);
        let mailbox = Mailbox::new(
            Rc::clone(&self.shared),
            addr.clone(),
            pair.1,
            self.message_bytes,
        );
        let slot = mailbox.slot();
        slot.put(&self.buf[..len]);
        self.slots.insert(pair, slot);
        if self.listening.is_single() {
            self.hears = Hears::Known;
        }
        self.told_full = false;
        Some(Arrival {
            link: Link::End(Endpoint::Mailbox(Box::new(mailbox))),
            addr: Some(addr),
            label,
            seat: Some(self.seats.another()),
            reserve: Vec::new(),
        })
    }

    /// Where to send to, and the name in messages; `None` for a peer without a name, which cannot
    /// be answered, nor told from others like it.
    fn name(&self, peer: &PeerAddr) -> Option<(SockAddr, String)> {
        let addr = match peer {
            PeerAddr::Ip(ip) => (*ip).into(),
            PeerAddr::Unix(path) if path.as_os_str().is_empty() => return None,
            PeerAddr::Unix(path) => unix::address(path).ok()?,
        };
        Some((addr, sender_label(peer, &self.listening.net)))
    }

    /// Returns whether no new peer is heard, and all have left. Until then each one that leaves has
    /// this looked at again.
    pub fn have_left(&self, cx: Cx<'_>) -> bool {
        if self.hears == Hears::All {
            return false;
        }
        self.seats.wait(cx.registrar.waker());
        self.seats.others() == 0
    }

    /// Takes in an event.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        self.end.note(id, ready);
        if ready.writable && self.shared.take_full() {
            self.slots.values().for_each(Slot::note_room);
        }
    }

    /// Takes in a notice.
    pub fn notice(&mut self, notice: &Notice) {
        self.welcome.notice(notice);
        self.hears = match notice {
            Notice::Retiring => self.hears.max(Hears::Known),
            Notice::Ending => Hears::Nothing,
            _ => self.hears,
        };
    }
}
