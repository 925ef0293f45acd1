//! What the words for a failure depend on.

use crate::plan::tls::{Client, Spelling, Version};
use std::fmt::Debug;

/// Which side of TLS we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsSide {
    /// We connect, with a certificate of our own (`--tls-cert`) or without.
    Client {
        /// We have one.
        has_cert: bool,
        /// How options are named.
        spelling: Spelling,
    },
    /// We listen.
    Server,
}

impl TlsSide {
    /// The side of a client.
    pub fn of_client(plan: &Client) -> TlsSide {
        TlsSide::Client {
            has_cert: plan.common.identity.is_some(),
            spelling: plan.spelling,
        }
    }

    /// How options are named.
    pub fn spelling(self) -> Spelling {
        match self {
            TlsSide::Client { spelling, .. } => spelling,
            TlsSide::Server => Spelling::Options,
        }
    }

    /// What the other side is called.
    pub fn peer(self) -> &'static str {
        match self {
            TlsSide::Client { .. } => "the peer",
            TlsSide::Server => "the client",
        }
    }
}

/// What is known of a handshake beyond its error.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Which side we are.
    pub side: TlsSide,
    /// The oldest and the newest version we speak.
    pub versions: (Version, Version),
    /// The name the server's certificate must be for; `None` at a Unix socket.
    pub name: Option<&'a str>,
    /// The certificate the peer showed, in DER.
    pub cert: Option<&'a [u8]>,
    /// The first bytes from the peer, a hundred or so.
    pub first: &'a [u8],
    /// Seconds since 1970.
    pub now: u64,
}

/// A name of rustls's in words: `NoKxGroupsInCommon` is `no kx groups in common`.
pub fn spaced(name: &impl Debug) -> String {
    let mut text = String::new();
    for c in format!("{name:?}").chars() {
        let begins = c.is_ascii_uppercase() && text.ends_with(|end: char| end.is_ascii_lowercase());
        if (begins || !c.is_ascii_alphanumeric()) && !text.ends_with(' ') {
            text.push(' ');
        }
        if c.is_ascii_alphanumeric() {
            text.push(c.to_ascii_lowercase());
        }
    }
    text.truncate(text.trim_end().len());
    text
}
