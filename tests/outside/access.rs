//! Who may come in: clients with addresses of their own (all of 127.0.0.0/8 is this machine), and
//! listeners that let in some of them.

use crate::common::{
    Cmd, Running, Server, Sock, Stdin, TempDir, assert_bytes, eventually, pattern, require, rnc,
    shell,
};
use rustix::process::Signal;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Denied in most tests, and allowed.
const BAD: &str = "127.0.0.5";
const GOOD: &str = "127.0.0.9";

/// A listener on 127.0.0.1 and a port of its own.
fn listener(options: &str) -> Cmd {
    rnc(options.split_whitespace()).args(["127.0.0.1", "0"])
}

/// A try to connect from one address to a listener at another. One that is refused there may see
/// the reset before it sees the connection.
fn try_connect(from: &str, to: &str, rnc: &Running) -> io::Result<Sock> {
    let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
    let to = SocketAddr::from((ip(to), rnc.listening_port()));
    let sock = Socket::new(Domain::for_address(to), Type::STREAM, None).expect("socket");
    sock.bind(&SocketAddr::from((ip(from), 0)).into())
        .expect("bind");
    sock.connect(&to.into())?;
    let stream = TcpStream::from(sock);
    stream
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    Ok(Sock::Tcp(stream))
}

/// A connection from one address to a listener at another.
#[track_caller]
fn connect(from: &str, to: &str, rnc: &Running) -> Sock {
    try_connect(from, to, rnc).expect("connect")
}

/// As `connect`, to 127.0.0.1.
#[track_caller]
fn client(from: &str, rnc: &Running) -> Sock {
    connect(from, "127.0.0.1", rnc)
}

/// Panics unless whoever tried to connect was sent away with a reset and without a word.
#[track_caller]
fn expect_refused(tried: io::Result<Sock>, rnc: &Running) {
    let mut bytes = Vec::new();
    match tried.and_then(|mut sock| sock.read_to_end(&mut bytes)) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset && bytes.is_empty() => {}
        other => rnc.fail(&format!("wanted a reset, got {other:?} and {bytes:?}")),
    }
}

/// A try to connect to 127.0.0.1.
fn try_client(from: &str, rnc: &Running) -> io::Result<Sock> {
    try_connect(from, "127.0.0.1", rnc)
}

/// A UDP socket with this address, connected to the listener.
fn udp_peer(from: &str, rnc: &Running) -> UdpSocket {
    udp_peer_of(from, rnc.listening_port())
}

/// As `udp_peer`, of the listener at this port.
fn udp_peer_of(from: &str, port: u16) -> UdpSocket {
    let peer = UdpSocket::bind((from, 0)).expect("bind");
    peer.connect(("127.0.0.1", port)).expect("connect");
    peer.set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    peer
}

