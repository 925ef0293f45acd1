//! TLS as a server: makes sessions towards clients.

use super::certificate::peer_cert;
use super::explain::{self, Context, TlsSide};
use super::files;
use super::own_cert::Own;
use super::pin::{fingerprint, show_pin};
use super::setup::{SetupError, key_log, provider, versions};
use super::verify::{ClientCheck, ClientTrust, Seen};
use crate::io::tls::TlsSession;
use crate::plan::tls::{self as plan, Trust};
use crate::sys::clock;
use rustls::crypto::CryptoProvider;
use rustls::server::WebPkiClientVerifier;
use rustls::{ServerConfig, ServerConnection};
use std::io;
use std::sync::Arc;

/// Makes sessions as a server.
#[derive(Debug)]
pub struct TlsAcceptor {
    config: Arc<ServerConfig>,
    plan: plan::Server,
    seen: Seen,
    /// The certificate that was made, when none was given.
    own: Option<Own>,
}

impl TlsAcceptor {
    /// Reads the files, or makes a certificate. `names` are what a new one is for.
    ///
    /// # Errors
    /// A file cannot be read, written, or does not hold what it should.
    pub fn new(plan: &plan::Server, names: Vec<String>) -> Result<TlsAcceptor, SetupError> {
        let provider = Arc::new(provider(&plan.common)?);
        let seen = Seen::default();
        let (shown, own) = match &plan.common.identity {
            Some(identity) => (files::shown_from(identity, &provider)?, None),
            None => {
                let own = match &plan.save {
                    Some(dir) => Own::kept(dir, names)?,
                    None => Own::make(names)?,
                };
                let shown = files::shown(vec![own.cert.clone()], own.key.clone_key(), &provider);
                let shown =
                    shown.map_err(|reason| SetupError::new("use the new certificate", reason))?;
                (shown, Some(own))
            }
        };
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions(&plan.common))
            .map_err(|error| SetupError::new("set up TLS", error))?;
        let builder = match &plan.clients {
            None => builder.with_no_client_auth(),
            Some(trust) => {
                let check = ClientCheck {
                    trust: trusted(trust, &provider)?,
                    seen: seen.clone(),
                    algorithms: provider.signature_verification_algorithms,
                };
                builder.with_client_cert_verifier(Arc::new(check))
            }
        };
        let mut config = builder.with_cert_resolver(shown);
        config.alpn_protocols.clone_from(&plan.common.alpn);
        config.key_log = key_log();
        // A peer that only sends, and closes without reading its tickets, would reset the
        // connection, and take back what it sent (RFC 2525, section 2.17).
        config.send_tls13_tickets = 0;
        Ok(TlsAcceptor {
            config: Arc::new(config),
            plan: plan.clone(),
            seen,
            own,
        })
    }

    /// The fingerprint of the certificate that was made, when none was given.
    pub fn own_pin(&self) -> Option<String> {
        let own = self.own.as_ref()?;
        Some(show_pin(&fingerprint(&own.cert)))
    }

    /// Why a handshake with a client failed.
    pub fn reason(&self, error: &io::Error, session: &TlsSession) -> String {
        let cert = peer_cert(session).or_else(|| self.seen.cert());
        explain::failure(
            error,
            &Context {
                side: TlsSide::Server,
                versions: self.plan.common.versions,
                name: None,
                cert: cert.as_deref(),
                first: session.first_bytes(),
                now: clock::since_1970().as_secs(),
            },
        )
    }

    /// A session with a client.
    ///
    /// # Errors
    /// The error of rustls; nothing that depends on the client.
    pub fn session(&self) -> Result<Box<TlsSession>, SetupError> {
        let session = ServerConnection::new(self.config.clone());
        let session = session.map_err(|error| SetupError::new("set up TLS", error))?;
        let session = TlsSession::new(session.into());
        Ok(Box::new(
            session.taking_bare_ends(self.plan.takes_bare_ends),
        ))
    }
}

fn trusted(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<ClientTrust, SetupError> {
    let (roots, listed) = match trust {
        Trust::Platform => (files::platform_roots()?, Vec::new()),
        Trust::Authorities(file) => files::authorities(file)?,
        Trust::Pins(pins) => return Ok(ClientTrust::Pins(pins.clone())),
        Trust::Anyone => return Ok(ClientTrust::Anyone),
    };
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    let verifier = verifier.map_err(|error| SetupError::new("set up the check of clients", error));
    verifier.map(|verifier| ClientTrust::Authorities(verifier, listed))
}
