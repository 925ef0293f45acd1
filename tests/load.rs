//! Very many clients at once, and abusive ones among good ones: nobody else notices.

mod common;

use common::{
    Cmd, Running, Sock, Stdin, Stdout, assert_bytes, connect_to_listener, descriptors_of,
    may_have_descriptors, pattern, peak_rss_kib, rnc, rnc_binary,
};
use rustix::net::{RecvFlags, SendFlags};
use socket2::SockRef;
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Connections held at once.
const CONNECTIONS: usize = 10_000;
/// What the test and rnc have open besides.
const OTHER_DESCRIPTORS: u64 = 200;
const THREADS: usize = 4;
/// Good clients beside an abusive one.
const GOOD: usize = 100;
/// Words each of them says.
const ROUNDS: usize = 20;

#[test]
fn ten_thousand_connections_at_once_are_all_echoed() {
    let wanted = u64::try_from(CONNECTIONS).expect("a number") + OTHER_DESCRIPTORS;
    if !may_have_descriptors(wanted) {
        return;
    }
    // rnc begins with a low limit, and raises it itself.
    let rnc = Cmd::new("/bin/sh")
        .args(["-c", "ulimit -Sn 64; exec \"$0\" -lk --echo 127.0.0.1 0"])
        .arg(rnc_binary())
        .spawn();
    let port = rnc.listening_port();
    let all_there = Barrier::new(THREADS);
    thread::scope(|scope| {
        for share in 0..THREADS {
            let (rnc, all_there) = (&rnc, &all_there);
            scope.spawn(move || {
                let mut clients: Vec<TcpStream> =
                    (0..CONNECTIONS / THREADS).map(|_| connect(port)).collect();
                all_there.wait();
                for round in 0..2 {
                    echo_with_all(&mut clients, &format!("{share} {round}"));
                }
                if all_there.wait().is_leader() {
                    assert!(descriptors_of(rnc.pid()) > CONNECTIONS);
                }
                all_there.wait();
                // One ends as it should; the others leave no port behind that has to wait.
                let last = clients.pop().expect("a client");
                end_well(last);
                clients.into_iter().for_each(reset);
            });
        }
    });
    let peak = peak_rss_kib(rnc.pid());
    assert!(peak < 64 << 10, "{peak} KiB");
    // None of that was its end.
    end_well(connect(port));
}

fn connect(port: u16) -> TcpStream {
    let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("connect");
    client
        .set_read_timeout(Some(common::DEADLINE))
        .expect("SO_RCVTIMEO");
    client
}

/// All say their word before anyone hears it.
fn echo_with_all(clients: &mut [TcpStream], what: &str) {
    let word = |n: usize| format!("{what} {n:5}");
    for (n, client) in clients.iter_mut().enumerate() {
        client.write_all(word(n).as_bytes()).expect("write");
    }
    for (n, client) in clients.iter_mut().enumerate() {
        let wanted = word(n);
        let mut heard = vec![0; wanted.len()];
        client.read_exact(&mut heard).expect("an echo");
        assert_bytes("echo", &heard, wanted.as_bytes());
    }
}

fn end_well(mut client: TcpStream) {
    client.write_all(b"the end").expect("write");
    client
        .shutdown(std::net::Shutdown::Write)
        .expect("shutdown");
    let mut rest = Vec::new();
    client.read_to_end(&mut rest).expect("the end");
    assert_bytes("echo", &rest, b"the end");
}

fn reset(client: TcpStream) {
    SockRef::from(&client)
        .set_linger(Some(Duration::ZERO))
        .expect("SO_LINGER");
}

/// What an abusive client does.
#[derive(Clone, Copy, Debug)]
enum Abuse {
    /// Sends as long as anybody reads it, and reads nothing.
    NeverReads,
    /// Sends one byte at a time, and never a whole line.
    OneByteAtATime,
    /// Comes and breaks off, over and over.
    Resets,
    /// Sends and reads as fast as it can.
    Floods,
}

const ABUSES: [Abuse; 4] = [
    Abuse::NeverReads,
    Abuse::OneByteAtATime,
    Abuse::Resets,
    Abuse::Floods,
];

