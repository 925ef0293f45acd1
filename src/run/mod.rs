//! Floor 4: the modes. Wires `net` and `flow` together; owns no protocol and no system call.

mod answers;
mod bind;
mod company;
mod connect;
mod crowd;
mod door;
mod entrance;
mod environment;
mod greet;
mod guard;
mod handshakes;
mod labels;
mod leaving;
mod logs;
mod loops;
mod outcome;
mod owners;
mod password;
mod ports;
mod probe;
mod program;
mod programs;
mod relayed;
mod reload;
mod scan;
mod secure;
mod serve;
mod served;
mod session;
mod turns;
mod udp;
mod words;

use crate::exit::Exit;
use crate::io::reactor::{Drive, Reactor};
use crate::net::access::AccessError;
use crate::plan::{Clients, Mode, Plan, Service};
use crate::report;
use crate::sys;
use crate::sys::signal::{self, Asked};
use anyhow::Context as _;
use door::{Door, Joining};
use leaving::Leaving;
pub use outcome::describe;
use reload::Reload;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long rnc runs without the thread that acts on signals while the loop is held up: starting it
/// would be most of the time of a session that is over sooner.
const UNHANDLED: Duration = Duration::from_millis(5);

/// Does what the plan says.
///
/// # Errors
/// What could not be begun: one line for the user.
pub fn run(mut plan: Plan) -> anyhow::Result<Exit> {
    if plan.asks_md5_key {
        let key = sys::tty::password("TCP MD5SIG password: ");
        let key = key.context("Unable to read TCP MD5SIG password")?;
        plan.net.options.md5_key = Some(key.into_bytes());
    }
    let mut reactor = Reactor::new().context("cannot start the event loop")?;
    let inbox = reactor.inbox();
    if let Service::Program(program) = &plan.service {
        sys::child::keep_descriptors();
        sys::child::adopt_orphans();
        if program.has_quotes {
            report::error("warning: to -e quotes are characters like others; -c runs a shell");
        }
    }
    let reload = Reload::begin(&plan, &inbox);
    let mut leaving = Leaving::new(inbox, plan.reception.grace);
    let notify = move |asked| match asked {
        Asked::Reload => reload.iter().for_each(Reload::again),
        Asked::End => leaving.signal_came(),
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
    logs::open(&plan)?;
    // Only now: what `begin` says, such as "Listening on", tells others that rnc is ready.
    let tells_test = plan.tells_test && plan.listens();
    let usage = plan.codes.usage;
    match begin(Rc::new(plan)) {
        Ok(task) => reactor.add(task),
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
    // Of several tasks the last that did not end well tells.
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

/// Makes the task for a mode. What can fail before anything is served, such as binding, does so
/// here.
fn begin(plan: Rc<Plan>) -> anyhow::Result<Box<dyn Drive<Exit>>> {
    Ok(match plan.mode.clone() {
        Mode::Connect { .. } | Mode::ConnectUnix { .. } | Mode::ConnectVsock { .. } => {
            let tls = secure::client(&plan)?.map(Rc::new);
            Box::new(connect::Connect::new(plan, tls))
        }
        Mode::Scan { to, parallel } => Box::new(scan::Scan::new(plan, to, parallel)),
        Mode::Listen { clients, .. }
        | Mode::ListenVsock { clients, .. }
        | Mode::ListenUnix {
            datagram: false,
            clients,
            ..
        } => {
            let bound = bind::bind(&plan)?;
            let are_together = matches!(
                (clients, &plan.service),
                (Clients::AtOnce, Service::Stdio) | (_, Service::Broker(_))
            );
            match Joining::of(&plan.service) {
                Some(joining) => Box::new(Door::new(plan, joining, bound, clients)),
                None if are_together => Box::new(crowd::Crowd::new(plan, bound)),
                None => Box::new(serve::Serve::new(plan, bound, clients)),
            }
        }
        Mode::ListenUdp { .. } | Mode::ListenUnix { datagram: true, .. } => {
            let bound = udp::bind(&plan)?;
            match plan.service.clone() {
                Service::Program(program) => {
                    Box::new(programs::Programs::new(plan, program, bound))
                }
                Service::Builtin(builtin) => Box::new(answers::Answers::new(plan, builtin, bound)),
                _ => Box::new(udp::Receive::new(plan, bound)),
            }
        }
    })
}
