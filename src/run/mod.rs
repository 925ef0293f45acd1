//! Floor 4: what is done. Wires `net` and `flow` together; owns no protocol and no system call.
//!
//! A session joins two sides. One is opened; the other is opened too, or is the peer of a listener.
//! `sequence` runs sessions one after the other, `door` at once; `crowd`, `answers` and `scan` are
//! no sessions of two.

mod answers;
mod bind;
mod client;
mod closing;
mod company;
mod crowd;
mod door;
mod entrance;
mod event;
mod greet;
mod guard;
mod handshakes;
mod itself;
mod joining;
mod leaving;
mod logs;
mod loops;
mod opening;
mod outcome;
mod owners;
mod parting;
mod password;
mod peers;
mod ports;
mod reload;
mod scan;
mod secure;
mod sequence;
mod session;
mod terms;
mod turns;
mod welcome;
mod whole;
mod words;

use crate::exit::Exit;
use crate::io::reactor::{Cx, Drive, Reactor};
use crate::net::access::AccessError;
use crate::net::options;
use crate::plan::{Base, Clients, Join, Limits, Listening, Manners, Plan, Side, Work};
use crate::report;
use crate::sys;
use crate::sys::signal::{self, SignalRequest};
use answers::Answers;
use anyhow::Context as _;
use company::Company;
use crowd::Crowd;
use door::{Door, Way};
use entrance::Entrance;
use leaving::Leaving;
pub use outcome::describe;
use peers::Peers;
use ports::PortList;
use reload::Reload;
use scan::Scanner;
use sequence::{Sequence, Source};
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use terms::Terms;
use whole::Whole;

/// How long rnc runs without the thread that acts on signals while the loop is held up: starting it
/// would be most of the time of a session that is over sooner.
const UNHANDLED: Duration = Duration::from_millis(5);

/// Does what the plan says.
///
/// # Errors
/// What could not be begun: one line for the user.
pub fn run(plan: Plan) -> anyhow::Result<Exit> {
    if plan.asks_md5_key {
        let key = sys::tty::password("TCP MD5SIG password: ");
        let key = key.context("Unable to read TCP MD5SIG password")?;
        options::set_md5_key(key.into_bytes());
    }
    let mut reactor = Reactor::new().context("cannot start the event loop")?;
    let inbox = reactor.inbox();
    if let Some(program) = plan.program() {
        sys::child::keep_descriptors();
        sys::child::adopt_orphans();
        if program.has_quotes {
            report::error("warning: to -e quotes are characters like others; -c runs a shell");
        }
    }
    let listening = plan.listening();
    let reload = listening.and_then(|listening| Reload::begin(listening, &inbox));
    let grace = listening.and_then(|listening| listening.reception.grace);
    let mut leaving = Leaving::new(inbox, grace);
    let notify = move |asked| match asked {
        SignalRequest::Reload => reload.iter().for_each(Reload::again),
        SignalRequest::End => leaving.signal_came(),
    };
    let waking = reactor.inbox();
    signal::on_signal(notify, move || waking.wake());
    reactor.defer(
        Instant::now() + UNHANDLED,
        Box::new(|| {
            // Without the thread the loop acts on signals alone.
            let _ = signal::act_on_thread();
        }),
    );
    logs::open(&plan.logs)?;
    // Only now: scripts take what `begin` prints, such as "Listening on", for readiness.
    let tells_test = plan.tells_test && listening.is_some();
    let usage = plan.manners.codes.usage;
    match reactor.add_new(|cx| begin(plan.work, plan.manners, cx)) {
        Ok(()) => {}
        Err(error) if error.is::<AccessError>() => {
            report::fatal(&describe(&error));
            return Ok(Exit::Code(usage));
        }
        Err(error) => return Err(error),
    }
    if tells_test {
        report::line("NCAT TEST: LISTEN");
    }
    signal::leave_to_loop();
    let mut exit = Exit::OK;
    // The last task that fails sets the exit code.
    let ended = |ended| {
        if ended != Exit::OK {
            exit = ended;
        }
    };
    let polled = reactor.run(ended).context("polling error");
    drop(reactor);
    signal::end_at_once();
    logs::finish();
    polled.map(|()| exit)
}

/// Makes the task for what is to be done.
///
/// # Errors
/// What can fail before anything is served, such as binding: one line for the user.
fn begin(work: Work, manners: Manners, cx: Cx<'_>) -> anyhow::Result<Box<dyn Drive<Exit>>> {
    Ok(match work {
        Work::Join(join) => return begin_to_join(join, manners, cx),
        Work::Room(room) => {
            let bound = bind::bind(&room.listening, &manners)?;
            Box::new(Crowd::new(*room, bound, manners, cx)?)
        }
        Work::Answer(answer) => {
            let bound = bind::bind_datagrams(&answer.listening, &manners)?;
            Box::new(Answers::new(&answer, bound, manners, cx)?)
        }
        Work::Scan(scan) => {
            let to = secure::prepare(&scan.to.end, &Limits::default())?;
            Box::new(Scanner::new(&scan, to, manners))
        }
    })
}

fn begin_to_join(
    join: Box<Join>,
    manners: Manners,
    cx: Cx<'_>,
) -> anyhow::Result<Box<dyn Drive<Exit>>> {
    let limits = join.rules.limits;
    let prepare = |side: &Side| {
        let prepared = side.end().map(|end| secure::prepare(end, &limits));
        prepared.transpose()
    };
    let terms = Rc::new(Terms {
        local: prepare(&join.local)?,
        remote: prepare(&join.remote)?,
        purpose: join.purpose,
        rules: join.rules,
        manners,
        shortage: Cell::default(),
    });
    match (join.local, join.remote) {
        (Side::Listener(listening), other) | (other, Side::Listener(listening)) => {
            listen(*listening, &other, terms, cx)
        }
        (_, Side::Ports(ports)) => {
            let ports = PortList::new(&ports);
            Ok(Box::new(Sequence::new(terms, Source::Ports(ports))))
        }
        _ => Ok(Box::new(Sequence::new(terms, Source::Once))),
    }
}

/// Listens for the peers that are joined to the other side.
fn listen(
    listening: Listening,
    other: &Side,
    terms: Rc<Terms>,
    cx: Cx<'_>,
) -> anyhow::Result<Box<dyn Drive<Exit>>> {
    let manners = terms.manners;
    let listening = Rc::new(listening);
    let has_each = listening.clients == Clients::Each;
    if listening.keeps_messages() {
        let bound = bind::bind_datagrams(&listening, &manners)?;
        if let Some(Base::Stdio) = other.end().map(|end| &end.base) {
            let whole = Whole::new(listening, bound, manners, cx)?;
            return Ok(Box::new(Sequence::new(
                terms,
                Source::Whole(Box::new(whole)),
            )));
        }
        let company = if has_each {
            Company::Many
        } else {
            Company::Alone
        };
        let peers = Peers::new(listening, bound, &terms, cx)?;
        return Ok(Box::new(Door::new(
            terms,
            Way::Peers(Box::new(peers)),
            company,
        )));
    }
    let bound = bind::bind(&listening, &manners)?;
    let clients = listening.clients;
    let entrance = Entrance::new(listening, bound, &terms.rules.limits, manners, cx)?;
    let entrance = Box::new(entrance);
    if has_each {
        let way = Way::Streams(entrance);
        return Ok(Box::new(Door::new(terms, way, Company::Many)));
    }
    let source = Source::Streams(entrance, clients);
    Ok(Box::new(Sequence::new(terms, source)))
}
