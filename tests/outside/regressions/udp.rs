//! Datagrams to and from more than one address: whose options count, where answers come from, and
//! who is heard.

use crate::common::{
    Cmd, Pty, Running, Stdin, TempDir, assert_bytes, close, eventually, pattern, python, require,
    rnc, rnc_binary, skip, udp_socket,
};
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// rnc with a command line written in one string.
fn line(words: &str) -> Cmd {
    rnc(words.split_whitespace())
}

/// The port rnc says it is bound to, in its own words, nc's or Ncat's.
fn port_of(rnc: &Running) -> u16 {
    assert!(rnc.stderr.wait_for(" on "), "it is not bound");
    let bound = || {
        let text = rnc.stderr.text();
        let line = text.lines().find(|line| line.contains(" on "))?.to_string();
        line.rsplit([' ', ':']).next()?.parse().ok()
    };
    assert!(eventually(|| bound().is_some()), "{}", rnc.stderr.text());
    bound().expect("a port")
}

/// A UDP socket connected to rnc at one of the addresses of this machine: it hears no other.
fn peer_at(host: &str, rnc: &Running) -> UdpSocket {
    let peer = udp_socket();
    let ip: IpAddr = host.parse().expect("an address");
    peer.connect((ip, port_of(rnc))).expect("connect");
    peer
}

/// The next datagram.
#[track_caller]
fn heard(sock: &UdpSocket, what: &str) -> Vec<u8> {
    let mut buf = vec![0; 70_000];
    match sock.recv(&mut buf) {
        Ok(n) => buf[..n].to_vec(),
        Err(error) => panic!("{what}: no datagram: {error}"),
    }
}

