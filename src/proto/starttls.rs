//! Asking for TLS on a connection that begins in plain text (STARTTLS and its like), as a client.

/// A protocol that can go over to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 3207.
    Smtp,
    /// RFC 9051, section 6.2.1.
    Imap,
    /// RFC 2595, section 4.
    Pop3,
    /// RFC 4217.
    Ftp,
    /// RFC 6120, section 5.
    Xmpp,
    /// PostgreSQL's frontend/backend protocol, SSLRequest.
    Postgres,
    /// RFC 4511, section 4.14.
    Ldap,
    /// MySQL's client/server protocol, SSLRequest.
    Mysql,
}
