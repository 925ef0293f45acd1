//! A TLS peer in the test itself, for what no real program does on demand: ends, breaks and floods
//! at the byte.

use super::certs::{Authority, Identity};
use crate::common::{Running, Sock, connect_to_listener};
use rustls::client::WantsClientCert;
use rustls::crypto::cipher::{MessageEncrypter, OutboundPlainMessage};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::{
    ALL_VERSIONS, ClientConfig, ClientConnection, ConfigBuilder, Connection,
    ConnectionTrafficSecrets, ContentType, ProtocolVersion, RootCertStore, ServerConfig,
    ServerConnection, SupportedCipherSuite, SupportedProtocolVersion,
};
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;

/// What a client of the test offers: TLS 1.2 and 1.3, and trust in the authority.
pub fn client_config(authority: &Authority) -> ClientConfig {
    client_config_of(authority, ALL_VERSIONS, &[])
}

/// The same with these versions alone, and these cipher suites, or all.
pub fn client_config_of(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    suites: &[SupportedCipherSuite],
) -> ClientConfig {
    client_builder(authority, versions, suites).with_no_client_auth()
}

/// A client that has a certificate.
pub fn client_config_as(authority: &Authority, client: &Identity) -> ClientConfig {
    client_builder(authority, ALL_VERSIONS, &[])
        .with_client_auth_cert(vec![client.der.clone()], client.key_der())
        .expect("a certificate")
}

fn client_builder(
    authority: &Authority,
    versions: &[&'static SupportedProtocolVersion],
    suites: &[SupportedCipherSuite],
) -> ConfigBuilder<ClientConfig, WantsClientCert> {
    let mut roots = RootCertStore::empty();
    roots.add(authority.cert.clone()).expect("an authority");
    ClientConfig::builder_with_provider(provider(suites))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_root_certificates(roots)
}

/// What a server of the test offers: TLS 1.2 and 1.3, and this certificate.
pub fn server_config(identity: &Identity) -> ServerConfig {
    server_config_of(identity, ALL_VERSIONS, &[])
}

/// The same with these versions alone, and these cipher suites, or all.
pub fn server_config_of(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
    suites: &[SupportedCipherSuite],
) -> ServerConfig {
    ServerConfig::builder_with_provider(provider(suites))
        .with_protocol_versions(versions)
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![identity.der.clone()], identity.key_der())
        .expect("a certificate")
}

fn provider(suites: &[SupportedCipherSuite]) -> Arc<CryptoProvider> {
    let mut provider = ring::default_provider();
    if !suites.is_empty() {
        provider.cipher_suites = suites.to_vec();
    }
    Arc::new(provider)
}

/// A connection with rnc at its other end. Reads and writes wait, and fail at the deadline.
pub struct TlsSock {
    session: Connection,
    sock: Sock,
    /// What it says goes in one write and one segment for each byte.
    in_single_bytes: bool,
}

impl TlsSock {
    /// Connects to rnc, which listens with a certificate for localhost.
    #[track_caller]
    pub fn connect(config: ClientConfig, rnc: &Running) -> TlsSock {
        TlsSock::client_on(connect_to_listener(rnc, None), config, rnc)
    }

    /// Begins TLS as a client on a connection to rnc.
    #[track_caller]
    pub fn client_on(sock: Sock, config: ClientConfig, rnc: &Running) -> TlsSock {
        let mut tls = TlsSock::client_before(sock, config);
        tls.shake_hands(rnc);
        tls
    }

    /// A client that has said nothing yet.
    pub fn client_before(sock: Sock, config: ClientConfig) -> TlsSock {
        let name = ServerName::try_from("localhost").expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("a session");
        TlsSock {
            session: session.into(),
            sock,
            in_single_bytes: false,
        }
    }

    /// Begins TLS as a server on a connection from rnc.
    #[track_caller]
    pub fn server_on(sock: Sock, config: ServerConfig, rnc: &Running) -> TlsSock {
        let mut tls = TlsSock::server_before(sock, config);
        tls.shake_hands(rnc);
        tls
    }

    /// A server that has heard nothing yet.
    pub fn server_before(sock: Sock, config: ServerConfig) -> TlsSock {
        let session = ServerConnection::new(Arc::new(config)).expect("a session");
        TlsSock {
            session: session.into(),
            sock,
            in_single_bytes: false,
        }
    }

    /// Goes through the handshake.
    #[track_caller]
    pub fn shake_hands(&mut self, rnc: &Running) {
        if let Err(error) = self.try_shake_hands() {
            rnc.fail(&format!("the handshake of its peer failed: {error}"));
        }
    }

