//! Listening for streams, all clients at once: joined to standard input and output (`-lk`), or to
//! each other (`--broker`, `--chat`).

use super::bind::Bound;
use super::entrance::{Client, Entrance, Next};
use super::labels::label;
use super::outcome::{failed, signal_exit};
use super::{logs, session, words};
use crate::exit::Exit;
use crate::flow::bridge::{self, BrokenEnd, Ended, GRACE};
use crate::flow::hub::{Departure, Hub, HubSettings, Topology};
use crate::flow::member::Member;
use crate::flow::stages::Pace;
use crate::io::inbox::Notice;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::net::addr;
use crate::plan::{Ends, Plan, Service, Talk, Until};
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
    plan: Rc<Plan>,
    entrance: Entrance,
    hub: Option<Hub>,
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
    pub fn new(plan: Rc<Plan>, bound: Bound) -> Crowd {
        // As many clients as the system lets us have.
        limits::descriptors(usize::MAX);
        Crowd {
            entrance: Entrance::new(&plan, bound),
            plan,
            hub: None,
            arrivals: 0,
            signalled: false,
            is_settled: false,
            is_undecided: false,
        }
    }

    fn start(&mut self, cx: Cx<'_>) -> io::Result<()> {
        self.entrance.open(&cx.registrar)?;
        if self.hub.is_some() {
            return Ok(());
        }
        let session = &self.plan.session;
        // Sessions come and go: each ends when its peer does, unless input is still to be sent.
        let until = match session.ends.until {
            Until::Never => Until::Both,
            until => until,
        };
        let (topology, label) = match self.plan.service {
            Service::Broker(Talk::Chat) => (Topology::Mesh, named(0, "stdin".into())),
            Service::Broker(Talk::Bytes) => (Topology::Mesh, Label::None),
            _ => (Topology::Star, Label::None),
        };
        let settings = HubSettings {
            topology,
            label,
            ends: Ends {
                until,
                ..session.ends
            },
            limits: session.limits,
            stages: session::out_stages(session),
            pace: session.interval.map(Pace::new),
            max_reads: session.max_reads,
        };
        let local = session::local_end(session, true, &cx.registrar)?;
        self.hub = Some(Hub::new(local, settings, cx.now));
        Ok(())
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
        self.hub.as_mut().is_some_and(|hub| hub.make_room(now))
    }

    fn join(&mut self, client: Client, cx: Cx<'_>) -> io::Result<()> {
        let Some(hub) = &mut self.hub else {
            return Ok(());
        };
        self.is_settled = false;
        self.entrance.greet(&client, &cx.registrar);
        let end = client.conn.into_end(&cx.registrar)?;
        let is_mesh = matches!(self.plan.service, Service::Broker(_));
        let stage = session::in_stage(&self.plan.session, is_mesh);
        self.arrivals += 1;
        let speaker = Speaker::new(member_label(&self.plan, &client.addr, self.arrivals));
        let label = label(&client.addr, &self.plan.net);
        let taps = logs::watchers(&label).both();
        let queue_bytes = self.plan.session.queue_bytes;
        let member = Member::new(end, label, speaker, stage, queue_bytes, client.seat, cx.now);
        hub.join(member.watched(taps), cx.now);
        Ok(())
    }

    fn over(&mut self, ended: &Ended) -> Exit {
        self.entrance.flush();
        let (what, error) = match ended {
            Ended::Broken(BrokenEnd::Output, error) => ("write to standard output", error),
            Ended::Broken(_, error) => ("read from standard input", error),
            _ => return Exit::OK,
        };
        report::error(&format!("{what} failed: {}", report::reason(error)));
        Exit::Code(self.plan.codes.other)
    }
}

/// What stands before the lines of the client that came as number `arrival`.
fn member_label(plan: &Plan, addr: &SockAddr, arrival: u64) -> Label {
    let origin = || match addr::ip(addr) {
        Some(ip) => ip.to_string(),
        // Clients of a Unix socket have no name that would tell them apart.
        None => format!("unix:{arrival}"),
    };
    match plan.service {
        Service::Broker(Talk::Chat) => named(arrival, origin()),
        Service::Stdio if plan.session.tags_lines => Label::Origin(origin()),
        _ => Label::None,
    }
}

/// The name of a member of a chat. Standard input is number 0, as in Ncat.
fn named(number: u64, origin: String) -> Label {
    Label::Name {
        name: format!("user{number}"),
        origin,
    }
}

fn tell(departure: &Departure, plan: &Plan) {
    match departure {
        Departure::Ended(peer, (sent, received)) => {
            report::verbose(
                2,
                &format!("{peer} left: {sent} bytes sent, {received} received"),
            );
        }
        Departure::Broken(peer, error) => {
            if report::is_verbose(1) {
                report::error(&words::broken("connection to", peer, error, plan));
            }
        }
        Departure::Late(peer, late) if late.is_idle() => {
            report::verbose(1, &format!("{peer} was idle: dropped"));
        }
        Departure::Late(peer, late) => {
            report::verbose(1, &format!("{peer} timed out: {late}: dropped"));
        }
        Departure::Stalled(peer) => {
            report::error(&format!("{peer} does not read: dropped"));
        }
    }
}

impl Drive<Exit> for Crowd {
    fn note(&mut self, id: Registered, ready: Ready) {
        self.is_settled = false;
        self.entrance.note(id, ready);
        if let Some(hub) = &mut self.hub {
            hub.note(id, ready);
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        self.entrance.notice(notice);
        if matches!(notice, Notice::Ending) {
            self.signalled = true;
            self.entrance.close();
            if let Some(hub) = &mut self.hub {
                hub.leave(now + GRACE, now);
            }
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if let Err(error) = self.start(cx) {
            return Step::Done(failed(&error.into()));
        }
        let more_clients = !self.signalled && self.accept(cx);
        if let Some(exit) = self.entrance.nobody_came(cx.now) {
            return Step::Done(exit);
        }
        let Some(hub) = &mut self.hub else {
            return Step::Done(signal_exit());
        };
        let turn = hub.drive(cx.now);
        self.is_settled = matches!(turn, bridge::Turn::Wait) && hub.is_settled();
        let decides = self.is_settled && std::mem::take(&mut self.is_undecided);
        if decides {
            self.entrance.resume();
        }
        let departures = hub.take_departures();
        departures.iter().for_each(|one| tell(one, &self.plan));
        let have_all_left = !self.entrance.is_open() && hub.is_done();
        let has_left = self.signalled && hub.has_left(cx.now);
        let is_of_user = self.plan.session.ends.user_may_end && signal::is_of_terminal();
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
        let hub = self.hub.as_ref().and_then(Hub::deadline);
        let entrance = self.entrance.deadline();
        hub.into_iter().chain(entrance).min()
    }
}
