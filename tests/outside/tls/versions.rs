//! What is agreed on: versions, cipher suites, application protocols and the server's name; and
//! what cannot be agreed on is told.

use super::certs::Authority;
use super::peer::{TlsSock, client_config, client_config_of, server_config, server_config_of};
use super::programs::{s_client, s_server};
use super::session::{ROLES, Role, connecting, fails, listening, session, tcp_pair};
use crate::common::{Finished, Running, Server, Stdin, rnc};
use rustls::crypto::ring::cipher_suite;
use rustls::{
    ALL_VERSIONS, CipherSuite, ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion,
};

/// A client of `openssl s_server` with these options, at its end.
#[track_caller]
fn against_s_server(server: &[&str]) -> Option<Finished> {
    let authority = Authority::new();
    let words = [&["-quiet"], server].concat();
    let mut server = s_server(&authority.for_here(), &words)?;
    // It may be gone at once when it is not content.
    server.running.send("hello\n");
    let mut rnc = connecting(&authority, &["-N"], server.port)
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.stdout.wait_for("hello\n");
    rnc.close_stdin();
    Some(rnc.wait())
}

#[test]
fn a_server_of_each_version_is_understood_or_told_to_be_too_old() {
    for version in ["-tls1_2", "-tls1_3"] {
        let Some(done) = against_s_server(&[version]) else {
            return;
        };
        done.expect_code(0)
            .expect_stdout("hello\n")
            .expect_silence();
    }
    for version in ["-tls1", "-tls1_1"] {
        let Some(done) = against_s_server(&[version, "-cipher", "DEFAULT@SECLEVEL=0"]) else {
            return;
        };
        done.expect_code(1)
            .expect_stdout("")
            .expect_complaint("TLS 1.1 or older");
    }
}

#[test]
fn a_client_that_is_too_old_is_told() {
    let authority = Authority::new();
    for version in ["-tls1", "-tls1_1"] {
        let rnc = listening(&authority, &[]).spawn();
        let options = [version, "-quiet", "-cipher", "DEFAULT@SECLEVEL=0"];
        let Some(cmd) = s_client(&authority, rnc.listening_port(), &options) else {
            return;
        };
        let client = cmd.run();
        assert_ne!(client.status.code(), Some(0), "{client}");
        fails(Role::Listens, &authority, rnc, "TLS 1.1 or older");
    }
}

#[test]
fn the_version_is_within_what_was_asked() {
    for role in ROLES {
        for (oldest, newest, wanted) in [
            ("1.2", "1.3", ProtocolVersion::TLSv1_3),
            ("1.2", "1.2", ProtocolVersion::TLSv1_2),
            ("1.3", "1.3", ProtocolVersion::TLSv1_3),
        ] {
            let mut session = session(role, &["--tls-min", oldest, "--tls-max", newest]);
            let got = session.peer.session().protocol_version();
            assert_eq!(got, Some(wanted), "{role:?}: {oldest} to {newest}");
        }
    }
}

