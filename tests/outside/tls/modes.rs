//! TLS under everything rnc does with a connection: many clients, programs, services, relays, Unix
//! sockets, limits. What the plain connection does is tested elsewhere; here it is that TLS is
//! there, and its ends.

use super::certs::Authority;
use super::peer::{TlsSock, client_config, server_config};
use super::session::{connecting, listening};
use crate::common::{
    Running, Server, Sock, Stdin, TempDir, Transport, assert_bytes, connect_to_listener, pattern,
    peak_rss_kib, rnc,
};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;

/// rnc with TLS for several clients.
struct Crowd {
    rnc: Running,
    authority: Authority,
}

impl Crowd {
    #[track_caller]
    fn new(options: &[&str]) -> Crowd {
        let authority = Authority::new();
        let rnc = listening(&authority, options).stdin(Stdin::Pipe).spawn();
        Crowd { rnc, authority }
    }

    #[track_caller]
    fn join(&self) -> TlsSock {
        TlsSock::connect(client_config(&self.authority), &self.rnc)
    }

    #[track_caller]
    fn hears(&self, client: &mut TlsSock, wanted: &str) {
        let got = client.read_some(wanted.len(), &self.rnc);
        assert_bytes("a client heard", &got, wanted.as_bytes());
    }
}

#[test]
fn stdin_goes_to_all_and_all_go_to_stdout() {
    let mut crowd = Crowd::new(&["-k"]);
    let mut clients: Vec<TlsSock> = (0..5).map(|_| crowd.join()).collect();
    for (n, client) in clients.iter_mut().enumerate() {
        client.say(format!("client {n}\n"), &crowd.rnc);
        crowd.rnc.shows(&format!("client {n}\n"));
    }
    crowd.rnc.send("to all\n");
    for client in &mut clients {
        crowd.hears(client, "to all\n");
    }
    // One that breaks off is nobody else's affair, nor is one that speaks nonsense.
    clients.remove(0).into_sock().reset();
    let mut bad = clients.remove(0);
    bad.sock().say("not a record at all", &crowd.rnc);
    bad.read_to_end(&mut Vec::new()).expect_err("an alert");
    crowd.rnc.send("again\n");
    for client in &mut clients {
        crowd.hears(client, "again\n");
    }
    crowd.rnc.close_stdin();
    for client in &mut clients {
        assert_bytes("the end", &client.read_all(&crowd.rnc), b"");
    }
}

#[test]
fn sessions_leave_nothing_behind() {
    let crowd = Crowd::new(&["-k", "--echo"]);
    let visits = |count: usize| {
        for _ in 0..count {
            let mut client = crowd.join();
            client.say("hello", &crowd.rnc);
            client.half_close(&crowd.rnc);
            let heard = client.read_all(&crowd.rnc);
            assert_bytes("echo", &heard, b"hello");
        }
        peak_rss_kib(crowd.rnc.pid())
    };
    let before = visits(50);
    let after = visits(500);
    // Less than a KiB for each.
    assert!(after < before + 500, "{before} KiB, then {after} KiB");
}

#[test]
fn a_proxy_is_asked_first_and_its_word_is_not_taken_for_tls() {
    let authority = Authority::new();
    let proxy = Server::tcp();
    let place = format!("127.0.0.1:{}", proxy.port());
    let options = ["-x", &place, "-X", "connect"];
    let mut rnc = connecting(&authority, &options, 443)
        .stdin(Stdin::Pipe)
        .spawn();
    let mut sock = proxy.accept(&rnc);
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        asked.extend(sock.read_some(1, &rnc));
    }
    assert!(asked.starts_with(b"CONNECT 127.0.0.1:443 "));
    sock.say("HTTP/1.1 200 OK\r\n\r\n", &rnc);
    let mut peer = TlsSock::server_on(sock, server_config(&authority.for_here()), &rnc);
    rnc.feed(b"asked".to_vec());
    assert_bytes("question", &peer.read_all(&rnc), b"asked");
    peer.say("answered", &rnc);
    peer.half_close(&rnc);
    let done = rnc.wait().expect_code(0).expect_stdout("answered");
    done.expect_silence();
}

#[test]
fn a_proxys_refusal_is_told_before_any_tls() {
    let authority = Authority::new();
    let proxy = Server::tcp();
    let place = format!("127.0.0.1:{}", proxy.port());
    let rnc = connecting(&authority, &["-x", &place, "-X", "connect"], 443).spawn();
    let mut sock = proxy.accept(&rnc);
    while sock.read_some(1, &rnc) != b"\n" {}
    sock.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", &rnc);
    drop(sock);
    rnc.wait().expect_code(1).expect_complaint("403 Forbidden");
}