#[test]
fn lists_say_who_is_served() {
    let dir = TempDir::new();
    let file = dir.file("hosts", "10.0.0.1\n\t127.0.0,1.5-6,8\n\n::2 localhost\n");
    let file = file.to_str().expect("a name in text");
    for (options, inside, outside) in [
        (
            "--allow 127.0.0.5".into(),
            "127.0.0.5",
            "127.0.0.1 127.0.0.6",
        ),
        (
            "--allow 127.0.0.5,127.0.0.7".into(),
            "127.0.0.5 127.0.0.7",
            "127.0.0.6",
        ),
        (
            "--allow 127.0.0.5 --allow 127.0.0.7,".into(),
            "127.0.0.5 127.0.0.7",
            "127.0.0.6",
        ),
        (
            "--allow 127.0.0.4/30".into(),
            "127.0.0.4 127.0.0.7",
            "127.0.0.3 127.0.0.8",
        ),
        (
            "--allow 127.*.1-.2-3".into(),
            "127.9.7.2 127.0.1.3",
            "127.0.0.2 127.0.1.4",
        ),
        ("--allow localhost".into(), "127.0.0.1", "127.0.0.2"),
        ("--allow localhost/8".into(), "127.0.0.1 127.9.9.9", ""),
        ("--allow ::1".into(), "", "127.0.0.1"),
        ("--allow ::ffff:127.0.0.3".into(), "127.0.0.3", "127.0.0.4"),
        ("--allow ,".into(), "", "127.0.0.1"),
        (
            "--deny 127.0.0.5".into(),
            "127.0.0.1 127.0.0.6",
            "127.0.0.5",
        ),
        ("--deny 0.0.0.0/0".into(), "", "127.0.0.1"),
        ("--deny ::/0".into(), "127.0.0.1", ""),
        (
            "--allow 127.0.0.0/29 --deny 127.0.0.5".into(),
            "127.0.0.4",
            "127.0.0.5 127.0.0.9",
        ),
        (
            format!("--allowfile {file}"),
            "127.0.0.1 127.0.1.6",
            "127.0.0.7 127.1.0.5",
        ),
        (
            format!("--allow 127.0.0.7 --allowfile {file}"),
            "127.0.0.5 127.0.0.7",
            "127.0.0.9",
        ),
        (
            format!("--denyfile {file}"),
            "127.0.0.7",
            "127.0.0.1 127.0.0.8",
        ),
        (
            format!("--denyfile {file} --deny 127.0.0.7"),
            "127.0.0.9",
            "127.0.0.7 127.0.0.8",
        ),
    ] {
        let rnc = listener(&format!("-lk {options}"))
            .stdin(Stdin::Pipe)
            .spawn();
        for from in outside.split_whitespace() {
            expect_refused(try_client(from, &rnc), &rnc);
        }
        for from in inside.split_whitespace() {
            client(from, &rnc).say(format!("{from} is in\n"), &rnc);
            rnc.shows(&format!("{from} is in\n"));
        }
        rnc.signal(Signal::TERM);
        rnc.wait().expect_signal(Signal::TERM).expect_silence();
    }
}

#[test]
fn on_a_socket_for_both_families_ipv4_is_ipv4() {
    for (options, admits_v4, admits_v6) in [
        ("--allow 127.0.0.1", true, false),
        ("--allow 127.0.0.0/8", true, false),
        ("--allow ::1", false, true),
        ("--deny ::/0", true, false),
        ("--deny 0.0.0.0/0", false, true),
        ("--allow localhost,::1", true, true),
    ] {
        let rnc = rnc(["-lk", "0"]).args(options.split(' ')).spawn();
        if !rnc.listening_line().contains("::") {
            return crate::common::skip("needs IPv6");
        }
        for (host, is_admitted) in [("127.0.0.1", admits_v4), ("::1", admits_v6)] {
            let tried = try_connect(host, host, &rnc);
            if is_admitted {
                let mut sock = tried.expect("connect");
                sock.say(format!("from {host}\n"), &rnc);
                rnc.shows(&format!("from {host}\n"));
            } else {
                expect_refused(tried, &rnc);
            }
        }
    }
}

#[test]
fn who_is_refused_does_not_take_the_place_of_the_one_client() {
    for dialect in ["rnc", "nc"] {
        let options = format!("--as {dialect} -lv --deny {BAD}");
        let mut rnc = listener(&options).stdin(Stdin::Pipe).spawn();
        for _ in 0..3 {
            expect_refused(try_client(BAD, &rnc), &rnc);
        }
        let mut good = client(GOOD, &rnc);
        rnc.send("welcome");
        assert_bytes("greeting", &good.read_some(7, &rnc), b"welcome");
        good.say("thanks", &rnc);
        drop(good);
        let done = rnc.wait().expect_code(0).expect_stdout("thanks");
        let refusals = done.stderr.lines().filter(|line| line.ends_with("denied"));
        assert_eq!(refusals.count(), 3, "{done}");
        let greetings = done.stderr.matches("Connection received on ");
        assert_eq!(greetings.count(), 1, "{done}");
    }
}

