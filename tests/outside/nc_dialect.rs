//! rnc called as `nc` beside OpenBSD nc: the same command line for both, and the same exit code,
//! standard output and standard error asked of both. Where nc has a fault that no script can rely
//! on, rnc alone is held to what is right.

use crate::common::{
    ClosedPort, Cmd, Finished, Log, Pty, Running, Server, Sock, Stdin, Stdout, TempDir,
    assert_bytes, connect_to_listener, eventually, never_answers, pattern, require, rnc,
    udp_socket,
};
use rustix::process::Signal;
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

// ---- two programs, one scenario

/// One of the two programs that are compared.
struct Netcat {
    /// nc.openbsd; or else rnc.
    theirs: Option<PathBuf>,
}

impl Netcat {
    fn ours() -> Netcat {
        Netcat { theirs: None }
    }

    /// Called as `nc`, with these words.
    fn cmd<S: AsRef<std::ffi::OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Cmd {
        match &self.theirs {
            Some(path) => Cmd::new(path).called("nc").args(words),
            None => rnc(words).called("nc"),
        }
    }

    /// A command line written in one string.
    fn line(&self, line: &str) -> Cmd {
        self.cmd(line.split_whitespace())
    }

    /// Connected to the test: the session, and the test's end.
    #[track_caller]
    fn connected(&self, options: &str, stdin: Stdin) -> (Running, Sock) {
        let server = Server::tcp();
        let words = format!("{options} 127.0.0.1 {}", server.port());
        let nc = self.line(&words).stdin(stdin).spawn();
        let peer = server.accept(&nc);
        (nc, peer)
    }

    /// Listening with `-v`, and a client of it.
    #[track_caller]
    fn listening(&self, options: &str, stdin: Stdin) -> (Running, Sock) {
        let nc = self.line(&format!("-lv {options} 0")).stdin(stdin).spawn();
        let peer = connect_to_listener(&nc, None);
        (nc, peer)
    }
}

/// Runs the scenario with both programs, at once, and asks for the same of both.
#[track_caller]
fn same<T: PartialEq + std::fmt::Debug + Send>(scenario: impl Fn(&Netcat) -> T + Sync) {
    let Some(path) = require("nc.openbsd", "netcat-openbsd") else {
        return;
    };
    let theirs = Netcat { theirs: Some(path) };
    let (ours, theirs) = std::thread::scope(|scope| {
        let theirs = scope.spawn(|| scenario(&theirs));
        let ours = scenario(&Netcat::ours());
        (ours, theirs.join())
    });
    match theirs {
        Ok(theirs) => assert_eq!(ours, theirs, "rnc's on the left, nc's on the right"),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// How a program ended and what it said.
#[derive(Clone, PartialEq, Eq)]
struct Told {
    code: Option<i32>,
    signal: Option<i32>,
    stdout: String,
    stderr: String,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "code {:?} signal {:?}", self.code, self.signal)?;
        writeln!(out, "--- stdout\n{}", self.stdout)?;
        write!(out, "--- stderr\n{}", self.stderr)
    }
}

/// What is left of a program, with ports by name.
fn told(done: &Finished, ports: &[(u16, &str)]) -> Told {
    let stdout = String::from_utf8_lossy(&done.stdout).into_owned();
    Told {
        code: done.status.code(),
        signal: done.status.signal(),
        stdout,
        stderr: named(&done.stderr, ports),
    }
}

/// The text with these numbers, where they stand alone, replaced by names.
fn named(text: &str, ports: &[(u16, &str)]) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let port = ports.iter().find(|(port, _)| port.to_string() == digits);
        out.push_str(port.map_or(&digits, |(_, name)| name));
        digits.clear();
        if c != '\0' {
            out.push(c);
        }
    }
    out
}

/// Whether it is still there after a moment. A program that is slow to leave passes for one that
/// stays; one that stays never fails.
fn stays(nc: &Running) -> bool {
    std::thread::sleep(Duration::from_millis(250));
    nc.is_running()
}

/// The datagrams that have come so far.
fn datagrams(sock: &UdpSocket) -> Vec<Vec<u8>> {
    sock.set_nonblocking(true).expect("nonblocking");
    let mut all = Vec::new();
    let mut buf = vec![0; 70_000];
    while let Ok(n) = sock.recv(&mut buf) {
        all.push(buf[..n].to_vec());
    }
    all
}

fn sock_port(sock: &UdpSocket) -> u16 {
    sock.local_addr().expect("local_addr").port()
}

/// Two ports next to each other: the first open, the second closed, both held.
fn neighbours() -> (TcpListener, Socket, u16) {
    loop {
        let open = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let port = open.local_addr().expect("local_addr").port();
        let closed = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        let Some(next) = port.checked_add(1) else {
            continue;
        };
        let next = SocketAddr::from((Ipv4Addr::LOCALHOST, next));
        if closed.bind(&next.into()).is_ok() {
            return (open, closed, port);
        }
    }
}

// ---- the command line

#[test]
fn a_wrong_command_line_is_told_in_ncs_words_with_1() {
    let lines = [
        "",
        "--",
        "-y",
        "-C -t -y",
        "-y prog 127.0.0.1 1",
        "-w",
        "-P",
        "-l -s 127.0.0.1 -p",
        "localhost",
        "localhost 0",
        "localhost 99999",
        "localhost x",
        "localhost htp",
        "localhost 80-",
        "localhost 80-x",
        "localhost 0-5",
        "localhost 70000-5",
        "localhost -5",
        "a b c",
        "-w x 127.0.0.1 1",
        "-w -1 127.0.0.1 1",
        "-w 99999999 127.0.0.1 1",
        "-w 2s 127.0.0.1 1",
        "-i x 127.0.0.1 1",
        "-i -5 127.0.0.1 1",
        "-q x 127.0.0.1 1",
        "-I x 127.0.0.1 1",
        "-I 64k 127.0.0.1 1",
        "-O 0 127.0.0.1 1",
        "-M 300 127.0.0.1 1",
        "-m x 127.0.0.1 1",
        "-T zz 127.0.0.1 1",
        "-T 300 127.0.0.1 1",
        "-W 0 127.0.0.1 1",
        "-W x 127.0.0.1 1",
        "-X 7 127.0.0.1 1",
        "-X 7 -x 127.0.0.1 127.0.0.1 1",
        "-V 1 127.0.0.1 1",
        "-k 127.0.0.1 1",
        "-lz 1",
        "-rlz",
        "-l",
        "-l a b c",
        "-l 127.0.0.1 -p 1",
        "-l -s 127.0.0.1 1",
        "-p 1 127.0.0.1",
        "-s 127.0.0.1 127.0.0.1",
        "-x a -u b 1",
        "-x a -l 1",
        "-x a -U p",
        "-x a -s b c 1",
        "-U",
        "-U a b",
        "-U -l",
        "-U -l -u",
        "-U -l a b",
        "-U -l -p 1 a",
        "-F -U x",
    ];
    same(|nc| lines.map(|line| (line, told(&nc.line(line).run(), &[]))));
}

