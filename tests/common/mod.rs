//! What the tests from outside share: processes that cannot outlive their test, terminals,
//! peers, and looks into /proc. Nothing here uses a fixed port, and every wait has a deadline.

#![allow(dead_code, unused_imports)]

mod finished;
mod limits;
mod log;
mod proc_fs;
mod process;
mod programs;
mod pty;
mod seccomp;
mod skips;
mod sock;
mod start;
mod temp;

pub use finished::Finished;
pub use limits::may_have_descriptors;
pub use log::Log;
pub use proc_fs::{
    Work, bound_udp_port_of, descriptors_of, is_nonblocking, listening_port_of, peak_rss_kib,
    private_kib, sockets_of, unread_by_owner, work_done,
};
pub use process::{Cmd, Running, Stdin, Stdout};
pub use programs::{python, require, require_services, rnc, rnc_binary, rnc_for_all, shell};
pub use pty::Pty;
pub use seccomp::Refused;
pub use skips::{peers_are_required, skip};
pub use sock::{
    ClosedPort, Server, Sock, Transport, connect_to_listener, flood_until_stuck, forge_datagram,
    never_answers, udp_socket,
};
pub use start::close;
pub use temp::TempDir;

use std::time::{Duration, Instant};

/// How long a test waits for something that should happen at once. It is only ever reached by a
/// failing test, so it is generous enough for a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// How often a condition that nothing announces is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Looks at `condition` until it holds; says whether it did before the deadline.
pub fn eventually(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + DEADLINE;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
}

/// Bytes with every value in them and no short period, the same for the same seed.
pub fn pattern(len: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut bytes = Vec::with_capacity(len + 4);
    while bytes.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        bytes.extend_from_slice(&state.to_be_bytes()[..3]);
    }
    bytes.truncate(len);
    bytes
}

/// Numbered lines of text, the same for the same words.
pub fn lines(count: usize, words: &str) -> Vec<u8> {
    (1..=count)
        .map(|n| format!("{words}, line {n} of {count}\n"))
        .collect::<String>()
        .into_bytes()
}

/// Says where two byte strings differ, without printing a megabyte.
pub fn difference(got: &[u8], wanted: &[u8]) -> Option<String> {
    if got == wanted {
        return None;
    }
    let at = got.iter().zip(wanted).take_while(|(a, b)| a == b).count();
    let near = |bytes: &[u8]| {
        let part = &bytes[at.min(bytes.len())..(at + 40).min(bytes.len())];
        String::from_utf8_lossy(part).into_owned()
    };
    Some(format!(
        "got {} bytes, wanted {}, first difference at {at}: got {:?}, wanted {:?}",
        got.len(),
        wanted.len(),
        near(got),
        near(wanted)
    ))
}

/// Panics, with the place of the first difference, unless both are the same.
#[track_caller]
pub fn assert_bytes(what: &str, got: &[u8], wanted: &[u8]) {
    if let Some(difference) = difference(got, wanted) {
        panic!("{what}: {difference}");
    }
}
