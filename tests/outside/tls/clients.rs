//! Certificates of clients: demanded by rnc, and shown by rnc to those who demand them.

use super::certs::{Authority, Identity};
use super::peer::{TlsSock, client_config, client_config_as};
use super::programs::{Nginx, PAGE, s_client, s_server};
use super::session::connecting;
use crate::common::{Finished, Running, Stdin, assert_bytes};
use std::ffi::OsStr;
use std::io::Read;

/// rnc as a server that wants clients to show something: `--tls-client-ca` or `--tls-client-pin`.
pub fn demanding(authority: &Authority, option: &str, value: impl AsRef<OsStr>) -> Running {
    let words = ["-l", "--tls", option].map(OsStr::new);
    crate::common::rnc(words)
        .arg(value)
        .args(authority.for_here().options())
        .args(["127.0.0.1", "0"])
        .stdin(Stdin::Pipe)
        .spawn()
}

/// A client that is let in: a word goes either way.
#[track_caller]
pub fn is_let_in(mut rnc: Running, authority: &Authority, client: &Identity) {
    let mut peer = TlsSock::connect(client_config_as(authority, client), &rnc);
    peer.say("asked", &rnc);
    rnc.shows("asked");
    rnc.feed(b"answered".to_vec());
    assert_bytes("the client got", &peer.read_all(&rnc), b"answered");
    peer.half_close(&rnc);
    rnc.wait().expect_code(0).expect_silence();
}

/// A client that is not let in, with this certificate or none: nothing of what it says is heard,
/// what rnc has to say is not for it, and the reason is told.
#[track_caller]
pub fn is_turned_away(
    mut rnc: Running,
    authority: &Authority,
    client: Option<&Identity>,
    reason: &str,
) {
    let config = match client {
        Some(client) => client_config_as(authority, client),
        None => client_config(authority),
    };
    rnc.send("a secret");
    let mut peer = TlsSock::connect(config, &rnc);
    // In TLS 1.3 a client is through before the server has looked at its certificate.
    peer.say("let me in", &rnc);
    let mut heard = Vec::new();
    let error = peer.read_to_end(&mut heard).expect_err("an alert");
    assert_bytes(&format!("after {error}, the client"), &heard, b"");
    rnc.says(reason);
    assert_eq!(rnc.stdout.len(), 0, "it was heard");
}

