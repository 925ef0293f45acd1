//! What stands for TLS where it is left out (cargo feature `tls`): types of which there are no
//! values.

use super::stream::Stream;
use std::convert::Infallible;
use std::io;
use std::ops::{Deref, DerefMut};
use std::task::Poll;

/// There is none.
#[derive(Debug)]
pub struct TlsSession(Infallible);

/// A stream with TLS. No value of this type exists.
#[derive(Debug)]
pub struct TlsStream(Infallible);

impl Deref for TlsStream {
    type Target = Stream;

    fn deref(&self) -> &Stream {
        match self.0 {}
    }
}

impl DerefMut for TlsStream {
    fn deref_mut(&mut self) -> &mut Stream {
        match self.0 {}
    }
}

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

    pub fn stream(&self) -> &Stream {
        self
    }

    pub fn flush(&mut self) -> io::Result<()> {
        match self.0 {}
    }

    pub fn holds(&self) -> bool {
        match self.0 {}
    }

    pub fn keeps_half_close(&self) -> bool {
        match self.0 {}
    }
}
