//! Before a session: sockets that are taken, and a start that is held up.

use crate::common::{
    Stdin, Stdout, TempDir, connect_to_listener, eventually, flood_until_stuck, rnc,
};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::ffi::OsStr;
use std::fs::{self, File};

#[test]
fn a_second_unix_listener_fails_and_leaves_the_first_untouched() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let words = ["-l", "-v", "-U"].map(OsStr::new);
    let words = || words.into_iter().chain([path.as_os_str()]);
    let first = rnc(words()).stdin(Stdin::Pipe).spawn();
    first.listening_line();
    rnc(words())
        .run()
        .expect_code(1)
        .expect_complaint("Address already in use");
    let mut client = connect_to_listener(&first, Some(&path));
    client.say("still there\n", &first);
    first.shows("still there\n");
    client.half_close();
    first.wait().expect_code(0).expect_silence();
    assert!(!path.exists(), "the first has left its socket file");
}

#[test]
fn a_second_signal_ends_an_rnc_that_is_held_up() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let (_reader, writer) = pipe_with(PipeFlags::CLOEXEC).expect("pipe2");
    let mut stderr = File::from(writer);
    flood_until_stuck(&mut stderr, &[b'.'; 4096]);
    // It waits for room to say that it listens.
    let words = ["-l", "-v", "-U"].map(OsStr::new);
    let rnc = rnc(words.into_iter().chain([path.as_os_str()]))
        .stderr(Stdout::Fd(stderr.into()))
        .spawn();
    assert!(eventually(|| path.exists()), "it does not bind");
    for _ in 0..2 {
        rnc.signal(Signal::INT);
        // Two that wait at once would count as one.
        let taken = eventually(|| !rnc.is_running() || !has_signal_pending(rnc.pid()));
        assert!(taken, "the signal is not taken");
    }
    rnc.wait().expect_signal(Signal::INT);
}

/// Says whether a signal sent to the process has not been taken yet: ShdPnd of proc(5)'s status.
fn has_signal_pending(pid: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("ShdPnd:"));
    line.is_some_and(|line| {
        let signals = line.trim_start_matches("ShdPnd:").trim();
        signals.contains(|digit| digit != '0')
    })
}