#[test]
fn newlines_are_changed_before_they_are_sealed() {
    let authority = Authority::new();
    let server = Server::tcp();
    let mut rnc = connecting(&authority, &["-C"], server.port())
        .stdin(Stdin::Pipe)
        .spawn();
    let config = server_config(&authority.for_here());
    let mut peer = TlsSock::server_on(server.accept(&rnc), config, &rnc);
    rnc.feed(b"one\ntwo\n".to_vec());
    assert_bytes("lines", &peer.read_all(&rnc), b"one\r\ntwo\r\n");
    peer.half_close(&rnc);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_socket_that_is_passed_is_served_with_tls() {
    let authority = Authority::new();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let addr = listener.local_addr().expect("local_addr");
    let client = TcpStream::connect(addr).expect("connect");
    let (passed, _) = listener.accept().expect("accept");
    let rnc = rnc(["--inetd", "--tls", "--echo"])
        .args(authority.for_here().options())
        .stdin(Stdin::Fd(passed.into()))
        .spawn();
    let mut client = TlsSock::client_on(Sock::Tcp(client), client_config(&authority), &rnc);
    client.say("hello", &rnc);
    client.half_close(&rnc);
    assert_bytes("echo", &client.read_all(&rnc), b"hello");
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn one_that_does_not_read_is_dropped_and_the_others_get_everything() {
    const LEN: usize = 32 << 20;
    let mut crowd = Crowd::new(&["-k"]);
    let mut good = crowd.join();
    let mut deaf = crowd.join();
    for client in [&mut good, &mut deaf] {
        client.say("here\n", &crowd.rnc);
    }
    let both = |said: &[u8]| said == b"here\nhere\n";
    assert!(crowd.rnc.stdout.wait_until(both), "they are not both in");
    let sent = pattern(LEN, 17);
    crowd.rnc.feed(sent.clone());
    let heard = good.read_some(LEN, &crowd.rnc);
    assert_bytes("the good one heard", &heard, &sent);
    let peak = peak_rss_kib(crowd.rnc.pid());
    assert!(peak < 16 << 10, "{peak} KiB");
}

#[test]
fn members_of_a_broker_hear_each_other() {
    let mut crowd = Crowd::new(&["--broker"]);
    // Whoever is heard is in, and so is whoever hears.
    crowd.rnc.send("welcome");
    let mut members = vec![crowd.join()];
    crowd.hears(&mut members[0], "welcome");
    for n in 1..4 {
        let mut new = crowd.join();
        new.say(format!("{n} is in"), &crowd.rnc);
        for member in &mut members {
            crowd.hears(member, &format!("{n} is in"));
        }
        members.push(new);
    }
    for speaker in 0..members.len() {
        let words = format!("from {speaker}");
        members[speaker].say(&words, &crowd.rnc);
        for (at, member) in members.iter_mut().enumerate() {
            if at != speaker {
                crowd.hears(member, &words);
            }
        }
    }
}

#[test]
fn members_of_a_chat_have_names() {
    let crowd = Crowd::new(&["--chat"]);
    let mut first = crowd.join();
    // It is in when it is greeted.
    let mut heard = String::from_utf8_lossy(&first.read_some(1, &crowd.rnc)).into_owned();
    let mut second = crowd.join();
    while !heard.contains("<user2>") {
        heard.push_str(&String::from_utf8_lossy(&first.read_some(1, &crowd.rnc)));
    }
    second.say("hello\n", &crowd.rnc);
    while !heard.contains("<user2> hello") {
        heard.push_str(&String::from_utf8_lossy(&first.read_some(1, &crowd.rnc)));
    }
}

#[test]
fn an_echo_returns_every_byte_and_the_end() {
    let crowd = Crowd::new(&["-k", "--echo"]);
    let sent = pattern(1_000_000, 12);
    let mut clients: Vec<TlsSock> = (0..3).map(|_| crowd.join()).collect();
    for piece in sent.chunks(10_000) {
        for client in &mut clients {
            client.say(piece, &crowd.rnc);
        }
        for client in &mut clients {
            let got = client.read_some(piece.len(), &crowd.rnc);
            assert_bytes("echo", &got, piece);
        }
    }
    for mut client in clients {
        client.half_close(&crowd.rnc);
        assert_bytes("the end", &client.read_all(&crowd.rnc), b"");
    }
}

#[test]
fn other_services_speak_tls() {
    let crowd = Crowd::new(&["-k", "--daytime"]);
    let said = crowd.join().read_all(&crowd.rnc);
    assert!(said.ends_with(b"\r\n"), "{said:?}");
    let crowd = Crowd::new(&["-k", "--chargen"]);
    let said = crowd.join().read_some(1_000_000, &crowd.rnc);
    assert!(said.starts_with(b" !\"#"), "{:?}", &said[..10]);
    let crowd = Crowd::new(&["-k", "--discard"]);
    let mut client = crowd.join();
    client.say(pattern(1_000_000, 13), &crowd.rnc);
    client.half_close(&crowd.rnc);
    assert_bytes("nothing", &client.read_all(&crowd.rnc), b"");
}

#[test]
fn programs_are_joined_to_clients_and_to_servers() {
    let sent = pattern(1_000_000, 14);
    for options in [&["-k", "-e", "cat"][..], &["-k", "-c", "cat; echo done"]] {
        let crowd = Crowd::new(options);
        for _ in 0..2 {
            let mut client = crowd.join();
            let mut heard = Vec::new();
            for piece in sent.chunks(10_000) {
                client.say(piece, &crowd.rnc);
                heard.extend(client.read_some(piece.len(), &crowd.rnc));
            }
            assert_bytes("cat", &heard, &sent);
            client.half_close(&crowd.rnc);
            let last = client.read_all(&crowd.rnc);
            let wanted: &[u8] = if options[1] == "-e" { b"" } else { b"done\n" };
            assert_bytes("the end", &last, wanted);
        }
    }
    let authority = Authority::new();
    let server = Server::tcp();
    let rnc = connecting(&authority, &["-c", "tr a-z A-Z"], server.port()).spawn();
    let config = server_config(&authority.for_here());
    let mut peer = TlsSock::server_on(server.accept(&rnc), config, &rnc);
    peer.say("shout", &rnc);
    peer.half_close(&rnc);
    assert_bytes("tr", &peer.read_all(&rnc), b"SHOUT");
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_relay_ends_tls_and_passes_on_what_is_in_it() {
    let target = Server::tcp();
    let onward = format!("127.0.0.1:{}", target.port());
    let crowd = Crowd::new(&["-k", "--relay", &onward]);
    let sent = pattern(1_000_000, 15);
    for _ in 0..2 {
        let mut client = crowd.join();
        let mut behind = target.accept(&crowd.rnc);
        let (rnc, sent) = (&crowd.rnc, &sent);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                assert_bytes("the target got", &behind.read_all(rnc), sent);
                behind.say(sent, rnc);
                behind.half_close();
            });
            client.say(sent, rnc);
            client.half_close(rnc);
            assert_bytes("the client got", &client.read_all(rnc), sent);
        });
    }
    // A client that breaks off, without close_notify, does not look like one that ended.
    let mut client = crowd.join();
    let mut behind = target.accept(&crowd.rnc);
    client.say("half", &crowd.rnc);
    assert_bytes("half", &behind.read_some(4, &crowd.rnc), b"half");
    client.sock().half_close();
    let error = behind.read_to_end(&mut Vec::new());
    error.expect_err("the target is told that it broke off");
}

