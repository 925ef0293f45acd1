//! Whom rnc trusts: as a client, every kind of certificate and each way to trust one; as a server,
//! clients with the right certificate, with a wrong one and with none.

use super::certs::{Authority, Identity, expired, not_yet_valid};
use super::peer::{TlsSock, server_config};
use crate::common::{Cmd, Finished, Server, Stdin, assert_bytes, rnc};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa};
use std::ffi::OsString;

/// rnc on these words against a server with this certificate, at its end: with exit code 0 a word
/// has gone either way, else none.
#[track_caller]
fn against(identity: &Identity, words: &[OsString]) -> Finished {
    let server = Server::tcp();
    let mut rnc = rnc(["--tls"])
        .args(words)
        .args(["127.0.0.1", &server.port().to_string()])
        .stdin(Stdin::Pipe)
        .spawn();
    let mut peer = TlsSock::server_before(server.accept(&rnc), server_config(identity));
    match peer.try_shake_hands() {
        Ok(()) => {
            rnc.feed(b"trusting".to_vec());
            assert_bytes("the server got", &peer.read_all(&rnc), b"trusting");
            peer.say("trusted", &rnc);
            peer.half_close(&rnc);
            rnc.wait().expect_code(0).expect_stdout("trusted")
        }
        Err(_) => {
            drop(peer);
            rnc.wait().expect_code(1).expect_stdout("")
        }
    }
}

pub fn words<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.map(OsString::from).to_vec()
}

/// Trust in the authority, for this name instead of the address that is dialled.
fn named(authority: &Authority, name: &str) -> Vec<OsString> {
    let mut all = words(["--tls-servername", name, "--tls-ca"]);
    all.push((&authority.file).into());
    all
}

fn in_authority(authority: &Authority) -> Vec<OsString> {
    vec!["--tls-ca".into(), (&authority.file).into()]
}

#[track_caller]
pub fn is_trusted(identity: &Identity, words: &[OsString]) {
    against(identity, words).expect_code(0).expect_silence();
}

#[track_caller]
pub fn is_refused(identity: &Identity, words: &[OsString], reason: &str) {
    against(identity, words)
        .expect_code(1)
        .expect_complaint(reason);
}

// ---- Names

#[test]
fn a_certificate_for_this_machine_is_trusted() {
    let authority = Authority::new();
    let here = authority.for_here();
    is_trusted(&here, &in_authority(&authority));
    is_trusted(&here, &named(&authority, "localhost"));
    is_trusted(&here, &named(&authority, "LocalHost"));
    is_trusted(&here, &named(&authority, "localhost."));
    is_trusted(&here, &named(&authority, "::1"));
}

#[test]
fn the_name_is_the_one_that_was_dialled() {
    let authority = Authority::new();
    for (names, is_trusted) in [(["localhost"], true), (["127.0.0.1"], false)] {
        let server = Server::tcp();
        let rnc = rnc(["--tls", "-4", "--tls-ca"])
            .arg(&authority.file)
            .args(["localhost", &server.port().to_string()])
            .spawn();
        let config = server_config(&authority.signs(&names));
        let mut peer = TlsSock::server_before(server.accept(&rnc), config);
        if is_trusted {
            peer.shake_hands(&rnc);
            peer.half_close(&rnc);
            rnc.wait().expect_code(0).expect_silence();
        } else {
            peer.try_shake_hands().expect_err("another name");
            drop(peer);
            let done = rnc.wait().expect_code(1);
            done.expect_complaint("not for localhost");
        }
    }
}

#[test]
fn a_certificate_for_another_name_is_refused_and_its_names_told() {
    let authority = Authority::new();
    let trust = in_authority(&authority);
    let other = authority.signs(&["other.example.test", "*.more.example.test"]);
    is_refused(&other, &trust, "127.0.0.1");
    is_refused(&other, &trust, "other.example.test, *.more.example.test");
    // An address is no name, and a name no address.
    is_refused(&authority.signs(&["localhost"]), &trust, "localhost");
    let address = authority.signs(&["127.0.0.2"]);
    is_refused(&address, &trust, "127.0.0.2");
    is_refused(&address, &named(&authority, "localhost"), "127.0.0.2");
}

#[test]
fn the_common_name_counts_for_nothing() {
    let authority = Authority::new();
    let identity = authority.signs_with(&["other.example.test"], |params| {
        let name = &mut params.distinguished_name;
        name.push(rcgen::DnType::CommonName, "localhost");
    });
    let named = named(&authority, "localhost");
    is_refused(&identity, &named, "other.example.test");
}

#[test]
fn a_wildcard_stands_for_one_label() {
    let authority = Authority::new();
    let wildcard = authority.signs(&["*.example.test"]);
    is_trusted(&wildcard, &named(&authority, "a.example.test"));
    is_trusted(&wildcard, &named(&authority, "B.Example.Test"));
    for name in ["a.b.example.test", "example.test", "aexample.test"] {
        is_refused(&wildcard, &named(&authority, name), "*.example.test");
    }
}

