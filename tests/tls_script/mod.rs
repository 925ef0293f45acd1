//! A session over TLS whose peer and whose user follow a script: bytes that say who does what, and
//! in which order. What rnc does meanwhile is held to its contract. Shared by a fuzz target and a
//! test.

mod pattern;
mod peer;
mod sides;
mod steps;
mod user;
mod wire;

use mio::Interest;
use peer::Peer;
use rnc::flow::bridge::{Bridge, BrokenEnd, Ended, Turn};
use rnc::flow::flow::{Flow, Settings};
use rnc::io::connection::Connection;
use rnc::io::endpoint::Endpoint;
use rnc::io::inbox::Notice;
use rnc::io::reactor::{Cx, Drive, Reactor, Registered, Step as Next};
use rnc::io::ready::Ready;
use rnc::io::stream::Stream;
use rnc::io::tls::TlsSession;
use rnc::net::wrap::Wrap;
use rnc::plan::{Ends, Limits, Until};
use socket2::Socket;
use std::collections::VecDeque;
use std::mem;
use std::task::Poll;
use std::time::{Duration, Instant};
use steps::{Farewell, Setting, Step};
use user::User;

/// Bytes of data in each direction: more than is kept anywhere, so that somebody has to wait.
const MOST_BYTES: u64 = 1 << 20;
/// Bytes that a TLS connection may keep for a peer that does not read: OUTGOING_BYTES in
/// `src/io/tls.rs`, and as much again for what one write adds.
const KEPT_BYTES: u64 = 128 << 10;
/// Bytes that a flow may keep: MOST_BYTES in `src/io/store.rs`.
const STORE_BYTES: u64 = 256 << 10;
/// Turns in a row that want another one and bring nothing.
const IDLE_TURNS: usize = 4;
/// Turns of a whole script.
const MOST_TURNS: usize = 20_000;
/// How long a session may take to be over when all who are in it have ended.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a handshake may take.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The handshake failed.
    NotSecured,
    /// Both directions ended, as far as was asked.
    Clean,
    /// The peer's end was not confirmed.
    Truncated,
    /// Something broke.
    Broken,
}

/// Plays a script to its end.
///
/// # Panics
/// rnc does not keep to its contract.
pub fn play(script: &[u8]) -> End {
    let (setting, steps) = steps::read(script);
    let mut reactor = Reactor::new().expect("a loop");
    reactor.add(Box::new(Play::new(setting, steps)));
    let mut end = None;
    reactor.run(|ended| end = Some(ended)).expect("poll");
    end.expect("an end")
}

/// A script that is being played.
struct Play {
    setting: Setting,
    steps: VecDeque<Step>,
    ending: Ending,
    rnc: Rnc,
    peer: Peer,
    user: User,
    turns: usize,
    idle_turns: usize,
    /// What had been moved when the last turn was over.
    moved: [u64; 4],
    /// All have done what they could, and wait for rnc since then.
    waits_since: Option<Instant>,
}

/// rnc's part in it.
enum Rnc {
    /// Sockets for the peer and the user, and the session to be.
    New(Socket, Socket, Box<TlsSession>),
    /// The handshake; the socket for the user.
    Securing(Box<Wrap>, Socket),
    Joined(Box<Bridge>),
    Gone,
}

/// What a turn of rnc came to.
enum Turned {
    Wait,
    Again,
    /// It leaves; what broke, if something did.
    Over(End, Option<BrokenEnd>),
}

/// What is done once the steps are, one after the other, each when the one before has brought all
/// it can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// The user's input ends.
    User,
    /// The peer says farewell.
    Peer,
    /// The peer ends its side of the connection, whatever it said.
    Shut,
    /// There is nothing left to do, but for rnc.
    Over,
}

impl Drive<End> for Play {
    fn note(&mut self, id: Registered, ready: Ready) {
        match &mut self.rnc {
            Rnc::Securing(securing, _) => securing.note(id, ready),
            Rnc::Joined(bridge) => bridge.note(id, ready),
            Rnc::New(..) | Rnc::Gone => {}
        }
    }

    fn notice(&mut self, _: &Notice, _: Instant) {}

