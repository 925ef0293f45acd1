//! Exit codes tell the truth, and every failure is one line on stderr, without -v.

use crate::common::{ClosedPort, Server, Stdin, Stdout, TempDir, connect_to_listener, rnc};
use socket2::{Domain, Socket, Type};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

#[test]
fn refused_is_1_and_one_line() {
    let closed = ClosedPort::tcp();
    let port = closed.port().to_string();
    let done = rnc(["127.0.0.1", &port]).run();
    let line = format!("rnc: connect to 127.0.0.1 port {port} (tcp) failed: Connection refused");
    done.expect_code(1)
        .expect_stdout("")
        .expect_complaint(&line);
}

#[test]
fn a_unix_socket_nobody_listens_on_is_1_and_one_line() {
    let dir = TempDir::new();
    let path = dir.join("nobody");
    rnc(["-U".as_ref(), path.as_os_str()])
        .run()
        .expect_code(1)
        .expect_complaint("No such file or directory");
    drop(std::os::unix::net::UnixListener::bind(&path).expect("bind"));
    rnc(["-U".as_ref(), path.as_os_str()])
        .run()
        .expect_code(1)
        .expect_complaint("Connection refused");
}

#[test]
fn a_numeric_only_session_refuses_a_name_with_1_and_one_line() {
    rnc(["-n", "no.such.host.invalid", "80"])
        .run()
        .expect_code(1)
        .expect_complaint("no.such.host.invalid");
}

#[test]
fn an_unknown_name_is_1_and_one_line() {
    // `.invalid` never resolves, with or without a name server (RFC 6761, section 6.4).
    rnc(["no.such.host.invalid", "80"])
        .run()
        .expect_code(1)
        .expect_complaint("no.such.host.invalid");
}

#[test]
fn bad_usage_is_2_and_names_the_wrong_word() {
    for (words, wrong) in [
        (&["127.0.0.1", "99999"][..], "99999"),
        (&["127.0.0.1", "0"][..], "0"),
        (&["127.0.0.1", "no-such-service"][..], "no-such-service"),
        (&["-w", "soon", "127.0.0.1", "80"][..], "soon"),
        (
            &["--no-such-option", "127.0.0.1", "80"][..],
            "--no-such-option",
        ),
        (&["127.0.0.1"][..], "port"),
    ] {
        let done = rnc(words).run().expect_code(2).expect_stdout("");
        let first = done.complaints().first().copied().unwrap_or_default();
        assert!(
            first.contains(wrong),
            "{words:?} should name {wrong:?}\n{done}"
        );
    }
}

#[test]
fn a_connect_that_is_never_answered_is_3_at_the_time_given() {
    let (_full, port) = listener_that_answers_nobody();
    rnc(["-w", "1", "127.0.0.1", &port.to_string()])
        .run()
        .expect_code(3)
        .expect_complaint("timed out");
}

#[test]
fn a_port_in_use_is_1_and_one_line() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = taken.local_addr().expect("local_addr").port().to_string();
    rnc(["-l", "127.0.0.1", &port])
        .run()
        .expect_code(1)
        .expect_complaint("Address already in use");
}

#[test]
fn an_address_that_is_not_ours_is_1_and_one_line() {
    // TEST-NET-1 of RFC 5737.
    rnc(["-l", "192.0.2.1", "0"])
        .run()
        .expect_code(1)
        .expect_complaint("Cannot assign requested address");
}

#[test]
fn a_clean_session_is_0_and_silent() {
    let server = Server::tcp();
    let rnc = rnc(server.words()).stdin(Stdin::Null).spawn();
    drop(server.accept(&rnc));
    rnc.wait().expect_code(0).expect_stdout("").expect_silence();
}

/// A listener whose queue is full, so that the kernel leaves further connects without an answer.
fn listener_that_answers_nobody() -> (Vec<Socket>, u16) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    listener
        .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
        .expect("bind");
    listener.listen(0).expect("listen");
    let addr = listener.local_addr().expect("local_addr");
    let port = addr.as_socket_ipv4().expect("an IPv4 address").port();
    let mut sockets = vec![listener];
    loop {
        let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        let result = client.connect_timeout(&addr, Duration::from_millis(300));
        sockets.push(client);
        match result {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::TimedOut => return (sockets, port),
            Err(error) => panic!("filling the queue: {error}"),
        }
    }
}

/// One of several sessions that was not there is a failure; one of several ports that a scan has
/// found closed is not, nor is it as nc.
#[test]
fn a_port_of_several_that_is_refused_is_1() {
    let closed = ClosedPort::tcp();
    let closed = closed.port().to_string();
    for (options, before, code) in [
        (&[][..], false, 1),
        (&[], true, 1),
        (&["-z"], false, 0),
        (&["--as", "nc"], false, 0),
    ] {
        let server = Server::tcp();
        let open = server.port().to_string();
        let ports = if before {
            [&closed, &open]
        } else {
            [&open, &closed]
        };
        let rnc = rnc(options).arg("127.0.0.1").args(ports).spawn();
        server.accept(&rnc).half_close();
        rnc.wait().expect_code(code);
    }
}

#[test]
fn an_answer_that_a_closed_stdout_cannot_take_is_1_and_one_line() {
    let reason = "write to standard output failed: Bad file descriptor";
    for answer in ["", "lost"] {
        let server = Server::tcp();
        let rnc = rnc(server.words()).stdout(Stdout::Closed).spawn();
        let mut peer = server.accept(&rnc);
        peer.say(answer, &rnc);
        drop(peer);
        match answer {
            "" => rnc.wait().expect_code(0).expect_silence(),
            _ => rnc.wait().expect_code(1).expect_complaint(reason),
        };
    }
    let rnc = rnc(["-l", "127.0.0.1", "0"])
        .stdin(Stdin::Pipe)
        .stdout(Stdout::Closed)
        .spawn();
    let mut client = connect_to_listener(&rnc, None);
    client.say("lost", &rnc);
    client.half_close();
    let done = rnc.wait().expect_code(1);
    assert!(done.stderr.contains(reason), "{done}");
}

#[test]
fn help_that_cannot_be_written_is_1_and_one_line() {
    for option in ["-h", "--help", "--version"] {
        let full = rnc([option]).stdout(Stdout::Full).run().expect_code(1);
        full.expect_complaint("write to standard output failed: No space left on device");
        let closed = rnc([option]).stdout(Stdout::Closed).run().expect_code(1);
        closed.expect_complaint("write to standard output failed: Bad file descriptor");
    }
}
