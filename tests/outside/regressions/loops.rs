//! Services over datagrams that are set at each other with a forged one.

use super::comes_to_rest;
use crate::common::{Running, assert_bytes, forge_datagram, rnc, udp_socket};
use std::net::Ipv4Addr;

/// Has two services answer each other, and expects that they come to rest and are there for others.
fn set_at_each_other(kinds: [&str; 2]) {
    let services = kinds.map(|kind| {
        let words = format!("-lu {kind} 127.0.0.1 0");
        rnc(words.split_whitespace()).spawn()
    });
    let ports = services.each_ref().map(Running::listening_port);
    if forge_datagram(ports[0], ports[1], b"begin").is_none() {
        return;
    }
    services.iter().for_each(comes_to_rest);
    let peer = udp_socket();
    for port in ports {
        let place = (Ipv4Addr::LOCALHOST, port);
        peer.send_to(b"word", place).expect("send");
        peer.recv(&mut [0; 1000]).expect("an answer");
    }
}

#[test]
fn fault_10_services_set_at_each_other_come_to_rest() {
    let kinds = ["--echo", "--chargen", "--daytime", "-c cat"];
    std::thread::scope(|scope| {
        for (n, one) in kinds.into_iter().enumerate() {
            for other in &kinds[n..] {
                scope.spawn(move || set_at_each_other([one, other]));
            }
        }
    });
}

#[test]
fn fault_10_a_client_may_say_the_same_often() {
    let echo = rnc(["-lu", "--echo", "127.0.0.1", "0"]).spawn();
    let peer = udp_socket();
    peer.connect((Ipv4Addr::LOCALHOST, echo.listening_port()))
        .expect("connect");
    for _ in 0..500 {
        peer.send(b"same").expect("send");
        let mut buf = [0; 10];
        let len = peer.recv(&mut buf).expect("an answer");
        assert_bytes("echo", &buf[..len], b"same");
    }
}
