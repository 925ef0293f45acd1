//! Floor 3: getting ends: names, addresses, connecting, listening. Does not know what flows
//! through them.

pub mod access;
pub mod addr;
pub mod attempt;
pub mod backoff;
pub mod dial;
pub mod environment;
pub mod group;
pub mod handshake;
pub mod inside;
pub mod labels;
pub mod listen;
pub mod lookup;
pub mod news;
pub mod open;
pub mod open_error;
pub mod options;
pub mod own_file;
pub mod prepared;
pub mod probe;
pub mod race;
pub mod resolve;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
pub mod tls;
pub mod unix;
pub mod vsock;
pub mod wrap;
