//! `--echo`, `--discard`, `--chargen` and `--daytime`: servers without a program, over streams and
//! datagrams, as their clients see them.

use crate::common::{
    Running, Sock, TempDir, Transport, assert_bytes, connect_to_listener, flood_until_stuck,
    pattern, peak_rss_kib, python, rnc, udp_socket,
};
use rnc::proto::services::{Chargen, daytime};
use rustix::process::Signal;
use std::io::{ErrorKind, Write};
use std::net::{Ipv4Addr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

const TRANSPORTS: [Transport; 2] = [Transport::Tcp, Transport::Unix];

/// A service under test.
struct Service {
    rnc: Running,
    path: Option<PathBuf>,
    _dir: TempDir,
}

impl Service {
    #[track_caller]
    fn tcp(options: &str) -> Service {
        Service::over(Transport::Tcp, options)
    }

    #[track_caller]
    fn over(transport: Transport, options: &str) -> Service {
        let dir = TempDir::new();
        let cmd = rnc(options.split_whitespace());
        let (cmd, path) = match transport {
            Transport::Tcp => (cmd.args(["127.0.0.1", "0"]), None),
            Transport::Unix => {
                let path = dir.join("service");
                (cmd.args(["-v", "-U"]).arg(&path), Some(path))
            }
        };
        let rnc = cmd.spawn();
        rnc.listening_line();
        Service {
            rnc,
            path,
            _dir: dir,
        }
    }

    #[track_caller]
    fn client(&self) -> Sock {
        connect_to_listener(&self.rnc, self.path.as_ref())
    }
}

/// The pattern of chargen from its beginning.
fn characters(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    Chargen::default().fill(&mut bytes);
    bytes
}

fn unix_seconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("a clock after 1970").as_secs()
}

/// Panics unless this is the line of a second between `before` and now.
#[track_caller]
fn expect_time(line: &[u8], before: u64) {
    let possible: Vec<String> = (before..=unix_seconds()).map(daytime).collect();
    let line = String::from_utf8_lossy(line).into_owned();
    assert!(possible.contains(&line), "{line:?}, wanted {possible:?}");
}

