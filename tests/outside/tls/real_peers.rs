//! Megabytes in both directions at once between rnc and real programs, in both roles, and each
//! side's end.

use super::certs::Authority;
use super::programs::{CLIENTS, ClientKind, Nginx, PAGE, SERVERS, ServerKind};
use super::session::{connecting, listening};
use crate::common::{Cmd, Running, Stdin, TempDir, assert_bytes, pattern, require, shell};
use std::io::Write;
use std::process::ChildStdin;
use std::thread::{self, JoinHandle};

const LEN: usize = 3_000_000;

/// Writes all of it to a stdin that is then still open.
fn pour(running: &mut Running, bytes: Vec<u8>) -> JoinHandle<ChildStdin> {
    let mut stdin = running.take_stdin();
    thread::spawn(move || {
        // A process that ends early is judged by what it did, not by this pipe.
        let _ = stdin.write_all(&bytes);
        stdin
    })
}

/// Waits until stdout has had this, and nothing else.
#[track_caller]
fn expect_output(of: &Running, wanted: &[u8]) {
    if !of.stdout.wait_until(|bytes| bytes.len() >= wanted.len()) {
        of.fail(&format!("it did not get {} bytes", wanted.len()));
    }
    assert_bytes("stdout", &of.stdout.bytes(), wanted);
}

/// Both directions whole, both sides still open then.
#[track_caller]
fn exchange(rnc: &mut Running, peer: &mut Running) -> (ChildStdin, ChildStdin) {
    let (ours, theirs) = (pattern(LEN, 7), pattern(LEN, 8));
    let stdins = (pour(rnc, ours.clone()), pour(peer, theirs.clone()));
    expect_output(peer, &ours);
    expect_output(rnc, &theirs);
    let (rnc_stdin, peer_stdin) = (stdins.0.join(), stdins.1.join());
    (rnc_stdin.expect("written"), peer_stdin.expect("written"))
}

#[test]
fn servers_get_and_send_every_byte_and_end_with_rnc() {
    for kind in SERVERS {
        eprintln!("{kind:?}");
        let authority = Authority::new();
        let Some(mut server) = kind.start(&authority.for_here()) else {
            continue;
        };
        let mut rnc = connecting(&authority, &[], server.port)
            .stdin(Stdin::Pipe)
            .spawn();
        let (rnc_stdin, _peer_stdin) = exchange(&mut rnc, &mut server.running);
        drop(rnc_stdin);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn clients_get_and_send_every_byte_and_end_with_rnc() {
    for kind in CLIENTS {
        eprintln!("{kind:?}");
        let authority = Authority::new();
        let mut rnc = listening(&authority, &[]).stdin(Stdin::Pipe).spawn();
        let Some(mut client) = kind.start(&authority, rnc.listening_port()) else {
            continue;
        };
        let (rnc_stdin, peer_stdin) = exchange(&mut rnc, &mut client);
        drop(rnc_stdin);
        // Not all leave at our end; those that stay do so at theirs.
        drop(peer_stdin);
        ends(rnc, !matches!(kind, ClientKind::Ncat));
    }
}

#[test]
fn what_ends_at_its_own_stdin_ends_the_session() {
    for kind in [ServerKind::Ncat, ServerKind::Socat] {
        eprintln!("{kind:?}");
        let authority = Authority::new();
        let Some(mut server) = kind.start(&authority.for_here()) else {
            continue;
        };
        let mut rnc = connecting(&authority, &[], server.port)
            .stdin(Stdin::Pipe)
            .spawn();
        let (rnc_stdin, peer_stdin) = exchange(&mut rnc, &mut server.running);
        drop(peer_stdin);
        assert!(rnc.stdout.wait_end(), "the end did not reach stdout");
        drop(rnc_stdin);
        ends(rnc, !matches!(kind, ServerKind::Ncat));
    }
}

/// An end is told when the peer has not said close_notify: Ncat's is FIN alone, which anybody on
/// the way could have sent.
#[track_caller]
fn ends(rnc: Running, says_so: bool) {
    let done = rnc.wait();
    if says_so {
        done.expect_code(0).expect_silence()
    } else {
        done.expect_code(1).expect_complaint("close_notify")
    };
}

#[test]
fn a_page_of_nginx_comes_over_tls() {
    let authority = Authority::new();
    for more in ["", "ssl_protocols TLSv1.2;", "ssl_protocols TLSv1.3;"] {
        let Some(nginx) = Nginx::start(&authority.for_here(), more) else {
            return;
        };
        let asked = |options: &[&str]| {
            let mut rnc = connecting(&authority, options, nginx.port)
                .stdin(Stdin::Pipe)
                .spawn();
            rnc.feed(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n".to_vec());
            rnc.wait()
        };
        let expect_page = |page: &[u8]| {
            let page = String::from_utf8_lossy(page);
            assert!(page.starts_with("HTTP/1.1 200 OK"), "{page}");
            assert!(page.ends_with(PAGE), "{page}");
        };
        let done = asked(&["--no-shutdown"]).expect_code(0).expect_silence();
        expect_page(&done.stdout);
        // If it has our close_notify by then, it sends none itself: the page is there, and not
        // known to be whole.
        let done = asked(&[]);
        expect_page(&done.stdout);
        match done.status.code() {
            Some(0) => done.expect_silence(),
            _ => done.expect_code(1).expect_complaint("close_notify"),
        };
    }
}

#[test]
fn curl_gets_a_page_of_a_program_behind_rnc() {
    let Some(curl) = require("curl", "curl") else {
        return;
    };
    let authority = Authority::new();
    let answer = r"sed '/^.$/q' >/dev/null; printf 'HTTP/1.0 200 OK\r\n\r\na page\n'";
    let rnc = listening(&authority, &["-k", "-c", answer]).spawn();
    let port = rnc.listening_port();
    for version in ["--tlsv1.2", "--tlsv1.3"] {
        Cmd::new(&curl)
            .args(["-sS", "--ipv4", version, "--cacert"])
            .arg(&authority.file)
            .arg(format!("https://localhost:{port}/"))
            .run()
            .expect_code(0)
            .expect_stdout("a page\n")
            .expect_silence();
    }
}

#[test]
fn rnc_speaks_with_rnc() {
    let authority = Authority::new();
    let mut listener = listening(&authority, &[]).stdin(Stdin::Pipe).spawn();
    let mut client = connecting(&authority, &[], listener.listening_port())
        .stdin(Stdin::Pipe)
        .spawn();
    let (ours, theirs) = (pattern(LEN, 9), pattern(LEN, 10));
    client.feed(ours.clone());
    listener.feed(theirs.clone());
    client
        .wait()
        .expect_code(0)
        .expect_stdout(&theirs)
        .expect_silence();
    listener
        .wait()
        .expect_code(0)
        .expect_stdout(&ours)
        .expect_silence();
}

#[test]
fn a_file_goes_through_a_pipe_with_tls_between() {
    let authority = Authority::new();
    let dir = TempDir::new();
    let sent = pattern(LEN, 11);
    dir.file("sent", &sent);
    let listener = listening(&authority, &[]).spawn();
    let line = format!(
        "rnc --tls --tls-ca {} 127.0.0.1 {} < sent",
        authority.file.display(),
        listener.listening_port()
    );
    shell(&line, &dir).run().expect_code(0).expect_silence();
    listener.wait().expect_code(0).expect_stdout(&sent);
}