#[test]
fn clients_of_an_authority_are_let_in_and_no_others() {
    let (authority, another) = (Authority::new(), Authority::new());
    let rnc = || demanding(&authority, "--tls-client-ca", &authority.file);
    is_let_in(rnc(), &authority, &authority.for_client("somebody"));
    is_turned_away(rnc(), &authority, None, "no certificate");
    let stranger = another.for_client("somebody");
    is_turned_away(rnc(), &authority, Some(&stranger), &another.name());
    let past = authority.signs_with(&["somebody"], |params| {
        super::certs::expired(params);
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    is_turned_away(rnc(), &authority, Some(&past), "expired on 2002-03-04");
}

#[test]
fn a_pinned_client_is_let_in_and_no_other() {
    let authority = Authority::new();
    let (right, wrong) = (authority.for_client("one"), authority.for_client("two"));
    let rnc = || demanding(&authority, "--tls-client-pin", right.pin());
    is_let_in(rnc(), &authority, &right);
    is_turned_away(rnc(), &authority, Some(&wrong), &wrong.pin());
    is_turned_away(rnc(), &authority, None, "no certificate");
    // It needs no authority.
    let own = authority.self_signed(&["somebody"]);
    let rnc = demanding(&authority, "--tls-client-pin", own.pin());
    is_let_in(rnc, &authority, &own);
}

#[test]
fn a_client_that_is_turned_away_does_not_end_a_listener_that_stays() {
    let authority = Authority::new();
    let client = authority.for_client("somebody");
    let words = ["-lk", "--echo", "--tls-client-pin", &client.pin()];
    let rnc = crate::common::rnc(words)
        .args(authority.for_here().options())
        .args(["127.0.0.1", "0"])
        .spawn();
    for _ in 0..3 {
        let mut stranger = TlsSock::connect(client_config(&authority), &rnc);
        stranger.read_to_end(&mut Vec::new()).expect_err("an alert");
        let mut good = TlsSock::connect(client_config_as(&authority, &client), &rnc);
        good.say("hello", &rnc);
        good.half_close(&rnc);
        assert_bytes("echo", &good.read_all(&rnc), b"hello");
    }
}

#[test]
fn openssl_is_let_in_with_a_certificate() {
    let authority = Authority::new();
    let client = authority.for_client("somebody");
    for version in ["-tls1_2", "-tls1_3"] {
        let rnc = demanding(&authority, "--tls-client-ca", &authority.file);
        let Some(cmd) = s_client(&authority, rnc.listening_port(), &["-quiet", version]) else {
            return;
        };
        let mut openssl = cmd
            .arg("-cert")
            .arg(&client.cert)
            .arg("-key")
            .arg(&client.key)
            .spawn();
        openssl.send("asked\n");
        rnc.shows("asked\n");
    }
}

/// rnc as a client with this certificate, or none, of a server that demands one of the authority.
#[track_caller]
fn shown_to_s_server(client: Option<&Identity>, version: &str) -> Option<Finished> {
    let authority = Authority::new();
    let trusted = match client {
        Some(client) => client.cert.clone(),
        None => authority.file.clone(),
    };
    let trusted = trusted.to_str().expect("a path").to_string();
    let words = ["-quiet", "-verify_return_error", "-Verify", "1", "-CAfile"];
    let words = [&words[..], &[&trusted, version]].concat();
    let mut server = s_server(&authority.for_here(), &words)?;
    // It may be gone at once when it is not content.
    server.running.send("hello\n");
    let mut rnc = connecting(&authority, &["-N"], server.port)
        .args(client.map(Identity::options).unwrap_or_default())
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.stdout.wait_for("hello\n");
    rnc.close_stdin();
    Some(rnc.wait())
}

#[test]
fn rnc_shows_its_certificate_to_openssl() {
    let authority = Authority::new();
    let own = authority.self_signed(&["somebody"]);
    for version in ["-tls1_2", "-tls1_3"] {
        let Some(done) = shown_to_s_server(Some(&own), version) else {
            return;
        };
        done.expect_code(0)
            .expect_stdout("hello\n")
            .expect_silence();
        let done = shown_to_s_server(None, version).expect("openssl");
        done.expect_code(1)
            .expect_stdout("")
            .expect_complaint("--tls-cert");
    }
}

#[test]
fn a_page_of_nginx_needs_the_right_certificate() {
    let (authority, another) = (Authority::new(), Authority::new());
    let more = format!(
        "ssl_verify_client on; ssl_client_certificate {};",
        authority.file.display()
    );
    let Some(nginx) = Nginx::start(&authority.for_here(), &more) else {
        return;
    };
    let page = |client: &Identity| {
        let mut rnc = connecting(&authority, &["--no-shutdown"], nginx.port)
            .args(client.options())
            .stdin(Stdin::Pipe)
            .spawn();
        rnc.feed(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n".to_vec());
        let done = rnc.wait().expect_code(0).expect_silence();
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    assert!(page(&authority.for_client("us")).ends_with(PAGE));
    // nginx lets everybody in, and tells strangers so in HTTP.
    assert!(page(&another.for_client("us")).contains("400 Bad Request"));
}

#[test]
fn a_certificate_without_its_key_and_a_key_that_is_none_are_told() {
    let authority = Authority::new();
    let (one, two) = (authority.for_here(), authority.for_here());
    let broken = authority.dir().file("broken.pem", "-----BEGIN X-----\n");
    let missing = authority.dir().join("missing.pem");
    for (cert, key, reason) in [
        (&one.cert, &two.key, "key"),
        (&one.cert, &one.cert, "no private key"),
        (&one.key, &one.key, "no certificate"),
        (&broken, &one.key, "broken.pem"),
        (&missing, &one.key, "No such file"),
        (&one.cert, &missing, "No such file"),
    ] {
        for (listens, port) in [(true, "0"), (false, "1")] {
            let mut words = vec![OsStr::new("--tls"), "--tls-cert".as_ref(), cert.as_ref()];
            words.extend([OsStr::new("--tls-key"), key.as_ref()]);
            words.extend(listens.then_some(OsStr::new("-l")));
            let done = crate::common::rnc(words).args(["127.0.0.1", port]).run();
            let done = done.expect_code(1).expect_complaint(reason);
            assert!(!done.stderr.contains("Listening"), "{done}");
        }
    }
}
