//! What happens at each event that takes a session under way.

use super::command::{DONE, HELLO};
use super::common::{Running, eventually, lines};
use super::ends::{Far, Heard, Peer};
use super::row::{self, Event, Row, Source};
use super::world::World;
use rustix::process::Signal;

/// Short words, which do not come of themselves.
pub const PING: &[u8] = b"ping";
const PONG: &[u8] = b"pong";
/// An alert of TLS: fatal, handshake_failure. RFC 8446, section 6.
const ALERT: &[u8] = &[21, 3, 3, 0, 2, 2, 40];

/// Much, from the peer; what fits into a datagram, if it is one.
pub fn question(is_datagram: bool) -> Vec<u8> {
    lines(if is_datagram { 50 } else { 3000 }, "question")
}

/// Much, from the far end.
pub fn answer(is_datagram: bool) -> Vec<u8> {
    lines(if is_datagram { 50 } else { 3000 }, "answer")
}
/// A session under way.
pub struct Session {
    pub peer: Peer,
    pub far: Far,
    heard: (Heard, Heard),
}
/// What takes a session that is under way.
#[track_caller]
pub fn play(world: &mut World) {
    let mut session = Session::begin(world);
    let row = world.row;
    let rnc = &mut world.rnc;
    match row.event {
        Event::Whole => session.whole(&row, rnc),
        Event::HalfClose => session.half_close(rnc),
        Event::FarFirst => session.far_first(&row, rnc),
        Event::Reset => return session.reset(world),
        Event::TargetReset => session.target_reset(rnc),
        Event::CutOff => {
            session.peer.cut_off();
            // Ncat takes it for an end, and a relay passes that on.
            if row.dialect == row::Dialect::Ncat && row.is_relay() {
                session.far.close(rnc);
            }
        }
        Event::Term => rnc.signal(Signal::TERM),
        Event::Alert => session.alert(&row, rnc),
        _ => {}
    }
    session.ends(world);
}

impl Session {
    /// A peer and its far end, which have heard from each other.
    #[track_caller]
    pub fn begin(world: &mut World) -> Session {
        if world.row.is_datagram() && world.row.connects() && world.row.far == row::Far::Stdio {
            // Its address is known when it has spoken.
            world.rnc.send(PONG);
        }
        let mut session = Session {
            peer: world.peer(),
            far: Far::Inside,
            heard: Default::default(),
        };
        let row = world.row;
        if row.event == Event::Alert && row.connects() {
            session.far = Far::Stdio;
            return session;
        }
        if row.is_relay() || matches!(row.far, row::Far::Stdio | row::Far::Broker) {
            session.far = world.far();
        }
        if row.event != Event::Alert {
            session.exchange(&row, &mut world.rnc);
        }
        world.greets();
        session
    }

    #[track_caller]
    fn exchange(&mut self, row: &Row, rnc: &mut Running) {
        let is_first = row.is_datagram() && row.connects();
        if is_first && row.far == row::Far::Stdio {
            self.peer_hears(PONG, rnc);
        }
        let greets = row.far == row::Far::Shell;
        if greets && (!row.is_datagram() || is_first) {
            self.peer_hears(HELLO, rnc);
        }
        match row.far {
            row::Far::Stdio | row::Far::Relay | row::Far::RelayUnix => {
                self.peer.say(PING, rnc);
                self.far.hears(PING, &mut self.heard.1, rnc);
                if !is_first {
                    self.far.say(PONG, rnc);
                    self.peer_hears(PONG, rnc);
                }
            }
            row::Far::Broker => {
                self.far.say(PONG, rnc);
                self.peer_hears(PONG, rnc);
            }
            row::Far::Program | row::Far::Shell | row::Far::Echo => {
                self.peer.say(PING, rnc);
                if greets && row.is_datagram() && !is_first {
                    self.peer_hears(HELLO, rnc);
                }
                self.peer_hears(PING, rnc);
            }
            row::Far::Discard => {
                self.peer.say(PING, rnc);
                self.peer.say(PONG, rnc);
            }
            row::Far::Chargen if row.is_datagram() => self.peer.say(PING, rnc),
            row::Far::Chargen => self.peer_hears(PING, rnc),
            row::Far::Daytime if row.is_datagram() => {
                self.peer.say(PING, rnc);
                self.peer_hears(&[0; 200], rnc);
            }
            row::Far::Daytime => {}
        }
    }

    #[track_caller]
    fn peer_hears(&mut self, wanted: &[u8], rnc: &Running) {
        self.peer.hears(wanted, &mut self.heard.0, rnc);
    }

    #[track_caller]
    fn whole(&mut self, row: &Row, rnc: &mut Running) {
        let (question, answer) = (question(row.is_datagram()), answer(row.is_datagram()));
        if row.far == row::Far::Chargen {
            return;
        }
        if row.far != row::Far::Daytime {
            self.peer.say(&question, rnc);
        }
        if row.is_loop() {
            self.peer_hears(&question, rnc);
        }
        if row.far == row::Far::Discard && row.carrier == row::Carrier::Udp {
            rnc.says("Connection ");
        }
        if row.far != row::Far::Broker {
            self.far.hears(&question, &mut self.heard.1, rnc);
        }
        self.far.say(&answer, rnc);
        if !matches!(self.far, Far::Inside) {
            self.peer_hears(&answer, rnc);
        }
        self.peer.half_close(rnc);
        self.far.close(rnc);
    }

