//! Options of sockets and of sessions, seen from outside: by a peer that looks at what arrives, by
//! `ss`, by the other end of a terminal.

use crate::common::{
    Cmd, Pty, Running, Server, Sock, Stdin, Stdout, TempDir, assert_bytes, connect_to_listener,
    eventually, lines, require, rnc, rnc_binary, skip, udp_socket,
};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use socket2::{Domain, SockRef, Socket, Type};
use std::io::{IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::time::Duration;

/// rnc with a command line written in one string.
fn line(words: &str) -> Cmd {
    rnc(words.split_whitespace())
}

/// rnc with a pipe on stdin, connected to the test.
#[track_caller]
fn connected(options: &str) -> (Running, Sock) {
    let server = Server::tcp();
    let words = format!("{options} 127.0.0.1 {}", server.port());
    let rnc = line(&words).stdin(Stdin::Pipe).spawn();
    let peer = server.accept(&rnc);
    (rnc, peer)
}

fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

fn port_of(sock: &UdpSocket) -> u16 {
    sock.local_addr().expect("local_addr").port()
}

// ---- IP headers

/// A Python peer that receives one datagram and prints the TTL and the type of service it came
/// with; the first argument is the family.
const SHOW_HEADER: &str = r#"
import socket, sys
v6 = sys.argv[1] == "6"
s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.bind(("::1" if v6 else "127.0.0.1", 0))
if v6:
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVTCLASS, 1)
else:
    s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
    s.setsockopt(socket.IPPROTO_IP, socket.IP_RECVTOS, 1)
print("PORT", s.getsockname()[1], flush=True)
data, control, flags, peer = s.recvmsg(100, 1000)
values = {kind: int.from_bytes(value, sys.byteorder) for level, kind, value in control}
if v6:
    print("ttl", values[socket.IPV6_HOPLIMIT], "tos", values[socket.IPV6_TCLASS], flush=True)
else:
    print("ttl", values[socket.IP_TTL], "tos", values[socket.IP_TOS], flush=True)
"#;

#[test]
fn ttl_and_tos_are_those_asked_for() {
    let Some(python) = require("python3", "python3") else {
        return;
    };
    let mut families = vec!["4"];
    if has_ipv6() {
        families.push("6");
    }
    for family in families {
        for (options, wanted) in [
            ("-M 7 -T 0x10", "ttl 7 tos 16"),
            ("-M 255 -T ef", "ttl 255 tos 184"),
            ("-M 1 -T lowdelay", "ttl 1 tos 16"),
            ("-M 64 -T AF11", "ttl 64 tos 40"),
        ] {
            let peer = Cmd::new(&python).args(["-c", SHOW_HEADER, family]).spawn();
            let host = if family == "6" { "::1" } else { "127.0.0.1" };
            let words = format!("-u -q 0 {options} {host} {}", peer.printed_port());
            let mut rnc = line(&words).stdin(Stdin::Pipe).spawn();
            rnc.feed(b"look at me".to_vec());
            peer.shows(&format!("{wanted}\n"));
            rnc.wait().expect_code(0);
        }
    }
}

/// What `ss` shows of the TCP sockets with this local port.
fn ss(port: u16) -> Option<String> {
    let ss = require("ss", "iproute2")?;
    let words = ["-Htanmoi", "--tos", "sport", "=", &format!(":{port}")];
    Some(String::from_utf8_lossy(&Cmd::new(ss).args(words).run().stdout).into_owned())
}

#[test]
fn a_tcp_client_has_the_tos_and_buffers_asked_for() {
    let (_rnc, peer) = connected("-T cs1 -I 32k -O 64Ki");
    let Some(shown) = ss(peer.ports().1) else {
        return;
    };
    // Linux doubles the sizes, for its own needs: socket(7).
    for wanted in ["tos:0x20", "rb64000", "tb131072"] {
        assert!(shown.contains(wanted), "no {wanted} in\n{shown}");
    }
}

#[test]
fn a_tcp_listener_and_its_client_have_the_tos_and_buffers_asked_for() {
    let rnc = line("-lk -T 0x20 -I 32k -O 64Ki 127.0.0.1 0")
        .stdin(Stdin::Pipe)
        .spawn();
    let _peer = connect_to_listener(&rnc, None);
    let Some(shown) = ss(rnc.listening_port()) else {
        return;
    };
    for wanted in ["rb64000", "tb131072"] {
        let both = shown.matches(wanted).count();
        assert_eq!(both, 2, "not {wanted} in both of\n{shown}");
    }
    assert!(shown.contains("tos:0x20"), "{shown}");
}

