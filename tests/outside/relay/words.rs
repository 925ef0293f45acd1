//! Targets in words: their kinds, and what is wrong with them.

use super::{Sock, TempDir, assert_bytes, expect_reset};
use crate::common::{connect_to_listener, rnc};
use rustix::process::Signal;

/// A client of a relay to this target that says something, and ends.
#[track_caller]
fn answer_of(target: &str, question: &str) -> Vec<u8> {
    let relay = rnc(["-l", "127.0.0.1", "0", "--relay", target]).spawn();
    let mut client = connect_to_listener(&relay, None);
    client.say(question, &relay);
    client.half_close();
    let answer = client.read_all(&relay);
    relay.wait().expect_code(0).expect_silence();
    answer
}

#[test]
fn a_program_is_run_for_each_client() {
    for target in ["exec:cat", "sh:cat", "sh:exec tr a,b c,d | tr c,d a,b"] {
        assert_bytes(target, &answer_of(target, "a line"), b"a line");
    }
    let who = answer_of("sh:echo $NCAT_REMOTE_ADDR", "");
    assert_bytes("the client's address", &who, b"127.0.0.1\n");
}

#[test]
fn a_program_that_cannot_be_started_resets_the_client() {
    let relay = rnc("-l 127.0.0.1 0 --relay exec:/nowhere/program".split(' ')).spawn();
    expect_reset(&mut connect_to_listener(&relay, None));
    let done = relay.wait().expect_code(1);
    done.expect_complaint("run /nowhere/program failed: No such file or directory");
}

#[test]
fn a_program_goes_when_the_relay_does() {
    let dir = TempDir::new();
    let target = "sh:echo $$; exec sleep 1000";
    let relay = rnc(["-lk", "127.0.0.1", "0", "--relay", target])
        .dir(dir.path())
        .spawn();
    let mut client = connect_to_listener(&relay, None);
    let pid = client.read_some(2, &relay);
    assert!(pid[0].is_ascii_digit());
    relay.signal(Signal::TERM);
    client.read_to_reset(&relay);
    relay.wait().expect_signal(Signal::TERM);
}

#[test]
fn a_comma_in_a_path_is_written_with_a_backslash() {
    let dir = TempDir::new();
    let path = dir.join("a,b");
    let listener = std::os::unix::net::UnixListener::bind(&path).expect("bind");
    let target = format!("unix:{}", path.display()).replace(',', r"\,");
    let relay = rnc(["-l", "127.0.0.1", "0", "--relay", &target]).spawn();
    let mut client = connect_to_listener(&relay, None);
    client.say("here", &relay);
    let mut target = Sock::Unix(listener.accept().expect("accept").0);
    assert_bytes("there", &target.read_some(4, &relay), b"here");
}

/// The command line itself is wrong: nothing is listened on, and the line names the target.
#[test]
fn what_is_wrong_with_a_target_is_told_at_the_start() {
    for (target, why) in [
        ("tcp:h:0", "port number too small: 0"),
        ("tcp:unix:/p", "not HOST:PORT"),
        ("h:1,timeout", "timeout: needs a value"),
        ("h:1,timeout=", "timeout: needs a value"),
        ("h:1,timeout=x", "timeout x: not a number"),
        ("h:1,", "no option after a comma"),
        ("h:1,=x", "no option after a comma"),
        ("h:1,colour=red", "colour: unknown option"),
        ("exec: ", "no program"),
        ("sh:", "no program"),
        ("vsock:1", "not of the form vsock:CID:PORT"),
        ("vsock::1", "missing CID"),
        ("https://h/", "a URL; HOST:PORT is wanted: tls:h:PORT"),
    ] {
        let done = rnc(["-l", "127.0.0.1", "0", "--relay", target]).run();
        let line = format!("rnc: --relay {target}: {why}");
        done.expect_code(2).expect_complaint(&line);
    }
    for (words, why) in [
        (
            "--relay exec:cat -x p",
            "-x cannot be used with --relay exec:cat",
        ),
        (
            "-u --relay tcp:h:1",
            "--relay tcp:h:1 cannot be used with -u",
        ),
        (
            "-u --relay vsock:1:1",
            "--relay vsock:1:1 cannot be used with -u",
        ),
    ] {
        let done = rnc(["-l", "0"].into_iter().chain(words.split(' '))).run();
        done.expect_code(2).expect_complaint(why);
    }
}
