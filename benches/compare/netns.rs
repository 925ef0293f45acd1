//! The network the contenders run in: a namespace of their own where that is allowed.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};

use crate::sys;

/// Where the contenders meet.
#[derive(Debug)]
pub struct Network {
    /// Nobody else is here: its counters tell about our transfers alone.
    pub is_private: bool,
    /// TCP congestion control in use.
    pub congestion: String,
}

/// Enters a private namespace if it may, and sees to a congestion control that does not pace:
/// BBR, some hosts' default, holds loopback down to a seventh. To be called before the first
/// thread is started.
pub fn enter() -> Network {
    let entered = sys::unshare_network(false).or_else(|_| unshare_unprivileged());
    let entered = entered.and_then(|()| sys::raise_loopback());
    if let Err(why) = &entered {
        eprintln!("compare: no network namespace of its own ({why}): figures may be disturbed");
    }
    let file = "/proc/sys/net/ipv4/tcp_congestion_control";
    let current = || {
        fs::read_to_string(file)
            .unwrap_or_default()
            .trim()
            .to_owned()
    };
    if entered.is_ok() && !["cubic", "reno"].contains(&current().as_str()) {
        // What cannot be set shows in the heading of the tables.
        let _ = fs::write(file, "cubic").or_else(|_| fs::write(file, "reno"));
    }
    let congestion = current();
    if !["cubic", "reno"].contains(&congestion.as_str()) {
        eprintln!("compare: congestion control is {congestion}: it may pace even loopback");
    }
    Network {
        is_private: entered.is_ok(),
        congestion,
    }
}

/// The same for a user who is not root.
fn unshare_unprivileged() -> io::Result<()> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    sys::unshare_network(true)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {} 1", user.as_raw()))?;
    fs::write("/proc/self/gid_map", format!("0 {} 1", group.as_raw()))
}

/// A port on which nobody listens.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?
        .local_addr()?
        .port())
}

/// True if a TCP socket of either family listens on `port`. See proc_net_tcp in the kernel's
/// documentation: the second word is the local address, the fourth the state, 0A is LISTEN.
pub fn is_listening(port: u16) -> io::Result<bool> {
    let port = format!(":{port:04X}");
    let listens = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(1);
        words.next().is_some_and(|local| local.ends_with(&port)) && words.nth(1) == Some("0A")
    };
    let v6 = fs::read_to_string("/proc/net/tcp6").unwrap_or_default();
    Ok(fs::read_to_string("/proc/net/tcp")?.lines().any(listens) || v6.lines().any(listens))
}

/// What the kernel has counted in this namespace.
#[derive(Clone, Copy, Debug)]
pub struct Counters {
    /// Bytes that went over loopback, headers and all.
    pub bytes: u64,
    /// Sockets closed with data in them that nobody had read.
    pub closed_unread: u64,
}

impl Counters {
    /// Reads them now.
    pub fn now() -> io::Result<Self> {
        let devices = fs::read_to_string("/proc/net/dev")?;
        let loopback = devices
            .lines()
            .find_map(|line| line.trim_start().strip_prefix("lo:"));
        let bytes = loopback.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
        let counters = fs::read_to_string("/proc/net/netstat")?;
        // A line of names, then a line of values, both behind the same word.
        let mut tcp = counters
            .lines()
            .filter_map(|line| line.strip_prefix("TcpExt:"));
        let (names, values) = (tcp.next().unwrap_or(""), tcp.next().unwrap_or(""));
        let mut both = names
            .split_ascii_whitespace()
            .zip(values.split_ascii_whitespace());
        let closed_unread = both.find(|(name, _)| *name == "TCPAbortOnClose");
        Ok(Self {
            bytes: bytes.unwrap_or(0),
            closed_unread: closed_unread
                .and_then(|(_, value)| value.parse().ok())
                .unwrap_or(0),
        })
    }
}