#[test]
fn a_client_looks_for_a_vanished_peer_by_itself() {
    let (_rnc, peer) = connected("");
    let Some(shown) = ss(peer.ports().1) else {
        return;
    };
    assert!(shown.contains("timer:(keepalive,"), "{shown}");
}

#[test]
fn packets_under_the_minimal_ttl_are_dropped() {
    let server = Server::tcp();
    let Server::Tcp(listener) = &server else {
        unreachable!("a TCP server")
    };
    let words = format!("-w 1 -m 200 127.0.0.1 {}", server.port());
    SockRef::from(listener).set_ttl_v4(100).expect("IP_TTL");
    line(&words)
        .run()
        .expect_code(3)
        .expect_complaint("timed out");
    SockRef::from(listener).set_ttl_v4(200).expect("IP_TTL");
    let rnc = line(&words).spawn();
    drop(server.accept(&rnc));
    rnc.wait().expect_code(0);
}

#[test]
fn so_debug_is_set_or_refused_by_name() {
    let server = Server::tcp();
    let done = line(&format!("-z -D 127.0.0.1 {}", server.port())).run();
    if rustix::process::geteuid().is_root() {
        done.expect_code(0).expect_silence()
    } else {
        done.expect_code(1).expect_complaint("SO_DEBUG")
    };
}

// ---- local addresses

#[test]
fn it_sends_from_the_source_address() {
    let server = Server::tcp();
    let words = format!("-s 127.0.0.2 127.0.0.1 {}", server.port());
    let rnc = line(&words).spawn();
    let Sock::Tcp(peer) = server.accept(&rnc) else {
        unreachable!("a TCP server")
    };
    let from = peer.peer_addr().expect("peer_addr").ip();
    assert_eq!(from, Ipv4Addr::new(127, 0, 0, 2));

    let server = udp_socket();
    let words = format!("-u -s 127.0.0.3 127.0.0.1 {}", port_of(&server));
    let mut rnc = line(&words).stdin(Stdin::Pipe).spawn();
    rnc.send("hello");
    let (_, from) = server.recv_from(&mut [0; 10]).expect("a datagram");
    assert_eq!(from.ip(), Ipv4Addr::new(127, 0, 0, 3));
}

#[test]
fn it_sends_from_the_source_port() {
    let server = Server::tcp();
    // A port that was free a moment ago may be taken by now: another one is tried then.
    for _ in 0..10 {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let wanted = free.local_addr().expect("local_addr").port();
        drop(free);
        let words = format!("-s 127.0.0.1 -p {wanted} 127.0.0.1 {}", server.port());
        let rnc = line(&words).spawn();
        let connected = eventually(|| match &server {
            Server::Tcp(listener) => {
                listener.set_nonblocking(true).expect("nonblocking");
                match listener.accept() {
                    Ok((_, from)) => {
                        assert_eq!(from.port(), wanted);
                        true
                    }
                    Err(_) => !rnc.is_running(),
                }
            }
            Server::Unix(..) => unreachable!("a TCP server"),
        });
        assert!(connected);
        let done = rnc.wait();
        if done.status.code() == Some(0) {
            return;
        }
        done.expect_code(1)
            .expect_complaint("Address already in use");
    }
    panic!("no port was ever free");
}

#[test]
fn the_family_asked_for_is_the_one_used() {
    if !has_ipv6() {
        return skip("needs IPv6 on the loopback");
    }
    let v4 = Server::tcp();
    let v6 = Server::Tcp(TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).expect("bind"));
    line(&format!("-z -4 127.0.0.1 {}", v4.port()))
        .run()
        .expect_code(0);
    line(&format!("-z -6 ::1 {}", v6.port()))
        .run()
        .expect_code(0);
    line(&format!("-z -6 127.0.0.1 {}", v4.port()))
        .run()
        .expect_code(1);
    line(&format!("-z -4 ::1 {}", v6.port()))
        .run()
        .expect_code(1);
}

#[test]
fn n_shows_numbers_and_looks_up_no_names() {
    let server = Server::tcp();
    let port = server.port();
    let done = line(&format!("-zvn 127.0.0.1 {port}")).run().expect_code(0);
    let wanted = format!("Connection to 127.0.0.1 {port} port [tcp/*] succeeded!\n");
    assert_eq!(done.stderr, wanted);
    line(&format!("-zn localhost {port}"))
        .run()
        .expect_code(1)
        .expect_complaint("localhost");
}

// ---- broadcast and multicast

#[test]
fn broadcast_has_to_be_allowed() {
    let server = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("bind");
    server
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let to = format!("127.255.255.255 {}", port_of(&server));
    let done = line(&format!("-u {to}")).run();
    done.expect_code(1).expect_complaint("Permission denied");
    let mut rnc = line(&format!("-u -b {to}")).stdin(Stdin::Pipe).spawn();
    rnc.send("to all");
    let mut buf = [0; 100];
    let n = server.recv(&mut buf).expect("a datagram");
    assert_bytes("the server got", &buf[..n], b"to all");
}