#[test]
fn help_goes_to_stderr_with_0() {
    same(|nc| {
        let done = nc.line("-h").run().expect_code(0).expect_stdout("");
        done.stderr.contains("usage: ") || done.stderr.contains("Usage: ")
    });
}

#[test]
fn ports_may_have_a_sign_and_options_may_follow_operands() {
    same(|nc| {
        let server = Server::tcp();
        let port = server.port();
        let words = format!("127.0.0.1 +{port} -z -v -n");
        told(&nc.line(&words).run(), &[(port, "PORT")])
    });
}

#[test]
fn the_last_of_4_and_6_wins() {
    same(|nc| {
        let server = Server::tcp();
        let port = server.port();
        ["-6 -4", "-4 -6"].map(|order| {
            let words = format!("{order} -zv 127.0.0.1 {port}");
            told(&nc.line(&words).run(), &[(port, "PORT")])
        })
    });
}

// ---- connecting

#[test]
fn refused_is_1_and_told_only_with_v() {
    let closed = ClosedPort::tcp();
    let port = closed.port();
    same(|nc| {
        ["127.0.0.1", "-v 127.0.0.1", "-v localhost", "-vn 127.0.0.1"].map(|words| {
            let words = format!("{words} {port}");
            told(&nc.line(&words).run(), &[(port, "PORT")])
        })
    });
}

#[test]
fn a_connect_without_answer_is_1_and_told_only_with_v() {
    let (_full, port) = never_answers();
    same(|nc| {
        ["-w 1", "-vw 1"].map(|options| {
            let words = format!("{options} 127.0.0.1 {port}");
            told(&nc.line(&words).run(), &[(port, "PORT")])
        })
    });
}

#[test]
fn names_that_cannot_be_looked_up_are_told_without_v() {
    let lines = [
        "no.such.host.invalid 80",
        "-v no.such.host.invalid 80",
        "-n localhost 80",
        "-n no.such.host.invalid 80",
        "-4 ::1 80",
        "-6 127.0.0.1 80",
        "-l no.such.host.invalid 80",
        "-x no.such.host.invalid 127.0.0.1 80",
    ];
    same(|nc| lines.map(|line| (line, told(&nc.line(line).run(), &[]))));
}

#[test]
fn local_addresses_that_are_not_ours_are_told_without_v() {
    // TEST-NET-1 of RFC 5737.
    let lines = ["-s 192.0.2.1 127.0.0.1 80", "-l 192.0.2.1 8080"];
    same(|nc| lines.map(|line| (line, told(&nc.line(line).run(), &[]))));
}

#[test]
fn a_session_that_ends_well_is_0_and_silent_and_told_with_v() {
    same(|nc| {
        ["-N", "-Nv", "-Nvn"].map(|options| {
            let (mut nc, mut peer) = nc.connected(options, Stdin::Pipe);
            nc.feed(b"request\n".to_vec());
            assert_bytes("the request", &peer.read_all(&nc), b"request\n");
            peer.say("answer\n", &nc);
            let port = peer.ports().0;
            drop(peer);
            told(&nc.wait(), &[(port, "PORT")])
        })
    });
}

#[test]
fn every_address_of_a_name_is_tried_and_told() {
    // Where localhost has two addresses nc tells of the first; where it has one there is one line.
    same(|nc| {
        let server = Server::tcp();
        let port = server.port();
        let done = nc.line(&format!("-zv localhost {port}")).run();
        told(&done, &[(port, "PORT")])
    });
}

#[test]
fn a_reset_is_0_and_silent_without_v() {
    same(|nc| {
        let (nc, mut peer) = nc.connected("", Stdin::Null);
        peer.say("one", &nc);
        nc.shows("one");
        peer.reset();
        told(&nc.wait(), &[])
    });
}

#[test]
fn a_peer_that_breaks_off_while_we_send_is_0_and_silent() {
    same(|nc| {
        let (mut nc, mut peer) = nc.connected("-N", Stdin::Pipe);
        nc.feed(pattern(3 << 20, 1));
        peer.read_some(1000, &nc);
        peer.reset();
        told(&nc.wait(), &[])
    });
}

#[test]
fn signals_end_it_as_they_end_any_program() {
    same(|nc| {
        [Signal::INT, Signal::TERM, Signal::HUP, Signal::QUIT].map(|signal| {
            let (mut nc, peer) = nc.connected("", Stdin::Pipe);
            let stdin = nc.take_stdin();
            nc.signal(signal);
            let done = nc.wait();
            drop((peer, stdin));
            told(&done, &[])
        })
    });
}

// ---- scanning

#[test]
fn a_scan_tells_open_and_closed_ports() {
    same(|nc| {
        let (_open, _closed, port) = neighbours();
        let names = [(port, "OPEN"), (port + 1, "CLOSED")];
        let next = port + 1;
        [
            format!("-z 127.0.0.1 {port}"),
            format!("-z 127.0.0.1 {next}"),
            format!("-zv 127.0.0.1 {port}"),
            format!("-zv localhost {port}"),
            format!("-zvn 127.0.0.1 {port}"),
            format!("-zv 127.0.0.1 {next}"),
            format!("-zv 127.0.0.1 {port}-{next}"),
            format!("-zv 127.0.0.1 {next}-{port}"),
            format!("-z 127.0.0.1 {port}-{next}"),
            format!("-zv 127.0.0.1 {next} {port}"),
            format!("-zv 127.0.0.1 {next} {next}"),
            format!("-z 127.0.0.1 {next} {next}"),
        ]
        .map(|line| told(&nc.line(&line).run(), &names))
    });
}

