//! Listening for streams, all clients at once: joined to standard input and output (`-lk`), or to
//! each other (`--broker`, `--chat`).

use super::bind::Bound;
use super::client::Arrival;
use super::company::Company;
use super::entrance::{Entrance, Next};
use super::event::Event;
use super::outcome::signal_exit;
use super::secure::{self, Alerted};
use super::{joining, logs, words};
use crate::exit::Exit;
use crate::flow::bridge::{self, BrokenEnd, Ended, GRACE};
use crate::flow::hub::{Departure, Hub, HubSettings, Topology};
use crate::flow::member::Member;
use crate::flow::stages::Pace;
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::io::stdio::{Stdio, Uses};
use crate::net::{addr, tls};
use crate::plan::{Ends, Manners, Room, Talk, Until};
use crate::proto::chat::{Label, Speaker};
use crate::report;
use crate::sys::{limits, signal};
use socket2::SockAddr;
use std::io;
use std::rc::Rc;
use std::time::Instant;

/// Clients accepted in one turn.
const ACCEPTS: usize = 64;

/// Serves all clients at once.
pub struct Crowd {
    room: Room,
    manners: Manners,
    entrance: Entrance,
    hub: Hub,
    /// How many clients have come so far.
    arrivals: u64,
    signalled: bool,
    /// All that has come from clients is read and passed on; no event and no client came after that.
    is_settled: bool,
    /// What is to become of a client for which there is no place waits for that.
    is_undecided: bool,
}

impl Crowd {
    /// Serves clients of the bound sockets.
    ///
    /// # Errors
    /// The sockets, or standard input or output, cannot be registered.
    pub fn new(room: Room, bound: Bound, manners: Manners, cx: Cx<'_>) -> io::Result<Crowd> {
        // As many clients as the system lets us have.
        limits::descriptors(usize::MAX);
        let listening = Rc::new(room.listening.clone());
        Ok(Crowd {
            entrance: Entrance::new(listening, bound, &room.rules.limits, manners, cx)?,
            hub: hub(&room, cx)?,
            room,
            manners,
            arrivals: 0,
            signalled: false,
            is_settled: false,
            is_undecided: false,
        })
    }

    fn accept(&mut self, cx: Cx<'_>) -> bool {
        for _ in 0..ACCEPTS {
            match self.entrance.next(cx) {
                Next::Client(client) => {
                    // A client that is gone before it is registered is no client.
                    let _ = self.join(client, cx);
                }
                Next::Pending => return false,
                Next::Refused => {}
                Next::Full | Next::Short(_) if self.make_room(cx.now) => self.entrance.resume(),
                Next::Full | Next::Short(_) if !self.is_settled => {
                    // The end of another may not be read yet.
                    self.is_undecided = true;
                    return false;
                }
                Next::Full => self.entrance.deny(),
                Next::Short(error) => {
                    self.entrance.tell_shortage(&error);
                    return false;
                }
            }
        }
        true
    }

    /// Has a client that has ended, and is sent nothing now, give up its place.
    fn make_room(&mut self, now: Instant) -> bool {
        self.hub.make_room(now)
    }

    fn join(&mut self, client: Box<Arrival>, cx: Cx<'_>) -> io::Result<()> {
        self.is_settled = false;
        self.entrance.greet(&client, &cx.registrar);
        let end = client.link.into_end(&cx.registrar)?;
        let is_mesh = self.room.talk.is_some();
        let stage = joining::in_stage(&self.room.rules, is_mesh);
        self.arrivals += 1;
        let name = member_label(&self.room, client.addr.as_ref(), self.arrivals);
        let mut taps = logs::watchers(&client.label).both();
        taps.first = secure::first_look(&end, true, &Alerted::default());
        let queue_bytes = self.room.rules.queue_bytes;
        let member = Member::new(
            end,
            client.label,
            Speaker::new(name),
            stage,
            queue_bytes,
            client.seat.unwrap_or_default(),
            cx.now,
        );
        self.hub.join(member.watched(taps), cx.now);
        Ok(())
    }

    fn over(&mut self, ended: &Ended) -> Exit {
        self.entrance.welcome.greeter.flush();
        match ended {
            Ended::Broken(BrokenEnd::Output, error) => words::tell(&Event::OutputFailed(error)),
            Ended::Broken(_, error) => words::tell(&Event::InputFailed(error)),
            _ => return Exit::OK,
        }
        Exit::Code(self.manners.codes.other)
    }
}