/// Sends to the group over the loopback until rnc shows it: joining is not announced.
fn reaches_group(rnc: &Running, sender: &Socket, group: SocketAddr) {
    let shown = eventually(|| {
        sender
            .send_to(b"to the group", &group.into())
            .expect("send");
        rnc.stdout.text().contains("to the group")
    });
    assert!(shown, "{}", rnc.stderr.text());
}

#[test]
fn a_listener_joins_the_group_on_the_interface() {
    let group = Ipv4Addr::new(239, 255, 77, 7);
    let rnc = line(&format!("-u -l --join {group}@lo 0")).spawn();
    let sender = Socket::new(Domain::IPV4, Type::DGRAM, None).expect("socket");
    sender
        .set_multicast_if_v4(&Ipv4Addr::LOCALHOST)
        .expect("IP_MULTICAST_IF");
    reaches_group(&rnc, &sender, (group, rnc.listening_port()).into());

    let rnc = line(&format!(
        "-4 -u -l --join {group}@lo --join 239.255.77.8@lo 0"
    ))
    .spawn();
    let port = rnc.listening_port();
    reaches_group(&rnc, &sender, (Ipv4Addr::new(239, 255, 77, 8), port).into());
}

#[test]
fn a_listener_joins_an_ipv6_group() {
    if !has_ipv6() {
        return skip("needs IPv6 on the loopback");
    }
    let group = "ff01:0000:0000:0000:0000:0000:0077:0007";
    let rnc = line(&format!("-6 -u -l --join {group}@lo 0")).spawn();
    rnc.listening_port();
    // The members of a group are only known to the kernel: the loopback has no IPv6 multicast.
    let digits = group.replace(':', "");
    let joined = || {
        let groups = std::fs::read_to_string("/proc/net/igmp6").unwrap_or_default();
        groups
            .lines()
            .any(|line| line.contains("lo ") && line.contains(&digits))
    };
    assert!(eventually(joined), "not a member of {group}");
}

#[test]
fn an_interface_that_is_not_there_is_named() {
    let done = line("-u -l --join 239.255.77.7@no-such0 0").run();
    done.expect_code(1).expect_complaint("no-such0");
}

// ---- what happens to the data

#[test]
fn line_ends_are_sent_as_crlf() {
    let (mut rnc, mut peer) = connected("-C");
    rnc.send("one\ntwo\r\nthree\r");
    assert_bytes(
        "the peer got",
        &peer.read_some(16, &rnc),
        b"one\r\ntwo\r\nthree\r",
    );
    rnc.send("\n\n\r\n");
    rnc.close_stdin();
    assert_bytes("the peer got", &peer.read_all(&rnc), b"\n\r\n\r\n");
    peer.say("as\nit\r\nis", &rnc);
    drop(peer);
    rnc.wait().expect_code(0).expect_stdout("as\nit\r\nis");
}

/// A stream with every kind of telnet command in it (RFC 854), what is left of it, and what a
/// client that wants none of it answers.
fn telnet() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let commands: [(&[u8], &[u8], &[u8]); 9] = [
        (b"login: ", b"login: ", b""),
        // WILL ECHO, DO TERMINAL-TYPE: neither is wanted.
        (b"\xff\xfb\x01", b"", b"\xff\xfe\x01"),
        (b"\xff\xfd\x18", b"", b"\xff\xfc\x18"),
        // WONT and DONT say what is so anyway: no answer (RFC 854, RFC 1143).
        (b"\xff\xfc\x03", b"", b""),
        (b"\xff\xfe\x05", b"", b""),
        (b"one\xff\xfftwo", b"one\xfftwo", b""),
        // A subnegotiation, with an escaped IAC in it.
        (b"\xff\xfa\x18\x01\xff\xff\x02\xff\xf0", b"", b""),
        // NOP, GA
        (b"\xff\xf1\xff\xf9", b"", b""),
        (b"end", b"end", b""),
    ];
    let (mut stream, mut text, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for (received, shown, answered) in commands {
        stream.extend_from_slice(received);
        text.extend_from_slice(shown);
        answers.extend_from_slice(answered);
    }
    (stream, text, answers)
}

