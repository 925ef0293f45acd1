//! What rustls really says: sessions in memory, a client's and a server's, with certificates made
//! for the purpose.

mod certificates;
mod fixtures;
mod judged;
mod pair;

use super::*;
use crate::net::tls::pin::{fingerprint, show_pin};
use pair::*;
use proptest::prelude::*;
use rcgen::{BasicConstraints, DnType, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use rustls::version::{TLS12, TLS13};

/// A record of application data, encrypted by nobody.
const FORGED: &[u8] = &[
    23, 3, 3, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// What a client that trusts `authority` says of a server that is dialled as `old.example`.
fn refused(made: &Made, authority: &Made) -> String {
    refused_as(made, authority, "old.example")
}

fn refused_as(made: &Made, authority: &Made, name: &str) -> String {
    let client = client(trusting(authority), NO_ONE);
    let ended = shake(client, server(made, Clients::Any), name);
    assert!(ended.server.is_err(), "the server was told");
    ended.client.expect_err("refused")
}

/// What it says, but for the pin at the end, which is the certificate's.
#[track_caller]
fn untrusted(made: &Made, authority: &Made) -> String {
    let said = refused(made, authority);
    let advice = format!("; to trust it: --tls-pin {}", pin(made));
    said.strip_suffix(&advice).expect(&said).to_owned()
}

fn pin(made: &Made) -> String {
    show_pin(&fingerprint(&made.chain[0]))
}

#[test]
fn a_handshake_that_works_tells_what_it_agreed_on() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |_| {});
    for (version, said) in [
        (&TLS13, "TLS 1.3 with TLS13_AES_256_GCM_SHA384"),
        (
            &TLS12,
            "TLS 1.2 with TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        ),
    ] {
        let make = || client_of(&[version], ring(), trusting(&authority), NO_ONE);
        let ended = shake(make(), server(&made, Clients::Any), "old.example");
        assert_eq!((ended.client, ended.server), (Ok(()), Ok(())));
        assert_eq!(ended.agreed, said);
        let (mut client, mut server) = (make(), server(&made, Clients::Any));
        client.config.alpn_protocols = vec![b"h2\x1b".to_vec(), b"x".to_vec()];
        server.config.alpn_protocols = vec![b"h2\x1b".to_vec()];
        let ended = shake(client, server, "old.example");
        assert_eq!(ended.agreed, format!("{said}, protocol h2\\x1b"));
    }
}

#[test]
fn a_client_without_a_certificate_is_told() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |_| {});
    for version in [&TLS12, &TLS13] {
        let client = client_of(&[version], ring(), trusting(&authority), NO_ONE);
        let ended = shake(
            client,
            server(&made, Clients::Of(&authority)),
            "old.example",
        );
        ended.failed(
            "the peer wants a certificate of ours: --tls-cert and --tls-key (certificate_required)",
            "the client showed no certificate",
        );
    }
}

#[test]
fn a_client_with_a_wrong_certificate_is_told_on_both_sides() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |_| {});
    let stranger = authority_called("Stranger").signs(&[], |_| {});
    let to_server = |clients| {
        let client = client(trusting(&authority), Some(&stranger));
        shake(client, server(&made, clients), "old.example")
    };
    let ended = to_server(Clients::Of(&authority));
    ended.failed(
        "the peer does not trust our certificate (unknown_ca)",
        &format!(
            "the client's certificate is signed by CN=Stranger, which is not trusted here; \
             to trust it: --tls-client-pin {}",
            pin(&stranger)
        ),
    );
    let ended = to_server(Clients::Pinned([7; 32]));
    ended.failed(
        "the peer does not let us in (access_denied)",
        &format!(
            "the client's certificate is {}, which is no --tls-client-pin",
            pin(&stranger)
        ),
    );
}

