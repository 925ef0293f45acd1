//! Floor 3: getting ends: names, addresses, connecting, listening. Does not know what flows
//! through them.

pub mod access;
pub mod addr;
pub mod dial;
pub mod group;
pub mod handshake;
pub mod listen;
pub mod lookup;
pub mod options;
pub mod own_file;
pub mod race;
pub mod resolve;
pub mod secure;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
pub mod tls;
pub mod unix;
pub mod vsock;
