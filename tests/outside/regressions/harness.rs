//! The tests themselves: what they need of the one who runs them, and what they say.

use crate::common::{Cmd, Finished, require};

/// Runs one of the ignored tests of this binary, by a line of shell that has it as `"$@"`.
fn ignored(line: &str, test: &str) -> Finished {
    let ours = std::env::current_exe().expect("our own path");
    Cmd::new("/bin/sh")
        .args(["-c", line, "sh"])
        .arg(ours)
        .args(["--ignored", "--exact", test])
        .env("RNC_REQUIRE_PEERS", "")
        .run()
}

#[test]
#[ignore = "run by the next one"]
fn it_needs_what_is_not_there() {
    assert!(require("no-such-program", "no-such-package").is_none());
}

#[test]
fn a_test_that_is_skipped_is_seen() {
    let test = "regressions::harness::it_needs_what_is_not_there";
    let done = ignored("exec \"$@\"", test).expect_code(0);
    let why = "needs no-such-program (Debian package no-such-package)";
    assert!(
        done.stderr.contains(&format!("skipped: {test} {why}")),
        "{done}"
    );
    let sum = "skipped 1 test; to run them: apt-get install no-such-package";
    assert!(done.stderr.contains(sum), "{done}");
}

#[test]
#[ignore = "run by the next one"]
fn it_starts_a_process() {
    let status = Cmd::new("/bin/cat").arg("/proc/self/status").run();
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:\t"));
    let ignored = line.map(|digits| u64::from_str_radix(digits, 16).expect("a number"));
    // Those above 31 are no signals that anyone sends; the C library has some for itself.
    assert_eq!(ignored.map(|bits| bits & 0x7fff_ffff), Some(0), "{status}");
}

#[test]
fn processes_under_test_inherit_no_ignored_signals() {
    let line = "trap '' HUP INT QUIT TERM; exec \"$@\"";
    ignored(line, "regressions::harness::it_starts_a_process").expect_code(0);
}
