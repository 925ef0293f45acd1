//! Receiving datagrams, with a program for each peer. One socket; what a peer sends is put into its
//! mailbox, which its program reads.
//!
//! Datagrams have no end: a peer that has been silent for long enough counts as gone. Then its
//! program reads the end, and what it still says is sent.

use super::company::Company;
use super::entrance::Patience;
use super::environment::Addresses;
use super::greet::Greeter;
use super::guard::{self, Guard};
use super::labels::ip_label;
use super::loops::Loops;
use super::outcome::{failed, signal_exit};
use super::owners::Owners;
use super::program::{Peer, Program, Progress};
use super::udp::BoundSock;
use crate::exit::Exit;
use crate::io::datagram::{Datagram, PeerAddr, Peers};
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::mailbox::Mailbox;
use crate::io::reactor::{Cx, Drive, Registered, Registrar, Step};
use crate::io::ready::{Got, Ready};
use crate::net::addr::unmapped;
use crate::net::own_file::OwnFile;
use crate::net::unix;
use crate::parse::escape::printable;
use crate::plan::{self, Mode, Plan};
use crate::report;
use socket2::{SockAddr, Socket};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Instant;

/// Peers at once, if nothing else is said: each is a process. Others are not heard.
const MOST_PEERS: usize = 256;
/// Datagrams received in one turn.
const TURN: usize = 64;
/// The longest datagram that can come, in bytes: a Unix one is bounded by its sender's SO_SNDBUF,
/// by default 208 KiB.
const MOST_BYTES: usize = 256 << 10;
/// Receives datagrams, and hands them to programs.
pub struct Programs {
    plan: Rc<Plan>,
    order: Rc<plan::Program>,
    bound: Option<Socket>,
    receiver: Option<Receiver>,
    /// Programs by their place.
    programs: Vec<Option<Entry>>,
    /// Their places by their descriptors.
    owners: Owners,
    /// Their places by their peers, and by the addresses of ours those have written to.
    places: HashMap<AddrPair, usize>,
    most: usize,
    loops: Loops,
    /// Only the first peer is heard, and its end is the end.
    is_single: bool,
    /// That there is no room for others has been told, and has been so since.
    told_full: bool,
    greeter: Greeter,
    /// Who is heard.
    guard: Guard,
    patience: Patience,
    signalled: bool,
    /// Nobody new is heard.
    is_retiring: bool,
    /// Removed when we leave.
    _files: Vec<OwnFile>,
}

struct Receiver {
    end: Datagram,
    /// The same socket, for the mailboxes.
    shared: Rc<Socket>,
    buf: Box<[u8]>,
}

/// A peer, and the address of ours it writes to where there are several.
type AddrPair = (PeerAddr, Option<IpAddr>);

struct Entry {
    pair: AddrPair,
    program: Program,
    /// Its descriptors begin with this one.
    first: Registered,
    /// It has something to do.
    is_runnable: bool,
}

impl Programs {
    /// Receives on a bound socket.
    pub fn new(plan: Rc<Plan>, order: plan::Program, bound: BoundSock) -> Programs {
        let is_single = matches!(
            plan.mode,
            Mode::ListenUdp {
                locks_to_first: true,
                ..
            }
        );
        let most = plan.reception.most_clients.unwrap_or(MOST_PEERS);
        Programs {
            patience: Patience::new(&plan),
            order: Rc::new(order),
            bound: Some(bound.sock),
            receiver: None,
            programs: Vec::new(),
            owners: Owners::default(),
            places: HashMap::new(),
            most: if is_single { 1 } else { most },
            loops: Loops::default(),
            is_single,
            told_full: false,
            greeter: Greeter::default(),
            guard: bound.guard,
            plan,
            signalled: false,
            is_retiring: false,
            _files: bound.files,
        }
    }

    fn open(&mut self, registrar: &Registrar<'_>) -> io::Result<()> {
        let Some(sock) = self.bound.take() else {
            return Ok(());
        };
        let shared = Rc::new(sock.try_clone()?);
        let mut end = Datagram::new(sock, Peers::Last, registrar)?;
        // A program could answer itself without end, and another socket with the same address would
        // not get the answer.
        end.drop_own();
        end.set_rules(self.guard.rules());
        let buf = vec![0; MOST_BYTES].into();
        self.receiver = Some(Receiver { end, shared, buf });
        Ok(())
    }