#[test]
fn nc_serves_one_after_the_other_only_who_may_come_in() {
    let rnc = listener(&format!("--as nc -lkv --allow {GOOD}")).spawn();
    for n in 0..3 {
        expect_refused(try_client(BAD, &rnc), &rnc);
        client(GOOD, &rnc).say(format!("client {n}\n"), &rnc);
        rnc.shows(&format!("client {n}\n"));
    }
}

#[test]
fn real_clients_are_refused_and_let_in() {
    let clients = [("nc.openbsd", "netcat-openbsd"), ("ncat", "ncat")];
    for (name, package) in clients {
        let Some(program) = require(name, package) else {
            continue;
        };
        let rnc = listener(&format!("-lvN --allow {GOOD}")).spawn();
        let port = rnc.listening_port().to_string();
        let run = |from: &str| {
            let mut peer = Cmd::new(&program)
                .args(["-s", from, "127.0.0.1", &port])
                .stdin(Stdin::Pipe)
                .spawn();
            peer.feed(b"over here\n".to_vec());
            peer
        };
        let bad = run(BAD);
        rnc.says(&format!("Connection from {BAD} "));
        drop(bad);
        let good = run(GOOD);
        rnc.shows("over here\n");
        good.wait().expect_code(0);
        rnc.wait().expect_code(0).expect_stdout("over here\n");
    }
}

#[test]
fn a_relay_dials_for_nobody_who_is_refused() {
    let target = Server::tcp();
    let relay = listener(&format!("-lk --deny {BAD}"))
        .args(["--relay", &format!("127.0.0.1:{}", target.port())])
        .spawn();
    for _ in 0..3 {
        expect_refused(try_client(BAD, &relay), &relay);
    }
    let mut good = client(GOOD, &relay);
    good.say("hello", &relay);
    good.half_close();
    let mut first = target.accept(&relay);
    assert_bytes("first connection", &first.read_all(&relay), b"hello");
}

#[test]
fn a_crowd_that_is_refused_keeps_nobody_waiting() {
    // More than are turned away in one go, all of them there before the loop comes round, so that
    // no event tells of the one behind them.
    const CROWD: usize = 300;
    for options in ["-l", "-lk"] {
        let rnc = listener(&format!("{options} --deny {BAD}")).spawn();
        rnc.listening_port();
        rnc.stop();
        let crowd: Vec<io::Result<Sock>> = (0..CROWD).map(|_| try_client(BAD, &rnc)).collect();
        let mut good = client(GOOD, &rnc);
        good.say("me too\n", &rnc);
        rnc.go_on();
        rnc.shows("me too\n");
        for tried in crowd {
            expect_refused(tried, &rnc);
        }
    }
}

#[test]
fn datagrams_of_the_refused_are_not_heard() {
    for dialect in ["rnc", "nc"] {
        let options = format!("--as {dialect} -luv --allow {GOOD}");
        let mut rnc = listener(&options).stdin(Stdin::Pipe).spawn();
        let (bad, good) = (udp_peer(BAD, &rnc), udp_peer(GOOD, &rnc));
        bad.send(b"bad before\n").expect("send");
        rnc.says(&format!("Connection from {BAD} "));
        good.send(b"good\n").expect("send");
        rnc.shows("good\n");
        bad.send(b"bad after\n").expect("send");
        good.send(b"good again\n").expect("send");
        rnc.shows("good again\n");
        rnc.send("answer");
        let mut buf = [0; 100];
        let n = good.recv(&mut buf).expect("an answer");
        assert_bytes("answer", &buf[..n], b"answer");
        rnc.signal(Signal::TERM);
        let done = rnc.wait().expect_stdout("good\ngood again\n");
        let greetings = done.stderr.matches("Connection received on ");
        assert_eq!(greetings.count(), 1, "{done}");
    }
}