/// Runs one of the tests of tests/peers/groups.py in a network namespace of its own.
#[track_caller]
fn alone(test: &str) {
    let (Some(unshare), Some(_)) = (require("unshare", "util-linux"), require("ip", "iproute2"))
    else {
        return;
    };
    let Some(_) = python("groups.py") else {
        return;
    };
    let namespaces = if rustix::process::geteuid().is_root() {
        "-n"
    } else {
        "-rn"
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/groups.py");
    let done = Cmd::new(unshare)
        .args([namespaces, "python3", script])
        .arg(rnc_binary())
        .arg(test)
        .with_its_children()
        .run();
    let cannot = ["unshare failed", "cannot make the network"];
    if cannot.iter().any(|why| done.stderr.contains(why)) {
        return skip("needs the right to make network namespaces, and IPv6 in them");
    }
    assert!(done.stderr.is_empty(), "{done}");
    done.expect_code(0).expect_stdout("OK\n");
}

#[test]
fn answers_leave_from_the_address_that_was_asked() {
    for words in [
        "-lu --echo 0",
        "-4lu --echo 0",
        "-lu -e /bin/cat 0",
        "-lu --daytime 0",
        "-v --as nc -lu -e /bin/cat 0",
        "-v --as ncat -lu -e /bin/cat 0",
    ] {
        let rnc = line(words).spawn();
        for host in ["127.0.0.2", "127.0.0.1"] {
            let peer = peer_at(host, &rnc);
            // One by one at first, then in batches.
            for _ in 0..3 {
                peer.send(b"from where?").expect("send");
                heard(&peer, &format!("{words} at {host}"));
            }
            // These are for the first peer alone.
            if words.contains("--as") {
                break;
            }
        }
    }
}

#[test]
fn standard_input_leaves_from_the_address_that_was_asked() {
    for words in ["-lu 0", "-4lu 0", "-v --as nc -lu 0", "-v --as ncat -lu 0"] {
        // One datagram, several with one call, and several that the kernel cuts.
        for size in ["65507", "9000", "700"] {
            let mut rnc = line(&format!("--datagram-size {size} {words}"))
                .stdin(Stdin::Pipe)
                .spawn();
            let peer = peer_at("127.0.0.2", &rnc);
            peer.send(b"hello").expect("send");
            rnc.shows("hello");
            let answer = pattern(20_000, 1);
            rnc.feed(answer.clone());
            let mut got = Vec::new();
            while got.len() < answer.len() {
                got.extend(heard(&peer, &format!("{words}, {size} bytes each")));
            }
            assert_bytes(words, &got, &answer);
        }
    }
}

#[test]
fn only_the_first_peer_is_heard_at_whatever_address_it_asks() {
    for words in ["-v --as nc -lu 0", "-v --as ncat -lu 0"] {
        for host in ["127.0.0.1", "127.0.0.2"] {
            let mut rnc = line(words).stdin(Stdin::Pipe).spawn();
            let (first, other) = (peer_at(host, &rnc), peer_at("127.0.0.1", &rnc));
            first.send(b"first ").expect("send");
            rnc.shows("first ");
            for _ in 0..40 {
                // The kernel refuses it where the socket is connected.
                let _ = other.send(b"other ");
            }
            first.send(b"again").expect("send");
            rnc.shows("first again");
            rnc.send("answer");
            assert_bytes(words, &heard(&first, words), b"answer");
        }
    }
}

#[test]
fn a_program_learns_which_address_was_asked() {
    let rnc = line("-lu")
        .args(["-c", "echo $RNC_LOCAL_ADDR $NCAT_LOCAL_ADDR", "0"])
        .spawn();
    // One socket is two peers when it writes to two addresses.
    let peer = udp_socket();
    for host in [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::LOCALHOST] {
        let to = SocketAddr::from((host, rnc.listening_port()));
        peer.send_to(b"where am I?", to).expect("send");
        let mut buf = [0; 100];
        let (n, from) = peer.recv_from(&mut buf).expect("an answer");
        assert_eq!(from, to);
        assert_bytes(
            "the answer",
            &buf[..n],
            format!("{host} {host}\n").as_bytes(),
        );
    }
}

/// A Python client of an echo server; prints the TTL and the type of service of the answer.
const SHOW_ANSWER: &str = r#"
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
s.setsockopt(socket.IPPROTO_IP, 12, 1)  # IP_RECVTTL
s.setsockopt(socket.IPPROTO_IP, 13, 1)  # IP_RECVTOS
s.sendto(b"x", ("127.0.0.1", int(sys.argv[1])))
control = s.recvmsg(100, 1000)[1]
values = {kind: int.from_bytes(value, sys.byteorder) for level, kind, value in control}
print("ttl", values[socket.IP_TTL], "tos", values[socket.IP_TOS])
"#;

#[test]
fn ttl_and_tos_of_a_dual_stack_listener_count_for_ipv4() {
    let Some(python) = require("python3", "python3") else {
        return;
    };
    for host in ["", "::"] {
        let rnc = line(&format!("-lu --echo -M 17 -T 0x28 {host} 0")).spawn();
        let port = rnc.listening_port().to_string();
        let done = Cmd::new(&python).args(["-c", SHOW_ANSWER, &port]).run();
        done.expect_code(0).expect_stdout("ttl 17 tos 40\n");
    }
}

#[test]
fn options_and_addresses_count_for_a_socket_that_is_passed() {
    let Some(python) = require("python3", "python3") else {
        return;
    };
    for any in ["0.0.0.0:0", "[::]:0"] {
        let Ok(sock) = UdpSocket::bind(any) else {
            return skip("needs IPv6");
        };
        let port = sock.local_addr().expect("local_addr").port();
        // One datagram, as with a service manager, is there before rnc.
        let early = udp_socket();
        early.connect(("127.0.0.2", port)).expect("connect");
        early.send(b"who is there?").expect("send");
        let _rnc = line("--inetd --echo -M 17 -T 0x28")
            .stdin(Stdin::Fd(sock.into()))
            .spawn();
        heard(&early, any);
        let port_word = port.to_string();
        let done = Cmd::new(&python)
            .args(["-c", SHOW_ANSWER, &port_word])
            .run();
        done.expect_code(0).expect_stdout("ttl 17 tos 40\n");
        let peer = udp_socket();
        peer.connect(("127.0.0.2", port)).expect("connect");
        peer.send(b"from where?").expect("send");
        heard(&peer, any);
    }
}

/// Tries to connect over IPv4 with this TTL; a SYN that is dropped is not waited for longer than
/// half a second.
fn connects(rnc: &Running, ttl: u32) -> bool {
    let sock = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
    let sock = sock.expect("socket");
    sock.set_ttl_v4(ttl).expect("IP_TTL");
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, rnc.listening_port()));
    sock.connect_timeout(&to.into(), Duration::from_millis(500))
        .is_ok()
}