#[test]
fn a_known_port_is_shown_with_its_service_unless_n() {
    let Some(services) = crate::common::require_services() else {
        return;
    };
    let port = services.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (_, port) = (words.next()?, words.next()?);
        let port: u16 = port.strip_suffix("/tcp")?.parse().ok()?;
        let free = port > 1024 && port < 32_768;
        let listener = free.then(|| TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        Some((listener.ok()?, port))
    });
    let Some((_listener, port)) = port else {
        return crate::common::skip("needs a port above 1024 in /etc/services");
    };
    same(|nc| {
        ["-zv", "-zvn"].map(|options| {
            let words = format!("{options} 127.0.0.1 {port}");
            told(&nc.line(&words).run(), &[])
        })
    });
}

#[test]
fn a_udp_scan_calls_silence_open_and_icmp_closed() {
    same(|nc| {
        let (silent, closed) = (udp_socket(), ClosedPort::udp());
        let ports = (sock_port(&silent), closed.port());
        let names = [(ports.0, "SILENT"), (ports.1, "CLOSED")];
        let (silent, closed) = ports;
        [
            format!("-zuvw1 127.0.0.1 {silent}"),
            format!("-zuvw1 127.0.0.1 {closed}"),
            format!("-zuvw1 127.0.0.1 {closed} {silent}"),
            format!("-zuvw1 127.0.0.1 {silent} {closed}"),
            format!("-zu 127.0.0.1 {silent}"),
            format!("-zu 127.0.0.1 {closed}"),
        ]
        .map(|line| told(&nc.line(&line).run(), &names))
    });
}

#[test]
fn a_udp_scan_sends_x_with_v_and_nothing_without() {
    same(|nc| {
        ["-zuvw1", "-zu"].map(|options| {
            let silent = udp_socket();
            let words = format!("{options} 127.0.0.1 {}", sock_port(&silent));
            nc.line(&words).run();
            datagrams(&silent)
        })
    });
}

#[test]
fn the_interval_makes_no_pause_between_scanned_ports() {
    let (_open, _closed, port) = neighbours();
    let line = format!("-zv -i 60 127.0.0.1 {port}-{}", port + 1);
    // With a pause it would still be there at the deadline.
    same(|nc| told(&nc.line(&line).run(), &[]));
}

// ---- listening

#[test]
fn a_listener_tells_where_and_who() {
    same(|nc| {
        ["", "-n", "127.0.0.1", "-n 127.0.0.1", "-4 localhost", "-4"].map(|options| {
            let (nc, mut peer) = nc.listening(options, Stdin::Null);
            peer.say("hello", &nc);
            nc.shows("hello");
            let (theirs, ours) = peer.ports();
            nc.says(&format!(" {theirs}\n"));
            drop(peer);
            told(&nc.wait(), &[(theirs, "CLIENT"), (ours, "PORT")])
        })
    });
}

#[test]
fn all_forms_of_a_port_to_listen_on_are_ncs() {
    same(|nc| {
        [
            "-lv 0",
            "-lv -p 0",
            "-4 -lv localhost 0",
            "-lv -s 127.0.0.1 -p 0",
            "0 -lv",
        ]
        .map(|line| {
            let nc = nc.line(line).spawn();
            let port = nc.listening_port();
            let peer = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
            let from = peer.local_addr().expect("local_addr").port();
            nc.says(&format!(" {from}\n"));
            drop(peer);
            told(&nc.wait(), &[(from, "CLIENT"), (port, "PORT")])
        })
    });
}

#[test]
fn a_udp_listener_tells_where_and_who() {
    same(|nc| {
        ["-luv", "-luvn"].map(|options| {
            let nc = nc.line(&format!("{options} 0")).spawn();
            let port = nc.listening_port();
            let client = udp_socket();
            client
                .connect((Ipv4Addr::LOCALHOST, port))
                .expect("connect");
            client.send(b"hello").expect("send");
            nc.shows("hello");
            nc.says(&format!(" {}\n", sock_port(&client)));
            nc.signal(Signal::TERM);
            told(
                &nc.wait(),
                &[(sock_port(&client), "CLIENT"), (port, "PORT")],
            )
        })
    });
}

#[test]
fn unix_sessions_are_told_as_nc_tells_them() {
    same(|nc| {
        let dir = TempDir::new();
        let path = dir.join("socket");
        let listener = nc.cmd(["-lvU".as_ref(), path.as_os_str()]).spawn();
        let mut peer = connect_to_listener(&listener, Some(&path));
        peer.say("hello", &listener);
        listener.shows("hello");
        drop(peer);
        let listened = listener.wait();

        let server = Server::new(crate::common::Transport::Unix, &dir);
        let words: Vec<_> = ["-v".into()].into_iter().chain(server.words()).collect();
        let client = nc.cmd(words).spawn();
        drop(server.accept(&client));
        let connected = client.wait();
        let place = dir.path().display().to_string();
        [listened, connected].map(|done| {
            let mut told = told(&done, &[]);
            told.stderr = told.stderr.replace(&place, "DIR");
            told
        })
    });
}

#[test]
fn unix_failures_are_told_as_nc_tells_them() {
    same(|nc| {
        let dir = TempDir::new();
        let nobody = dir.join("nobody");
        drop(std::os::unix::net::UnixListener::bind(&nobody).expect("bind"));
        let long = dir.join(&"x".repeat(200));
        let (missing, deep) = (dir.join("missing"), dir.join("missing/socket"));
        let place = dir.path().display().to_string();
        [
            ("-U", &nobody),
            ("-U", &missing),
            ("-vU", &missing),
            ("-zvU", &missing),
            ("-U", &long),
            ("-lU", &long),
            ("-lU", &deep),
            ("-luU", &deep),
        ]
        .map(|(option, path)| {
            let done = nc.cmd([option.as_ref(), path.as_os_str()]).run();
            let mut told = told(&done, &[]);
            told.stderr = told.stderr.replace(&place, "DIR");
            (option, told)
        })
    });
}

