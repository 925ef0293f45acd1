//! Options of TLS.

use super::*;
use crate::cli::dialect::NCAT;
use crate::plan::starttls::Protocol;
use crate::plan::tls::{Client, Identity, Server, Trust, Version};
use std::path::PathBuf;

const PIN: &str = "sha256:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn pin() -> [u8; 32] {
    std::array::from_fn(|at| u8::try_from(at).expect("32 of them"))
}

#[track_caller]
fn planned(words: &str, dialect: &Dialect) -> Plan {
    let plan = plan_with(words, dialect, &facts());
    plan.unwrap_or_else(|wrong| panic!("{words}: {wrong:?}"))
}

#[track_caller]
fn client_in(words: &str, dialect: &Dialect) -> Client {
    let plan = planned(words, dialect);
    plan.dialed().tls().expect(words).clone()
}

#[track_caller]
fn client(words: &str) -> Client {
    client_in(words, &NATIVE)
}

#[track_caller]
fn server_in(words: &str, dialect: &Dialect) -> Server {
    let plan = planned(words, dialect);
    plan.heard().tls.clone().expect(words)
}

#[track_caller]
fn server(words: &str) -> Server {
    server_in(words, &NATIVE)
}

#[track_caller]
fn wrong_in(words: &str, dialect: &Dialect) -> String {
    match plan_with(words, dialect, &facts()).expect_err(words) {
        Wrong::Said(said) | Wrong::Shape(said) => said,
    }
}

#[test]
fn nothing_is_encrypted_that_was_not_asked_to_be() {
    for words in ["h 443", "-l 443", "-u h 443", "-U /p"] {
        let plan = planned(words, &NATIVE);
        let is_plain = match plan.listening() {
            Some(listening) => listening.tls.is_none(),
            None => plan.dialed().tls().is_none(),
        };
        assert!(is_plain, "{words}");
    }
}

#[test]
fn each_option_asks_for_tls_in_every_dialect() {
    let options = [
        "--tls",
        "--ssl",
        "--tls-ca f",
        &format!("--tls-pin {PIN}"),
        "--tls-no-verify",
        "--tls-verify",
        "--tls-servername n",
        "--tls-cert f",
        "--tls-alpn h2",
        "--tls-min 1.3",
        "--tls-max 1.2",
        "--tls-ciphers TLS13_AES_128_GCM_SHA256",
        "--starttls smtp",
    ];
    for option in options {
        for dialect in [&NATIVE, &NC, &NCAT] {
            client_in(&format!("{option} h 443"), dialect);
        }
    }
    for option in [
        "--tls".into(),
        "--tls-cert f".into(),
        "--tls-save d".into(),
        "--tls-client-ca f".into(),
        format!("--tls-client-pin {PIN}"),
    ] {
        for dialect in [&NATIVE, &NC, &NCAT] {
            server_in(&format!("{option} -l 443"), dialect);
        }
    }
}

#[test]
fn every_option_has_ncats_spelling_too() {
    for (ours, theirs) in [
        ("--tls-ca f", "--ssl-trustfile f"),
        ("--tls-servername n", "--ssl-servername n"),
        ("--tls-cert c --tls-key k", "--ssl-cert c --ssl-key k"),
        ("--tls-alpn a,b", "--ssl-alpn a,b"),
        ("--tls-verify", "--ssl-verify"),
        ("--tls-no-verify", "--ssl-no-verify"),
        ("--tls-min 1.3 --tls-max 1.3", "--ssl-min 1.3 --ssl-max 1.3"),
        (
            "--tls-ciphers TLS_AES_128_GCM_SHA256",
            "--ssl-ciphers TLS_AES_128_GCM_SHA256",
        ),
    ] {
        for dialect in [&NATIVE, &NCAT] {
            let tls = |option| client_in(&format!("{option} h 443"), dialect);
            assert_eq!(tls(ours), tls(theirs), "{theirs}");
        }
    }
    for words in ["--ssl-ca f h 443", "--tls-trustfile f h 443"] {
        assert_eq!(client(words), client("--tls-ca f h 443"));
    }
    for words in ["tls:h:443,ca=f", "tls:h,ca=f 443", "tls:h:443 --tls-ca f"] {
        assert_eq!(client(words), client("--tls-ca f h 443"), "{words}");
    }
    assert_eq!(
        server("-l tls:127.0.0.1:443,cert=c,key=k"),
        server("-l --tls-cert c --tls-key k 127.0.0.1 443")
    );
    let pinned = client(&format!("--ssl-pin {PIN} h 443"));
    assert_eq!(pinned.trust, Trust::Pins(vec![pin()]));
    let saved = server("-l --ssl-save d --ssl-client-ca f 443");
    assert_eq!(saved.save, Some(PathBuf::from("d")));
}

