//! Words for the user, and the logs beside them, when nobody reads them, or only slowly.

use crate::common::{
    Log, Server, Sock, Stdin, Stdout, TempDir, assert_bytes, eventually, flood_until_stuck,
    pattern, rnc,
};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// A pipe, with so many bytes in it already that nothing more goes in.
fn full_pipe() -> (File, File, usize) {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).expect("pipe2");
    let mut writer = File::from(writer);
    let bytes = flood_until_stuck(&mut writer, &[b'.'; 4096]);
    (reader.into(), writer, bytes)
}

#[test]
fn messages_nobody_reads_are_lost_and_counted_and_the_rest_is_in_order() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let (mut reader, stderr, before) = full_pipe();
    let options = ["-lkv", "--echo", "-U"].map(OsStr::new);
    let rnc = rnc(options.into_iter().chain([path.as_os_str()]))
        .stderr(Stdout::Fd(stderr.into()))
        .spawn();
    let listens = eventually(|| UnixStream::connect(&path).is_ok());
    assert!(listens, "it does not listen");
    let serves = || {
        let mut sock = UnixStream::connect(&path).expect("connect");
        sock.write_all(b"x").expect("write");
        sock.read_exact(&mut [0]).expect("an answer");
    };
    // Each is greeted: more than may wait.
    (0..12_000).for_each(|_| serves());
    let collected = Log::follow(reader.try_clone().expect("dup"));
    assert!(collected.wait_for(" messages lost: standard error was not read\n"));
    serves();
    rnc.signal(Signal::TERM);
    rnc.wait().expect_signal(Signal::TERM);
    collected.wait_end();
    let text = String::from_utf8_lossy(&collected.bytes()[before..]).into_owned();
    let lines: Vec<&str> = text.lines().collect();
    let is_notice = |line: &&str| line.starts_with("rnc: ") && line.contains(" messages lost: ");
    let notice = lines.iter().position(is_notice).expect("a notice");
    let lost = lines[notice].split(' ').nth(1).expect("a number");
    let lost: usize = lost.parse().expect("a number");
    assert!(lines[0].starts_with("Bound on "), "{}", lines[0]);
    let greets = |line: &&&str| line.starts_with("Connection received on ");
    assert_eq!(lines.iter().filter(greets).count() + lost, 12_002);
    assert_eq!(
        lines[notice + 1..].len(),
        1,
        "the last client comes after the notice"
    );
    // Nothing is left for the test's own end of the pipe.
    assert_eq!(reader.read(&mut [0]).expect("read"), 0);
}

#[test]
fn a_slow_reader_of_a_scan_gets_every_line() {
    // Below the ports that a system chooses for listeners: the scan reaches no other test.
    let range = "20000-25000";
    for options in [&["-zv"][..], &["--as", "nc", "-zv"]] {
        let (mut reader, stderr, before) = full_pipe();
        let words = [options, &["127.0.0.1", range]].concat();
        let rnc = rnc(&words).stderr(Stdout::Fd(stderr.into())).spawn();
        let mut all = Vec::new();
        reader.read_to_end(&mut all).expect("read");
        let text = String::from_utf8_lossy(&all[before..]).into_owned();
        assert_eq!(text.lines().count(), 5001, "{words:?}");
        rnc.wait();
    }
}

#[test]
fn the_last_words_reach_a_reader_that_comes_late() {
    let (mut reader, stderr, before) = full_pipe();
    let rnc = rnc(["127.0.0.1", "1"])
        .stderr(Stdout::Fd(stderr.into()))
        .spawn();
    let mut all = Vec::new();
    reader.read_to_end(&mut all).expect("read");
    let said = String::from_utf8_lossy(&all[before..]).into_owned();
    assert!(
        said.starts_with("rnc: connect to 127.0.0.1 port 1"),
        "{said:?}"
    );
    rnc.wait().expect_code(1);
}

#[test]
fn a_fifo_is_read_through_a_description_that_does_not_block() {
    let dir = TempDir::new();
    let path = dir.fifo("fifo");
    // Opened for both it waits for nobody.
    let both = File::options()
        .read(true)
        .write(true)
        .open(&path)
        .expect("open");
    let stdin = File::open(&path).expect("open");
    let server = Server::tcp();
    let rnc = rnc(server.words()).stdin(Stdin::Fd(stdin.try_clone().expect("dup").into()));
    let rnc = rnc.spawn();
    let mut peer: Sock = server.accept(&rnc);
    let bytes = pattern(4000, 5);
    (&both).write_all(&bytes).expect("write");
    assert_bytes("heard", &peer.read_some(4000, &rnc), &bytes);
    let fds = std::fs::read_dir(format!("/proc/{}/fd", rnc.pid())).expect("the process is gone");
    let own = fds.flatten().any(|entry| {
        let is_fifo = std::fs::read_link(entry.path()).is_ok_and(|link| link == path);
        let number = entry.file_name().into_string().expect("a number");
        let info = format!("/proc/{}/fdinfo/{number}", rnc.pid());
        let info = std::fs::read_to_string(info).unwrap_or_default();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
        is_fifo && flags.is_some_and(|flags| flags & libc::O_NONBLOCK != 0)
    });
    assert!(own, "a reader that is faster would block it");
    assert!(!crate::common::is_nonblocking(&stdin), "it is shared");
    // The end of its writers is its end.
    drop(both);
    assert!(peer.read_all(&rnc).is_empty());
}