#[test]
fn zero_io_on_a_unix_socket_connects() {
    same(|nc| {
        let dir = TempDir::new();
        let server = Server::new(crate::common::Transport::Unix, &dir);
        let words: Vec<_> = ["-z".into()].into_iter().chain(server.words()).collect();
        told(&nc.cmd(words).run(), &[])
    });
}

#[test]
fn a_unix_listener_replaces_what_is_there_and_leaves_its_socket() {
    same(|nc| {
        let dir = TempDir::new();
        let path = dir.file("socket", "a regular file");
        let listener = nc.cmd(["-lvU".as_ref(), path.as_os_str()]).spawn();
        drop(connect_to_listener(&listener, Some(&path)));
        let done = listener.wait();
        let is_there = path.symlink_metadata().is_ok_and(|meta| !meta.is_file());
        (done.status.code(), is_there)
    });
}

#[test]
fn a_port_in_use_is_1_and_ncs_text() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = taken.local_addr().expect("local_addr").port();
    same(|nc| {
        ["-l", "-lv"].map(|options| {
            let words = format!("{options} 127.0.0.1 {port}");
            told(&nc.line(&words).run(), &[(port, "PORT")])
        })
    });
}

#[test]
fn two_listeners_may_share_a_port() {
    same(|nc| {
        let first = nc.line("-lv 127.0.0.1 0").spawn();
        let port = first.listening_port();
        let second = nc.line(&format!("-lv 127.0.0.1 {port}")).spawn();
        second.listening_port() == port && first.is_running()
    });
}

#[test]
fn without_an_address_it_listens_on_ipv4_and_with_6_on_both() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        return crate::common::skip("needs IPv6 on the loopback");
    }
    same(|nc| {
        ["-lvkn 0", "-6 -lvkn 0"].map(|line| {
            let nc = nc.line(line).spawn();
            let port = nc.listening_port();
            let v4 = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
            let v6 = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok();
            (named(&nc.listening_line(), &[(port, "PORT")]), v4, v6)
        })
    });
}

// ---- the end of input and output, connecting

/// One client session: stdin gives a request and ends; the peer answers it and closes. The end of
/// stdin is waited for where it should be passed on, and else must not have come with the request.
#[track_caller]
fn one_exchange(nc: &Netcat, options: &str, passes_end: bool) -> Told {
    let (mut nc, mut peer) = nc.connected(options, Stdin::Pipe);
    nc.feed(b"request".to_vec());
    if passes_end {
        assert_bytes("the request", &peer.read_all(&nc), b"request");
    } else {
        assert_bytes("the request", &peer.read_some(7, &nc), b"request");
        assert!(stays(&nc) && peer.has_nothing_to_read(), "it sent its end");
    }
    peer.say("late answer", &nc);
    drop(peer);
    told(&nc.wait(), &[])
}

#[test]
fn the_end_of_stdin_is_passed_on_with_big_n_or_q_only() {
    same(|nc| {
        [
            one_exchange(nc, "", false),
            one_exchange(nc, "-q -1", false),
            one_exchange(nc, "-N", true),
            one_exchange(nc, "-q 0", true),
        ]
    });
}

#[test]
fn a_client_with_q_lingers_after_the_peers_end() {
    same(|nc| {
        let (mut nc, mut peer) = nc.connected("-q 1", Stdin::Pipe);
        nc.feed(b"request".to_vec());
        assert_bytes("the request", &peer.read_all(&nc), b"request");
        peer.say("answer", &nc);
        nc.shows("answer");
        let closed = Instant::now();
        drop(peer);
        let told = told(&nc.wait(), &[]);
        (told, closed.elapsed() >= Duration::from_millis(900))
    });
}

#[test]
fn an_idle_session_ends_with_0_after_w() {
    same(|nc| {
        let (mut client, mut peer) = nc.connected("-w 1", Stdin::Pipe);
        peer.say("one", &client);
        let stdin = client.take_stdin();
        let connected = told(&client.wait(), &[]);
        drop(stdin);
        let (mut listener, mut peer) = nc.listening("-n -w 1", Stdin::Pipe);
        peer.say("one", &listener);
        let stdin = listener.take_stdin();
        let ports = peer.ports();
        let listened = told(&listener.wait(), &[(ports.0, "CLIENT"), (ports.1, "PORT")]);
        drop(stdin);
        (connected, listened)
    });
}

#[test]
fn a_zero_w_connects_and_leaves_at_once() {
    same(|nc| {
        let (mut nc, peer) = nc.connected("-w 0", Stdin::Pipe);
        let stdin = nc.take_stdin();
        let told = told(&nc.wait(), &[]);
        drop((peer, stdin));
        told
    });
}

#[test]
fn an_idle_client_of_a_kept_listener_is_dropped_for_the_next() {
    same(|nc| {
        let (nc, mut first) = nc.listening("-kn -w 1", Stdin::Null);
        first.say("first", &nc);
        nc.shows("first");
        assert_bytes("the first client got", &first.read_all(&nc), b"");
        let mut second = connect_to_listener(&nc, None);
        second.say("second", &nc);
        nc.shows("second");
        nc.is_running()
    });
}

#[test]
fn d_never_reads_stdin_and_ends_with_the_peer() {
    same(|nc| {
        let (mut nc, mut peer) = nc.connected("-d", Stdin::Pipe);
        nc.feed(b"for nobody".to_vec());
        peer.say("one", &nc);
        nc.shows("one");
        let silent = peer.has_nothing_to_read();
        drop(peer);
        (silent, told(&nc.wait(), &[]))
    });
}

#[test]
fn d_with_big_n_sends_no_end_by_itself() {
    same(|nc| {
        let (nc, peer) = nc.connected("-d -N", Stdin::Pipe);
        let silent = stays(&nc) && peer.has_nothing_to_read();
        drop(peer);
        (silent, told(&nc.wait(), &[]))
    });
}

