//! Slots of the descriptors a task registers: standard input and output, the peer, a program,
//! listening sockets, and from `FIRST_SLOT` on those of which there can be many.

use std::ops::RangeInclusive;

/// Standard input and output.
pub const STDIO_SLOTS: [u16; 2] = [0, 1];
/// The peer.
pub const PEER_SLOT: u16 = 2;
/// A program.
pub const CHILD_SLOT: u16 = 3;
/// The first listening socket.
pub const LISTENER_SLOT: u16 = 8;
/// The first of those of which there can be many.
pub const FIRST_SLOT: u16 = 64;
/// Clients of a listener that still shake hands (TLS).
pub const HANDSHAKE_SLOTS: RangeInclusive<u16> = 0xF000..=u16::MAX;
