//! How the peers of a listener are received: who may come in, that it is told who has come, and how
//! long the first one is waited for.

use super::event::Event;
use super::greet::Greeter;
use super::guard::{self, Guard};
use super::words;
use crate::exit::Exit;
use crate::io::datagram::Datagram;
use crate::io::inbox::Notice;
use crate::net::listen::Arrived;
use crate::net::own_file::OwnFile;
use crate::plan::{Listening, Manners};
use std::time::{Duration, Instant};

/// What receives the peers of a listener.
pub struct Welcome {
    manners: Manners,
    guard: Guard,
    /// The rules of the guard are not yet those of the socket, where that keeps them.
    is_changed: bool,
    /// Tells who has come.
    pub greeter: Greeter,
    /// The time for the first one to come, and when it is over.
    limit: Option<(Duration, Instant)>,
    /// Removed when nobody can come in any more.
    files: Vec<OwnFile>,
}

impl Welcome {
    /// Begins now; the files say where the listener is.
    pub fn new(
        listening: &Listening,
        guard: Guard,
        files: Vec<OwnFile>,
        manners: Manners,
    ) -> Welcome {
        let limit = listening.reception.accept_timeout;
        Welcome {
            manners,
            guard,
            is_changed: true,
            greeter: Greeter::new(manners),
            limit: limit.map(|limit| (limit, Instant::now() + limit)),
            files,
        }
    }

    /// Lets a client in, or turns it away.
    pub fn admit(&self, arrived: Arrived) -> Option<Arrived> {
        self.guard.admit(arrived, &self.manners)
    }

    /// Has a datagram socket hear those who may write, and tells whom it did not hear.
    pub fn watch(&mut self, end: &mut Datagram) {
        if std::mem::take(&mut self.is_changed) {
            end.set_rules(self.guard.rules());
        }
        guard::tell_refused(end);
    }

    /// A peer has come: nobody is waited for any more.
    pub fn has_come(&mut self) {
        self.limit = None;
    }

    /// How rnc ends when nobody has come for too long: it is told, and this is the exit code.
    pub fn nobody_came(&self, now: Instant) -> Option<Exit> {
        let (limit, _) = self.limit.filter(|(_, until)| now >= *until)?;
        words::tell(&Event::NobodyCame(limit));
        Some(Exit::Code(self.manners.codes.connect_timed_out))
    }

    /// Nobody can come any more.
    pub fn close(&mut self) {
        self.limit = None;
        self.files.clear();
    }

    /// Takes in a notice.
    pub fn notice(&mut self, notice: &Notice) {
        self.greeter.notice(notice);
        self.is_changed |= self.guard.notice(notice);
    }

    /// When nobody is waited for any more.
    pub fn deadline(&self) -> Option<Instant> {
        self.limit.map(|(_, until)| until)
    }
}
