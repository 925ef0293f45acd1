//! What rustls really says: sessions in memory, a client's and a server's, with certificates made
//! for the purpose.

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
fn dates_are_told() {
    let authority = authority();
    let expired = authority.signs(&["old.example"], |params| {
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 29);
    });
    assert_eq!(
        refused(&expired, &authority),
        "the certificate expired on 2020-02-29"
    );
    let early = authority.signs(&["old.example"], |params| {
        params.not_before = date_time_ymd(2030, 1, 1);
    });
    assert_eq!(
        refused(&early, &authority),
        "the certificate is not valid before 2030-01-01, and today is 2027-01-15"
    );
    let upside_down = authority.signs(&["old.example"], |params| {
        params.not_before = date_time_ymd(2030, 1, 1);
        params.not_after = date_time_ymd(2029, 1, 1);
    });
    assert_eq!(
        refused(&upside_down, &authority),
        "the certificate was never valid: it ends before it begins"
    );
}

#[test]
fn a_date_between_the_certificate_and_its_authority_is_told_as_such() {
    let authority = authority();
    let between = authority.signs(&[], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 2, 29);
    });
    let mut made = between.signs(&["old.example"], |_| {});
    made.chain.push(between.chain[0].clone());
    assert_eq!(
        refused(&made, &authority),
        "one of the certificates between it and its authority expired on 2020-02-29"
    );
}

#[test]
fn the_names_it_has_are_told() {
    let authority = authority();
    let made = authority.signs(&["a.example", "*.b.example", "192.0.2.1", "::1"], |_| {});
    let hosts = "the certificate is for a.example, *.b.example, 192.0.2.1, ::1";
    for name in [
        "c.example",
        "b.example",
        "x.y.b.example",
        "192.0.2.2",
        "::2",
        "a",
    ] {
        let said = refused_as(&made, &authority, name);
        assert_eq!(said, format!("{hosts}, not for {name}"));
    }
    for name in ["a.example", "x.b.example", "192.0.2.1", "::1"] {
        let client = client(trusting(&authority), NO_ONE);
        let ended = shake(client, server(&made, Clients::Any), name);
        assert_eq!(ended.client, Ok(()), "{name}");
    }
}

#[test]
fn where_nobody_has_a_name_the_certificate_s_is_told() {
    let made = authority().signs(&["a.example"], |_| {});
    let context = Context {
        name: None,
        cert: Some(&made.chain[0]),
        ..context(CLIENT)
    };
    assert_eq!(
        reason(&rustls::CertificateError::NotValidForName.into(), &context),
        "the certificate is for a.example, and no name is asked for: --tls-servername"
    );
}

#[test]
fn an_international_name_is_checked_in_its_ascii_form() {
    let authority = authority();
    let made = authority.signs(&["xn--bcher-kva.example"], |_| {});
    let client = client(trusting(&authority), NO_ONE);
    let ended = shake(client, server(&made, Clients::Any), "xn--bcher-kva.example");
    assert_eq!(ended.client, Ok(()));
    assert_eq!(
        refused(&made, &authority),
        "the certificate is for xn--bcher-kva.example, not for old.example"
    );
}

#[test]
fn a_common_name_alone_is_no_name() {
    let authority = authority();
    let made = authority.signs(&[], |params| {
        params
            .distinguished_name
            .push(DnType::CommonName, "old.example");
    });
    assert_eq!(
        refused(&made, &authority),
        format!(
            "the certificate is for no name at all (of CN=old.example, which does not count), \
             not for old.example; to trust it: --tls-pin {}",
            pin(&made)
        )
    );
}

