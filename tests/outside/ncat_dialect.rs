//! rnc called as `ncat` beside Ncat: the same command line for both, and the same exit code,
//! standard output and, where versions of Ncat agree, standard error asked of both. Where Ncat has
//! a fault that no script can rely on, rnc alone is held to what is right.

use crate::common::{
    ClosedPort, Cmd, DEADLINE, Finished, Running, Server, Sock, Stdin, Stdout, TempDir,
    never_answers, require, rnc, udp_socket,
};
use std::io::Read;
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;

/// One of the two programs that are compared.
struct Program {
    /// Ncat; or else rnc.
    theirs: Option<PathBuf>,
}

const OURS: Program = Program { theirs: None };

impl Program {
    /// Called as `ncat`, with a command line written in one string.
    fn line(&self, line: &str) -> Cmd {
        let words = line.split_whitespace();
        match &self.theirs {
            Some(path) => Cmd::new(path).called("ncat").args(words),
            None => rnc(words).called("ncat"),
        }
    }

    /// Connected to the test: the session, and the test's end.
    #[track_caller]
    fn connected(&self, options: &str, stdin: Stdin) -> (Running, Sock) {
        let server = Server::tcp();
        let words = format!("{options} 127.0.0.1 {}", server.port());
        let ncat = self.line(&words).stdin(stdin).spawn();
        let peer = server.accept(&ncat);
        (ncat, peer)
    }

    /// Listening, and a client of it. Ncat does not tell the port behind `-l 0`: it is given one
    /// that was free a moment ago, and another when somebody else was faster.
    #[track_caller]
    fn listening(&self, options: &str, stdin: fn() -> Stdin) -> (Running, Sock) {
        loop {
            let port = ClosedPort::tcp().port();
            let words = format!("-l --test {options} 127.0.0.1 {port}");
            let ncat = self.line(&words).stdin(stdin()).spawn();
            if ncat.stderr.wait_for("NCAT TEST: LISTEN\n") {
                return (ncat, connect(port));
            }
            let failed = ncat.wait();
            assert!(failed.stderr.contains("Address already in use"), "{failed}");
        }
    }
}

fn connect(port: u16) -> Sock {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
    stream
        .set_read_timeout(Some(DEADLINE))
        .expect("SO_RCVTIMEO");
    Sock::Tcp(stream)
}

/// Runs the scenario with both programs and asks for the same of both.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug>(scenario: impl Fn(&Program) -> T) {
    let Some(path) = require("ncat", "ncat") else {
        return;
    };
    let theirs = Program { theirs: Some(path) };
    let (ours, theirs) = (scenario(&OURS), scenario(&theirs));
    assert_eq!(ours, theirs, "rnc's on the left, Ncat's on the right");
}

/// Exit code and standard output.
fn outcome(done: Finished) -> (Option<i32>, String) {
    let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.code(), stdout)
}

/// The same, and what was said: without the line about the version, in which rnc owns up.
fn told(done: Finished) -> (Option<i32>, String, Vec<String>) {
    let is_version =
        |line: &&str| line.starts_with("Ncat: Version") || line.starts_with("Ncat: rnc");
    let lines = done.stderr.lines().filter(|line| !is_version(line));
    let lines = lines.map(str::to_string).collect();
    let (code, stdout) = outcome(done);
    (code, stdout, lines)
}

/// The same, with a number put for the port.
fn without_port(done: Finished, port: u16) -> (Option<i32>, String, Vec<String>) {
    let (code, stdout, lines) = told(done);
    let port = port.to_string();
    let lines = lines.iter().map(|line| line.replace(&port, "PORT"));
    (code, stdout, lines.collect())
}

// ---- the command line

#[test]
fn a_wrong_command_line_is_2() {
    let lines = [
        "",
        "-y",
        "-w",
        "-w x 127.0.0.1 1",
        "-w 0 127.0.0.1 1",
        "-w -1 127.0.0.1 1",
        "-lz 1",
        "-z",
        "-l -s 127.0.0.1 1",
        "-p x 127.0.0.1 1",
        "-p 99999 127.0.0.1 1",
        "127.0.0.1 99999",
        "127.0.0.1 x",
        "127.0.0.1 1-5",
        "-l 127.0.0.1 99999",
        "-U",
        "-U a b",
        "-U -l",
        "-U -p 1 a",
        "--proxy-type foo 127.0.0.1 1",
        "--proxy-type foo --proxy 127.0.0.1:1 127.0.0.1 1",
        "--proxy 127.0.0.1:1 -l 1",
        "-b 127.0.0.1 1",
        "-D 127.0.0.1 1",
        "-N 127.0.0.1 1",
        "-r 127.0.0.1 1",
        "-T ef 127.0.0.1 1",
        "-X 5 127.0.0.1 1",
        "--nope 127.0.0.1 1",
    ];
    same(|ncat| lines.map(|line| (line, outcome(ncat.line(line).run()))));
}

