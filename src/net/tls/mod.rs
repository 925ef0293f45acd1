//! TLS: what was typed → a rustls session. The provider of the cryptography is ring: it was no
//! slower than aws-lc-rs in measurements, and builds with a C compiler alone.

pub mod certificate;
pub mod explain;
mod listed;
mod name;
mod own_cert;
mod verify;
mod watch;

use crate::io::tls::Session;
use crate::parse::escape::printable;
use crate::plan::tls::{self as plan, Common, Identity, Trust, Version};
use explain::{Context, Side};
use listed::Listed;
pub use name::{NameError, server_name};
use own_cert::{Own, fingerprint, show_pin};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fmt, io};
use verify::Pinned;
use watch::{Seen, Watched};

/// The name of a server that has none.
const NOBODY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// What keeps TLS from being set up: what was being done, and why it failed.
#[derive(Debug)]
pub struct SetupError {
    /// For example `read the key /etc/key.pem`.
    pub doing: String,
    /// In words.
    pub reason: String,
}

impl SetupError {
    fn new(doing: impl Into<String>, reason: impl std::fmt::Display) -> SetupError {
        SetupError {
            doing: doing.into(),
            reason: reason.to_string(),
        }
    }
}

impl std::error::Error for SetupError {}

impl fmt::Display for SetupError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} failed: {}", self.doing, self.reason)
    }
}

/// Sessions as a client.
#[derive(Debug)]
pub struct Client {
    config: Arc<ClientConfig>,
    plan: plan::Client,
    seen: Seen,
}