#[test]
fn a_self_signed_certificate_gives_its_pin() {
    let authority = authority();
    let plain = self_signed(|_| {});
    let of_an_authority = self_signed(|params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    for made in [plain, of_an_authority] {
        assert_eq!(
            refused(&made, &authority),
            format!(
                "the certificate is self-signed; to trust it: --tls-pin {}",
                pin(&made)
            )
        );
        let pinned = pinning(fingerprint(&made.chain[0]));
        let ended = shake(
            client(pinned, NO_ONE),
            server(&made, Clients::Any),
            "any.example",
        );
        assert_eq!((ended.client, ended.server), (Ok(()), Ok(())));
    }
}

#[test]
fn an_unknown_issuer_is_named() {
    let stranger = authority_called("Stranger");
    let made = stranger.signs(&["old.example"], |_| {});
    let said = refused(&made, &authority());
    assert_eq!(
        said,
        format!(
            "the certificate is signed by CN=Stranger, which is not trusted here; to trust it: --tls-pin {}",
            pin(&made)
        )
    );
    let made = authority_called("Test authority").signs(&["old.example"], |_| {});
    let said = refused(&made, &authority());
    assert!(
        said.starts_with("a signature is wrong, or made with too short or too long a key"),
        "{said}"
    );
}

#[test]
fn the_wrong_pin_is_told_with_the_right_one() {
    let made = self_signed(|_| {});
    let client = client(pinning([7; 32]), NO_ONE);
    let ended = shake(client, server(&made, Clients::Any), "old.example");
    assert_eq!(
        ended.client.expect_err("failed"),
        format!("the certificate is {}, which is no --tls-pin", pin(&made))
    );
    assert_eq!(
        ended.server.expect_err("failed"),
        "the client does not let us in (access_denied)"
    );
}

#[test]
fn a_pinned_certificate_without_its_key_is_refused() {
    let authority = authority();
    let pinned = authority.signs(&["old.example"], |_| {});
    let thief = authority.signs(&["old.example"], |_| {}).showing(&pinned);
    for version in [&TLS12, &TLS13] {
        let trust = pinning(fingerprint(&pinned.chain[0]));
        let client = client_of(&[version], ring(), trust, NO_ONE);
        let ended = shake(client, server(&thief, Clients::Any), "old.example");
        let said = ended.client.expect_err("a thief");
        assert!(said.starts_with("a signature is wrong"), "{said}");
    }
    let clients = Clients::Pinned(fingerprint(&pinned.chain[0]));
    let client = client(trusting(&authority), Some(&thief));
    let ended = shake(client, server(&pinned, clients), "old.example");
    let said = ended.server.expect_err("a thief");
    assert!(said.starts_with("a signature is wrong"), "{said}");
}

#[test]
fn a_certificate_for_something_else_is_told_as_such() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_eq!(
        refused(&made, &authority),
        format!(
            "the certificate is not a server's, but for clients; \
             to trust it: --tls-pin {}",
            pin(&made)
        )
    );
    let made = authority.signs(&["old.example"], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    assert_eq!(
        refused(&made, &authority),
        format!(
            "the certificate is an authority's own; to trust it: --tls-pin {}",
            pin(&made)
        )
    );
}

#[test]
fn a_first_version_certificate_is_taken_by_its_pin_alone() {
    let made = fixture(fixtures::V1);
    assert_eq!(
        refused(&made, &authority()),
        format!(
            "the certificate is of X.509 version 1, not 3, and cannot be checked; \
             to trust it: --tls-pin {}",
            pin(&made)
        )
    );
    for version in [&TLS12, &TLS13] {
        let pinned = pinning(fingerprint(&made.chain[0]));
        let client = client_of(&[version], ring(), pinned, NO_ONE);
        let ended = shake(client, server(&made, Clients::Any), "any.example");
        assert_eq!((ended.client, ended.server), (Ok(()), Ok(())));
    }
}

#[test]
fn weak_signatures_are_named() {
    let made = fixture(fixtures::SHA1);
    assert_eq!(
        refused(&made, &fixture(fixtures::SHA1_AUTHORITY)),
        format!(
            "the certificate, or one between it and its authority, is signed with ECDSA with \
             SHA-1, which is not taken; to trust it: --tls-pin {}",
            pin(&made)
        )
    );
    let made = fixture(fixtures::WEAK);
    assert_eq!(
        refused(&made, &fixture(fixtures::WEAK_AUTHORITY)),
        format!(
            "a signature is wrong, or made with too short or too long a key: the certificate's own, \
             or that of the handshake; to trust it: --tls-pin {}",
            pin(&made)
        )
    );
}

/// No key that short signs anything here: what the peer would have shown is put in its place.
#[test]
fn a_key_that_is_too_short_is_told_instead_of_a_pin() {
    let weak = fixture(fixtures::WEAK_AUTHORITY);
    let context = Context {
        cert: Some(&weak.chain[0]),
        ..context(CLIENT)
    };
    let said = |why: rustls::CertificateError| reason(&why.into(), &context);
    let short = "its RSA key has 1024 bits, not 2048 to 8192";
    assert_eq!(
        said(rustls::CertificateError::UnknownIssuer),
        format!("the certificate is self-signed; {short}")
    );
    assert_eq!(
        said(rustls::CertificateError::BadSignature),
        format!("the certificate cannot be taken: {short}")
    );
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
        assert_eq!(
            ended.server.expect_err("failed"),
            "the client showed no certificate"
        );
        assert_eq!(
            ended.client.expect_err("failed"),
            "the peer wants a certificate of ours: --tls-cert and --tls-key (certificate_required)"
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
    assert_eq!(
        ended.server.expect_err("failed"),
        format!(
            "the client's certificate is signed by CN=Stranger, which is not trusted here; \
             to trust it: --tls-client-pin {}",
            pin(&stranger)
        )
    );
    assert_eq!(
        ended.client.expect_err("failed"),
        "the peer does not trust our certificate (unknown_ca)"
    );
    let ended = to_server(Clients::Pinned([7; 32]));
    assert_eq!(
        ended.server.expect_err("failed"),
        format!(
            "the client's certificate is {}, which is no --tls-client-pin",
            pin(&stranger)
        )
    );
    assert_eq!(
        ended.client.expect_err("failed"),
        "the peer does not let us in (access_denied)"
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
        assert_eq!(ended.client.expect_err("failed"), at_client);
        assert_eq!(ended.server.expect_err("failed"), at_server);
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
    assert_eq!(
        ended.server.expect_err("failed"),
        "no cipher suite in common with the client"
    );
    assert_eq!(
        ended.client.expect_err("failed"),
        "the peer has no cipher suite or kind of key in common with us, or wants a certificate \
         of ours: --tls-cert (handshake_failure)"
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
    assert_eq!(
        ended.server.expect_err("failed"),
        "the client speaks none of the protocols of --tls-alpn"
    );
    assert_eq!(
        ended.client.expect_err("failed"),
        "the peer speaks none of the protocols of --tls-alpn (no_application_protocol)"
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
        broken(&told, Side::Server),
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
