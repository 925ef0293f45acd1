//! One client of a service that needs no program (`--echo` and its like): a bridge between the
//! client and an end inside this process.

use super::company::{Company, tell_left};
use super::entrance::Client;
use super::labels::label;
use super::logs;
use super::outcome::{failed, signal_exit};
use crate::exit::Exit;
use crate::flow::bridge::{Bridge, Ended, Turn};
use crate::flow::flow::{Flow, Settings};
use crate::io::connection::Connection;
use crate::io::endpoint::Endpoint;
use crate::io::inbox::Notice;
use crate::io::internal::Internal;
use crate::io::reactor::{Cx, Drive, Registered, Step};
use crate::io::ready::Ready;
use crate::io::seat::Seat;
use crate::plan::{Builtin, Ends, Plan};
use crate::proto::services;
use crate::sys::clock;
use std::io::{self, ErrorKind};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long the client's end is waited for once its answer is complete. A socket closed with input
/// unread would take the answer back (RFC 2525, section 2.17), so it is read meanwhile.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A client, and the service it has come for.
pub struct Served {
    plan: Rc<Plan>,
    builtin: Builtin,
    company: Company,
    /// Who it is, for messages.
    client: Box<str>,
    /// The connection until it is registered with the loop.
    conn: Option<Connection>,
    bridge: Option<Box<Bridge>>,
    signalled: bool,
    /// Its place among those who may be there at once.
    _seat: Seat,
}

impl Served {
    /// A client that has come for this service.
    pub fn new(plan: Rc<Plan>, builtin: Builtin, company: Company, client: Client) -> Served {
        Served {
            client: label(&client.addr, &plan.net).into(),
            plan,
            builtin,
            company,
            conn: Some(client.conn),
            bridge: None,
            signalled: false,
            _seat: client.seat,
        }
    }

    /// Joins the client to the service, the first time.
    fn join(&mut self, cx: Cx<'_>) -> io::Result<()> {
        let Some(conn) = self.conn.take() else {
            return Ok(());
        };
        // No TCP socket: nothing is held back there.
        let _ = conn.socket().set_tcp_nodelay(true);
        let remote = conn.into_end(&cx.registrar)?;
        let ends = Ends {
            quit: (self.builtin == Builtin::Daytime).then_some(LAST_WORDS),
            ..Ends::BOTH
        };
        let watchers = logs::watchers(&self.client);
        let flow = |taps| {
            Flow::new(Settings {
                taps,
                may_offload: self.plan.session.may_offload,
                ..Settings::default()
            })
        };
        let flows = (flow(watchers.sent()), flow(watchers.received()));
        let local = Endpoint::Internal(internal_end(self.builtin));
        let limits = self.plan.session.limits;
        let bridge = Bridge::new((local, remote), flows, ends, limits, cx.now);
        self.bridge = Some(Box::new(bridge));
        Ok(())
    }

    /// Says what there is to say about the end, and gives the exit code.
    fn finish(&self, ended: &Ended) -> Exit {
        if let Some(bridge) = &self.bridge {
            tell_left(&self.client, bridge);
        }
        match ended {
            Ended::Broken(_, error) if self.has_had_enough(error) => Exit::OK,
            ended => {
                let name = format!("connection from {}", self.client);
                self.company
                    .outcome(ended, &self.plan, &name, |_| name.clone())
            }
        }
    }

    /// Whoever goes while it is still being sent to breaks the connection off; but a pattern
    /// without end can be left in no other way.
    fn has_had_enough(&self, error: &io::Error) -> bool {
        let goes = matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
        );
        goes && self.builtin == Builtin::Chargen
    }

    /// The task has ended.
    fn done(&self, exit: Exit) -> Step<Exit> {
        Step::Done(self.company.exit(exit))
    }
}

fn internal_end(builtin: Builtin) -> Internal {
    match builtin {
        Builtin::Echo => Internal::echo(),
        Builtin::Discard => Internal::discard(),
        Builtin::Chargen => Internal::chargen(),
        Builtin::Daytime => Internal::text(services::daytime(clock::since_1970().as_secs())),
    }
}

impl Drive<Exit> for Served {
    fn note(&mut self, id: Registered, ready: Ready) {
        if let Some(bridge) = &mut self.bridge {
            bridge.note(id, ready);
        }
    }

    fn notice(&mut self, notice: &Notice, now: Instant) {
        match (notice, &mut self.bridge) {
            (Notice::Ending, Some(bridge)) => bridge.leave(Ended::Signalled, now),
            (Notice::Ending, None) => self.signalled = true,
            _ => {}
        }
    }

    fn drive(&mut self, cx: Cx<'_>) -> Step<Exit> {
        if self.signalled {
            return self.done(signal_exit());
        }
        if let Err(error) = self.join(cx) {
            return self.done(failed(&error.into()));
        }
        let Some(bridge) = &mut self.bridge else {
            return self.done(Exit::OK);
        };
        match bridge.drive(cx.now) {
            Turn::Wait => Step::Wait,
            Turn::Again => Step::Again,
            Turn::Over(ended) => {
                let exit = self.finish(&ended);
                self.done(exit)
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.bridge.as_ref().and_then(|bridge| bridge.deadline())
    }
}