#[test]
fn what_is_wrong_is_told_in_ncats_words() {
    let lines = [
        "",
        "-y",
        "-C -t -y",
        "-w",
        "--nope",
        "127.0.0.1 99999",
        "127.0.0.1 x",
        "127.0.0.1 1-5",
        "-l 127.0.0.1 x",
    ];
    same(|ncat| lines.map(|line| (line, told(ncat.line(line).run()))));
}

#[test]
fn help_and_version_go_to_stdout_with_0() {
    same(|ncat| {
        let help = ["-h", "--help"].map(|word| {
            let done = ncat.line(word).run().expect_code(0).expect_silence();
            let help = String::from_utf8(done.stdout).expect("UTF-8");
            ["-w, --wait", "-C, --crlf", "--proxy"].map(|option| help.contains(option))
        });
        let version = ncat.line("--version").run().status.code();
        (help, version)
    });
    let version = OURS.line("--version").run();
    let said = [version.stdout, version.stderr.into_bytes()].concat();
    assert!(String::from_utf8_lossy(&said).starts_with("Ncat: rnc "));
}

#[test]
fn what_has_not_come_yet_is_refused_plainly() {
    for (line, why) in [
        (
            "-l --proxy-type http 1",
            "-l with --proxy-type (being a proxy) is not supported yet",
        ),
        ("--lua-exec x 127.0.0.1 1", "no Lua"),
        ("-g 127.0.0.1 127.0.0.1 1", "-g is not supported"),
    ] {
        let done = OURS.line(line).run().expect_code(2).expect_stdout("");
        done.expect_complaint(why);
    }
}

#[test]
fn options_of_tls_that_make_no_sense_are_2() {
    let lines = ["--ssl-key k 127.0.0.1 1", "-l -u --ssl 127.0.0.1 1"];
    same(|ncat| lines.map(|line| (line, outcome(ncat.line(line).run()))));
}

#[test]
fn options_and_operands_are_mixed_and_long_names_shortened() {
    same(|ncat| {
        let server = Server::tcp();
        let ncat = ncat
            .line(&format!(
                "127.0.0.1 --no-shutdow --recv-o {} -n",
                server.port()
            ))
            .spawn();
        let peer = server.accept(&ncat);
        drop(peer);
        outcome(ncat.wait())
    });
}

// ---- connecting

#[test]
fn a_closed_port_is_told_with_1() {
    let closed = ClosedPort::tcp();
    let port = closed.port();
    same(|ncat| {
        [
            format!("127.0.0.1 {port}"),
            format!("-v 127.0.0.1 {port}"),
            format!("-v -4 127.0.0.1 {port}"),
            format!("-z 127.0.0.1 {port}"),
            format!("-zv 127.0.0.1 {port}"),
            "-U /nonexistent".into(),
            "-vU /nonexistent".into(),
        ]
        .map(|line| told(ncat.line(&line).run()))
    });
}

#[test]
fn an_unknown_name_is_told_with_2() {
    same(|ncat| {
        [
            "-n no.such.host 1",
            "-v -n no.such.host 1",
            "-l -n no.such.host 1",
        ]
        .map(|line| told(ncat.line(line).run()))
    });
}

#[test]
fn a_connection_that_is_not_answered_times_out_with_1() {
    let (_held, port) = never_answers();
    same(|ncat| {
        ["-w 200ms", "-v -w 1"].map(|wait| {
            let done = ncat.line(&format!("{wait} 127.0.0.1 {port}")).run();
            told(done)
        })
    });
}

#[test]
fn a_port_that_is_listened_on_is_2() {
    let server = Server::tcp();
    let port = server.port();
    same(|ncat| {
        let done = ncat.line(&format!("-l 127.0.0.1 {port}")).run();
        without_port(done, port)
    });
}

#[test]
fn verbose_clients_tell_the_connection_and_its_totals() {
    same(|ncat| {
        let server = Server::tcp();
        let words = format!("-v 127.0.0.1 {}", server.port());
        let mut ncat = ncat.line(&words).stdin(Stdin::Pipe).spawn();
        let mut peer = server.accept(&ncat);
        ncat.send("four");
        ncat.close_stdin();
        let got = peer.read_all(&ncat);
        peer.say("answer", &ncat);
        drop(peer);
        let (code, stdout, lines) = without_port(ncat.wait(), server.port());
        let lines: Vec<String> = lines
            .iter()
            .map(|line| line.split(" in ").next().unwrap_or_default().to_string())
            .collect();
        (got, code, stdout, lines)
    });
}

