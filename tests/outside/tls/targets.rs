//! `--relay tls:…`: clients in plain text, and a target that speaks TLS, with options of its own.

use super::certs::{Authority, Identity, expired};
use super::peer::{TlsSock, server_config};
use crate::common::{
    ClosedPort, Running, Server, Sock, TempDir, Transport, assert_bytes, connect_to_listener,
    pattern, rnc,
};
use std::io::Read;

/// A relay to a target that is this server.
#[track_caller]
fn relay_to(server: &Server, kind: &str, options: &str) -> Running {
    let at = match server {
        Server::Tcp(_) => format!("127.0.0.1:{}", server.port()),
        Server::Unix(_, path) => format!("unix:{}", path.display()),
    };
    let target = format!("{kind}{at},{options}");
    rnc(["-l", "127.0.0.1", "0", "--relay", &target]).spawn()
}

/// A client, and the TLS that its relay speaks.
#[track_caller]
fn pair(relay: &Running, server: &Server, identity: &Identity) -> (Sock, TlsSock) {
    let client = connect_to_listener(relay, None);
    let sock = server.accept(relay);
    (
        client,
        TlsSock::server_on(sock, server_config(identity), relay),
    )
}

fn ca(authority: &Authority) -> String {
    format!("ca={}", authority.file.display())
}

#[test]
fn plain_clients_reach_a_target_that_speaks_tls() {
    let authority = Authority::new();
    let identity = authority.for_here();
    let sent = pattern(1_000_000, 16);
    for options in [
        ca(&authority),
        format!("{},min=1.3,timeout=20s", ca(&authority)),
        format!("{},servername=localhost", ca(&authority)),
        format!("pin={}", identity.pin()),
    ] {
        // Each option asks for TLS by itself.
        for kind in ["tls:", ""] {
            let server = Server::tcp();
            let relay = relay_to(&server, kind, &options);
            let (mut client, mut target) = pair(&relay, &server, &identity);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    assert_bytes("the target got", &target.read_all(&relay), &sent);
                    target.say(&sent, &relay);
                    target.half_close(&relay);
                });
                client.say(&sent, &relay);
                client.half_close();
                assert_bytes("the client got", &client.read_all(&relay), &sent);
            });
            relay.wait().expect_code(0).expect_silence();
        }
    }
}

/// All of a client has come, its end too, before its target is there: nothing of it is missed.
#[test]
fn what_came_during_the_handshake_is_passed_on_with_its_end() {
    let authority = Authority::new();
    let server = Server::tcp();
    let relay = relay_to(&server, "tls:", &ca(&authority));
    let mut client = connect_to_listener(&relay, None);
    let sock = server.accept(&relay);
    client.say("early", &relay);
    client.half_close();
    let mut target = TlsSock::server_on(sock, server_config(&authority.for_here()), &relay);
    assert_bytes("early", &target.read_all(&relay), b"early");
    target.half_close(&relay);
    assert_bytes("the end", &client.read_all(&relay), b"");
    relay.wait().expect_code(0).expect_silence();
}

#[test]
fn each_end_goes_on_without_the_other() {
    let authority = Authority::new();
    let server = Server::tcp();
    let relay = relay_to(&server, "tls:", &ca(&authority));
    let (mut client, mut target) = pair(&relay, &server, &authority.for_here());
    target.say("first", &relay);
    target.half_close(&relay);
    assert_bytes("first", &client.read_all(&relay), b"first");
    client.say("then", &relay);
    client.half_close();
    assert_bytes("then", &target.read_all(&relay), b"then");
    relay.wait().expect_code(0).expect_silence();
}

#[test]
fn a_target_that_breaks_off_looks_broken_to_its_client() {
    let authority = Authority::new();
    let server = Server::tcp();
    let relay = relay_to(&server, "tls:", &ca(&authority));
    let (mut client, mut target) = pair(&relay, &server, &authority.for_here());
    target.say("half", &relay);
    assert_bytes("half", &client.read_some(4, &relay), b"half");
    // FIN without close_notify: anyone on the way can make that.
    target.sock().half_close();
    assert_bytes("no more", &client.read_to_reset(&relay), b"");
    let done = relay.wait().expect_code(1);
    done.expect_complaint("(close_notify): what came may be cut short");
}

/// As nginx does, after the whole answer.
#[test]
fn a_target_may_answer_the_end_of_a_client_by_closing() {
    let authority = Authority::new();
    let server = Server::tcp();
    let relay = relay_to(&server, "tls:", &ca(&authority));
    let (mut client, mut target) = pair(&relay, &server, &authority.for_here());
    client.say("question", &relay);
    client.half_close();
    assert_bytes("question", &target.read_all(&relay), b"question");
    target.say("answer", &relay);
    target.sock().half_close();
    assert_bytes("answer", &client.read_all(&relay), b"answer");
    let done = relay.wait().expect_code(1);
    done.expect_complaint("(close_notify): what came may be cut short");
}

