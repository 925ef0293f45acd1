//! The protocols that can go over to TLS (STARTTLS and its like); see `proto::starttls`.

use std::fmt;
use std::str::FromStr;

/// A protocol that can go over to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// RFC 3207.
    Smtp,
    /// RFC 2033, with the STARTTLS of SMTP.
    Lmtp,
    /// RFC 9051, section 6.2.1.
    Imap,
    /// RFC 2595, section 4.
    Pop3,
    /// RFC 5804, section 2.2.
    Sieve,
    /// RFC 4642.
    Nntp,
    /// RFC 4217.
    Ftp,
    /// RFC 6120, section 5: as a client.
    Xmpp,
    /// The same, as another server.
    XmppServer,
    /// PostgreSQL's frontend/backend protocol, SSLRequest.
    Postgres,
    /// RFC 4511, section 4.14.
    Ldap,
    /// MySQL's client/server protocol, SSLRequest.
    Mysql,
}

impl Protocol {
    /// All there are, in the order they are listed to the user.
    pub const ALL: [Protocol; 12] = [
        Protocol::Smtp,
        Protocol::Lmtp,
        Protocol::Imap,
        Protocol::Pop3,
        Protocol::Sieve,
        Protocol::Nntp,
        Protocol::Ftp,
        Protocol::Xmpp,
        Protocol::XmppServer,
        Protocol::Postgres,
        Protocol::Ldap,
        Protocol::Mysql,
    ];

    /// Their names, in the same order.
    pub const NAMES: [&'static str; Protocol::ALL.len()] = {
        let mut names = [""; Protocol::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Protocol::ALL[at].name();
            at += 1;
        }
        names
    };

    /// The name the user gives it, in small letters.
    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Smtp => "smtp",
            Protocol::Lmtp => "lmtp",
            Protocol::Imap => "imap",
            Protocol::Pop3 => "pop3",
            Protocol::Sieve => "sieve",
            Protocol::Nntp => "nntp",
            Protocol::Ftp => "ftp",
            Protocol::Xmpp => "xmpp",
            Protocol::XmppServer => "xmpp-server",
            Protocol::Postgres => "postgres",
            Protocol::Ldap => "ldap",
            Protocol::Mysql => "mysql",
        }
    }
}

/// A word that names none of [`Protocol::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownProtocol;

impl FromStr for Protocol {
    type Err = UnknownProtocol;

    fn from_str(name: &str) -> Result<Protocol, UnknownProtocol> {
        let mut all = Protocol::ALL.into_iter();
        all.find(|protocol| protocol.name() == name)
            .ok_or(UnknownProtocol)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for UnknownProtocol {
    /// Lists the names there are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (last, others) = Protocol::NAMES.split_last().unwrap_or((&"", &[]));
        write!(f, "not {} or {last}", others.join(", "))
    }
}

impl std::error::Error for UnknownProtocol {}
