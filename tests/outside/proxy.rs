//! Through a proxy: every byte that is asked, every way an answer can be cut, what stands behind
//! the answer, users and passwords; and a real proxy.

use crate::common::{
    Cmd, Pty, Running, Server, Sock, Stdin, assert_bytes, close, eventually, listening_port_of,
    require, rnc,
};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::thread::JoinHandle;

const HELLO: &str = "first bytes of the peer";

/// A step of a proxy in the test.
#[derive(Clone)]
enum Step {
    /// Wants exactly these bytes.
    Gets(Vec<u8>),
    /// Answers these.
    Says(Vec<u8>),
}

fn gets(bytes: impl AsRef<[u8]>) -> Step {
    Step::Gets(bytes.as_ref().to_vec())
}

fn says(bytes: impl AsRef<[u8]>) -> Step {
    Step::Says(bytes.as_ref().to_vec())
}

/// How the last answer and the peer's first bytes are cut.
#[derive(Clone, Copy, Debug)]
enum Cut {
    /// In one write.
    Together,
    /// Byte by byte.
    Bytes,
    /// The answer, and the peer's bytes when something of the session has come.
    Apart,
}

/// Goes through the steps, with the peer's bytes behind the last answer, then exchanges a little
/// with the client as the peer would. Panics at the first byte that is not as it should be.
fn play(peer: &mut Sock, rnc: &Running, steps: &[Step], cut: Cut) {
    let (last, steps) = steps.split_last().expect("steps");
    for step in steps {
        match step {
            Step::Gets(wanted) => {
                assert_bytes("the proxy got", &peer.read_some(wanted.len(), rnc), wanted);
            }
            Step::Says(answer) => say(peer, rnc, answer, cut),
        }
    }
    let Step::Says(answer) = last else {
        panic!("the last step is an answer");
    };
    match cut {
        Cut::Together | Cut::Bytes => {
            say(peer, rnc, &[answer, HELLO.as_bytes()].concat(), cut);
            assert_bytes("the peer got", &peer.read_all(rnc), b"request");
        }
        Cut::Apart => {
            peer.say(answer, rnc);
            assert_bytes("the peer got", &peer.read_all(rnc), b"request");
            peer.say(HELLO, rnc);
        }
    }
    peer.say(", and last", rnc);
}

fn say(peer: &mut Sock, rnc: &Running, bytes: &[u8], cut: Cut) {
    match cut {
        Cut::Together | Cut::Apart => peer.say(bytes, rnc),
        Cut::Bytes => {
            for byte in bytes.chunks(1) {
                peer.say(byte, rnc);
                // So that they do not travel together; how they do is not judged.
                std::thread::sleep(std::time::Duration::from_micros(200));
            }
        }
    }
}

/// One session through a proxy on these options, played by steps, with every cut.
#[track_caller]
fn goes_through(options: &str, target: &str, steps: &[Step]) {
    goes_through_with(options, target, steps, |cmd| cmd);
}

#[track_caller]
fn goes_through_with(options: &str, target: &str, steps: &[Step], shape: impl Fn(Cmd) -> Cmd) {
    for cut in [Cut::Together, Cut::Bytes, Cut::Apart] {
        eprintln!("{options} {target}, cut {cut:?}");
        let proxy = Server::tcp();
        let words = format!(
            "--shutdown now {options} -x 127.0.0.1:{} {target}",
            proxy.port()
        );
        let cmd = shape(rnc(words.split_whitespace()).stdin(Stdin::Pipe));
        let mut rnc = cmd.spawn();
        let mut peer = proxy.accept(&rnc);
        rnc.feed(b"request".to_vec());
        play(&mut peer, &rnc, steps, cut);
        drop(peer);
        let done = rnc.wait().expect_code(0).expect_silence();
        done.expect_stdout(format!("{HELLO}, and last"));
    }
}

// ---- SOCKS 4

const GRANTED_4: [u8; 8] = [0, 90, 0, 0, 0, 0, 0, 0];

#[test]
fn socks4_asks_for_an_address() {
    let request = gets(b"\x04\x01\x04\xd2\xc0\x00\x02\x07\x00");
    goes_through("-X 4", "192.0.2.7 1234", &[request, says(GRANTED_4)]);
}

#[test]
fn socks4_looks_names_up_itself() {
    let request = gets(b"\x04\x01\x04\xd2\x7f\x00\x00\x01\x00");
    goes_through("-X 4 -4", "localhost 1234", &[request, says(GRANTED_4)]);
}

