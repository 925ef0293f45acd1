//! TLS: clients that shake hands and say nothing.
//!
//! All contenders come to the same by themselves: TLS 1.3, AES-256-GCM, X25519, and a certificate
//! for ECDSA on P-256; only ncat as a client is held to TLS 1.2, since with 1.3 it loses data. No
//! session is resumed.

use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, crypto};

use crate::child::{Child, PATIENCE};
use crate::contender::Contender;
use crate::identity::{Identity, NAME};
use crate::place::{Place, Transport};
use crate::relay::{Descriptors, call_for, connect, memory, stop};

/// Idle connections, and for who has a process for each.
const IDLE: usize = 500;
const FEW_IDLE: usize = 50;

/// Time to come to rest in: nothing tells a client that the server has read its last words.
const SETTLE: Duration = Duration::from_millis(500);

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
    let count = if contender.serves_by_process() {
        FEW_IDLE
    } else {
        IDLE
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