impl Client {
    /// Reads the files and the system's roots.
    ///
    /// # Errors
    /// A file cannot be read or does not hold what it should; a name of a cipher suite is unknown.
    pub fn new(plan: &plan::Client) -> Result<Client, SetupError> {
        plan.server_name.as_deref().map(named).transpose()?;
        let provider = Arc::new(provider(&plan.common)?);
        let seen = Seen::default();
        let algorithms = provider.signature_verification_algorithms;
        let check: Arc<dyn ServerCertVerifier> = match &plan.trust {
            Trust::Platform => web_pki(platform_roots()?, &provider)?,
            Trust::Authorities(file) => {
                let (roots, certs) = roots_in(file)?;
                Arc::new(Listed::new(web_pki(roots, &provider)?, certs))
            }
            Trust::Pins(pins) => Arc::new(Pinned::new(Some(pins.clone()), algorithms)),
            Trust::Anyone => Arc::new(Pinned::new(None, algorithms)),
        };
        let doubter: Option<Arc<dyn ServerCertVerifier>> = match plan.tells_doubts {
            true => Some(web_pki(platform_roots()?, &provider)?),
            false => None,
        };
        let watched = Watched::new(check, seen.clone()).doubted_by(doubter);
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions(&plan.common))
            .map_err(|error| SetupError::new("set up TLS", error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(watched));
        let mut config = match &plan.common.identity {
            Some(identity) => {
                let (certs, key) = read_identity(identity)?;
                builder
                    .with_client_auth_cert(certs, key)
                    .map_err(|error| mismatch(identity, error))?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols.clone_from(&plan.common.alpn);
        config.key_log = Arc::new(rustls::KeyLogFile::new());
        Ok(Client {
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
    pub fn session(&self, host: Option<&str>) -> Result<Box<Session>, SetupError> {
        let name = match self.plan.server_name.as_deref().or(host) {
            Some(name) => named(name)?,
            // An address is not sent, and nobody looks for it.
            None => ServerName::IpAddress(NOBODY.into()),
        };
        let session = ClientConnection::new(self.config.clone(), name);
        let session = session.map_err(|error| SetupError::new("set up TLS", error))?;
        Ok(Box::new(Session::new(session.into())))
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
            side: Side::of_client(&self.plan),
            versions: self.plan.common.versions,
            name: self.plan.server_name.as_deref().or(host),
            cert,
            first,
            now: unix_seconds(),
        }
    }

    /// Why a handshake with a server that was dialled as `host` failed.
    pub fn reason(&self, error: &io::Error, session: &Session, host: Option<&str>) -> String {
        let cert = self.seen.cert();
        let context = self.context(cert.as_deref(), session.first_bytes(), host);
        explain::failure(error, &context)
    }
}

/// Sessions as a server.
#[derive(Debug)]
pub struct Server {
    config: Arc<ServerConfig>,
    plan: plan::Server,
    seen: Seen,
    /// The certificate that was made, when none was given.
    own: Option<Own>,
}

impl Server {
    /// Reads the files, or makes a certificate. `names` are what a new one is for.
    ///
    /// # Errors
    /// A file cannot be read, written, or does not hold what it should.
    pub fn new(plan: &plan::Server, names: Vec<String>) -> Result<Server, SetupError> {
        let provider = Arc::new(provider(&plan.common)?);
        let seen = Seen::default();
        let algorithms = provider.signature_verification_algorithms;
        let (certs, key, own) = match &plan.common.identity {
            Some(identity) => {
                let (certs, key) = read_identity(identity)?;
                (certs, key, None)
            }
            None => {
                let own = match &plan.save {
                    Some(dir) => Own::kept(dir, names)?,
                    None => Own::make(names)?,
                };
                (vec![own.cert.clone()], own.key.clone_key(), Some(own))
            }
        };
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&versions(&plan.common))
            .map_err(|error| SetupError::new("set up TLS", error))?;
        let builder = match &plan.clients {
            None => builder.with_no_client_auth(),
            Some(trust) => {
                let check = client_verifier(trust, &provider, algorithms)?;
                let watched = Watched::new(check, seen.clone());
                builder.with_client_cert_verifier(Arc::new(watched))
            }
        };
        let mut config = match &plan.common.identity {
            Some(identity) => builder
                .with_single_cert(certs, key)
                .map_err(|error| mismatch(identity, error))?,
            None => builder
                .with_single_cert(certs, key)
                .map_err(|error| SetupError::new("use the new certificate", error))?,
        };
        config.alpn_protocols.clone_from(&plan.common.alpn);
        config.key_log = Arc::new(rustls::KeyLogFile::new());
        // A peer that only sends, and closes without reading its tickets, would reset the
        // connection, and take back what it sent (RFC 2525, section 2.17).
        config.send_tls13_tickets = 0;
        Ok(Server {
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
    pub fn reason(&self, error: &io::Error, session: &Session) -> String {
        let cert = self.seen.cert();
        explain::failure(
            error,
            &Context {
                side: Side::Server,
                versions: self.plan.common.versions,
                name: None,
                cert: cert.as_deref(),
                first: session.first_bytes(),
                now: unix_seconds(),
            },
        )
    }

    /// A session with a client.
    ///
    /// # Errors
    /// What rustls says; nothing that depends on the client.
    pub fn session(&self) -> Result<Box<Session>, SetupError> {
        let session = ServerConnection::new(self.config.clone());
        let session = session.map_err(|error| SetupError::new("set up TLS", error))?;
        let session = Session::new(session.into());
        Ok(Box::new(
            session.taking_bare_ends(self.plan.takes_bare_ends),
        ))
    }
}

fn named(host: &str) -> Result<ServerName<'static>, SetupError> {
    server_name(host).map_err(|error| SetupError::new("find the name to check", error))
}

/// What was agreed on with a peer, and who it is, in lines; `all` for the whole chain.
pub fn agreed(session: &Session, all: bool) -> Vec<String> {
    let connection = session.connection();
    let mut lines = vec![explain::agreed(connection)];
    let certs = connection.peer_certificates().unwrap_or_default();
    if let Some(own) = certs.first() {
        lines.extend(certificate::lines(own, unix_seconds()));
    }
    if all {
        lines.extend(certificate::chain(certs));
    }
    lines
}

/// Why a session broke after its handshake.
pub fn broken(error: &io::Error, plan: &plan::Tls) -> String {
    let side = match plan {
        plan::Tls::Client(plan) => Side::of_client(plan),
        plan::Tls::Server(_) => Side::Server,
    };
    explain::broken(error, side)
}

/// The time of day, in seconds since 1970.
fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

fn client_verifier(
    trust: &Trust,
    provider: &Arc<CryptoProvider>,
    algorithms: WebPkiSupportedAlgorithms,
) -> Result<Arc<dyn ClientCertVerifier>, SetupError> {
    let roots = match trust {
        Trust::Platform => platform_roots()?,
        Trust::Authorities(file) => roots_in(file)?.0,
        Trust::Pins(pins) => return Ok(Arc::new(Pinned::new(Some(pins.clone()), algorithms))),
        Trust::Anyone => return Ok(Arc::new(Pinned::new(None, algorithms))),
    };
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build();
    verifier.map_err(|error| SetupError::new("set up the check of clients", error))
}

fn web_pki(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<rustls::client::WebPkiServerVerifier>, SetupError> {
    rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|error| SetupError::new("set up the check of servers", error))
}

/// The provider with the cipher suites that were asked for.
fn provider(plan: &Common) -> Result<CryptoProvider, SetupError> {
    let mut provider = ring::default_provider();
    if plan.ciphers.is_empty() {
        return Ok(provider);
    }
    let mut chosen = Vec::new();
    for name in &plan.ciphers {
        let named = |suite: &&rustls::SupportedCipherSuite| {
            format!("{:?}", suite.suite()).eq_ignore_ascii_case(name)
        };
        match provider.cipher_suites.iter().find(named) {
            Some(suite) => chosen.push(*suite),
            None => {
                let known = provider.cipher_suites.iter();
                let known: Vec<String> =
                    known.map(|suite| format!("{:?}", suite.suite())).collect();
                let reason = format!("unknown; there are {}", known.join(", "));
                return Err(SetupError::new(format!("use the cipher {name}"), reason));
            }
        }
    }
    provider.cipher_suites = chosen;
    Ok(provider)
}

fn versions(plan: &Common) -> Vec<&'static SupportedProtocolVersion> {
    let (oldest, newest) = plan.versions;
    let all = [
        (Version::V1_3, &rustls::version::TLS13),
        (Version::V1_2, &rustls::version::TLS12),
    ];
    let wanted = all
        .into_iter()
        .filter(|(version, _)| (oldest..=newest).contains(version));
    wanted.map(|(_, version)| version).collect()
}

/// The authorities the system trusts.
fn platform_roots() -> Result<RootCertStore, SetupError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let doing = "find the authorities the system trusts";
    Err(match found.errors.into_iter().next() {
        Some(error) => SetupError::new(doing, error),
        None => SetupError::new(doing, "there are none (--tls-ca names a file)"),
    })
}

/// The authorities in a file, and their certificates as they are.
fn roots_in(file: &Path) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), SetupError> {
    let mut roots = RootCertStore::empty();
    let certs = read_certs(file)?;
    for cert in &certs {
        roots
            .add(cert.clone())
            .map_err(|error| SetupError::new(reading("authorities", file), error))?;
    }
    Ok((roots, certs))
}

fn read_certs(file: &Path) -> Result<Vec<CertificateDer<'static>>, SetupError> {
    let failed = |error: &dyn std::fmt::Display| {
        SetupError::new(reading("certificate", file), format!("{error}"))
    };
    let text = read(file).map_err(|error| failed(&error))?;
    let certs: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let certs = certs.map_err(|error| failed(&pem_reason(&error)))?;
    match certs.is_empty() {
        true => Err(failed(&"no certificate (PEM) in it")),
        false => Ok(certs),
    }
}

fn read_identity(
    identity: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), SetupError> {
    let certs = read_certs(&identity.cert)?;
    let failed = |error: &dyn std::fmt::Display| {
        SetupError::new(reading("key", &identity.key), format!("{error}"))
    };
    let text = read(&identity.key).map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => failed(&"no private key (PEM) in it"),
        error => failed(&pem_reason(&error)),
    })?;
    Ok((certs, key))
}

/// What is wrong with a file in PEM (RFC 7468).
fn pem_reason(error: &pem::Error) -> String {
    let shown = |line: &[u8]| printable(&line[..line.len().min(100)]);
    match error {
        pem::Error::MissingSectionEnd { end_marker } => {
            let name = String::from_utf8_lossy(end_marker);
            format!(
                "no end of a section (-----END {})",
                shown(name.trim().as_bytes())
            )
        }
        pem::Error::IllegalSectionStart { line } => {
            format!("not the beginning of a section: {}", shown(line))
        }
        pem::Error::Base64Decode(_) => "a section that is not in base64".into(),
        error => error.to_string(),
    }
}

fn read(file: &Path) -> io::Result<Vec<u8>> {
    std::fs::read(file)
}

fn reading(what: &str, file: &Path) -> String {
    format!("read the {what} {}", file.display())
}

fn mismatch(identity: &Identity, error: rustls::Error) -> SetupError {
    SetupError::new(
        format!(
            "use the certificate {} with the key {}",
            identity.cert.display(),
            identity.key.display()
        ),
        error,
    )
}