#[test]
fn the_minimal_ttl_of_a_dual_stack_listener_counts_for_ipv4() {
    let rnc = line("-lk -m 200 0").spawn();
    assert!(!connects(&rnc, 100), "a client with TTL 100 got in");
    assert!(connects(&rnc, 200), "a client with TTL 200 did not get in");
    for other in ["-u", "--sctp", "-U"] {
        let done = line(&format!("-l -m 200 {other} 9")).run();
        done.expect_code(2).expect_complaint("-m needs TCP");
    }
}

/// rnc that was told the key on a terminal.
fn signed(words: &str, pty: &Pty) -> Running {
    let rnc = line(words).stdin(Stdin::Pipe).controlled_by(pty).spawn();
    pty.shows("TCP MD5SIG password: ", &rnc);
    pty.types("secret\n");
    rnc
}

#[test]
fn the_md5_key_of_a_listener_counts_for_all_clients() {
    // Of both families, and whatever address the listener has.
    for (listens_at, clients) in [
        ("", &["127.0.0.1", "::1", "::ffff:127.0.0.1"][..]),
        ("127.0.0.2", &["127.0.0.2"][..]),
    ] {
        let listening = Pty::open();
        let listener = signed(&format!("-lkS {listens_at} 0"), &listening);
        if !listener.stderr.wait_for("Listening on ") {
            let done = listener.wait().expect_code(1);
            assert!(done.stderr.contains("set TCP MD5 signature"), "{done}");
            return skip("needs a kernel with TCP MD5 signatures");
        }
        let port = listener.listening_port();
        let done = line(&format!("-z -w 500ms {} {port}", clients[0])).run();
        done.expect_code(3);
        for host in clients {
            let pty = Pty::open();
            let mut client = signed(&format!("-S {host} {port}"), &pty);
            client.send(format!("from {host}\n"));
            listener.shows(&format!("from {host}\n"));
        }
    }
}

#[test]
fn a_group_has_its_port_with_others() {
    alone("shared");
}

#[test]
fn datagrams_to_groups_of_others_do_not_come_in() {
    alone("others");
}

#[test]
fn ttl_and_loop_of_multicast_are_those_asked_for() {
    alone("ttl");
}

#[test]
fn a_client_of_a_group_or_network_hears_all_that_answer() {
    alone("answers");
}

#[test]
fn a_group_without_a_route_is_an_error() {
    alone("unreachable");
}

#[test]
fn answers_leave_from_each_address_of_a_machine() {
    alone("asked");
}

#[test]
fn a_peer_with_our_port_number_is_heard() {
    alone("same_port");
}

#[test]
fn answers_leave_from_another_address_where_the_one_asked_is_gone() {
    alone("vanished");
}

#[test]
fn link_local_addresses_have_their_interface() {
    alone("zones");
}