    #[track_caller]
    fn half_close(&mut self, rnc: &mut Running) {
        self.peer.half_close(rnc);
        if let Far::Target(_) = self.far {
            self.far.rest(&mut self.heard.1);
        }
        self.far.say(PONG, rnc);
        self.far.close(rnc);
    }

    #[track_caller]
    fn far_first(&mut self, row: &Row, rnc: &mut Running) {
        self.far.close(rnc);
        if !matches!(row.far, row::Far::Broker) {
            self.peer.say(PING, rnc);
            self.far.hears(PING, &mut self.heard.1, rnc);
        }
        self.peer.half_close(rnc);
    }

    #[track_caller]
    fn reset(mut self, world: &mut World) {
        let row = world.row;
        let rnc = &mut world.rnc;
        if row.is_unix() && !row.is_datagram() {
            // A Unix socket that is closed with something unread resets.
            if row.is_loop() {
                self.peer.say(PING, rnc);
            }
            self.far.say(PONG, rnc);
            self.peer.waits_for_more();
        }
        self.peer.reset();
        if row.is_datagram() {
            say_to_nobody(&row, rnc);
        } else if row.stays() && row.verbose > 0 && row.far != row::Far::Chargen {
            rnc.says("Connection reset");
        }
        self.far.rest(&mut self.heard.1);
        let far = matches!(self.far, Far::Target(_)).then_some(self.heard.1);
        world.tell(self.heard.0, far);
        visit(world);
    }

    #[track_caller]
    fn target_reset(&mut self, rnc: &Running) {
        if let Far::Target(sock) = &self.far
            && matches!(sock, super::common::Sock::Unix(_))
        {
            self.peer.say(PING, rnc);
            eventually(|| !sock.has_nothing_to_read());
        }
        if let Far::Target(sock) = std::mem::replace(&mut self.far, Far::Inside) {
            sock.reset();
        }
    }

    #[track_caller]
    fn alert(&mut self, row: &Row, rnc: &mut Running) {
        if row.connects() {
            self.peer.say(ALERT, rnc);
            self.peer.half_close(rnc);
            self.far.close(rnc);
        } else {
            self.far.say(ALERT, rnc);
            self.far.close(rnc);
            self.peer_hears(ALERT, rnc);
            self.peer.half_close(rnc);
        }
    }

    /// Each side reads to the end, and another client comes where others may.
    #[track_caller]
    fn ends(mut self, world: &mut World) {
        let row = world.row;
        if row.far == row::Far::Chargen && row.event != Event::MaxBytes && !row.is_datagram() {
            self.peer.reset();
            world.tell(self.heard.0, None);
            return visit(world);
        }
        if row.is_datagram() && row.far == row::Far::Shell && row.stays() && row.is_limited() {
            self.peer_hears(DONE, &world.rnc);
        }
        self.peer.rest(&mut self.heard.0);
        self.far.rest(&mut self.heard.1);
        let far = matches!(self.far, Far::Target(_)).then_some(self.heard.1);
        world.tell(self.heard.0, far);
        if row.source == Source::Ports {
            self.far.close(&mut world.rnc);
            let mut peer = world.peer();
            peer.half_close(&world.rnc);
            let mut heard = Heard::default();
            peer.rest(&mut heard);
            world.tell(heard, None);
        }
        if row.is_datagram() {
            world.keep(self.peer, self.far);
        }
        visit(world);
    }
}

/// Says something to a peer that is gone until that is noticed. A process that another test has just
/// started may still hold the peer's socket, and so a datagram may get there.
#[track_caller]
pub fn say_to_nobody(row: &Row, rnc: &mut Running) {
    let is_noticed = eventually(|| {
        let has_ended = rnc.try_send(PONG).is_err() || !rnc.is_running();
        has_ended || (row.stays() && rnc.stderr.text().contains("failed"))
    });
    if !is_noticed {
        rnc.fail("it did not notice that its peer is gone");
    }
}

/// One more client of a listener that takes others shows that it does.
#[track_caller]
fn visit(world: &mut World) {
    let row = world.row;
    let takes = row.source == Source::Keep && !row.is_datagram() && !row.is_limited();
    if !takes || row.event == Event::Term || row.far == row::Far::Broker {
        return;
    }
    if row.verbose > 1 {
        // So that the lines about the one and the other come in this order.
        let counts = |said: &str| said.contains(" left: ") || said.contains(" seconds");
        let rnc = &world.rnc;
        rnc.stderr
            .wait_until(|said| counts(&String::from_utf8_lossy(said)));
    }
    let mut peer = world.peer();
    let mut far = match row.far {
        row::Far::Relay | row::Far::RelayUnix => world.far(),
        _ => Far::Inside,
    };
    let mut heard = Heard::default();
    let rnc = &world.rnc;
    match row.far {
        row::Far::Stdio => {
            peer.say(b"visitor", rnc);
            Far::Stdio.hears(b"visitor", &mut heard, rnc);
        }
        row::Far::Relay | row::Far::RelayUnix => {
            peer.say(PING, rnc);
            far.hears(PING, &mut heard, rnc);
        }
        row::Far::Program | row::Far::Echo => {
            peer.say(PING, rnc);
            peer.hears(PING, &mut heard, rnc);
        }
        row::Far::Shell => peer.hears(HELLO, &mut heard, rnc),
        row::Far::Chargen => peer.hears(PING, &mut heard, rnc),
        row::Far::Daytime => peer.rest(&mut heard),
        row::Far::Discard => {
            peer.half_close(rnc);
            peer.rest(&mut heard);
        }
        row::Far::Broker => {}
    }
    world.greets();
    world.keep(peer, far);
}
