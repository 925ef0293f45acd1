//! `--retry`: servers that are there only later, or never.

use crate::common::{ClosedPort, Sock, TempDir, assert_bytes, connect_to_listener, rnc};
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

/// Words and the port they are about.
fn to(words: &str, port: &ClosedPort) -> Vec<String> {
    let words = words.split(' ').map(str::to_string);
    words
        .chain(["127.0.0.1".to_string(), port.port().to_string()])
        .collect()
}

#[test]
fn a_client_waits_for_its_server() {
    let port = ClosedPort::tcp();
    let client = rnc(to("-v --retry", &port)).spawn();
    client.says("Trying again in");
    let (mut server, _) = port.open().accept().expect("accept");
    server.write_all(b"at last\n").expect("write");
    drop(server);
    client.wait().expect_code(0).expect_stdout("at last\n");
}

#[test]
fn a_client_waits_for_a_unix_socket() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let words = ["-v", "--retry", "-w", "20", "-U"].map(Into::into);
    let client = rnc(words.into_iter().chain([path.clone().into_os_string()])).spawn();
    client.says("Trying again in");
    let listener = UnixListener::bind(&path).expect("bind");
    let (mut server, _) = listener.accept().expect("accept");
    server.write_all(b"at last\n").expect("write");
    drop(server);
    client.wait().expect_code(0).expect_stdout("at last\n");
}

#[test]
fn a_scan_waits_until_the_port_is_open() {
    let port = ClosedPort::tcp();
    let scan = rnc(to("-zv --retry --timeout 20s", &port)).spawn();
    scan.says("Trying again in");
    let _listener = port.open();
    let done = scan.wait().expect_code(0);
    assert!(done.stderr.contains("succeeded!"), "{done}");
}

#[test]
fn the_time_for_all_attempts_is_limited() {
    let port = ClosedPort::tcp();
    let at = format!("connect to 127.0.0.1 port {} (tcp)", port.port());
    let late = format!("rnc: {at} timed out: Connection refused\n");
    for words in ["--retry -w 300ms", "-z --retry=1s --timeout 300ms"] {
        let done = rnc(to(words, &port)).run().expect_code(3);
        assert_eq!(done.stderr, late, "{words}: {done}");
    }
}

#[test]
fn a_name_that_is_not_known_yet_is_asked_for_again() {
    for words in ["--retry -w 300ms", "-z --retry -w 300ms"] {
        let words = words.split(' ').chain(["no.such.invalid", "80"]);
        let done = rnc(words).run().expect_code(3);
        assert!(done.stderr.contains("timed out"), "{done}");
    }
}

#[test]
fn a_relays_target_is_waited_for_while_its_client_is() {
    for option in ["--retry", "target"] {
        let port = ClosedPort::tcp();
        let target = format!("127.0.0.1:{}", port.port());
        let words = match option {
            "target" => vec!["--relay".to_string(), format!("{target},retry=1s")],
            option => vec![option.to_string(), "--relay".into(), target],
        };
        let listens = ["-v", "-l", "127.0.0.1", "0"].map(str::to_string);
        let relay = rnc(listens.into_iter().chain(words)).spawn();
        let mut client: Sock = connect_to_listener(&relay, None);
        client.say("hello", &relay);
        relay.says("Trying again in");
        let (mut server, _) = port.open().accept().expect("accept");
        let mut heard = [0; 5];
        server.read_exact(&mut heard).expect("read");
        assert_bytes("heard", &heard, b"hello");
        drop(server);
        client.half_close();
        assert_bytes("answer", &client.read_all(&relay), b"");
        relay.wait().expect_code(0);
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, why) in [
        (
            "-l --retry 0",
            "--retry needs a host to connect to, or --relay",
        ),
        ("--retry=0 h 1", "--retry 0: not more than 0"),
        ("--retry=soon h 1", "--retry soon"),
        ("-l 0 --relay h:1,retry=0", "--relay h:1,retry=0: retry 0"),
    ] {
        let done = rnc(words.split(' ')).run().expect_code(2);
        assert!(done.stderr.contains(why), "{words}: {done}");
    }
}
