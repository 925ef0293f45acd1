//! Why an end cannot be opened.

use super::dial::DialError;
use super::handshake::DialogueError;
use super::lookup::Unknown;
use super::race::Obstacle;
pub use super::race::Unreached;
use super::tls::SetupError;
use super::wrap::WrapError;
use crate::proto::http::challenge::Challenge;
use std::io;
use std::net::SocketAddr;

/// Why an end cannot be opened.
#[derive(Debug)]
pub enum OpenError {
    /// A name could not be looked up.
    Name(Unknown),
    /// No address could be connected to. With `-v` each is in the news by then.
    Connect(Unreached),
    /// No address can work.
    Obstacle(Obstacle),
    /// A UDP port refused a probe.
    Refused(SocketAddr, io::Error),
    /// The proxy refused, or the connection to it broke.
    Proxy(DialogueError),
    /// The proxy wants a password for our user, which has not been asked for. HTTP proxies say what
    /// they do with it.
    PasswordWanted(Option<Challenge>),
    /// A Unix or a vsock socket cannot be connected to; `TimedOut` without a number of the system's
    /// is our own limit.
    Local(io::Error),
    /// TLS cannot be put on the connection to a peer of this label.
    Tls(Box<WrapError>, String),
    /// There is no name that TLS could check.
    Setup(SetupError),
    /// The program cannot be started.
    Program(io::Error),
    /// The loop cannot wait for it.
    Io(io::Error),
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> OpenError {
        OpenError::Io(error)
    }
}

impl From<DialError> for OpenError {
    fn from(error: DialError) -> OpenError {
        match error {
            DialError::Name(unknown) => OpenError::Name(unknown),
            DialError::Connect(unreached) => OpenError::Connect(unreached),
            DialError::Obstacle(obstacle) => OpenError::Obstacle(obstacle),
        }
    }
}

impl OpenError {
    /// Returns whether another attempt may succeed.
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            OpenError::Name(_)
                | OpenError::Connect(_)
                | OpenError::Refused(..)
                | OpenError::Proxy(_)
                | OpenError::Local(_)
        )
    }

    /// Returns whether the time for connecting is over.
    pub fn ran_out(&self) -> bool {
        matches!(self, OpenError::Connect(unreached) if unreached.ran_out)
    }
}
