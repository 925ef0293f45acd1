//! `--output`, `--hex-dump`, `--hex`: what passes is written down as it is on the wire, and no log
//! stands in the way of the traffic.

use crate::common::{
    Cmd, Pty, Running, Server, Sock, Stdin, Stdout, TempDir, Transport, assert_bytes, close,
    connect_to_listener, pattern, require, rnc, udp_socket,
};
use rustix::process::Signal;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::thread;

/// More than a pipe, a socket and the queue of a log hold together.
const MUCH: usize = 24 << 20;

/// A client of a server in the test, with these options.
#[track_caller]
fn client<S: AsRef<OsStr>>(options: impl IntoIterator<Item = S>) -> (Running, Sock) {
    let server = Server::tcp();
    let rnc = rnc(options).args(server.words()).stdin(Stdin::Pipe).spawn();
    let peer = server.accept(&rnc);
    (rnc, peer)
}

/// Says a line each way, one after the other.
#[track_caller]
fn talk(rnc: &mut Running, peer: &mut Sock) {
    rnc.send("question\n");
    peer.read_some(9, rnc);
    peer.say("answer\n", rnc);
    rnc.shows("answer\n");
    rnc.send("thanks\n");
    peer.read_some(7, rnc);
}

/// Both ends say that they have said everything.
fn end(mut rnc: Running, peer: &Sock) -> crate::common::Finished {
    peer.half_close();
    rnc.close_stdin();
    rnc.wait()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).expect("a log of text")
}

/// A record of a hex dump, out of its heading and rows.
#[derive(Debug)]
struct Record {
    mark: char,
    peer: String,
    offset: u64,
    bytes: Vec<u8>,
}

/// Reads a hex dump, and sees that each record is whole and in one place.
#[track_caller]
fn records(dump: &str) -> Vec<Record> {
    let mut lines = dump.lines().peekable();
    let mut found = Vec::new();
    while let Some(heading) = lines.next() {
        let (time, rest) = heading.split_once(' ').expect(heading);
        assert!(time.len() == 27 && time.ends_with('Z'), "{heading}");
        let (what, peer) = rest.split_once(", ").expect(heading);
        let words: Vec<&str> = what.split(' ').collect();
        let [mark, size, "byte" | "bytes"] = words[..] else {
            panic!("no heading: {heading}");
        };
        let size: usize = size.parse().expect(heading);
        let (mut bytes, mut offset) = (Vec::new(), None);
        for _ in 0..size.div_ceil(16) {
            let row = lines.next().expect("a row");
            assert!(row.starts_with(mark), "{row} below {heading}");
            let place = u64::from_str_radix(&row[2..10], 16).expect(row);
            let first = *offset.get_or_insert(place);
            assert_eq!(place, first + bytes.len() as u64, "{row}");
            let digits = row[12..60].split_whitespace();
            bytes.extend(digits.map(|byte| u8::from_str_radix(byte, 16).expect(row)));
        }
        assert_eq!(bytes.len(), size, "{heading}");
        found.push(Record {
            mark: mark.chars().next().expect(heading),
            peer: peer.to_string(),
            offset: offset.unwrap_or_default(),
            bytes,
        });
    }
    found
}

/// All that passed one way.
fn bytes_of(records: &[Record], mark: char) -> Vec<u8> {
    let way = records.iter().filter(|record| record.mark == mark);
    way.flat_map(|record| record.bytes.clone()).collect()
}

#[test]
fn output_has_the_bytes_of_both_directions_as_ncat() {
    let Some(ncat) = require("ncat", "ncat") else {
        return;
    };
    let dir = TempDir::new();
    let (ours, theirs) = (dir.join("ours"), dir.join("theirs"));
    let (ours_hex, theirs_hex) = (dir.join("ours.hex"), dir.join("theirs.hex"));

    let (mut rnc, mut peer) = client([
        OsStr::new("--output"),
        ours.as_ref(),
        OsStr::new("--hex-dump"),
        ours_hex.as_ref(),
    ]);
    talk(&mut rnc, &mut peer);
    end(rnc, &peer).expect_code(0).expect_silence();

    let server = Server::tcp();
    let mut ncat = Cmd::new(ncat)
        .args([OsStr::new("-o"), theirs.as_ref()])
        .args([OsStr::new("-x"), theirs_hex.as_ref()])
        .args(server.words())
        .stdin(Stdin::Pipe)
        .spawn();
    let mut peer = server.accept(&ncat);
    talk(&mut ncat, &mut peer);
    end(ncat, &peer).expect_code(0);

    assert_eq!(text(&ours), "question\nanswer\nthanks\n");
    assert_eq!(text(&ours), text(&theirs));
    // Ncat's dump has no direction, no time and other offsets: the digits are the same.
    let digits = |dump: &str, from: usize| -> String {
        let rows = dump.lines().filter(|row| !row.contains("127.0.0.1"));
        rows.map(|row| row[from..from + 48].trim_end().to_string() + "\n")
            .collect()
    };
    assert_eq!(digits(&text(&ours_hex), 12), digits(&text(&theirs_hex), 7));
}

