//! vsock and SCTP: what a kernel without them says, and sessions where it has them.

use crate::common::{ClosedPort, Running, Stdin, TempDir, eventually, rnc, sockets_of};
use rustix::process::Signal;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::fs;
use std::time::Duration;

// ---- vsock

/// VMADDR_CID_LOCAL: this machine itself.
const LOCAL: u32 = 1;
/// VMADDR_CID_ANY and VMADDR_PORT_ANY.
const ANY: u32 = u32::MAX;

/// What of vsock this kernel has.
#[derive(PartialEq, Eq)]
enum Vsock {
    Nothing,
    /// Sockets, but nobody who would take a connection to this machine itself.
    NoLoopback,
    Loopback,
}

fn vsock() -> Vsock {
    let Ok(listener) = Socket::new(Domain::VSOCK, Type::STREAM, None) else {
        return Vsock::Nothing;
    };
    listener.bind(&SockAddr::vsock(ANY, ANY)).expect("bind");
    listener.listen(1).expect("listen");
    let (_, port) = listener
        .local_addr()
        .expect("local_addr")
        .as_vsock_address()
        .expect("a vsock address");
    let client = Socket::new(Domain::VSOCK, Type::STREAM, None).expect("socket");
    let at = SockAddr::vsock(LOCAL, port);
    match client.connect_timeout(&at, Duration::from_millis(200)) {
        Ok(()) => Vsock::Loopback,
        Err(_) => Vsock::NoLoopback,
    }
}

/// The port in `Listening on vsock any PORT`.
fn vsock_port(listener: &Running) -> String {
    let line = listener.listening_line();
    let words: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(&words[..4], ["Listening", "on", "vsock", "any"], "{line}");
    words[4].to_string()
}

#[test]
fn a_vsock_listener_tells_its_port_and_writes_it_down() {
    if vsock() == Vsock::Nothing {
        let done = rnc(["-l", "--vsock", "0"]).run().expect_code(1);
        done.expect_complaint("listen on vsock port 0 failed: Address family not supported");
        return;
    }
    let dir = TempDir::new();
    let file = dir.join("port");
    for words in [&["-l", "--vsock", "0"][..], &["-lk", "vsock::0"]] {
        let rnc = rnc(words)
            .args(["--port-file".as_ref(), file.as_os_str()])
            .stdin(Stdin::Pipe)
            .spawn();
        let port = vsock_port(&rnc);
        let written = fs::read_to_string(&file).expect("the port file");
        assert_eq!(written, format!("{port}\n"));
        rnc.signal(Signal::TERM);
        rnc.wait().expect_signal(Signal::TERM);
    }
}

#[test]
fn a_vsock_address_that_is_not_ours_cannot_be_listened_on() {
    if vsock() != Vsock::Nothing {
        let done = rnc(["-l", "vsock:4000000000:5000"]).run().expect_code(1);
        done.expect_complaint("listen on vsock 4000000000 port 5000 failed: Cannot assign");
    }
}

#[test]
fn a_vsock_connect_that_is_not_answered_keeps_nobody_from_leaving() {
    match vsock() {
        Vsock::Nothing => {
            let done = rnc(["vsock:1:5000"]).run().expect_code(1);
            done.expect_complaint("connect to vsock 1 port 5000 failed: Address family");
        }
        Vsock::NoLoopback => {
            let done = rnc(["-w", "100ms", "vsock:1:5000"]).run().expect_code(3);
            done.expect_complaint("connect to vsock 1 port 5000 timed out");

            let rnc = rnc(["-w", "1h", "vsock:1:5000"]).spawn();
            assert!(eventually(|| has_vsock(&rnc)), "it does not connect");
            rnc.signal(Signal::TERM);
            rnc.wait().expect_signal(Signal::TERM);
        }
        Vsock::Loopback => {
            let done = rnc(["vsock:1:5000"]).run().expect_code(1);
            done.expect_complaint("connect to vsock 1 port 5000 failed: ");
        }
    }
}

/// Whether a process has a socket; it has no other than the one it connects with.
fn has_vsock(rnc: &Running) -> bool {
    !sockets_of(rnc.pid()).is_empty()
}

#[test]
fn vsock_joins_two_and_keeps_half_closed_connections() {
    if vsock() != Vsock::Loopback {
        eprintln!("skipped: this kernel has no vsock loopback");
        return;
    }
    let mut server = rnc(["-l", "--vsock", "0"]).stdin(Stdin::Pipe).spawn();
    let port = vsock_port(&server);
    let mut client = rnc(["--vsock", "1", &port]).stdin(Stdin::Pipe).spawn();
    client.send("a question\n");
    client.close_stdin();
    server.shows("a question\n");
    server.send("an answer\n");
    server.close_stdin();
    let done = client.wait().expect_code(0).expect_silence();
    done.expect_stdout("an answer\n");
    server.wait().expect_code(0).expect_stdout("a question\n");
}

// ---- SCTP

fn has_sctp() -> bool {
    Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::SCTP)).is_ok()
}

#[test]
fn a_kernel_without_sctp_is_told_in_one_line() {
    if has_sctp() {
        eprintln!("skipped: this kernel has SCTP");
        return;
    }
    let closed = ClosedPort::tcp();
    let port = closed.port().to_string();
    let no_listener = format!("listen on 127.0.0.1 port {port} (sctp) failed");
    for (words, what) in [
        ("--sctp 127.0.0.1", "cannot make a socket (sctp)"),
        ("-z --sctp 127.0.0.1", "cannot make a socket (sctp)"),
        ("-l --sctp 127.0.0.1", &no_listener),
    ] {
        let words = words.split_whitespace().chain([port.as_str()]);
        let done = rnc(words).run().expect_code(1);
        let wanted = format!("rnc: {what}: Protocol not supported\n");
        assert_eq!(done.stderr, wanted);
    }
}

#[test]
fn sctp_joins_two() {
    if !has_sctp() {
        eprintln!("skipped: this kernel has no SCTP");
        return;
    }
    let server = rnc(["-l", "--sctp", "127.0.0.1", "0"]).spawn();
    let port = server.listening_port().to_string();
    let mut client = rnc(["--sctp", "127.0.0.1", &port])
        .stdin(Stdin::Pipe)
        .spawn();
    client.send("one way\n");
    client.close_stdin();
    client.wait().expect_code(0).expect_silence();
    server.wait().expect_code(0).expect_stdout("one way\n");
}
