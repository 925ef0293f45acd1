//! What `-v` and `-vv` tell of a session, and what is told without them: nothing.

use super::certs::Authority;
use super::peer::{TlsSock, client_config_as, server_config};
use super::session::{ROLES, Role, connecting, tcp_pair};
use crate::common::Server;

/// What rnc tells of a session in this role with a peer that has a certificate; an empty session.
#[track_caller]
fn told(role: Role, authority: &Authority, options: &[&str]) -> String {
    let options = [&["-N"], options].concat();
    let (rnc, sock) = tcp_pair(role, authority, &options, |cmd| cmd);
    let mut peer = match role {
        Role::Connects => {
            let mut config = server_config(&authority.for_here());
            config.alpn_protocols = vec![b"h2".to_vec()];
            TlsSock::server_on(sock, config, &rnc)
        }
        Role::Listens => {
            let mut config = client_config_as(authority, &authority.for_client("somebody"));
            config.alpn_protocols = vec![b"h2".to_vec()];
            TlsSock::client_on(sock, config, &rnc)
        }
    };
    peer.read_all(&rnc);
    peer.half_close(&rnc);
    rnc.wait().expect_code(0).stderr
}

#[test]
fn v_tells_what_was_agreed_on() {
    let authority = Authority::new();
    for role in ROLES {
        for (version, suite) in [
            ("1.2", "TLS_ECDHE_ECDSA_WITH_"),
            ("1.3", "TLS13_AES_256_GCM_SHA384"),
        ] {
            let versions = ["--tls-min", version, "--tls-max", version];
            let said = told(
                role,
                &authority,
                &[&["-v", "--tls-alpn", "h2"], &versions[..]].concat(),
            );
            let line = format!("TLS {version} with {suite}");
            assert!(said.contains(&line), "{role:?}, wanted {line}: {said}");
            assert!(said.contains("protocol h2"), "{role:?}: {said}");
        }
    }
}

#[test]
fn v_tells_the_peers_certificate_in_four_lines() {
    let authority = Authority::new();
    let said = told(Role::Connects, &authority, &["-v"]);
    for wanted in [
        "Certificate of CN=localhost",
        "For localhost, 127.0.0.1, ::1; issued by CN=Authority",
        "2020-01-01",
        "Fingerprint sha256:",
    ] {
        let lines = said.lines().filter(|line| line.contains(wanted));
        assert_eq!(lines.count(), 1, "{wanted}: {said}");
    }
    // A client's is told where one was asked for.
    let ca = authority.file.to_str().expect("a path");
    let said = told(Role::Listens, &authority, &["-v", "--tls-client-ca", ca]);
    assert!(said.contains("Certificate of CN=somebody"), "{said}");
}

#[test]
fn vv_tells_the_chain() {
    let authority = Authority::new();
    let said = told(Role::Connects, &authority, &["-vv"]);
    assert!(said.contains("Chain 0: CN=localhost"), "{said}");
    let said = told(Role::Connects, &authority, &["-v"]);
    assert!(!said.contains("Chain 0"), "{said}");
}

#[test]
fn what_a_certificate_says_cannot_play_with_the_terminal() {
    let authority = Authority::new();
    let identity = authority.signs_with(&["127.0.0.1"], |params| {
        let name = &mut params.distinguished_name;
        name.push(rcgen::DnType::CommonName, "\x1b[31mred\r\nrnc: forged");
    });
    let server = Server::tcp();
    let rnc = connecting(&authority, &["-vv"], server.port()).spawn();
    let mut peer = TlsSock::server_on(server.accept(&rnc), server_config(&identity), &rnc);
    peer.half_close(&rnc);
    let said = rnc.wait().expect_code(0).stderr;
    assert!(said.contains("forged"), "{said}");
    let is_plain = |c: char| c == '\n' || !c.is_control();
    assert!(said.chars().all(is_plain), "{said:?}");
    assert!(!said.contains("\nrnc: forged"), "{said}");
}

#[test]
fn very_many_names_are_not_all_told() {
    let authority = Authority::new();
    let names: Vec<String> = (0..1000).map(|n| format!("n{n}.example.test")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let identity = authority.signs(&names);
    let server = Server::tcp();
    let rnc = connecting(&authority, &[], server.port()).spawn();
    let mut peer = TlsSock::server_before(server.accept(&rnc), server_config(&identity));
    peer.try_shake_hands().expect_err("not our name");
    drop(peer);
    let done = rnc.wait().expect_code(1).expect_complaint("more");
    assert!(done.stderr.len() < 2000, "{done}");
}

#[test]
fn nothing_is_told_without_v() {
    let authority = Authority::new();
    for role in ROLES {
        let said = told(role, &authority, &[]);
        let lines: Vec<&str> = said.lines().collect();
        match role {
            Role::Connects => assert!(lines.is_empty(), "{said}"),
            Role::Listens => assert_eq!(lines.len(), 1, "{said}"),
        }
    }
}
