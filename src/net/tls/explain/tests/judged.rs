//! What certificates and handshakes of unusual kinds are refused for.

use super::*;
use rcgen::{CustomExtension, DistinguishedName, GeneralSubtree, NameConstraints, SanType};
use rustls::PeerMisbehaved;

#[test]
fn uses_are_named_by_their_whole_identifiers() {
    let authority = authority();
    let made = authority.signs(&["old.example"], |params| {
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::CodeSigning,
            ExtendedKeyUsagePurpose::Other(vec![1, 3, 6, 1, 4, 1, 311, 10, 3, 4]),
            ExtendedKeyUsagePurpose::Other(vec![2, 999, 1_234_567]),
        ];
    });
    let said = refused(&made, &authority);
    let wanted = "not a server's, but for code signing, 1.3.6.1.4.1.311.10.3.4, 2.999.1234567; to";
    assert!(said.contains(wanted), "{said}");
}

#[test]
fn an_address_as_a_dns_name_is_told_from_an_address() {
    let authority = authority();
    let made = authority.signs(&[], |params| {
        let name = "192.0.2.1".try_into().expect("ascii");
        params.subject_alt_names = vec![SanType::DnsName(name)];
    });
    assert_eq!(
        refused_as(&made, &authority, "192.0.2.1"),
        "the certificate is for 192.0.2.1 (as a DNS name), not for 192.0.2.1"
    );
}

/// OpenSSL, GnuTLS and curl take these two; webpki does not, so that the pin is all that helps.
#[test]
fn what_webpki_cannot_judge_is_taken_by_its_pin() {
    let authority = authority();
    // One policy, 1.2.3.4. RFC 5280, section 4.2.1.4.
    let policies = b"\x30\x07\x30\x05\x06\x03\x2a\x03\x04".to_vec();
    let mut extension = CustomExtension::from_oid_content(&[2, 5, 29, 32], policies);
    extension.set_criticality(true);
    let with_policies = authority.signs(&["old.example"], |params| {
        params.custom_extensions = vec![extension];
    });
    let mut organization = DistinguishedName::new();
    organization.push(DnType::OrganizationName, "Example");
    let between = authority.signs(&[], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DirectoryName(organization.clone())],
            excluded_subtrees: vec![],
        });
    });
    let mut constrained = between.signs(&["old.example"], |params| {
        params.distinguished_name = organization;
    });
    constrained.chain.push(between.chain[0].clone());
    for (made, reason) in [
        (
            with_policies,
            "the certificate, or one between it and its authority, has a critical extension that is \
             not known, such as policies",
        ),
        (
            constrained,
            "the certificate is for a name that its authority may not sign for, or that rnc cannot \
             judge",
        ),
    ] {
        let said = refused(&made, &authority);
        assert_eq!(
            said,
            format!("{reason}; to trust it: --tls-pin {}", pin(&made))
        );
        let client = client(pinning(fingerprint(&made.chain[0])), NO_ONE);
        let ended = shake(client, server(&made, Clients::Any), "old.example");
        assert_eq!(ended.client, Ok(()));
    }
}

#[test]
fn a_chain_that_is_too_long_is_told_on_both_sides() {
    let authority = authority();
    let mut made = authority.signs(&["old.example"], |_| {});
    let one = made.chain[0].clone();
    made.chain.extend(std::iter::repeat_n(one, 200));
    let too_long = "sent a handshake message of TLS beyond 64 KiB, as a very long chain of \
                    certificates makes it";
    let ended = shake(
        client(trusting(&authority), NO_ONE),
        server(&made, Clients::Any),
        "old.example",
    );
    assert_eq!(ended.client, Err(format!("the peer {too_long}")));
    let short = authority.signs(&["old.example"], |_| {});
    let ended = shake(
        client(trusting(&authority), Some(&made)),
        server(&short, Clients::Of(&authority)),
        "old.example",
    );
    assert_eq!(ended.server, Err(format!("the client {too_long}")));
}

#[test]
fn a_session_that_is_to_begin_anew_says_so() {
    let alert = Error::AlertReceived(AlertDescription::HandshakeFailure);
    let misbehaved = Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests);
    for error in [alert, misbehaved] {
        let error = io::Error::new(io::ErrorKind::InvalidData, error);
        assert_eq!(
            broken(&error, CLIENT),
            "the peer wanted to begin TLS anew in the session (renegotiation), which rnc never does"
        );
    }
}

#[test]
fn signatures_are_named_by_their_identifiers() {
    let said = |id: &[u8]| {
        let why = rustls::CertificateError::UnsupportedSignatureAlgorithmContext {
            signature_algorithm_id: id.to_vec(),
            supported_algorithms: vec![],
        };
        reason(&why.into(), &context(CLIENT))
    };
    for (id, name) in [
        (
            &b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e\x05\0"[..],
            "RSA with SHA-224",
        ),
        (
            b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04\x05\0",
            "RSA with MD5",
        ),
        (
            b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x02",
            "DSA with SHA-256",
        ),
        (b"\x06\x03\x2b\x65\x71", "Ed448"),
        (b"\x06\x03\x88\x37\x01", "algorithm 2.999.1"),
        (b"\x05\0", "an algorithm that cannot be read: 05 00"),
    ] {
        let said = said(id);
        assert!(
            said.contains(&format!("signed with {name}, which")),
            "{said}"
        );
    }
}