#[test]
fn a_client_stays_after_the_peers_end_while_stdin_is_open() {
    same(|nc| {
        let (nc, mut peer) = nc.connected("", Stdin::Pipe);
        peer.say("all", &nc);
        drop(peer);
        nc.shows("all");
        (stays(&nc), told(&nc.wait(), &[]))
    });
}

#[test]
fn a_client_sends_on_after_the_peers_half_close() {
    same(|nc| {
        let (mut nc, mut peer) = nc.connected("", Stdin::Pipe);
        peer.say("all", &nc);
        peer.half_close();
        nc.shows("all");
        nc.send("more");
        assert_bytes("the peer got", &peer.read_some(4, &nc), b"more");
        drop(peer);
        told(&nc.wait(), &[])
    });
}

#[test]
fn a_client_with_nothing_on_stdin_gets_all_and_sends_no_end() {
    same(|nc| {
        let (nc, mut peer) = nc.connected("", Stdin::Null);
        peer.say("banner", &nc);
        nc.shows("banner");
        let silent = peer.has_nothing_to_read();
        peer.say(" more", &nc);
        drop(peer);
        (silent, told(&nc.wait(), &[]))
    });
}

#[test]
fn a_client_in_a_terminal_stays_until_enter_after_the_peers_end() {
    same(|nc| {
        let pty = Pty::open();
        let server = Server::tcp();
        let words = format!("127.0.0.1 {}", server.port());
        let nc = nc.line(&words).in_terminal(&pty).spawn();
        let mut peer = server.accept(&nc);
        peer.say("bye", &nc);
        drop(peer);
        pty.shows("bye", &nc);
        let stayed = stays(&nc);
        // The first line meets a closed peer, whose answer is RST; the next one meets that.
        let ended = eventually(|| {
            pty.types("\n");
            !nc.is_running()
        });
        (stayed, ended, nc.wait().status.code())
    });
}

#[test]
fn stdout_closed_by_its_reader_is_0() {
    same(|nc| {
        let server = Server::tcp();
        let words = format!("127.0.0.1 {}", server.port());
        let mut nc = nc.line(&words).stdout(Stdout::Unread).spawn();
        let mut peer = server.accept(&nc);
        drop(nc.stdout_pipe.take());
        // The other end may leave in the middle.
        while peer.write_all(b"line\n").is_ok() && nc.is_running() {}
        drop(peer);
        told(&nc.wait(), &[])
    });
}

#[test]
fn the_limit_of_reads_ends_it() {
    same(|nc| {
        let (nc, mut peer) = nc.connected("-W 1", Stdin::Null);
        peer.say("one", &nc);
        let told = told(&nc.wait(), &[]);
        drop(peer);
        told
    });
}

// ---- the end of input and output, listening

#[test]
fn a_listener_ends_at_the_clients_half_close_while_stdin_is_open() {
    same(|nc| {
        let (mut nc, mut peer) = nc.listening("-n", Stdin::Pipe);
        peer.say("all", &nc);
        let ports = peer.ports();
        peer.half_close();
        let stdin = nc.take_stdin();
        let told = told(&nc.wait(), &[(ports.0, "CLIENT"), (ports.1, "PORT")]);
        drop(stdin);
        told
    });
}

#[test]
fn a_listener_with_nothing_on_stdin_sends_no_end_and_waits_for_the_client() {
    same(|nc| {
        let (nc, mut peer) = nc.listening("-n", Stdin::Null);
        peer.say("one", &nc);
        nc.shows("one");
        let silent = peer.has_nothing_to_read();
        peer.say(" two", &nc);
        let ports = peer.ports();
        drop(peer);
        (
            silent,
            told(&nc.wait(), &[(ports.0, "CLIENT"), (ports.1, "PORT")]),
        )
    });
}

#[test]
fn without_k_a_second_client_waits_in_vain() {
    same(|nc| {
        let (nc, mut first) = nc.listening("-n", Stdin::Null);
        first.say("first", &nc);
        nc.shows("first");
        let mut second = connect_to_listener(&nc, None);
        second.say("second", &nc);
        let silent = second.has_nothing_to_read();
        drop(first);
        let done = nc.wait().expect_code(0);
        let mut rest = Vec::new();
        let reset = second.read_to_end(&mut rest).is_err();
        (silent, reset, done.stdout)
    });
}

#[test]
fn with_k_clients_are_served_in_turn_and_stdin_is_the_firsts() {
    same(|nc| {
        let (mut nc, mut first) = nc.listening("-kn", Stdin::Pipe);
        nc.feed(b"for the first".to_vec());
        assert_bytes("first", &first.read_some(13, &nc), b"for the first");
        let mut second = connect_to_listener(&nc, None);
        second.say("second", &nc);
        first.say("first ", &nc);
        nc.shows("first ");
        drop(first);
        nc.shows("first second");
        let silent = second.has_nothing_to_read();
        drop(second);
        let third = connect_to_listener(&nc, None);
        nc.says(&format!(" {}\n", third.ports().0));
        let greetings = nc.stderr.text().matches("Connection received on").count();
        (silent, nc.is_running(), greetings)
    });
}

#[test]
fn with_k_and_q_the_end_of_stdin_is_the_end() {
    same(|nc| {
        let (nc, peer) = nc.listening("-kn -q 0", Stdin::Null);
        let ports = peer.ports();
        let told = told(&nc.wait(), &[(ports.0, "CLIENT"), (ports.1, "PORT")]);
        drop(peer);
        told
    });
}

// ---- UDP

/// A UDP listener, and clients of it.
fn udp_listener(
    nc: &Netcat,
    options: &str,
    stdin: Stdin,
) -> (Running, impl Fn() -> UdpSocket + use<>) {
    let nc = nc.line(&format!("-luvn {options} 0")).stdin(stdin).spawn();
    let port = nc.listening_port();
    let client = move || {
        let sock = udp_socket();
        sock.connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
        sock
    };
    (nc, client)
}

