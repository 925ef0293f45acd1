//! Memory that all clients have together, when they send and do not read.

use super::comes_to_rest;
use crate::common::{
    Running, Stdin, Stdout, assert_bytes, eventually, pattern, peak_rss_kib, rnc, udp_socket,
};
use socket2::{Domain, Socket, Type};
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

/// What rnc may need at most, in KiB, whatever its clients do.
const MAX_RSS_KIB: u64 = 24 * 1024;

/// Clients that send without end and do not read, each until rnc reads no more of it. Small buffers
/// of their own keep what they have in the kernel small.
fn stuck_clients(count: usize, rnc: &Running) -> Vec<TcpStream> {
    let to = SocketAddr::from((Ipv4Addr::LOCALHOST, rnc.listening_port()));
    let connect = |_| {
        let sock = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        sock.set_recv_buffer_size(4096).expect("SO_RCVBUF");
        sock.set_send_buffer_size(64 << 10).expect("SO_SNDBUF");
        sock.connect(&to.into()).expect("connect");
        sock.set_nonblocking(true).expect("O_NONBLOCK");
        TcpStream::from(sock)
    };
    let mut clients: Vec<TcpStream> = (0..count).map(connect).collect();
    let bytes = pattern(64 << 10, 1);
    // Stuck is a client that could send nothing in many rounds.
    let mut quiet = 0;
    assert!(eventually(|| {
        let sent = clients
            .iter_mut()
            .filter_map(|client| match client.write(&bytes) {
                Ok(n) => Some(n),
                Err(error) if error.kind() == ErrorKind::WouldBlock => None,
                Err(error) => rnc.fail(&format!("a client cannot write: {error}")),
            });
        quiet = if sent.count() == 0 { quiet + 1 } else { 0 };
        quiet > 100
    }));
    clients
}

#[track_caller]
fn expect_little_memory(rnc: &Running) {
    let peak = peak_rss_kib(rnc.pid());
    assert!(peak < MAX_RSS_KIB, "it needed {peak} KiB");
}

#[test]
fn fault_10_echo_clients_that_do_not_read_share_a_bound_and_others_are_served() {
    let rnc = rnc(["-lk", "--echo", "-O", "8192", "127.0.0.1", "0"]).spawn();
    let _stuck = stuck_clients(200, &rnc);
    expect_little_memory(&rnc);
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    let mut client = TcpStream::connect(to).expect("connect");
    client
        .set_read_timeout(Some(crate::common::DEADLINE))
        .expect("SO_RCVTIMEO");
    let mut writer = client.try_clone().expect("dup");
    let sent = pattern(1 << 20, 2);
    let wanted = sent.clone();
    let writes = std::thread::spawn(move || writer.write_all(&sent).expect("write"));
    let mut got = vec![0; wanted.len()];
    client.read_exact(&mut got).expect("the echo");
    writes.join().expect("all was sent");
    assert_bytes("echo", &got, &wanted);
    expect_little_memory(&rnc);
}

#[test]
fn fault_10_clients_of_an_output_that_nothing_reads_share_a_bound() {
    // Lines without an end under a tag, telnet, and bytes as they are.
    for option in ["--tag", "-t", "-v"] {
        let rnc = rnc(["-lk", option, "127.0.0.1", "0"])
            .stdin(Stdin::Pipe)
            .stdout(Stdout::Unread)
            .spawn();
        let _stuck = stuck_clients(400, &rnc);
        expect_little_memory(&rnc);
    }
}

#[test]
fn fault_10_relayed_clients_share_a_bound_past_the_kernel_path() {
    let target = rnc(["-lk", "--echo", "-O", "8192", "127.0.0.1", "0"]).spawn();
    let to = format!("127.0.0.1:{}", target.listening_port());
    let relay = rnc(["-lk", "--relay", &to, "-O", "8192", "127.0.0.1", "0"]);
    let relay = relay.env("RNC_FAST", "0").spawn();
    let _stuck = stuck_clients(200, &relay);
    expect_little_memory(&relay);
    expect_little_memory(&target);
}

#[test]
fn fault_10_udp_peers_of_programs_that_read_nothing_share_a_bound() {
    let words = [
        "-luv",
        "-I",
        "8000000",
        "-c",
        "exec sleep 600",
        "127.0.0.1",
        "0",
    ];
    let rnc = rnc(words).spawn();
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    let message = pattern(8000, 3);
    let peers: Vec<_> = (0..120).map(|_| udp_socket()).collect();
    for (n, peer) in peers.iter().enumerate() {
        peer.send_to(b"first", to).expect("send");
        let greeted = |text: &str| text.matches("Connection received").count() > n;
        assert!(eventually(|| greeted(&rnc.stderr.text())));
    }
    // Again and again: the kernel drops what finds the socket full.
    for peer in peers.iter().cycle().take(20 * peers.len()) {
        for _ in 0..20 {
            peer.send_to(&message, to).expect("send");
        }
    }
    comes_to_rest(&rnc);
    expect_little_memory(&rnc);
}
