//! Floor 2: non-blocking ends and the loop that waits for them. Knows bytes, descriptors and time;
//! knows no option, no mode and no protocol.

pub mod child;
pub mod connection;
pub mod datagram;
pub mod endpoint;
pub mod error;
pub mod inbox;
pub mod internal;
pub mod kernel;
pub mod logfile;
pub mod mailbox;
pub mod memory;
pub mod peer_addr;
pub mod pool;
pub mod reactor;
pub mod ready;
pub mod refusals;
pub mod seat;
pub mod segments;
pub mod senders;
pub mod stdio;
pub mod store;
pub mod stream;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
pub mod tls;