#[test]
fn a_udp_listener_speaks_with_the_first_only() {
    same(|nc| {
        let (mut nc, client) = udp_listener(nc, "", Stdin::Pipe);
        let (first, second) = (client(), client());
        first.send(b"first ").expect("send");
        nc.shows("first ");
        // A datagram of the second is refused by ICMP; a send tells of it, sooner or later.
        let refused = eventually(|| second.send(b"second").is_err());
        nc.send("answer");
        let mut buf = [0; 100];
        let n = first.recv(&mut buf).expect("an answer");
        first.send(b"more").expect("send");
        nc.shows("more");
        (refused, buf[..n].to_vec(), nc.stdout.text())
    });
}

#[test]
fn a_udp_listener_with_k_hears_all() {
    same(|nc| {
        let (nc, client) = udp_listener(nc, "-k", Stdin::Null);
        let (first, second) = (client(), client());
        first.send(b"first ").expect("send");
        nc.shows("first ");
        second.send(b"second ").expect("send");
        nc.shows("second ");
        first.send(b"again").expect("send");
        nc.shows("again");
        nc.is_running()
    });
}

/// nc takes stdin and sends it to nobody.
#[test]
fn a_udp_listener_with_k_answers_the_last_to_speak() {
    let (mut nc, client) = udp_listener(&Netcat::ours(), "-k", Stdin::Pipe);
    let (first, second) = (client(), client());
    first.send(b"first ").expect("send");
    nc.shows("first ");
    second.send(b"second").expect("send");
    nc.shows("first second");
    nc.send("answer");
    let mut buf = [0; 100];
    let n = second.recv(&mut buf).expect("an answer");
    assert_bytes("the second got", &buf[..n], b"answer");
    assert_eq!(datagrams(&first), Vec::<Vec<u8>>::new());
}

#[test]
fn a_udp_listener_ends_with_0_when_its_answer_is_refused() {
    same(|nc| {
        let (mut nc, client) = udp_listener(nc, "", Stdin::Pipe);
        let first = client();
        first.send(b"one").expect("send");
        nc.shows("one");
        drop(first);
        nc.send("to nobody");
        let mut stdin = nc.take_stdin();
        let ended = eventually(|| {
            // nc sees the refusal at its next read or write.
            let _ = stdin.write_all(b"again");
            !nc.is_running()
        });
        (ended, nc.wait().status.code())
    });
}

#[test]
fn a_udp_client_that_is_refused_ends_with_0_in_silence() {
    same(|nc| {
        let closed = ClosedPort::udp();
        let words = format!("-u 127.0.0.1 {}", closed.port());
        let mut nc = nc.line(&words).stdin(Stdin::Pipe).spawn();
        nc.send("to nobody");
        let stdin = nc.take_stdin();
        let told = told(&nc.wait(), &[]);
        drop(stdin);
        told
    });
}

/// A UDP client whose stdin has ended: what the server got, and how it ended.
fn udp_exchange(nc: &Netcat, options: &str) -> (bool, Option<Told>) {
    let server = udp_socket();
    let words = format!("-u {options} 127.0.0.1 {}", sock_port(&server));
    let mut nc = nc.line(&words).stdin(Stdin::Pipe).spawn();
    nc.feed(b"hi\n".to_vec());
    let mut buf = [0; 100];
    let (n, client) = server.recv_from(&mut buf).expect("a datagram");
    assert_bytes("the datagram", &buf[..n], b"hi\n");
    // Refused where it has left already.
    let _ = server.send_to(b"answer", client);
    if options.is_empty() {
        nc.shows("answer");
        return (stays(&nc), None);
    }
    (false, Some(told(&nc.wait(), &[])))
}

#[test]
fn a_udp_client_stays_after_the_end_of_stdin() {
    same(|nc| udp_exchange(nc, ""));
}

#[test]
fn a_udp_client_with_w_gets_the_answer_and_ends_with_0() {
    same(|nc| udp_exchange(nc, "-w 1"));
}

#[test]
fn a_udp_client_with_q_ends_with_0() {
    same(|nc| ["-q 1", "-q 0"].map(|options| udp_exchange(nc, options).1.and_then(|t| t.code)));
}

#[test]
fn a_udp_client_cuts_stdin_into_datagrams_of_16384_bytes() {
    same(|nc| {
        let server = udp_socket();
        let dir = TempDir::new();
        let file = std::fs::File::open(dir.file("big", pattern(40_000, 1))).expect("open");
        let words = format!("-u -w 1 127.0.0.1 {}", sock_port(&server));
        nc.line(&words)
            .stdin(Stdin::Fd(file.into()))
            .run()
            .expect_code(0);
        let lens: Vec<usize> = datagrams(&server).iter().map(Vec::len).collect();
        lens
    });
}

#[test]
fn a_udp_client_with_v_sends_x_before_the_session() {
    same(|nc| {
        let server = udp_socket();
        let port = sock_port(&server);
        let words = format!("-uv -w 1 127.0.0.1 {port}");
        let mut nc = nc.line(&words).stdin(Stdin::Pipe).spawn();
        nc.feed(b"hello".to_vec());
        let told = told(&nc.wait(), &[(port, "PORT")]);
        (told, datagrams(&server))
    });
}

// ---- proxies

/// A proxy played by the test: it takes the request with `talk` and gives what it read.
fn proxied<T>(nc: &Netcat, options: &str, talk: impl Fn(&mut Sock, &Running) -> T) -> (T, Told) {
    let proxy = Server::tcp();
    let port = proxy.port();
    let words = format!("-x 127.0.0.1:{port} {options}");
    let nc = nc.line(&words).spawn();
    let mut peer = proxy.accept(&nc);
    let result = talk(&mut peer, &nc);
    drop(peer);
    (result, told(&nc.wait(), &[(port, "PORT")]))
}