#[test]
fn telnet_commands_are_refused_and_never_shown_however_they_are_cut() {
    let (stream, text, answers) = telnet();
    for piece in [1, 2, 3, 1000] {
        let (mut rnc, mut peer) = connected("-t");
        for part in stream.chunks(piece) {
            peer.say(part, &rnc);
            std::thread::sleep(Duration::from_micros(300));
        }
        assert!(rnc.stdout.wait_until(|bytes| bytes.len() >= text.len()));
        assert_bytes(
            "the answers",
            &peer.read_some(answers.len(), &rnc),
            &answers,
        );
        assert!(peer.has_nothing_to_read());
        rnc.send("typed\n");
        assert_bytes("the peer got", &peer.read_some(6, &rnc), b"typed\n");
        drop(peer);
        rnc.wait().expect_code(0).expect_stdout(&text);
    }
}

#[test]
fn telnet_goes_on_after_the_end_of_stdin_whatever_is_asked() {
    let (mut rnc, mut peer) = connected("-t");
    rnc.close_stdin();
    assert_bytes("the peer got", &peer.read_all(&rnc), b"");
    // No answer is possible any more, to more questions than any buffer holds.
    peer.say(b"\xff\xfd\x01".repeat(100_000), &rnc);
    peer.say("still here", &rnc);
    drop(peer);
    rnc.wait().expect_code(0).expect_stdout("still here");
}

#[test]
fn telnet_answers_more_questions_than_any_buffer_holds() {
    const QUESTIONS: usize = 300_000;
    let (rnc, mut peer) = connected("-t");
    let mut asking = peer.try_clone();
    let asks = std::thread::spawn(move || {
        asking
            .write_all(&b"\xff\xfd\x01".repeat(QUESTIONS))
            .expect("write");
        asking.write_all(b"still here").expect("write");
    });
    let answers = peer.read_some(3 * QUESTIONS, &rnc);
    assert_bytes("the answers", &answers, &b"\xff\xfc\x01".repeat(QUESTIONS));
    rnc.shows("still here");
    asks.join().expect("all was asked");
    drop(peer);
    rnc.wait().expect_code(0);
}

#[test]
fn paced_lines_arrive_whole_and_in_order() {
    let text = lines(20, "paced");
    let (mut rnc, mut peer) = connected("-i 10ms");
    rnc.feed(text.clone());
    assert_bytes("the peer got", &peer.read_all(&rnc), &text);
    drop(peer);
    rnc.wait().expect_code(0);
}

#[test]
fn paced_datagrams_are_one_line_each() {
    let server = udp_socket();
    let words = format!("-u -i 10ms 127.0.0.1 {}", port_of(&server));
    let mut rnc = line(&words).stdin(Stdin::Pipe).spawn();
    rnc.feed(b"one\ntwo\nthree\n".to_vec());
    let mut buf = [0; 100];
    for wanted in ["one\n", "two\n", "three\n"] {
        let n = server.recv(&mut buf).expect("a datagram");
        assert_bytes("the datagram", &buf[..n], wanted.as_bytes());
    }
}

#[test]
fn a_listener_paces_its_lines_too() {
    let mut rnc = line("-l -i 10ms 127.0.0.1 0").stdin(Stdin::Pipe).spawn();
    let mut peer = connect_to_listener(&rnc, None);
    rnc.feed(b"one\ntwo\nthree".to_vec());
    assert_bytes("the peer got", &peer.read_all(&rnc), b"one\ntwo\nthree");
}

#[test]
fn reads_are_limited() {
    let server = udp_socket();
    let words = format!("-u -W 2 127.0.0.1 {}", port_of(&server));
    let mut rnc = line(&words).stdin(Stdin::Pipe).spawn();
    rnc.send("hello");
    let (_, client) = server.recv_from(&mut [0; 10]).expect("a datagram");
    let stdin = rnc.take_stdin();
    for datagram in ["one ", "two", "three"] {
        // Refused, if it has left by then.
        let _ = server.send_to(datagram.as_bytes(), client);
    }
    rnc.wait().expect_code(0).expect_stdout("one two");
    drop(stdin);

    let (rnc, mut peer) = connected("-W 1");
    peer.say("all of one read", &rnc);
    rnc.wait().expect_code(0).expect_stdout("all of one read");
}

#[test]
fn stdin_is_left_alone_with_d() {
    let (mut rnc, mut peer) = connected("-d");
    rnc.send("for nobody");
    peer.say("one", &rnc);
    rnc.shows("one");
    assert!(peer.has_nothing_to_read());
    let stdin = rnc.take_stdin();
    drop(peer);
    rnc.wait()
        .expect_code(0)
        .expect_stdout("one")
        .expect_silence();
    drop(stdin);
}

// ---- passing the socket on

/// Takes the descriptor that comes over a Unix socket.
fn receive_fd(from: &UnixStream) -> OwnedFd {
    let mut byte = [0];
    let mut data = [IoSliceMut::new(&mut byte)];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    rustix::net::recvmsg(from, &mut data, &mut control, RecvFlags::empty()).expect("recvmsg");
    let fds = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    fds.expect("a descriptor")
}