#[test]
fn lines_of_datagrams_are_tagged_with_their_senders() {
    let rnc = line("-lu -d --tag 0").spawn();
    let peers = [udp_socket(), udp_socket()];
    let mut wanted = String::new();
    for (peer, text) in peers.iter().zip(["one", "two\nlines\n"]) {
        let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
        peer.send_to(text.as_bytes(), to).expect("send");
        let own = peer.local_addr().expect("local_addr");
        for line in text.lines() {
            wanted += &format!("[{own}] {line}\n");
        }
        rnc.shows(&wanted);
    }
    let server = udp_socket();
    let to = server.local_addr().expect("local_addr");
    let mut rnc = line(&format!("-u --tag 127.0.0.1 {}", to.port()))
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.send("hello");
    let mut buf = [0; 100];
    let (_, client) = server.recv_from(&mut buf).expect("hello");
    server.send_to(b"hi", client).expect("send");
    rnc.shows(&format!("[{to}] hi\n"));
    for (words, complaint) in [
        ("-lu --echo --tag 9", "--tag cannot be used with --echo"),
        ("-lu -e x --tag 9", "--tag cannot be used with a program"),
        (
            "-lu --framing line --tag 9",
            "--tag cannot be used with --framing",
        ),
    ] {
        line(words).run().expect_code(2).expect_complaint(complaint);
    }
}

#[test]
fn refused_datagrams_are_no_end_where_that_is_asked_for() {
    for options in [
        "--ignore-refused",
        "--until never",
        "--as nc --ignore-refused",
    ] {
        let first = udp_socket();
        let at = first.local_addr().expect("local_addr");
        let mut rnc = line(&format!("-u -v {options} 127.0.0.1 {}", at.port()))
            .stdin(Stdin::Pipe)
            .spawn();
        rnc.send("before");
        assert_bytes(options, &heard(&first, options), b"before");
        drop(first);
        // Each one is refused, and tells so to the next call.
        assert!(
            eventually(|| {
                rnc.send("lost");
                rnc.stderr.text().contains("are lost: Connection refused")
            }),
            "{options}"
        );
        let second = UdpSocket::bind(at).expect("bind again");
        second
            .set_read_timeout(Some(crate::common::DEADLINE))
            .expect("SO_RCVTIMEO");
        rnc.send("after");
        while !heard(&second, options).ends_with(b"after") {}
        let told = rnc.stderr.text().matches("are lost").count();
        assert_eq!(told, 1, "{options}: told more than once");
    }
    let done = line("--ignore-refused h 9").run();
    done.expect_code(2)
        .expect_complaint("--ignore-refused needs -u");
}

#[test]
fn a_unix_socket_that_is_made_anew_is_found_again() {
    let dir = TempDir::new();
    let path = dir.join("log");
    let bind = || {
        let sock = UnixDatagram::bind(&path).expect("bind");
        sock.set_read_timeout(Some(crate::common::DEADLINE))
            .expect("SO_RCVTIMEO");
        sock
    };
    let first = bind();
    let mut rnc = rnc(["-uvU", "--ignore-refused"])
        .arg(&path)
        .stdin(Stdin::Pipe)
        .spawn();
    let mut buf = [0; 100];
    rnc.send("before");
    let n = first.recv(&mut buf).expect("a datagram");
    assert_bytes("the first server", &buf[..n], b"before");
    close(first);
    std::fs::remove_file(&path).expect("remove");
    rnc.send("lost");
    assert!(rnc.stderr.wait_for("are lost: "), "nothing was said");
    let second = bind();
    second.set_nonblocking(true).expect("O_NONBLOCK");
    assert!(eventually(|| {
        rnc.send("after");
        match second.recv(&mut buf) {
            Ok(n) => buf[..n].starts_with(b"after"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        }
    }));
}

#[test]
fn addresses_in_all_the_forms_of_inet_aton_need_no_names() {
    let rnc = line("-lk -n 127.1 0").spawn();
    let port = rnc.listening_port();
    for host in ["127.1", "2130706433", "0x7f.1", "0177.0.1", "127.0.0.1"] {
        for dialect in ["rnc", "nc"] {
            let done = line(&format!("--as {dialect} -nz {host} {port}")).run();
            done.expect_code(0);
        }
    }
    let done = line("-nz 127.256 1").run();
    done.expect_code(1);
}
