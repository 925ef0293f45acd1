//! TLS: sessions that end without being cut off and those that are, and peers that do not play
//! along.

use crate::common::{Finished, Running, Server, Stdin, Stdout, connect_to_listener, rnc};
use rustix::process::Signal;
use std::os::fd::AsFd;

/// A TLS listener with a certificate of its own, and what a client needs to trust it.
#[track_caller]
fn tls_listener(options: &[&str], stdin: Stdin) -> (Running, String) {
    let listener = rnc(["-l", "--tls", "127.0.0.1", "0"])
        .args(options)
        .stdin(stdin)
        .spawn();
    let pin = pin(&listener);
    (listener, pin)
}

/// The fingerprint that a listener tells.
#[track_caller]
fn pin(listener: &Running) -> String {
    if !listener.stderr.wait_for("Connect with: ") {
        listener.fail("it does not say how to connect");
    }
    let said = listener.stderr.text();
    let at = said.find("sha256:").expect("a fingerprint");
    said[at..at + "sha256:".len() + 64].to_string()
}

/// A TLS client of the port.
fn tls_client(port: u16, pin: &str, options: &[&str], stdin: Stdin) -> Running {
    rnc(["--tls", "--tls-pin", pin, "127.0.0.1", &port.to_string()])
        .args(options)
        .stdin(stdin)
        .spawn()
}

/// Panics unless the listener found nothing to be wrong.
#[track_caller]
fn expect_no_error(listener: Finished) -> Finished {
    assert!(!listener.stderr.contains("rnc: "), "{listener}");
    listener.expect_code(0)
}

#[test]
fn a_client_that_leaves_before_its_own_end_has_not_cut_the_session_off() {
    for options in [&["-d"][..], &["--until", "peer"], &["-W", "1"]] {
        let (mut listener, pin) = tls_listener(&[], Stdin::Pipe);
        let port = listener.listening_port();
        let client = tls_client(port, &pin, options, Stdin::Pipe);
        listener.send("all of it");
        client.shows("all of it");
        listener.close_stdin();
        expect_no_error(listener.wait());
        client.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn a_listener_that_leaves_before_its_own_end_has_not_cut_the_session_off() {
    for options in [&["-d"][..], &["--until", "peer"]] {
        let (listener, pin) = tls_listener(options, Stdin::Pipe);
        let port = listener.listening_port();
        let mut client = tls_client(port, &pin, &[], Stdin::Pipe);
        client.send("all of it");
        listener.shows("all of it");
        client.close_stdin();
        client.wait().expect_code(0).expect_silence();
        expect_no_error(listener.wait()).expect_stdout("all of it");
    }
}

#[test]
fn a_member_that_leaves_has_not_been_cut_off() {
    for options in [&["--broker"][..], &["--chat"], &["-k", "-d"]] {
        let (listener, pin) = tls_listener(options, Stdin::Null);
        let port = listener.listening_port();
        let mut client = tls_client(port, &pin, &[], Stdin::Pipe);
        client.send("said\n");
        client.wait().expect_code(0).expect_silence();
        listener.signal(Signal::TERM);
        listener.wait().expect_signal(Signal::TERM);
    }
}

#[test]
fn what_a_signal_cuts_off_is_not_taken_for_whole() {
    let (listener, pin) = tls_listener(&[], Stdin::Null);
    let port = listener.listening_port();
    let mut client = tls_client(port, &pin, &[], Stdin::Pipe);
    client.send("half of");
    listener.shows("half of");
    let _stays_open = client.take_stdin();
    client.signal(Signal::INT);
    client.wait().expect_signal(Signal::INT);
    let listener = listener.wait().expect_code(1).expect_stdout("half of");
    assert!(listener.stderr.contains("close_notify"), "{listener}");
}

#[test]
fn a_handshake_takes_no_longer_than_the_connection_may() {
    let (listener, _) = tls_listener(&["--timeout", "1"], Stdin::Null);
    let mut silent = connect_to_listener(&listener, None);
    assert_eq!(silent.read_all(&listener), b"");
    listener.says("the client said nothing in time");
}

#[test]
fn a_client_that_does_not_read_does_not_hold_inetds_rnc_up() {
    let server = Server::tcp();
    let client = rnc(["--tls", "--tls-no-verify", "127.0.0.1"])
        .arg(server.port().to_string())
        .stdin(Stdin::Pipe)
        .stdout(Stdout::Unread)
        .spawn();
    let sock = server.accept(&client);
    let sock = || sock.as_fd().try_clone_to_owned().expect("dup");
    let listener = rnc([
        "--inetd",
        "--tls",
        "--idle-timeout",
        "1",
        "-e",
        "cat /dev/zero",
    ])
    .stdin(Stdin::Fd(sock()))
    .stdout(Stdout::Fd(sock()))
    .spawn();
    listener.wait().expect_code(3);
}

#[test]
fn a_client_of_inetd_that_cannot_be_made_sure_of_is_a_failure() {
    let server = Server::tcp();
    let mut client = rnc(["127.0.0.1"])
        .arg(server.port().to_string())
        .stdin(Stdin::Pipe)
        .spawn();
    let sock = server.accept(&client);
    client.send(b"GET / HTTP/1.0\r\n\r\n");
    let sock = || sock.as_fd().try_clone_to_owned().expect("dup");
    let listener = rnc(["--inetd", "--tls", "--echo"])
        .stdin(Stdin::Fd(sock()))
        .stdout(Stdout::Fd(sock()))
        .spawn();
    listener.wait().expect_code(1);
}

#[test]
fn plain_text_behind_a_proxys_word_is_told_at_once() {
    let proxy = Server::tcp();
    let client = rnc(["--tls", "-X", "connect", "-x"])
        .arg(format!("127.0.0.1:{}", proxy.port()))
        .args(["target.example", "443"])
        .spawn();
    let mut sock = proxy.accept(&client);
    sock.say(
        "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n",
        &client,
    );
    client
        .wait()
        .expect_code(1)
        .expect_complaint("the peer answered in plain text: HTTP/1.1 400 Bad Request");
    drop(sock);
}

#[test]
fn clients_that_have_ended_give_up_their_places_to_those_who_wait() {
    let options = ["-k", "--max-conns", "2"];
    let (listener, pin) = tls_listener(&options, Stdin::Pipe);
    let port = listener.listening_port();
    for n in 0..6 {
        let words = format!("client {n}\n");
        let mut client = tls_client(port, &pin, &["--until", "stdin"], Stdin::Pipe);
        client.feed(words.clone().into_bytes());
        listener.shows(&words);
        client.wait().expect_code(0);
    }
}