#[test]
fn versions_that_do_not_meet_are_told_on_both_sides() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |_| {});
    let cases = [
        (
            (&TLS12, &TLS13),
            "the peer does not speak TLS 1.2, and --tls-max allows no newer (protocol_version)",
            "the client does not speak TLS 1.3, and --tls-min allows no older",
        ),
        (
            (&TLS13, &TLS12),
            "the peer does not speak TLS 1.3, and --tls-min allows no older (protocol_version)",
            "the client does not speak TLS 1.2, and --tls-max allows no newer",
        ),
    ];
    for ((ours, theirs), at_client, at_server) in cases {
        let client = client_of(&[ours], ring(), trusting(&authority), NO_ONE);
        let server = server_of(&[theirs], ring(), &made, Clients::Any);
        let ended = shake(client, server, "old.example");
        ended.failed(at_client, at_server);
    }
}

#[test]
fn versions_before_1_2_are_told_on_both_sides() {
    // ServerHello of TLS 1.1, choosing TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA. RFC 4346, section
    // 7.4.1.3.
    let mut hello = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0xc0, 0x09, 0]);
    let old = "speaks TLS 1.1 or older only; rnc speaks TLS 1.2 and 1.3";
    assert_eq!(client_hears(&hello), format!("the peer {old}"));
    // The alert of a server that is too old to answer at all.
    assert_eq!(
        client_hears(&[21, 3, 1, 0, 2, 2, 70]),
        format!("the peer {old}")
    );
    // ClientHello of TLS 1.0 with one cipher suite and no extensions. RFC 2246, section 7.4.1.2.
    let mut hello = vec![22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x09, 1, 0]);
    assert_eq!(server_hears(&hello), format!("the client {old}"));
}

#[test]
fn nothing_in_common_is_told_on_both_sides() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |_| {});
    let with = |named: &str| {
        let mut provider = ring();
        provider
            .cipher_suites
            .retain(|suite| format!("{:?}", suite.suite()) == named);
        assert_eq!(provider.cipher_suites.len(), 1);
        provider
    };
    let client = client_of(
        &[&TLS13],
        with("TLS13_AES_128_GCM_SHA256"),
        trusting(&authority),
        NO_ONE,
    );
    let server = server_of(
        &[&TLS13],
        with("TLS13_CHACHA20_POLY1305_SHA256"),
        &made,
        Clients::Any,
    );
    let ended = shake(client, server, "old.example");
    ended.failed(
        "the peer has no cipher suite or kind of key in common with us, or wants a certificate \
         of ours: --tls-cert (handshake_failure)",
        "no cipher suite in common with the client",
    );
}

#[test]
fn protocols_that_do_not_meet_are_told_on_both_sides() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |_| {});
    let mut client = client(trusting(&authority), NO_ONE);
    let mut server = server(&made, Clients::Any);
    client.config.alpn_protocols = vec![b"h2".to_vec()];
    server.config.alpn_protocols = vec![b"imap".to_vec()];
    let ended = shake(client, server, "old.example");
    ended.failed(
        "the peer speaks none of the protocols of --tls-alpn (no_application_protocol)",
        "the client speaks none of the protocols of --tls-alpn",
    );
}

