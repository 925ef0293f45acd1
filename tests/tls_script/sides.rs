//! The two sides of TLS: rnc's, set up as its options would, and the peer's, made of rustls alone.

use super::steps::Setting;
use rnc::io::tls::TlsSession;
use rnc::net::tls;
use rnc::plan::tls::{Client, Common, Server, Spelling, Trust, Version};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, Connection, DigitallySignedStruct, Error, ServerConfig,
    ServerConnection, SignatureScheme, SupportedProtocolVersion,
};
use std::cell::OnceCell;
use std::sync::Arc;

/// The name that a client asks for.
const HOST: &str = "localhost";

thread_local! {
    /// What all scripts share: a new key for each would take longer than the script.
    static SIDES: OnceCell<Sides> = const { OnceCell::new() };
}

struct Sides {
    client: tls::TlsConnector,
    server: tls::TlsAcceptor,
    /// Of TLS 1.2, and of 1.3.
    peer_clients: [Arc<ClientConfig>; 2],
    peer_servers: [ServerConfig; 2],
}

static VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

/// The two sides of a new connection: rnc's and the peer's.
pub fn new(setting: &Setting) -> (Box<TlsSession>, Connection) {
    SIDES.with(|sides| sides.get_or_init(Sides::new).meet(setting))
}

impl Sides {
    fn new() -> Sides {
        let common = || Common {
            identity: None,
            versions: (Version::V1_2, Version::V1_3),
            ciphers: Vec::new(),
            alpn: Vec::new(),
        };
        let client = tls::TlsConnector::new(&Client {
            spelling: Spelling::Options,
            common: common(),
            trust: Trust::Anyone,
            warns: false,
            tells_doubts: false,
            server_name: None,
            starttls: None,
        });
        let server = Server {
            common: common(),
            clients: None,
            save: None,
            takes_bare_ends: false,
        };
        let server = tls::TlsAcceptor::new(&server, vec![HOST.to_string()]);
        Sides {
            client: client.expect("rnc as client"),
            server: server.expect("rnc as server"),
            peer_clients: VERSIONS.map(|version| Arc::new(peer_client(version))),
            peer_servers: VERSIONS.map(peer_server),
        }
    }

    fn meet(&self, setting: &Setting) -> (Box<TlsSession>, Connection) {
        let version = usize::from(!setting.is_old);
        if setting.rnc_is_server {
            let config = self.peer_clients[version].clone();
            let name = ServerName::try_from(HOST).expect("a name");
            let peer = ClientConnection::new(config, name);
            let rnc = self.server.session().expect("session");
            (rnc, peer.expect("peer as client").into())
        } else {
            let mut config = self.peer_servers[version].clone();
            config.send_tls13_tickets = setting.tickets;
            // Nothing of one script is to be seen in the next.
            config.session_storage = ServerSessionMemoryCache::new(setting.tickets);
            let peer = ServerConnection::new(Arc::new(config));
            let rnc = self.client.session(Some(HOST)).expect("session");
            (rnc, peer.expect("peer as server").into())
        }
    }
}

fn peer_client(version: &'static SupportedProtocolVersion) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .expect("versions");
    let mut config = builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config
}

fn peer_server(version: &'static SupportedProtocolVersion) -> ServerConfig {
    let own = rcgen::generate_simple_self_signed([HOST.to_string()]).expect("certificate");
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], PrivateKeyDer::from(key))
        .expect("key")
}

/// Trusts anyone: whom to trust is not what scripts are about.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = ring::default_provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