#[test]
fn the_proxies_are_asked_in_ncs_words() {
    same(|nc| {
        let socks5 = |target: &str, len: usize| {
            proxied(nc, &format!("-v {target} 80"), |peer, nc| {
                let hello = peer.read_some(3, nc);
                peer.say([5, 0], nc);
                let request = peer.read_some(len, nc);
                peer.say([5, 0, 0, 1, 127, 0, 0, 1, 0, 80], nc);
                peer.say("hello", nc);
                [hello, request]
            })
        };
        let socks4 = proxied(nc, "-v -X 4 localhost 80", |peer, nc| {
            let request = peer.read_some(9, nc);
            peer.say([0, 90, 0, 0, 0, 0, 0, 0], nc);
            peer.say("hello", nc);
            [request, Vec::new()]
        });
        let http = proxied(nc, "-v -X connect example.invalid 80", |peer, nc| {
            let request = peer.read_some("CONNECT example.invalid:80 HTTP/1.0\r\n\r\n".len(), nc);
            peer.say("HTTP/1.0 200 Connection established\r\n\r\n", nc);
            peer.say("hello", nc);
            [request, Vec::new()]
        });
        [
            socks5("example.invalid", 4 + 1 + 15 + 2),
            socks5("192.0.2.1", 4 + 4 + 2),
            socks5("2001:db8::1", 4 + 16 + 2),
            socks4,
            http,
        ]
    });
}

#[test]
fn a_refusing_proxy_is_1() {
    same(|nc| {
        let socks4 = proxied(nc, "-X 4 127.0.0.1 80", |peer, nc| {
            peer.read_some(9, nc);
            peer.say([0, 91, 0, 0, 0, 0, 0, 0], nc);
        });
        let http = proxied(nc, "-X connect x 80", |peer, nc| {
            peer.read_some("CONNECT x:80 HTTP/1.0\r\n\r\n".len(), nc);
            peer.say("HTTP/1.0 403 Forbidden\r\n\r\n", nc);
        });
        [socks4, http].map(|(_, told)| (told.code, told.stdout))
    });
}

#[test]
fn the_proxy_password_is_asked_for_after_a_407_only() {
    same(|nc| {
        let pty = Pty::open();
        let proxy = Server::tcp();
        let words = format!("-X connect -P me -x 127.0.0.1:{} x 80", proxy.port());
        let nc = nc.line(&words).controlled_by(&pty).spawn();
        let mut peer = proxy.accept(&nc);
        let plain = peer.read_some("CONNECT x:80 HTTP/1.0\r\n\r\n".len(), &nc);
        let asked_before = pty.count("assword");
        peer.say("HTTP/1.0 407 Proxy Authentication Required\r\n\r\n", &nc);
        drop(peer);
        pty.shows("Proxy password for me@127.0.0.1: ", &nc);
        pty.types("secret\n");
        let mut peer = proxy.accept(&nc);
        let request = until_blank_line(&mut peer);
        peer.say("HTTP/1.0 200 OK\r\n\r\n", &nc);
        peer.say("hello", &nc);
        drop(peer);
        let echoed = pty.count("secret");
        (plain, asked_before, request, echoed, told(&nc.wait(), &[]))
    });
}

fn until_blank_line(peer: &mut Sock) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") && matches!(peer.read(&mut byte), Ok(1)) {
        bytes.extend_from_slice(&byte);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

// ---- the faults of nc that rnc does not share, called as nc

#[test]
fn fault_1_a_listener_sends_its_file_whole_to_a_client_that_half_closes_first() {
    let dir = TempDir::new();
    let file = pattern(3 << 20, 1);
    let stdin = std::fs::File::open(dir.file("file", &file)).expect("open");
    let (nc, mut peer) = Netcat::ours().listening("", Stdin::Fd(stdin.into()));
    peer.half_close();
    assert_bytes("the client got", &peer.read_all(&nc), &file);
    nc.wait().expect_code(0);
}

#[test]
fn fault_2_a_full_disk_is_told_with_1() {
    let server = Server::tcp();
    let words = format!("127.0.0.1 {}", server.port());
    let nc = Netcat::ours().line(&words).stdout(Stdout::Full).spawn();
    let mut peer = server.accept(&nc);
    peer.say("for the disk", &nc);
    let done = nc.wait().expect_code(1);
    done.expect_complaint("nc: write to standard output failed: No space left on device");
}

#[test]
fn fault_3_closed_descriptors_do_not_become_the_socket() {
    let (nc, mut peer) = Netcat::ours().connected("", Stdin::Closed);
    peer.say("not to be echoed", &nc);
    nc.shows("not to be echoed");
    assert!(peer.has_nothing_to_read());
    drop(peer);
    nc.wait().expect_code(0).expect_silence();

    let server = Server::tcp();
    let words = format!("127.0.0.1 {}", server.port());
    let nc = Netcat::ours().line(&words).stdout(Stdout::Closed).spawn();
    let mut peer = server.accept(&nc);
    peer.say("for nobody", &nc);
    peer.half_close();
    let mut back = Vec::new();
    // It may have broken off: what matters is that nothing comes back.
    let _ = peer.read_to_end(&mut back);
    assert_bytes("the peer got back", &back, b"");

    let dir = TempDir::new();
    let server = Server::new(crate::common::Transport::Unix, &dir);
    let nc = Netcat::ours()
        .cmd(server.words())
        .stdin(Stdin::Closed)
        .spawn();
    let mut peer = server.accept(&nc);
    peer.say("hello", &nc);
    drop(peer);
    nc.wait()
        .expect_code(0)
        .expect_stdout("hello")
        .expect_silence();
}

#[test]
fn fault_4_big_datagrams_are_not_cut_on_receipt() {
    let (nc, client) = udp_listener(&Netcat::ours(), "", Stdin::Null);
    let big = pattern(60_000, 1);
    client().send(&big).expect("send");
    assert!(nc.stdout.wait_until(|bytes| bytes.len() >= big.len()));
    assert_bytes("stdout", &nc.stdout.bytes(), &big);
}

#[test]
fn fault_5_an_empty_datagram_is_no_end() {
    for options in ["", "-k"] {
        let (nc, client) = udp_listener(&Netcat::ours(), options, Stdin::Null);
        let client = client();
        client.send(b"one ").expect("send");
        nc.shows("one ");
        client.send(b"").expect("send");
        client.send(b"two").expect("send");
        nc.shows("one two");
    }
    let server = udp_socket();
    let words = format!("-u 127.0.0.1 {}", sock_port(&server));
    let mut nc = Netcat::ours().line(&words).stdin(Stdin::Pipe).spawn();
    nc.send("hi");
    let (_, client) = server.recv_from(&mut [0; 10]).expect("a datagram");
    server.send_to(b"", client).expect("send");
    server.send_to(b"answer", client).expect("send");
    nc.shows("answer");
}