#[test]
fn plain_text_and_garbage_are_told_on_both_sides() {
    assert_eq!(
        client_hears(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        "the peer answered in plain text: HTTP/1.1 400 Bad Request"
    );
    assert_eq!(
        client_hears(b"220 mail.example ESMTP\r\n"),
        "the peer answered in plain text: 220 mail.example ESMTP \
         (--starttls smtp goes over to TLS)"
    );
    assert_eq!(
        server_hears(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        "the client spoke plain text: GET / HTTP/1.1"
    );
    assert_eq!(server_hears(b"hi"), "the client spoke plain text: hi");
    assert_eq!(
        client_hears(&[0, 1, 2, 3, 4, 5, 6, 7, 8]),
        "the peer does not speak TLS: it sent 00 01 02 03 04 05 06 07"
    );
    // A record's type and version, and then nothing that fits.
    assert_eq!(
        server_hears(&[22, 3, 1, 0, 5, 1, 0, 0, 1, 0]),
        "the client sent what is no TLS (missing data protocol version)"
    );
    assert_eq!(
        client_hears(&[23, 3, 3, 0, 1, 0]),
        "the peer broke the rules of TLS (unexpected application data)"
    );
}

#[test]
fn an_over_long_record_is_told() {
    assert_eq!(
        client_hears(&[22, 3, 3, 0xff, 0xff]),
        "the peer sent an over-long record"
    );
}

#[test]
fn an_end_before_the_end_of_the_handshake_is_told() {
    assert_eq!(
        client_hears(b""),
        "the peer closed the connection without a word"
    );
    assert_eq!(
        client_hears(&[22, 3, 3, 0, 42, 2]),
        "the peer closed the connection in the middle of it"
    );
    assert_eq!(
        server_hears(&[21, 3, 3, 0, 2, 1, 0]),
        "the client closed the connection in the middle of it"
    );
    let context = |first| Context {
        first,
        ..context(CLIENT)
    };
    let late = io::ErrorKind::TimedOut.into();
    assert_eq!(
        failure(&late, &context(b"")),
        "the peer said nothing in time"
    );
    assert_eq!(
        failure(&late, &context(&[22, 3, 3])),
        "the peer did not finish in time"
    );
    assert_eq!(
        failure(&late, &context(b"login: ")),
        "the peer answered in plain text: login: "
    );
    let reset = io::Error::from_raw_os_error(104);
    assert_eq!(failure(&reset, &context(b"")), "Connection reset by peer");
}

#[test]
fn a_session_that_breaks_tells_how() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |_| {});
    let pair = || {
        let client = client(trusting(&authority), NO_ONE);
        connected(client, server(&made, Clients::Any))
    };
    let (mut client, _) = pair();
    let forged = client.takes(FORGED);
    assert_eq!(
        broken(&forged.expect_err("no such record"), CLIENT),
        "a record was damaged or forged"
    );
    let (mut client, mut server) = pair();
    server.writes(b"half of it");
    client.takes(&server.sent()).expect("a record");
    let cut = broken(&client.ends(), CLIENT);
    let said = "the peer closed the connection without saying so in TLS (close_notify): ";
    assert!(cut.starts_with(said), "{cut}");
    let (mut client, mut server) = pair();
    let _ = client.takes(FORGED);
    let told = server.takes(&client.sent()).expect_err("an alert");
    assert_eq!(
        broken(&told, TlsSide::Server),
        "the client got what it could not decrypt, or a signature that is wrong (bad_record_mac)"
    );
    let reset = io::Error::from_raw_os_error(104);
    assert_eq!(broken(&reset, CLIENT), "Connection reset by peer");
}

proptest! {
    /// Whatever a peer sends for a certificate and before it, there is one line about it.
    #[test]
    fn damaged_certificates_make_one_short_line(
        which in 0..5usize,
        damage in prop::collection::vec((0..600usize, any::<u8>()), 0..4),
        first: Vec<u8>,
    ) {
        let all = [
            fixtures::V1,
            fixtures::SHA1,
            fixtures::SHA1_AUTHORITY,
            fixtures::WEAK,
            fixtures::WEAK_AUTHORITY,
        ];
        let mut der = fixture(all[which]).chain[0].to_vec();
        for (at, byte) in damage {
            let at = at % der.len();
            der[at] = byte;
        }
        let context = Context { cert: Some(&der), first: &first, ..context(CLIENT) };
        let mut lines = crate::net::tls::certificate::lines(&der, NOW).to_vec();
        lines.push(reason(&rustls::CertificateError::UnknownIssuer.into(), &context));
        lines.push(reason(&rustls::CertificateError::BadSignature.into(), &context));
        lines.push(reason(&rustls::CertificateError::NotValidForName.into(), &context));
        lines.push(reason(&rustls::InvalidMessage::InvalidContentType.into(), &context));
        for line in lines {
            prop_assert!(!line.contains(char::is_control), "{line}");
            prop_assert!(line.len() < 6 * 1024);
        }
    }
}
