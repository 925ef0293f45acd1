//! What holds for all machines, with what servers of each protocol say.

use super::*;
use crate::plan::starttls::UnknownProtocol;
use crate::proto::Refused;
use crate::proto::answer::{ANSWER_MAX, LINE_MAX};
use crate::proto::testing::{converse, feed};
use proptest::prelude::*;

/// A dialogue: all the server says up to its go-ahead, and all that is to be said to it.
struct Talk {
    protocol: Protocol,
    server: &'static [u8],
    client: &'static [u8],
}

/// After what Postfix, Dovecot, Pigeonhole, INN, ProFTPD, Prosody, PostgreSQL, OpenLDAP and MySQL
/// say.
const TALKS: [Talk; 12] = [
    Talk {
        protocol: Protocol::Smtp,
        server: b"220-mx.example.org ESMTP Postfix\r\n220 be welcome\r\n\
            250-mx.example.org\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n\
            250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n220 2.0.0 Ready to start TLS\r\n",
        client: b"EHLO [127.0.0.1]\r\nSTARTTLS\r\n",
    },
    Talk {
        protocol: Protocol::Lmtp,
        server: b"220 mx.example.org Dovecot ready.\r\n250-mx.example.org\r\n250-STARTTLS\r\n\
            250 CHUNKING\r\n220 2.0.0 Begin TLS negotiation now.\r\n",
        client: b"LHLO [127.0.0.1]\r\nSTARTTLS\r\n",
    },
    Talk {
        protocol: Protocol::Imap,
        server: b"* OK [CAPABILITY IMAP4rev1 ID STARTTLS LOGINDISABLED] Dovecot ready.\r\n\
            * CAPABILITY IMAP4rev1\r\na1 OK Begin TLS negotiation now.\r\n",
        client: b"a1 STARTTLS\r\n",
    },
    Talk {
        protocol: Protocol::Pop3,
        server: b"+OK Dovecot ready.\r\n+OK Begin TLS negotiation now.\r\n",
        client: b"STLS\r\n",
    },
    Talk {
        protocol: Protocol::Sieve,
        server: b"\"IMPLEMENTATION\" \"Dovecot Pigeonhole\"\r\n\"SIEVE\" \"fileinto reject\"\r\n\
            \"SASL\" \"\"\r\n\"STARTTLS\"\r\n\"VERSION\" \"1.0\"\r\nOK \"Dovecot ready.\"\r\n\
            OK \"Begin TLS negotiation now.\"\r\n",
        client: b"STARTTLS\r\n",
    },
    Talk {
        protocol: Protocol::Nntp,
        server: b"201 news.example.org InterNetNews NNRP server ready (no posting)\r\n\
            382 Begin TLS negotiation now\r\n",
        client: b"STARTTLS\r\n",
    },
    Talk {
        protocol: Protocol::Ftp,
        server: b"220-Welcome to\r\n 220 halls\r\n220 ProFTPD Server ready.\r\n\
            234 AUTH TLS successful\r\n",
        client: b"AUTH TLS\r\n",
    },
    Talk {
        protocol: Protocol::Xmpp,
        server: b"<?xml version='1.0'?><stream:stream version='1.0' id='a-b' from='h' \
            xml:lang='en' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>\
            <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>\
            </starttls></stream:features><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        client: b"<?xml version='1.0'?><stream:stream to='h' version='1.0' xmlns='jabber:client' \
            xmlns:stream='http://etherx.jabber.org/streams'>\
            <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    },
    Talk {
        protocol: Protocol::XmppServer,
        server: b"<?xml version='1.0'?><stream:stream xmlns:db='jabber:server:dialback' id='b' \
            xmlns='jabber:server' version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>\
            <stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>\
            </stream:features><proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
        client: b"<?xml version='1.0'?><stream:stream to='h' version='1.0' xmlns='jabber:server' \
            xmlns:stream='http://etherx.jabber.org/streams'>\
            <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
    },
    Talk {
        protocol: Protocol::Postgres,
        server: b"S",
        client: b"\0\0\0\x08\x04\xd2\x16\x2f",
    },
    Talk {
        protocol: Protocol::Ldap,
        server: b"\x30\x24\x02\x01\x01\x78\x1f\x0a\x01\0\x04\0\x04\0\x8a\x16\
            1.3.6.1.4.1.1466.20037",
        client: b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
    },
    Talk {
        protocol: Protocol::Mysql,
        server: b"\x4a\0\0\0\x0a8.0.32\0\x08\0\0\0\x1cF\x19FYv@K\0\xff\xff\xff\x02\0\xff\xdf\x15\
            \0\0\0\0\0\0\0\0\0\0\x1c\x46\x19\x46\x59\x76\x40\x4b\x01\x02\x03\x04\0\
            caching_sha2_password\0",
        client: b"\x20\0\0\x01\x85\xae\x7f\0\0\0\0\x01\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\
            \0\0\0",
    },
];

