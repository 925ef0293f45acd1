//! A listener that is left running: how many may come, how long they may stay, and how it ends.

use crate::common::{
    ClosedPort, Cmd, Pty, Running, Server, Sock, Stdin, Stdout, TempDir, Transport, assert_bytes,
    connect_to_listener, eventually, pattern, rnc, rnc_binary, udp_socket,
};
use rustix::process::Signal;
use socket2::{Domain, Socket, Type};
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;

/// rnc that listens on one kind of socket, and where.
struct Listener {
    rnc: Running,
    path: Option<PathBuf>,
    _dir: TempDir,
}

impl Listener {
    /// `options` have `-l` or `-lk` in them; standard input stays open.
    #[track_caller]
    fn over(transport: Transport, options: &[&str]) -> Listener {
        let dir = TempDir::new();
        let mut words: Vec<OsString> = options.iter().map(OsString::from).collect();
        let path = match transport {
            Transport::Tcp => {
                words.extend(["127.0.0.1".into(), "0".into()]);
                None
            }
            Transport::Unix => {
                let path = dir.join("listener");
                words.extend(["-v".into(), "-U".into(), path.clone().into()]);
                Some(path)
            }
        };
        let rnc = rnc(words).stdin(Stdin::Pipe).spawn();
        rnc.listening_line();
        Listener {
            rnc,
            path,
            _dir: dir,
        }
    }

    #[track_caller]
    fn client(&self) -> Sock {
        connect_to_listener(&self.rnc, self.path.as_ref())
    }

    /// Says whether a socket of it listens, without making a connection.
    fn is_listening(&self) -> bool {
        let holds = |table: &str, is_it: &dyn Fn(&str) -> bool| {
            let table = fs::read_to_string(table).expect("a table of sockets");
            table.lines().any(is_it)
        };
        match &self.path {
            // __SO_ACCEPTCON of linux/net.h.
            Some(path) => holds("/proc/net/unix", &|line| {
                line.ends_with(&path.display().to_string()) && line.contains(" 00010000 ")
            }),
            None => {
                let port = format!(":{:04X} 00000000:0000 0A ", self.rnc.listening_port());
                holds("/proc/net/tcp", &|line| line.contains(&port))
            }
        }
    }

    #[track_caller]
    fn stops_listening(&self) {
        if !eventually(|| !self.is_listening()) {
            self.rnc.fail("it still listens");
        }
    }

    /// What connecting says.
    fn try_client(&self) -> std::io::Result<()> {
        match &self.path {
            Some(path) => UnixStream::connect(path).map(drop),
            None => {
                let addr = (Ipv4Addr::LOCALHOST, self.rnc.listening_port());
                TcpStream::connect(addr).map(drop)
            }
        }
    }
}

const TRANSPORTS: [Transport; 2] = [Transport::Tcp, Transport::Unix];