#[test]
fn the_connected_socket_is_passed_to_whoever_reads_stdout() {
    let (ours, theirs) = UnixStream::pair().expect("socketpair");
    ours.set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let server = Server::tcp();
    let words = format!("-F 127.0.0.1 {}", server.port());
    let rnc = line(&words).stdout(Stdout::Fd(theirs.into())).spawn();
    let mut peer = server.accept(&rnc);
    let mut passed = TcpStream::from(receive_fd(&ours));
    let done = rnc.wait().expect_code(0).expect_silence();
    passed.set_nonblocking(false).expect("blocking");
    passed
        .write_all(b"through the passed socket")
        .expect("write");
    let mut got = [0; 25];
    peer.read_exact(&mut got).expect("read");
    assert_bytes("the peer got", &got, b"through the passed socket");
    peer.write_all(b"and back").expect("write");
    let mut back = [0; 8];
    passed.read_exact(&mut back).expect("read");
    assert_bytes("came back", &back, b"and back");
    drop(done);
}

#[test]
fn a_socket_behind_a_proxy_is_passed_too() {
    let (ours, theirs) = UnixStream::pair().expect("socketpair");
    ours.set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let proxy = Server::tcp();
    let words = format!(
        "-F -X connect -x 127.0.0.1:{} some.invalid 80",
        proxy.port()
    );
    let rnc = line(&words).stdout(Stdout::Fd(theirs.into())).spawn();
    let mut peer = proxy.accept(&rnc);
    peer.say("HTTP/1.0 200 OK\r\n\r\n", &rnc);
    let passed = receive_fd(&ours);
    rnc.wait().expect_code(0);
    drop(TcpStream::from(passed));
    let mut all = Vec::new();
    peer.read_to_end(&mut all).expect("read");
    assert_bytes(
        "the proxy got",
        &all,
        b"CONNECT some.invalid:80 HTTP/1.0\r\nHost: some.invalid:80\r\n\r\n",
    );
}

#[test]
fn a_socket_cannot_be_passed_to_a_pipe() {
    let server = Server::tcp();
    let done = line(&format!("-F 127.0.0.1 {}", server.port())).run();
    done.expect_code(1)
        .expect_stdout("")
        .expect_complaint("standard output");
}

// ---- scanning

/// Some ports next to each other, every other one open; all are held.
struct Ports {
    first: u16,
    open: Vec<TcpListener>,
    _closed: Vec<Socket>,
}

impl Ports {
    const COUNT: u16 = 6;

    fn hold() -> Ports {
        for _ in 0..1000 {
            let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
            let base = first.local_addr().expect("local_addr").port();
            if let Some(ports) = Ports::next_to(first, base) {
                return ports;
            }
        }
        panic!("no {} free ports in a row", Ports::COUNT);
    }

    fn next_to(first: TcpListener, base: u16) -> Option<Ports> {
        let (mut open, mut closed) = (vec![first], Vec::new());
        for offset in 1..Ports::COUNT {
            let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, base.checked_add(offset)?));
            if offset % 2 == 0 {
                open.push(TcpListener::bind(addr).ok()?);
            } else {
                let sock = Socket::new(Domain::IPV4, Type::STREAM, None).ok()?;
                sock.bind(&addr.into()).ok()?;
                closed.push(sock);
            }
        }
        Some(Ports {
            first: base,
            open,
            _closed: closed,
        })
    }

    fn range(&self) -> String {
        format!("{}-{}", self.first, self.first + Ports::COUNT - 1)
    }

    /// The ports the lines of a scan call open, in the order of the lines.
    fn found(stderr: &str) -> Vec<u16> {
        let open = stderr.lines().filter(|line| line.ends_with("succeeded!"));
        open.filter_map(|line| line.split(' ').nth(3)?.parse().ok())
            .collect()
    }

    fn open(&self) -> Vec<u16> {
        let ports = self
            .open
            .iter()
            .map(|l| l.local_addr().expect("local_addr").port());
        ports.collect()
    }
}

#[test]
fn a_range_is_scanned_in_order_and_at_random_completely() {
    let ports = Ports::hold();
    let range = ports.range();
    let done = line(&format!("-zv 127.0.0.1 {range}"))
        .run()
        .expect_code(0)
        .expect_stdout("");
    assert_eq!(Ports::found(&done.stderr), ports.open(), "{done}");
    let closed = done.stderr.matches("failed: Connection refused").count();
    assert_eq!(closed, 3, "{done}");

    let done = line(&format!("-zvr 127.0.0.1 {range}"))
        .run()
        .expect_code(0);
    let mut found = Ports::found(&done.stderr);
    found.sort_unstable();
    assert_eq!(found, ports.open(), "{done}");
    assert_eq!(
        done.stderr.lines().count(),
        usize::from(Ports::COUNT),
        "{done}"
    );
}