#[test]
fn zero_io_only_connects() {
    same(|ncat| {
        let server = Server::tcp();
        let mut ncat = ncat
            .line(&format!("-z 127.0.0.1 {}", server.port()))
            .spawn();
        let got = server.accept(&ncat).read_all(&ncat);
        ncat.close_stdin();
        (got, told(ncat.wait()))
    });
}

#[test]
fn zero_io_over_udp_sends_one_null_byte() {
    let closed = ClosedPort::udp();
    same(|ncat| {
        let sock = udp_socket();
        let port = sock.local_addr().expect("local_addr").port();
        let silent = ncat.line(&format!("-zu 127.0.0.1 {port}")).run();
        let mut buf = [0; 10];
        let len = sock.recv(&mut buf).expect("a datagram");
        let refused = ncat.line(&format!("-zu 127.0.0.1 {}", closed.port())).run();
        (
            buf[..len].to_vec(),
            silent.status.code(),
            refused.status.code(),
        )
    });
}

// ---- how sessions end

#[test]
fn the_end_of_input_is_passed_on_and_the_answer_arrives() {
    same(|ncat| {
        ["", "-v", "-q 5s"].map(|options| {
            // -q is newer than 7.93.
            let ncat = match options {
                "-q 5s" => &OURS,
                _ => ncat,
            };
            let (ncat, mut peer) = ncat.connected(options, Stdin::Null);
            let got = peer.read_all(&ncat);
            peer.say("answer", &ncat);
            drop(peer);
            (got, outcome(ncat.wait()))
        })
    });
}

#[test]
fn no_shutdown_keeps_the_direction_open() {
    same(|ncat| {
        let (ncat, mut peer) = ncat.connected("--no-shutdown", Stdin::Null);
        peer.say("answer", &ncat);
        ncat.shows("answer");
        let is_open = peer.has_nothing_to_read();
        peer.half_close();
        let rest = peer.read_all(&ncat);
        (is_open, rest, outcome(ncat.wait()))
    });
}

/// 7.93 stays, later versions do not.
#[test]
fn a_client_leaves_with_the_peer_while_input_goes_on() {
    let (mut ncat, mut peer) = OURS.connected("", Stdin::Pipe);
    ncat.send("question");
    assert_eq!(peer.read_some(8, &ncat), b"question");
    peer.say("answer", &ncat);
    drop(peer);
    ncat.wait()
        .expect_code(0)
        .expect_stdout("answer")
        .expect_silence();
}

#[test]
fn k_of_a_client_goes_on_after_the_peers_end() {
    let (mut ncat, mut peer) = OURS.connected("-k", Stdin::Pipe);
    peer.say("answer", &ncat);
    peer.half_close();
    ncat.shows("answer");
    assert!(ncat.stdout.wait_end());
    ncat.send("more");
    assert_eq!(peer.read_some(4, &ncat), b"more");
    ncat.close_stdin();
    assert_eq!(peer.read_all(&ncat), b"");
    ncat.wait().expect_code(0);
}

#[test]
fn send_only_leaves_at_the_end_of_input() {
    same(|ncat| {
        let (mut ncat, mut peer) = ncat.connected("--send-only", Stdin::Pipe);
        ncat.send("abc");
        ncat.close_stdin();
        (peer.read_all(&ncat), outcome(ncat.wait()))
    });
}

#[test]
fn recv_only_does_not_read_input() {
    same(|ncat| {
        let (mut ncat, mut peer) = ncat.connected("--recv-only", Stdin::Pipe);
        ncat.send("abc");
        peer.say("answer", &ncat);
        ncat.shows("answer");
        peer.half_close();
        (peer.read_all(&ncat), outcome(ncat.wait()))
    });
}

#[test]
fn a_reset_is_told_with_1() {
    same(|ncat| {
        let (ncat, peer) = ncat.connected("", Stdin::Pipe);
        peer.reset();
        told(ncat.wait())
    });
}

#[test]
fn silence_ends_a_client_with_1_and_a_listener_with_2() {
    same(|ncat| {
        let (client, peer) = ncat.connected("-i 300ms", Stdin::Pipe);
        let (code, stdout, lines) = told(client.wait());
        drop(peer);
        let (listener, peer) = ncat.listening("-i 300ms", || Stdin::Pipe);
        let listener = listener.wait().status.code();
        drop(peer);
        (code, stdout, lines, listener)
    });
}