#[test]
fn fault_10_nothing_but_the_first_peer_is_received_where_it_is_the_only_one() {
    for options in [
        format!("--allow {GOOD}"),
        format!("--deny {BAD}"),
        String::new(),
    ] {
        let rnc = Cmd::new(crate::common::rnc_binary()).args(["--as", "ncat", "-lu"]);
        let rnc = rnc.args(options.split_whitespace());
        let rnc = rnc.args(["-v", "127.0.0.1", "0"]).spawn();
        let line = rnc.listening_line();
        let (_, port) = line.rsplit_once(':').expect("a port");
        let port = port.parse().expect("a port");
        let (bad, good) = (udp_peer_of(BAD, port), udp_peer_of(GOOD, port));
        rnc.stop();
        good.send(b"one ").expect("send");
        // More than one call of recvmmsg(2) gives.
        for _ in 0..40 {
            bad.send(b"bad").expect("send");
        }
        good.send(b"two").expect("send");
        rnc.go_on();
        rnc.shows("two");
        assert_bytes("stdout", &rnc.stdout.bytes(), b"one two");
    }
}

#[test]
fn a_flood_of_refused_datagrams_keeps_nobody_waiting() {
    const FLOOD: usize = 2000;
    for dialect in ["rnc", "nc"] {
        let options = format!("--as {dialect} -dluv -I 4000000 -W 1 --deny {BAD}");
        let rnc = listener(&options).spawn();
        let (bad, good) = (udp_peer(BAD, &rnc), udp_peer(GOOD, &rnc));
        rnc.stop();
        for _ in 0..FLOOD {
            bad.send(b"bad").expect("send");
        }
        good.send(b"good").expect("send");
        rnc.go_on();
        rnc.wait().expect_code(0).expect_stdout("good");
    }
}

#[test]
fn datagrams_between_refused_ones_arrive_whole() {
    let (bad, good);
    let rnc = listener(&format!("-dlu --deny {BAD}")).spawn();
    (bad, good) = (udp_peer(BAD, &rnc), udp_peer(GOOD, &rnc));
    let mut wanted = Vec::new();
    // Few enough for the socket, of all lengths, and in all orders.
    for round in 0..20 {
        rnc.stop();
        for n in 0..24 {
            let len = [1, 40_000, 300, 9000, 7][(n * 7 + round) % 5];
            let sent = pattern(len, (round * 100 + n) as u32);
            if (n + round) % 3 == 0 {
                good.send(&sent).expect("send");
                wanted.extend(sent);
            } else {
                bad.send(&sent).expect("send");
            }
        }
        rnc.go_on();
        let all = rnc.stdout.wait_until(|bytes| bytes.len() >= wanted.len());
        assert!(all, "{} of {} bytes", rnc.stdout.len(), wanted.len());
    }
    assert_bytes("what came out", &rnc.stdout.bytes(), &wanted);
}

#[test]
fn services_answer_nobody_who_is_refused() {
    const FLOOD: usize = 2000;
    let tcp = listener(&format!("-lk --echo --deny {BAD}")).spawn();
    expect_refused(try_client(BAD, &tcp), &tcp);
    let mut good = client(GOOD, &tcp);
    good.say("echo", &tcp);
    assert_bytes("echo", &good.read_some(4, &tcp), b"echo");

    for service in ["--echo", "-e cat"] {
        let udp = listener(&format!("-luv {service} -I 4000000 --deny {BAD}")).spawn();
        let (bad, good) = (udp_peer(BAD, &udp), udp_peer(GOOD, &udp));
        udp.stop();
        for _ in 0..FLOOD {
            bad.send(b"bad").expect("send");
        }
        good.send(b"good").expect("send");
        udp.go_on();
        let mut buf = [0; 100];
        let len = good.recv(&mut buf).expect("an answer");
        assert_bytes("answer", &buf[..len], b"good");
        udp.says(&format!("Connection from {BAD} "));
        bad.set_nonblocking(true).expect("O_NONBLOCK");
        let nothing = bad.recv(&mut buf).map_err(|error| error.kind());
        assert_eq!(nothing, Err(ErrorKind::WouldBlock));
    }
}