#[test]
fn socks4_presents_the_user() {
    let request = gets(b"\x04\x01\x04\xd2\xc0\x00\x02\x07me\x00");
    let steps = [request, says(GRANTED_4)];
    goes_through("-X 4 -P me", "192.0.2.7 1234", &steps);
    goes_through("-X 4 --proxy-auth me:unused", "192.0.2.7 1234", &steps);
}

#[test]
fn socks4a_leaves_names_to_the_proxy() {
    let request = gets(b"\x04\x01\x04\xd2\x00\x00\x00\x01\x00no.such.host.invalid\x00");
    goes_through(
        "-X 4a",
        "no.such.host.invalid 1234",
        &[request, says(GRANTED_4)],
    );
    let request = gets(b"\x04\x01\x04\xd2\x00\x00\x00\x01me\x00no.such.host.invalid\x00");
    goes_through(
        "-X 4A -P me",
        "no.such.host.invalid 1234",
        &[request, says(GRANTED_4)],
    );
    // An address needs no looking up.
    let request = gets(b"\x04\x01\x04\xd2\xc0\x00\x02\x07\x00");
    goes_through("-X 4a", "192.0.2.7 1234", &[request, says(GRANTED_4)]);
}

// ---- SOCKS 5

const GRANTED_5: [u8; 10] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];

#[test]
fn socks5_leaves_names_to_the_proxy() {
    let steps = [
        gets([5, 1, 0]),
        says([5, 0]),
        gets(b"\x05\x01\x00\x03\x14no.such.host.invalid\x04\xd2"),
        says(GRANTED_5),
    ];
    goes_through("", "no.such.host.invalid 1234", &steps);
    goes_through("-X 5", "no.such.host.invalid 1234", &steps);
    goes_through("-X socks5 -n", "no.such.host.invalid 1234", &steps);
}

