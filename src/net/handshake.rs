//! A dialogue with a proxy over a connected stream, before a session exists.

use crate::io::ready::{Got, Put};
use crate::io::stream::Stream;
use crate::plan::{Proxy, ProxyKind};
use crate::proto::http::HttpConnect;
use crate::proto::socks4::Socks4;
use crate::proto::socks5::Socks5;
use crate::proto::{Handshake, Login, Progress, Refused, Target};
use crate::sys::errno;
use std::fmt;
use std::io;

/// Bytes read from the proxy at once.
const READ_BYTES: usize = 4096;

/// A handshake under way.
pub struct Talk {
    machine: Box<dyn Handshake>,
    input: Vec<u8>,
    output: Vec<u8>,
    begun: bool,
}

/// Why a dialogue failed.
#[derive(Debug)]
pub enum TalkError {
    /// The proxy said no, or nonsense.
    Refused(Refused),
    /// The connection to the proxy broke.
    Io(io::Error),
}

impl fmt::Display for TalkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TalkError::Refused(refused) => refused.fmt(f),
            TalkError::Io(error) => f.write_str(&errno::reason(error)),
        }
    }
}

impl Talk {
    /// Begins the dialogue that opens a way to `target` through `proxy`.
    ///
    /// # Errors
    /// The target cannot be said in the proxy's language.
    pub fn new(proxy: &Proxy, target: &Target, port: u16) -> Result<Talk, Refused> {
        let login = proxy.user.clone().map(|user| Login {
            user,
            password: proxy.password.clone().unwrap_or_default(),
        });
        let machine: Box<dyn Handshake> = match proxy.kind {
            ProxyKind::Socks4 => {
                let user = proxy.user.as_deref().unwrap_or_default();
                Box::new(Socks4::new(target, port, user)?)
            }
            ProxyKind::Socks5 => Box::new(Socks5::new(target, port, login.as_ref())?),
            ProxyKind::Http => {
                let login = login.filter(|_| proxy.password.is_some());
                Box::new(HttpConnect::new(target, port, login.as_ref())?)
            }
        };
        Ok(Talk {
            machine,
            input: Vec::new(),
            output: Vec::new(),
            begun: false,
        })
    }

    /// Goes on as far as it can. When the way is open, gives the peer's first bytes, which came
    /// behind the proxy's answer.
    ///
    /// # Errors
    /// The proxy refused, or the connection broke.
    pub fn drive(&mut self, stream: &mut Stream) -> Result<Option<Vec<u8>>, TalkError> {
        if !self.begun {
            self.begun = true;
            self.step()?;
        }
        let mut buf = [0; READ_BYTES];
        loop {
            let wrote = self.flush(stream)?;
            match stream.try_read(&mut buf).map_err(TalkError::Io)? {
                Got::Bytes(n) => {
                    self.input.extend_from_slice(&buf[..n]);
                    if self.step()? {
                        return Ok(Some(std::mem::take(&mut self.input)));
                    }
                }
                Got::Eof => return Err(TalkError::Refused(self.machine.eof())),
                Got::Pending if wrote => {}
                Got::Pending => return Ok(None),
            }
        }
    }

    fn step(&mut self) -> Result<bool, TalkError> {
        let progress = self.machine.step(&self.input, &mut self.output);
        let (used, done) = match progress.map_err(TalkError::Refused)? {
            Progress::More { used } => (used, false),
            Progress::Done { used } => (used, true),
        };
        self.input.drain(..used);
        Ok(done)
    }

    fn flush(&mut self, stream: &mut Stream) -> Result<bool, TalkError> {
        let mut wrote = false;
        while !self.output.is_empty() {
            match stream.try_write(&self.output).map_err(TalkError::Io)? {
                Put::Bytes(n) => {
                    self.output.drain(..n);
                    wrote = true;
                }
                Put::Pending => break,
            }
        }
        Ok(wrote)
    }
}