#[test]
fn sessions_are_written_down() {
    same(|ncat| {
        let dir = TempDir::new();
        let (plain, hex) = (dir.join("plain"), dir.join("hex"));
        let options = format!("-o {} -x {}", plain.display(), hex.display());
        let (mut ncat, mut peer) = ncat.connected(&options, Stdin::Pipe);
        ncat.send("question");
        let got = peer.read_some(8, &ncat);
        peer.say("a longer answer in reply", &ncat);
        ncat.shows("reply");
        ncat.close_stdin();
        let end = peer.read_all(&ncat);
        drop(peer);
        let outcome = outcome(ncat.wait());
        let [plain, hex] = [plain, hex].map(|path| std::fs::read_to_string(path).expect("a log"));
        (got, end, outcome, plain, hex)
    });
}

#[test]
fn a_full_disk_is_2() {
    same(|ncat| {
        let server = Server::tcp();
        let ncat = ncat.line(&format!("127.0.0.1 {}", server.port()));
        let ncat = ncat.stdout(Stdout::Full).spawn();
        let mut peer = server.accept(&ncat);
        peer.say("x", &ncat);
        ncat.wait().status.code()
    });
}

#[test]
fn line_ends_are_converted() {
    same(|ncat| {
        let (mut ncat, mut peer) = ncat.connected("-C", Stdin::Pipe);
        ncat.send("a\nb\r\nc");
        ncat.close_stdin();
        let got = peer.read_all(&ncat);
        drop(peer);
        (got, outcome(ncat.wait()))
    });
}

#[test]
fn udp_answers_are_waited_for() {
    let sock = udp_socket();
    let port = sock.local_addr().expect("local_addr").port();
    let mut ncat = OURS
        .line(&format!("-u 127.0.0.1 {port}"))
        .stdin(Stdin::Pipe)
        .spawn();
    ncat.send("question");
    ncat.close_stdin();
    let mut buf = [0; 100];
    let (len, from) = sock.recv_from(&mut buf).expect("a datagram");
    assert_eq!(&buf[..len], b"question");
    sock.send_to(b"answer", from).expect("an answer");
    ncat.wait().expect_code(0).expect_stdout("answer");
}

// ---- listening

#[test]
fn a_listener_passes_both_ways_and_leaves_with_its_client() {
    same(|ncat| {
        let (mut ncat, mut peer) = ncat.listening("", || Stdin::Pipe);
        ncat.send("from stdin");
        let got = peer.read_some(10, &ncat);
        peer.say("from the client", &ncat);
        peer.half_close();
        (got, told(ncat.wait()))
    });
}

#[test]
fn a_listener_passes_on_the_end_of_input_and_goes_on_receiving() {
    same(|ncat| {
        let (ncat, mut peer) = ncat.listening("", || Stdin::Null);
        let got = peer.read_all(&ncat);
        peer.say("from the client", &ncat);
        drop(peer);
        (got, outcome(ncat.wait()))
    });
}

#[test]
fn a_second_client_is_refused() {
    same(|ncat| {
        let (mut ncat, mut peer) = ncat.listening("", || Stdin::Pipe);
        ncat.send("x");
        assert_eq!(peer.read_some(1, &ncat), b"x");
        let (_, port) = peer.ports();
        let second = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        let refused = second.map(drop).map_err(|error| error.kind());
        drop(peer);
        (refused, outcome(ncat.wait()))
    });
}

#[test]
fn clients_that_may_not_come_in_are_told_of_with_v() {
    same(|ncat| {
        let (ncat, mut peer) = ncat.listening("-kv --deny 127.0.0.1", || Stdin::Null);
        ncat.says("Ncat: New connection denied: not allowed\n");
        // Ncat closes, rnc resets.
        peer.read_to_end(&mut Vec::new()).unwrap_or_default()
    });
}

#[test]
fn keep_open_serves_all_at_once() {
    same(|ncat| {
        let (mut ncat, mut first) = ncat.listening("-k", || Stdin::Pipe);
        let (_, port) = first.ports();
        let mut second = connect(port);
        first.say("first\n", &ncat);
        ncat.shows("first\n");
        second.say("second\n", &ncat);
        ncat.shows("second\n");
        ncat.send("to all");
        let got = [first.read_some(6, &ncat), second.read_some(6, &ncat)];
        drop((first, second));
        let mut third = connect(port);
        third.say("third\n", &ncat);
        ncat.shows("third\n");
        (got, ncat.is_running())
    });
}

