//! Before a session: sockets that are taken, and a start that is held up.

use crate::common::{
    Finished, Stdin, TempDir, connect_to_listener, eventually, never_answers, rnc,
};
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::time::Duration;

#[test]
fn a_second_unix_listener_fails_and_leaves_the_first_untouched() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let words = ["-l", "-v", "-U"].map(OsStr::new);
    let words = || words.into_iter().chain([path.as_os_str()]);
    let first = rnc(words()).stdin(Stdin::Pipe).spawn();
    first.listening_line();
    rnc(words())
        .run()
        .expect_code(1)
        .expect_complaint("Address already in use");
    let mut client = connect_to_listener(&first, Some(&path));
    client.say("still there\n", &first);
    first.shows("still there\n");
    client.half_close();
    first.wait().expect_code(0).expect_silence();
    assert!(!path.exists(), "the first has left its socket file");
}

/// An rnc that was stopped while it was connecting, and found its connection made, used and reset
/// by the peer, who said `banner`.
#[track_caller]
fn comes_too_late(options: &[&str], banner: &str) -> Finished {
    let (mut socks, port) = never_answers();
    // Those who fill the queue up would be accepted as well.
    let fillers: Vec<u16> = socks
        .drain(1..)
        .map(|filler| {
            let addr = filler.local_addr().expect("local_addr");
            addr.as_socket().expect("an address").port()
        })
        .collect();
    let word = port.to_string();
    let rnc = rnc([options, &["127.0.0.1", &word]].concat()).spawn();
    if !eventually(|| is_being_connected_to(port, &fillers)) {
        rnc.fail("it does not connect");
    }
    rnc.stop();
    // The next try of its kernel gets through.
    loop {
        let (mut client, from) = socks[0].accept().expect("accept");
        if fillers.contains(&from.as_socket().expect("an address").port()) {
            continue;
        }
        client.write_all(banner.as_bytes()).expect("write");
        client.set_linger(Some(Duration::ZERO)).expect("SO_LINGER");
        break;
    }
    rnc.go_on();
    rnc.wait()
}

/// Returns whether a connect to this port of 127.0.0.1, other than from the ports of `fillers`, waits
/// for its answer.
fn is_being_connected_to(port: u16, fillers: &[u16]) -> bool {
    let table = fs::read_to_string("/proc/net/tcp").expect("/proc/net/tcp");
    let remote = format!("0100007F:{port:04X}");
    let is_filler = |local: &str| {
        let port = local.rsplit(':').next().unwrap_or_default();
        let port = u16::from_str_radix(port, 16);
        port.is_ok_and(|port| fillers.contains(&port))
    };
    table.lines().any(|line| {
        let fields: Vec<&str> = line.split_whitespace().skip(1).take(3).collect();
        // 02 is SYN_SENT.
        matches!(fields[..], [local, to, "02"] if to == remote && !is_filler(local))
    })
}

#[test]
fn a_peer_that_resets_before_we_look_is_heard_and_its_reset_told() {
    for banner in ["220 ready, and gone\n", ""] {
        let done = comes_too_late(&["-v"], banner).expect_code(1);
        let done = done.expect_stdout(banner);
        assert!(done.stderr.contains("succeeded!"), "{done}");
        assert!(done.stderr.contains("Connection reset by peer"), "{done}");
        assert!(!done.stderr.contains("connect to"), "{done}");
    }
}

#[test]
fn a_port_that_resets_who_comes_is_open() {
    let done = comes_too_late(&["-zv"], "").expect_code(0);
    assert!(done.stderr.contains("succeeded!"), "{done}");
}