/// Says whether it was turned away: its end, or a reset, and no byte.
fn is_turned_away(sock: &mut Sock) -> bool {
    match sock.read(&mut [0]) {
        Ok(n) => n == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Waits until the peer has ended or broken the connection.
#[track_caller]
fn expect_end(sock: &mut Sock, from: &Running) {
    if !is_turned_away(sock) {
        from.fail("it sent something");
    }
}

// ---- how many

#[test]
fn one_more_than_max_conns_is_turned_away_and_a_free_place_is_given_again() {
    for transport in TRANSPORTS {
        let options = ["-lkvv", "--until", "peer", "--max-conns", "2"];
        let listener = Listener::over(transport, &options);
        let (mut first, mut second) = (listener.client(), listener.client());
        first.say("first\n", &listener.rnc);
        second.say("second\n", &listener.rnc);
        listener.rnc.shows("first\n");
        listener.rnc.shows("second\n");
        expect_end(&mut listener.client(), &listener.rnc);
        listener
            .rnc
            .says("New connection denied: connection limit reached (2)");
        first.say("still here\n", &listener.rnc);
        listener.rnc.shows("still here\n");
        drop(second);
        listener.rnc.says(" left: ");
        let mut third = listener.client();
        third.say("third\n", &listener.rnc);
        listener.rnc.shows("third\n");
        expect_end(&mut listener.client(), &listener.rnc);
    }
}

#[test]
fn max_conns_counts_the_clients_of_a_relay() {
    for transport in TRANSPORTS {
        let target = Server::tcp();
        let to = format!("127.0.0.1:{}", target.port());
        let options = ["-lkvv", "--max-conns", "1", "--relay", &to];
        let listener = Listener::over(transport, &options);
        let mut client = listener.client();
        client.say("one", &listener.rnc);
        let mut onward = target.accept(&listener.rnc);
        assert_bytes("target", &onward.read_some(3, &listener.rnc), b"one");
        for _ in 0..200 {
            expect_end(&mut listener.client(), &listener.rnc);
        }
        onward.say("two", &listener.rnc);
        assert_bytes("client", &client.read_some(3, &listener.rnc), b"two");
        drop((client, onward));
        listener.rnc.says(" left: ");
        let mut next = listener.client();
        next.say("next", &listener.rnc);
        let mut onward = target.accept(&listener.rnc);
        assert_bytes("target", &onward.read_some(4, &listener.rnc), b"next");
    }
}

#[test]
fn max_conns_counts_the_clients_of_a_service() {
    for transport in TRANSPORTS {
        let options = ["-lkvv", "--max-conns", "1", "--echo"];
        let listener = Listener::over(transport, &options);
        let mut client = listener.client();
        client.say("one", &listener.rnc);
        assert_bytes("echo", &client.read_some(3, &listener.rnc), b"one");
        expect_end(&mut listener.client(), &listener.rnc);
        drop(client);
        listener.rnc.says(" left: ");
        let mut next = listener.client();
        next.say("next", &listener.rnc);
        assert_bytes("echo", &next.read_some(4, &listener.rnc), b"next");
    }
}

#[test]
fn one_who_is_turned_away_says_nothing_without_v() {
    let listener = Listener::over(Transport::Tcp, &["-lk", "--max-conns", "1"]);
    let mut client = listener.client();
    client.say("here\n", &listener.rnc);
    listener.rnc.shows("here\n");
    expect_end(&mut listener.client(), &listener.rnc);
    listener.rnc.signal(Signal::TERM);
    listener
        .rnc
        .wait()
        .expect_signal(Signal::TERM)
        .expect_silence();
}

#[test]
fn the_listener_of_one_client_is_closed_once_it_is_there() {
    let target = Server::tcp();
    let to = format!("127.0.0.1:{}", target.port());
    for transport in TRANSPORTS {
        let stdio: &[&str] = &["-l"];
        let relay: &[&str] = &["-l", "--relay", &to];
        for options in [stdio, relay, &["-l", "--echo"]] {
            let listener = Listener::over(transport, options);
            let _client = listener.client();
            listener.stops_listening();
            assert!(listener.try_client().is_err());
            // Nothing that says where it listens is left.
            let left = listener.path.as_ref().is_some_and(|path| path.exists());
            assert!(!left, "{options:?}");
            assert!(listener.rnc.is_running());
        }
    }
}

// ---- how long

#[test]
fn a_silent_session_ends_after_the_idle_timeout() {
    for transport in TRANSPORTS {
        let listener = Listener::over(transport, &["-l", "--idle-timeout", "100ms"]);
        let mut client = listener.client();
        client.say("hello", &listener.rnc);
        expect_end(&mut client, &listener.rnc);
        listener
            .rnc
            .wait()
            .expect_code(3)
            .expect_stdout("hello")
            .expect_complaint("timed out: nothing moved for 100ms");
    }
}

#[test]
fn a_silent_client_of_many_is_dropped_and_the_others_stay() {
    let listener = Listener::over(Transport::Tcp, &["-lkv", "--idle-timeout", "2s"]);
    let (mut busy, mut silent) = (listener.client(), listener.client());
    let dropped = eventually(|| {
        busy.say("line\n", &listener.rnc);
        listener
            .rnc
            .stderr
            .text()
            .contains("timed out: nothing moved")
    });
    assert!(dropped, "nobody was dropped");
    expect_end(&mut silent, &listener.rnc);
    busy.say("last\n", &listener.rnc);
    listener.rnc.shows("last\n");
}

#[test]
fn a_session_ends_after_its_timeout_although_bytes_move() {
    for transport in TRANSPORTS {
        let listener = Listener::over(transport, &["-l", "--timeout", "300ms"]);
        let mut client = listener.client();
        let ended = eventually(|| client.write_all(b"more").is_err());
        assert!(ended, "it goes on and on");
        listener
            .rnc
            .wait()
            .expect_code(3)
            .expect_complaint("timed out: connected for 300ms");
    }
}

#[test]
fn a_client_that_cannot_connect_in_time_gives_up() {
    let (_full, port) = crate::common::never_answers();
    rnc(["--timeout", "200ms", "127.0.0.1", &port.to_string()])
        .run()
        .expect_code(3)
        .expect_complaint("timed out");
}

#[test]
fn the_timeout_of_one_client_does_not_touch_the_next() {
    let target = Server::tcp();
    let to = format!("127.0.0.1:{}", target.port());
    let listener = Listener::over(Transport::Tcp, &["-lkv", "--timeout", "1s", "--relay", &to]);
    let mut first = listener.client();
    let _onward = target.accept(&listener.rnc);
    expect_end(&mut first, &listener.rnc);
    listener.rnc.says("timed out: connected for 1s");
    let mut second = listener.client();
    second.say("hello", &listener.rnc);
    let mut onward = target.accept(&listener.rnc);
    assert_bytes("target", &onward.read_some(5, &listener.rnc), b"hello");
}

#[test]
fn nobody_within_the_accept_timeout_is_a_failure() {
    let options = ["-l", "--accept-timeout", "100ms"];
    let many = ["-lk", "--accept-timeout", "100ms"];
    let relay = ["-lk", "--accept-timeout", "100ms", "--relay", "127.0.0.1:9"];
    let datagrams = ["-lu", "--accept-timeout", "100ms"];
    for options in [&options[..], &many, &relay, &datagrams] {
        Listener::over(Transport::Tcp, options)
            .rnc
            .wait()
            .expect_code(3)
            .expect_complaint("no client connected within 100ms");
    }
    let finished = Listener::over(Transport::Unix, &options).rnc.wait();
    finished
        .expect_code(3)
        .expect_complaint("no client connected within 100ms");
}

#[test]
fn the_accept_timeout_is_over_once_somebody_came() {
    for options in ["-l", "-lk"] {
        let options = [options, "--accept-timeout", "500ms"];
        let listener = Listener::over(Transport::Tcp, &options);
        let mut client = listener.client();
        client.say("first\n", &listener.rnc);
        listener.rnc.shows("first\n");
        // Not a time measured: one in which it might leave.
        std::thread::sleep(std::time::Duration::from_secs(1));
        client.say("second\n", &listener.rnc);
        listener.rnc.shows("second\n");
    }
}

// ---- the port

#[test]
fn the_port_file_has_the_port_and_goes_with_the_listener() {
    for options in [&["-lk"][..], &["-lku"]] {
        let dir = TempDir::new();
        let file = dir.file("port", "something older\n");
        let word = file.display().to_string();
        let options = [options, &["--port-file", &word]].concat();
        let listener = Listener::over(Transport::Tcp, &options);
        let port = fs::read_to_string(&file).expect("the port file");
        assert_eq!(port, format!("{}\n", listener.rnc.listening_port()));
        assert_eq!(fs::read_dir(dir.path()).expect("dir").count(), 1);
        listener.rnc.signal(Signal::TERM);
        listener.rnc.wait().expect_signal(Signal::TERM);
        assert!(!file.exists(), "the port file is still there");
    }
}

#[test]
fn a_port_file_that_another_has_replaced_is_left_alone() {
    let dir = TempDir::new();
    let file = dir.join("port");
    let word = file.display().to_string();
    let listener = Listener::over(Transport::Tcp, &["-lk", "--port-file", &word]);
    let other = dir.file("other", "1234\n");
    fs::rename(&other, &file).expect("rename");
    listener.rnc.signal(Signal::TERM);
    listener.rnc.wait().expect_signal(Signal::TERM);
    assert_eq!(fs::read_to_string(&file).expect("the file"), "1234\n");
}

#[test]
fn a_port_file_made_anew_in_place_of_ours_is_left_alone() {
    let dir = TempDir::new();
    let file = dir.join("port");
    let word = file.display().to_string();
    let listener = Listener::over(Transport::Tcp, &["-lk", "--port-file", &word]);
    // Where the file system uses inodes again at once, it is the same one.
    fs::remove_file(&file).expect("remove");
    fs::write(&file, "1234\n").expect("write");
    listener.rnc.signal(Signal::TERM);
    listener.rnc.wait().expect_signal(Signal::TERM);
    assert_eq!(fs::read_to_string(&file).expect("the file"), "1234\n");
}

/// A listener with its port file at this path.
fn with_port_file(path: &Path) -> Cmd {
    let words = ["-lk", "127.0.0.1", "0", "--port-file"];
    rnc(words).arg(path)
}

#[test]
fn fault_10_the_port_is_not_written_through_a_link_of_another_user() {
    let dir = TempDir::new();
    let victim = dir.file("victim", "precious\n");
    let file = dir.join("port");
    // What once was the name of the file before it is renamed.
    for pid in (std::process::id()..).take(2000) {
        symlink(&victim, dir.join(&format!("port.{pid}"))).expect("symlink");
    }
    let listener = with_port_file(&file).spawn();
    let port = format!("{}\n", listener.listening_port());
    assert_eq!(fs::read_to_string(&file).expect("the port file"), port);
    assert!(fs::symlink_metadata(&file).expect("it").is_file());
    assert_eq!(fs::read_to_string(&victim).expect("it"), "precious\n");
}

#[test]
fn fault_10_what_is_no_regular_file_is_not_replaced_by_a_port_file() {
    let dir = TempDir::new();
    let victim = dir.file("victim", "precious\n");
    let link = |to: &Path, name: &str| {
        symlink(to, dir.join(name)).expect("symlink");
        dir.join(name)
    };
    let _listener = UnixListener::bind(dir.join("socket")).expect("bind");
    fs::create_dir(dir.join("folder")).expect("mkdir");
    for (path, why) in [
        (link(&victim, "link"), "it is a symbolic link"),
        (
            link(Path::new("nowhere"), "dangling"),
            "it is a symbolic link",
        ),
        (dir.join("socket"), "it is not a regular file"),
        (dir.join("folder"), "it is not a regular file"),
    ] {
        let before = fs::symlink_metadata(&path).expect("it").ino();
        let done = with_port_file(&path).run().expect_code(1);
        done.expect_complaint(why);
        assert_eq!(fs::symlink_metadata(&path).expect("it").ino(), before);
    }
    assert_eq!(fs::read_to_string(&victim).expect("it"), "precious\n");
    assert!(!dir.join("nowhere").exists());
}

#[test]
fn fault_10_a_fifo_gets_the_port_and_stays_whenever_it_is_read() {
    let dir = TempDir::new();
    let fifo = dir.fifo("fifo");
    let before = fs::symlink_metadata(&fifo).expect("it").ino();
    for reads_first in [true, false] {
        let (fifo_read, path) = (fifo.clone(), fifo.clone());
        let read = move || fs::read_to_string(&fifo_read).expect("the port");
        let (listener, line) = if reads_first {
            let reader = std::thread::spawn(read);
            let listener = with_port_file(&path).spawn();
            (listener, reader.join().expect("the port"))
        } else {
            let listener = with_port_file(&path).spawn();
            listener.listening_port();
            (listener, read())
        };
        assert_eq!(line, format!("{}\n", listener.listening_port()));
        listener.signal(Signal::TERM);
        listener.wait().expect_signal(Signal::TERM);
        assert_eq!(fs::symlink_metadata(&fifo).expect("it").ino(), before);
    }
}

#[test]
fn fault_10_a_port_file_may_lead_to_standard_output() {
    let dir = TempDir::new();
    let path = dir.join("stdout");
    symlink("/proc/self/fd/1", &path).expect("symlink");
    let listener = with_port_file(&path).spawn();
    listener.shows(&format!("{}\n", listener.listening_port()));
    listener.signal(Signal::TERM);
    listener.wait().expect_signal(Signal::TERM);
    assert!(fs::symlink_metadata(&path).expect("it").is_symlink());
}

#[test]
fn a_port_file_that_cannot_be_written_is_told_in_one_line() {
    let dir = TempDir::new();
    let nowhere = dir.join("missing/port").display().to_string();
    rnc(["-l", "--port-file", &nowhere, "127.0.0.1", "0"])
        .run()
        .expect_code(1)
        .expect_complaint("No such file or directory");
}

// ---- how much

#[test]
fn exactly_max_bytes_come_out() {
    let payload = pattern(3_000_000, 1);
    for transport in TRANSPORTS {
        let listener = Listener::over(transport, &["-l", "--max-bytes", "1000001"]);
        let mut client = listener.client();
        // It breaks when rnc has had enough.
        let _ = client.write_all(&payload);
        let finished = listener.rnc.wait().expect_code(0);
        assert_bytes("stdout", &finished.stdout, &payload[..1_000_001]);
    }
}

#[test]
fn exactly_max_bytes_are_sent_and_arrive_although_the_peer_goes_on_sending() {
    let payload = pattern(3_000_000, 2);
    for transport in TRANSPORTS {
        let dir = TempDir::new();
        let server = Server::new(transport, &dir);
        let mut words: Vec<OsString> = vec!["--max-bytes".into(), "1M".into()];
        words.extend(server.words());
        let mut rnc = rnc(words).stdin(Stdin::Pipe).spawn();
        let mut peer = server.accept(&rnc);
        peer.say("hello", &rnc);
        rnc.shows("hello");
        peer.say("more than is read", &rnc);
        rnc.feed(payload.clone());
        let mut got = vec![0; 1_000_000 - "hellomore than is read".len()];
        peer.read_exact(&mut got).expect("what may be sent");
        assert_bytes("the peer got", &got, &payload[..got.len()]);
        expect_end(&mut peer, &rnc);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("hellomore than is read")
            .expect_silence();
    }
}

#[test]
fn both_directions_share_max_bytes_and_each_client_has_its_own() {
    let target = Server::tcp();
    let to = format!("127.0.0.1:{}", target.port());
    let listener = Listener::over(
        Transport::Tcp,
        &["-lkv", "--max-bytes", "10", "--relay", &to],
    );
    for _ in 0..3 {
        let mut client = listener.client();
        let mut onward = target.accept(&listener.rnc);
        client.say("1234", &listener.rnc);
        assert_bytes("target", &onward.read_some(4, &listener.rnc), b"1234");
        onward.say("567890more", &listener.rnc);
        assert_bytes("client", &client.read_some(6, &listener.rnc), b"567890");
        expect_end(&mut client, &listener.rnc);
        expect_end(&mut onward, &listener.rnc);
    }
    listener.rnc.says("reached --max-bytes");
}

#[test]
fn max_bytes_of_one_of_many_does_not_touch_the_others() {
    let mut listener = Listener::over(Transport::Tcp, &["-lk", "--max-bytes", "10"]);
    let mut first = listener.client();
    first.say("0123456789abcdef", &listener.rnc);
    expect_end(&mut first, &listener.rnc);
    let (mut second, mut third) = (listener.client(), listener.client());
    second.say("2\n", &listener.rnc);
    third.say("3\n", &listener.rnc);
    listener.rnc.shows("2\n");
    listener.rnc.shows("3\n");
    listener.rnc.send("to everybody");
    for client in [&mut second, &mut third] {
        assert_bytes("client", &client.read_some(8, &listener.rnc), b"to every");
        expect_end(client, &listener.rnc);
    }
    let stdout = listener.rnc.stdout.text();
    assert!(stdout.starts_with("0123456789"), "{stdout:?}");
    assert!(!stdout.contains('a'), "{stdout:?}");
}

// ---- leaving

/// A listener that has been told to leave, with one client it serves.
#[track_caller]
fn retiring(transport: Transport, options: &[&str]) -> (Listener, Sock) {
    let listener = Listener::over(transport, options);
    let mut client = listener.client();
    client.say("before\n", &listener.rnc);
    if !options.contains(&"--relay") {
        listener.rnc.shows("before\n");
    }
    listener.rnc.signal(Signal::TERM);
    (listener, client)
}

#[test]
fn with_grace_clients_finish_and_nobody_else_comes_in() {
    for transport in TRANSPORTS {
        for many in ["-l", "-lk"] {
            let (mut listener, mut client) = retiring(transport, &[many, "--grace", "1h"]);
            listener.stops_listening();
            assert!(listener.try_client().is_err());
            client.say("after\n", &listener.rnc);
            listener.rnc.shows("after\n");
            listener.rnc.send("answer");
            listener.rnc.close_stdin();
            assert_bytes("client", &client.read_all(&listener.rnc), b"answer");
            drop(client);
            listener
                .rnc
                .wait()
                .expect_code(0)
                .expect_stdout("before\nafter\n")
                .expect_silence();
        }
    }
}

#[test]
fn with_grace_relayed_clients_finish() {
    let target = Server::tcp();
    let to = format!("127.0.0.1:{}", target.port());
    let listener = Listener::over(Transport::Tcp, &["-lk", "--grace", "1h", "--relay", &to]);
    let mut client = listener.client();
    let mut onward = target.accept(&listener.rnc);
    listener.rnc.signal(Signal::TERM);
    listener.stops_listening();
    client.say("question", &listener.rnc);
    client.half_close();
    assert_bytes("target", &onward.read_all(&listener.rnc), b"question");
    onward.say("answer", &listener.rnc);
    drop(onward);
    assert_bytes("client", &client.read_all(&listener.rnc), b"answer");
    listener.rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn with_grace_and_nobody_there_it_leaves_at_once() {
    for options in [
        &["-l"][..],
        &["-lk"],
        &["-lk", "--as", "nc"],
        &["-lk", "--relay", "127.0.0.1:9"],
        &["-lk", "--echo"],
    ] {
        let options = [options, &["-v", "--grace", "1h"]].concat();
        let listener = Listener::over(Transport::Tcp, &options);
        assert!(listener.is_listening());
        listener.rnc.signal(Signal::TERM);
        listener.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn when_the_grace_is_over_the_signal_ends_it() {
    for many in ["-l", "-lk"] {
        let (listener, _client) = retiring(Transport::Tcp, &[many, "--grace", "100ms"]);
        listener
            .rnc
            .wait()
            .expect_signal(Signal::TERM)
            .expect_stdout("before\n")
            .expect_silence();
    }
}

#[test]
fn another_signal_ends_the_grace() {
    for many in ["-l", "-lk"] {
        let (listener, _client) = retiring(Transport::Tcp, &[many, "--grace", "1h"]);
        listener.stops_listening();
        listener.rnc.signal(Signal::INT);
        listener
            .rnc
            .wait()
            .expect_signal(Signal::INT)
            .expect_stdout("before\n");
    }
}

#[test]
fn grace_is_for_sigterm_alone() {
    let listener = Listener::over(Transport::Tcp, &["-lk", "--grace", "1h"]);
    let mut client = listener.client();
    client.say("hello\n", &listener.rnc);
    listener.rnc.shows("hello\n");
    listener.rnc.signal(Signal::INT);
    listener
        .rnc
        .wait()
        .expect_signal(Signal::INT)
        .expect_silence();
}

// ---- sockets that are there already

/// rnc as a service manager starts it, with this descriptor as its first.
fn activated(options: &[&str], fd: OwnedFd, count: &str) -> Cmd {
    Cmd::new("sh")
        .args(["-c", "export LISTEN_PID=$$; exec \"$@\"", "sh"])
        .arg(rnc_binary())
        .args(options)
        .env("LISTEN_FDS", count)
        .env("LISTEN_FDNAMES", "ours")
        .hand(fd, 3)
}

/// A connected pair over TCP: the test's end, and the one for rnc, which blocks.
fn connected_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let addr = listener.local_addr().expect("local_addr");
    let ours = TcpStream::connect(addr).expect("connect");
    ours.set_read_timeout(Some(crate::common::DEADLINE))
        .expect("time");
    let (theirs, _) = listener.accept().expect("accept");
    (ours, theirs)
}

/// rnc as inetd(8) starts it: all three standard descriptors are the socket.
fn inetd(options: &[&str], sock: &TcpStream) -> Running {
    let copy = || OwnedFd::from(sock.try_clone().expect("dup"));
    rnc([&["--inetd"], options].concat())
        .stdin(Stdin::Fd(copy()))
        .stdout(Stdout::Fd(copy()))
        .stderr(Stdout::Fd(copy()))
        .spawn()
}

#[test]
fn listeners_that_are_passed_are_served() {
    let dir = TempDir::new();
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let addr = tcp.local_addr().expect("local_addr");
    let running = activated(&["-lk"], tcp.into(), "1").spawn();
    let mut client = TcpStream::connect(addr).expect("connect");
    client.write_all(b"hello\n").expect("write");
    running.shows("hello\n");
    let info = fs::read_to_string(format!("/proc/{}/fdinfo/3", running.pid())).expect("fdinfo");
    // O_CLOEXEC: no child gets it.
    assert!(info.contains("flags:\t02"), "{info}");

    let path = dir.join("socket");
    let unix = UnixListener::bind(&path).expect("bind");
    let copy = unix.try_clone().expect("dup").into();
    let running = activated(&["-l", "-v", "--allow", "127.0.0.1"], copy, "1").spawn();
    expect_end(&mut connect_to_listener(&running, Some(&path)), &running);
    drop(running);
    let running = activated(&["-l", "-v"], unix.into(), "1").spawn();
    let mut client = UnixStream::connect(&path).expect("connect");
    client.write_all(b"hello").expect("write");
    client.shutdown(std::net::Shutdown::Write).expect("FIN");
    running.wait().expect_code(0).expect_stdout("hello");
    assert!(path.exists(), "the socket file was not ours to remove");
}

#[test]
fn a_datagram_socket_that_is_passed_is_served() {
    let udp = udp_socket();
    let to = udp.local_addr().expect("local_addr");
    let running = activated(&["-l", "--echo"], udp.into(), "1").spawn();
    let client = udp_socket();
    client.send_to(b"hello", to).expect("send");
    let mut buf = [0; 100];
    client
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("time");
    let (n, from) = client.recv_from(&mut buf).expect("an answer");
    assert_eq!((&buf[..n], from), (&b"hello"[..], to));
    running.signal(Signal::TERM);
    running.wait().expect_signal(Signal::TERM).expect_silence();
}

#[test]
fn sockets_that_are_passed_to_another_are_left_alone() {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    rnc(["-l"])
        .env("LISTEN_PID", "1")
        .env("LISTEN_FDS", "1")
        .hand(tcp.into(), 3)
        .run()
        .expect_code(2)
        .expect_complaint("missing port number");
}

#[test]
fn what_is_passed_must_be_there() {
    let file = TempDir::new().open_at("file", b"", b"");
    activated(&["-l"], file.into(), "1")
        .run()
        .expect_code(2)
        .expect_complaint("LISTEN_FDS: not all that is passed are sockets");
}

#[test]
fn inetd_serves_the_socket_and_leaves_it_blocking() {
    let (mut peer, sock) = connected_pair();
    let running = inetd(&["--echo"], &sock);
    let payload = pattern(8_000_000, 5);
    let mut sender = peer.try_clone().expect("dup");
    let sent = payload.clone();
    let sends = thread::spawn(move || {
        sender.write_all(&sent).expect("write");
        sender.shutdown(std::net::Shutdown::Write).expect("FIN");
    });
    let mut got = Vec::new();
    peer.read_to_end(&mut got).expect("the echo, and its end");
    assert_bytes("echo", &got, &payload);
    sends.join().expect("sender");
    assert!(!crate::common::is_nonblocking(&sock), "O_NONBLOCK was set");
    running.wait().expect_code(0);
}

#[test]
fn inetd_relays_much_in_both_directions() {
    let target = Server::tcp();
    let to = format!("127.0.0.1:{}", target.port());
    let (mut peer, sock) = connected_pair();
    let running = inetd(&["--relay", &to], &sock);
    let mut onward = target.accept(&running);
    let (there, back) = (pattern(8_000_000, 6), pattern(8_000_000, 7));
    let (mut sends_there, mut sends_back) = (peer.try_clone().expect("dup"), onward.try_clone());
    let (sent, answered) = (there.clone(), back.clone());
    let sends = [
        thread::spawn(move || {
            sends_there.write_all(&sent).expect("write");
            sends_there
                .shutdown(std::net::Shutdown::Write)
                .expect("FIN");
        }),
        thread::spawn(move || {
            sends_back.write_all(&answered).expect("write");
            sends_back.half_close();
        }),
    ];
    let heard = thread::spawn(move || {
        let mut bytes = Vec::new();
        onward.read_to_end(&mut bytes).expect("all of it");
        bytes
    });
    let mut got = Vec::new();
    peer.read_to_end(&mut got).expect("all of it");
    assert_bytes("back", &got, &back);
    assert_bytes("there", &heard.join().expect("reader"), &there);
    sends
        .into_iter()
        .for_each(|send| send.join().expect("sender"));
    assert!(!crate::common::is_nonblocking(&sock), "O_NONBLOCK was set");
    running.wait().expect_code(0);
}

#[test]
fn what_is_for_the_user_does_not_reach_inetds_client() {
    let closed = ClosedPort::tcp();
    let to = format!("127.0.0.1:{}", closed.port());
    for (options, code) in [
        (&["-vv", "--relay", &to][..], 1),
        (&["-vv", "--echo", "--deny", "127.0.0.1"], 0),
    ] {
        let (mut peer, sock) = connected_pair();
        let running = inetd(options, &sock);
        drop(sock);
        let mut got = Vec::new();
        // A reset, or the end.
        let _ = peer.read_to_end(&mut got);
        assert_bytes("the client got", &got, b"");
        running.wait().expect_code(code);
    }
}

#[test]
fn a_program_of_an_activated_listener_gets_neither_sockets_nor_variables() {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let addr = tcp.local_addr().expect("local_addr");
    let script = "env | grep LISTEN; for fd in 3 4 5; do [ -e /proc/$$/fd/$fd ] && echo $fd; done";
    let running = activated(&["-l", "-c", script], tcp.into(), "1").spawn();
    let mut client = TcpStream::connect(addr).expect("connect");
    let mut got = Vec::new();
    client.read_to_end(&mut got).expect("the end");
    assert_bytes("left over", &got, b"");
    running.wait().expect_code(0).expect_silence();
}

#[test]
fn inetd_runs_a_program_for_its_client() {
    let (mut peer, sock) = connected_pair();
    let running = inetd(&["-e", "cat"], &sock);
    drop(sock);
    peer.write_all(b"hello").expect("write");
    peer.shutdown(std::net::Shutdown::Write).expect("FIN");
    let mut got = Vec::new();
    peer.read_to_end(&mut got).expect("the echo");
    assert_bytes("echo", &got, b"hello");
    running.wait().expect_code(0);
}

#[test]
fn inetd_may_pass_a_listener() {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let addr = tcp.local_addr().expect("local_addr");
    let running = rnc(["--inetd", "--echo"])
        .stdin(Stdin::Fd(tcp.into()))
        .spawn();
    let mut client = TcpStream::connect(addr).expect("connect");
    client.write_all(b"hello").expect("write");
    client.shutdown(std::net::Shutdown::Write).expect("FIN");
    let mut got = Vec::new();
    client.read_to_end(&mut got).expect("the echo");
    assert_bytes("echo", &got, b"hello");
    running.wait().expect_code(0).expect_silence();
}

/// One who waits at a terminal sees that rnc is ready; a script gets no line it has not asked for.
#[test]
fn a_terminal_is_told_where_it_listens() {
    let dir = TempDir::new();
    let path = dir.join("s").to_string_lossy().into_owned();
    // A port of our own, since port 0 is told of in any case.
    let (port, _held) = held_port();
    for (options, place, word) in [
        (&["-l"][..], ["127.0.0.1".into(), port.clone()], "Listening"),
        (&["-lk"], ["127.0.0.1".into(), port.clone()], "Listening"),
        (
            &["-lk", "--echo"],
            ["127.0.0.1".into(), port.clone()],
            "Listening",
        ),
        (
            &["-lk", "-e", "cat"],
            ["127.0.0.1".into(), port.clone()],
            "Listening",
        ),
        (&["-lu"], ["127.0.0.1".into(), port.clone()], "Bound"),
        (&["-l", "-U"], [path.clone(), String::new()], "Listening"),
    ] {
        let operands = || place.iter().filter(|word| !word.is_empty());
        let pty = Pty::open();
        let told = rnc(options)
            .args(operands())
            .stderr(Stdout::Fd(pty.slave()))
            .spawn();
        let line = format!(
            "{word} on {}",
            operands().cloned().collect::<Vec<_>>().join(" ")
        );
        pty.shows(&line, &told);
        told.signal(Signal::TERM);
        told.wait();
        for (dialect, stderr) in [("nc", Stdout::Fd(pty.slave())), ("rnc", Stdout::Captured)] {
            let silent = rnc(["--as", dialect, "--accept-timeout", "100ms"])
                .args(options)
                .args(operands())
                .stderr(stderr)
                .run();
            assert!(!silent.stderr.contains(" on "), "{silent}");
        }
        assert_eq!(pty.count(" on "), 1, "{options:?}");
    }
}

/// A port for rnc to listen on, which the system gives to no other socket while this one lives.
fn held_port() -> (String, Socket) {
    let held = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
    // Sockets with this option share a port as long as at most one of them listens.
    held.set_reuse_address(true).expect("SO_REUSEADDR");
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    held.bind(&any.into()).expect("bind");
    let addr = held.local_addr().expect("local_addr").as_socket();
    (addr.expect("an address").port().to_string(), held)
}
