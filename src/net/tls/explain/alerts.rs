//! Alerts a peer sent, in words. RFC 8446, section 6; RFC 5246, section 7.2; RFC 6066, section 9.

use super::context::{TlsSide, spaced};
use rustls::AlertDescription as Alert;

/// What an alert of the peer means, and the alert's name in the standard.
pub fn words(alert: Alert, side: TlsSide) -> String {
    let peer = side.peer();
    let name = name(alert);
    let rejected = |why: &str| format!("{peer} {why} ({name})");
    let option = |name| side.spelling().option(name);
    if let (
        TlsSide::Client {
            has_cert: false, ..
        },
        true,
    ) = (side, is_of_certificates(alert))
    {
        let (cert, key) = (option("cert"), option("key"));
        return format!("{peer} wants a certificate of ours: {cert} and {key} ({name})");
    }
    match alert {
        Alert::CloseNotify => rejected("closed the connection in the middle of it"),
        Alert::HandshakeFailure => handshake_failure(side),
        Alert::UnknownCA => rejected("does not trust our certificate"),
        Alert::CertificateUnknown
        | Alert::BadCertificate
        | Alert::UnsupportedCertificate
        | Alert::BadCertificateHashValue
        | Alert::CertificateUnobtainable
        | Alert::NoCertificate => rejected("refused our certificate"),
        Alert::CertificateRevoked => rejected("says that our certificate is revoked"),
        Alert::CertificateExpired => {
            rejected("says that our certificate has expired, or is not valid yet")
        }
        Alert::CertificateRequired => rejected("wants a certificate of ours"),
        Alert::AccessDenied => rejected("does not let us in"),
        Alert::UnrecognisedName => match side {
            TlsSide::Client { .. } => {
                let servername = option("servername");
                format!("{peer} has no such name ({name}): {servername} asks for another")
            }
            TlsSide::Server => rejected("does not take the name"),
        },
        Alert::NoApplicationProtocol => rejected(&format!(
            "speaks none of the protocols of {}",
            option("alpn")
        )),
        Alert::ProtocolVersion => rejected("does not speak the version of TLS"),
        Alert::InsufficientSecurity => rejected("wants stronger cipher suites"),
        Alert::InternalError => rejected("had an error of its own"),
        Alert::BadRecordMac | Alert::DecryptError | Alert::DecryptionFailed => {
            rejected("got what it could not decrypt, or a signature that is wrong")
        }
        Alert::UserCanceled => rejected("gave up"),
        _ => rejected("broke it off"),
    }
}

/// Servers that want a certificate, and got none, send one of these.
fn is_of_certificates(alert: Alert) -> bool {
    matches!(
        alert,
        Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::NoCertificate
            | Alert::UnknownCA
            | Alert::UnsupportedCertificate
    )
}

/// This means that nothing is in common, or in TLS 1.2 that a certificate is missing: RFC 5246,
/// section 7.4.6.
fn handshake_failure(side: TlsSide) -> String {
    let peer = side.peer();
    let common = format!("{peer} has no cipher suite or kind of key in common with us");
    match side {
        TlsSide::Client {
            has_cert: false, ..
        } => {
            let cert = side.spelling().option("cert");
            format!("{common}, or wants a certificate of ours: {cert} (handshake_failure)")
        }
        _ => format!("{common}, or refused our certificate (handshake_failure)"),
    }
}

/// An alert's name as the standard writes it.
fn name(alert: Alert) -> String {
    match alert {
        Alert::UnknownCA => "unknown_ca".into(),
        Alert::UnrecognisedName => "unrecognized_name".into(),
        Alert::UnknownPSKIdentity => "unknown_psk_identity".into(),
        Alert::Unknown(number) => format!("alert {number}"),
        alert => spaced(&alert).replace(' ', "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tls::Spelling;

    const CLIENT: TlsSide = TlsSide::Client {
        has_cert: true,
        spelling: Spelling::Options,
    };
    const STRANGER: TlsSide = TlsSide::Client {
        has_cert: false,
        spelling: Spelling::Options,
    };

    #[test]
    fn each_alert_has_words_and_its_name() {
        for number in 0..=u8::MAX {
            let alert = Alert::from(number);
            for side in [CLIENT, STRANGER, TlsSide::Server] {
                let words = words(alert, side);
                assert!(words.starts_with(side.peer()), "{words}");
                assert!(words.contains(&name(alert)), "{words}");
            }
        }
    }

    #[test]
    fn names_are_those_of_the_standard() {
        let cases = [
            (Alert::CloseNotify, "close_notify"),
            (Alert::BadRecordMac, "bad_record_mac"),
            (Alert::UnknownCA, "unknown_ca"),
            (Alert::UnrecognisedName, "unrecognized_name"),
            (Alert::UnknownPSKIdentity, "unknown_psk_identity"),
            (Alert::NoApplicationProtocol, "no_application_protocol"),
            (Alert::Unknown(200), "alert 200"),
        ];
        for (alert, text) in cases {
            assert_eq!(name(alert), text);
        }
    }

    #[test]
    fn a_refused_certificate_is_told_from_a_missing_one() {
        assert_eq!(
            words(Alert::UnknownCA, CLIENT),
            "the peer does not trust our certificate (unknown_ca)"
        );
        assert_eq!(
            words(Alert::UnknownCA, TlsSide::Server),
            "the client does not trust our certificate (unknown_ca)"
        );
        assert_eq!(
            words(Alert::CertificateRequired, STRANGER),
            "the peer wants a certificate of ours: --tls-cert and --tls-key (certificate_required)"
        );
    }
}