#[test]
fn the_log_has_what_is_on_the_wire() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let (mut rnc, mut peer) = client([OsStr::new("-Ct"), OsStr::new("--output"), log.as_ref()]);
    rnc.send("sent\n");
    assert_bytes("sent", &peer.read_some(6, &rnc), b"sent\r\n");
    // IAC DO ECHO is refused: IAC WONT ECHO. RFC 854.
    peer.say(b"\xff\xfd\x01received\n", &rnc);
    rnc.shows("received\n");
    assert_bytes("refusal", &peer.read_some(3, &rnc), b"\xff\xfc\x01");
    end(rnc, &peer).expect_code(0).expect_stdout("received\n");
    let wanted = b"sent\r\n\xff\xfd\x01received\n\xff\xfc\x01";
    assert_bytes("log", &fs::read(log).expect("a log"), wanted);
}

#[test]
fn a_log_is_begun_anew_unless_it_is_to_be_kept() {
    let dir = TempDir::new();
    let (output, hex) = (dir.file("output", "before\n"), dir.file("hex", "before\n"));
    let files = [
        OsStr::new("--output"),
        output.as_ref(),
        OsStr::new("--hex-dump"),
        hex.as_ref(),
    ];
    let (mut rnc, mut peer) = client(files.iter().chain(&[OsStr::new("--append-output")]));
    talk(&mut rnc, &mut peer);
    end(rnc, &peer).expect_code(0);
    assert_eq!(text(&output), "before\nquestion\nanswer\nthanks\n");
    let dump = text(&hex);
    let dump = dump.strip_prefix("before\n").expect("what was there");
    assert_eq!(bytes_of(&records(dump), '>'), b"question\nthanks\n");

    let (mut rnc, mut peer) = client(files);
    talk(&mut rnc, &mut peer);
    end(rnc, &peer).expect_code(0);
    assert_eq!(text(&output), "question\nanswer\nthanks\n");
    assert_eq!(bytes_of(&records(&text(&hex)), '<'), b"answer\n");
}

/// The log of a talk in which the peer tries to paint the terminal, in this format.
#[track_caller]
fn log_of_a_talk(format: &str) -> (String, u16) {
    let dir = TempDir::new();
    let log = dir.join("log");
    let (mut rnc, mut peer) = client([
        OsStr::new("--log-format"),
        OsStr::new(format),
        OsStr::new("--output"),
        log.as_ref(),
    ]);
    talk(&mut rnc, &mut peer);
    peer.say("one\n\x1b[31mtwo", &rnc);
    rnc.shows("two");
    let (port, _) = peer.ports();
    end(rnc, &peer).expect_code(0).expect_silence();
    (text(&log), port)
}

#[test]
fn tagged_lines_tell_time_direction_and_peer() {
    let (log, port) = log_of_a_talk("tagged");
    let untimed: Vec<&str> = log
        .lines()
        .map(|line| {
            let (time, rest) = line.split_at(27);
            assert!(time.starts_with("20") && time.ends_with('Z'), "{line}");
            rest
        })
        .collect();
    let peer = format!("127.0.0.1 port {port} (tcp)");
    let wanted = [
        format!(" > {peer}: question\\n"),
        format!(" < {peer}: answer\\n"),
        format!(" > {peer}: thanks\\n"),
        format!(" < {peer}: one\\n"),
        format!(" < {peer}: \\x1b[31mtwo"),
    ];
    assert_eq!(untimed, wanted);
}