#[test]
fn who_is_refused_does_not_count_as_one_of_the_clients() {
    let rnc = listener(&format!("-lk --max-conns 1 --deny {BAD}")).spawn();
    let held: Vec<io::Result<Sock>> = (0..3).map(|_| try_client(BAD, &rnc)).collect();
    client(GOOD, &rnc).say("the one\n", &rnc);
    rnc.shows("the one\n");
    drop(held);
}

#[test]
fn a_wrong_list_ends_rnc_before_it_listens() {
    let dir = TempDir::new();
    let wrong = dir.file("wrong", "127.0.0.1 1.2.3.4/33\n");
    let latin = dir.file("latin", b"caf\xe9.example");
    let wrong = format!("--allowfile {}", wrong.display());
    let latin = format!("--denyfile {}", latin.display());
    let missing = format!("--denyfile {}", dir.join("missing").display());
    for (options, says) in [
        (&*wrong, "wrong: 1.2.3.4/33: the address has only 32 bits"),
        (&*latin, "neither an address nor a name"),
        (&*missing, "missing: No such file or directory"),
        ("--allow 1.2.3.4/33", "--allow 1.2.3.4/33: "),
        (
            "--deny 127.0.0.1,9-5.2.3.4",
            "--deny 9-5.2.3.4: a range goes backwards",
        ),
        (
            "--allow no-such-host.invalid",
            "cannot resolve no-such-host.invalid: ",
        ),
        ("-n --allow localhost", "-n: localhost is a name"),
        (
            "--allow localhost/33",
            "localhost: the address has only 32 bits",
        ),
    ] {
        for (dialect, code) in [("rnc", 2), ("nc", 1)] {
            let cmd = listener(&format!("--as {dialect} -lv {options}"));
            let done = cmd.run().expect_code(code);
            assert!(done.stderr.contains(says), "{options}: {done}");
            assert!(!done.stderr.contains("Listening"), "{options}: {done}");
        }
    }
}

/// Writes a file anew and has rnc read it; waits until it says `says`.
#[track_caller]
fn reload(rnc: &Running, file: &Path, content: &str, says: &str) {
    std::fs::write(file, content).expect("write");
    let count = || rnc.stderr.text().matches(says).count();
    let before = count();
    rnc.signal(Signal::HUP);
    if !eventually(|| count() > before) {
        rnc.fail(&format!("{says:?} did not appear again"));
    }
}

#[test]
fn a_hangup_has_the_files_read_again() {
    const DONE: &str = "Who may come in has been read again";
    const KEPT: &str = "who may come in stays as it was";
    let dir = TempDir::new();
    let file = dir.file("allowed", "127.0.0.1");
    let name = file.to_str().expect("a name in text");
    let mut rnc = listener(&format!("-lkv --allowfile {name}"))
        .stdin(Stdin::Pipe)
        .spawn();
    let mut old = client("127.0.0.1", &rnc);
    old.say("old\n", &rnc);
    rnc.shows("old\n");

    reload(&rnc, &file, GOOD, DONE);
    expect_refused(try_client("127.0.0.1", &rnc), &rnc);
    let mut new = client(GOOD, &rnc);
    new.say("new\n", &rnc);
    rnc.shows("new\n");

    reload(&rnc, &file, "127.0.0.1 nonsense!", KEPT);
    std::fs::remove_file(&file).expect("remove");
    rnc.signal(Signal::HUP);
    rnc.says("allowed: No such file or directory; who may come in stays as it was");
    expect_refused(try_client("127.0.0.1", &rnc), &rnc);
    client(GOOD, &rnc).say("newer\n", &rnc);
    rnc.shows("newer\n");

    reload(&rnc, &file, "127.0.0.1", DONE);
    expect_refused(try_client(GOOD, &rnc), &rnc);

    // Who was in has stayed.
    rnc.send("to all\n");
    for sock in [&mut old, &mut new] {
        assert_bytes("to all", &sock.read_some(7, &rnc), b"to all\n");
    }
    rnc.signal(Signal::TERM);
    rnc.wait().expect_signal(Signal::TERM);
}