#[test]
fn echo_gives_back_each_word_and_then_the_end() {
    for transport in TRANSPORTS {
        let service = Service::over(transport, "-l --echo");
        let mut client = service.client();
        for word in ["one", "two\n", "three"] {
            client.say(word, &service.rnc);
            let heard = client.read_some(word.len(), &service.rnc);
            assert_bytes("echo", &heard, word.as_bytes());
        }
        client.say("last", &service.rnc);
        client.half_close();
        assert_bytes("the rest", &client.read_all(&service.rnc), b"last");
        service.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn echo_gives_back_much_to_one_that_reads_late() {
    // More than the sockets both ways hold, which may be 32 MiB each (net.ipv4.tcp_rmem).
    const LEN: usize = 96 << 20;
    for transport in TRANSPORTS {
        let service = Service::over(transport, "-lk --echo");
        let mut client = service.client();
        let bytes = pattern(LEN, 3);
        let sent = flood_until_stuck(&mut client, &bytes);
        assert!(sent < LEN, "everything fits somewhere");
        let mut writer = client.try_clone();
        thread::scope(|scope| {
            scope.spawn(|| {
                writer.write_all(&bytes[sent..]).expect("write");
                writer.half_close();
            });
            assert_bytes("echo", &client.read_all(&service.rnc), &bytes);
        });
        let peak = peak_rss_kib(service.rnc.pid());
        assert!(peak < 16 << 10, "{peak} KiB");
    }
}

#[test]
fn echo_gives_back_one_byte_at_a_time() {
    let service = Service::tcp("-l --echo");
    let mut client = service.client();
    for byte in pattern(2000, 4) {
        client.say([byte], &service.rnc);
        assert_eq!(client.read_some(1, &service.rnc), [byte]);
    }
    drop(client);
    service.rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_client_that_resets_is_told_if_it_is_the_only_one() {
    let service = Service::tcp("-l --echo");
    let mut client = service.client();
    client.say("word", &service.rnc);
    client.read_some(4, &service.rnc);
    client.reset();
    let done = service.rnc.wait().expect_code(1);
    done.expect_complaint("Connection reset by peer");

    let service = Service::tcp("-lk --echo");
    for _ in 0..50 {
        let mut client = service.client();
        client.say("word", &service.rnc);
        client.reset();
    }
    let mut client = service.client();
    client.say("still there", &service.rnc);
    client.half_close();
    assert_bytes("echo", &client.read_all(&service.rnc), b"still there");
    service.rnc.signal(Signal::TERM);
    let done = service.rnc.wait().expect_signal(Signal::TERM);
    done.expect_silence();
}

#[test]
fn only_the_silent_client_is_dropped() {
    let service = Service::tcp("-lk --echo -w 2");
    let mut busy = service.client();
    let mut silent = service.client();
    // Its end comes while the other one has never been silent for long.
    while silent.has_nothing_to_read() {
        busy.say("word", &service.rnc);
        assert_bytes("echo", &busy.read_some(4, &service.rnc), b"word");
    }
    assert_bytes("nothing was said", &silent.read_to_reset(&service.rnc), b"");
    busy.say("still here", &service.rnc);
    assert_bytes("echo", &busy.read_some(10, &service.rnc), b"still here");
}

#[test]
fn a_silent_single_client_ends_with_a_timeout() {
    let service = Service::tcp("-l --echo -w 0.1");
    let client = service.client();
    let done = service.rnc.wait().expect_code(3);
    done.expect_complaint("nothing moved for 100ms");
    drop(client);
}

#[test]
fn discard_takes_everything_and_says_nothing() {
    for transport in TRANSPORTS {
        let service = Service::over(transport, "-l --discard");
        let mut client = service.client();
        client.say(pattern(8 << 20, 5), &service.rnc);
        assert!(client.has_nothing_to_read());
        client.half_close();
        assert_bytes("nothing", &client.read_all(&service.rnc), b"");
        service.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn chargen_gives_its_pattern_until_the_client_goes() {
    const LEN: usize = 3 << 20;
    for transport in TRANSPORTS {
        let service = Service::over(transport, "-l --chargen");
        let mut client = service.client();
        client.say("this does not matter", &service.rnc);
        // Nor does the client's end.
        client.half_close();
        let heard = client.read_some(LEN, &service.rnc);
        assert_bytes("pattern", &heard, &characters(LEN));
        drop(client);
        service.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn daytime_tells_the_time_and_ends() {
    for transport in TRANSPORTS {
        let before = unix_seconds();
        let service = Service::over(transport, "-l --daytime");
        let mut client = service.client();
        expect_time(&client.read_all(&service.rnc), before);
        drop(client);
        service.rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn daytime_is_not_cut_short_by_what_the_client_said() {
    let before = unix_seconds();
    let service = Service::tcp("-lk --daytime");
    for _ in 0..50 {
        let mut client = service.client();
        client.say(pattern(40_000, 6), &service.rnc);
        expect_time(&client.read_all(&service.rnc), before);
    }
}

#[test]
fn a_signal_ends_a_service_with_clients() {
    for options in ["-lk --echo", "-lk --chargen", "-lku --echo"] {
        let service = Service::tcp(options);
        let clients: Vec<Sock> = if options.contains('u') {
            Vec::new()
        } else {
            (0..10).map(|_| service.client()).collect()
        };
        service.rnc.signal(Signal::INT);
        let done = service.rnc.wait().expect_signal(Signal::INT);
        done.expect_silence();
        drop(clients);
    }
}

/// A service over UDP, and a socket connected to it.
fn udp(options: &str) -> (Running, UdpSocket) {
    let service = Service::tcp(options).rnc;
    let peer = udp_peer(&service);
    (service, peer)
}

fn udp_peer(service: &Running) -> UdpSocket {
    let peer = udp_socket();
    let to = (Ipv4Addr::LOCALHOST, service.listening_port());
    peer.connect(to).expect("connect");
    peer
}

#[track_caller]
fn answer(peer: &UdpSocket, question: &[u8], service: &Running) -> Vec<u8> {
    peer.send(question).expect("send");
    let mut buf = vec![0; 70_000];
    match peer.recv(&mut buf) {
        Ok(len) => buf[..len].to_vec(),
        Err(error) => service.fail(&format!("no answer came: {error}")),
    }
}

#[test]
fn echo_gives_back_datagrams_of_every_length() {
    let (service, peer) = udp("-lu --echo");
    for len in [0, 1, 64, 1472, 1473, 8191, 8192, 40_000, 65_507] {
        let question = pattern(len, 7);
        assert_bytes("echo", &answer(&peer, &question, &service), &question);
    }
}

#[test]
fn echo_answers_each_peer_with_its_own() {
    const PEERS: usize = 40;
    let service = Service::tcp("-lu --echo").rnc;
    let peers: Vec<UdpSocket> = (0..PEERS).map(|_| udp_peer(&service)).collect();
    for round in 0..5 {
        // Stopped, it finds all of them at once when it goes on.
        service.stop();
        for (n, peer) in peers.iter().enumerate() {
            peer.send(format!("{n} {round}").as_bytes()).expect("send");
        }
        service.go_on();
        for (n, peer) in peers.iter().enumerate() {
            let mut buf = [0; 100];
            let len = peer.recv(&mut buf).expect("an answer");
            let wanted = format!("{n} {round}");
            assert_bytes("echo", &buf[..len], wanted.as_bytes());
        }
    }
}

#[test]
fn discard_answers_no_datagram() {
    let (service, peer) = udp("-luvv --discard");
    for _ in 0..3 {
        peer.send(b"word").expect("send");
    }
    service.says("Connection received on");
    service.signal(Signal::TERM);
    let done = service.wait().expect_signal(Signal::TERM);
    assert!(done.stderr.contains(" 0 answered"), "{done}");
    peer.set_nonblocking(true).expect("O_NONBLOCK");
    let nothing = peer.recv(&mut [0; 10]).expect_err("an answer");
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
}

#[test]
fn chargen_answers_with_up_to_512_characters() {
    let (service, peer) = udp("-lu --chargen");
    let mut lengths = Vec::new();
    let mut all = Vec::new();
    for _ in 0..200 {
        let answer = answer(&peer, b"anything", &service);
        assert!(answer.len() <= 512, "{} bytes", answer.len());
        lengths.push(answer.len());
        all.extend(answer);
    }
    lengths.sort_unstable();
    lengths.dedup();
    assert!(lengths.len() > 20, "only {lengths:?}");
    assert_bytes("pattern", &all, &characters(all.len()));
}

#[test]
fn daytime_answers_a_datagram() {
    let before = unix_seconds();
    let (service, peer) = udp("-lu --daytime");
    expect_time(&answer(&peer, b"", &service), before);
}

#[test]
fn services_do_not_answer_each_other() {
    let (service, peer) = udp("-lu --echo");
    let port = service.listening_port();
    // Another machine's service of the kind, or so it seems.
    let other = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, 2), port)).expect("bind");
    other
        .send_to(b"loop", (Ipv4Addr::LOCALHOST, port))
        .expect("send");
    // What comes later is answered, so the other one's turn has been.
    assert_bytes("echo", &answer(&peer, b"word", &service), b"word");
    other.set_nonblocking(true).expect("O_NONBLOCK");
    let nothing = other.recv(&mut [0; 10]).expect_err("an answer");
    assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
}

#[test]
fn echo_answers_unix_datagrams_of_those_with_a_name() {
    let dir = TempDir::new();
    let path = dir.join("service");
    let service = rnc(["-lvuU", "--echo"]).arg(&path).spawn();
    service.listening_line();
    let named = UnixDatagram::bind(dir.join("named")).expect("bind");
    named
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let mut buf = vec![0; 200_000];
    for len in [0, 5, 9000, 100_000] {
        let question = pattern(len, 8);
        // Of one without a name nothing comes back, to nobody.
        let nameless = UnixDatagram::unbound().expect("socket");
        nameless.send_to(b"who am I?", &path).expect("send");
        named.send_to(&question, &path).expect("send");
        let len = named.recv(&mut buf).expect("an answer");
        assert_bytes("echo", &buf[..len], &question);
    }
}

#[test]
fn a_silent_udp_service_ends_with_a_timeout() {
    let (service, peer) = udp("-lu --echo -w 0.1");
    assert_bytes("echo", &answer(&peer, b"word", &service), b"word");
    let done = service.wait().expect_code(3);
    done.expect_complaint("timed out: nothing moved for 100ms");
}

#[test]
fn echo_serves_the_python_clients() {
    for (options, client, wanted) in [
        ("-l --echo", "tcp_echo_client.py", "Hello, world"),
        (
            "-lu --echo",
            "udp_echo_client.py",
            "It will be repeated to me.",
        ),
    ] {
        let Some(client) = python(client) else {
            return;
        };
        let service = Service::tcp(options);
        let port = service.rnc.listening_port().to_string();
        let done = client.args(["127.0.0.1", &port]).run().expect_code(0);
        let said = String::from_utf8_lossy(&done.stdout);
        let last = said.lines().last().unwrap_or_default();
        assert!(last.to_lowercase().starts_with("received"), "{done}");
        assert!(last.contains(wanted), "{done}");
    }
}

#[test]
fn nc_hears_its_own_words() {
    let Some(nc) = crate::common::require("nc.openbsd", "netcat-openbsd") else {
        return;
    };
    for (listens, speaks) in [("-lk", "-N"), ("-lku", "-uw1")] {
        let service = Service::tcp(&format!("{listens} --echo"));
        let port = service.rnc.listening_port().to_string();
        let dir = TempDir::new();
        let words = dir.file("words", "hello there\n");
        let done = crate::common::Cmd::new(&nc)
            .args([speaks, "127.0.0.1", &port])
            .stdin(crate::common::Stdin::Fd(
                std::fs::File::open(words).expect("open").into(),
            ))
            .run();
        done.expect_stdout("hello there\n");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, complaint) in [
        ("--echo localhost 1", "--echo needs -l"),
        (
            "-l 0 --echo --discard",
            "--discard cannot be used with --echo",
        ),
        (
            "-l 0 --daytime --relay h:1",
            "--daytime cannot be used with --relay",
        ),
        ("-l 0 --chargen -q 1", "-q cannot be used with --chargen"),
        ("-lu 0 --echo -C", "-C cannot be used with --echo"),
        (
            "-lu 0 --echo --datagram-size 1",
            "--datagram-size cannot be used with --echo",
        ),
    ] {
        let done = rnc(words.split(' ')).run().expect_code(2);
        done.expect_complaint(complaint);
    }
}

#[test]
fn what_a_service_says_and_hears_is_logged() {
    let dir = TempDir::new();
    let path = dir.join("log");
    let log = path.display();
    let service = Service::tcp(&format!("-l --echo --output {log}"));
    let mut client = service.client();
    client.say("hello", &service.rnc);
    client.half_close();
    assert_bytes("echo", &client.read_all(&service.rnc), b"hello");
    service.rnc.wait().expect_code(0).expect_silence();
    assert_bytes("log", &std::fs::read(&path).expect("a log"), b"hellohello");

    let (service, peer) = udp(&format!(
        "-lu --echo --output {log} --log-format tagged --timeout 1"
    ));
    assert_bytes("echo", &answer(&peer, b"word", &service), b"word");
    let port = peer.local_addr().expect("an address").port();
    service.wait().expect_code(3);
    let log = std::fs::read_to_string(&path).expect("a log");
    let who = format!("127.0.0.1 port {port}");
    assert_eq!(log.matches(&who).count(), 2, "{log}");
}