#[test]
fn fault_6_a_listener_with_q_receives_what_comes_in_that_time() {
    let (nc, mut peer) = Netcat::ours().listening("-n -q 2", Stdin::Null);
    peer.say("in time", &nc);
    nc.shows("in time");
    peer.say(", and more", &nc);
    drop(peer);
    nc.wait().expect_code(0).expect_stdout("in time, and more");
}

#[test]
fn fault_8_w_bounds_the_dialogue_with_a_proxy() {
    for kind in ["4", "5", "connect"] {
        let silent = Server::tcp();
        let port = silent.port();
        let words = format!("-v -w 1 -X {kind} -x 127.0.0.1:{port} 127.0.0.1 80");
        let done = Netcat::ours().line(&words).run().expect_code(1);
        done.expect_stdout("").expect_complaint("timed out");
    }
}

#[test]
fn fault_9_a_socks5_reply_may_hold_a_name() {
    let (_, told) = proxied(&Netcat::ours(), "192.0.2.1 80", |peer, nc| {
        peer.read_some(3, nc);
        peer.say([5, 0], nc);
        peer.read_some(10, nc);
        peer.say(b"\x05\x00\x00\x03\x05proxy\x00\x50hello", nc);
    });
    assert_eq!(
        (told.code, told.stdout.as_str()),
        (Some(0), "hello"),
        "{told:?}"
    );
}

#[test]
fn fault_10_crlf_is_not_doubled_across_reads() {
    let (mut nc, mut peer) = Netcat::ours().connected("-C -N", Stdin::Pipe);
    nc.send("one\r");
    assert_bytes("the peer got", &peer.read_some(4, &nc), b"one\r");
    nc.send("\ntwo\n");
    nc.close_stdin();
    assert_bytes("the peer got", &peer.read_all(&nc), b"\ntwo\r\n");
}

#[test]
fn fault_11_ports_and_tos_out_of_range_are_refused() {
    for (line, text) in [
        ("-l 70000", "nc: port number too large: 70000"),
        ("-p 70000 127.0.0.1 1", "nc: port number too large: 70000"),
        ("-T 0xzz 127.0.0.1 1", "nc: illegal tos value 0xzz"),
    ] {
        Netcat::ours()
            .line(line)
            .run()
            .expect_code(1)
            .expect_complaint(text);
    }
}

#[test]
fn fault_12_a_telnet_option_cut_in_two_is_answered_once() {
    for stdin in [Stdin::Pipe, Stdin::Null] {
        let (nc, mut peer) = Netcat::ours().connected("-t", stdin);
        // IAC DO ECHO, answered by IAC WONT ECHO.
        peer.say(b"a\xff", &nc);
        nc.shows("a");
        peer.say(b"\xfd", &nc);
        peer.say(b"\x01b", &nc);
        nc.shows("ab");
        assert_bytes("the answer", &peer.read_some(3, &nc), b"\xff\xfc\x01");
        assert!(peer.has_nothing_to_read());
    }
}

#[test]
fn fault_13_the_interval_does_not_hold_up_what_is_received() {
    let (mut nc, mut peer) = Netcat::ours().connected("-i 60", Stdin::Pipe);
    nc.send("one\ntwo\n");
    assert_bytes("the first line", &peer.read_some(4, &nc), b"one\n");
    peer.say("at once", &nc);
    nc.shows("at once");
}

#[test]
fn fault_14_clients_that_come_at_once_all_get_in() {
    let (nc, mut first) = Netcat::ours().listening("-kn", Stdin::Null);
    let clients: Vec<Sock> = (0..20).map(|_| connect_to_listener(&nc, None)).collect();
    first.say("0", &nc);
    drop(first);
    for mut client in clients {
        client.say("x", &nc);
    }
    nc.shows(&format!("0{}", "x".repeat(20)));
}

#[test]
fn fault_15_a_client_is_told_whatever_its_name_is() {
    let nc = Netcat::ours().line("-lv 127.0.0.1 0").spawn();
    let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    // An address of the loopback that is not likely to have a name.
    let from = SocketAddr::from(([127, 7, 7, 7], 0));
    client.bind(&from.into()).expect("bind");
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, nc.listening_port()));
    client.connect(&to.into()).expect("connect");
    let port = client
        .local_addr()
        .expect("local_addr")
        .as_socket()
        .expect("an address")
        .port();
    nc.says(&format!(" {port}\n"));
    drop(client);
    let done = nc.wait().expect_code(0).expect_silence();
    assert!(done.stderr.contains("Connection received on "), "{done}");
}

#[test]
fn fault_16_a_datagram_client_takes_its_socket_with_it() {
    let dir = TempDir::new();
    let server = std::os::unix::net::UnixDatagram::bind(dir.join("server")).expect("bind");
    let mine = dir.join("mine");
    let (path, from) = (dir.join("server"), mine.to_string_lossy().into_owned());
    let words = ["-uU", "-s", &from, &path.to_string_lossy()].map(str::to_string);
    let mut nc = Netcat::ours().cmd(words).stdin(Stdin::Pipe).spawn();
    nc.send("hi");
    server.recv(&mut [0; 10]).expect("a datagram");
    assert!(mine.exists());
    nc.signal(Signal::TERM);
    nc.wait().expect_signal(Signal::TERM);
    assert!(!mine.exists(), "its socket is still there");
}

#[test]
fn fault_17_a_reset_is_told_with_v_and_the_code_stays_0() {
    let (nc, mut peer) = Netcat::ours().connected("-v", Stdin::Null);
    peer.say("one", &nc);
    nc.shows("one");
    peer.reset();
    let done = nc.wait().expect_code(0).expect_stdout("one");
    done.expect_complaint("Connection reset by peer");
}

/// Nothing is compared here: it keeps the helpers of the harness honest.
#[test]
fn numbers_are_replaced_whole() {
    assert_eq!(
        named("port 80, 8080 and 180", &[(80, "P")]),
        "port P, 8080 and 180"
    );
    assert!(Log::nothing().wait_end());
}
