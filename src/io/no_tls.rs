//! What stands for TLS where it is left out (cargo feature `tls`): types of which there are no
//! values.

use super::reactor::{Registered, Registrar};
use super::ready::{Got, Put, Ready, WriteFault};
use super::stream::Stream;
use std::convert::Infallible;
use std::io;
use std::task::Poll;

/// There is none.
#[derive(Debug)]
pub struct TlsSession(Infallible);

/// There is none.
#[derive(Debug)]
pub struct TlsStream(Infallible);

#[expect(missing_docs, reason = "no value, no call: see the real one")]
#[expect(clippy::missing_errors_doc, reason = "the same")]
#[expect(clippy::boxed_local, reason = "the same")]
impl TlsStream {
    pub fn new(_stream: Stream, session: Box<TlsSession>) -> TlsStream {
        match session.0 {}
    }

    pub fn shake_hands(&mut self) -> Poll<io::Result<()>> {
        match self.0 {}
    }

    pub fn into_parts(self) -> (Stream, Box<TlsSession>) {
        match self.0 {}
    }

    pub fn session(&self) -> &TlsSession {
        match self.0 {}
    }

    pub fn register(&mut self, _registrar: &Registrar<'_>) -> io::Result<Registered> {
        match self.0 {}
    }

    pub fn stream(&self) -> &Stream {
        match self.0 {}
    }

    pub fn note(&mut self, _id: Registered, _ready: Ready) {
        match self.0 {}
    }

    pub fn is_readable(&self) -> bool {
        match self.0 {}
    }

    pub fn try_read(&mut self, _buf: &mut [u8]) -> io::Result<Got> {
        match self.0 {}
    }

    pub fn try_write(&mut self, _buf: &[u8]) -> io::Result<Put> {
        match self.0 {}
    }

    pub fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }

    pub fn holds(&self) -> bool {
        match self.0 {}
    }

    pub fn shutdown_write(&mut self) {
        match self.0 {}
    }

    pub fn keeps_half_close(&self) -> bool {
        match self.0 {}
    }

    pub fn unsent(&self) -> usize {
        match self.0 {}
    }

    pub fn undelivered(&self) -> usize {
        match self.0 {}
    }

    pub fn has_unread(&self) -> bool {
        match self.0 {}
    }

    pub fn write_fault(&mut self) -> Option<WriteFault> {
        match self.0 {}
    }
}