#[test]
fn unix_sockets_carry_tls_in_both_roles() {
    let authority = Authority::new();
    let dir = TempDir::new();
    let path: PathBuf = dir.join("listener");
    let mut listener = rnc(["-lv", "--tls", "-U"])
        .arg(&path)
        .args(authority.for_here().options())
        .stdin(Stdin::Pipe)
        .spawn();
    let sock = connect_to_listener(&listener, Some(&path));
    let mut peer = TlsSock::client_on(sock, client_config(&authority), &listener);
    peer.say("asked", &listener);
    peer.half_close(&listener);
    listener.feed(b"answered".to_vec());
    assert_bytes("answer", &peer.read_all(&listener), b"answered");
    listener.wait().expect_code(0).expect_stdout("asked");

    let server = Server::new(Transport::Unix, &dir);
    let mut client = rnc(["--tls", "--tls-servername", "localhost", "--tls-ca"])
        .arg(&authority.file)
        .args(server.words())
        .stdin(Stdin::Pipe)
        .spawn();
    let config = server_config(&authority.for_here());
    let mut peer = TlsSock::server_on(server.accept(&client), config, &client);
    client.feed(b"asked".to_vec());
    assert_bytes("question", &peer.read_all(&client), b"asked");
    peer.say("answered", &client);
    peer.half_close(&client);
    client
        .wait()
        .expect_code(0)
        .expect_stdout("answered")
        .expect_silence();
}