#[test]
fn a_target_that_is_not_trusted_gets_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    let good = authority.for_here();
    let late = authority.signs_with(&["localhost", "127.0.0.1"], expired);
    let elsewhere = authority.signs(&["elsewhere.example"]);
    let pin = format!("pin=sha256:{}", "00".repeat(32));
    let named = format!("{},servername=else.example", ca(&authority));
    for (identity, options, why) in [
        (&good, &ca(&other), "which is not trusted here"),
        (&good, &ca(&other), "; to trust it: ,pin=sha256:"),
        (&good, &pin, "which is no ,pin="),
        (&good, &named, "not for else.example"),
        (
            &late,
            &ca(&authority),
            "the certificate expired on 2002-03-04",
        ),
        (
            &elsewhere,
            &ca(&authority),
            "the certificate is for elsewhere.example",
        ),
    ] {
        let server = Server::tcp();
        let relay = relay_to(&server, "tls:", options);
        let mut client = connect_to_listener(&relay, None);
        client.say("secret", &relay);
        let sock = server.accept(&relay);
        let mut target = TlsSock::server_before(sock, server_config(identity));
        let got = target.try_shake_hands().and_then(|()| {
            let mut got = Vec::new();
            target.read_to_end(&mut got).map(|_| got)
        });
        got.expect_err("an alert");
        assert_bytes(why, &client.read_to_reset(&relay), b"");
        relay.wait().expect_code(1).expect_complaint(why);
    }
}

#[test]
fn a_target_that_speaks_no_tls_is_told_so_in_one_line() {
    let authority = Authority::new();
    let server = Server::tcp();
    let relay = relay_to(&server, "tls:", &ca(&authority));
    let mut client = connect_to_listener(&relay, None);
    let mut target = server.accept(&relay);
    target.say("220 plain\r\n", &relay);
    assert_bytes("nothing", &client.read_to_reset(&relay), b"");
    let done = relay.wait().expect_code(1);
    done.expect_complaint("the peer answered in plain text: 220 plain");

    let closed = ClosedPort::tcp();
    let target = format!("tls:127.0.0.1:{},no-verify,timeout=5s", closed.port());
    let relay = rnc(["-l", "127.0.0.1", "0", "--relay", &target]).spawn();
    connect_to_listener(&relay, None).read_to_reset(&relay);
    let said = relay.wait().expect_code(1).stderr;
    assert!(said.contains("Connection refused"), "{said}");
}

#[test]
fn a_target_that_says_nothing_is_given_its_own_time() {
    let authority = Authority::new();
    let server = Server::tcp();
    let relay = relay_to(
        &server,
        "tls:",
        &format!("{},timeout=100ms", ca(&authority)),
    );
    let mut client = connect_to_listener(&relay, None);
    let _silent = server.accept(&relay);
    assert_bytes("nothing", &client.read_to_reset(&relay), b"");
    relay
        .wait()
        .expect_code(3)
        .expect_complaint("said nothing in time");
}

#[test]
fn a_unix_target_needs_a_name_to_check() {
    let authority = Authority::new();
    let dir = TempDir::new();
    let server = Server::new(Transport::Unix, &dir);
    let options = format!("{},servername=localhost", ca(&authority));
    let relay = relay_to(&server, "tls:", &options);
    let (mut client, mut target) = pair(&relay, &server, &authority.for_here());
    client.say("x", &relay);
    assert_bytes("x", &target.read_some(1, &relay), b"x");
    for target in ["tls:unix:/p", "tls:vsock:1:1"] {
        let done = rnc(["-l", "127.0.0.1", "0", "--relay", target]).run();
        done.expect_code(2)
            .expect_complaint("needs servername, or pin");
    }
}

/// Either side of a relay has its own TLS.
#[test]
fn the_target_has_options_of_its_own() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = Server::tcp();
    let target = format!("tls:127.0.0.1:{},{}", server.port(), ca(&theirs));
    let relay = rnc(["-l", "127.0.0.1", "0", "--relay", &target])
        .args(ours.for_here().options())
        .spawn();
    let mut client = TlsSock::connect(super::peer::client_config(&ours), &relay);
    let sock = server.accept(&relay);
    let mut target = TlsSock::server_on(sock, server_config(&theirs.for_here()), &relay);
    client.say("question", &relay);
    client.half_close(&relay);
    assert_bytes("question", &target.read_all(&relay), b"question");
    target.say("answer", &relay);
    target.half_close(&relay);
    assert_bytes("answer", &client.read_all(&relay), b"answer");
    relay.wait().expect_code(0).expect_silence();
}

#[test]
fn what_is_wrong_with_its_options_is_told_at_the_start() {
    for (options, why) in [
        ("ca", "ca: needs a value"),
        ("ca=", "ca: needs a value"),
        ("no-verify=1", "no-verify: takes no value"),
        ("min=9", "min 9: rnc speaks TLS 1.2 and 1.3 only"),
        ("pin=zz", "pin zz: not sha256: and 64 hexadecimal digits"),
        ("key=k", "key needs cert"),
        ("verify,no-verify", "no-verify cannot be used with verify"),
        ("starttls=nonsense", "starttls nonsense: not smtp"),
    ] {
        let target = format!("tls:h:443,{options}");
        let done = rnc(["-l", "127.0.0.1", "0", "--relay", &target]).run();
        let line = format!("rnc: --relay {target}: {why}");
        done.expect_code(2).expect_complaint(&line);
    }
    let done = rnc("-l 127.0.0.1 0 --relay tls:h:443,ca=/nowhere/ca.pem".split(' ')).run();
    let line = "read the certificate /nowhere/ca.pem failed: No such file or directory";
    done.expect_code(1).expect_complaint(line);
}
