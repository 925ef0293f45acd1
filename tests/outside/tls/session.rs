//! One rnc with TLS and the scripted peer at its other end, in both roles and both versions.

use super::certs::Authority;
use super::peer::{TlsSock, client_config, server_config};
use crate::common::{
    Cmd, Running, Server, Sock, Stdin, connect_to_listener, eventually, rnc, work_done,
};
use std::ffi::OsString;
use std::time::Duration;

/// What rnc does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Connects,
    Listens,
}

pub const ROLES: [Role; 2] = [Role::Connects, Role::Listens];

/// rnc and its peer, the handshake done.
pub struct Session {
    pub rnc: Running,
    pub peer: TlsSock,
    _authority: Authority,
}

/// A session in which rnc has a pipe for stdin.
#[track_caller]
pub fn session(role: Role, options: &[&str]) -> Session {
    session_with(role, options, |cmd| cmd.stdin(Stdin::Pipe))
}

#[track_caller]
pub fn session_with(role: Role, options: &[&str], shape: impl FnOnce(Cmd) -> Cmd) -> Session {
    let authority = Authority::new();
    let (rnc, sock) = tcp_pair(role, &authority, options, shape);
    let peer = match role {
        Role::Connects => TlsSock::server_on(sock, server_config(&authority.for_here()), &rnc),
        Role::Listens => TlsSock::client_on(sock, client_config(&authority), &rnc),
    };
    Session {
        rnc,
        peer,
        _authority: authority,
    }
}

/// rnc and a connection to it on which nothing of TLS has been said by the test.
#[track_caller]
pub fn tcp_pair(
    role: Role,
    authority: &Authority,
    options: &[&str],
    shape: impl FnOnce(Cmd) -> Cmd,
) -> (Running, Sock) {
    match role {
        Role::Connects => {
            let server = Server::tcp();
            let rnc = shape(connecting(authority, options, server.port())).spawn();
            let sock = server.accept(&rnc);
            (rnc, sock)
        }
        Role::Listens => {
            let rnc = shape(listening(authority, options)).spawn();
            let sock = connect_to_listener(&rnc, None);
            (rnc, sock)
        }
    }
}

/// rnc as a client that trusts the authority.
pub fn connecting(authority: &Authority, options: &[&str], port: u16) -> Cmd {
    let words: [OsString; 3] = ["--tls".into(), "--tls-ca".into(), (&authority.file).into()];
    rnc(words)
        .args(options)
        .args(["127.0.0.1", &port.to_string()])
}

/// rnc as a server with a certificate of the authority, on a port of its choice.
pub fn listening(authority: &Authority, options: &[&str]) -> Cmd {
    rnc(["-l", "--tls"])
        .args(authority.for_here().options())
        .args(options)
        .args(["127.0.0.1", "0"])
}

/// Runs it in both roles and over both versions.
pub fn everywhere(check: impl Fn(Role, &[&str])) {
    for role in ROLES {
        for version in ["1.2", "1.3"] {
            eprintln!("rnc {role:?}, TLS {version}");
            let options = [
                "--tls-min",
                version,
                "--tls-max",
                version,
                "--shutdown",
                "now",
            ];
            // A client of TLS 1.2 that waits for quiet keeps its end until it leaves.
            let is_told_when = (role, version) == (Role::Connects, "1.2");
            check(role, &options[..if is_told_when { 6 } else { 4 }]);
        }
    }
}

/// What is expected of rnc when a handshake has failed. A client is at its end; a listener has told
/// it, and waits for a client that does better.
#[track_caller]
pub fn fails(role: Role, authority: &Authority, rnc: Running, reason: &str) {
    if role == Role::Connects {
        let done = rnc.wait().expect_code(1).expect_stdout("");
        done.expect_complaint(reason);
        return;
    }
    rnc.says("\nrnc: ");
    let mut good = TlsSock::connect(client_config(authority), &rnc);
    good.say("a good one", &rnc);
    good.half_close(&rnc);
    let done = rnc.wait().expect_code(0).expect_stdout("a good one");
    done.expect_complaint(reason);
}

/// Waits until rnc does nothing any more: all room on the way is used up, or all is done.
#[track_caller]
pub fn waits(rnc: &Running) {
    let mut before = None;
    let rests = eventually(|| {
        std::thread::park_timeout(Duration::from_millis(100));
        // Gone is as good as waiting.
        let now = rnc.is_running().then(|| work_done(rnc.pid()));
        before.replace(now) == Some(now) && now.is_none_or(|work| work.sleeps_now)
    });
    if !rests {
        rnc.fail("it is always busy");
    }
}
