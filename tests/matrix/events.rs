//! What happens at each event that is not within a session: before there is one, and to the client
//! that gets none.

use super::command;
use super::common::{Running, eventually, unread_by_owner};
use super::ends::{Far, Heard, Peer};
use super::peer::client_config;
use super::row::{self, Event, Row};
use super::session::{self, PING, Session};
use super::world::World;
use rustix::process::Signal;

/// What a proxy says that does not want to.
const FORBIDDEN: &[u8] = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";

/// Plays a row; its outcome.
#[track_caller]
pub fn play(row: Row) -> String {
    let mut world = World::new(row);
    match row.event {
        Event::Nobody | Event::Ready => world.listens(),
        Event::Full => full(&mut world),
        Event::Denied => turned_away(&mut world),
        Event::Refused if row.is_datagram() => session::say_to_nobody(&row, &mut world.rnc),
        Event::Refused | Event::Late if row.connects() => {}
        Event::Refused | Event::Late | Event::NoProgram => turned_away(&mut world),
        Event::ProxyRefuses | Event::TermProxy => proxy(&mut world),
        Event::TermWaiting => {
            world.listens();
            world.rnc.signal(Signal::TERM);
        }
        Event::TermConnecting => connecting(&mut world),
        Event::TermHandshake => handshake(&mut world),
        Event::TermLingering => lingering(&mut world),
        Event::Plain => plain(&mut world),
        Event::Hello => hello(&mut world),
        _ => session::play(&mut world),
    }
    world.finish()
}
/// A client that is not let in, or for which nothing can be done.
#[track_caller]
fn turned_away(world: &mut World) {
    let mut peer = world.sock();
    let mut heard = Heard::default();
    peer.rest(&mut heard);
    world.tell(heard, None);
}

/// One client has the only place.
#[track_caller]
fn full(world: &mut World) {
    let first = Session::begin(world);
    turned_away(world);
    world.keep(first.peer, first.far);
}

/// A peer does not speak TLS where it should.
#[track_caller]
fn plain(world: &mut World) {
    let mut peer = world.sock();
    peer.say(b"GET / HTTP/1.0\r\n\r\n", &world.rnc);
    let mut heard = Heard::default();
    peer.rest(&mut heard);
    // What TLS says to it is of no interest here.
    heard.bytes.clear();
    world.tell(heard, None);
}

/// A client begins TLS.
#[track_caller]
fn hello(world: &mut World) {
    let mut peer = world.peer();
    let mut far = match world.row.far {
        row::Far::Stdio | row::Far::Relay | row::Far::RelayUnix => world.far(),
        _ => Far::Inside,
    };
    let mut heard = (Heard::default(), Heard::default());
    let hello = client_hello();
    peer.say(&hello, &world.rnc);
    far.hears(&hello, &mut heard.1, &world.rnc);
    peer.half_close(&world.rnc);
    far.close(&mut world.rnc);
    if world.row.far == row::Far::Chargen {
        peer.hears(PING, &mut heard.0, &world.rnc);
        peer.reset();
    } else {
        peer.rest(&mut heard.0);
    }
    far.rest(&mut heard.1);
    let is_target = matches!(far, Far::Target(_));
    world.tell(heard.0, is_target.then_some(heard.1));
}

fn client_hello() -> Vec<u8> {
    let name = "localhost".try_into().expect("a name");
    let config = client_config(&command::identity().0).into();
    let mut session = rustls::ClientConnection::new(config, name).expect("a session");
    let mut hello = Vec::new();
    session.write_tls(&mut hello).expect("write");
    hello
}

/// rnc asks a proxy, which says no, or nothing until a signal comes.
#[track_caller]
fn proxy(world: &mut World) {
    let (mut peer, mut proxy) = if world.row.connects() {
        (None, world.sock())
    } else {
        let peer = world.sock();
        (Some(peer), world.far().into_peer())
    };
    let mut asked = Heard::default();
    while !asked.bytes.ends_with(b"\r\n\r\n") {
        proxy.hears(b"x", &mut asked, &world.rnc);
    }
    if world.row.event == Event::TermProxy {
        world.rnc.signal(Signal::TERM);
    } else {
        proxy.say(FORBIDDEN, &world.rnc);
        proxy.half_close(&world.rnc);
    }
    if let Some(peer) = &mut peer {
        let mut heard = Heard::default();
        peer.rest(&mut heard);
        world.tell(heard, None);
    }
    world.keep(proxy, Far::Inside);
}

/// rnc connects, and is not answered.
#[track_caller]
fn connecting(world: &mut World) {
    if world.row.connects() {
        sleeps(&world.rnc);
        return world.rnc.signal(Signal::TERM);
    }
    let mut peer = world.sock();
    // It may have been let in, and no more.
    world.rnc.says("Connection ");
    world.rnc.signal(Signal::TERM);
    let mut heard = Heard::default();
    peer.rest(&mut heard);
    world.tell(heard, None);
}

/// A handshake has begun.
#[track_caller]
fn handshake(world: &mut World) {
    let mut peer = world.sock();
    let mut heard = Heard::default();
    if world.row.connects() {
        peer.hears(b"hello", &mut heard, &world.rnc);
    } else {
        peer.say(&client_hello()[..5], &world.rnc);
        if let Peer::Plain(sock) = &peer {
            let (ours, its) = sock.ports();
            if !eventually(|| unread_by_owner(its, ours) == Some(0)) {
                world.rnc.fail("it does not read");
            }
        }
    }
    world.rnc.signal(Signal::TERM);
    let mut rest = Heard::default();
    peer.rest(&mut rest);
    rest.bytes.clear();
    world.tell(rest, None);
}

/// A program has ended its session, and stays.
#[track_caller]
fn lingering(world: &mut World) {
    let mut peer = world.peer();
    let mut heard = Heard::default();
    peer.rest(&mut heard);
    world.rnc.signal(Signal::TERM);
    world.tell(heard, None);
}

/// Waits until rnc sleeps: at its start only where it waits for something.
#[track_caller]
fn sleeps(rnc: &Running) {
    let path = format!("/proc/{}/stat", rnc.pid());
    let sleeps = || std::fs::read_to_string(&path).is_ok_and(|stat| stat.contains("(rnc) S "));
    if !eventually(sleeps) {
        rnc.fail("it does not wait");
    }
}
