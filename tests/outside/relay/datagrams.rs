//! A relay of datagrams: each peer has a socket of its own to the target.

use super::{assert_bytes, eventually};
use crate::common::{
    ClosedPort, Cmd, Running, descriptors_of, pattern, rnc, rnc_binary, udp_socket,
};
use rustix::process::Signal;
use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

/// A relay, and its target.
struct UdpRelay {
    rnc: Running,
    target: UdpSocket,
}

impl UdpRelay {
    #[track_caller]
    fn new(options: &str) -> UdpRelay {
        let target = udp_socket();
        let port = target.local_addr().expect("local_addr").port();
        let rnc = relay_to(port, options);
        UdpRelay { rnc, target }
    }

    fn peer(&self) -> UdpSocket {
        peer_of(&self.rnc)
    }

    /// The next datagram at the target, and where it is to be answered.
    #[track_caller]
    fn next(&self) -> (Vec<u8>, SocketAddr) {
        let mut buf = vec![0; 70_000];
        match self.target.recv_from(&mut buf) {
            Ok((len, from)) => (buf[..len].to_vec(), from),
            Err(error) => self
                .rnc
                .fail(&format!("nothing came to the target: {error}")),
        }
    }

    #[track_caller]
    fn answers(&self, bytes: &[u8], to: SocketAddr) {
        self.target.send_to(bytes, to).expect("send");
    }

    #[track_caller]
    fn heard(&self, peer: &UdpSocket) -> Vec<u8> {
        let mut buf = vec![0; 70_000];
        match peer.recv(&mut buf) {
            Ok(len) => buf[..len].to_vec(),
            Err(error) => self.rnc.fail(&format!("no answer came: {error}")),
        }
    }

    /// Asks, and has the target answer with the same.
    #[track_caller]
    fn echo(&self, peer: &UdpSocket, bytes: &[u8]) -> SocketAddr {
        peer.send(bytes).expect("send");
        let (got, from) = self.next();
        assert_bytes("to the target", &got, bytes);
        self.answers(&got, from);
        assert_bytes("to the peer", &self.heard(peer), bytes);
        from
    }
}

#[track_caller]
fn relay_to(port: u16, options: &str) -> Running {
    let target = format!("udp:127.0.0.1:{port}");
    let words = options
        .split_whitespace()
        .chain(["-u", "127.0.0.1", "0", "--relay", &target]);
    rnc(words).spawn()
}

fn peer_of(rnc: &Running) -> UdpSocket {
    let peer = udp_socket();
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    peer.connect(to).expect("connect");
    peer
}

#[test]
fn datagrams_go_whole_both_ways() {
    let relay = UdpRelay::new("-l");
    let peer = relay.peer();
    for len in [0, 1, 1472, 65_507, 0, 65_507] {
        relay.echo(&peer, &pattern(len, 3));
    }
}

#[test]
fn none_of_many_peers_gets_the_answer_of_another() {
    const PEERS: usize = 300;
    let relay = UdpRelay::new("-lk");
    let peers: Vec<UdpSocket> = (0..PEERS).map(|_| relay.peer()).collect();
    // All are there before any is answered.
    let mut asked = Vec::new();
    for (n, peer) in peers.iter().enumerate() {
        peer.send(n.to_string().as_bytes()).expect("send");
        asked.push(relay.next());
    }
    let sources: HashSet<SocketAddr> = asked.iter().map(|(_, from)| *from).collect();
    assert_eq!(sources.len(), PEERS);
    for (question, from) in asked.iter().rev() {
        relay.answers(question, *from);
    }
    for (n, peer) in peers.iter().enumerate() {
        assert_bytes("answer", &relay.heard(peer), n.to_string().as_bytes());
    }
    assert!(relay.rnc.is_running());
}