#[test]
fn socks5_asks_for_addresses_of_both_families() {
    let request = gets(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x04\xd2");
    let steps = [gets([5, 1, 0]), says([5, 0]), request, says(GRANTED_5)];
    goes_through("", "192.0.2.7 1234", &steps);

    let v6: Ipv6Addr = "2001:db8::7".parse().expect("an address");
    let request = [&[5, 1, 0, 4][..], &v6.octets(), &[0x04, 0xd2]].concat();
    let steps = [
        gets([5, 1, 0]),
        says([5, 0]),
        gets(request),
        says(GRANTED_5),
    ];
    goes_through("", "2001:db8::7 1234", &steps);
    goes_through("", "[2001:db8::7]:1234", &steps);
}

#[test]
fn socks5_takes_answers_with_any_kind_of_address() {
    let v6 = [&[5, 0, 0, 4][..], &[7; 16], &[1, 2]].concat();
    let name = b"\x05\x00\x00\x03\x0aproxy.test\x01\x02".to_vec();
    let no_name = b"\x05\x00\x00\x03\x00\x01\x02".to_vec();
    for granted in [v6, name, no_name] {
        let request = gets(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x04\xd2");
        let steps = [gets([5, 1, 0]), says([5, 0]), request, says(granted)];
        goes_through("", "192.0.2.7 1234", &steps);
    }
}

/// A SOCKS5 dialogue in which the proxy wants user and password (RFC 1929).
fn with_login(login: &[u8]) -> [Step; 6] {
    [
        gets([5, 2, 0, 2]),
        says([5, 2]),
        gets(login),
        says([1, 0]),
        gets(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x04\xd2"),
        says(GRANTED_5),
    ]
}

#[test]
fn socks5_logs_in_with_proxy_auth() {
    let steps = with_login(b"\x01\x02me\x06secret");
    goes_through("--proxy-auth me:secret", "192.0.2.7 1234", &steps);
    let steps = with_login(b"\x01\x02me\x03a:b");
    goes_through("--proxy-auth me:a:b", "192.0.2.7 1234", &steps);
    let steps = with_login(b"\x01\x02me\x00");
    goes_through("--proxy-auth me:", "192.0.2.7 1234", &steps);
}

#[test]
fn socks5_logs_in_with_the_environment_unless_told_otherwise() {
    let with_env = |cmd: Cmd| cmd.env("NCAT_PROXY_AUTH", "me:secret");
    let steps = with_login(b"\x01\x02me\x06secret");
    goes_through_with("", "192.0.2.7 1234", &steps, with_env);
    let steps = with_login(b"\x01\x03you\x06hidden");
    goes_through_with(
        "--proxy-auth you:hidden",
        "192.0.2.7 1234",
        &steps,
        with_env,
    );
}

#[test]
fn socks5_keeps_the_login_from_a_proxy_that_wants_none() {
    let steps = [
        gets([5, 2, 0, 2]),
        says([5, 0]),
        gets(b"\x05\x01\x00\x01\xc0\x00\x02\x07\x04\xd2"),
        says(GRANTED_5),
    ];
    goes_through("--proxy-auth me:secret", "192.0.2.7 1234", &steps);
}

#[test]
fn socks5_tells_a_rejected_login() {
    let proxy = Server::tcp();
    let at = format!("127.0.0.1:{}", proxy.port());
    let rnc = rnc(["--proxy-auth", "me:wrong", "-x", &at, "192.0.2.7", "1234"]).spawn();
    let mut peer = proxy.accept(&rnc);
    peer.read_some(4, &rnc);
    peer.say([5, 2], &rnc);
    peer.read_some(10, &rnc);
    peer.say([1, 1], &rnc);
    let done = rnc.wait().expect_code(1).expect_stdout("");
    let done = done.expect_complaint("rejected the user and password");
    assert!(
        !done.stderr.contains("wrong"),
        "the password is shown\n{done}"
    );
}

#[test]
fn socks5_asks_for_the_password_when_the_proxy_chooses_it() {
    let pty = Pty::open();
    let proxy = Server::tcp();
    let words = format!("-P me -x 127.0.0.1:{} 192.0.2.7 1234", proxy.port());
    let rnc = rnc(words.split_whitespace()).controlled_by(&pty).spawn();
    let mut peer = proxy.accept(&rnc);
    assert_bytes("the proxy got", &peer.read_some(4, &rnc), &[5, 2, 0, 2]);
    assert_eq!(pty.count("assword"), 0, "asked without need");
    peer.say([5, 2], &rnc);
    pty.shows("Proxy password for me@127.0.0.1: ", &rnc);
    pty.types("secret\n");
    let mut peer = proxy.accept(&rnc);
    for step in with_login(b"\x01\x02me\x06secret") {
        match step {
            Step::Gets(wanted) => {
                let got = peer.read_some(wanted.len(), &rnc);
                assert_bytes("the proxy got", &got, &wanted);
            }
            Step::Says(answer) => peer.say(answer, &rnc),
        }
    }
    peer.say("hello", &rnc);
    drop(peer);
    rnc.wait().expect_code(0).expect_stdout("hello");
    assert_eq!(pty.count("secret"), 0, "the password is on the screen");
}

#[test]
fn ctrl_d_at_the_password_prompt_is_named() {
    let pty = Pty::open();
    let proxy = Server::tcp();
    let words = format!("-P me -x 127.0.0.1:{} 192.0.2.7 1234", proxy.port());
    let rnc = rnc(words.split_whitespace()).controlled_by(&pty).spawn();
    proxy.accept(&rnc).say([5, 2], &rnc);
    pty.shows("Proxy password for me@127.0.0.1: ", &rnc);
    pty.types_end();
    rnc.wait()
        .expect_code(1)
        .expect_stdout("")
        .expect_complaint("cannot ask for the proxy password: end of input");
}

/// A relay serves clients; it cannot stop for a question.
#[test]
fn a_relay_says_that_the_proxy_wants_a_password() {
    let refused = "HTTP/1.0 407 Who are you\r\n\r\n".as_bytes();
    for (kind, answer) in [("5", &[5, 2][..]), ("connect", refused)] {
        let proxy = Server::tcp();
        let words = format!(
            "-l 127.0.0.1 0 --relay 192.0.2.7:1234 -P me -X {kind} -x 127.0.0.1:{}",
            proxy.port()
        );
        let rnc = rnc(words.split_whitespace()).spawn();
        let _client = crate::common::connect_to_listener(&rnc, None);
        proxy.accept(&rnc).say(answer, &rnc);
        let done = rnc.wait().expect_code(1);
        done.expect_complaint("it wants a password (--proxy-auth)");
    }
}

/// With cron there is no terminal to ask on.
#[test]
fn a_user_is_no_reason_to_ask_where_the_proxy_wants_no_password() {
    let socks5 = [
        gets([5, 2, 0, 2]),
        says([5, 0]),
        gets([5, 1, 0, 1, 192, 0, 2, 7, 4, 210]),
        says([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    ];
    goes_through("-P me", "192.0.2.7 1234", &socks5);
    goes_through(
        "-X connect -P me",
        "192.0.2.7 1234",
        &[gets(PLAIN), says(OK)],
    );
}

// ---- HTTP

const OK: &str = "HTTP/1.0 200 Connection established\r\n\r\n";

#[test]
fn http_asks_for_names_and_addresses() {
    for (target, asked) in [
        ("no.such.host.invalid 1234", "no.such.host.invalid:1234"),
        ("192.0.2.7 1234", "192.0.2.7:1234"),
        ("192.0.2.7:1234", "192.0.2.7:1234"),
        ("2001:db8::7 1234", "[2001:db8::7]:1234"),
    ] {
        let request = gets(format!("CONNECT {asked} HTTP/1.0\r\nHost: {asked}\r\n\r\n"));
        goes_through("-X connect", target, &[request, says(OK)]);
    }
}

#[test]
fn http_takes_answers_of_every_shape() {
    for answer in [
        "HTTP/1.1 200 OK\r\nVia: 1.1 proxy\r\nX-Long: \x20a\r\n\r\n",
        "HTTP/1.0 200\r\n\r\n",
        "HTTP/1.1 204 No Content\n\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: y\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
    ] {
        let request = gets("CONNECT 192.0.2.7:1234 HTTP/1.0\r\nHost: 192.0.2.7:1234\r\n\r\n");
        goes_through("-X connect", "192.0.2.7 1234", &[request, says(answer)]);
    }
}

/// The credentials of RFC 7617, section 2: `Aladdin` and `open sesame`, here without the blank.
const WITH_LOGIN: &str = "CONNECT 192.0.2.7:1234 HTTP/1.0\r\nHost: 192.0.2.7:1234\r\n\
    Proxy-Authorization: Basic QWxhZGRpbjpvcGVuc2VzYW1l\r\n\r\n";

/// The request without credentials, and a refusal that leaves the connection open for another.
const PLAIN: &str = "CONNECT 192.0.2.7:1234 HTTP/1.0\r\nHost: 192.0.2.7:1234\r\n\r\n";

fn wants(challenge: &str) -> String {
    format!(
        "HTTP/1.0 407 Proxy Authentication Required\r\nProxy-Authenticate: {challenge}\r\n\
         Proxy-Connection: keep-alive\r\nContent-Length: 6\r\n\r\nno\r\n\r\n"
    )
}

#[test]
fn http_logs_in_with_proxy_auth_or_the_environment_when_it_is_asked_to() {
    let steps = [
        gets(PLAIN),
        says(wants("Basic realm=\"r\"")),
        gets(WITH_LOGIN),
        says(OK),
    ];
    let target = "192.0.2.7 1234";
    goes_through("-X connect --proxy-auth Aladdin:opensesame", target, &steps);
    let with_env = |cmd: Cmd| cmd.env("NCAT_PROXY_AUTH", "Aladdin:opensesame");
    goes_through_with("-X connect", target, &steps, with_env);
}

#[test]
fn http_keeps_the_login_from_a_proxy_that_wants_none() {
    let steps = [gets(PLAIN), says(OK)];
    goes_through(
        "-X connect --proxy-auth me:secret",
        "192.0.2.7 1234",
        &steps,
    );
}

#[test]
fn http_never_shows_the_password_to_a_proxy_that_offers_digest() {
    for (challenges, algorithm) in [
        ("Digest realm=r, nonce=n, qop=auth, Basic realm=r", "MD5"),
        (
            "Basic realm=r, Digest realm=r, nonce=n, qop=auth, \
             Digest realm=r, nonce=n, qop=auth, algorithm=SHA-256",
            "SHA-256",
        ),
    ] {
        let proxy = Server::tcp();
        let port = proxy.port();
        let words = format!("--proxy-auth me:secret -X http -x 127.0.0.1:{port} 192.0.2.7 1234");
        let rnc = rnc(words.split_whitespace()).spawn();
        let mut peer = proxy.accept(&rnc);
        peer.read_some(PLAIN.len(), &rnc);
        peer.say(wants(challenges), &rnc);
        let request = until_empty_line(&mut peer, &rnc);
        assert!(
            request.contains("Proxy-Authorization: Digest username=\"me\""),
            "{request}"
        );
        assert_eq!(
            request.contains("algorithm=SHA-256"),
            algorithm == "SHA-256",
            "{request}"
        );
        peer.say(format!("{OK}hello"), &rnc);
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("hello")
            .expect_silence();
    }
}

#[test]
fn http_gives_up_where_only_other_schemes_are_offered() {
    let proxy = Server::tcp();
    let port = proxy.port();
    let words = format!("--proxy-auth me:secret -X http -x 127.0.0.1:{port} 192.0.2.7 1234");
    let rnc = rnc(words.split_whitespace()).spawn();
    let mut peer = proxy.accept(&rnc);
    peer.read_some(PLAIN.len(), &rnc);
    peer.say(
        wants("Negotiate, NTLM, Digest realm=r, nonce=n, algorithm=X"),
        &rnc,
    );
    let rest = peer.read_all(&rnc);
    assert_bytes("the proxy got", &rest, b"");
    rnc.wait()
        .expect_code(1)
        .expect_complaint("none of our authentication methods");
}

#[test]
fn http_comes_back_over_a_new_connection_when_the_old_one_is_not_kept() {
    let refusals = [
        // Said, not said, said with a body without an end, with one that is too long.
        "HTTP/1.1 407 x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.0 407 x\r\n\r\n",
        "HTTP/1.1 407 x\r\n\r\nsorry",
        "HTTP/1.1 407 x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsorry\r\n",
        "HTTP/1.1 407 x\r\nContent-Length: 99999999\r\n\r\nsorry",
        // Promised, and not kept.
        "HTTP/1.1 407 x\r\nContent-Length: 100\r\n\r\nsorry",
        "HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n",
    ];
    for refusal in refusals {
        eprintln!("{refusal:?}");
        let proxy = Server::tcp();
        let port = proxy.port();
        let words =
            format!("--proxy-auth Aladdin:opensesame -X http -x 127.0.0.1:{port} 192.0.2.7 1234");
        let rnc = rnc(words.split_whitespace()).spawn();
        let mut peer = proxy.accept(&rnc);
        peer.read_some(PLAIN.len(), &rnc);
        peer.say(refusal, &rnc);
        peer.half_close();
        let mut again = proxy.accept(&rnc);
        let got = again.read_some(WITH_LOGIN.len(), &rnc);
        assert_bytes("the proxy got", &got, WITH_LOGIN.as_bytes());
        again.say(format!("{OK}hello"), &rnc);
        drop(again);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("hello")
            .expect_silence();
    }
}

#[test]
fn http_comes_back_after_a_reset_of_the_connection_that_was_to_be_kept() {
    let proxy = Server::tcp();
    let port = proxy.port();
    let words =
        format!("--proxy-auth Aladdin:opensesame -X http -x 127.0.0.1:{port} 192.0.2.7 1234");
    let rnc = rnc(words.split_whitespace()).spawn();
    let mut peer = proxy.accept(&rnc);
    peer.read_some(PLAIN.len(), &rnc);
    peer.say(wants("Basic realm=r"), &rnc);
    peer.read_some(WITH_LOGIN.len(), &rnc);
    peer.reset();
    let mut again = proxy.accept(&rnc);
    again.read_some(WITH_LOGIN.len(), &rnc);
    again.say(OK, &rnc);
    drop(again);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn http_tells_when_the_proxy_is_gone_for_the_second_try() {
    let proxy = Server::tcp();
    let port = proxy.port();
    let words = format!("--proxy-auth me:secret -X http -x 127.0.0.1:{port} 192.0.2.7 1234");
    let rnc = rnc(words.split_whitespace()).spawn();
    let mut peer = proxy.accept(&rnc);
    close(proxy);
    peer.read_some(PLAIN.len(), &rnc);
    peer.say("HTTP/1.0 407 x\r\n\r\n", &rnc);
    drop(peer);
    rnc.wait()
        .expect_code(1)
        .expect_complaint("Connection refused");
}

fn until_empty_line(peer: &mut Sock, rnc: &Running) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        bytes.append(&mut peer.read_some(1, rnc));
    }
    String::from_utf8(bytes).expect("text")
}

#[test]
fn http_asks_for_the_password_after_a_407_and_tries_again() {
    let pty = Pty::open();
    let proxy = Server::tcp();
    let words = format!(
        "-X connect -P Aladdin -x 127.0.0.1:{} 192.0.2.7 1234",
        proxy.port()
    );
    let rnc = rnc(words.split_whitespace()).controlled_by(&pty).spawn();
    let mut peer = proxy.accept(&rnc);
    let plain = "CONNECT 192.0.2.7:1234 HTTP/1.0\r\nHost: 192.0.2.7:1234\r\n\r\n";
    assert_bytes(
        "the proxy got",
        &peer.read_some(plain.len(), &rnc),
        plain.as_bytes(),
    );
    assert_eq!(pty.count("assword"), 0, "asked without need");
    peer.say("HTTP/1.0 407 Proxy Authentication Required\r\n\r\n", &rnc);
    drop(peer);
    pty.shows("Proxy password for Aladdin@127.0.0.1: ", &rnc);
    pty.types("opensesame\n");
    let mut peer = proxy.accept(&rnc);
    let got = peer.read_some(WITH_LOGIN.len(), &rnc);
    assert_bytes("the proxy got", &got, WITH_LOGIN.as_bytes());
    peer.say(format!("{OK}hello"), &rnc);
    drop(peer);
    rnc.wait().expect_code(0).expect_stdout("hello");
    assert_eq!(pty.count("opensesame"), 0, "the password is on the screen");
}

#[test]
fn http_tells_a_407_when_there_is_no_user_or_the_password_is_wrong() {
    for (options, tries, complaint) in [
        ("", 1, "proxy wants a user and password"),
        ("--proxy-auth me:wrong", 2, "rejected the user and password"),
    ] {
        let proxy = Server::tcp();
        let port = proxy.port();
        let words = format!("{options} -X connect -x 127.0.0.1:{port} 192.0.2.7 1234");
        let rnc = rnc(words.split_whitespace()).spawn();
        for _ in 0..tries {
            let mut peer = proxy.accept(&rnc);
            peer.say("HTTP/1.0 407 Proxy Authentication Required\r\n\r\n", &rnc);
            peer.half_close();
            peer.read_all(&rnc);
        }
        let done = rnc.wait().expect_code(1).expect_stdout("");
        let done = done.expect_complaint(complaint);
        assert!(
            !done.stderr.contains("wrong"),
            "the password is shown\n{done}"
        );
    }
}

#[test]
fn without_a_terminal_no_password_can_be_asked_for() {
    // A session of its own has no controlling terminal.
    let Some(setsid) = require("setsid", "util-linux") else {
        return;
    };
    let proxy = Server::tcp();
    let at = format!("127.0.0.1:{}", proxy.port());
    let cmd = Cmd::new(setsid).arg("-w").arg(crate::common::rnc_binary());
    let words = ["-P", "me", "-x", &at, "192.0.2.7", "1234"];
    let rnc = cmd.args(words).spawn();
    proxy.accept(&rnc).say([5, 2], &rnc);
    rnc.wait()
        .expect_code(1)
        .expect_stdout("")
        .expect_complaint("cannot ask for the proxy password");
}

// ---- who looks names up

/// A SOCKS5 dialogue that asks for these bytes of address.
fn asking_for(address: &[u8]) -> [Step; 4] {
    [
        gets([5, 1, 0]),
        says([5, 0]),
        gets([&[5, 1, 0], address, &[0x04, 0xd2]].concat()),
        says(GRANTED_5),
    ]
}

#[test]
fn proxy_dns_says_who_looks_names_up() {
    let (unknown, known) = ("no.such.host.invalid 1234", "localhost 1234");
    let (by_name, v4) = (b"\x03\x14no.such.host.invalid", [1, 127, 0, 0, 1]);
    goes_through("-4 --proxy-dns local", known, &asking_for(&v4));
    goes_through("-4 --proxy-dns both", known, &asking_for(&v4));
    goes_through("--proxy-dns both", unknown, &asking_for(by_name));
    goes_through("-n --proxy-dns both", unknown, &asking_for(by_name));
    goes_through("--proxy-dns remote", unknown, &asking_for(by_name));
    goes_through("--proxy-dns none", "127.0.0.1 1234", &asking_for(&v4));

    let request = gets("CONNECT 127.0.0.1:1234 HTTP/1.0\r\nHost: 127.0.0.1:1234\r\n\r\n");
    goes_through("-4 -X http --proxy-dns local", known, &[request, says(OK)]);
    let request = gets(b"\x04\x01\x04\xd2\x00\x00\x00\x01\x00no.such.host.invalid\x00");
    goes_through(
        "-X 4 --proxy-dns both",
        unknown,
        &[request, says(GRANTED_4)],
    );
    // SOCKS4 knows IPv4 only, so that is what is looked up.
    let request = gets(b"\x04\x01\x04\xd2\x7f\x00\x00\x01\x00");
    goes_through("-X 4 --proxy-dns local", known, &[request, says(GRANTED_4)]);
}

#[test]
fn names_that_nobody_may_or_can_look_up_are_told() {
    for (options, host, said) in [
        (
            "--proxy-dns local",
            "no.such.host.invalid",
            "cannot resolve no.such.host.invalid: ",
        ),
        (
            "--proxy-dns none",
            "localhost",
            "--proxy-dns none: localhost is a name",
        ),
        (
            "-n --proxy-dns local",
            "localhost",
            "-n: localhost is a name",
        ),
    ] {
        let proxy = Server::tcp();
        let words = format!("{options} -x 127.0.0.1:{} {host} 1234", proxy.port());
        let done = rnc(words.split_whitespace())
            .run()
            .expect_code(1)
            .expect_stdout("");
        done.expect_complaint(said);
    }
}

// ---- what -v says, and half-close

#[test]
fn v_tells_the_target_as_it_was_asked_for() {
    let proxy = Server::tcp();
    let words = format!(
        "-v -X connect -x 127.0.0.1:{} some.invalid 1234",
        proxy.port()
    );
    let rnc = rnc(words.split_whitespace()).spawn();
    let mut peer = proxy.accept(&rnc);
    peer.say(OK, &rnc);
    rnc.says("Connection to some.invalid 1234 port [tcp/");
    peer.half_close();
    peer.read_all(&rnc);
    rnc.wait().expect_code(0);
}

#[test]
fn a_scan_through_a_proxy_asks_for_every_port() {
    let proxy = Server::tcp();
    let words = format!(
        "-zv -X connect -x 127.0.0.1:{} some.invalid 1-3",
        proxy.port()
    );
    let rnc = rnc(words.split_whitespace()).spawn();
    for port in 1..=3 {
        let mut peer = proxy.accept(&rnc);
        let wanted =
            format!("CONNECT some.invalid:{port} HTTP/1.0\r\nHost: some.invalid:{port}\r\n\r\n");
        let got = peer.read_some(wanted.len(), &rnc);
        assert_bytes("the proxy got", &got, wanted.as_bytes());
        peer.say(OK, &rnc);
    }
    let done = rnc.wait().expect_code(0);
    assert_eq!(done.stderr.matches("succeeded!").count(), 3, "{done}");
}

// ---- a real proxy

/// Ncat as an HTTP proxy, and the port it listens on.
fn ncat_proxy(options: &[&str]) -> Option<(Running, u16)> {
    let ncat = require("ncat", "ncat")?;
    let words = ["-4", "-k", "-l", "127.0.0.1", "0", "--proxy-type", "http"];
    let proxy = Cmd::new(ncat).args(words).args(options).spawn();
    // It does not say the port it was given.
    let mut port = None;
    eventually(|| {
        port = listening_port_of(proxy.pid());
        port.is_some()
    });
    let Some(port) = port else {
        proxy.fail("it does not listen");
    };
    Some((proxy, port))
}

/// A server that upper-cases what it gets and closes at the end.
fn upper_server() -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = listener.local_addr().expect("local_addr").port();
    let server = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("accept");
        let mut buf = [0; 4096];
        // Its last reader may be gone.
        while let Ok(n @ 1..) = client.read(&mut buf) {
            if client.write_all(&buf[..n].to_ascii_uppercase()).is_err() {
                return;
            }
        }
    });
    (port, server)
}

#[test]
fn a_session_goes_through_ncat() {
    let Some((_proxy, proxy)) = ncat_proxy(&[]) else {
        return;
    };
    let (port, server) = upper_server();
    let words = format!("--shutdown now -X connect -x 127.0.0.1:{proxy} 127.0.0.1 {port}");
    let mut rnc = rnc(words.split_whitespace()).stdin(Stdin::Pipe).spawn();
    rnc.send("hello through ncat\n");
    rnc.shows("HELLO THROUGH NCAT\n");
    rnc.close_stdin();
    rnc.wait()
        .expect_code(0)
        .expect_stdout("HELLO THROUGH NCAT\n")
        .expect_silence();
    server.join().expect("the server");
}

#[test]
fn ncat_lets_in_who_has_the_password() {
    let Some((_proxy, proxy)) = ncat_proxy(&["--proxy-auth", "me:secret"]) else {
        return;
    };
    let (port, server) = upper_server();
    let to = format!("--shutdown now -X connect -x 127.0.0.1:{proxy} 127.0.0.1 {port}");
    let words = |options: &str| {
        let words = format!("{options} {to}");
        words
            .split_whitespace()
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    rnc(words(""))
        .run()
        .expect_code(1)
        .expect_complaint("user and password");
    rnc(words("--proxy-auth me:wrong"))
        .run()
        .expect_code(1)
        .expect_complaint("rejected the user and password");
    let mut rnc = rnc(words("--proxy-auth me:secret"))
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.send("let me in\n");
    rnc.shows("LET ME IN\n");
    rnc.close_stdin();
    rnc.wait().expect_code(0).expect_silence();
    server.join().expect("the server");
}

#[test]
fn ncat_takes_our_digest() {
    let Some((_proxy, ncat)) = ncat_proxy(&["--proxy-auth", "me:secret"]) else {
        return;
    };
    let closed = crate::common::ClosedPort::tcp();
    // Ncat offers Basic as well, first. What goes to it is seen on the way.
    let way = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = way.local_addr().expect("local_addr").port();
    let seen = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for _ in 0..2 {
            let (mut client, _) = way.accept().expect("accept");
            let mut proxy = TcpStream::connect((Ipv4Addr::LOCALHOST, ncat)).expect("connect");
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).expect("a request");
                request.push(byte[0]);
            }
            proxy.write_all(&request).expect("write");
            std::io::copy(&mut proxy, &mut client).expect("an answer");
            seen.push(String::from_utf8(request).expect("text"));
        }
        seen
    });
    let to = closed.port();
    let words = format!("--proxy-auth me:secret -X http -x 127.0.0.1:{port} 127.0.0.1 {to}");
    // That the target is closed is only told to who is let in.
    let done = rnc(words.split_whitespace()).run().expect_code(1);
    done.expect_complaint("proxy refused: HTTP/1.0 5");
    let seen = seen.join().expect("the way");
    assert!(!seen[0].contains("Authorization"), "{seen:?}");
    assert!(seen[1].contains("Proxy-Authorization: Digest "), "{seen:?}");
}

