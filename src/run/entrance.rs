//! The way in, the same for every listener of streams: who comes is accepted and greeted; when
//! there are no descriptors left, that is told once.

use super::LISTENER_SLOT;
use super::listen::{Bound, Greeter, tell_listening};
use crate::io::inbox::Notice;
use crate::io::reactor::Registrar;
use crate::io::ready::Ready;
use crate::net::listen::{Accepted, Listener};
use crate::net::unix::SocketFile;
use crate::plan::Plan;
use crate::report;
use socket2::{SockAddr, Socket};
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// The pause before a client that had to wait is looked after again.
const PAUSE: Duration = Duration::from_millis(500);

/// Where clients come in.
pub struct Entrance {
    plan: Rc<Plan>,
    bound: Option<Bound>,
    listener: Option<Listener>,
    /// A client that waits, and until when.
    held: Option<(Client, Instant)>,
    told_shortage: bool,
    greeter: Greeter,
    /// Removes our socket file when we leave.
    _file: Option<SocketFile>,
}

/// Somebody who has come.
pub struct Client {
    /// The connection.
    pub sock: Socket,
    /// Where from.
    pub addr: SockAddr,
}

/// What a look at the entrance gave.
pub enum Next {
    /// A client.
    Client(Client),
    /// None now.
    Pending,
    /// None can be taken, most often for want of descriptors: it is tried again after a pause.
    Short(io::Error),
}

impl Entrance {
    /// The entrance of bound sockets; tells where clients are awaited.
    pub fn new(plan: &Rc<Plan>, mut bound: Bound) -> Entrance {
        let file = bound.file.take();
        tell_listening(&bound, plan);
        Entrance {
            plan: Rc::clone(plan),
            bound: Some(bound),
            listener: None,
            held: None,
            told_shortage: false,
            greeter: Greeter::default(),
            _file: file,
        }
    }

    /// Registers the sockets with the loop, the first time.
    ///
    /// # Errors
    /// They cannot be registered.
    pub fn open(&mut self, registrar: &Registrar<'_>) -> io::Result<()> {
        if let Some(bound) = self.bound.take() {
            self.listener = Some(Listener::new(bound.socks, LISTENER_SLOT, registrar)?);
        }
        Ok(())
    }

    /// Nobody else is let in: the sockets are closed, who still waits there is refused.
    pub fn close(&mut self) {
        self.bound = None;
        self.listener = None;
        self.held = None;
    }

    /// Says whether somebody may still come.
    pub fn is_open(&self) -> bool {
        self.listener.is_some() || self.bound.is_some()
    }

    /// The next client.
    pub fn next(&mut self, now: Instant) -> Next {
        if let Some((client, _)) = self.held.take_if(|(_, until)| now >= *until) {
            return Next::Client(client);
        }
        if self.held.is_some() {
            return Next::Pending;
        }
        let Some(listener) = &mut self.listener else {
            return Next::Pending;
        };
        match listener.try_accept(now) {
            Accepted::Client(sock, addr) => Next::Client(Client { sock, addr }),
            Accepted::Pending => {
                let is_paused = listener.deadline().is_some();
                self.told_shortage &= is_paused;
                Next::Pending
            }
            Accepted::Failed(error) => Next::Short(error),
        }
    }

    /// Has a client wait for which there was something missing.
    pub fn hold(&mut self, client: Client, now: Instant) {
        self.held = Some((client, now + PAUSE));
    }

    /// There may be descriptors again.
    pub fn resume(&mut self) {
        if let Some(listener) = &mut self.listener {
            listener.resume();
        }
    }

    /// Tells that clients have to wait, once until none is waiting any more.
    pub fn tell_shortage(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.told_shortage, true) {
            let reason = report::reason(error);
            report::error(&format!("accept failed: {reason}; clients wait"));
        }
    }

    /// Tells, with `-v`, who has come.
    pub fn greet(&mut self, addr: &SockAddr, registrar: &Registrar<'_>) {
        self.greeter.greet(addr, &self.plan, registrar);
    }

    /// Tells those whose names are still being looked up without them.
    pub fn flush(&mut self) {
        self.greeter.flush();
    }

    /// Takes in an event.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        if let Some(listener) = &mut self.listener {
            listener.note(slot, ready);
        }
    }

    /// Takes in what a thread found out.
    pub fn notice(&mut self, notice: &Notice) {
        self.greeter.notice(notice);
    }

    /// When it wants to be looked at even if nobody comes.
    pub fn deadline(&self) -> Option<Instant> {
        match &self.held {
            Some((_, until)) => Some(*until),
            None => self.listener.as_ref().and_then(Listener::deadline),
        }
    }
}
