//! What the kernel tells about a process and its descriptors.

use rustix::fs::OFlags;
use std::fs;
use std::os::fd::AsFd;

/// The most memory the process has had in use, in KiB: VmHWM of proc(5). Starts anew at exec, as
/// the maximum of getrusage(2) does not.
pub fn peak_rss_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is gone");
    number_after(&status, "VmHWM:").expect("a VmHWM line")
}

/// Memory of the process that is its own and in use, in KiB. Pages of the program's file do not
/// count: they are shared with other rnc, and become this one's own when those end.
pub fn private_kib(pid: i32) -> u64 {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("smaps");
    let line = rollup.lines().find(|line| line.starts_with("Anonymous:"));
    let value = line.and_then(|line| line.split_whitespace().nth(1));
    value.and_then(|kib| kib.parse().ok()).expect("Anonymous")
}

/// What a process has done so far: grows with everything it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// How often any of its threads went to sleep.
    pub sleeps: u64,
    /// Clock ticks of user and system time.
    pub ticks: u64,
    /// Whether all of its threads sleep now: one that waits for a processor does not.
    pub sleeps_now: bool,
}

impl Work {
    /// Returns whether nothing at all has been done since then, and nothing is about to be.
    pub fn is_at_rest_since(self, before: Work) -> bool {
        self == before && self.sleeps_now
    }
}

/// Reads how much the process has done until now.
pub fn work_done(pid: i32) -> Work {
    let mut work = Work {
        sleeps: 0,
        ticks: 0,
        sleeps_now: true,
    };
    for task in fs::read_dir(format!("/proc/{pid}/task")).expect("the process is gone") {
        let path = task.expect("a task").path();
        let status = fs::read_to_string(path.join("status")).unwrap_or_default();
        work.sleeps += number_after(&status, "\nvoluntary_ctxt_switches:").unwrap_or(0);
        let stat = fs::read_to_string(path.join("stat")).unwrap_or_default();
        // Fields 14 and 15 of proc(5), counted from after the command's name in parentheses.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        work.sleeps_now &= rest.trim_start().starts_with('S');
        let fields = rest.split_whitespace().skip(11).take(2);
        work.ticks += fields.filter_map(|n| n.parse::<u64>().ok()).sum::<u64>();
    }
    work
}

/// Says whether O_NONBLOCK is set on the open file description, which everyone shares who has
/// inherited it.
pub fn is_nonblocking(fd: impl AsFd) -> bool {
    rustix::fs::fcntl_getfl(fd)
        .expect("fcntl")
        .contains(OFlags::NONBLOCK)
}

/// How many bytes have reached the socket at this local TCP port over IPv4 from the port `peer`
/// and are still unread by the process that owns it.
pub fn unread_by_owner(local: u16, peer: u16) -> Option<usize> {
    // An IPv6 socket that speaks IPv4 is listed with IPv6's.
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().find_map(|path| {
        let table = fs::read_to_string(path).unwrap_or_default();
        table
            .lines()
            .skip(1)
            .find_map(|line| unread_in(line, local, peer))
    })
}

/// One line of proc(5)'s net/tcp: `sl local_address rem_address st tx_queue:rx_queue …`.
fn unread_in(line: &str, local: u16, peer: u16) -> Option<usize> {
    let mut fields = line.split_whitespace().skip(1);
    let mut port = || {
        let (_, port) = fields.next()?.rsplit_once(':')?;
        u16::from_str_radix(port, 16).ok()
    };
    if port()? != local || port()? != peer {
        return None;
    }
    let (_, unread) = fields.nth(1)?.split_once(':')?;
    usize::from_str_radix(unread, 16).ok()
}

/// The TCP port a process listens on, once it does: for programs that are told to choose one and
/// do not say which.
pub fn listening_port_of(pid: i32) -> Option<u16> {
    const LISTEN: &str = "0A";
    port_of(pid, ["/proc/net/tcp", "/proc/net/tcp6"], LISTEN)
}

/// The UDP port a process has bound, and is not connected from.
pub fn bound_udp_port_of(pid: i32) -> Option<u16> {
    const CLOSE: &str = "07";
    port_of(pid, ["/proc/net/udp", "/proc/net/udp6"], CLOSE)
}

fn port_of(pid: i32, tables: [&str; 2], state: &str) -> Option<u16> {
    let sockets = sockets_of(pid);
    tables.iter().find_map(|path| {
        let table = fs::read_to_string(path).unwrap_or_default();
        table
            .lines()
            .skip(1)
            .find_map(|line| port_in(line, state, &sockets))
    })
}

/// How many descriptors a process has open.
#[track_caller]
pub fn descriptors_of(pid: i32) -> usize {
    let open = fs::read_dir(format!("/proc/{pid}/fd"));
    open.expect("the process is gone").count()
}

/// The inodes of a process's sockets; none of one that is gone.
pub fn sockets_of(pid: i32) -> Vec<u64> {
    let Ok(descriptors) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return Vec::new();
    };
    let links = descriptors.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    links
        .filter_map(|link| {
            let inode = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            inode.parse().ok()
        })
        .collect()
}

/// One line of net/tcp, as above, with this state and an inode that is one of these.
fn port_in(line: &str, state: &str, sockets: &[u64]) -> Option<u16> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let inode = fields.get(9)?.parse().ok()?;
    if fields[3] != state || !sockets.contains(&inode) {
        return None;
    }
    let (_, port) = fields[1].rsplit_once(':')?;
    u16::from_str_radix(port, 16).ok()
}

fn number_after(text: &str, label: &str) -> Option<u64> {
    let (_, rest) = text.split_once(label)?;
    rest.split_whitespace().next()?.parse().ok()
}