    /// Goes through the handshake, and says why that fails.
    pub fn try_shake_hands(&mut self) -> io::Result<()> {
        while self.session.is_handshaking() {
            self.flush()?;
            if self.session.is_handshaking() && self.receive()? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        self.flush()
    }

    /// From now on everything goes byte by byte.
    pub fn in_single_bytes(&mut self) {
        self.in_single_bytes = true;
    }

    /// What was agreed on.
    pub fn session(&mut self) -> &mut Connection {
        &mut self.session
    }

    /// The socket under it, to do to it what TLS would not.
    pub fn sock(&mut self) -> &mut Sock {
        &mut self.sock
    }

    /// Nothing but the socket: TLS ends here without a word.
    pub fn into_sock(self) -> Sock {
        self.sock
    }

    /// Takes new keys for what it sends, and asks the other end to do so (RFC 8446, section
    /// 4.6.3). Fails when rnc is gone.
    pub fn update_keys(&mut self) -> io::Result<()> {
        let asked = self.session.refresh_traffic_keys();
        asked.map_err(io::Error::other)?;
        self.flush()
    }

    /// Writes all of it; for what fits into the socket, or when rnc surely reads.
    #[track_caller]
    pub fn say(&mut self, bytes: impl AsRef<[u8]>, to: &Running) {
        if let Err(error) = self.write_all(bytes.as_ref()).and_then(|()| self.flush()) {
            to.fail(&format!("its peer could not write: {error}"));
        }
    }

    /// Reads this many bytes.
    #[track_caller]
    pub fn read_some(&mut self, len: usize, from: &Running) -> Vec<u8> {
        let mut bytes = vec![0; len];
        if let Err(error) = self.read_exact(&mut bytes) {
            from.fail(&format!("its peer did not get {len} bytes: {error}"));
        }
        bytes
    }

    /// Reads to close_notify; an end without it is a failure.
    #[track_caller]
    pub fn read_all(&mut self, from: &Running) -> Vec<u8> {
        let mut bytes = Vec::new();
        if let Err(error) = self.read_to_end(&mut bytes) {
            from.fail(&format!(
                "its peer got {} bytes and then: {error}",
                bytes.len()
            ));
        }
        bytes
    }

    /// Says close_notify, and nothing more of TLS or TCP.
    #[track_caller]
    pub fn close_notify(&mut self, to: &Running) {
        self.session.send_close_notify();
        if let Err(error) = self.flush() {
            to.fail(&format!("its peer could not write: {error}"));
        }
    }

    /// Ends what it sends as TLS wants it: close_notify, and FIN.
    #[track_caller]
    pub fn half_close(&mut self, to: &Running) {
        self.close_notify(to);
        self.sock.half_close();
    }

    /// Gives the TLS session up, and goes on with records made by hand.
    #[track_caller]
    pub fn by_hand(self) -> ByHand {
        let secrets = self.session.dangerous_extract_secrets().expect("secrets");
        let (sequence, ConnectionTrafficSecrets::Aes128Gcm { key, iv }) = secrets.tx else {
            panic!("only one cipher suite was offered");
        };
        let suite = ring::cipher_suite::TLS13_AES_128_GCM_SHA256.tls13();
        let aead = suite.expect("a suite of TLS 1.3").aead_alg;
        ByHand {
            encrypter: aead.encrypter(key, iv),
            sequence,
            sock: self.sock,
        }
    }

    fn receive(&mut self) -> io::Result<usize> {
        let count = self.session.read_tls(&mut self.sock)?;
        if let Err(error) = self.session.process_new_packets() {
            // The alert, so that rnc knows.
            let _ = self.flush();
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        Ok(count)
    }
}

impl Read for TlsSock {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.session.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive()?,
                done => return done,
            };
        }
    }
}

impl Write for TlsSock {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.flush()?;
        self.session.writer().write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut records = Vec::new();
        while self.session.wants_write() {
            self.session.write_tls(&mut records)?;
        }
        let piece = if self.in_single_bytes {
            1
        } else {
            records.len().max(1)
        };
        records
            .chunks(piece)
            .try_for_each(|piece| self.sock.write_all(piece))
    }
}

/// The handshake message a server may send at any time (RFC 8446, section 4.6.1).
const NEW_SESSION_TICKET: u8 = 4;

/// A connection on which the test makes the records itself, with the keys of a true handshake.
/// Only `by_hand_config` leads here.
pub struct ByHand {
    encrypter: Box<dyn MessageEncrypter>,
    sequence: u64,
    sock: Sock,
}

impl ByHand {
    /// One record of this type, sealed as it should be.
    pub fn sealed(&mut self, kind: ContentType, content: &[u8]) -> Vec<u8> {
        let message = OutboundPlainMessage {
            typ: kind,
            version: ProtocolVersion::TLSv1_3,
            payload: content.into(),
        };
        let sealed = self.encrypter.encrypt(message, self.sequence);
        self.sequence += 1;
        sealed.expect("encrypt").encode()
    }

    /// A handshake message of this type, as a record.
    pub fn handshake(&mut self, kind: u8, content: &[u8]) -> Vec<u8> {
        let len = u32::try_from(content.len()).expect("a short message");
        let header = [&[kind][..], &len.to_be_bytes()[1..]].concat();
        self.sealed(ContentType::Handshake, &[&header, content].concat())
    }

    /// A ticket of this many bytes (RFC 8446, section 4.6.1).
    pub fn ticket(&mut self, len: u16) -> Vec<u8> {
        let ticket = vec![7; len.into()];
        let content = [
            &3600_u32.to_be_bytes()[..],
            // Its age is hidden by nothing, and its nonce is empty.
            &[0, 0, 0, 0, 0],
            &len.to_be_bytes(),
            &ticket,
            // No extensions.
            &[0, 0],
        ];
        self.handshake(NEW_SESSION_TICKET, &content.concat())
    }

    /// The socket under it.
    pub fn sock(&mut self) -> &mut Sock {
        &mut self.sock
    }
}

/// The server with whom `by_hand` works: one version, one cipher suite, keys that can be had.
pub fn by_hand_config(identity: &Identity) -> ServerConfig {
    let suites = [ring::cipher_suite::TLS13_AES_128_GCM_SHA256];
    let mut config = server_config_of(identity, &[&rustls::version::TLS13], &suites);
    config.enable_secret_extraction = true;
    config
}
