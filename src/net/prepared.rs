//! An end made ready to be opened, any number of times: its files are read, and what its proxy was
//! answered is remembered.

use super::handshake::{Dialogue, DialogueError, ProxyAnswer};
use super::tls::{self, SetupError};
use super::wrap::LIMIT;
use crate::io::tls::TlsSession;
use crate::plan::{End, Limits, Proxy};
use crate::proto::{Handshake, Target, starttls};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

/// An end that can be opened.
pub struct Prepared {
    end: Rc<End>,
    tls: Option<tls::TlsConnector>,
    tls_limit: Duration,
    /// The password its proxy has asked for.
    answer: RefCell<Option<ProxyAnswer>>,
    /// Connections that were made to our own listener, and are closed again: they are still to come
    /// in there.
    returning: Cell<usize>,
}

impl Prepared {
    /// Reads the files of an end. `limits` are those of its sessions, which a handshake of TLS counts
    /// into.
    ///
    /// # Errors
    /// A file cannot be read or does not hold what it should.
    pub fn new(end: End, limits: &Limits) -> Result<Prepared, SetupError> {
        let connecting = end.how.timeout.filter(|limit| !limit.is_zero());
        Ok(Prepared {
            tls: end.tls().map(tls::TlsConnector::new).transpose()?,
            tls_limit: tls_limit(limits, connecting),
            end: Rc::new(end),
            answer: RefCell::default(),
            returning: Cell::default(),
        })
    }

    /// What is opened.
    pub fn end(&self) -> &Rc<End> {
        &self.end
    }

    /// The TLS that is put on, if there is any.
    pub fn tls(&self) -> Option<&tls::TlsConnector> {
        self.tls.as_ref()
    }

    /// How long TLS may take.
    pub(super) fn tls_limit(&self) -> Duration {
        self.tls_limit
    }

    /// A new session of TLS, and the machine that asks the server for it where that is due.
    ///
    /// # Errors
    /// The name of the server is none that a certificate could have.
    #[expect(clippy::type_complexity, reason = "two values that are made together")]
    pub(super) fn tls_session(
        &self,
    ) -> Result<Option<(Box<TlsSession>, Option<Box<dyn Handshake>>)>, SetupError> {
        let (Some(client), Some(plan)) = (&self.tls, self.end.tls()) else {
            return Ok(None);
        };
        let host = self.end.host();
        // The server may be known by another name, as where an SRV record led there. A Unix socket
        // has no name that would mean something to it.
        let name = plan.server_name.as_deref().or(host).unwrap_or("localhost");
        let asking = plan.starttls;
        let asking = asking.map(|protocol| starttls::machine(protocol, name));
        Ok(Some((client.session(host)?, asking)))
    }

    /// Remembers what the proxy is answered with that has asked for a password.
    pub fn answer(&self, answer: ProxyAnswer) {
        self.answer.replace(Some(answer));
    }

    /// Returns whether the proxy may still ask for the password of our user: there is a user, and no
    /// password has been asked for yet.
    pub fn may_be_asked(&self) -> bool {
        self.answer.borrow().is_none() && self.end.proxy().is_some_and(Proxy::lacks_password)
    }

    /// Begins the dialogue with the proxy.
    pub(super) fn talk(
        &self,
        proxy: &Proxy,
        target: &Target,
        port: u16,
    ) -> Result<Dialogue, DialogueError> {
        Dialogue::new(proxy, self.answer.borrow().as_ref(), target, port)
    }

    /// How many connections of ours are still to come in at our own listener.
    pub fn returning(&self) -> &Cell<usize> {
        &self.returning
    }
}

/// How long a handshake of TLS may take, where `connecting` may take so long.
pub fn tls_limit(limits: &Limits, connecting: Option<Duration>) -> Duration {
    let all = [connecting.or(Some(LIMIT)), limits.idle, limits.whole];
    all.into_iter().flatten().min().unwrap_or(LIMIT)
}