    /// Receives what has come; says whether there may be more.
    fn receive(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let Some(mut receiver) = self.receiver.take() else {
            return Ok(false);
        };
        let received = self.receive_with(&mut receiver, cx);
        self.receiver = Some(receiver);
        received
    }

    fn receive_with(&mut self, receiver: &mut Receiver, cx: Cx<'_>) -> Result<bool, Exit> {
        for _ in 0..TURN {
            let got = receiver.end.try_read(&mut receiver.buf);
            guard::tell_refused(&mut receiver.end);
            let len = match got {
                Ok(Got::Bytes(len)) => len,
                Ok(Got::Eof | Got::Pending) => return Ok(false),
                Ok(Got::Again) => return Ok(true),
                Err(error) => {
                    report::error(&format!("receive failed: {}", report::reason(&error)));
                    return Err(Exit::FAILED);
                }
            };
            self.patience.end();
            if let Some(peer) = receiver.end.sender() {
                let pair = (peer, receiver.end.local());
                self.deliver(pair, &receiver.buf[..len], &receiver.shared, cx)?;
            }
        }
        Ok(true)
    }

    /// Puts a datagram into its peer's mailbox, for which a program is started if it has none.
    fn deliver(
        &mut self,
        pair: AddrPair,
        message: &[u8],
        sock: &Rc<Socket>,
        cx: Cx<'_>,
    ) -> Result<(), Exit> {
        if self.loops.is_loop(&(&pair, message), cx.now) {
            return Ok(());
        }
        let place = match self.place(&pair) {
            Some(place) => place,
            None => match self.begin(pair, sock, cx)? {
                Some(place) => place,
                None => return Ok(()),
            },
        };
        if let Some(entry) = &mut self.programs[place] {
            entry.is_runnable = true;
            if let Some(mailbox) = entry.program.mailbox() {
                // What finds no room is lost on the way, as datagrams are.
                mailbox.put(message);
            }
        }
        Ok(())
    }

    /// The place of the program that hears a peer. One whose session is over does not, nor one that
    /// has read the end.
    fn place(&mut self, pair: &AddrPair) -> Option<usize> {
        let place = *self.places.get(pair)?;
        let program = &mut self.programs.get_mut(place)?.as_mut()?.program;
        let hears = program.mailbox().is_some_and(|mailbox| mailbox.is_open());
        hears.then_some(place)
    }

    /// Starts a program for a peer; `None` when there is no room, or it cannot be started.
    fn begin(
        &mut self,
        pair: AddrPair,
        sock: &Rc<Socket>,
        cx: Cx<'_>,
    ) -> Result<Option<usize>, Exit> {
        if self.is_retiring {
            return Ok(None);
        }
        let count = self.programs.iter().flatten().count();
        if count >= self.most {
            self.tell_full();
            return Ok(None);
        }
        let free = self.programs.iter().position(Option::is_none);
        let place = free.unwrap_or(self.programs.len());
        let Some(peer) = self.peer(&pair, sock) else {
            return Ok(None);
        };
        if let PeerAddr::Ip(ip) = &pair.0 {
            self.greeter
                .greet_ip(unmapped(*ip), &self.plan, &cx.registrar);
        }
        let first = cx.registrar.next();
        let started = Program::start(
            &self.plan,
            &self.order,
            peer,
            Company::of(self.is_single),
            cx,
        );
        let program = match started {
            Ok(program) => program,
            Err(exit) if self.is_single => return Err(exit),
            Err(_) => return Ok(None),
        };
        if place == self.programs.len() {
            self.programs.push(None);
        }
        self.owners.mark(first, place);
        self.places.insert(pair.clone(), place);
        self.programs[place] = Some(Entry {
            pair,
            program,
            first,
            is_runnable: true,
        });
        Ok(Some(place))
    }

    /// A peer, with a mailbox as its end; `None` for a peer without a name, which cannot be answered,
    /// nor told from others like it.
    fn peer(&self, (peer, local): &AddrPair, sock: &Rc<Socket>) -> Option<Peer> {
        let (addr, label) = self.name(peer)?;
        let mailbox = Mailbox::new(
            Rc::clone(sock),
            addr.clone(),
            *local,
            self.plan.session.datagram_bytes,
        );
        Some(Peer {
            end: Endpoint::Mailbox(Box::new(mailbox)),
            label,
            addresses: Addresses {
                remote: Some(addr),
                local: own_addr(sock, *local),
            },
        })
    }

