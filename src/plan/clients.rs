//! Listeners: where they are, their access rules, and how many clients are served.

use super::access::Access;
use super::end::UnixPath;
use super::net::{Group, Net, Transport};
use super::tls;
use std::path::PathBuf;
use std::time::Duration;

/// A listener, or a socket that receives datagrams.
#[derive(Clone, Debug)]
pub struct Listening {
    /// Where.
    pub at: ListenAt,
    /// How many clients are served, and how.
    pub clients: Clients,
    /// The access rules.
    pub access: Access,
    /// How clients are received.
    pub reception: Reception,
    /// Families, transport and socket options.
    pub net: Net,
    /// TLS with the clients.
    pub tls: Option<tls::Server>,
}

impl Listening {
    /// Returns whether it receives datagrams.
    pub fn keeps_messages(&self) -> bool {
        match &self.at {
            ListenAt::Ip(_) => self.net.transport == Transport::Udp,
            ListenAt::Unix { datagrams, .. } => *datagrams,
            ListenAt::Vsock { .. } => false,
        }
    }

    /// Returns whether there is one peer at most.
    pub fn is_single(&self) -> bool {
        matches!(self.clients, Clients::One | Clients::OneQueueing)
    }
}

/// Where a listener is.
#[derive(Clone, Debug)]
pub enum ListenAt {
    /// A port.
    Ip(Binding),
    /// A Unix socket.
    Unix {
        /// The socket.
        path: UnixPath,
        /// Datagrams instead of streams.
        datagrams: bool,
        /// How the path is treated.
        rules: UnixListening,
    },
    /// A vsock port.
    Vsock {
        /// The context identifier to listen on; `None`: all there are.
        cid: Option<u32>,
        /// The port; 0 lets the kernel choose.
        port: u32,
    },
}

/// The port of a listener.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The address; `None`: all of them.
    pub host: Option<String>,
    /// The port; 0 lets the kernel choose.
    pub port: u16,
    /// Without an address: IPv6 and IPv4 with one socket.
    pub dual_stack: bool,
    /// All addresses of a name, not only the first.
    pub all_addresses: bool,
    /// Several listeners may share the port (SO_REUSEPORT).
    pub shares_port: bool,
    /// Nothing is bound: the sockets are there already. Nothing of the above counts.
    pub passed: Option<Passed>,
    /// Multicast groups to join.
    pub groups: Vec<Group>,
}

/// Where sockets come from that another program has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// From a service manager. See sd_listen_fds(3).
    Listed,
    /// Standard input is one. See inetd(8).
    Stdin,
}

/// What happens when more than one client comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clients {
    /// One client; the listener is closed as soon as it is there.
    One,
    /// One client; others may connect until rnc leaves, and are not served. Of datagrams those of
    /// the first peer count.
    OneQueueing,
    /// One after the other, without end. Of datagrams all count, and the last sender is answered.
    InTurn,
    /// All at once, each with a session of its own; or all in one room.
    Each,
}

/// How a Unix listener treats a file at its path.
#[derive(Clone, Copy, Debug)]
pub struct UnixListening {
    /// Any file is replaced; else only a socket that has no listener.
    pub replaces_anything: bool,
    /// Our socket is removed at the end.
    pub removed_at_end: bool,
    /// The permissions of our socket file; `None`: those the umask leaves.
    pub mode: Option<u32>,
}

/// How a listener receives its clients.
#[derive(Clone, Debug, Default)]
pub struct Reception {
    /// More clients at once are denied (`--max-conns`).
    pub most_clients: Option<usize>,
    /// The time for the first client to connect (`--accept-timeout`).
    pub accept_timeout: Option<Duration>,
    /// After SIGTERM no more clients are accepted, and those there are have that long (`--grace`).
    pub grace: Option<Duration>,
    /// The port is written to this file (`--port-file`).
    pub port_file: Option<PathBuf>,
}