#[test]
fn random_order_is_not_always_the_same() {
    let ports = Ports::hold();
    let words = format!("-zvr 127.0.0.1 {}", ports.range());
    // 720 orders: that twenty scans all have the same is no chance.
    let first = line(&words).run().stderr;
    let differs = (0..20).any(|_| line(&words).run().stderr != first);
    assert!(differs, "{first}");
}

#[test]
fn lists_and_ranges_mix_and_any_open_port_is_success() {
    let ports = Ports::hold();
    let (a, b) = (ports.first, ports.first + 1);
    for (list, code) in [
        (format!("{a}"), 0),
        (format!("{b}"), 1),
        (format!("{b} {a}"), 0),
        (format!("{a} {b}"), 0),
        (format!("{b} {b}-{b}"), 1),
        (format!("{b} {}", ports.range()), 0),
        (format!("-i 10ms {b} {a} {b}"), 0),
    ] {
        line(&format!("-z 127.0.0.1 {list}"))
            .run()
            .expect_code(code)
            .expect_stdout("");
    }
}

#[test]
fn a_udp_scan_tells_open_from_closed() {
    let (silent, closed) = (udp_socket(), crate::common::ClosedPort::udp());
    let (silent, closed) = (port_of(&silent), closed.port());
    let done = line(&format!("-zuvw 300ms 127.0.0.1 {silent} {closed}"))
        .run()
        .expect_code(0);
    assert_eq!(Ports::found(&done.stderr), [silent], "{done}");
    line(&format!("-zuw 300ms 127.0.0.1 {closed}"))
        .run()
        .expect_code(1);
}

#[test]
fn a_scan_of_a_unix_socket_only_connects() {
    let dir = TempDir::new();
    let server = Server::new(crate::common::Transport::Unix, &dir);
    let path = dir.join("server");
    rnc(["-zU".as_ref(), path.as_os_str()])
        .run()
        .expect_code(0)
        .expect_silence();
    drop(server);
    rnc(["-zU".as_ref(), path.as_os_str()]).run().expect_code(1);
}

// ---- datagrams over Unix sockets

#[test]
fn unix_datagrams_go_both_ways_and_are_answered() {
    let dir = TempDir::new();
    let server = UnixDatagram::bind(dir.join("server")).expect("bind");
    server
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let mine = dir.join("mine");
    for source in [None, Some(&mine)] {
        let mut cmd = rnc(["-uU"]).stdin(Stdin::Pipe);
        if let Some(path) = source {
            cmd = cmd.arg("-s").arg(path);
        }
        let mut rnc = cmd.arg(dir.join("server")).spawn();
        rnc.send("question");
        let mut buf = [0; 100];
        let (n, client) = server.recv_from(&mut buf).expect("a datagram");
        assert_bytes("the server got", &buf[..n], b"question");
        let client = client.as_pathname().expect("a path").to_path_buf();
        assert!(source.is_none_or(|path| *path == client));
        server.send_to(b"answer", &client).expect("send");
        rnc.shows("answer");
        rnc.wait().expect_code(0).expect_stdout("answer");
        assert!(!client.exists(), "its socket is still there");
    }
}

// ---- racing

/// Runs a shell script in namespaces of its own: the loopback has the addresses 198.51.100.2 and
/// 2001:db8:1::1, packets to 2001:db8:2::1 and 192.0.2.1 are never answered, and /etc/hosts is the
/// file `hosts` in the directory.
fn alone(script: &str, hosts: &str) -> Option<Cmd> {
    let unshare = require("unshare", "util-linux")?;
    require("ip", "iproute2")?;
    require("ss", "iproute2")?;
    let setup = "set -e
        PATH=$PATH:/usr/sbin:/sbin
        mount --make-rprivate /
        file=$(mktemp); printf \"$1\" > $file; mount --bind $file /etc/hosts; rm $file
        ip link set lo up
        ip addr add 198.51.100.2/32 dev lo
        ip addr add 2001:db8:1::1/128 dev lo nodad
        ip route add 192.0.2.1/32 dev lo
        ip route add 2001:db8:2::1/128 dev lo
        set +e
        rnc=$2
        until ip -6 route show table local | grep -q 2001:db8:1::1; do sleep 0.02; done";
    let namespaces = if rustix::process::geteuid().is_root() {
        "-nm"
    } else {
        "-rnm"
    };
    let cmd = |script: &str| {
        let words = [namespaces, "/bin/sh", "-c", script, "sh", hosts];
        Cmd::new(&unshare)
            .args(words)
            .arg(rnc_binary())
            .with_its_children()
    };
    if cmd(setup).run().status.code() != Some(0) {
        skip("needs the right to make network namespaces, and IPv6 in them");
        return None;
    }
    Some(cmd(&format!("{setup}\n{script}")))
}