/// A peer that takes these alone; its handshake must fail.
#[track_caller]
fn fails_against(
    role: Role,
    options: &[&str],
    versions: &[&'static SupportedProtocolVersion],
    suites: &[SupportedCipherSuite],
    reason: &str,
) {
    let authority = Authority::new();
    let (rnc, sock) = tcp_pair(role, &authority, options, |cmd| cmd);
    let mut peer = match role {
        Role::Connects => {
            let config = server_config_of(&authority.for_here(), versions, suites);
            TlsSock::server_before(sock, config)
        }
        Role::Listens => {
            TlsSock::client_before(sock, client_config_of(&authority, versions, suites))
        }
    };
    peer.try_shake_hands().expect_err("nothing in common");
    drop(peer);
    fails(role, &authority, rnc, reason);
}

#[test]
fn versions_that_do_not_meet_are_told() {
    for role in ROLES {
        for (ours, theirs, reason) in [
            ("1.2", &rustls::version::TLS13, "--tls-max allows no newer"),
            ("1.3", &rustls::version::TLS12, "--tls-min allows no older"),
        ] {
            let options = ["--tls-min", ours, "--tls-max", ours];
            fails_against(role, &options, &[theirs], &[], reason);
        }
    }
}

#[test]
fn cipher_suites_are_those_that_were_asked_for() {
    for role in ROLES {
        for (name, wanted) in [
            (
                "TLS13_CHACHA20_POLY1305_SHA256",
                CipherSuite::TLS13_CHACHA20_POLY1305_SHA256,
            ),
            (
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            ),
        ] {
            let mut session = session(role, &["--tls-ciphers", name]);
            let got = session.peer.session().negotiated_cipher_suite();
            assert_eq!(got.map(|suite| suite.suite()), Some(wanted), "{role:?}");
        }
        let options = ["--tls-ciphers", "TLS13_CHACHA20_POLY1305_SHA256"];
        let theirs = [cipher_suite::TLS13_AES_128_GCM_SHA256];
        fails_against(role, &options, ALL_VERSIONS, &theirs, "cipher suite");
    }
}

// ---- Application protocols (ALPN, RFC 7301)

/// rnc with a peer that knows these protocols; the handshake is still to be done.
#[track_caller]
fn alpn(role: Role, options: &[&str], theirs: &[&str]) -> (Running, TlsSock) {
    let authority = Authority::new();
    let theirs = theirs.iter().map(|name| name.as_bytes().to_vec()).collect();
    let (rnc, sock) = tcp_pair(role, &authority, options, |cmd| cmd);
    let peer = match role {
        Role::Connects => {
            let mut config = server_config(&authority.for_here());
            config.alpn_protocols = theirs;
            TlsSock::server_before(sock, config)
        }
        Role::Listens => {
            let mut config = client_config(&authority);
            config.alpn_protocols = theirs;
            TlsSock::client_before(sock, config)
        }
    };
    (rnc, peer)
}

#[test]
fn the_first_protocol_both_know_is_chosen() {
    for role in ROLES {
        for (ours, theirs, wanted) in [
            ("h2,http/1.1", &["http/1.1"][..], Some("http/1.1")),
            ("h2", &["h2", "http/1.1"], Some("h2")),
            ("h2", &[], None),
        ] {
            let (rnc, mut peer) = alpn(role, &["--tls-alpn", ours], theirs);
            peer.shake_hands(&rnc);
            let got = peer.session().alpn_protocol();
            assert_eq!(got, wanted.map(str::as_bytes), "{role:?}: {ours}");
            peer.half_close(&rnc);
            rnc.wait().expect_code(0).expect_silence();
        }
    }
}

#[test]
fn protocols_that_do_not_meet_are_told() {
    for role in ROLES {
        let (rnc, mut peer) = alpn(role, &["--tls-alpn", "h2"], &["irc"]);
        peer.try_shake_hands().expect_err("nothing in common");
        drop(peer);
        match role {
            Role::Connects => drop(rnc.wait().expect_code(1).expect_complaint("--tls-alpn")),
            Role::Listens => rnc.says("--tls-alpn"),
        }
    }
}

// ---- The server's name (SNI, RFC 6066, section 3)

/// The name rnc asks a server for, when it is dialled with these words.
#[track_caller]
fn name_asked_for(host: &str, options: &[&str]) -> Option<String> {
    let authority = Authority::new();
    let server = Server::tcp();
    let port = server.port().to_string();
    let rnc = rnc(["-4", "--tls", "--tls-no-verify", host, &port])
        .args(options)
        .spawn();
    let config = server_config(&authority.for_here());
    let mut peer = TlsSock::server_on(server.accept(&rnc), config, &rnc);
    let rustls::Connection::Server(session) = peer.session() else {
        unreachable!("it is a server");
    };
    session.server_name().map(str::to_string)
}

#[test]
fn the_name_that_was_dialled_is_asked_for_and_no_address() {
    assert_eq!(
        name_asked_for("localhost", &[]).as_deref(),
        Some("localhost")
    );
    assert_eq!(name_asked_for("127.0.0.1", &[]), None);
    let asked = name_asked_for("127.0.0.1", &["--tls-servername", "a.example.test"]);
    assert_eq!(asked.as_deref(), Some("a.example.test"));
}