#[test]
fn json_lines_tell_it_to_programs() {
    let (log, port) = log_of_a_talk("json");
    let untimed: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once("Z\","))
        .map(|(_, rest)| rest)
        .collect();
    let record = |way, offset, size, text| {
        format!(
            "\"direction\":\"{way}\",\"peer\":\"127.0.0.1 port {port} (tcp)\",\
             \"offset\":{offset},\"size\":{size},\"text\":\"{text}\"}}"
        )
    };
    let wanted = [
        record("sent", 0, 9, "question\\n"),
        record("received", 0, 7, "answer\\n"),
        record("sent", 9, 7, "thanks\\n"),
        record("received", 7, 12, "one\\n\\u001b[31mtwo"),
    ];
    assert_eq!(untimed, wanted);
}

#[test]
fn a_hex_dump_gives_back_every_byte() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let (mut rnc, mut peer) = client([OsStr::new("--hex-dump"), log.as_ref()]);
    let (question, answer) = (pattern(300_000, 1), pattern(200_000, 2));
    rnc.feed(question.clone());
    let mut asked = peer.try_clone();
    let (sends, says) = (answer.clone(), question.len());
    let saying = thread::spawn(move || {
        peer.write_all(&sends).expect("write");
        peer.half_close();
        peer
    });
    assert_bytes("question", &asked.read_some(says, &rnc), &question);
    let _peer = saying.join().expect("the peer");
    rnc.wait().expect_code(0).expect_stdout(&answer);

    let records = records(&text(&log));
    for mark in ['>', '<'] {
        let mut offset = 0;
        for record in records.iter().filter(|record| record.mark == mark) {
            assert_eq!(record.offset, offset, "{mark}");
            offset += record.bytes.len() as u64;
        }
    }
    assert_bytes("sent", &bytes_of(&records, '>'), &question);
    assert_bytes("received", &bytes_of(&records, '<'), &answer);
}

/// What `--hex` shows on a terminal of a peer that sends an escape sequence.
#[track_caller]
fn shown(name: &str, value: &str) -> String {
    let pty = Pty::open();
    let server = Server::tcp();
    let rnc = rnc(["-d", "--hex"])
        .args(server.words())
        .env("TERM", "xterm")
        .env("NO_COLOR", "")
        .env(name, value)
        .stderr(Stdout::Fd(pty.slave()))
        .spawn();
    let mut peer = server.accept(&rnc);
    peer.say("\x1b]0;title\x07", &rnc);
    drop(peer);
    pty.shows("|.]0;title.|", &rnc);
    rnc.wait().expect_code(0).expect_stdout("\x1b]0;title\x07");
    let screen = pty.screen().text();
    assert!(!screen.contains("\x1b]"), "the peer's own: {screen:?}");
    screen
}

#[test]
fn hex_is_coloured_on_a_terminal_that_may_be() {
    assert!(shown("LANG", "C").contains("\x1b[36m< 00000000  1b 5d"));
    for (name, value) in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let screen = shown(name, value);
        assert!(!screen.contains('\x1b'), "{name}={value}: {screen:?}");
    }
}

#[test]
fn hex_is_plain_where_no_terminal_is() {
    let (mut rnc, mut peer) = client(["--hex"]);
    talk(&mut rnc, &mut peer);
    let done = end(rnc, &peer).expect_code(0);
    assert_eq!(bytes_of(&records(&done.stderr), '>'), b"question\nthanks\n");
    assert_eq!(bytes_of(&records(&done.stderr), '<'), b"answer\n");
}

#[test]
fn a_terminal_never_gets_the_plain_bytes() {
    let pty = Pty::open();
    let name = rustix::termios::ttyname(pty.slave(), Vec::new()).expect("ttyname");
    let (rnc, mut peer) = client(["--output", name.to_str().expect("a path")]);
    peer.say("\x1b]0;title\x07\n", &rnc);
    pty.shows("(tcp): \\x1b]0;title\\x07\\n", &rnc);
    end(rnc, &peer).expect_code(0);
    assert!(!pty.screen().text().contains('\x1b'));
}