/// Starts a server that says `hello`, waits until it listens, then connects in various ways.
const SERVER: &str = "
    (echo hello | $rnc -l 198.51.100.2 8000 >/dev/null 2>&1) &
    until ss -Hltn sport = :8000 | grep -q 8000; do sleep 0.02; done\n";

#[test]
fn an_address_that_never_answers_does_not_hold_up_the_next() {
    let hosts = "2001:db8:2::1 two.test\\n198.51.100.2 two.test\\n";
    let script = format!("{SERVER} $rnc -vv two.test 8000 </dev/null");
    let Some(cmd) = alone(&script, hosts) else {
        return;
    };
    let done = cmd.run().expect_code(0).expect_stdout("hello\n");
    // The silent one is tried first; the other is not waited for until the kernel gives up.
    let tried: Vec<&str> = done
        .stderr
        .lines()
        .filter(|line| line.starts_with("Trying"))
        .collect();
    let wanted = [
        "Trying 2001:db8:2::1 port 8000 (tcp)",
        "Trying 198.51.100.2 port 8000 (tcp)",
    ];
    assert_eq!(tried, wanted, "{done}");
    assert!(
        done.stderr
            .contains("Connection to two.test (198.51.100.2) 8000 port "),
        "{done}"
    );
}

#[test]
fn several_silent_addresses_are_raced_and_families_take_turns() {
    let hosts = "2001:db8:2::1 many.test\\n192.0.2.1 many.test\\n198.51.100.2 many.test\\n";
    let script = format!("{SERVER} $rnc many.test 8000 </dev/null");
    let Some(cmd) = alone(&script, hosts) else {
        return;
    };
    cmd.run().expect_code(0).expect_stdout("hello\n");
}

#[test]
fn when_no_address_answers_the_time_limit_is_for_all_of_them() {
    let hosts = "2001:db8:2::1 two.test\\n192.0.2.1 two.test\\n";
    let Some(cmd) = alone("$rnc -w 1 two.test 8000 </dev/null; echo code $?", hosts) else {
        return;
    };
    let done = cmd.run().expect_stdout("code 3\n");
    done.expect_complaint("connect to two.test port 8000 (tcp) timed out");
}

#[test]
fn the_reason_of_each_address_is_told_in_one_line() {
    let hosts = "2001:db8:1::1 two.test\\n203.0.113.1 two.test\\n";
    let Some(cmd) = alone("$rnc two.test 8000 </dev/null; echo code $?", hosts) else {
        return;
    };
    let done = cmd.run().expect_stdout("code 1\n");
    done.expect_complaint(
        "connect to two.test port 8000 (tcp) failed: \
         Connection refused (2001:db8:1::1), Network is unreachable (203.0.113.1)",
    );
}

// ---- asking on the terminal

#[test]
fn the_md5_key_is_asked_for_on_the_terminal_and_not_shown() {
    let server = Server::tcp();
    let Server::Tcp(listener) = &server else {
        unreachable!("a TCP server")
    };
    let addr = listener.local_addr().expect("local_addr");
    let pty = Pty::open();
    let words = format!("-S -w 1 127.0.0.1 {}", addr.port());
    let rnc = line(&words).controlled_by(&pty).spawn();
    pty.shows("TCP MD5SIG password: ", &rnc);
    pty.types("secret\n");
    let done = rnc.wait();
    // Signed segments are no use to a server without the key, or the kernel knows no signatures.
    let signed = done.status.code() == Some(3);
    let refused = done.stderr.contains("set TCP MD5 signature");
    assert!(signed || refused, "{done}");
    assert_eq!(pty.count("secret"), 0, "the key is on the screen");
}

#[test]
fn interrupted_at_the_password_it_leaves_the_terminal_as_it_was() {
    let proxy = Server::tcp();
    for words in ["-S 127.0.0.1 1", "-P me -x 127.0.0.1:PORT 192.0.2.7 1"] {
        let words = words.replace("PORT", &proxy.port().to_string());
        let pty = Pty::open();
        let before = pty.settings();
        let rnc = line(&words).controlled_by(&pty).spawn();
        if words.contains("-x") {
            // The method of user and password: RFC 1928, section 3.
            proxy.accept(&rnc).say([5, 2], &rnc);
        }
        pty.shows("assword", &rnc);
        pty.types("secr");
        pty.types_interrupt();
        rnc.wait()
            .expect_signal(rustix::process::Signal::INT)
            .expect_stdout("");
        assert_eq!(pty.settings(), before, "{words}");
    }
}