#[test]
fn a_broker_passes_on_what_one_says() {
    same(|ncat| {
        let (ncat, mut first) = ncat.listening("--broker", || Stdin::Null);
        let (_, port) = first.ports();
        let mut second = connect(port);
        // Whoever is heard is in.
        second.say("hello\n", &ncat);
        let heard = first.read_some(6, &ncat);
        first.say("hello yourself\n", &ncat);
        (heard, second.read_some(15, &ncat), ncat.is_running())
    });
}

#[test]
fn programs_are_run_for_clients_and_for_a_connection() {
    same(|ncat| {
        let (listener, mut peer) = ncat.listening("-k -e /bin/cat", || Stdin::Null);
        peer.say("hello\n", &listener);
        let echoed = peer.read_some(6, &listener);
        let (client, mut peer) = ncat.connected("-c env", Stdin::Null);
        let env = String::from_utf8(peer.read_all(&client)).expect("UTF-8");
        let names = env.lines().filter(|line| line.starts_with("NCAT_"));
        let mut names: Vec<String> = names
            .map(|line| line.split('=').next().unwrap_or_default().to_string())
            .collect();
        names.sort();
        drop(peer);
        (echoed, names, client.wait().status.code())
    });
}

#[test]
fn verbose_listeners_tell_where_and_who() {
    let ncat = OURS.line("-lv 127.0.0.1 0").stdin(Stdin::Null).spawn();
    ncat.says("Ncat: Listening on 127.0.0.1:");
    let line = ncat.stderr.text();
    let port = line
        .trim_end()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    let mut peer = connect(port.expect("a port"));
    let (from, _) = peer.ports();
    ncat.says(&format!("Ncat: Connection from 127.0.0.1:{from}.\n"));
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).expect("the end");
    drop(peer);
    ncat.wait().expect_code(0);
}

#[test]
fn both_families_are_listened_on_without_a_host() {
    let ncat = OURS.line("-lkv 0").stdin(Stdin::Null).spawn();
    ncat.says("Ncat: Listening on 0.0.0.0:");
    let said = ncat.stderr.text();
    let ports: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("Ncat: Listening on "))
        .filter_map(|place| place.rsplit(':').next())
        .collect();
    let port: u16 = ports[0].parse().expect("a port");
    assert!(ports.iter().all(|other| *other == ports[0]), "{said}");
    let mut peer = connect(port);
    peer.say("over IPv4\n", &ncat);
    ncat.shows("over IPv4\n");
    if let Ok(v6) = TcpStream::connect(("::1", port)) {
        use std::io::Write;
        (&v6).write_all(b"over IPv6\n").expect("write");
        ncat.shows("over IPv6\n");
    }
}

#[test]
fn unix_sockets_are_told_as_ncat_does() {
    same(|ncat| {
        let dir = TempDir::new();
        let path = dir.join("socket");
        let shown = path.display().to_string();
        let listener = ncat
            .line(&format!("-lv --test -U {shown}"))
            .stdin(Stdin::Null);
        let listener = listener.spawn();
        listener.says("NCAT TEST: LISTEN\n");
        let client = ncat
            .line(&format!("-v -U {shown}"))
            .stdin(Stdin::Null)
            .spawn();
        let (client, listener) = (told(client.wait()), told(listener.wait()));
        // How long it took, and the empty name of the client in 7.93, are no matter.
        let lines = |lines: Vec<String>| -> Vec<String> {
            let lines = lines
                .iter()
                .filter(|line| !line.starts_with("Ncat: Connection from ."));
            let first = lines.map(|line| line.split(" in ").next().unwrap_or_default());
            first.map(|line| line.replace(&shown, "PATH")).collect()
        };
        (client.0, lines(client.2), listener.0, lines(listener.2))
    });
}

#[test]
fn a_udp_listener_has_its_first_peer_only() {
    let ncat = OURS.line("-luv 127.0.0.1 0").stdin(Stdin::Pipe).spawn();
    ncat.says("Ncat: Listening on 127.0.0.1:");
    let said = ncat.stderr.text();
    let port: u16 = said
        .trim_end()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok())
        .expect("a port");
    let (first, second) = (udp_socket(), udp_socket());
    first
        .send_to(b"first ", (Ipv4Addr::LOCALHOST, port))
        .expect("send");
    ncat.shows("first ");
    let _ = second.send_to(b"second ", (Ipv4Addr::LOCALHOST, port));
    first
        .send_to(b"third", (Ipv4Addr::LOCALHOST, port))
        .expect("send");
    ncat.shows("third");
    assert_eq!(ncat.stdout.text(), "first third");
}