#[test]
fn silence_ends_a_peer_and_the_next_datagram_begins_anew() {
    for (options, lines) in [("-lk", 0), ("-lkv", 1)] {
        let relay = UdpRelay::new(&format!("{options} --idle-timeout 100ms"));
        let peer = relay.peer();
        relay.echo(&peer, b"one");
        let with_target = descriptors_of(relay.rnc.pid());
        assert!(eventually(|| descriptors_of(relay.rnc.pid()) < with_target));
        relay.echo(&peer, b"two");
        relay.rnc.signal(Signal::TERM);
        let said = relay.rnc.wait().expect_signal(Signal::TERM).stderr;
        let ended = said.matches("timed out: nothing moved for 100ms").count();
        assert_eq!(ended.min(1), lines, "{said}");
        assert!(lines == 1 || said.lines().count() == 1, "{said}");
    }
}

#[test]
fn a_target_that_refuses_does_not_end_the_relay() {
    let closed = ClosedPort::udp();
    let rnc = relay_to(closed.port(), "-lkv");
    let peer = peer_of(&rnc);
    for _ in 0..2 {
        peer.send(b"x").expect("send");
        let line = format!(
            "connection to 127.0.0.1 port {} (udp) failed",
            closed.port()
        );
        rnc.says(&line);
    }
    assert!(rnc.is_running());
}

#[test]
fn no_more_peers_than_max_conns_are_heard() {
    let relay = UdpRelay::new("-lk --max-conns 2");
    let peers = [(); 3].map(|()| relay.peer());
    relay.echo(&peers[0], b"one");
    relay.echo(&peers[1], b"two");
    peers[2].send(b"three").expect("send");
    relay.rnc.says("2 peers at once: others are not heard");
    // Those that are there still are.
    relay.echo(&peers[0], b"four");
}

/// The target may be seen to be rnc itself only once it is looked up, or connected. Each datagram
/// would bring a peer, that one the next.
#[test]
fn a_peer_that_a_relay_would_bring_itself_does_not_come() {
    let own = udp_socket();
    let port = own.local_addr().expect("local_addr").port();
    let passed = "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" \"$@\"";
    let relay = Cmd::new("/bin/sh")
        .args(["-c", passed])
        .arg(rnc_binary())
        .args(["-luv", "--relay", &format!("127.0.0.1:{port}")])
        .hand(own.into(), 3)
        .spawn();
    relay.says("Bound on");
    let peer = udp_socket();
    peer.connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
    peer.send(b"x").expect("send");
    relay.says("rnc itself listens there");
    relay.signal(Signal::TERM);
    let said = relay.wait().stderr;
    assert_eq!(said.matches("Connection received").count(), 1, "{said}");
}

#[test]
fn that_there_are_no_descriptors_is_told_once() {
    const LIMIT: usize = 32;
    let target = udp_socket();
    let port = target.local_addr().expect("local_addr").port();
    let rnc = Cmd::new("/bin/sh")
        .args(["-c", &format!("ulimit -n {LIMIT}; exec \"$0\" \"$@\"")])
        .arg(rnc_binary())
        .args(["-lu", "127.0.0.1", "0", "--relay"])
        .arg(format!("udp:127.0.0.1:{port}"))
        .spawn();
    let relay = UdpRelay { rnc, target };
    let first = relay.peer();
    relay.echo(&first, b"first");
    let others: Vec<UdpSocket> = (0..2 * LIMIT).map(|_| relay.peer()).collect();
    for other in &others {
        other.send(b"").expect("send");
    }
    relay.rnc.says("cannot make a socket: Too many open files");
    // What was sent before is read by now.
    first.send(b"last").expect("send");
    while relay.next().0 != b"last" {}
    relay.rnc.signal(Signal::TERM);
    let said = relay.rnc.wait().expect_signal(Signal::TERM).stderr;
    assert_eq!(said.matches("Too many").count(), 1, "{said}");
}

#[test]
fn the_same_datagram_passes_as_often_as_it_comes() {
    let relay = UdpRelay::new("-lk");
    let peer = relay.peer();
    for _ in 0..1200 {
        relay.echo(&peer, b"the same");
    }
}
