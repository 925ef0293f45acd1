//! System calls that the kernel does not have, or a container's profile forbids: another way is
//! taken, and nothing is lost.

use crate::common::{
    Cmd, Refused, Running, Server, Sock, Stdin, Stdout, TempDir, Transport, assert_bytes,
    connect_to_listener, eventually, pattern, rnc, udp_socket,
};
use std::fs::File;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread;

/// What the kernel answers: a profile, an old kernel, a sandbox, a security module.
const REFUSALS: [i32; 4] = [libc::EPERM, libc::ENOSYS, libc::EOPNOTSUPP, libc::EACCES];
/// The calls that move a stream faster, or without waiting.
const MOVERS: [libc::c_long; 4] = [
    libc::SYS_splice,
    libc::SYS_sendfile,
    libc::SYS_preadv2,
    libc::SYS_pwritev2,
];
/// Opens the other end of a terminal; asm-generic/ioctls.h.
const TIOCGPTPEER: u32 = 0x5441;
const BYTES: usize = 1_000_000;

/// The peer of rnc sends and receives at once, and ends.
#[track_caller]
fn exchange(mut peer: Sock, rnc: &Running, to_rnc: &[u8], from_rnc: &[u8]) {
    let mut sender = peer.try_clone();
    thread::scope(|scope| {
        scope.spawn(move || {
            // What is not taken is missing on the other side.
            let _ = std::io::Write::write_all(&mut sender, to_rnc);
            sender.half_close();
        });
        assert_bytes("the peer got", &peer.read_all(rnc), from_rnc);
    });
}

/// A session in both directions; `refuse` says what is refused.
fn session(transport: Transport, stdin_is_file: bool, refuse: &dyn Fn(Cmd) -> Cmd) {
    let dir = TempDir::new();
    let server = Server::new(transport, &dir);
    let (up, down) = (pattern(BYTES, 1), pattern(BYTES, 2));
    let stdin = if stdin_is_file {
        Stdin::Fd(File::open(dir.file("up", &up)).expect("open").into())
    } else {
        Stdin::Pipe
    };
    let mut rnc = refuse(rnc(server.words()).stdin(stdin)).spawn();
    if !stdin_is_file {
        rnc.feed(up.clone());
    }
    exchange(server.accept(&rnc), &rnc, &down, &up);
    rnc.wait()
        .expect_code(0)
        .expect_silence()
        .expect_stdout(&down);
}

#[test]
fn a_session_is_whole_without_a_call_it_would_use() {
    for call in MOVERS {
        for error in REFUSALS {
            session(Transport::Tcp, false, &|cmd| cmd.refused(&[call], error));
            session(Transport::Tcp, true, &|cmd| cmd.refused(&[call], error));
        }
    }
}

#[test]
fn a_session_is_whole_without_all_of_them() {
    for transport in [Transport::Tcp, Transport::Unix] {
        for stdin_is_file in [false, true] {
            for error in REFUSALS {
                let refuse = |cmd: Cmd| cmd.refused(&MOVERS, error);
                session(transport, stdin_is_file, &refuse);
            }
        }
    }
}

#[test]
fn what_is_written_to_a_file_is_whole_without_splice() {
    for error in REFUSALS {
        let dir = TempDir::new();
        // A file that is there already is written through a pipe of our own.
        let path = dir.file("out", vec![0; 2 * BYTES]);
        let file = File::options().write(true).open(&path).expect("open");
        let server = Server::tcp();
        let rnc = rnc(server.words())
            .stdout(Stdout::Fd(file.into()))
            .refused(&[libc::SYS_splice], error)
            .spawn();
        let down = pattern(BYTES, 3);
        exchange(server.accept(&rnc), &rnc, &down, b"");
        rnc.wait().expect_code(0).expect_silence();
        let written = std::fs::read(&path).expect("read");
        assert_bytes("the file", &written[..BYTES], &down);
    }
}

