//! A dialogue over a connected stream, with a proxy or about TLS, before a session exists.

use crate::io::ready::{Got, Put};
use crate::io::stream::Stream;
use crate::plan::{Proxy, ProxyKind};
use crate::proto::http::challenge::Challenge;
use crate::proto::http::{Account, HttpConnect};
use crate::proto::socks4::Socks4;
use crate::proto::socks5::Socks5;
use crate::proto::{Handshake, Login, Progress, Refused, Target};
use crate::sys::{errno, random};
use std::fmt;
use std::io;
use std::task::Poll;

/// Bytes read from the proxy at once.
const READ_BYTES: usize = 4096;

/// A handshake under way.
pub struct Dialogue {
    machine: Box<dyn Handshake>,
    input: Vec<u8>,
    output: Vec<u8>,
    begun: bool,
    /// The machine is done; what it said last may not all be sent yet.
    is_done: bool,
}

/// What a drive of a dialogue came to.
pub enum DialogueStep {
    /// The way is open; the peer's first bytes, which came behind the proxy's answer.
    Done(Vec<u8>),
    /// It goes on over a new connection.
    Anew,
}

/// Why a dialogue failed.
#[derive(Debug)]
pub enum DialogueError {
    /// The proxy said no, or nonsense.
    Refused(Refused),
    /// The connection to the proxy broke.
    Io(io::Error),
}

impl fmt::Display for DialogueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DialogueError::Refused(refused) => refused.fmt(f),
            DialogueError::Io(error) => f.write_str(&errno::reason(error)),
        }
    }
}

impl From<Refused> for DialogueError {
    fn from(refused: Refused) -> DialogueError {
        DialogueError::Refused(refused)
    }
}

impl From<io::Error> for DialogueError {
    fn from(error: io::Error) -> DialogueError {
        DialogueError::Io(error)
    }
}

/// What a proxy is answered with that has asked for a password.
#[derive(Clone, Debug)]
pub struct ProxyAnswer {
    /// The password of the plan's user.
    pub password: String,
    /// What the proxy has said it wants (HTTP).
    pub challenge: Option<Challenge>,
}

impl Dialogue {
    /// Begins the dialogue that opens a way to `target` through `proxy`.
    ///
    /// # Errors
    /// The target cannot be said in the proxy's language.
    pub fn new(
        proxy: &Proxy,
        answer: Option<&ProxyAnswer>,
        target: &Target,
        port: u16,
    ) -> Result<Dialogue, DialogueError> {
        Ok(Dialogue::with(machine(proxy, answer, target, port)?))
    }

    /// Begins the dialogue of a machine.
    pub fn with(machine: Box<dyn Handshake>) -> Dialogue {
        Dialogue {
            machine,
            input: Vec::new(),
            output: Vec::new(),
            begun: false,
            is_done: false,
        }
    }

    /// Goes on as far as it can.
    ///
    /// # Errors
    /// The proxy refused, or the connection broke.
    pub fn drive(&mut self, stream: &mut Stream) -> Poll<Result<DialogueStep, DialogueError>> {
        match self.exchange(stream) {
            Poll::Ready(Err(DialogueError::Io(_))) if self.machine.lost().is_none() => {
                Poll::Ready(Ok(self.anew()))
            }
            other => other,
        }
    }

    fn exchange(&mut self, stream: &mut Stream) -> Poll<Result<DialogueStep, DialogueError>> {
        if !self.begun {
            self.begun = true;
            self.step()?;
        }
        let mut buf = [0; READ_BYTES];
        loop {
            let wrote = self.flush(stream)?;
            if self.is_done {
                return if self.output.is_empty() {
                    Poll::Ready(Ok(DialogueStep::Done(std::mem::take(&mut self.input))))
                } else {
                    Poll::Pending
                };
            }
            match stream.try_read(&mut buf)? {
                Got::Bytes(n) => {
                    self.input.extend_from_slice(&buf[..n]);
                    if self.step()? {
                        return Poll::Ready(Ok(self.anew()));
                    }
                }
                Got::Eof => match self.machine.lost() {
                    None => return Poll::Ready(Ok(self.anew())),
                    Some(refused) => return Poll::Ready(Err(refused.into())),
                },
                Got::Pending | Got::Again if wrote => {}
                Got::Pending | Got::Again => return Poll::Pending,
            }
        }
    }

    /// Has the machine move on; true if it goes on over a new connection.
    fn step(&mut self) -> Result<bool, Refused> {
        match self.machine.step(&self.input, &mut self.output)? {
            Progress::More { used } => {
                self.input.drain(..used);
                Ok(false)
            }
            Progress::Done { used } => {
                self.input.drain(..used);
                self.is_done = true;
                Ok(false)
            }
            Progress::Anew => Ok(true),
        }
    }

    /// Makes ready for the next connection.
    fn anew(&mut self) -> DialogueStep {
        self.input.clear();
        self.output.clear();
        self.begun = false;
        DialogueStep::Anew
    }

    fn flush(&mut self, stream: &mut Stream) -> Result<bool, DialogueError> {
        let mut wrote = false;
        while !self.output.is_empty() {
            match stream.try_write(&self.output)? {
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

/// The machine that speaks the proxy's language.
fn machine(
    proxy: &Proxy,
    answer: Option<&ProxyAnswer>,
    target: &Target,
    port: u16,
) -> Result<Box<dyn Handshake>, DialogueError> {
    let asked = answer.map(|answer| answer.password.as_str());
    let (user, password) = (proxy.user.as_deref(), proxy.password.as_deref().or(asked));
    Ok(match proxy.kind {
        ProxyKind::Socks4 => Box::new(Socks4::new(target, port, user.unwrap_or_default())?),
        ProxyKind::Socks5 => Box::new(Socks5::new(target, port, user, password)?),
        ProxyKind::Http => {
            let account = user.zip(password).map(account).transpose()?;
            let known = answer.and_then(|answer| answer.challenge.clone());
            let machine = HttpConnect::new(target, port, account, known)?;
            Box::new(machine.naming_the_host(proxy.names_the_host))
        }
    })
}

fn account((user, password): (&str, &str)) -> Result<Account, DialogueError> {
    let seed = random::bytes()?;
    let login = Login {
        user: user.to_owned(),
        password: password.to_owned(),
    };
    Ok(Account { login, seed })
}
