//! Telnet's answers, when there are many and when nobody reads them.

use crate::common::{Stdin, Stdout, assert_bytes, flood_until_stuck, peak_rss_kib, rnc};
use crate::{comes_to_rest, connected, stop_at_rest};
use std::io::Write;
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// IAC DO ECHO, and its answer, IAC WONT ECHO. RFC 854 and RFC 857.
const DO_ECHO: [u8; 3] = [255, 253, 1];
const WONT_ECHO: [u8; 3] = [255, 252, 1];

/// The peer sends at most so much.
const FLOOD_BYTES: usize = 32 << 20;

/// What rnc may need at most.
const MAX_RSS_KIB: u64 = 16 * 1024;

#[test]
fn a_burst_of_requests_is_answered_whole_and_hides_nothing() {
    let (rnc, mut peer) = connected(&["-t"], |cmd| cmd.stdin(Stdin::Pipe));
    // All there at once: far more answers than rnc holds.
    stop_at_rest(&rnc);
    peer.say(DO_ECHO.repeat(20_000), &rnc);
    peer.say("prompt> ", &rnc);
    rnc.go_on();
    let answers = peer.read_some(60_000, &rnc);
    assert_bytes("the answers", &answers, &WONT_ECHO.repeat(20_000));
    rnc.shows("prompt> ");
}

#[test]
fn a_session_does_not_spin_while_answers_and_a_paused_line_wait_for_the_peer() {
    let (mut rnc, mut peer) = connected(&["-t", "-i", "0.2"], |cmd| cmd.stdin(Stdin::Pipe));
    rnc.send("a\nb\nc\n");
    flood_until_stuck(&mut peer, &DO_ECHO.repeat(1 << 12));
    comes_to_rest(&rnc);
}

#[test]
fn a_client_that_reads_no_answers_takes_no_memory() {
    let crowd = rnc(["-lk", "-t", "0"])
        .stdin(Stdin::Pipe)
        .stdout(Stdout::Null)
        .spawn();
    let addr = (Ipv4Addr::LOCALHOST, crowd.listening_port());
    let mut client = TcpStream::connect(addr).expect("connect");
    // No room for this long: rnc has stopped reading, as it should.
    let stuck = Duration::from_millis(500);
    client.set_write_timeout(Some(stuck)).expect("SO_SNDTIMEO");
    let requests = DO_ECHO.repeat(20_000);
    for _ in 0..FLOOD_BYTES / requests.len() {
        if client.write_all(&requests).is_err() {
            break;
        }
    }
    let peak = peak_rss_kib(crowd.pid());
    assert!(peak < MAX_RSS_KIB, "it needed {peak} KiB");
}
