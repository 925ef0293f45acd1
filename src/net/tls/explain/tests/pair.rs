//! A client and a server in memory, and certificates for them. The time is always the same.

use super::super::{Context, TlsSide, agreed, failure};
use super::fixtures;
use crate::net::tls::server_name;
use crate::net::tls::verify::{ClientCheck, ClientTrust, Seen, ServerCheck, ServerTrust};
use crate::plan::tls::{Pin, Spelling, Version};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    date_time_ymd,
};
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, Connection, RootCertStore, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use std::io::{self, Read, Write};
use std::sync::Arc;
use std::time::Duration;

/// 15 January 2027.
pub const NOW: u64 = 1_800_000_000;
pub const CLIENT: TlsSide = TlsSide::Client {
    has_cert: false,
    spelling: Spelling::Options,
};
/// A client that has no certificate.
pub const NO_ONE: Option<&Made> = None;
const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS12, &rustls::version::TLS13];

#[derive(Debug)]
struct Fixed;

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(Duration::from_secs(NOW)))
    }
}

/// A certificate, those between it and its authority, and its key.
pub struct Made {
    pub chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
    params: CertificateParams,
}

impl Made {
    /// Another one, signed by this.
    pub fn signs(&self, names: &[&str], change: impl FnOnce(&mut CertificateParams)) -> Made {
        let key = KeyPair::try_from(&self.key[..]).expect("key");
        let issuer = Issuer::from_params(&self.params, key);
        let mut params = params("leaf", names);
        change(&mut params);
        let key = KeyPair::generate().expect("key");
        let cert = params.signed_by(&key, &issuer).expect("certificate");
        Made::new(cert.der().clone(), key.serialize_der(), params)
    }

    /// This key with the certificate of another.
    pub fn showing(self, other: &Made) -> Made {
        Made {
            chain: other.chain.clone(),
            ..self
        }
    }

    fn new(cert: CertificateDer<'static>, key: Vec<u8>, params: CertificateParams) -> Made {
        Made {
            chain: vec![cert],
            key,
            params,
        }
    }

    fn certified(&self) -> Arc<SingleCertAndKey> {
        let key = PrivateKeyDer::try_from(self.key.clone()).expect("key");
        let key = rustls::crypto::ring::sign::any_supported_type(&key).expect("key");
        Arc::new(CertifiedKey::new(self.chain.clone(), key).into())
    }

    fn roots(&self) -> Arc<RootCertStore> {
        let mut roots = RootCertStore::empty();
        roots.add(self.chain[0].clone()).expect("authority");
        Arc::new(roots)
    }
}

fn params(common_name: &str, names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).expect("names");
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2100, 1, 1);
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    params
}

fn self_made(params: CertificateParams) -> Made {
    let key = KeyPair::generate().expect("key");
    let cert = params.self_signed(&key).expect("certificate");
    Made::new(cert.der().clone(), key.serialize_der(), params)
}

/// A certificate for `old.example` that signs itself.
pub fn self_signed(change: impl FnOnce(&mut CertificateParams)) -> Made {
    let mut params = params("old.example", &["old.example"]);
    change(&mut params);
    self_made(params)
}

