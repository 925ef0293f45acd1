//! What clients and servers set up alike.

use crate::parse::escape::printable;
use crate::plan::tls::{Common, Version};
use crate::report;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{KeyLog, KeyLogFile, SupportedProtocolVersion};
use std::env;
use std::fmt;
use std::fs::OpenOptions;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::Arc;

/// What keeps TLS from being set up: what was being done, and why it failed.
#[derive(Debug)]
pub struct SetupError {
    /// For example `read the key /etc/key.pem`.
    pub doing: String,
    /// In words.
    pub reason: String,
}

impl SetupError {
    /// From both, in words.
    pub fn new(doing: impl Into<String>, reason: impl std::fmt::Display) -> SetupError {
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

/// Where the secrets of sessions are written down, for those who want to look into them: the file
/// named by SSLKEYLOGFILE, if there is such a variable.
pub fn key_log() -> Arc<dyn KeyLog> {
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
///
/// # Errors
/// There is no such suite.
pub fn provider(plan: &Common) -> Result<CryptoProvider, SetupError> {
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

/// The versions that may be spoken.
pub fn versions(plan: &Common) -> Vec<&'static SupportedProtocolVersion> {
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