#[test]
fn a_hangup_counts_for_datagrams_and_under_nohup() {
    let dir = TempDir::new();
    let file = dir.file("denied", BAD);
    let line = "trap '' HUP; exec rnc -dluv --denyfile denied 127.0.0.1 0";
    let rnc = shell(line, &dir).spawn();
    let (bad, good) = (udp_peer(BAD, &rnc), udp_peer(GOOD, &rnc));
    bad.send(b"not heard\n").expect("send");
    good.send(b"heard\n").expect("send");
    rnc.shows("heard\n");
    reload(&rnc, &file, GOOD, "read again");
    good.send(b"not heard\n").expect("send");
    bad.send(b"now heard\n").expect("send");
    rnc.shows("now heard\n");
    rnc.signal(Signal::TERM);
    rnc.wait().expect_stdout("heard\nnow heard\n");
}

#[test]
fn a_pipe_with_hosts_is_not_taken_for_an_empty_list_at_a_hangup() {
    let dir = TempDir::new();
    let script = "mkfifo hosts; echo 127.0.0.1 > hosts & \
                  exec rnc -lkv --denyfile hosts 127.0.0.1 0";
    let rnc = shell(script, &dir).spawn();
    expect_refused(try_client("127.0.0.1", &rnc), &rnc);
    rnc.signal(Signal::HUP);
    rnc.says("a pipe cannot be read again; who may come in stays as it was");
    expect_refused(try_client("127.0.0.1", &rnc), &rnc);
}

#[test]
fn without_files_a_hangup_ends_rnc() {
    let rnc = listener(&format!("-lk --allow {GOOD}")).spawn();
    rnc.listening_port();
    rnc.signal(Signal::HUP);
    rnc.wait().expect_signal(Signal::HUP).expect_silence();
}

/// A listener on a Unix socket, in a shell with this umask, once it is bound.
fn unix_listener(dir: &TempDir, umask: &str, options: &str) -> Running {
    let rnc = shell(
        &format!("umask {umask}; exec rnc -v {options} -U sock"),
        dir,
    )
    .spawn();
    rnc.listening_line();
    rnc
}

#[test]
fn a_socket_has_the_mode_it_is_given() {
    for (umask, options, mode) in [
        ("022", "-l --mode 600", 0o600),
        ("077", "-l --mode 666", 0o666),
        ("000", "-lk --mode 0", 0),
        ("077", "-lu --mode 0777", 0o777),
        ("027", "-l", 0o750),
    ] {
        let dir = TempDir::new();
        let rnc = unix_listener(&dir, umask, options);
        let meta = std::fs::metadata(dir.join("sock")).expect("a socket");
        assert_eq!(
            meta.permissions().mode() & 0o7777,
            mode,
            "{umask} {options}"
        );
        // The umask is as it was: what rnc makes besides is not meant.
        let status = std::fs::read_to_string(format!("/proc/{}/status", rnc.pid()));
        let status = status.expect("the process is gone");
        assert!(status.contains(&format!("Umask:\t0{umask}\n")), "{status}");
    }
}

#[test]
fn a_user_who_may_not_come_in_is_refused() {
    let uid = rustix::process::getuid().as_raw();
    let (pid, gid) = (std::process::id(), rustix::process::getgid().as_raw());
    let who = format!("(pid {pid}, uid {uid}, gid {gid})");
    for (options, is_admitted) in [
        (format!("--allow-uid {uid}"), true),
        (format!("--allow-uid {}", uid + 1), false),
        (format!("--allow-uid {} --allow-uid {uid}", uid + 1), true),
        (
            format!("--allow-uid {}", if uid == 0 { "daemon" } else { "root" }),
            false,
        ),
    ] {
        let dir = TempDir::new();
        let rnc = unix_listener(&dir, "022", &format!("-lk {options}"));
        rnc.says("Listening on ");
        let mut sock = UnixStream::connect(dir.join("sock")).expect("connect");
        sock.set_read_timeout(Some(crate::common::DEADLINE))
            .expect("SO_RCVTIMEO");
        if is_admitted {
            sock.write_all(b"it is me\n").expect("write");
            rnc.shows("it is me\n");
            rnc.says(&format!("Connection received on sock {who}\n"));
        } else {
            rnc.says(&format!("Connection from sock {who} denied\n"));
            let mut bytes = Vec::new();
            let end = sock.read_to_end(&mut bytes);
            assert!(end.is_err() || bytes.is_empty(), "got {bytes:?}");
            assert!(
                !rnc.stderr.text().contains("received"),
                "{}",
                rnc.stderr.text()
            );
        }
    }
}