pub fn authority_called(name: &str) -> Made {
    let mut params = params(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    self_made(params)
}

pub fn authority() -> Made {
    authority_called("Test authority")
}

/// A certificate in PEM, with the key that the fixtures have.
pub fn fixture(pem: &str) -> Made {
    let cert = CertificateDer::from_pem_slice(pem.as_bytes()).expect("certificate");
    let key = PrivateKeyDer::from_pem_slice(fixtures::KEY.as_bytes()).expect("key");
    Made::new(cert, key.secret_der().to_vec(), params("none", &[]))
}

pub fn ring() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// Trusts what an authority signed.
pub fn trusting(authority: &Made) -> ServerTrust {
    let builder = WebPkiServerVerifier::builder_with_provider(authority.roots(), Arc::new(ring()));
    ServerTrust::Authorities(builder.build().expect("verifier"), Vec::new())
}

/// Trusts one certificate.
pub fn pinning(pin: Pin) -> ServerTrust {
    ServerTrust::Pins(vec![pin])
}

/// Which clients a server takes.
pub enum Clients<'a> {
    Any,
    Of(&'a Made),
    Pinned(Pin),
}

/// A client to be.
pub struct ClientSetup {
    pub config: ClientConfig,
    versions: (Version, Version),
    has_cert: bool,
    seen: Seen,
}

/// A server to be.
pub struct ServerSetup {
    pub config: ServerConfig,
    versions: (Version, Version),
    seen: Seen,
}

pub fn client(trust: ServerTrust, identity: Option<&Made>) -> ClientSetup {
    client_of(&BOTH, ring(), trust, identity)
}

pub fn client_of(
    versions: &[&'static SupportedProtocolVersion],
    provider: CryptoProvider,
    trust: ServerTrust,
    identity: Option<&Made>,
) -> ClientSetup {
    let seen = Seen::default();
    let check = ServerCheck {
        trust,
        doubter: None,
        seen: seen.clone(),
        algorithms: provider.signature_verification_algorithms,
    };
    let builder = ClientConfig::builder_with_details(Arc::new(provider), Arc::new(Fixed))
        .with_protocol_versions(versions)
        .expect("versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(check));
    let config = match identity {
        Some(made) => builder.with_client_cert_resolver(made.certified()),
        None => builder.with_no_client_auth(),
    };
    ClientSetup {
        config,
        versions: range(versions),
        has_cert: identity.is_some(),
        seen,
    }
}

pub fn server(made: &Made, clients: Clients<'_>) -> ServerSetup {
    server_of(&BOTH, ring(), made, clients)
}

pub fn server_of(
    versions: &[&'static SupportedProtocolVersion],
    provider: CryptoProvider,
    made: &Made,
    clients: Clients<'_>,
) -> ServerSetup {
    let algorithms = provider.signature_verification_algorithms;
    let builder = ServerConfig::builder_with_details(Arc::new(provider), Arc::new(Fixed))
        .with_protocol_versions(versions)
        .expect("versions");
    let trust = match clients {
        Clients::Any => None,
        Clients::Pinned(pin) => Some(ClientTrust::Pins(vec![pin])),
        Clients::Of(authority) => {
            let verifier =
                WebPkiClientVerifier::builder_with_provider(authority.roots(), Arc::new(ring()));
            let verifier = verifier.build().expect("verifier");
            Some(ClientTrust::Authorities(verifier, Vec::new()))
        }
    };
    let seen = Seen::default();
    let builder = match trust {
        None => builder.with_no_client_auth(),
        Some(trust) => {
            let seen = seen.clone();
            let check = ClientCheck {
                trust,
                seen,
                algorithms,
            };
            builder.with_client_cert_verifier(Arc::new(check))
        }
    };
    ServerSetup {
        config: builder.with_cert_resolver(made.certified()),
        versions: range(versions),
        seen,
    }
}

/// The oldest and the newest of these.
fn range(versions: &[&'static SupportedProtocolVersion]) -> (Version, Version) {
    let of = |version: &&SupportedProtocolVersion| match version.version {
        rustls::ProtocolVersion::TLSv1_3 => Version::V1_3,
        _ => Version::V1_2,
    };
    let versions: Vec<Version> = versions.iter().map(of).collect();
    let oldest = versions.iter().min().expect("a version");
    let newest = versions.iter().max().expect("a version");
    (*oldest, *newest)
}

/// One side of a connection.
pub struct End {
    pub session: Connection,
    /// The first bytes that came.
    first: Vec<u8>,
}

impl End {
    fn new(session: impl Into<Connection>) -> End {
        End {
            session: session.into(),
            first: Vec::new(),
        }
    }

    /// Takes what the other side sent.
    pub fn takes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.first.extend(bytes);
        while !bytes.is_empty() {
            self.session.read_tls(&mut bytes)?;
            let done = self.session.process_new_packets();
            done.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        }
        Ok(())
    }

    /// What it has to send.
    pub fn sent(&mut self) -> Vec<u8> {
        let mut sent = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut sent).expect("memory");
        }
        sent
    }

    pub fn writes(&mut self, bytes: &[u8]) {
        self.session.writer().write_all(bytes).expect("room");
    }

    /// What it says of an end of the connection.
    pub fn ends(&mut self) -> io::Error {
        self.session.read_tls(&mut io::empty()).expect("the end");
        self.session.process_new_packets().expect("nothing new");
        let mut read = Vec::new();
        let ended = self.session.reader().read_to_end(&mut read);
        ended.expect_err("no close_notify")
    }
}

/// What a side knows that has heard nothing.
pub fn context(side: TlsSide) -> Context<'static> {
    Context {
        side,
        versions: (Version::V1_2, Version::V1_3),
        name: Some("old.example"),
        cert: None,
        first: &[],
        now: NOW,
    }
}

/// How a handshake ended.
pub struct Outcome {
    /// What the client says, if it failed there.
    pub client: Result<(), String>,
    /// What the server says, if it failed there.
    pub server: Result<(), String>,
    /// What it agreed on.
    pub agreed: String,
}

impl Outcome {
    /// It failed on both sides, which say this.
    #[track_caller]
    pub fn failed(self, client: &str, server: &str) {
        assert_eq!(self.client.expect_err("failed"), client);
        assert_eq!(self.server.expect_err("failed"), server);
    }
}

/// A handshake, with a server that is dialled as `name`.
pub fn shake(client: ClientSetup, server: ServerSetup, name: &str) -> Outcome {
    let (ours, theirs) = (client.versions, server.versions);
    let seen = (client.seen.clone(), server.seen.clone());
    let has_cert = client.has_cert;
    let (mut near, mut far) = ends(client, server, name);
    let (client, server) = exchange(&mut near, &mut far);
    let (server_cert, client_cert) = (seen.0.cert(), seen.1.cert());
    let at_client = Context {
        versions: ours,
        name: Some(name),
        cert: server_cert.as_deref(),
        first: &near.first,
        ..context(TlsSide::Client {
            has_cert,
            spelling: Spelling::Options,
        })
    };
    let at_server = Context {
        versions: theirs,
        cert: client_cert.as_deref(),
        first: &far.first,
        ..context(TlsSide::Server)
    };
    Outcome {
        client: client.map_err(|error| failure(&error, &at_client)),
        server: server.map_err(|error| failure(&error, &at_server)),
        agreed: agreed(&near.session),
    }
}

/// Both ends after a handshake that worked.
pub fn connected(client: ClientSetup, server: ServerSetup) -> (End, End) {
    let (mut near, mut far) = ends(client, server, "old.example");
    let (client, server) = exchange(&mut near, &mut far);
    client.expect("the client is content");
    server.expect("the server is content");
    (near, far)
}

fn ends(client: ClientSetup, server: ServerSetup, name: &str) -> (End, End) {
    let name = server_name(name).expect("a name");
    let client = ClientConnection::new(Arc::new(client.config), name).expect("client");
    let server = ServerConnection::new(Arc::new(server.config)).expect("server");
    (End::new(client), End::new(server))
}

/// Carries bytes both ways until no more come.
fn exchange(near: &mut End, far: &mut End) -> (io::Result<()>, io::Result<()>) {
    let (mut at_near, mut at_far) = (Ok(()), Ok(()));
    loop {
        let (there, back) = (near.sent(), far.sent());
        if there.is_empty() && back.is_empty() {
            return (at_near, at_far);
        }
        if at_far.is_ok() {
            at_far = far.takes(&there);
        }
        if at_near.is_ok() {
            at_near = near.takes(&back);
        }
    }
}

/// What a client says of a server that sends this and ends.
pub fn client_hears(bytes: &[u8]) -> String {
    let setup = client(pinning([0; 32]), NO_ONE);
    let name = server_name("old.example").expect("a name");
    let session = ClientConnection::new(Arc::new(setup.config), name).expect("client");
    hears(End::new(session), bytes, CLIENT)
}

/// What a server says of a client that sends this and ends.
pub fn server_hears(bytes: &[u8]) -> String {
    let setup = server(&self_signed(|_| {}), Clients::Any);
    let session = ServerConnection::new(Arc::new(setup.config)).expect("server");
    hears(End::new(session), bytes, TlsSide::Server)
}

fn hears(mut end: End, bytes: &[u8], side: TlsSide) -> String {
    let heard = end.takes(bytes);
    let error = heard.err().unwrap_or(io::ErrorKind::UnexpectedEof.into());
    let context = Context {
        first: &end.first,
        ..context(side)
    };
    failure(&error, &context)
}