#[test]
fn a_relay_is_whole_without_splice() {
    for error in REFUSALS {
        let target = Server::tcp();
        let onward = format!("127.0.0.1:{}", target.port());
        let relay = rnc(["-l", "--relay", &onward, "127.0.0.1", "0"])
            .refused(&MOVERS, error)
            .spawn();
        let client = connect_to_listener(&relay, None);
        let behind = target.accept(&relay);
        let (up, down) = (pattern(BYTES, 4), pattern(BYTES, 5));
        thread::scope(|scope| {
            scope.spawn(|| exchange(behind, &relay, &down, &up));
            exchange(client, &relay, &up, &down);
        });
        relay.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn a_program_hears_all_and_is_heard_without_splice() {
    for error in REFUSALS {
        let host = rnc(["-l", "-e", "cat", "127.0.0.1", "0"])
            .refused(&MOVERS, error)
            .spawn();
        let bytes = pattern(BYTES, 6);
        exchange(connect_to_listener(&host, None), &host, &bytes, &bytes);
        host.wait().expect_code(0).expect_silence();
    }
}

/// Datagrams under way at once, fewer than a socket holds.
const WINDOW: usize = 40;

#[test]
fn datagrams_come_one_by_one_without_recvmmsg() {
    for error in REFUSALS {
        let rnc = rnc(["-dlu", "127.0.0.1", "0"])
            .refused(&[libc::SYS_recvmmsg], error)
            .spawn();
        let peer = udp_socket();
        let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
        peer.connect(to).expect("connect");
        let mut wanted = Vec::new();
        for round in 0..3 {
            rnc.stop();
            for n in 0..WINDOW {
                let datagram = pattern(1 + n * 30, round);
                peer.send(&datagram).expect("send");
                wanted.extend(datagram);
            }
            rnc.go_on();
            let all = wanted.len();
            if !rnc.stdout.wait_until(|bytes| bytes.len() >= all) {
                rnc.fail("datagrams are missing");
            }
        }
        assert_bytes("stdout", &rnc.stdout.bytes(), &wanted);
    }
}

#[test]
fn datagrams_of_many_peers_are_told_apart_without_recvmmsg() {
    let rnc = rnc(["-lku", "-e", "cat", "127.0.0.1", "0"])
        .refused(&[libc::SYS_recvmmsg, libc::SYS_sendmmsg], libc::EPERM)
        .spawn();
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    let peers: Vec<UdpSocket> = (0..5).map(|_| udp_socket()).collect();
    rnc.stop();
    for (n, peer) in peers.iter().enumerate() {
        peer.send_to(&pattern(100, n as u32), to).expect("send");
    }
    rnc.go_on();
    for (n, peer) in peers.iter().enumerate() {
        let mut answer = [0; 200];
        let Ok(len) = peer.recv(&mut answer) else {
            rnc.fail("a peer got no answer");
        };
        assert_bytes("the answer", &answer[..len], &pattern(100, n as u32));
    }
}

#[test]
fn datagrams_go_one_by_one_without_sendmmsg() {
    for error in REFUSALS {
        let server = udp_socket();
        let port = server.local_addr().expect("local_addr").port().to_string();
        // The kernel does not cut them either.
        let cmd = rnc(["-u", "--datagram-size", "500", "127.0.0.1", &port]);
        let mut rnc = cmd
            .stdin(Stdin::Pipe)
            .refused(&[libc::SYS_sendmmsg, libc::SYS_setsockopt], error)
            .spawn();
        let bytes = pattern(16_000, 7);
        rnc.send(&bytes);
        let mut got = Vec::new();
        while got.len() < bytes.len() {
            let mut buf = [0; 1000];
            match server.recv(&mut buf) {
                Ok(len) => {
                    assert_eq!(len, 500);
                    got.extend(&buf[..len]);
                }
                Err(error) => rnc.fail(&format!("after {} bytes: {error}", got.len())),
            }
        }
        assert_bytes("the server got", &got, &bytes);
    }
}

/// A kernel without pidfds: Linux before 5.3, or a profile from before they were known.
fn without_pidfds(words: &[&str], error: i32) -> Running {
    let cmd = rnc(words.iter().chain(&["127.0.0.1", "0"]));
    cmd.refused(&[libc::SYS_pidfd_open], error).spawn()
}

#[test]
fn the_end_of_a_program_is_seen_without_a_pidfd() {
    for error in [libc::ENOSYS, libc::EPERM] {
        // The program ends by itself while its client stays.
        let host = without_pidfds(&["-l", "--exec-status", "-c", "echo bye; exit 3"], error);
        let mut client = connect_to_listener(&host, None);
        assert_bytes("the client got", &client.read_all(&host), b"bye\n");
        host.wait().expect_code(3);
    }
}

#[test]
fn each_client_has_its_program_without_a_pidfd() {
    for shape in [["-lk", "-e"].as_slice(), &["-lk", "--max-conns=8", "-e"]] {
        let words = [shape, &["cat"]].concat();
        let host = without_pidfds(&words, libc::EPERM);
        let mut clients: Vec<Sock> = (0..8).map(|_| connect_to_listener(&host, None)).collect();
        for (n, client) in clients.iter_mut().enumerate() {
            let words = format!("client {n}\n");
            client.say(&words, &host);
            assert_bytes("the answer", &client.read_some(9, &host), words.as_bytes());
        }
        for client in &mut clients {
            client.half_close();
            assert_bytes("the rest", &client.read_all(&host), b"");
        }
        // Their programs are reaped, and their places free again.
        assert!(
            eventually(|| children(&host).is_empty()),
            "zombies are left"
        );
        let mut later = connect_to_listener(&host, None);
        later.say("late\n", &host);
        assert_bytes("the answer", &later.read_some(5, &host), b"late\n");
    }
}

#[test]
fn a_program_on_a_terminal_ends_without_a_pidfd() {
    let host = without_pidfds(&["-l", "--pty", "-c", "echo here"], libc::ENOSYS);
    let mut client = connect_to_listener(&host, None);
    assert_bytes("the client got", &client.read_all(&host), b"here\r\n");
    host.wait().expect_code(0);
}

#[test]
fn a_terminal_is_opened_by_its_name_where_that_is_the_only_way() {
    for error in [libc::ENOTTY, libc::EPERM] {
        let host = rnc(["-l", "--pty", "-c", "tty && echo here", "127.0.0.1", "0"])
            .refused_kind(Refused::Ioctl(TIOCGPTPEER), error)
            .spawn();
        let mut client = connect_to_listener(&host, None);
        let answer = String::from_utf8(client.read_all(&host)).expect("text");
        assert!(
            answer.starts_with("/dev/pts/") && answer.ends_with("here\r\n"),
            "{answer}"
        );
        host.wait().expect_code(0);
    }
}

#[test]
fn a_client_runs_a_program_without_a_pidfd() {
    let server = Server::tcp();
    let words = ["-e".into(), "echo here".into()].into_iter();
    let rnc = rnc(words.chain(server.words()))
        .refused(&[libc::SYS_pidfd_open], libc::EPERM)
        .spawn();
    let mut peer = server.accept(&rnc);
    assert_bytes("the peer got", &peer.read_all(&rnc), b"here\n");
    rnc.wait().expect_code(0);
}

#[test]
fn the_end_of_a_peers_program_is_seen_without_a_pidfd() {
    let host = without_pidfds(&["-luk", "-c", "head -c 2"], libc::ENOSYS);
    let peer = udp_socket();
    let to = (Ipv4Addr::LOCALHOST, host.listening_port());
    for _ in 0..3 {
        // Once its program has ended, the peer gets a new one.
        peer.send_to(b"hi", to).expect("send");
        let mut answer = [0; 10];
        let Ok(len) = peer.recv(&mut answer) else {
            host.fail("its peer got no answer");
        };
        assert_bytes("the answer", &answer[..len], b"hi");
        assert!(
            eventually(|| children(&host).is_empty()),
            "it has not ended"
        );
    }
}

/// The children of rnc, zombies too.
fn children(of: &Running) -> String {
    let pid = of.pid();
    let path = format!("/proc/{pid}/task/{pid}/children");
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn programs_inherit_no_descriptor_without_close_range() {
    for error in [libc::ENOSYS, libc::EPERM, libc::EINVAL] {
        let handed = File::open("/dev/null").expect("open");
        let host = rnc(["-l", "-c", "ls /proc/$$/fd", "127.0.0.1", "0"])
            .hand(handed.into(), 7)
            .refused(&[libc::SYS_close_range], error)
            .spawn();
        let mut client = connect_to_listener(&host, None);
        let listed = client.read_all(&host);
        assert!(
            !listed.contains(&b'7'),
            "{}",
            String::from_utf8_lossy(&listed)
        );
        assert!(listed.starts_with(b"0\n1\n2\n"));
        host.wait().expect_code(0);
    }
}

#[test]
fn a_stdin_that_cannot_be_waited_for_is_an_error() {
    let (socket, other) = std::os::unix::net::UnixStream::pair().expect("socketpair");
    for stdin in [Stdin::Pipe, Stdin::Fd(socket.into())] {
        let server = Server::tcp();
        let rnc = rnc(server.words())
            .stdin(stdin)
            .refused_kind(Refused::EpollOf(0), libc::EPERM)
            .spawn();
        rnc.says("epoll_ctl failed: Operation not permitted");
        rnc.wait().expect_code(1);
    }
    drop(other);
    // What is always ready need not be waited for.
    session(Transport::Tcp, true, &|cmd| {
        cmd.refused_kind(Refused::EpollOf(0), libc::EPERM)
    });
}

#[test]
fn a_socket_that_cannot_be_waited_for_is_an_error() {
    // 3 and 4 are the loop itself and what wakes it.
    let server = Server::tcp();
    let port = server.port().to_string();
    for words in [
        ["127.0.0.1", &port].as_slice(),
        &["-l", "127.0.0.1", "0"],
        &["-u", "127.0.0.1", &port],
        &["-lu", "127.0.0.1", "0"],
        &["-lk", "--echo", "127.0.0.1", "0"],
    ] {
        let rnc = rnc(words)
            .refused_kind(Refused::EpollFrom(5), libc::EPERM)
            .spawn();
        rnc.says("epoll_ctl failed: Operation not permitted");
        rnc.wait().expect_code(1);
    }
}

#[test]
fn a_file_that_is_cut_short_while_it_is_sent_ends_there() {
    let dir = TempDir::new();
    let path = dir.join("file");
    let file = File::create(&path).expect("create");
    file.set_len(500_000_000).expect("make the file long");
    let server = Server::tcp();
    let rnc = rnc(server.words())
        .stdin(Stdin::Fd(File::open(&path).expect("open").into()))
        .spawn();
    let mut peer = server.accept(&rnc);
    // Every buffer on the way is full.
    super::comes_to_rest(&rnc);
    file.set_len(1_000).expect("make the file short");
    let sent = peer.read_all(&rnc);
    assert!(sent.len() < 500_000_000 && sent.iter().all(|byte| *byte == 0));
    peer.half_close();
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_limit_that_is_not_told_is_no_condition() {
    for error in REFUSALS {
        for line in ["-lk --echo 127.0.0.1 0", "-lk -e cat 127.0.0.1 0"] {
            let cmd = rnc(line.split(' ')).refused(&[libc::SYS_prlimit64], error);
            let host = cmd.stdin(Stdin::Pipe).spawn();
            let mut client = connect_to_listener(&host, None);
            client.say("hello", &host);
            client.half_close();
            assert_bytes(line, &client.read_all(&host), b"hello");
        }
    }
}
