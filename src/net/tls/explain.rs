//! Why TLS failed, in words a user can act on: the end of a line like `rnc: TLS handshake with
//! HOST port PORT failed: REASON`. What comes from a peer is escaped and of bounded length.

mod alerts;
mod context;
mod first;
mod refused;

use crate::io::tls::said;
use crate::plan::tls::Version;
use crate::report;
use context::spaced;
pub use context::{Context, TlsSide};
use rustls::{AlertDescription, CommonState, Error, PeerIncompatible, PeerMisbehaved};
use std::error::Error as _;
use std::io;

/// Why a handshake failed, from the error of the connection.
pub fn failure(error: &io::Error, context: &Context<'_>) -> String {
    let peer = context.side.peer();
    if let Some(error) = said(error) {
        return reason(error, context);
    }
    if let Some(foreign) = first::foreign(context.first, context.side) {
        return foreign;
    }
    match (error.kind(), context.first) {
        (io::ErrorKind::UnexpectedEof, []) => {
            format!("{peer} closed the connection without a word")
        }
        (io::ErrorKind::UnexpectedEof, _) => {
            format!("{peer} closed the connection in the middle of it")
        }
        (io::ErrorKind::TimedOut, []) => format!("{peer} said nothing in time"),
        (io::ErrorKind::TimedOut, _) => format!("{peer} did not finish in time"),
        _ => report::reason(error),
    }
}

/// Why a handshake failed, from the error of rustls.
pub fn reason(error: &Error, context: &Context<'_>) -> String {
    let side = context.side;
    match error {
        Error::InvalidCertificate(why) => refused::words(why, context),
        Error::InvalidMessage(_) | Error::PeerSentOversizedRecord => {
            first::foreign(context.first, side).unwrap_or_else(|| protocol(error, side))
        }
        Error::PeerIncompatible(why) => incompatible(why, context),
        Error::AlertReceived(AlertDescription::ProtocolVersion) => {
            let ours = spoken(context);
            match context.versions {
                (Version::V1_2, Version::V1_3) => too_old(side),
                _ => format!("{} does not speak {ours} (protocol_version)", side.peer()),
            }
        }
        error => protocol(error, side),
    }
}

/// Why a session broke after its handshake. An end of the connection that TLS did not announce may
/// have been made by anyone on the way: RFC 8446, section 6.1.
pub fn broken(error: &io::Error, side: TlsSide) -> String {
    let peer = side.peer();
    match (said(error), error.kind()) {
        // A server that wants a certificate for a page asks so, and breaks off when it is refused:
        // RFC 5746, section 4.5.
        (
            Some(
                Error::AlertReceived(AlertDescription::HandshakeFailure)
                | Error::PeerMisbehaved(PeerMisbehaved::TooManyRenegotiationRequests),
            ),
            _,
        ) => format!(
            "{peer} wanted to begin TLS anew in the session (renegotiation), which rnc never does"
        ),
        (Some(error), _) => protocol(error, side),
        (None, io::ErrorKind::UnexpectedEof) => {
            format!("{peer} closed the connection without saying so in TLS (close_notify): {error}")
        }
        (None, _) => report::reason(error),
    }
}

/// What a handshake agreed on: `TLS 1.3 with TLS13_AES_128_GCM_SHA256, protocol h2`.
pub fn agreed(session: &CommonState) -> String {
    let version = match session.protocol_version() {
        Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
        Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2".to_owned(),
        other => format!("TLS {other:?}"),
    };
    let suite = session.negotiated_cipher_suite();
    let suite = suite.map_or_else(String::new, |suite| format!(" with {:?}", suite.suite()));
    let protocol = session.alpn_protocol().map_or_else(String::new, |name| {
        format!(", protocol {}", crate::parse::escape::printable(name))
    });
    format!("{version}{suite}{protocol}")
}

/// Errors that mean the same before and after the handshake is done.
fn protocol(error: &Error, side: TlsSide) -> String {
    let peer = side.peer();
    match error {
        Error::AlertReceived(alert) => alerts::words(*alert, side),
        Error::DecryptError => "a record was damaged or forged".into(),
        Error::PeerSentOversizedRecord => format!("{peer} sent an over-long record"),
        Error::InvalidMessage(rustls::InvalidMessage::MessageTooLarge) => {
            format!("{peer} sent an over-long record")
        }
        Error::InvalidMessage(rustls::InvalidMessage::HandshakePayloadTooLarge) => format!(
            "{peer} sent a handshake message of TLS beyond 64 KiB, as a very long chain of \
             certificates makes it"
        ),
        Error::InvalidMessage(why) => format!("{peer} sent what is no TLS ({})", spaced(why)),
        Error::InappropriateMessage { got_type, .. } => {
            format!(
                "{peer} broke the rules of TLS (unexpected {})",
                spaced(got_type)
            )
        }
        Error::InappropriateHandshakeMessage { got_type, .. } => {
            format!(
                "{peer} broke the rules of TLS (unexpected {})",
                spaced(got_type)
            )
        }
        Error::PeerMisbehaved(why) => format!("{peer} broke the rules of TLS ({})", spaced(why)),
        Error::NoCertificatesPresented => format!("{peer} showed no certificate"),
        Error::NoApplicationProtocol => {
            let alpn = side.spelling().option("alpn");
            format!("{peer} speaks none of the protocols of {alpn}")
        }
        error => match error.source() {
            Some(why) => format!("{error}: {why}"),
            None => error.to_string(),
        },
    }
}

fn incompatible(why: &PeerIncompatible, context: &Context<'_>) -> String {
    let peer = context.side.peer();
    let ours = spoken(context);
    let is_whole = context.versions == (Version::V1_2, Version::V1_3);
    match why {
        PeerIncompatible::ServerDoesNotSupportTls12Or13 | PeerIncompatible::Tls12NotOffered => {
            too_old(context.side)
        }
        PeerIncompatible::Tls12NotOfferedOrEnabled if is_whole => too_old(context.side),
        // Only TLS 1.2 brought that extension: RFC 5246, section 7.4.1.4.1.
        PeerIncompatible::SignatureAlgorithmsExtensionRequired
            if first::is_old_hello(context.first) =>
        {
            too_old(context.side)
        }
        PeerIncompatible::Tls12NotOfferedOrEnabled
        | PeerIncompatible::SupportedVersionsExtensionRequired
        | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig => {
            format!("{peer} does not speak {ours}")
        }
        PeerIncompatible::NoCipherSuitesInCommon => {
            format!("no cipher suite in common with {peer}")
        }
        PeerIncompatible::NoKxGroupsInCommon => {
            format!("no key exchange in common with {peer}")
        }
        PeerIncompatible::NoSignatureSchemesInCommon
        | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
            format!("{peer} takes no signature that our certificate's key can make")
        }
        why => format!("{peer} lacks something that is needed ({})", spaced(why)),
    }
}

fn too_old(side: TlsSide) -> String {
    let peer = side.peer();
    format!("{peer} speaks TLS 1.1 or older only; rnc speaks TLS 1.2 and 1.3")
}

/// Our versions in words.
fn spoken(context: &Context<'_>) -> String {
    let option = |name| context.side.spelling().option(name);
    match context.versions {
        (_, Version::V1_2) => format!("TLS 1.2, and {} allows no newer", option("max")),
        (Version::V1_3, _) => format!("TLS 1.3, and {} allows no older", option("min")),
        (Version::V1_2, Version::V1_3) => "TLS 1.2 or 1.3".into(),
    }
}

#[cfg(test)]
mod tests;
