//! Wire formats as machines without sockets and clocks, floor 0: bytes in, bytes out.
//!
//! A [`Handshake`] talks to a proxy until the way to the target is open, or to a server until TLS
//! may begin ([`starttls`]). Others change the bytes of one direction ([`crlf`], [`telnet`],
//! [`lines`], [`chat`]), cut them ([`framing`]), show them ([`hexdump`], [`record`],
//! [`timestamp`]), answer ([`services`]), or watch both directions ([`http::exchange`]). All of
//! them give the same result however their input is cut.

mod answer;
pub mod base64;
pub mod calendar;
pub mod chat;
pub mod crlf;
pub mod find;
pub mod framing;
pub mod handshake;
pub mod hello;
pub mod hexdump;
pub mod http;
pub mod lines;
pub mod pem;
pub mod record;
pub mod refused;
pub mod services;
pub mod socks4;
pub mod socks5;
pub mod starttls;
pub mod telnet;
#[cfg(test)]
mod testing;
pub mod timestamp;

pub use handshake::{Handshake, Progress, Target};
pub use http::login::Login;
pub use refused::Refused;
