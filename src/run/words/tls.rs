//! The words about TLS that cannot be put on a connection.

use crate::net::prepared::Prepared;
use crate::net::tls::TlsAcceptor;
use crate::net::wrap::WrapError;
use crate::plan::starttls::Protocol;

/// The line about a server on whose connection TLS could not be put.
pub fn server_failed(label: &str, error: &WrapError, to: &Prepared) -> String {
    let asking = || {
        let protocol = to.end().tls().and_then(|client| client.starttls);
        let protocol = protocol.map_or("", Protocol::name);
        format!("STARTTLS ({protocol}) with {label}")
    };
    match (error, to.tls()) {
        (WrapError::Asking(error), _) => format!("{} failed: {error}", asking()),
        (WrapError::Injected, _) => {
            format!(
                "{} failed: the server sent plain text after agreeing to TLS",
                asking()
            )
        }
        (WrapError::Handshake(error, session), Some(client)) => {
            let reason = client.reason(error, session, to.end().host());
            format!("TLS handshake with {label} failed: {reason}")
        }
        (WrapError::Late | WrapError::Handshake(..), _) => {
            format!("{} timed out", asking())
        }
    }
}

/// The line about a client on whose connection TLS could not be put.
pub fn client_failed(label: &str, error: &WrapError, server: &TlsAcceptor) -> String {
    if let WrapError::Handshake(error, session) = error {
        let reason = server.reason(error, session);
        format!("TLS handshake with {label} failed: {reason}")
    } else {
        // Only clients ask for TLS.
        format!("TLS handshake with {label} failed")
    }
}
