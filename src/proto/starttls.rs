//! Asking for TLS on a connection that begins in plain text (STARTTLS and its like), as a client.
//!
//! What is sent before TLS is not protected: anyone on the way can send it instead of the server.
//! So each machine is done exactly behind the server's go-ahead, and what came in plain text behind
//! that is never to be taken for the server's first words under TLS (CVE-2011-0411).

mod imap;
mod ldap;
mod lines;
mod mysql;
mod numbered;
mod pop3;
mod postgres;
mod sieve;
mod xmpp;

use super::Handshake;
use crate::plan::starttls::Protocol;

/// The dialogue that ends where TLS begins, with the server known as `host`: an address or a name
/// (only XMPP tells it to the server).
pub fn machine(protocol: Protocol, host: &str) -> Box<dyn Handshake> {
    match protocol {
        Protocol::Smtp => Box::new(numbered::smtp()),
        Protocol::Lmtp => Box::new(numbered::lmtp()),
        Protocol::Imap => Box::new(imap::imap()),
        Protocol::Pop3 => Box::new(pop3::pop3()),
        Protocol::Sieve => Box::new(sieve::sieve()),
        Protocol::Nntp => Box::new(numbered::nntp()),
        Protocol::Ftp => Box::new(numbered::ftp()),
        Protocol::Xmpp => Box::new(xmpp::Xmpp::client(host)),
        Protocol::XmppServer => Box::new(xmpp::Xmpp::server(host)),
        Protocol::Postgres => Box::new(postgres::Postgres::default()),
        Protocol::Ldap => Box::new(ldap::Ldap::default()),
        Protocol::Mysql => Box::new(mysql::Mysql::default()),
    }
}

#[cfg(test)]
mod tests;
