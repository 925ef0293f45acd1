//! TLS (`--tls`), seen from outside: real programs and a scripted peer at its other end, every kind
//! of certificate, every way to end and to break off, and key material that stays where it is.

#![cfg(feature = "tls")]

mod as_nc;
mod as_ncat;
pub mod certs;
mod clients;
mod ends;
mod files;
mod floods;
mod handshakes;
mod modes;
mod own;
pub mod peer;
mod programs;
mod real_peers;
mod secrets;
mod session;
mod targets;
mod told;
mod trust;
mod versions;