#[test]
fn clients_at_once_share_a_log_and_their_records_stay_whole() {
    const CLIENTS: usize = 20;
    let dir = TempDir::new();
    let log = dir.join("log");
    let mut rnc = rnc(["-lk", "--hex-dump"])
        .arg(&log)
        .args(["127.0.0.1", "0"])
        .stdin(Stdin::Pipe)
        .spawn();
    let socks: Vec<Sock> = (0..CLIENTS)
        .map(|_| connect_to_listener(&rnc, None))
        .collect();
    let talks: Vec<_> = (0..)
        .zip(socks)
        .map(|(n, mut sock)| {
            thread::spawn(move || {
                let (port, _) = sock.ports();
                let said = [&pattern(50_000, n)[..], b"\n"].concat();
                sock.write_all(&said).expect("write");
                sock.half_close();
                let mut heard = Vec::new();
                sock.read_to_end(&mut heard).expect("read");
                (port, said, heard)
            })
        })
        .collect();
    rnc.send("to all\n");
    rnc.close_stdin();
    let talks: Vec<_> = talks
        .into_iter()
        .map(|talk| talk.join().expect("a client"))
        .collect();
    rnc.signal(Signal::TERM);
    rnc.wait().expect_signal(Signal::TERM);

    let mut by_peer: HashMap<String, Vec<Record>> = HashMap::new();
    for record in records(&text(&log)) {
        by_peer.entry(record.peer.clone()).or_default().push(record);
    }
    assert_eq!(by_peer.len(), CLIENTS);
    for (port, said, heard) in talks {
        let records = &by_peer[&format!("127.0.0.1 port {port} (tcp)")];
        assert_bytes("received", &bytes_of(records, '<'), &said);
        assert_bytes("sent", &bytes_of(records, '>'), &heard);
    }
}

#[test]
fn clients_in_turn_are_all_in_the_log() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let listener = rnc(["-lvkn", "--log-format", "tagged", "--output"])
        .arg(&log)
        .args(["127.0.0.1", "0"])
        .called("nc")
        .stdin(Stdin::Pipe)
        .spawn();
    for line in ["first\n", "second\n"] {
        let mut peer = connect_to_listener(&listener, None);
        peer.say(line, &listener);
        listener.shows(line);
        drop(peer);
    }
    listener.signal(Signal::TERM);
    listener.wait().expect_signal(Signal::TERM);
    let log = text(&log);
    let said: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split(": ").nth(1))
        .collect();
    assert_eq!(said, ["first\\n", "second\\n"]);
}

#[test]
fn each_datagram_is_a_record_with_its_own_peer() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let mut rnc = rnc(["-lu", "--hex-dump"])
        .arg(&log)
        .args(["--datagram-size", "4", "127.0.0.1", "0"])
        .stdin(Stdin::Pipe)
        .stdout(Stdout::Fd(
            File::create(dir.join("stdout")).expect("a file").into(),
        ))
        .spawn();
    let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
    let (one, two) = (udp_socket(), udp_socket());
    // While rnc stands still they all arrive, so that it could read them at once.
    rnc.stop();
    for (sock, message) in [(&one, "a"), (&two, "bb"), (&two, ""), (&one, "ccc")] {
        sock.send_to(message.as_bytes(), to).expect("send");
    }
    rnc.go_on();
    rnc.send("answered");
    let mut buf = [0; 100];
    for wanted in ["answ", "ered"] {
        // The last one heard is answered, which may not be the last that came yet.
        let n = one.recv(&mut buf).expect("an answer");
        assert_eq!(&buf[..n], wanted.as_bytes());
    }
    rnc.signal(Signal::TERM);
    rnc.wait().expect_signal(Signal::TERM);

    let port = |sock: &std::net::UdpSocket| sock.local_addr().expect("local_addr").port();
    let (one, two) = (port(&one), port(&two));
    let got: Vec<(char, String, Vec<u8>)> = records(&text(&log))
        .into_iter()
        .map(|record| (record.mark, record.peer, record.bytes))
        .collect();
    let wanted = [
        ('<', one, "a"),
        ('<', two, "bb"),
        ('<', two, ""),
        ('<', one, "ccc"),
        ('>', one, "answ"),
        ('>', one, "ered"),
    ];
    let peer = |port| format!("127.0.0.1 port {port} (udp)");
    let wanted = wanted.map(|(mark, port, bytes)| (mark, peer(port), bytes.as_bytes().to_vec()));
    assert_eq!(got, wanted);
}

