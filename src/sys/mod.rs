//! Floor 1: the operating system. The only unsafe code of rnc lives here; every other floor uses
//! these functions, mio, socket2 or rustix. A port to another system supplies the same names.

pub mod alloc;
pub mod batch;
pub mod child;
pub mod clock;
pub mod entry;
pub mod errno;
pub mod fdpass;
pub mod limits;
pub mod names;
pub mod offload;
pub mod outlet;
pub mod passed;
pub mod pktinfo;
mod quiet;
pub mod random;
pub mod signal;
pub mod sockopt;
pub mod stdio;
pub mod tty;
pub mod watch;