#[test]
fn servers_are_checked_unless_told_otherwise_but_as_ncat() {
    let authorities = || Trust::Authorities(PathBuf::from("f"));
    let pins = Trust::Pins(vec![pin(), pin()]);
    let two = format!("--tls-pin {PIN} --tls-pin {}", PIN.to_uppercase());
    for (words, native, ncat) in [
        ("--tls", Trust::Platform, Trust::Anyone),
        ("--tls-verify", Trust::Platform, Trust::Platform),
        ("--tls-ca f", authorities(), authorities()),
        ("--tls-ca f --tls-verify", authorities(), authorities()),
        ("--tls-no-verify", Trust::Anyone, Trust::Anyone),
        (&two, pins.clone(), pins),
    ] {
        let words = format!("{words} h 443");
        assert_eq!(client(&words).trust, native, "{words}");
        assert_eq!(client_in(&words, &NC).trust, native, "{words} as nc");
        assert_eq!(client_in(&words, &NCAT).trust, ncat, "{words} as ncat");
    }
    assert!(client("--tls-no-verify h 443").warns);
    assert!(!client("--tls h 443").warns);
    assert!(!client_in("--ssl h 443", &NCAT).warns);
}

#[test]
fn who_we_are_is_in_one_file_or_two() {
    let identity = |key: &str| Identity {
        cert: "c".into(),
        key: key.into(),
    };
    for (words, wanted) in [
        ("--tls", None),
        ("--tls-cert c", Some(identity("c"))),
        ("--tls-cert c --tls-key k", Some(identity("k"))),
    ] {
        let client = client(&format!("{words} h 443"));
        let server = server(&format!("{words} -l 443"));
        assert_eq!(client.common.identity, wanted, "{words}");
        assert_eq!(server.common, client.common, "{words}");
    }
}

#[test]
fn versions_protocols_and_names_are_read() {
    use Version::{V1_2, V1_3};
    for (words, wanted) in [
        ("--tls", (V1_2, V1_3)),
        ("--tls-min 1.3", (V1_3, V1_3)),
        ("--tls-max 1.2", (V1_2, V1_2)),
        ("--tls-min 1.2 --tls-max 1.3", (V1_2, V1_3)),
    ] {
        let versions = client(&format!("{words} h 443")).common.versions;
        assert_eq!(versions, wanted, "{words}");
    }
    let alpn = client("--tls-alpn h2,http/1.1 h 443").common.alpn;
    assert_eq!(alpn, [&b"h2"[..], b"http/1.1"]);
    let longest = "a".repeat(255);
    let alpn = client(&format!("--tls-alpn {longest} h 443")).common.alpn;
    assert_eq!(alpn, [longest.as_bytes()]);
    let named = client("--tls-servername www.example h 443");
    assert_eq!(named.server_name.as_deref(), Some("www.example"));
    for (word, wanted) in [
        ("smtp", Protocol::Smtp),
        ("imap", Protocol::Imap),
        ("pop3", Protocol::Pop3),
        ("ftp", Protocol::Ftp),
        ("xmpp", Protocol::Xmpp),
        ("postgres", Protocol::Postgres),
        ("ldap", Protocol::Ldap),
        ("mysql", Protocol::Mysql),
    ] {
        let asked = client(&format!("--starttls {word} h 25")).starttls;
        assert_eq!(asked, Some(wanted), "{word}");
    }
}

#[test]
fn naming_suites_of_tls_1_2_leaves_those_of_1_3_only_as_ncat() {
    let words = "--ssl-ciphers ECDHE-RSA-AES256-GCM-SHA384 h 443";
    let named = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384";
    assert_eq!(client(words).common.ciphers, [named]);
    let as_ncat = client_in(words, &NCAT).common.ciphers;
    assert_eq!(as_ncat.len(), 4, "{as_ncat:?}");
    assert_eq!(as_ncat[0], named);
    let words = "--ssl-ciphers TLS_AES_128_GCM_SHA256 h 443";
    let as_ncat = client_in(words, &NCAT).common.ciphers;
    assert_eq!(as_ncat, ["TLS13_AES_128_GCM_SHA256"]);
}

#[test]
fn the_suites_are_those_of_rustls() {
    let provider = rustls::crypto::ring::default_provider();
    let suites = provider.cipher_suites.iter();
    let theirs: Vec<String> = suites.map(|suite| format!("{:?}", suite.suite())).collect();
    let ours: Vec<&str> = crate::parse::ciphers::all().collect();
    assert_eq!(ours, theirs);
}

#[test]
fn a_server_may_ask_clients_who_they_are() {
    assert_eq!(server("-l --tls 443").clients, None);
    let authorities = Trust::Authorities(PathBuf::from("f"));
    let clients = server("-l --tls-client-ca f 443").clients;
    assert_eq!(clients, Some(authorities));
    let clients = server(&format!("-l --tls-client-pin {PIN} 443")).clients;
    assert_eq!(clients, Some(Trust::Pins(vec![pin()])));
}

