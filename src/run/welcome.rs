//! How the peers of a listener are received: the access rules, what `-v` prints of each, and how
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
    /// The datagram socket does not have the rules of the guard yet.
    is_changed: bool,
    /// Prints where they are from.
    pub greeter: Greeter,
    /// The time for the first one to come, and when it is over.
    limit: Option<(Duration, Instant)>,
    /// Removed when no more are accepted.
    files: Vec<OwnFile>,
}

impl Welcome {
    /// The time for the first one begins now; `files` are those of the listener.
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

    /// Returns the client if the access rules admit it.
    pub fn admit(&self, arrived: Arrived) -> Option<Arrived> {
        self.guard.admit(arrived, &self.manners)
    }

    /// Gives a datagram socket the access rules, and prints whose datagrams they denied.
    pub fn watch(&mut self, end: &mut Datagram) {
        if std::mem::take(&mut self.is_changed) {
            end.set_rules(self.guard.rules());
        }
        guard::tell_refused(end);
    }

    /// A peer has come: the time for the first one is not limited any more.
    pub fn has_come(&mut self) {
        self.limit = None;
    }

    /// The exit code when no peer has come in time, which is printed.
    pub fn nobody_came(&self, now: Instant) -> Option<Exit> {
        let (limit, _) = self.limit.filter(|(_, until)| now >= *until)?;
        words::tell(&Event::NobodyCame(limit));
        Some(Exit::Code(self.manners.codes.connect_timed_out))
    }

    /// No more are accepted.
    pub fn close(&mut self) {
        self.limit = None;
        self.files.clear();
    }

    /// Takes in a notice.
    pub fn notice(&mut self, notice: &Notice) {
        self.greeter.notice(notice);
        self.is_changed |= self.guard.notice(notice);
    }

    /// When the time for the first one is over.
    pub fn deadline(&self) -> Option<Instant> {
        self.limit.map(|(_, until)| until)
    }
}