#[test]
fn a_relay_is_logged_under_its_clients_name() {
    let dir = TempDir::new();
    let (log, target) = (dir.join("log"), Server::tcp());
    let rnc = rnc(["-l", "--hex-dump"])
        .arg(&log)
        .args(["--relay", &format!("127.0.0.1:{}", target.port())])
        .args(["127.0.0.1", "0"])
        .spawn();
    let mut client = connect_to_listener(&rnc, None);
    let mut server = target.accept(&rnc);
    client.say("asked", &rnc);
    server.read_some(5, &rnc);
    server.say("told", &rnc);
    client.read_some(4, &rnc);
    let name = format!("127.0.0.1 port {} (tcp)", client.ports().0);
    drop((client, server));
    rnc.wait().expect_code(0);
    let records = records(&text(&log));
    assert!(records.iter().all(|record| record.peer == name));
    assert_eq!(bytes_of(&records, '>'), b"asked");
    assert_eq!(bytes_of(&records, '<'), b"told");
}

#[test]
fn a_service_is_logged_with_what_it_answers() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let echo = rnc(["-l", "--echo", "--hex-dump"])
        .arg(&log)
        .args(["127.0.0.1", "0"])
        .spawn();
    let mut client = connect_to_listener(&echo, None);
    client.say("again", &echo);
    client.half_close();
    assert_bytes("echo", &client.read_all(&echo), b"again");
    echo.wait().expect_code(0);
    let records = records(&text(&log));
    assert_eq!(bytes_of(&records, '<'), b"again");
    assert_eq!(bytes_of(&records, '>'), b"again");
}

#[test]
fn what_a_broker_passes_on_is_in_the_log_twice() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let broker = rnc(["-l", "--broker", "--hex-dump"])
        .arg(&log)
        .args(["127.0.0.1", "0"])
        .spawn();
    let mut one = connect_to_listener(&broker, None);
    let mut two = connect_to_listener(&broker, None);
    // What the one gets tells that the broker knows it; then it can be talked to.
    two.say("first", &broker);
    one.read_some(5, &broker);
    one.say("second", &broker);
    two.read_some(6, &broker);
    broker.signal(Signal::TERM);
    broker.wait().expect_signal(Signal::TERM);
    let peer = |sock: &Sock| format!("127.0.0.1 port {} (tcp)", sock.ports().0);
    let (one, two) = (peer(&one), peer(&two));
    let got: Vec<_> = records(&text(&log))
        .into_iter()
        .map(|record| (record.mark, record.peer, record.bytes))
        .collect();
    let wanted = [
        ('<', &two, "first"),
        ('>', &one, "first"),
        ('<', &one, "second"),
        ('>', &two, "second"),
    ];
    let wanted = wanted.map(|(mark, peer, said)| (mark, peer.clone(), said.as_bytes().to_vec()));
    assert_eq!(got, wanted);
}

#[test]
fn answered_datagrams_are_logged_with_those_they_answer() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let echo = rnc(["-lu", "--echo", "--hex-dump"])
        .arg(&log)
        .args(["127.0.0.1", "0"])
        .spawn();
    let to = (Ipv4Addr::LOCALHOST, echo.listening_port());
    let mut wanted = Vec::new();
    for message in ["one", "two"] {
        let sock = udp_socket();
        sock.send_to(message.as_bytes(), to).expect("send");
        let mut buf = [0; 100];
        assert_eq!(sock.recv(&mut buf).expect("an answer"), message.len());
        let port = sock.local_addr().expect("local_addr").port();
        let peer = format!("127.0.0.1 port {port} (udp)");
        wanted.extend(['<', '>'].map(|mark| (mark, peer.clone(), message.as_bytes().to_vec())));
    }
    echo.signal(Signal::TERM);
    echo.wait().expect_signal(Signal::TERM);
    let got: Vec<_> = records(&text(&log))
        .into_iter()
        .map(|record| (record.mark, record.peer, record.bytes))
        .collect();
    assert_eq!(got, wanted);
}

#[test]
fn a_unix_socket_is_logged_under_its_path() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let server = Server::new(Transport::Unix, &dir);
    let mut rnc = rnc(["--log-format", "tagged", "--output"])
        .arg(&log)
        .args(server.words())
        .stdin(Stdin::Pipe)
        .spawn();
    let mut peer = server.accept(&rnc);
    talk(&mut rnc, &mut peer);
    end(rnc, &peer).expect_code(0);
    assert_eq!(text(&log).matches(" (unix): ").count(), 3);
}