#[test]
fn an_address_without_a_name_needs_one_to_check() {
    for place in ["-U /p", "vsock:2:443"] {
        for (options, may) in [
            ("--tls", false),
            ("--tls-ca f", false),
            ("--tls-servername n", true),
            ("--tls-no-verify", true),
            (&format!("--tls-pin {PIN}"), true),
        ] {
            let words = format!("{options} {place}");
            let plan = plan_with(&words, &NATIVE, &facts());
            assert_eq!(plan.is_ok(), may, "{words}");
        }
    }
    client_in("--ssl -U /p", &NCAT);
    server("-l --tls -U /p");
    server("-l --tls vsock::443");
}

#[test]
fn tls_goes_with_every_stream_and_service() {
    for words in [
        "-lk --tls --relay h:80 443",
        "-l --tls --broker 443",
        "-l --tls --chat 443",
        "-l --tls -e cat 443",
        "-lk --tls --echo 443",
        "-l --tls --sctp 443",
        "-lU --tls /p",
    ] {
        server(words);
    }
    for words in ["--tls --sctp h 443", "--tls -x p h 443", "--tls -C h 443"] {
        client(words);
    }
}

#[test]
fn what_makes_no_sense_together_is_told() {
    for (words, wanted) in [
        (
            "--tls -u h 1",
            "--tls cannot be used with -u: rnc has no DTLS",
        ),
        (
            "-lu --tls-cert c 1",
            "--tls-cert cannot be used with -u: rnc has no DTLS",
        ),
        (
            "--tls -uU /p",
            "--tls cannot be used with -u: rnc has no DTLS",
        ),
        ("--tls -z h 1", "--tls cannot be used with -z"),
        ("--tls -F h 1", "--tls cannot be used with -F"),
        ("--tls-save d h 1", "--tls-save needs -l"),
        ("--tls-client-ca f h 1", "--tls-client-ca needs -l"),
        ("--tls-client-pin x h 1", "--tls-client-pin needs -l"),
        (
            "-l --tls-ca f 1",
            "--tls-ca cannot be used with -l: --tls-client-ca is for clients",
        ),
        (
            "-l --tls-pin x 1",
            "--tls-pin cannot be used with -l: --tls-client-pin is for clients",
        ),
        (
            "-l --tls-no-verify 1",
            "--tls-no-verify cannot be used with -l",
        ),
        ("-l --tls-verify 1", "--tls-verify cannot be used with -l"),
        (
            "-l --tls-servername n 1",
            "--tls-servername cannot be used with -l",
        ),
        ("-l --starttls smtp 1", "--starttls cannot be used with -l"),
        (
            "--tls-pin x --tls-ca f h 1",
            "--tls-pin cannot be used with --tls-ca: no authority counts then",
        ),
        (
            "--tls-pin x --tls-verify h 1",
            "--tls-pin cannot be used with --tls-verify: no authority counts then",
        ),
        (
            "--tls-pin x --tls-no-verify h 1",
            "--tls-no-verify cannot be used with --tls-pin",
        ),
        (
            "--tls-ca f --tls-no-verify h 1",
            "--tls-no-verify cannot be used with --tls-ca",
        ),
        (
            "--tls-verify --tls-no-verify h 1",
            "--tls-no-verify cannot be used with --tls-verify",
        ),
        ("--tls-key k h 1", "--tls-key needs --tls-cert"),
        (
            "-l --tls-save d --tls-cert c 1",
            "--tls-save cannot be used with --tls-cert",
        ),
        (
            "-l --tls-client-ca f --tls-client-pin x 1",
            "--tls-client-pin cannot be used with --tls-client-ca",
        ),
        (
            "--tls-min 1.3 --tls-max 1.2 h 1",
            "--tls-min is above --tls-max",
        ),
        (
            "--tls-max 1.2 --tls-ciphers TLS13_AES_128_GCM_SHA256 h 1",
            "--tls-ciphers has none for the version of --tls-min and --tls-max",
        ),
        (
            "--tls -U /p",
            "--tls over a Unix socket needs --tls-servername, or --tls-pin: there is no name to check",
        ),
    ] {
        assert_eq!(wrong_in(words, &NATIVE), wanted, "{words}");
    }
}

#[test]
fn what_says_how_to_check_a_server_means_nothing_to_ncats_listener() {
    let alone = server_in("-l --ssl 443", &NCAT);
    for words in ["--ssl-verify", "--ssl-trustfile f", "--ssl-servername n"] {
        let words = format!("-l {words} 443");
        assert_eq!(server_in(&words, &NCAT), alone, "{words}");
    }
    let words = format!("-l --tls-pin {PIN} 443");
    assert!(wrong_in(&words, &NCAT).contains("cannot be used with -l"));
}
