//! Floor 4: the modes. Wires `net` and `flow` together; owns no protocol and no system call.

mod connect;
mod crowd;
mod listen;
mod session;
mod udp;

use crate::exit::Exit;
use crate::io::endpoint::Ready;
use crate::io::inbox::Notice;
use crate::io::reactor::{Context, Drive, Reactor, Registrar, Step};
use crate::plan::{Clients, Mode, Plan};
use crate::report;
use crate::sys;
use anyhow::Context as _;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Slots of the descriptors a task registers: standard input and output, the peer, listening
/// sockets, and from `FIRST_SLOT` on those of which there can be many.
const STDIO_SLOTS: [u16; 2] = [0, 1];
const PEER_SLOT: u16 = 2;
const LISTENER_SLOT: u16 = 8;
const FIRST_SLOT: u16 = 64;

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
    let task = begin(Rc::new(plan))?;
    let inbox = reactor.inbox();
    let signals = AtomicUsize::new(0);
    let notify = move || {
        if signals.fetch_add(1, Ordering::SeqCst) > 0 {
            // The loop has not come round to the first one: it may be held up.
            sys::signal::last()
                .into_iter()
                .for_each(sys::signal::end_by);
        }
        inbox.post(None, Notice::Ending);
    };
    sys::signal::on_ending_signal(notify).context("cannot handle signals")?;
    reactor.add(task);
    let mut exit = Exit::OK;
    reactor.run(|ended| exit = ended).context("polling error")?;
    Ok(exit)
}

/// Makes the task for a mode. What can fail before anything is served, such as binding, does so
/// here.
fn begin(plan: Rc<Plan>) -> anyhow::Result<Task> {
    Ok(match plan.mode.clone() {
        Mode::Connect { .. } | Mode::ConnectUnix { .. } | Mode::ConnectVsock { .. } => {
            Task::Connect(Box::new(connect::Connect::new(plan)))
        }
        Mode::Listen { clients, .. }
        | Mode::ListenUnix {
            datagram: false,
            clients,
            ..
        } => {
            let bound = listen::bind(&plan)?;
            match clients {
                Clients::AtOnce => Task::Crowd(Box::new(crowd::Crowd::new(plan, bound))),
                _ => Task::Serve(Box::new(listen::Serve::new(plan, bound, clients))),
            }
        }
        Mode::ListenUdp { .. } | Mode::ListenUnix { datagram: true, .. } => {
            Task::Receive(Box::new(udp::Receive::bind(plan)?))
        }
    })
}

/// The modes as tasks of the loop.
enum Task {
    Connect(Box<connect::Connect>),
    Serve(Box<listen::Serve>),
    Crowd(Box<crowd::Crowd>),
    Receive(Box<udp::Receive>),
}

/// What a mode does when it is driven: all of `Drive`, but without the choice of another task.
trait Mode_ {
    fn note(&mut self, slot: u16, ready: Ready);
    fn notice(&mut self, notice: &Notice, now: Instant);
    fn drive(&mut self, registrar: &Registrar<'_>, now: Instant) -> Turn;
    fn deadline(&self) -> Option<Instant>;
}

/// What one drive of a mode came to.
enum Turn {
    Wait,
    Again,
    Done(Exit),
}

impl Task {
    fn mode(&self) -> &dyn Mode_ {
        match self {
            Task::Connect(mode) => &**mode,
            Task::Serve(mode) => &**mode,
            Task::Crowd(mode) => &**mode,
            Task::Receive(mode) => &**mode,
        }
    }

    fn mode_mut(&mut self) -> &mut dyn Mode_ {
        match self {
            Task::Connect(mode) => &mut **mode,
            Task::Serve(mode) => &mut **mode,
            Task::Crowd(mode) => &mut **mode,
            Task::Receive(mode) => &mut **mode,
        }
    }
}

impl Drive for Task {
    type Outcome = Exit;

    fn note(&mut self, slot: u16, ready: Ready) {
        self.mode_mut().note(slot, ready);
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        self.mode_mut().notice(notice, now);
    }

    fn drive(&mut self, cx: &mut Context<'_, Task>, now: Instant) -> Step<Task, Exit> {
        match self.mode_mut().drive(&cx.registrar, now) {
            Turn::Wait => Step::Wait,
            Turn::Again => Step::Again,
            Turn::Done(exit) => Step::Done(exit),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.mode().deadline()
    }
}

/// How rnc ends after a signal.
fn signal_exit() -> Exit {
    sys::signal::last().map_or(Exit::FAILED, Exit::Signal)
}

/// Says an error and gives the exit code for it.
fn failed(error: &anyhow::Error) -> Exit {
    report::error(&describe(error));
    Exit::FAILED
}

/// An error and its causes in one line, in the system's words.
pub fn describe(error: &anyhow::Error) -> String {
    let parts: Vec<String> = error
        .chain()
        .map(|cause| match cause.downcast_ref::<std::io::Error>() {
            Some(cause) => report::reason(cause),
            None => cause.to_string(),
        })
        .collect();
    parts.join(": ")
}