#[test]
fn sessions_signed_with_the_same_key_understand_each_other() {
    let (listening, connecting) = (Pty::open(), Pty::open());
    let listener = line("-S -l 127.0.0.1 0").controlled_by(&listening).spawn();
    listening.shows("TCP MD5SIG password: ", &listener);
    listening.types("secret\n");
    if !listener.stderr.wait_for("Listening on ") {
        let done = listener.wait().expect_code(1);
        assert!(done.stderr.contains("set TCP MD5 signature"), "{done}");
        return skip("needs a kernel with TCP MD5 signatures");
    }
    let words = format!("-S 127.0.0.1 {}", listener.listening_port());
    let mut client = line(&words)
        .stdin(Stdin::Pipe)
        .controlled_by(&connecting)
        .spawn();
    connecting.shows("TCP MD5SIG password: ", &client);
    connecting.types("secret\n");
    client.send("signed");
    listener.shows("signed");
}

#[test]
fn an_ipv4_multicast_group_needs_no_interface() {
    // Where nothing says otherwise the kernel chooses one; without any it says so.
    let rnc = line("-4 -u -l --join 239.255.77.9 0").spawn();
    let bound = rnc.stderr.wait_for("Bound on ");
    if !bound {
        rnc.wait()
            .expect_code(1)
            .expect_complaint("join group 239.255.77.9 failed");
        return;
    }
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, rnc.listening_port());
    udp_socket().send_to(b"also to itself", to).expect("send");
    rnc.shows("also to itself");
}

// ---- Ncat's long names

/// What a client with these options does with a line on stdin and a line of its peer's: what the
/// peer gets, what is on stdout, the exit code.
#[track_caller]
fn exchange(cmd: Cmd, options: &str, sends: &str, ends_first: bool) -> (Vec<u8>, Vec<u8>, i32) {
    let server = Server::tcp();
    let mut client = cmd
        .args(options.split_whitespace())
        .args(server.words())
        .stdin(Stdin::Pipe)
        .spawn();
    client.send("from stdin\n");
    client.close_stdin();
    let mut peer = server.accept(&client);
    let mut got = if ends_first {
        peer.read_all(&client)
    } else {
        peer.read_some(sends.len(), &client)
    };
    // A client that only sends may have left by now.
    let _ = peer.write_all(b"from the peer\n");
    peer.half_close();
    got.extend(peer.read_all(&client));
    let done = client.wait();
    let code = done.status.code().expect("an exit code");
    (got, done.stdout, code)
}

#[test]
fn ncats_long_options_do_what_they_do_there() {
    let Some(ncat) = require("ncat", "ncat") else {
        return;
    };
    // The option; what is sent; whether the end is sent before the peer's has come; what comes out.
    let cases = [
        ("--send-only", "from stdin\n", true, ""),
        ("--recv-only", "", false, "from the peer\n"),
        ("--no-shutdown", "from stdin\n", false, "from the peer\n"),
        ("--crlf", "from stdin\r\n", true, "from the peer\n"),
        ("--telnet", "from stdin\n", true, "from the peer\n"),
        ("--nodns", "from stdin\n", true, "from the peer\n"),
        ("--wait 20", "from stdin\n", true, "from the peer\n"),
        ("--delay 10ms", "from stdin\n", true, "from the peer\n"),
        (
            "--source 127.0.0.3",
            "from stdin\n",
            true,
            "from the peer\n",
        ),
    ];
    for (options, sends, ends_first, out) in cases {
        let wanted = (sends.as_bytes().to_vec(), out.as_bytes().to_vec(), 0);
        for program in [rnc_binary(), &ncat] {
            let got = exchange(Cmd::new(program), options, sends, ends_first);
            assert_eq!(got, wanted, "{} {options}", program.display());
        }
    }
}

// ---- -s with a name

#[test]
fn the_name_to_send_from_is_looked_up() {
    let server = Server::tcp();
    let port = server.port().to_string();
    for options in ["-s localhost", "-zs localhost"] {
        let words = options.split_whitespace().chain(["127.0.0.1", &port]);
        let rnc = rnc(words).spawn();
        drop(server.accept(&rnc));
        rnc.wait().expect_code(0).expect_silence();
    }
    for options in [
        "-s no.such.host.invalid",
        "-zs no.such.host.invalid",
        "-ns localhost",
    ] {
        let words = options.split_whitespace().chain(["127.0.0.1", &port]);
        let done = rnc(words).run().expect_code(1);
        let name = options.split_once(' ').expect("two words").1;
        done.expect_complaint(name).expect_complaint("(-s)");
    }
}
