//! TLS: what was typed → a rustls session. The provider of the cryptography is ring.
//!
//! aws-lc-rs has P-521 and post-quantum key exchange (X25519MLKEM768) besides. It was measured on
//! x86-64 with its C code and rustls at opt-level 3. AES-GCM takes 30 % less CPU time, and handshakes
//! as much as here. But each start spends 40 to 50 ms of CPU time on an entropy source of its own,
//! where all of a short session with ring takes 2 ms; only a variable in the environment of the build
//! turns that off (AWS_LC_SYS_NO_JITTER_ENTROPY), which `cargo install` from elsewhere than a
//! checkout does not set. The program has 5.0 MB instead of 2.6, and takes 166 s of CPU time to build
//! instead of 107. Both need a C compiler, and neither needs cmake.

mod acceptor;
pub mod certificate;
mod connector;
pub mod explain;
mod files;
mod name;
mod own_cert;
mod pin;
mod setup;
mod verify;

use crate::io::tls::TlsSession;
use crate::plan::tls as plan;
use crate::sys::clock;
pub use acceptor::TlsAcceptor;
pub use connector::TlsConnector;
use explain::TlsSide;
pub use name::{NameError, server_name};
pub use setup::SetupError;
use std::io;

/// What was agreed on with a peer, and who it is, in lines; `all` for the whole chain.
pub fn agreed(session: &TlsSession, all: bool) -> Vec<String> {
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

/// Why a session broke after its handshake: one as this client, or as a server.
pub fn broken(error: &io::Error, client: Option<&plan::Client>) -> String {
    explain::broken(error, client.map_or(TlsSide::Server, TlsSide::of_client))
}
