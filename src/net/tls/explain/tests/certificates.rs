//! What a server's certificate is refused for.

use super::*;

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
        untrusted(&made, &authority),
        "the certificate is for no name at all (of CN=old.example, which does not count), \
             not for old.example"
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
            untrusted(&made, &authority),
            "the certificate is self-signed"
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
    assert_eq!(
        untrusted(&made, &authority()),
        "the certificate is signed by CN=Stranger, which is not trusted here"
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
    ended.failed(
        &format!("the certificate is {}, which is no --tls-pin", pin(&made)),
        "the client does not let us in (access_denied)",
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
        untrusted(&made, &authority),
        "the certificate is not a server's, but for clients"
    );
    let made = authority.signs(&["old.example"], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    assert_eq!(
        untrusted(&made, &authority),
        "the certificate is an authority's own"
    );
}

#[test]
fn a_first_version_certificate_is_taken_by_its_pin_alone() {
    let made = fixture(fixtures::V1);
    assert_eq!(
        untrusted(&made, &authority()),
        "the certificate is of X.509 version 1, not 3, and cannot be checked"
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
        untrusted(&made, &fixture(fixtures::SHA1_AUTHORITY)),
        "the certificate, or one between it and its authority, is signed with ECDSA with \
             SHA-1, which is not taken"
    );
    let made = fixture(fixtures::WEAK);
    assert_eq!(
        untrusted(&made, &fixture(fixtures::WEAK_AUTHORITY)),
        "a signature is wrong, or made with too short or too long a key: the certificate's own, \
             or that of the handshake"
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
