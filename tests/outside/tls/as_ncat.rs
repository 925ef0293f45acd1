//! Called as ncat: Ncat's way to trust, and its way with ends that nobody has said.

use super::certs::Authority;
use super::peer::{TlsSock, client_config, server_config};
use crate::common::{Running, Server, Sock, Stdin, eventually, listening_port_of, rnc};
use std::net::{Ipv4Addr, TcpStream};

#[test]
fn a_client_trusts_anybody_unless_told_otherwise() {
    let authority = Authority::new();
    let identity = authority.self_signed(&["other.example.test"]);
    let as_ncat = |options: &[&str]| {
        let server = Server::tcp();
        let mut rnc = rnc(["--ssl"])
            .called("ncat")
            .args(options)
            .args(["127.0.0.1", &server.port().to_string()])
            .stdin(Stdin::Pipe)
            .spawn();
        let mut peer = TlsSock::server_before(server.accept(&rnc), server_config(&identity));
        if peer.try_shake_hands().is_ok() {
            peer.say("trusted", &rnc);
            peer.half_close(&rnc);
        }
        rnc.close_stdin();
        drop(peer);
        rnc.wait()
    };
    let trusted = as_ncat(&[]).expect_code(0).expect_stdout("trusted");
    trusted.expect_silence();
    let refused = as_ncat(&["--ssl-verify"]).expect_stdout("");
    assert_ne!(refused.status.code(), Some(0), "{refused}");
    assert!(refused.stderr.starts_with("Ncat: "), "{refused}");
}

#[test]
fn a_listener_takes_an_end_without_close_notify_as_ncat_sends_it() {
    let authority = Authority::new();
    let listener = rnc(["-l", "--ssl"])
        .called("ncat")
        .args(authority.for_here().options())
        .args(["127.0.0.1", "0"])
        .spawn();
    let sock = connect(&listener);
    let mut peer = TlsSock::client_on(sock, client_config(&authority), &listener);
    peer.say("all of it", &listener);
    peer.sock().half_close();
    listener
        .wait()
        .expect_code(0)
        .expect_stdout("all of it")
        .expect_silence();
}

/// Connects to a listener that does not tell its port.
fn connect(listener: &Running) -> Sock {
    let mut port = None;
    eventually(|| {
        port = listening_port_of(listener.pid());
        port.is_some()
    });
    let Some(port) = port else {
        listener.fail("it does not listen");
    };
    Sock::Tcp(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connect"))
}
