//! TLS: the certificate all servers here show, and clients that shake hands and say nothing.
//!
//! All contenders come to the same by themselves: TLS 1.3, AES-256-GCM, X25519, and a certificate
//! for ECDSA on P-256; only ncat as a client is held to TLS 1.2, since with 1.3 it loses data. No
//! session is resumed.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::client::Resumption;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto};

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::data::Unnamed;
use crate::place::{Place, Transport};
use crate::relay::{Descriptors, call_for, connect, memory, stop};

/// Whose certificate it is.
pub const NAME: &str = "localhost";

/// Idle connections, and for who has a process for each.
const IDLE: usize = 500;
const FEW_IDLE: usize = 50;

/// Time to come to rest in: nothing tells a client that the server has read its last words.
const SETTLE: Duration = Duration::from_millis(500);

/// See [`Identity::at_most_tls_1_2`].
const AT_MOST_TLS_1_2: &str = "\
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = default
[default]
MaxProtocol = TLSv1.2
";

/// A certificate, signed by itself, and its key; and how OpenSSL is told what it may not.
#[derive(Debug)]
pub struct Identity {
    cert: Unnamed,
    key: Unnamed,
    at_most_tls_1_2: Unnamed,
    der: CertificateDer<'static>,
}

impl Identity {
    /// The one of this run.
    pub fn get() -> Result<&'static Self> {
        static IDENTITY: OnceLock<Result<Identity>> = OnceLock::new();
        let made = IDENTITY.get_or_init(Self::make).as_ref();
        made.map_err(|why| anyhow!("no certificate: {why:#}"))
    }

    /// A new one.
    fn make() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec![NAME.to_owned()])?;
        let mut name = DistinguishedName::new();
        // socat looks for it here.
        name.push(DnType::CommonName, NAME);
        params.distinguished_name = name;
        let cert = params.self_signed(&key)?;
        Ok(Self {
            cert: file("cert", &cert.pem())?,
            key: file("key", &key.serialize_pem())?,
            at_most_tls_1_2: file("openssl", AT_MOST_TLS_1_2)?,
            der: cert.der().clone(),
        })
    }

    /// Where the certificate is, in PEM.
    pub fn cert(&self) -> PathBuf {
        self.cert.path()
    }

    /// Where the key is, in PEM.
    pub fn key(&self) -> PathBuf {
        self.key.path()
    }

    /// Where the configuration is that keeps OpenSSL from TLS 1.3. See config(5ssl).
    pub fn at_most_tls_1_2(&self) -> PathBuf {
        self.at_most_tls_1_2.path()
    }
}

/// A file with a text in it.
fn file(purpose: &str, text: &str) -> Result<Unnamed> {
    let file = Unnamed::new(purpose)?;
    let mut open = file.open(std::fs::OpenOptions::new().write(true))?;
    open.write_all(text.as_bytes())?;
    Ok(file)
}

/// Short connections for some time: how many per second, and the server's processor microseconds
/// for each, those of the processes it starts included.
pub fn short(contender: &Contender, time: Duration) -> Result<Vec<f64>> {
    let (child, port) = start(contender)?;
    let config = client()?;
    let (count, wall) = call_for(time, || call(port, &config))?;
    let cpu = stop(child)?;
    Ok(vec![count / wall, cpu * 1e6 / count])
}

/// Connections over which nothing goes after the handshake: KiB for each, of the server and of all
/// processes it has started.
pub fn idle(contender: &Contender) -> Result<Vec<f64>> {
    let _limit = Descriptors::raise()?;
    let count = match contender.serves_by_process() {
        true => FEW_IDLE,
        false => IDLE,
    };
    let (child, port) = start(contender)?;
    let config = client()?;
    let before = memory(child.pid())?;
    let mut held = Vec::new();
    for number in 0..count {
        let shaken = shake_hands(port, &config);
        held.push(shaken.with_context(|| format!("connection {number} of {count}"))?);
    }
    thread::sleep(SETTLE);
    let after = memory(child.pid())?;
    drop(held);
    stop(child)?;
    Ok(vec![(after - before) / count as f64])
}

/// A server that listens, and its port.
fn start(contender: &Contender) -> Result<(Child, u16)> {
    let place = Place::new(Transport::Tls)?;
    let Place::Tls(port, identity) = place else {
        unreachable!("asked for TLS");
    };
    let command = contender.take_all(port, identity);
    let child = Child::start(command, Stdio::null(), Stdio::null())?;
    place.wait_listening(&child, Instant::now() + PATIENCE)?;
    Ok((child, port))
}

/// What the clients know and want.
fn client() -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(Identity::get()?.der.clone())?;
    let provider = Arc::new(crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// One short connection. Whether the server says goodbye is its affair; that it goes is not.
fn call(port: u16, config: &Arc<ClientConfig>) -> Result<()> {
    let (mut socket, mut session) = shake_hands(port, config)?;
    session.send_close_notify();
    while session.wants_write() {
        session.write_tls(&mut socket)?;
    }
    socket.shutdown(Shutdown::Write)?;
    let mut rest = [0; 4096];
    while socket.read(&mut rest).context("the end did not come")? > 0 {}
    Ok(())
}

/// A connection whose handshake is done, as far as a client can know.
fn shake_hands(port: u16, config: &Arc<ClientConfig>) -> Result<(TcpStream, ClientConnection)> {
    let mut socket = connect(port)?;
    let mut session = ClientConnection::new(config.clone(), ServerName::try_from(NAME)?)?;
    while session.is_handshaking() {
        session.complete_io(&mut socket).context("no handshake")?;
    }
    let suite = session.negotiated_cipher_suite();
    let agreed = suite.map(|suite| suite.suite());
    ensure!(
        agreed == Some(rustls::CipherSuite::TLS13_AES_256_GCM_SHA384),
        "they agreed on {agreed:?}"
    );
    Ok((socket, session))
}