#[test]
fn a_name_beyond_ascii_is_known_by_its_ascii_form() {
    let authority = Authority::new();
    let identity = authority.signs(&["xn--bcher-kva.example.test"]);
    is_trusted(&identity, &named(&authority, "xn--bcher-kva.example.test"));
    is_refused(
        &identity,
        &named(&authority, "bucher.example.test"),
        "xn--bcher-kva",
    );
}

// ---- Dates and authorities

#[test]
fn a_certificate_out_of_its_time_is_refused_and_the_date_told() {
    let authority = Authority::new();
    let trust = in_authority(&authority);
    let old = authority.signs_with(&["127.0.0.1"], expired);
    is_refused(&old, &trust, "expired on 2002-03-04");
    let new = authority.signs_with(&["127.0.0.1"], not_yet_valid);
    is_refused(&new, &trust, "2999-02-03");
}

#[test]
fn a_self_signed_certificate_is_refused_and_its_pin_told() {
    let authority = Authority::new();
    let own = authority.self_signed(&["127.0.0.1"]);
    let done = against(&own, &in_authority(&authority));
    let done = done.expect_code(1).expect_complaint("self-signed");
    // What it says is what helps.
    let said = done.expect_complaint(&format!("--tls-pin {}", own.pin()));
    assert!(!said.stderr.contains("-----BEGIN"), "{said}");
    is_trusted(&own, &words(["--tls-pin", &own.pin()]));
    // As an authority it stands for itself.
    is_trusted(&own, &[OsString::from("--tls-ca"), (&own.cert).into()]);
}

#[test]
fn an_unknown_authority_is_refused_and_named() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let identity = theirs.for_here();
    is_refused(&identity, &in_authority(&ours), &theirs.name());
    is_refused(&identity, &in_authority(&ours), &identity.pin());
    // Nor is one that only calls itself as the right one does.
    let identity = ours.double().for_here();
    is_refused(&identity, &in_authority(&ours), "sign");
}

#[test]
fn without_options_the_systems_authorities_are_trusted_and_no_others() {
    let authority = Authority::new();
    let identity = authority.for_here();
    is_refused(&identity, &[], &authority.name());
    // Where openssl and others are told what the system's authorities are.
    let server = Server::tcp();
    let rnc = rnc(["--tls", "127.0.0.1", &server.port().to_string()])
        .env("SSL_CERT_FILE", &authority.file)
        .spawn();
    let mut peer = TlsSock::server_on(server.accept(&rnc), server_config(&identity), &rnc);
    peer.half_close(&rnc);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_certificate_that_is_not_a_servers_is_refused() {
    let authority = Authority::new();
    let trust = in_authority(&authority);
    let client = authority.signs_with(&["127.0.0.1"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    is_refused(&client, &trust, "server");
    let another = authority.signs_with(&["127.0.0.1"], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    is_refused(&another, &trust, &another.pin());
}

// ---- Pins

#[test]
fn a_pin_trusts_one_certificate_and_no_other() {
    let authority = Authority::new();
    let (right, wrong) = (authority.for_here(), authority.for_here());
    let pin = |identity: &Identity| words(["--tls-pin", &identity.pin()]);
    is_trusted(&right, &pin(&right));
    // That its authority is known does not count, and its own pin is told.
    is_refused(&right, &pin(&wrong), &right.pin());
    let both = [pin(&wrong), pin(&right)].concat();
    is_trusted(&right, &both);
    is_trusted(&wrong, &both);
    is_refused(&authority.for_here(), &both, "pin");
}

#[test]
fn a_pinned_certificate_may_be_for_anyone_and_at_any_time() {
    let authority = Authority::new();
    for identity in [
        authority.signs(&["other.example.test"]),
        authority.signs_with(&["127.0.0.1"], expired),
        authority.self_signed(&["other.example.test"]),
    ] {
        is_trusted(&identity, &words(["--tls-pin", &identity.pin()]));
        is_trusted(
            &identity,
            &words([
                "--ssl-pin",
                &identity.pin().to_uppercase().replace("SHA256", "sha256"),
            ]),
        );
    }
}

#[test]
fn openssls_fingerprint_is_a_pin() {
    let authority = Authority::new();
    let identity = authority.for_here();
    let Some(openssl) = crate::common::require("openssl", "openssl") else {
        return;
    };
    let told = Cmd::new(openssl)
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&identity.cert)
        .run();
    let told = String::from_utf8(told.stdout).expect("text");
    let (_, pin) = told.trim().split_once('=').expect("a fingerprint");
    assert_eq!(pin.len(), 95, "{pin}");
    is_trusted(&identity, &words(["--tls-pin", &format!("sha256:{pin}")]));
}

#[test]
fn no_verify_trusts_anybody_and_says_so() {
    let authority = Authority::new();
    for identity in [
        authority.signs_with(&["other.example.test"], expired),
        authority.self_signed(&["localhost"]),
    ] {
        let done = against(&identity, &words(["--tls-no-verify"]));
        done.expect_code(0).expect_complaint("--tls-no-verify");
    }
}