/// Sends much through a client that logs to `log`, with the log's reader, if any, held back; the
/// traffic has to come through whole.
#[track_caller]
fn much_passes(format: &str, log: &Path) -> crate::common::Finished {
    let (mut rnc, mut peer) = client([
        OsStr::new("--log-format"),
        OsStr::new(format),
        OsStr::new("--output"),
        log.as_ref(),
    ]);
    let bytes = pattern(MUCH, 3);
    rnc.feed(bytes.clone());
    peer.half_close();
    assert_bytes("traffic", &peer.read_all(&rnc), &bytes);
    rnc.wait()
}

#[test]
fn a_full_device_is_told_once_and_stops_nothing() {
    let done = much_passes("plain", Path::new("/dev/full")).expect_code(0);
    done.expect_complaint("write to log /dev/full failed: No space left on device");
}

#[test]
fn a_file_that_fails_is_told_once_and_stops_nothing() {
    // A regular file by its kind; it takes nothing but a number.
    let path = Path::new("/proc/self/oom_score_adj");
    let done = much_passes("plain", path).expect_code(0);
    done.expect_complaint("write to log /proc/self/oom_score_adj failed: Invalid argument");
}

#[test]
fn a_log_that_cannot_be_opened_fails_before_anything_is_sent() {
    let server = Server::tcp();
    rnc(["--output", "/nonexistent/log"])
        .args(server.words())
        .run()
        .expect_code(1)
        .expect_complaint("open log /nonexistent/log failed: No such file or directory");
}

#[test]
fn a_log_bigger_than_any_queue_is_whole_in_a_file() {
    let dir = TempDir::new();
    let log = dir.join("log");
    much_passes("plain", &log).expect_code(0).expect_silence();
    assert_bytes("log", &fs::read(log).expect("a log"), &pattern(MUCH, 3));
}

#[test]
fn a_fifo_nobody_reads_stops_nothing() {
    let dir = TempDir::new();
    let fifo = dir.fifo("log");
    let done = much_passes("plain", &fifo).expect_code(0);
    done.expect_complaint("writing it was too slow");
}

#[test]
fn a_fifo_whose_reader_sleeps_stops_nothing() {
    let dir = TempDir::new();
    let fifo = dir.fifo("log");
    let opened = fifo.clone();
    let reader = thread::spawn(move || File::open(opened).expect("open"));
    let done = much_passes("json", &fifo).expect_code(0);
    done.expect_complaint("writing it was too slow");
    let mut log = String::new();
    let mut reader = reader.join().expect("the reader");
    reader.read_to_string(&mut log).expect("read");
    assert!(log.starts_with("{\"time\":"));
}

#[test]
fn a_fifo_whose_reader_comes_late_gets_everything() {
    let dir = TempDir::new();
    let fifo = dir.fifo("log");
    let (mut rnc, mut peer) = client([OsStr::new("--output"), fifo.as_ref()]);
    talk(&mut rnc, &mut peer);
    let mut reader = File::open(&fifo).expect("open");
    end(rnc, &peer).expect_code(0).expect_silence();
    let mut log = String::new();
    reader.read_to_string(&mut log).expect("read");
    assert_eq!(log, "question\nanswer\nthanks\n");
}

#[test]
fn a_fifo_whose_reader_leaves_is_told_once() {
    let dir = TempDir::new();
    let fifo = dir.fifo("log");
    let (mut rnc, mut peer) = client([OsStr::new("--output"), fifo.as_ref()]);
    rnc.send("one\n");
    peer.read_some(4, &rnc);
    let mut reader = File::open(&fifo).expect("open");
    reader.read_exact(&mut [0; 4]).expect("read");
    close(reader);
    rnc.send("two\n");
    peer.read_some(4, &rnc);
    rnc.send("three\n");
    peer.read_some(6, &rnc);
    let done = end(rnc, &peer).expect_code(0);
    done.expect_complaint("failed: Broken pipe; it ends there");
}

#[test]
fn interrupted_rnc_keeps_what_passed() {
    let dir = TempDir::new();
    let log = dir.join("log");
    let (mut rnc, mut peer) = client([OsStr::new("--output"), log.as_ref()]);
    talk(&mut rnc, &mut peer);
    rnc.signal(Signal::INT);
    rnc.wait().expect_signal(Signal::INT);
    assert_eq!(text(&log), "question\nanswer\nthanks\n");
}
