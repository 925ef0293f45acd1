//! TLS: what was typed → a rustls session. The provider of the cryptography is ring.
//!
//! aws-lc-rs has P-521 and post-quantum key exchange (X25519MLKEM768) besides. It was measured on
//! x86-64 with its C code and rustls at opt-level 3. AES-GCM takes 30 % less CPU time, and handshakes
//! as much as here. But each start spends 40 to 50 ms of CPU time on an entropy source of its own,
//! where all of a short session with ring takes 2 ms; only a variable in the environment of the build
//! turns that off (AWS_LC_SYS_NO_JITTER_ENTROPY), which `cargo install` from elsewhere than a
//! checkout does not set. The program has 5.0 MB instead of 2.6, and takes 166 s of CPU time to build
//! instead of 107. Both need a C compiler, and neither needs cmake.

pub mod certificate;
mod client;
pub mod explain;
mod files;
mod name;
mod own_cert;
mod server;
mod verify;

use crate::io::tls::Session;
use crate::parse::escape::printable;
use crate::plan::tls::{self as plan, Common, Version};
use crate::report;
use crate::sys::clock;
pub use client::Client;
use explain::Side;
pub use name::{NameError, server_name};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::{KeyLog, KeyLogFile, SupportedProtocolVersion};
pub use server::Server;
use std::env;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;
use std::{fmt, io};

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

/// What was agreed on with a peer, and who it is, in lines; `all` for the whole chain.
pub fn agreed(session: &Session, all: bool) -> Vec<String> {
    let connection = session.connection();
    let mut lines = vec![explain::agreed(connection)];
    let certs = connection.peer_certificates().unwrap_or_default();
    if let Some(own) = certs.first() {
        lines.extend(certificate::lines(own, clock::since_1970().as_secs()));
    }
    if all {
        lines.extend(certificate::chain(certs));
    }
    lines
}

/// The certificate the peer has shown in this session, unless it was refused.
fn peer_cert(session: &Session) -> Option<CertificateDer<'static>> {
    session.connection().peer_certificates()?.first().cloned()
}

/// Why a session broke after its handshake.
pub fn broken(error: &io::Error, plan: &plan::Tls) -> String {
    let side = match plan {
        plan::Tls::Client(plan) => Side::of_client(plan),
        plan::Tls::Server(_) => Side::Server,
    };
    explain::broken(error, side)
}

/// Where the secrets of sessions are written down, for those who want to look into them: the file
/// named by SSLKEYLOGFILE, if there is such a variable.
fn key_log() -> Arc<dyn KeyLog> {
    if let Some(path) = env::var_os("SSLKEYLOGFILE").filter(|path| !path.is_empty())
        && let Err(error) = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&path)
    {
        let (path, reason) = (printable(path.as_bytes()), report::reason(&error));
        report::error(&format!("write SSLKEYLOGFILE {path} failed: {reason}"));
    }
    Arc::new(KeyLogFile::new())
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
