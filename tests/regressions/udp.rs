//! Datagrams to and from more than one address: whose options count, where answers come from, and
//! who is heard.

use crate::common::{Cmd, Pty, Running, Stdin, require, rnc, skip};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// rnc with a command line written in one string.
fn line(words: &str) -> Cmd {
    rnc(words.split_whitespace())
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