#[test]
fn nc_says_of_a_unix_client_what_nc_says() {
    let dir = TempDir::new();
    let rnc = unix_listener(&dir, "022", "--as nc -l");
    rnc.says("Listening on ");
    drop(UnixStream::connect(dir.join("sock")).expect("connect"));
    let done = rnc.wait().expect_code(0);
    assert!(
        done.stderr.ends_with("Connection received on sock\n"),
        "{done}"
    );
}

#[test]
fn a_program_open_to_everybody_is_warned_of() {
    const WARNING: &str = "rnc: warning: any host that reaches this machine can use the program";
    for (words, warns) in [
        ("-lk 0 -e cat", true),
        ("-l 0.0.0.0 0 -c cat", true),
        ("-l -4 0 -c cat --deny 192.0.2.1", true),
        ("-lu 0 -e cat", true),
        ("-l 0 -e cat --pty", true),
        ("-lk 127.0.0.1 0 -e cat", false),
        ("-lku 127.0.0.1 0 -e cat", false),
        ("-l localhost 0 -e cat", false),
        ("-lk 0 -e cat --allow 127.0.0.0/8", false),
        ("-lk 0 -e cat --allowfile /dev/null", false),
        ("-lk 0 --echo", false),
        ("-lk 0", false),
        ("-lv --as nc 0 -e cat", false),
    ] {
        let rnc = rnc(words.split_whitespace()).spawn();
        rnc.listening_line();
        let said = rnc.stderr.text();
        assert_eq!(
            said.matches(WARNING).count(),
            usize::from(warns),
            "{words}: {said}"
        );
    }
    let dir = TempDir::new();
    let rnc = unix_listener(&dir, "022", "-lk -e cat");
    assert!(
        !rnc.stderr.text().contains("warning"),
        "{}",
        rnc.stderr.text()
    );
}

#[test]
fn a_limit_that_cannot_be_kept_is_refused() {
    for (words, says) in [
        ("--allow 1.2.3.4 localhost 1", "--allow needs -l"),
        ("--denyfile /dev/null localhost 1", "--denyfile needs -l"),
        ("-lU --deny 1.2.3.4 sock", "--deny needs an IP socket"),
        ("-lU --allowfile f sock", "--allowfile needs an IP socket"),
        ("-l --allow-uid 0 0", "--allow-uid needs a Unix socket (-U)"),
        (
            "-lu --allow-uid 0 unix:sock",
            "--allow-uid cannot be used with -u",
        ),
        (
            "-l --allow-uid nobody-at-all unix:sock",
            "--allow-uid nobody-at-all: no such user",
        ),
        (
            "-l --mode 600 0",
            "--mode needs a Unix socket with a path (-U)",
        ),
        (
            "-l --mode 600 unix:@name",
            "--mode needs a Unix socket with a path (-U)",
        ),
        ("-U --mode 600 sock", "--mode needs -l"),
        (
            "-lU --mode 1000 sock",
            "--mode 1000: not an octal number up to 777",
        ),
        ("-lU --mode 68 sock", "--mode 68: "),
        ("-lU --mode +7 sock", "--mode +7: "),
    ] {
        let cmd = rnc(words.split_whitespace());
        let done = cmd.run().expect_code(2).expect_complaint(says);
        assert!(done.stdout.is_empty(), "{words}");
    }
}
