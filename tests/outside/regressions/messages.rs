//! Datagrams of unusual length come and go whole.

use crate::common::{Stdin, TempDir, assert_bytes, pattern, rnc, udp_socket};
use rustix::process::Signal;
use std::ffi::OsStr;
use std::os::unix::net::UnixDatagram;

#[test]
fn a_unix_datagram_of_150_000_bytes_arrives_whole() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let words = ["-l", "-u", "-v", "-U"].map(OsStr::new);
    let rnc = rnc(words.into_iter().chain([path.as_os_str()]))
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.listening_line();
    let payload = pattern(150_000, 1);
    let sender = UnixDatagram::unbound().expect("socket");
    let sent = sender.send_to(&payload, &path).expect("send");
    assert_eq!(sent, payload.len());
    rnc.stdout.wait_until(|bytes| bytes.len() >= payload.len());
    assert_bytes("stdout", &rnc.stdout.bytes(), &payload);
    rnc.signal(Signal::INT);
    rnc.wait().expect_signal(Signal::INT);
}

#[test]
fn line_ends_that_make_a_datagram_too_long_arrive_whole() {
    let peer = udp_socket();
    let port = peer.local_addr().expect("local_addr").port().to_string();
    let mut rnc = rnc(["-u", "-C", "127.0.0.1", &port])
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.feed(b"\n".repeat(65_000));
    let mut got = Vec::new();
    let mut datagram = vec![0; 1 << 16];
    while got.len() < 130_000 {
        match peer.recv(&mut datagram) {
            Ok(n) => got.extend_from_slice(&datagram[..n]),
            Err(error) => rnc.fail(&format!("{} bytes came, then: {error}", got.len())),
        }
    }
    assert_bytes("the peer got", &got, &b"\r\n".repeat(65_000));
    rnc.wait().expect_code(0).expect_silence();
}
