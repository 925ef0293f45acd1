//! `--starttls`, seen from outside: servers that begin in plain text, played by the test; and what
//! OpenSSL's client says to them.

#![cfg(feature = "tls")]

use crate::common::{Cmd, Finished, Running, Server, Sock, Stdin, assert_bytes, require, rnc};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::sync::Arc;

/// A protocol, and the dialogue up to TLS.
struct Script {
    name: &'static str,
    turns: &'static [Turn],
}

/// What the server says, and what the client then says.
type Turn = (&'static [u8], &'static [u8]);

const SCRIPTS: [Script; 12] = [
    Script {
        name: "smtp",
        turns: &[
            (b"220-mx\r\n220 ESMTP\r\n", b"EHLO [127.0.0.1]\r\n"),
            (b"250-mx\r\n250-STARTTLS\r\n250 HELP\r\n", b"STARTTLS\r\n"),
            (b"220 2.0.0 Ready to start TLS\r\n", b""),
        ],
    },
    Script {
        name: "lmtp",
        turns: &[
            (b"220 mx\r\n", b"LHLO [127.0.0.1]\r\n"),
            (b"250-mx\r\n250 STARTTLS\r\n", b"STARTTLS\r\n"),
            (b"220 2.0.0 Ready to start TLS\r\n", b""),
        ],
    },
    Script {
        name: "imap",
        turns: &[
            (b"* OK [CAPABILITY IMAP4rev1] ready\r\n", b"a1 STARTTLS\r\n"),
            (b"* OK still here\r\na1 OK begin\r\n", b""),
        ],
    },
    Script {
        name: "pop3",
        turns: &[(b"+OK ready\r\n", b"STLS\r\n"), (b"+OK begin\r\n", b"")],
    },
    Script {
        name: "sieve",
        turns: &[
            (
                b"\"SASL\" \"\"\r\n\"STARTTLS\"\r\nOK \"ready\"\r\n",
                b"STARTTLS\r\n",
            ),
            (b"OK \"begin\"\r\n", b""),
        ],
    },
    Script {
        name: "nntp",
        turns: &[
            (b"200 news ready\r\n", b"STARTTLS\r\n"),
            (b"382 continue\r\n", b""),
        ],
    },
    Script {
        name: "ftp",
        turns: &[
            (b"220-Welcome\r\n220 ready\r\n", b"AUTH TLS\r\n"),
            (b"234 AUTH TLS successful\r\n", b""),
        ],
    },
    Script {
        name: "xmpp",
        turns: &[
            (
                b"",
                b"<?xml version='1.0'?><stream:stream to='127.0.0.1' version='1.0' \
                  xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>",
            ),
            (
                b"<?xml version='1.0'?><stream:stream id='1' version='1.0' xmlns='jabber:client' \
                  xmlns:stream='http://etherx.jabber.org/streams'><stream:features>\
                  <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
                b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ),
            (b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b""),
        ],
    },
    Script {
        name: "xmpp-server",
        turns: &[
            (
                b"",
                b"<?xml version='1.0'?><stream:stream to='127.0.0.1' version='1.0' \
                  xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams'>",
            ),
            (
                b"<stream:stream version='1.0' xmlns='jabber:server' \
                  xmlns:stream='http://etherx.jabber.org/streams'><stream:features>\
                  <starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
                b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            ),
            (b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", b""),
        ],
    },
    Script {
        name: "postgres",
        turns: &[(b"", b"\0\0\0\x08\x04\xd2\x16\x2f"), (b"S", b"")],
    },
    Script {
        name: "ldap",
        turns: &[
            (
                b"",
                b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037",
            ),
            (b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\0\x04\0\x04\0", b""),
        ],
    },
    Script {
        name: "mysql",
        turns: &[(
            b"\x4a\0\0\0\x0a8.0.32\0\x08\0\0\0\x1cF\x19FYv@K\0\xff\xff\xff\x02\0\xff\xdf\x15\
              \0\0\0\0\0\0\0\0\0\0abcdefghijkl\0caching_sha2_password\0",
            b"\x20\0\0\x01\x85\xae\x7f\0\0\0\0\x01\x21\
              \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        )],
    },
];

/// Plays the server up to TLS.
#[track_caller]
fn play(script: &Script, peer: &mut Sock, client: &Running) {
    for (says, wants) in script.turns {
        peer.say(says, client);
        let got = peer.read_some(wants.len(), client);
        assert_bytes(&format!("the {} server got", script.name), &got, wants);
    }
}

/// The turns before the last, and what the server says last.
fn go_ahead(script: &Script) -> (&'static [Turn], &'static [u8]) {
    let (last, before) = script.turns.split_last().expect("turns");
    (before, last.0)
}

/// A certificate of the test's own, and the option that trusts it.
fn certificate() -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let cert = made.cert.der().clone();
    let digest = Sha256::digest(&cert);
    let pin: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let pin = format!("--tls-pin=sha256:{pin}");
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .expect("a configuration");
    (Arc::new(config), pin)
}

fn asking(script: &Script, server: &Server) -> Cmd {
    let port = server.port().to_string();
    rnc(["--starttls", script.name, "127.0.0.1", &port])
}

/// Expects failure in one line, that says who was asked and why it failed.
#[track_caller]
fn expect_failure(done: Finished, script: &Script, port: u16, reason: &str) {
    let line = format!(
        "STARTTLS ({}) with 127.0.0.1 port {port} (tcp) failed: {reason}",
        script.name
    );
    done.expect_code(1)
        .expect_stdout("")
        .expect_complaint(&line);
}

#[test]
fn each_protocol_goes_over_to_tls() {
    let (config, pin) = certificate();
    for script in &SCRIPTS {
        let server = Server::tcp();
        let mut rnc = asking(script, &server).arg(&pin).stdin(Stdin::Pipe).spawn();
        let mut peer = server.accept(&rnc);
        play(script, &mut peer, &rnc);
        let session = ServerConnection::new(Arc::clone(&config)).expect("a session");
        let mut tls = StreamOwned::new(session, peer);
        rnc.send("from the client");
        rnc.close_stdin();
        let mut got = Vec::new();
        tls.read_to_end(&mut got).expect("what the client sends");
        assert_bytes(script.name, &got, b"from the client");
        tls.write_all(b"from the server").expect("an answer");
        tls.conn.send_close_notify();
        tls.flush().expect("the end");
        drop(tls);
        let done = rnc.wait().expect_code(0).expect_stdout("from the server");
        done.expect_silence();
    }
}

/// An SRV record leads to a host of another name: the server's own is that of `--tls-servername`.
#[test]
fn an_xmpp_stream_is_for_the_name_of_the_server() {
    for protocol in ["xmpp", "xmpp-server"] {
        let server = Server::tcp();
        let port = server.port().to_string();
        let rnc = rnc(["--starttls", protocol, "--tls-servername", "a.example"]);
        let rnc = rnc.args(["127.0.0.1", &port]).spawn();
        let mut peer = server.accept(&rnc);
        let start = b"<?xml version='1.0'?><stream:stream to='a.example' ";
        assert_bytes(protocol, &peer.read_some(start.len(), &rnc), start);
    }
}

/// CVE-2011-0411: in plain text anyone on the way can say what looks like the first words of the
/// server under TLS.
#[test]
fn what_is_slipped_in_behind_the_go_ahead_is_refused() {
    for script in &SCRIPTS {
        let server = Server::tcp();
        let rnc = asking(script, &server).spawn();
        let mut peer = server.accept(&rnc);
        let (before, last) = go_ahead(script);
        play(
            &Script {
                turns: before,
                ..*script
            },
            &mut peer,
            &rnc,
        );
        peer.say([last, b"X"].concat(), &rnc);
        let reason = "the server sent plain text after agreeing to TLS";
        expect_failure(rnc.wait(), script, server.port(), reason);
    }
}

#[test]
fn a_server_that_says_no_is_told_in_its_own_words() {
    let refusals: [(&str, &[u8], &str); 15] = [
        (
            "smtp",
            b"554 5.7.1 go \x1b[31maway\r\n",
            "server refused: 554 5.7.1 go \\x1b[31maway",
        ),
        (
            "smtp",
            b"220 mx\r\n250-mx\r\n250 HELP\r\n",
            "server offers no STARTTLS",
        ),
        (
            "imap",
            b"* PREAUTH hi\r\n",
            "server says we are logged in, too late for STARTTLS",
        ),
        (
            "imap",
            b"* OK hi\r\na1 BAD what?\r\n",
            "server refused: a1 BAD what?",
        ),
        (
            "pop3",
            b"+OK hi\r\n-ERR what?\r\n",
            "server refused: -ERR what?",
        ),
        (
            "lmtp",
            b"220 hi\r\n250 PIPELINING\r\n",
            "server offers no STARTTLS",
        ),
        (
            "sieve",
            b"BYE \"Too many connections\"\r\n",
            "server refused: BYE \"Too many connections\"",
        ),
        (
            "nntp",
            b"201 hi\r\n580 Can not initiate TLS\r\n",
            "server refused: 580 Can not initiate TLS",
        ),
        (
            "ftp",
            b"220 hi\r\n502 no TLS\r\n",
            "server refused: 502 no TLS",
        ),
        (
            "xmpp",
            b"<stream:stream><stream:features/>",
            "server offers no STARTTLS",
        ),
        (
            "xmpp",
            b"<stream:stream><stream:error><host-unknown/></stream:error></stream:stream>",
            "server refused: stream error: host-unknown",
        ),
        ("postgres", b"N", "server offers no STARTTLS"),
        (
            "postgres",
            b"E\0\0\0\x0dMfull up\0",
            "server refused: full up",
        ),
        (
            "ldap",
            b"\x30\x0e\x02\x01\x01\x78\x09\x0a\x01\x02\x04\0\x04\x02no",
            "server refused: protocolError (LDAP result 2): no",
        ),
        (
            "mysql",
            b"\x0b\0\0\0\xff\x10\x04Too many",
            "server refused: Too many (MySQL error 1040)",
        ),
    ];
    for (name, answer, reason) in refusals {
        let script = SCRIPTS.iter().find(|script| script.name == name);
        told_after(script.expect("a protocol"), answer, reason);
    }
}

/// Says something instead of the script, and expects a failure.
#[track_caller]
fn told_after(script: &Script, answer: &[u8], reason: &str) {
    let server = Server::tcp();
    let rnc = asking(script, &server).spawn();
    let mut peer = server.accept(&rnc);
    // It may leave before it has read all.
    let _ = peer.write_all(answer);
    peer.half_close();
    expect_failure(rnc.wait(), script, server.port(), reason);
}

#[test]
fn a_server_that_speaks_another_language_or_leaves_is_told() {
    for script in &SCRIPTS {
        told_after(
            script,
            b"\x1bHTTP/1.1 400 Bad Request\r\n",
            "answer is garbage: \"\\x1b",
        );
        told_after(
            script,
            b"",
            "peer closed the connection during the handshake",
        );
    }
}

#[test]
fn a_silent_server_is_not_waited_for_beyond_the_limit() {
    // It waits to be greeted by TLS.
    let script = &SCRIPTS[0];
    let server = Server::tcp();
    let rnc = asking(script, &server).args(["-w", "1"]).spawn();
    let _peer = server.accept(&rnc);
    let done = rnc.wait().expect_code(3).expect_stdout("");
    let port = server.port();
    let line = format!("STARTTLS (smtp) with 127.0.0.1 port {port} (tcp) timed out");
    done.expect_complaint(&line);
}

/// An answer that does not end takes neither memory nor time without end.
#[test]
fn an_endless_answer_is_cut_off() {
    for (name, start) in [
        ("smtp", &b"220-"[..]),
        ("imap", b"* OK "),
        ("pop3", b"+OK"),
        ("lmtp", b"220-"),
        ("sieve", b"\"SASL\" \""),
        ("nntp", b"200-"),
        ("ftp", b"220-"),
        ("xmpp", b"<stream a='"),
        ("ldap", b"\x30\x84"),
        ("mysql", b"\xff\xff\xff\0"),
    ] {
        let script = SCRIPTS.iter().find(|script| script.name == name);
        let answer = [start, &[b'x'; 70_000]].concat();
        told_after(script.expect("a protocol"), &answer, "answer too long");
    }
}

/// Of the others, IMAP's and NNTP's client asks what the server can do first, and XMPP's leaves out
/// the declaration that RFC 6120 recommends.
#[test]
fn asks_as_openssl_does() {
    let Some(openssl) = require("openssl", "openssl") else {
        return;
    };
    for script in &SCRIPTS {
        if ["imap", "nntp", "xmpp", "xmpp-server"].contains(&script.name) {
            continue;
        }
        let server = Server::tcp();
        let at = format!("127.0.0.1:{}", server.port());
        let words = ["s_client", "-starttls", script.name, "-connect", &at];
        let name = ["-name", "[127.0.0.1]"];
        let client = Cmd::new(&openssl).args(words).args(name).spawn();
        let mut peer = server.accept(&client);
        play(script, &mut peer, &client);
        // A record of the handshake (RFC 8446, section 5.1).
        assert_bytes(script.name, &peer.read_some(2, &client), &[22, 3]);
    }
}