#[test]
fn who_is_one_too_many_or_not_allowed_is_not_let_in() {
    let crowd = Crowd::new(&["-k", "--echo", "--max-conns", "1"]);
    // Who does not shake hands takes nobody's place.
    let _silent = connect_to_listener(&crowd.rnc, None);
    let mut first = crowd.join();
    let mut second = connect_to_listener(&crowd.rnc, None);
    // Closed or kept waiting, but not served beside the first.
    first.say("one", &crowd.rnc);
    crowd.hears(&mut first, "one");
    assert!(second.has_nothing_to_read() || refused(&mut second));
    first.half_close(&crowd.rnc);
    assert_bytes("the end", &first.read_all(&crowd.rnc), b"");

    let crowd = Crowd::new(&["-k", "--echo", "--deny", "127.0.0.1"]);
    let mut denied = connect_to_listener(&crowd.rnc, None);
    assert!(refused(&mut denied), "it was let in");
    let crowd = Crowd::new(&["-k", "--echo", "--allow", "127.0.0.1"]);
    let mut allowed = crowd.join();
    allowed.say("in", &crowd.rnc);
    crowd.hears(&mut allowed, "in");
}

/// Whether the connection ends without a word.
fn refused(sock: &mut Sock) -> bool {
    !matches!(sock.read(&mut [0; 1]), Ok(1..))
}

#[test]
fn logs_and_dumps_have_what_was_said_in_tls() {
    let authority = Authority::new();
    let dir = TempDir::new();
    let log = dir.join("log");
    let server = Server::tcp();
    let option = format!("--output={}", log.display());
    let mut rnc = connecting(&authority, &[&option], server.port())
        .stdin(Stdin::Pipe)
        .spawn();
    let config = server_config(&authority.for_here());
    let mut peer = TlsSock::server_on(server.accept(&rnc), config, &rnc);
    rnc.feed(b"asked\n".to_vec());
    assert_bytes("question", &peer.read_all(&rnc), b"asked\n");
    peer.say("answered\n", &rnc);
    peer.half_close(&rnc);
    rnc.wait().expect_code(0).expect_stdout("answered\n");
    let logged = std::fs::read(&log).expect("a log");
    assert_bytes("the log", &logged, b"asked\nanswered\n");
}

/// Plain text to a server that speaks TLS is answered by seven bytes of an alert.
#[test]
fn an_alert_in_plain_text_is_told_for_what_it_is() {
    let alert = [21, 3, 3, 0, 2, 2, 50];
    for (options, told) in [
        (&[][..], true),
        (&["--as", "nc"], false),
        (&["--as", "ncat"], false),
    ] {
        let server = Server::tcp();
        let rnc = rnc(options).args(server.words()).spawn();
        let mut peer = server.accept(&rnc);
        peer.say(alert, &rnc);
        drop(peer);
        let done = rnc.wait().expect_stdout(alert);
        if told {
            drop(done.expect_code(1).expect_complaint("speaks TLS"))
        } else {
            drop(done.expect_code(0).expect_silence())
        }
    }
    // The same bytes with more behind them, or other ones, are what they are.
    for bytes in [[&alert[..], b"x"].concat(), vec![21, 3, 3, 0, 2, 3, 50]] {
        let server = Server::tcp();
        let rnc = rnc(server.words()).spawn();
        let mut peer = server.accept(&rnc);
        peer.say(&bytes, &rnc);
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout(&bytes)
            .expect_silence();
    }
}

#[test]
fn plain_text_to_a_tls_server_is_1_for_the_client_and_the_relay() {
    let authority = Authority::new();
    let server = listening(&authority, &["-k"]).spawn();
    let port = server.listening_port().to_string();
    let mut client = rnc(["127.0.0.1", &port]).stdin(Stdin::Pipe).spawn();
    client.feed(b"GET / HTTP/1.0\r\n\r\n".to_vec());
    client.wait().expect_code(1).expect_complaint("speaks TLS");

    let done = rnc(["127.0.0.1", &port, "-c", "echo hello; cat > /dev/null"]).run();
    done.expect_code(1).expect_complaint("speaks TLS");

    let onward = format!("127.0.0.1:{port}");
    let relay = rnc(["-l", "127.0.0.1", "0", "--relay", &onward]).spawn();
    let mut client = connect_to_listener(&relay, None);
    client.say("GET / HTTP/1.0\r\n\r\n", &relay);
    let _ = client.read_to_end(&mut Vec::new());
    drop(client);
    let done = relay.wait().expect_code(1);
    assert!(done.stderr.contains("speaks TLS"), "{done}");
}
