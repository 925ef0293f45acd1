//! Standard descriptors of every kind: what goes through them comes whole, and none holds rnc up.

use super::{connected, stop_at_rest};
use crate::common::{
    Log, Pty, Sock, Stdin, Stdout, TempDir, assert_bytes, close, eventually, pattern,
};
use rustix::fs::{Mode, OFlags};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use std::fs::File;
use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;

#[test]
fn a_fifo_as_stdout_gets_everything_while_the_session_lasts() {
    for len in [600, 5_000, 1 << 20] {
        let dir = TempDir::new();
        let (reader, writer) = open_fifo(&dir.fifo("fifo"));
        let (rnc, mut peer) =
            connected(&[], |cmd| cmd.stdin(Stdin::Pipe).stdout(Stdout::Fd(writer)));
        let payload = pattern(len, 1);
        peer.say(&payload, &rnc);
        reader.wait_until(|bytes| bytes.len() >= len);
        assert_bytes("the fifo", &reader.bytes(), &payload);
        peer.half_close();
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn urgent_data_does_not_stop_the_stream() {
    let (rnc, mut peer) = connected(&[], |cmd| cmd.stdin(Stdin::Pipe));
    stop_at_rest(&rnc);
    peer.say("abc", &rnc);
    let sent = rustix::net::send(&peer, b"X", SendFlags::OOB);
    assert_eq!(sent, Ok(1));
    peer.say("def", &rnc);
    rnc.go_on();
    rnc.shows("abcdef");
}

#[test]
fn a_descriptor_sent_along_does_not_hide_what_follows() {
    let dir = TempDir::new();
    let server = crate::common::Server::new(crate::common::Transport::Unix, &dir);
    let (rnc, mut peer) = super::connected_to(&server, &[], |cmd| cmd.stdin(Stdin::Pipe));
    stop_at_rest(&rnc);
    send_with_descriptor(&peer, b"abc");
    peer.say("def", &rnc);
    rnc.go_on();
    rnc.shows("abcdef");
}

#[test]
fn a_descriptor_sent_along_to_a_socket_as_stdin_does_not_hide_what_follows() {
    let (ours, theirs) = UnixStream::pair().expect("socketpair");
    let (rnc, mut peer) = connected(&[], |cmd| cmd.stdin(Stdin::Fd(theirs.into())));
    stop_at_rest(&rnc);
    send_with_descriptor(&ours, b"one");
    rustix::io::write(&ours, b"two").expect("write");
    rnc.go_on();
    assert_bytes("the peer got", &peer.read_some(6, &rnc), b"onetwo");
}

#[test]
fn packets_on_a_packet_pipe_are_all_read() {
    // The flag is the writer's, so it may come at any time and be unseen at the reading end.
    for flags_at_birth in [PipeFlags::DIRECT, PipeFlags::empty()] {
        let (reader, writer) = pipe_with(flags_at_birth | PipeFlags::CLOEXEC).expect("pipe2");
        rustix::fs::fcntl_setfl(&writer, OFlags::DIRECT).expect("F_SETFL");
        let (rnc, mut peer) = connected(&[], |cmd| cmd.stdin(Stdin::Fd(reader)));
        stop_at_rest(&rnc);
        for n in 0..10 {
            let packet = format!("p{n}");
            rustix::io::write(&writer, packet.as_bytes()).expect("write");
        }
        rnc.go_on();
        let got = peer.read_some(20, &rnc);
        assert_bytes("the peer got", &got, b"p0p1p2p3p4p5p6p7p8p9");
    }
}

#[test]
fn a_descriptor_that_blocks_as_stdin_does_not_hold_up_the_rest() {
    use rustix::fs::inotify;
    let silent = inotify::init(inotify::CreateFlags::CLOEXEC).expect("inotify_init");
    let (rnc, mut peer) = connected(&[], |cmd| cmd.stdin(Stdin::Fd(silent)));
    peer.say("hello\n", &rnc);
    rnc.shows("hello\n");
    rnc.signal(Signal::INT);
    rnc.wait().expect_signal(Signal::INT);
}

#[test]
fn the_master_of_a_terminal_as_stdout_reaches_its_slave() {
    let pty = Pty::open_unwatched();
    let program = Log::follow(File::from(pty.slave()));
    let (rnc, mut peer) = connected(&[], |cmd| cmd.stdout(Stdout::Fd(pty.master())));
    peer.say("hello\n", &rnc);
    if !program.wait_for("hello\n") {
        rnc.fail("the slave does not get what is written to the master");
    }
}

#[test]
fn a_reset_after_stdout_has_gone_ends_a_session_though_stdin_is_open() {
    let (mut rnc, mut peer) = connected(&[], |cmd| cmd.stdin(Stdin::Pipe).stdout(Stdout::Unread));
    let _stdin = rnc.take_stdin();
    close(rnc.stdout_pipe.take());
    peer.say("for nobody\n", &rnc);
    wait_until_taken(&peer);
    peer.reset();
    rnc.wait().expect_code(0).expect_silence();
}

#[track_caller]
fn wait_until_taken(peer: &Sock) {
    let (ours, theirs) = peer.ports();
    let taken = || crate::common::unread_by_owner(theirs, ours) == Some(0);
    assert!(eventually(taken), "what was sent is not read");
}

/// Both ends of a FIFO: one collected, one to hand to rnc.
fn open_fifo(path: &Path) -> (Arc<Log>, OwnedFd) {
    let open = |flags| rustix::fs::open(path, flags | OFlags::CLOEXEC, Mode::empty());
    // Opened to be read without waiting for a writer, then read as usual.
    let reader = open(OFlags::RDONLY | OFlags::NONBLOCK).expect("open a fifo");
    let writer = open(OFlags::WRONLY).expect("open a fifo");
    rustix::fs::fcntl_setfl(&reader, OFlags::empty()).expect("F_SETFL");
    (Log::follow(File::from(reader)), writer)
}

fn send_with_descriptor(sock: impl AsFd, bytes: &[u8]) {
    let null = File::open("/dev/null").expect("open");
    let fds = [null.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    assert!(control.push(SendAncillaryMessage::ScmRights(&fds)));
    let slices = [IoSlice::new(bytes)];
    let sent = rustix::net::sendmsg(sock, &slices, &mut control, SendFlags::empty());
    assert_eq!(sent, Ok(bytes.len()));
}
