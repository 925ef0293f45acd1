//! TLS as a client: makes sessions towards servers.

use super::certificate::peer_cert;
use super::explain::{self, Context, TlsSide};
use super::files;
use super::name::server_name;
use super::setup::{SetupError, key_log, provider, versions};
use super::verify::{Doubter, Seen, ServerCheck, ServerTrust};
use crate::io::tls::TlsSession;
use crate::plan::tls::{self as plan, Trust};
use crate::sys::clock;
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

/// The name of a server that has none.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Makes sessions as a client.
#[derive(Debug)]
pub struct TlsConnector {
    config: Arc<ClientConfig>,
    plan: plan::Client,
    seen: Seen,
}

impl TlsConnector {
    /// Reads the files and the system's roots.
    ///
    /// # Errors
    /// A file cannot be read or does not hold what it should; a name of a cipher suite is unknown.
    pub fn new(plan: &plan::Client) -> Result<TlsConnector, SetupError> {
        if let Some(name) = &plan.server_name {
            let option = plan.spelling.option("servername");
            server_name(name).map_err(|error| SetupError::new(format!("take {option}"), error))?;
        }
        let provider = Arc::new(provider(&plan.common)?);
        let check = ServerCheck {
            trust: trusted(&plan.trust, &provider)?,
            doubter: if plan.tells_doubts {
                Some(doubter(&provider)?)
            } else {
                None
            },
            seen: Seen::default(),
            algorithms: provider.signature_verification_algorithms,
        };
        let seen = check.seen.clone();
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions(&plan.common))
            .map_err(|error| SetupError::new("set up TLS", error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(check));
        let mut config = match &plan.common.identity {
            Some(identity) => {
                builder.with_client_cert_resolver(files::shown_from(identity, &provider)?)
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&plan.common.alpn);
        config.key_log = key_log();
        // Each connection is made once; the tickets of a server are dropped.
        config.resumption = Resumption::disabled();
        Ok(TlsConnector {
            config: Arc::new(config),
            plan: plan.clone(),
            seen,
        })
    }

    /// A session with the server that was dialled as `host`, a name or an address; `None` where
    /// there is neither, at a Unix socket.
    ///
    /// # Errors
    /// The name is none that a certificate could have.
    pub fn session(&self, host: Option<&str>) -> Result<Box<TlsSession>, SetupError> {
        let name = match self.plan.server_name.as_deref().or(host) {
            Some(name) => named(name)?,
            // An address is not sent, and not looked for.
            None => ServerName::IpAddress(NOBODY.into()),
        };
        let session = ClientConnection::new(self.config.clone(), name);
        let session = session.map_err(|error| SetupError::new("set up TLS", error))?;
        Ok(Box::new(TlsSession::new(session.into())))
    }

    /// What was wrong with the server's certificate, where that did not count.
    pub fn doubt(&self, host: Option<&str>) -> Option<String> {
        let cert = self.seen.cert();
        let doubt = self.seen.doubt()?;
        Some(explain::reason(
            &doubt,
            &self.context(cert.as_deref(), &[], host),
        ))
    }

    fn context<'a>(
        &'a self,
        cert: Option<&'a [u8]>,
        first: &'a [u8],
        host: Option<&'a str>,
    ) -> Context<'a> {
        Context {
            side: TlsSide::of_client(&self.plan),
            versions: self.plan.common.versions,
            name: self.plan.server_name.as_deref().or(host),
            cert,
            first,
            now: clock::since_1970().as_secs(),
        }
    }

    /// Why a handshake with a server that was dialled as `host` failed.
    pub fn reason(&self, error: &io::Error, session: &TlsSession, host: Option<&str>) -> String {
        let cert = peer_cert(session).or_else(|| self.seen.cert());
        let context = self.context(cert.as_deref(), session.first_bytes(), host);
        explain::failure(error, &context)
    }
}

fn trusted(trust: &Trust, provider: &Arc<CryptoProvider>) -> Result<ServerTrust, SetupError> {
    Ok(match trust {
        Trust::Platform => {
            let authorities = web_pki(files::platform_roots()?, provider)?;
            ServerTrust::Authorities(authorities, Vec::new())
        }
        Trust::Authorities(file) => {
            let (roots, certs) = files::authorities(file)?;
            ServerTrust::Authorities(web_pki(roots, provider)?, certs)
        }
        Trust::Pins(pins) => ServerTrust::Pins(pins.clone()),
        Trust::Anyone => ServerTrust::Anyone,
    })
}

fn named(host: &str) -> Result<ServerName<'static>, SetupError> {
    server_name(host).map_err(|error| SetupError::new("find the name to check", error))
}

/// The verdict of the system's authorities.
fn doubter(provider: &Arc<CryptoProvider>) -> Result<Doubter, SetupError> {
    Ok(match files::platform_roots() {
        Ok(roots) => Doubter::Authorities(web_pki(roots, provider)?),
        Err(_) => Doubter::Nobody,
    })
}

fn web_pki(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, SetupError> {
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| SetupError::new("set up the check of servers", error))
}