    /// Where to send to, and the name in messages.
    fn name(&self, peer: &PeerAddr) -> Option<(SockAddr, String)> {
        match peer {
            PeerAddr::Ip(ip) => Some(((*ip).into(), ip_label(&unmapped(*ip), &self.plan.net))),
            PeerAddr::Unix(path) => {
                let addr = unix::address(path).ok()?;
                let shown = printable(path.as_os_str().as_bytes());
                (!path.as_os_str().is_empty()).then(|| (addr, format!("{shown} (unix)")))
            }
        }
    }

    fn tell_full(&mut self) {
        if !self.is_single && !std::mem::replace(&mut self.told_full, true) {
            let most = self.most;
            report::error(&format!("{most} peers at once: others are not heard"));
        }
    }

    /// Drives the programs that have something to do; `Ok(true)` when one has more.
    fn drive_programs(&mut self, now: Instant) -> Result<bool, Exit> {
        let mut again = false;
        for place in 0..self.programs.len() {
            let Some(entry) = &mut self.programs[place] else {
                continue;
            };
            let is_due = entry.program.deadline().is_some_and(|at| now >= at);
            if !(std::mem::take(&mut entry.is_runnable) || is_due) {
                continue;
            }
            // A silent peer is gone; a program that then says nothing either has had its time.
            if is_due
                && entry.program.is_idle(now)
                && let Some(mailbox) = entry.program.mailbox()
            {
                mailbox.close();
            }
            match entry.program.drive(now) {
                Progress::Wait => {}
                Progress::Again => {
                    entry.is_runnable = true;
                    again = true;
                }
                Progress::Over(exit) => {
                    if self.places.get(&entry.pair) == Some(&place) {
                        self.places.remove(&entry.pair);
                    }
                    self.owners.forget(entry.first);
                    self.programs[place] = None;
                    self.told_full = false;
                    if self.is_single {
                        return Err(exit);
                    }
                }
            }
        }
        Ok(again)
    }

    fn turn(&mut self, cx: Cx<'_>) -> Result<bool, Exit> {
        let opened = self.open(&cx.registrar);
        opened.map_err(|error| failed(&error.into()))?;
        let more = !self.signalled && self.receive(cx)?;
        let again = self.drive_programs(cx.now)?;
        if self.programs.iter().all(Option::is_none) {
            if self.signalled {
                return Err(signal_exit());
            }
            if self.is_retiring {
                return Err(Exit::OK);
            }
        }
        match self.patience.exit(cx.now) {
            Some(exit) => Err(exit),
            None => Ok(more || again),
        }
    }
}

/// Our own address: that of the socket, but for `local`, where it is bound to all.
fn own_addr(sock: &Socket, local: Option<IpAddr>) -> Option<SockAddr> {
    let bound = sock.local_addr().ok()?;
    match (local, bound.as_socket()) {
        (Some(local), Some(bound)) => Some(SocketAddr::new(local, bound.port()).into()),
        _ => Some(bound),
    }
}

impl Drive<Exit> for Programs {
    fn note(&mut self, id: Registered, ready: Ready) {
        if let Some(place) = self.owners.of(id) {
            if let Some(Some(entry)) = self.programs.get_mut(place) {
                entry.program.note(id, ready);
                entry.is_runnable = true;
            }
            return;
        }
        if let Some(receiver) = &mut self.receiver {
            receiver.end.note(id, ready);
        }
        if ready.writable {
            for entry in self.programs.iter_mut().flatten() {
                if let Some(mailbox) = entry.program.mailbox() {
                    entry.is_runnable |= mailbox.note_room();
                }
            }
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        self.greeter.notice(notice);
        if self.guard.notice(notice)
            && let Some(receiver) = &mut self.receiver
        {
            receiver.end.set_rules(self.guard.rules());
        }
        self.is_retiring |= matches!(notice, Notice::Retiring);
        if matches!(notice, Notice::ProgramEnded) {
            for entry in self.programs.iter_mut().flatten() {
                entry.program.look();
                entry.is_runnable = true;
            }
        }
        if matches!(notice, Notice::Ending) {
            self.signalled = true;
            for entry in self.programs.iter_mut().flatten() {
                entry.program.leave(now);
                entry.is_runnable = true;
            }
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        match self.turn(cx) {
            Ok(true) => Step::Again,
            Ok(false) => Step::Wait,
            Err(exit) => {
                self.greeter.flush();
                Step::Done(exit)
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let programs = self.programs.iter().flatten();
        let programs = programs.filter_map(|entry| entry.program.deadline());
        programs.chain(self.patience.deadline()).min()
    }
}
