//! What stands for TLS where it is left out (cargo feature `tls`): types of which there are no
//! values.

use crate::io::tls::TlsSession;
use crate::plan::tls as plan;
use std::convert::Infallible;
use std::{fmt, io};

/// TLS cannot be set up: it is not there.
#[derive(Debug)]
pub struct SetupError;

impl std::error::Error for SetupError {}

impl fmt::Display for SetupError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("this rnc was built without TLS")
    }
}

/// There is none.
#[derive(Debug)]
pub struct TlsConnector(Infallible);

/// There is none.
#[derive(Debug)]
pub struct TlsAcceptor(Infallible);

#[expect(missing_docs, reason = "no value, no call: see the real one")]
#[expect(clippy::missing_errors_doc, reason = "the same")]
impl TlsConnector {
    pub fn new(_plan: &plan::Client) -> Result<TlsConnector, SetupError> {
        Err(SetupError)
    }

    pub fn session(&self, _host: Option<&str>) -> Result<Box<TlsSession>, SetupError> {
        match self.0 {}
    }

    pub fn doubt(&self, _host: Option<&str>) -> Option<String> {
        match self.0 {}
    }

    pub fn reason(&self, _error: &io::Error, _session: &TlsSession, _host: Option<&str>) -> String {
        match self.0 {}
    }
}

#[expect(missing_docs, reason = "no value, no call: see the real one")]
#[expect(clippy::missing_errors_doc, reason = "the same")]
impl TlsAcceptor {
    pub fn new(_plan: &plan::Server, _names: Vec<String>) -> Result<TlsAcceptor, SetupError> {
        Err(SetupError)
    }

    pub fn session(&self) -> Result<Box<TlsSession>, SetupError> {
        match self.0 {}
    }

    pub fn own_pin(&self) -> Option<String> {
        match self.0 {}
    }

    pub fn reason(&self, _error: &io::Error, _session: &TlsSession) -> String {
        match self.0 {}
    }
}

/// See the real one.
pub fn broken(error: &io::Error, _client: Option<&plan::Client>) -> String {
    crate::report::reason(error)
}

/// See the real one.
pub fn agreed(_session: &TlsSession, _all: bool) -> Vec<String> {
    Vec::new()
}
