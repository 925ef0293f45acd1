//! Telnet's answers, when there are many and when nobody reads them.

use super::{comes_to_rest, connected, crowd, stop_at_rest};
use crate::common::{
    Running, Stdin, Stdout, assert_bytes, connect_to_listener, flood_until_stuck, peak_rss_kib, rnc,
};
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

/// IAC WILL ECHO, and its answer, IAC DONT ECHO.
const WILL_ECHO: [u8; 3] = [255, 251, 1];
const DONT_ECHO: [u8; 3] = [255, 254, 1];

/// A pair of rnc that talk telnet with each other, as this dialect.
fn pair(dialect: &str) -> (Running, Running) {
    let words = ["--as", dialect, "-t", "-v", "-l", "127.0.0.1", "0"];
    let listener = rnc(words).stdin(Stdin::Pipe).spawn();
    let line = listener.listening_line();
    let (_, port) = line.rsplit_once([' ', ':']).expect("a port");
    let client = rnc(["--as", dialect, "-t", "127.0.0.1", port]).stdin(Stdin::Pipe);
    (listener, client.spawn())
}

#[test]
fn fault_10_two_ends_that_refuse_an_option_come_to_rest() {
    for dialect in ["rnc", "nc", "ncat"] {
        let (mut listener, client) = pair(dialect);
        // As nc and ncat this is an offer, as it is; as rnc it is data.
        listener.send(WILL_ECHO);
        listener.send("x");
        assert!(client.stdout.wait_until(|bytes| bytes.ends_with(b"x")));
        comes_to_rest(&listener);
        comes_to_rest(&client);
    }
}

#[test]
fn fault_10_a_peer_that_echoes_all_comes_to_rest_and_refusals_get_no_answer() {
    let (mut rnc, mut peer) = connected(&["-t"], |cmd| cmd.stdin(Stdin::Pipe));
    peer.say(WILL_ECHO, &rnc);
    let refusal = peer.read_some(3, &rnc);
    assert_bytes("the answer", &refusal, &DONT_ECHO);
    peer.say(refusal, &rnc);
    peer.say(WONT_ECHO, &rnc);
    peer.say("shown", &rnc);
    rnc.shows("shown");
    rnc.send("next");
    assert_bytes("the peer got", &peer.read_some(4, &rnc), b"next");
}

#[test]
fn fault_10_every_byte_gets_through_telnet() {
    let data: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let (mut listener, mut client) = pair("rnc");
    client.feed(data.clone());
    client.close_stdin();
    let whole = listener
        .stdout
        .wait_until(|bytes| bytes.len() >= data.len());
    assert!(whole, "{} bytes", listener.stdout.len());
    assert_bytes("stdout", &listener.stdout.bytes(), &data);
    listener.close_stdin();
    client.wait().expect_code(0).expect_stdout("");
}

#[test]
fn fault_10_every_byte_gets_to_many_telnet_clients() {
    let data = b"a\xff\xfd\x18b\xff\xffc";
    let wire = b"a\xff\xff\xfd\x18b\xff\xff\xff\xffc";
    let (mut crowd, mut client) = crowd(&["-t"], |cmd| cmd.stdin(Stdin::Pipe));
    crowd.send(data);
    assert_bytes("wire", &client.read_some(wire.len(), &crowd), wire);
    client.say(wire, &crowd);
    assert!(crowd.stdout.wait_until(|bytes| bytes.len() >= data.len()));
    assert_bytes("stdout", &crowd.stdout.bytes(), data);

    let broker = rnc(["-l", "--broker", "-t", "0"]).spawn();
    let mut clients = [(); 2].map(|()| connect_to_listener(&broker, None));
    let [one, two] = &mut clients;
    // Both are there once each has heard the other.
    one.say("1", &broker);
    two.say("2", &broker);
    two.read_some(1, &broker);
    one.read_some(1, &broker);
    one.say(wire, &broker);
    assert_bytes("wire", &two.read_some(wire.len(), &broker), wire);
}

#[test]
fn fault_10_as_nc_and_ncat_what_is_sent_is_not_changed() {
    for dialect in ["nc", "ncat"] {
        let (mut rnc, mut peer) = connected(&["--as", dialect, "-t"], |cmd| cmd.stdin(Stdin::Pipe));
        rnc.send(b"a\xffb");
        assert_bytes("the peer got", &peer.read_some(3, &rnc), b"a\xffb");
    }
}
