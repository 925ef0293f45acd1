//! Files of certificates and keys in all the forms that other programs write: each is read, or
//! refused with the reason; none is passed over.

use super::certs::{Authority, Identity, expired};
use super::clients::{demanding, is_let_in, is_turned_away};
use super::peer::{TlsSock, client_config};
use super::trust::{is_refused, is_trusted};
use crate::common::{Cmd, TempDir, require, rnc};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

fn text(file: &Path) -> String {
    fs::read_to_string(file).expect("a text")
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

/// Runs openssl, which writes the file of this name; `None` when this machine has none.
#[track_caller]
fn openssl(dir: &TempDir, name: &str, words: &[&str], files: &[(&str, &Path)]) -> Option<PathBuf> {
    let out = dir.join(name);
    let files = files.iter().copied().chain([("-out", out.as_path())]);
    let files = files.flat_map(|(option, file)| [option.into(), OsString::from(file)]);
    let made = Cmd::new(require("openssl", "openssl")?)
        .args(words)
        .args(files);
    made.run().expect_code(0);
    Some(out)
}

/// `--tls-ca` with a file of this content.
fn trusting(dir: &TempDir, content: impl AsRef<[u8]>) -> Vec<OsString> {
    vec!["--tls-ca".into(), dir.file("ca", content).into()]
}

#[test]
fn authorities_are_read_in_every_form() {
    let (authority, another) = (Authority::new(), Authority::new());
    let (ours, theirs) = (text(&authority.file), text(&another.file));
    let server = authority.for_here();
    for content in [
        format!("\u{feff}{ours}").into_bytes(),
        format!("{}{ours}", theirs.trim_end()).into_bytes(),
        ours.replace('\n', "\r\n").into_bytes(),
        ours.replace('\n', "\n  ").into_bytes(),
        ours.replace("CERTIFICATE", "X509 CERTIFICATE").into_bytes(),
        format!("subject=x\n{}{ours}", text(&server.key)).into_bytes(),
        authority.cert.to_vec(),
        [&authority.cert[..], b"\r\n"].concat(),
    ] {
        is_trusted(&server, &trusting(authority.dir(), content));
    }
}

#[test]
fn what_is_no_list_of_authorities_is_refused_with_the_reason() {
    let authority = Authority::new();
    let (dir, ours) = (authority.dir(), text(&authority.file));
    let crl = "-----BEGIN X509 CRL-----\nAQID\n-----END X509 CRL-----\n";
    for (content, reason) in [
        (utf16(&ours), "text in UTF-16"),
        (
            format!("{ours}{crl}").into(),
            "revoked certificates (X509 CRL)",
        ),
        (
            format!("{ours}{}", crl.replace("X509 CRL", "ATTRIBUTE CERTIFICATE")).into(),
            "no certificate (ATTRIBUTE CERTIFICATE)",
        ),
        (
            format!("{ours}{}", crl.replace("X509 CRL", "CERTIFICATE")).into(),
            "a certificate in it cannot be read",
        ),
        (
            format!("{ours}{}", ours.replacen("-----", "----", 1)).into(),
            "not the beginning of a section: ----BEGIN CERTIFICATE-----",
        ),
        (ours[..ours.len() - 9].into(), "no end of a section"),
        (ours.replace('\n', "\\n").into(), "not in base64"),
        (
            text(&authority.for_here().key).into(),
            "no certificate (PEM or DER) in it",
        ),
        (
            authority.cert[..200].into(),
            "neither PEM nor one whole thing in DER",
        ),
        (
            [&authority.cert[..], &authority.for_here().der].concat(),
            "neither PEM nor one whole thing in DER",
        ),
        (vec![], "no certificate (PEM or DER) in it"),
    ] {
        let done = rnc(["--tls"])
            .args(trusting(dir, content))
            .args(["127.0.0.1", "1"]);
        done.run().expect_code(1).expect_complaint(reason);
    }
}

#[test]
fn what_openssl_writes_is_read_or_refused_with_the_reason() {
    let authority = Authority::new();
    let (dir, file) = (authority.dir(), authority.file.as_path());
    let server = authority.for_here();
    let read: [(&str, &[&str]); 2] = [
        ("trusted.pem", &["x509", "-trustout"]),
        ("alias.pem", &["x509", "-trustout", "-setalias", "ours"]),
    ];
    for (name, words) in read {
        let Some(made) = openssl(dir, name, words, &[("-in", file)]) else {
            return;
        };
        assert!(text(&made).contains("BEGIN TRUSTED CERTIFICATE"));
        is_trusted(&server, &trusting(dir, fs::read(made).expect("read")));
    }
    let refused: [(&str, &[&str], &str, &str); 4] = [
        (
            "no.pem",
            &["x509", "-addreject", "serverAuth"],
            "-in",
            "TRUSTED CERTIFICATE that says",
        ),
        (
            "p7",
            &["crl2pkcs7", "-nocrl"],
            "-certfile",
            "PKCS #7 (openssl pkcs7 -print_certs",
        ),
        (
            "p7b",
            &["crl2pkcs7", "-nocrl", "-outform", "DER"],
            "-certfile",
            "it is PKCS #7",
        ),
        (
            "p12",
            &["pkcs12", "-export", "-nokeys", "-passout", "pass:"],
            "-in",
            "it is PKCS #12",
        ),
    ];
    for (name, words, option, reason) in refused {
        let Some(made) = openssl(dir, name, words, &[(option, file)]) else {
            return;
        };
        let done = rnc(["--tls", "--tls-ca"])
            .arg(made)
            .args(["127.0.0.1", "1"]);
        done.run().expect_code(1).expect_complaint(reason);
    }
}

/// A listener with these files, and whether a client that trusts the authority takes the chain.
#[track_caller]
fn serves(authority: &Authority, cert: &Path, key: &Path) {
    let words = ["-l".as_ref(), "--tls-cert".as_ref(), cert.as_os_str()];
    let key = ["--tls-key".as_ref(), key.as_os_str()];
    let rnc = rnc(words).args(key).args(["127.0.0.1", "0"]).spawn();
    let mut peer = TlsSock::connect(client_config(authority), &rnc);
    peer.half_close(&rnc);
    rnc.wait().expect_code(0);
}

#[test]
fn our_own_certificate_and_key_are_read_in_every_form() {
    let authority = Authority::new();
    let (dir, server) = (authority.dir(), authority.for_here());
    let der = dir.file("cert.der", &server.der);
    let key_der = dir.file("key.der", server.key_der().secret_der());
    let both = [text(&server.cert), text(&server.key)].map(|text| text.trim_end().to_owned());
    let both = dir.file("both.pem", format!("\u{feff}{}", both.concat()));
    serves(&authority, &der, &key_der);
    serves(&authority, &both, &both);
    for (name, words) in [
        ("sec1.pem", &["ec"][..]),
        ("sec1.der", &["ec", "-outform", "DER"]),
        ("params.pem", &["ec", "-param_out"]),
    ] {
        let Some(made) = openssl(dir, name, words, &[("-in", &server.key)]) else {
            return;
        };
        if name == "params.pem" {
            let all = format!("{}{}", text(&made), text(&server.key));
            serves(&authority, &server.cert, &dir.file("with-params.pem", all));
        } else {
            serves(&authority, &server.cert, &made);
        }
    }
}

#[test]
fn no_certificate_of_a_chain_is_dropped() {
    let authority = Authority::new();
    let between = authority.between();
    let server = between.for_here();
    let all = [&server.cert, &between.file].map(|file| text(file).trim_end().to_owned());
    let dir = authority.dir();
    for chain in [all.concat(), format!("\u{feff}{}", all.join("\n"))] {
        serves(&authority, &dir.file("chain.pem", chain), &server.key);
    }
}

#[test]
fn keys_that_are_not_read_are_named() {
    let authority = Authority::new();
    let (dir, server) = (authority.dir(), authority.for_here());
    let named = |label: &str| format!("-----BEGIN {label}-----\nAQID\n-----END {label}-----\n");
    for (content, reason) in [
        (
            named("OPENSSH PRIVATE KEY").into(),
            "does not read (OPENSSH PRIVATE KEY)",
        ),
        (named("ENCRYPTED PRIVATE KEY").into(), "it has a passphrase"),
        (
            named("EC PARAMETERS").into(),
            "no private key (PEM or DER) in it",
        ),
        (utf16(&text(&server.key)), "text in UTF-16"),
    ] {
        let key = dir.file("key", content);
        let words = [
            "-l".as_ref(),
            "--tls-cert".as_ref(),
            server.cert.as_os_str(),
        ];
        let key = ["--tls-key".as_ref(), key.as_os_str()];
        let done = rnc(words).args(key).args(["127.0.0.1", "0"]).run();
        done.expect_code(1).expect_complaint(reason);
    }
}

/// As `openssl x509 -req` makes it without extensions: version 1. Others may refuse it; rnc does
/// not judge what it shows.
#[test]
fn our_own_certificate_may_be_of_version_1() {
    let authority = Authority::new();
    let (dir, key) = (authority.dir(), authority.for_here().key);
    let request = ["req", "-new", "-subj", "/CN=old"];
    let Some(request) = openssl(dir, "v1.csr", &request, &[("-key", &key)]) else {
        return;
    };
    let files: [(&str, &Path); 2] = [("-in", &request), ("-signkey", &key)];
    let Some(cert) = openssl(dir, "v1.pem", &["x509", "-req"], &files) else {
        return;
    };
    let client = Identity::at(cert, key);
    // [0] INTEGER, which is left out for version 1. RFC 5280, section 4.1.2.1.
    let has_version = client.der[..12].windows(3).any(|part| part == [0xa0, 3, 2]);
    assert!(!has_version, "openssl made a version 3");
    // A listener shows it; a client does, to one that lists it.
    let plain = rnc(["-l"]).args(client.options());
    meet(plain, rnc(["--tls-pin", &client.pin()]));
    let strict = rnc(["-l", "--tls-client-ca"])
        .arg(&client.cert)
        .args(authority.for_here().options());
    let shows = rnc(["--tls-ca"])
        .arg(&authority.file)
        .args(client.options());
    meet(strict, shows);
}

/// A listener and a client, both rnc, that trust each other.
#[track_caller]
fn meet(listener: Cmd, client: Cmd) {
    let listener = listener.args(["127.0.0.1", "0"]).spawn();
    let port = listener.listening_port().to_string();
    client.args(["127.0.0.1", &port]).run().expect_code(0);
    listener.wait().expect_code(0);
}

#[test]
fn a_client_whose_own_certificate_is_listed_is_let_in_in_its_time() {
    let authority = Authority::new();
    let client = authority.self_signed(&["client"]);
    let listed = |client: &Identity| demanding(&authority, "--tls-client-ca", &client.cert);
    is_let_in(listed(&client), &authority, &client);
    let signed = authority.for_client("client");
    is_let_in(listed(&signed), &authority, &signed);
    let late = authority.signs_with(&["client"], expired);
    let reason = "the client's certificate expired on 2002-03-04";
    is_turned_away(listed(&late), &authority, Some(&late), reason);
    let stranger = authority.self_signed(&["stranger"]);
    is_turned_away(listed(&client), &authority, Some(&stranger), "self-signed");
}

#[test]
fn a_missing_authority_in_a_chain_is_no_fault_of_the_file() {
    let authority = Authority::new();
    let between = authority.between();
    let server = between.for_here();
    let trust = vec!["--tls-ca".into(), OsString::from(&authority.file)];
    is_refused(&server, &trust, "is not trusted here");
}
