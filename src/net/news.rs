//! What is printed while an end is being opened.

use crate::report;
use socket2::{SockAddr, Socket};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// What `-v` prints while an end is being opened.
pub enum News {
    /// An address is tried.
    Trying(SocketAddr),
    /// An address could not be connected to, or none at all.
    NotConnected {
        /// The address, if it was one.
        addr: Option<SocketAddr>,
        /// Why.
        error: io::Error,
        /// Our own time limit ran out.
        timed_out: bool,
        /// Others are tried.
        others_left: bool,
    },
    /// It is tried again after this pause.
    Retrying(Duration),
    /// It is connected: to this address, where there is one of IP; that of the proxy, if there is
    /// one.
    Connected(Option<SocketAddr>, Option<SocketDetails>),
    /// TLS is on: what is wrong with the server's certificate where that does not count, and what
    /// was agreed on.
    Secured {
        /// What the peer is called.
        label: String,
        /// Why its certificate is doubtful.
        doubt: Option<String>,
        /// What was agreed on, in lines.
        agreed: Vec<String>,
    },
}

/// What `-vv` prints about a connected socket.
pub struct SocketDetails {
    /// Our own address.
    pub local: Option<SockAddr>,
    /// Its buffers for sending and receiving, in bytes.
    pub buffers: (usize, usize),
}

impl SocketDetails {
    /// Those of a socket.
    pub fn of(sock: &Socket) -> SocketDetails {
        SocketDetails {
            local: sock.local_addr().ok(),
            buffers: (
                sock.send_buffer_size().unwrap_or_default(),
                sock.recv_buffer_size().unwrap_or_default(),
            ),
        }
    }
}

impl News {
    /// The time for connecting is over; nothing without `-v`.
    pub fn timed_out() -> Option<News> {
        report::is_verbose(1).then(|| News::NotConnected {
            addr: None,
            error: io::ErrorKind::TimedOut.into(),
            timed_out: true,
            others_left: false,
        })
    }
}