    fn drive(&mut self, cx: Cx<'_>) -> Next<End> {
        self.turns += 1;
        assert!(self.turns < MOST_TURNS, "it goes on for ever");
        let turned = self.turn(cx);
        self.check_memory();
        match turned {
            Turned::Wait => self.go_on(cx.now),
            Turned::Again => {
                self.check_progress();
                Next::Again
            }
            Turned::Over(end, place) => {
                self.rnc = Rnc::Gone;
                self.peer.read_rest();
                self.user.read_rest();
                self.judge(end, place);
                Next::Done(end)
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let ours = self.waits_since.map(|since| since + PATIENCE);
        self.rnc_deadline().into_iter().chain(ours).min()
    }
}

impl Play {
    fn new(setting: Setting, steps: Vec<Step>) -> Play {
        // They block, as a socket that rnc is given may.
        let (remote, peer) = if setting.is_tcp {
            wire::tcp_pair()
        } else {
            wire::pair(setting.is_narrow)
        };
        let (local, user) = wire::pair(setting.is_narrow);
        let (session, connection) = sides::new(&setting);
        Play {
            setting,
            steps: steps.into(),
            ending: Ending::User,
            rnc: Rnc::New(remote, local, session),
            peer: Peer::new(peer, connection),
            user: User::new(user),
            turns: 0,
            idle_turns: 0,
            moved: [0; 4],
            waits_since: None,
        }
    }

    /// rnc's turn.
    fn turn(&mut self, cx: Cx<'_>) -> Turned {
        match mem::replace(&mut self.rnc, Rnc::Gone) {
            Rnc::New(remote, local, session) => {
                // So that their turn comes.
                for fd in [self.peer.fd(), self.user.fd()] {
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    cx.registrar.register(fd, interest).expect("epoll");
                }
                let first = Stream::new(remote);
                let limit = HANDSHAKE_LIMIT;
                let securing = Wrap::new(first, session, None, limit, cx);
                self.rnc = Rnc::Securing(Box::new(securing.expect("epoll")), local);
                Turned::Again
            }
            Rnc::Securing(mut securing, local) => match securing.drive(cx.now) {
                Poll::Pending => {
                    self.rnc = Rnc::Securing(securing, local);
                    Turned::Wait
                }
                Poll::Ready(Ok(tls)) => {
                    let conn = Connection::Tls(tls);
                    let bridge = join(conn, local, self.setting.until, cx);
                    self.rnc = Rnc::Joined(Box::new(bridge));
                    Turned::Again
                }
                Poll::Ready(_) => Turned::Over(End::NotSecured, None),
            },
            Rnc::Joined(mut bridge) => {
                let turn = bridge.drive(cx.now);
                self.rnc = Rnc::Joined(bridge);
                match turn {
                    Turn::Wait => Turned::Wait,
                    Turn::Again => Turned::Again,
                    Turn::Over(ended) => over(&ended),
                }
            }
            Rnc::Gone => panic!("it is driven after its end"),
        }
    }

    /// rnc waits: the next step, and behind the last one what brings everything to an end.
    fn go_on(&mut self, now: Instant) -> Next<End> {
        self.idle_turns = 0;
        let shakes = self.peer.is_shaking() || matches!(self.rnc, Rnc::Securing(..));
        if self.setting.begins_shaken
            && shakes
            && (self.peer.send(usize::MAX) | self.peer.read(usize::MAX))
        {
            return Next::Again;
        }
        if let Some(step) = self.steps.pop_front() {
            self.step(step);
            return Next::Again;
        }
        let sent = self.peer.send(usize::MAX);
        if self.peer.read(usize::MAX) | self.user.read(usize::MAX) | sent {
            return Next::Again;
        }
        let over = self.ending == Ending::Over;
        self.end();
        if !over {
            return Next::Again;
        }
        // Everything is where it belongs at once, but for TCP.
        let since = *self.waits_since.get_or_insert(now);
        let may_wait = self.setting.is_tcp || self.rnc_deadline().is_some();
        assert!(may_wait && now < since + PATIENCE, "it does not end");
        Next::Wait
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::PeerWrites(len) => self.peer.write(len, MOST_BYTES),
            Step::PeerSends(len) => drop(self.peer.send(len)),
            Step::PeerReads(len) => drop(self.peer.read(len)),
            Step::PeerCorrupts(place) => self.peer.corrupt(place),
            Step::PeerInserts(insert) => self.peer.insert(&insert.bytes()),
            Step::PeerChangesKey => self.peer.change_key(),
            Step::PeerNotifies => self.peer.notify(),
            Step::PeerShuts => self.peer.shut(),
            Step::PeerGoes => self.peer.go(),
            Step::UserWrites(len) => self.user.write(len, MOST_BYTES),
            Step::UserReads(len) => drop(self.user.read(len)),
            Step::UserShuts => self.user.shut(),
            Step::UserGoes => self.user.go(),
        }
    }

    fn end(&mut self) {
        self.ending = match self.ending {
            Ending::User => {
                self.user.shut();
                Ending::Peer
            }
            Ending::Peer => {
                self.say_farewell();
                Ending::Shut
            }
            Ending::Shut | Ending::Over => {
                self.peer.shut();
                Ending::Over
            }
        };
    }

    fn say_farewell(&mut self) {
        let farewell = self.setting.farewell;
        if matches!(farewell, Farewell::Notify | Farewell::NotifyAndShut) {
            self.peer.notify();
        }
        // FIN comes right behind it, or as a step of its own.
        match farewell {
            Farewell::Notify => {}
            Farewell::Go => self.peer.go(),
            Farewell::Shut | Farewell::NotifyAndShut => {
                self.peer.send(usize::MAX);
                if self.peer.has_sent_all() {
                    self.peer.shut();
                }
            }
        }
    }

    fn rnc_deadline(&self) -> Option<Instant> {
        match &self.rnc {
            Rnc::Joined(bridge) => bridge.deadline(),
            Rnc::New(..) | Rnc::Securing(..) | Rnc::Gone => None,
        }
    }

    /// Nobody is kept for more than a bounded number of bytes. Of TCP it is not known what the
    /// system keeps.
    fn check_memory(&self) {
        let Rnc::Joined(bridge) = &self.rnc else {
            return;
        };
        if self.setting.is_tcp || self.peer.is_gone() {
            return;
        }
        let (out, inn) = bridge.moved();
        let sent = self.peer.sent_to_it();
        assert!(out <= sent + KEPT_BYTES, "{out} taken, {sent} sent");
        let taken = self.peer.written_in(self.peer.sent - unread(bridge));
        let most = inn + STORE_BYTES + KEPT_BYTES;
        assert!(
            self.user.is_gone() || taken <= most,
            "{taken} read, {inn} given out"
        );
    }

    /// Who asks for another turn does something with it.
    fn check_progress(&mut self) {
        let moved = match &self.rnc {
            Rnc::Joined(bridge) => {
                let (out, inn) = bridge.moved();
                [out, inn, self.peer.sent_to_it(), unread(bridge)]
            }
            Rnc::New(..) | Rnc::Securing(..) | Rnc::Gone => [0; 4],
        };
        let is_idle = moved == mem::replace(&mut self.moved, moved);
        self.idle_turns = if is_idle { self.idle_turns + 1 } else { 0 };
        assert!(self.idle_turns <= IDLE_TURNS, "turns for nothing");
    }

    /// Holds the end to what it may be.
    fn judge(&self, end: End, broken: Option<BrokenEnd>) {
        let (peer, user) = (&self.peer, &self.user);
        let until = self.setting.until;
        assert!(user.read <= peer.written && peer.read <= user.written);
        if end == End::NotSecured {
            let to_blame = peer.is_tampered() || peer.has_shut;
            assert!(to_blame, "the handshake failed");
            return;
        }
        if end == End::Clean && until != Until::Stdin && !user.is_gone() {
            assert!(peer.has_notified(), "a cut was taken for an end");
            assert_eq!(user.read, peer.written, "not all came");
        }
        if end == End::Clean && until != Until::Peer && !peer.is_gone() && !user.is_gone() {
            assert!(peer.has_seen_end, "the end was not passed on");
            assert_eq!(peer.read, user.written, "not all was sent");
        }
        // What a reset finds in its way is lost.
        let is_reset = peer.is_gone() && self.setting.is_tcp;
        if until != Until::Stdin && !user.is_gone() && !is_reset {
            let whole = peer.sent_whole();
            assert!(
                user.read >= whole,
                "{} of {whole} were given out",
                user.read
            );
        }
        match broken {
            None => {}
            Some(BrokenEnd::Peer) => assert!(peer.is_tampered() || peer.is_gone(), "it broke"),
            Some(BrokenEnd::Input | BrokenEnd::Output) => assert!(user.is_gone(), "it broke"),
        }
        let is_plain = !(peer.is_tampered() || peer.is_gone() || user.is_gone());
        if until == Until::Both && is_plain {
            let is_confirmed = end == End::Clean;
            assert_eq!(is_confirmed, peer.has_notified(), "{end:?}");
        }
    }
}

/// rnc's session, once the connection is secure.
fn join(conn: Connection, local: Socket, until: Until, cx: Cx<'_>) -> Bridge {
    let remote = conn.into_end(&cx.registrar).expect("epoll");
    let mut local = Stream::new(local);
    local.register(&cx.registrar).expect("epoll");
    let ends = Ends {
        until,
        ..Ends::BOTH
    };
    Bridge::new(
        (Endpoint::Stream(local), remote),
        (
            Flow::new(Settings::default()),
            Flow::new(Settings::default()),
        ),
        ends,
        Limits::default(),
        cx.now,
    )
}

fn over(ended: &Ended) -> Turned {
    match ended {
        Ended::Clean => Turned::Over(End::Clean, None),
        Ended::Truncated(BrokenEnd::Peer, _) => Turned::Over(End::Truncated, None),
        Ended::Broken(place, _) => Turned::Over(End::Broken, Some(*place)),
        other => panic!("nobody asked for {other:?}"),
    }
}

/// Bytes from the peer that rnc has not read.
fn unread(bridge: &Bridge) -> u64 {
    let [_, remote] = bridge.ends();
    remote.socket().map_or(0, wire::waiting)
}