impl Abuse {
    /// Goes on until told to stop.
    fn go_on(self, rnc: &Running, stop: &AtomicBool) {
        let mut client = connect_to_listener(rnc, None);
        while !stop.load(Ordering::Relaxed) {
            match self {
                Abuse::NeverReads => flood_once(&client, false),
                Abuse::OneByteAtATime => {
                    client.say("x", rnc);
                    thread::park_timeout(Duration::from_millis(20));
                }
                Abuse::Resets => {
                    // No faster than a build without optimization can take them in.
                    thread::park_timeout(Duration::from_millis(5));
                    client.say("abuse without a line end", rnc);
                    let next = connect_to_listener(rnc, None);
                    std::mem::replace(&mut client, next).reset();
                }
                Abuse::Floods => flood_once(&client, true),
            }
        }
    }
}

/// Sends, and perhaps reads, what goes at once; else has a rest.
fn flood_once(client: &Sock, reads: bool) {
    let mut buf = [b'\n'; 16 << 10];
    let sent = rustix::net::send(client, &buf, SendFlags::DONTWAIT).is_ok();
    let heard = reads && rustix::net::recv(client, &mut buf[..], RecvFlags::DONTWAIT).is_ok();
    if !(sent || heard) {
        thread::park_timeout(Duration::from_millis(1));
    }
}

/// Runs `good` while an abusive client is at it.
fn beside(abuse: Abuse, rnc: &Running, good: impl FnOnce()) {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let abusive = scope.spawn(|| abuse.go_on(rnc, &stop));
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(good));
        stop.store(true, Ordering::Relaxed);
        abusive.thread().unpark();
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn good_clients_of_echo_do_not_notice_an_abusive_one() {
    for abuse in ABUSES {
        let rnc = rnc(["-lk", "--echo", "127.0.0.1", "0"]).spawn();
        beside(abuse, &rnc, || {
            let mut good: Vec<Sock> = (0..GOOD).map(|_| connect_to_listener(&rnc, None)).collect();
            for round in 0..ROUNDS {
                let word = |n: usize| pattern(100 + n, u32::try_from(round).expect("a few"));
                for (n, client) in good.iter_mut().enumerate() {
                    client.say(word(n), &rnc);
                }
                for (n, client) in good.iter_mut().enumerate() {
                    let heard = client.read_some(100 + n, &rnc);
                    assert_bytes(&format!("{abuse:?}"), &heard, &word(n));
                }
            }
            for mut client in good {
                client.half_close();
                assert_bytes(&format!("{abuse:?}: the end"), &client.read_all(&rnc), b"");
            }
        });
    }
}

#[test]
fn good_clients_of_a_crowd_do_not_notice_an_abusive_one() {
    for abuse in ABUSES {
        // Of all that comes out only what good clients said.
        let (reader, writer) = std::io::pipe().expect("pipe");
        let said = Cmd::new("grep")
            .args(["--line-buffered", "-ao", "good .*"])
            .stdin(Stdin::Fd(reader.into()))
            .spawn();
        let mut rnc = rnc(["-lk", "127.0.0.1", "0"])
            .stdin(Stdin::Pipe)
            .stdout(Stdout::Fd(writer.into()))
            .spawn();
        let mut stdin = rnc.take_stdin();
        beside(abuse, &rnc, || {
            let mut good: Vec<Sock> = (0..GOOD).map(|_| connect_to_listener(&rnc, None)).collect();
            // Whoever is heard is there when something is typed.
            for (n, client) in good.iter_mut().enumerate() {
                client.say(format!("good {n} is here\n"), &rnc);
            }
            for n in 0..GOOD {
                said.shows(&format!("good {n} is here\n"));
            }
            for round in 0..ROUNDS {
                let typed = format!("round {round}\n");
                stdin.write_all(typed.as_bytes()).expect("type");
                for (n, client) in good.iter_mut().enumerate() {
                    let heard = client.read_some(typed.len(), &rnc);
                    assert_bytes(&format!("{abuse:?}"), &heard, typed.as_bytes());
                    client.say(format!("good {n} heard {round}\n"), &rnc);
                }
            }
            for n in 0..GOOD {
                said.shows(&format!("good {n} heard {}\n", ROUNDS - 1));
            }
        });
        let all = said.stdout.bytes();
        let lines: BTreeSet<String> = String::from_utf8_lossy(&all)
            .lines()
            .filter(|line| line.contains(" heard "))
            .map(str::to_string)
            .collect();
        let wanted: BTreeSet<String> = (0..GOOD)
            .flat_map(|n| (0..ROUNDS).map(move |round| format!("good {n} heard {round}")))
            .collect();
        assert_eq!(lines, wanted, "{abuse:?}");
    }
}