fn made(protocol: Protocol) -> impl Fn() -> Box<dyn Handshake> {
    move || machine(protocol, "h")
}

#[test]
fn each_protocol_has_a_name() {
    for protocol in Protocol::ALL {
        assert_eq!(protocol.name().parse(), Ok(protocol));
        assert_eq!(protocol.to_string(), protocol.name());
        assert!(TALKS.iter().any(|talk| talk.protocol == protocol));
    }
    for name in ["", "SMTP", "smtps", "smtp "] {
        assert_eq!(name.parse::<Protocol>(), Err(UnknownProtocol));
    }
    let names = "not smtp, lmtp, imap, pop3, sieve, nntp, ftp, xmpp, xmpp-server, postgres, \
                 ldap or mysql";
    assert_eq!(UnknownProtocol.to_string(), names);
}

/// What comes behind is left: it is for the caller to refuse it.
#[test]
fn each_is_done_right_behind_the_go_ahead_and_no_sooner() {
    for Talk {
        protocol,
        server,
        client,
    } in TALKS
    {
        for behind in [&b""[..], b"\x16\x03", b"\r\n", b"220 x\r\n", b"<x/>"] {
            let (end, sent) = converse(made(protocol), &[server, behind].concat());
            assert_eq!(end, Ok(Some(behind.to_vec())), "{protocol}");
            assert_eq!(
                sent.escape_ascii().to_string(),
                client.escape_ascii().to_string()
            );
        }
        for len in 0..server.len() {
            let end = feed(machine(protocol, "h"), server[..len].chunks(3)).0;
            assert_eq!(end, Ok(None), "{protocol} after {len} bytes");
        }
        let mut begun = machine(protocol, "h");
        assert_eq!(begun.lost(), Some(Refused::Closed));
    }
}

#[test]
fn answers_without_an_end_are_too_long() {
    let long_line = |start: &str| (format!("{start}{}", "x".repeat(LINE_MAX)), start.len());
    let many_lines = |start: &str, line: &str| {
        let count = ANSWER_MAX / line.len() + 1;
        (format!("{start}{}", line.repeat(count)), start.len())
    };
    for (protocol, (answer, start)) in [
        (Protocol::Smtp, long_line("220 ")),
        (Protocol::Smtp, many_lines("220-h\r\n", "220-more\r\n")),
        (Protocol::Ftp, many_lines("220-h\r\n", "and so on\r\n")),
        (Protocol::Ftp, many_lines("", "120 wait\r\n")),
        (Protocol::Pop3, long_line("+OK ")),
        (Protocol::Imap, long_line("* OK ")),
        (
            Protocol::Imap,
            many_lines("* OK hi\r\n", "* OK still here\r\n"),
        ),
        (Protocol::Sieve, long_line("\"SASL\" ")),
        (Protocol::Sieve, many_lines("OK {99999999}\r\n", "more\r\n")),
        (Protocol::Nntp, many_lines("200-hi\r\n", "200-more\r\n")),
        (Protocol::Xmpp, many_lines("", " ")),
        (Protocol::Xmpp, many_lines("<stream a='", "x")),
        (Protocol::Xmpp, many_lines("<stream><features>", "<a>")),
    ] {
        let bytes = answer.as_bytes();
        for len in [bytes.len(), 4096, 7] {
            let end = feed(machine(protocol, "h"), bytes.chunks(len)).0;
            assert_eq!(
                end,
                Err(Refused::TooLong),
                "{protocol} {:?}",
                &answer[..start + 9]
            );
        }
    }
}

proptest! {
    #[test]
    fn no_answer_panics_and_no_cut_matters(
        talk in 0..TALKS.len(),
        kept: prop::sample::Index,
        changed: prop::sample::Index,
        byte: u8,
        noise in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let Talk { protocol, server, .. } = TALKS[talk];
        let mut answer = server[..=kept.index(server.len())].to_vec();
        let _ = converse(made(protocol), &[&answer, &noise[..]].concat());
        let _ = converse(made(protocol), &noise);
        let at = changed.index(answer.len());
        answer[at] = byte;
        let _ = converse(made(protocol), &[&answer, &noise[..]].concat());
    }

    /// What another protocol's server says is not taken for an answer. Two of these protocols are
    /// others but for the client's first words.
    #[test]
    fn no_server_is_taken_for_one_of_another_protocol(a in 0..TALKS.len(), b in 0..TALKS.len()) {
        let (asked, answered) = (TALKS[a].protocol, &TALKS[b]);
        let end = converse(made(asked), answered.server).0;
        let language = |protocol| match protocol {
            Protocol::Lmtp => Protocol::Smtp,
            Protocol::XmppServer => Protocol::Xmpp,
            other => other,
        };
        let is_understood = language(asked) == language(answered.protocol);
        prop_assert_eq!(is_understood, end == Ok(Some(vec![])));
    }
}