/// What joins standard input and output and the clients.
fn hub(room: &Room, cx: Cx<'_>) -> io::Result<Hub> {
    let rules = &room.rules;
    // Sessions come and go: each ends when its peer does, unless input is still to be sent.
    let until = match rules.ends.until {
        Until::Never => Until::Both,
        until => until,
    };
    let (topology, label) = match room.talk {
        Some(Talk::Chat) => (Topology::Mesh, named(0, "stdin".into())),
        Some(Talk::Bytes) => (Topology::Mesh, Label::None),
        None => (Topology::Star, Label::None),
    };
    let settings = HubSettings {
        topology,
        label,
        ends: Ends {
            until,
            ..rules.ends
        },
        limits: rules.limits,
        stages: joining::out_stages(rules),
        pace: rules.interval.map(Pace::new),
        max_reads: rules.max_reads,
    };
    let uses = Uses {
        input: rules.reads_stdin,
        output: rules.writes_stdout,
        keeps_open: false,
    };
    let local = Endpoint::Stdio(Stdio::new(uses, &cx.registrar)?);
    Ok(Hub::new(local, settings, Instant::now()))
}

/// What stands before the lines of the client that came as number `arrival`.
fn member_label(room: &Room, addr: Option<&SockAddr>, arrival: u64) -> Label {
    let origin = || match addr.and_then(addr::ip) {
        Some(ip) => ip.to_string(),
        // Clients of a Unix socket have no name that would tell them apart.
        None => format!("unix:{arrival}"),
    };
    match room.talk {
        Some(Talk::Chat) => named(arrival, origin()),
        None if room.rules.tags_lines => Label::Origin(origin()),
        Some(Talk::Bytes) | None => Label::None,
    }
}

/// The name of a member of a chat. Standard input is number 0, as in Ncat.
fn named(number: u64, origin: String) -> Label {
    Label::Name {
        name: format!("user{number}"),
        origin,
    }
}

fn tell(departure: &Departure, room: &Room) {
    let connection = |peer: &str| format!("connection from {peer}");
    match departure {
        Departure::Ended(peer, moved) => words::tell(&Event::Left(peer, *moved)),
        Departure::Broken(peer, error) => {
            let reason = if room.listening.tls.is_some() {
                tls::broken(error, None)
            } else {
                report::reason(error)
            };
            Company::Many.tell(&Event::Broken(&connection(peer), &reason));
        }
        Departure::Late(peer, late) => {
            Company::Many.tell(&Event::Late(Some(&connection(peer)), *late));
        }
        Departure::Stalled(peer) => words::tell(&Event::Stalled(peer)),
    }
}

impl Drive<Exit> for Crowd {
    fn note(&mut self, id: Registered, ready: Ready) {
        self.is_settled = false;
        self.entrance.note(id, ready);
        self.hub.note(id, ready);
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        self.entrance.notice(notice);
        if matches!(notice, Notice::Ending) {
            self.signalled = true;
            self.entrance.close();
            self.hub.leave(now + GRACE, now);
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        let more_clients = !self.signalled && self.accept(cx);
        if let Some(exit) = self.entrance.welcome.nobody_came(cx.now) {
            return Step::Done(exit);
        }
        let hub = &mut self.hub;
        let turn = hub.drive(cx.now);
        self.is_settled = matches!(turn, bridge::Turn::Wait) && hub.is_settled();
        let decides = self.is_settled && std::mem::take(&mut self.is_undecided);
        if decides {
            self.entrance.resume();
        }
        let departures = hub.take_departures();
        departures.iter().for_each(|one| tell(one, &self.room));
        let have_all_left = !self.entrance.is_open() && hub.is_done();
        let has_left = self.signalled && hub.has_left(cx.now);
        let is_of_user = self.room.rules.ends.user_may_end && signal::is_of_terminal();
        match &turn {
            bridge::Turn::Over(Ended::Broken(..)) => hub.cut_off(),
            _ if has_left && !is_of_user => hub.cut_off(),
            _ => {}
        }
        match turn {
            bridge::Turn::Over(ended) => Step::Done(self.over(&ended)),
            _ if has_left => Step::Done(signal_exit()),
            _ if have_all_left => Step::Done(Exit::OK),
            bridge::Turn::Again => Step::Again,
            bridge::Turn::Wait if more_clients || decides => Step::Again,
            bridge::Turn::Wait => Step::Wait,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let hub = self.hub.deadline();
        let entrance = self.entrance.deadline();
        hub.into_iter().chain(entrance).min()
    }
}