#[test]
fn a_proxy_that_checks_every_field_takes_our_digest() {
    for (algorithm, after, stale, connections) in [
        ("MD5", "close", "", 2),
        ("MD5-sess", "keep", "", 1),
        ("SHA-256", "keep", "", 1),
        ("SHA-256", "close", "stale", 3),
        ("SHA-256-sess", "keep", "stale", 1),
    ] {
        let Some(proxy) = crate::common::python("digest_proxy.py") else {
            return;
        };
        let proxy = proxy.args([algorithm, after, stale]).spawn();
        let at = format!("127.0.0.1:{}", proxy.printed_port());
        let mut rnc = rnc(["-N", "-X", "http", "-x", &at, "some.invalid", "80"])
            .env("NCAT_PROXY_AUTH", "Mufasa:Circle of Life")
            .stdin(Stdin::Pipe)
            .spawn();
        rnc.send("hello\n");
        rnc.shows("HELLO\n");
        rnc.close_stdin();
        rnc.wait()
            .expect_code(0)
            .expect_stdout("HELLO\n")
            .expect_silence();
        proxy.signal(rustix::process::Signal::TERM);
        let told = String::from_utf8(proxy.wait().stdout).expect("text");
        assert_eq!(
            told.matches("connection").count(),
            connections,
            "{algorithm} {after}: {told}"
        );
        assert!(!told.contains("wrong"), "{told}");
    }
}

#[test]
fn ncat_tells_that_the_target_is_closed() {
    let Some((_proxy, proxy)) = ncat_proxy(&[]) else {
        return;
    };
    let closed = crate::common::ClosedPort::tcp();
    let words = format!(
        "-X connect -x 127.0.0.1:{proxy} 127.0.0.1 {}",
        closed.port()
    );
    let done = rnc(words.split_whitespace())
        .run()
        .expect_code(1)
        .expect_stdout("");
    done.expect_complaint("proxy refused: HTTP/1.0 5");
}
