//! Many clients joined to each other (`--broker`, `--chat`), and told apart (`--tag`): what one says
//! reaches all the others, whole, and nobody keeps the others waiting.

use crate::common::{
    Cmd, Finished, Log, Running, Sock, Stdin, Stdout, TempDir, Transport, assert_bytes,
    connect_to_listener, descriptors_of, eventually, pattern, private_kib, require, rnc, work_done,
};
use rustix::process::Signal;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// rnc with many clients, and how many have come.
struct Crowd {
    rnc: Running,
    path: Option<PathBuf>,
    arrivals: AtomicUsize,
    _dir: TempDir,
}

impl Crowd {
    #[track_caller]
    fn new(options: &[&str]) -> Crowd {
        Crowd::over(Transport::Tcp, options, |cmd| cmd)
    }

    #[track_caller]
    fn over(transport: Transport, options: &[&str], shape: impl FnOnce(Cmd) -> Cmd) -> Crowd {
        let dir = TempDir::new();
        let path = (transport == Transport::Unix).then(|| dir.join("crowd"));
        let place: Vec<OsString> = match &path {
            Some(path) => vec!["-U".into(), path.into()],
            None => vec!["0".into()],
        };
        let options = ["-l", "-v", "-n"].iter().chain(options).map(OsString::from);
        Crowd {
            rnc: shape(rnc(options.chain(place))).spawn(),
            path,
            arrivals: AtomicUsize::new(0),
            _dir: dir,
        }
    }

    /// A client that has been let in.
    #[track_caller]
    fn join(&self) -> Sock {
        let sock = connect_to_listener(&self.rnc, self.path.as_ref());
        self.knows_one_more();
        sock
    }

    /// As `join`, with a receive buffer as small as the system makes it.
    #[track_caller]
    fn join_with_little_room(&self) -> Socket {
        let sock = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        sock.set_recv_buffer_size(1).expect("SO_RCVBUF");
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, self.rnc.listening_port()));
        sock.connect(&SockAddr::from(addr)).expect("connect");
        self.knows_one_more();
        sock
    }

    /// Waits until whoever connected last has been let in.
    #[track_caller]
    fn knows_one_more(&self) {
        let wanted = self.arrivals.fetch_add(1, Ordering::SeqCst) + 1;
        let has_come = |stderr: &[u8]| count(stderr, "Connection received on") >= wanted;
        if !self.rnc.stderr.wait_until(has_come) {
            self.rnc.fail("it does not let a client in");
        }
    }

    /// Waits until all who were dropped or left are told to have done so.
    fn ends(self) -> Finished {
        self.rnc.signal(Signal::TERM);
        self.rnc.wait().expect_signal(Signal::TERM)
    }
}

fn count(text: &[u8], word: &str) -> usize {
    String::from_utf8_lossy(text).matches(word).count()
}

#[track_caller]
fn hears(sock: &mut Sock, wanted: impl AsRef<[u8]>, crowd: &Crowd) {
    let wanted = wanted.as_ref();
    let got = sock.read_some(wanted.len(), &crowd.rnc);
    assert_bytes("a member heard", &got, wanted);
}

fn piped(cmd: Cmd) -> Cmd {
    cmd.stdin(Stdin::Pipe)
}

#[test]
fn what_one_says_goes_to_all_others_and_to_nobody_else() {
    for transport in [Transport::Tcp, Transport::Unix] {
        let crowd = Crowd::over(transport, &["--broker"], |cmd| cmd);
        let mut members: Vec<Sock> = (0..4).map(|_| crowd.join()).collect();
        for speaker in 0..members.len() {
            // Not a line, and not text.
            let words = [&[speaker as u8, 0, 0xff][..], b"\x1b[31m"].concat();
            members[speaker].say(&words, &crowd.rnc);
            for (at, member) in members.iter_mut().enumerate() {
                if at != speaker {
                    hears(member, &words, &crowd);
                }
            }
        }
        // All have heard all of it by now: what had come back would be there.
        assert!(members.iter().all(Sock::has_nothing_to_read));
        crowd.ends().expect_stdout("");
    }
}

#[test]
fn stdin_goes_to_all_and_its_end_changes_nothing() {
    let mut crowd = Crowd::over(Transport::Tcp, &["--broker"], piped);
    let (mut ann, mut bob) = (crowd.join(), crowd.join());
    crowd.rnc.send("from stdin, unfinished");
    hears(&mut ann, "from stdin, unfinished", &crowd);
    hears(&mut bob, "from stdin, unfinished", &crowd);
    crowd.rnc.close_stdin();
    ann.say("and on", &crowd.rnc);
    hears(&mut bob, "and on", &crowd);
    crowd.ends().expect_stdout("");
}

#[test]
fn stdin_waits_for_the_first_member() {
    let mut crowd = Crowd::over(Transport::Tcp, &["--broker"], piped);
    crowd.rnc.send("early\n");
    hears(&mut crowd.join(), "early\n", &crowd);
}

#[test]
fn a_member_that_ends_gets_what_waits_and_its_last_words_are_heard() {
    let crowd = Crowd::new(&["--broker"]);
    let (mut ann, mut bob) = (crowd.join(), crowd.join());
    let last_words = pattern(3_000_000, 1);
    let said = last_words.clone();
    let speaker = thread::spawn(move || {
        ann.write_all(&said).expect("say");
        ann.half_close();
        let mut rest = Vec::new();
        ann.read_to_end(&mut rest).expect("the end comes back");
        rest
    });
    hears(&mut bob, &last_words, &crowd);
    assert_bytes("its own end", &speaker.join().expect("speaker"), b"");
    // Bob is still there, alone.
    let mut cid = crowd.join();
    bob.say("hello!", &crowd.rnc);
    hears(&mut cid, "hello!", &crowd);
}

#[test]
fn until_both_keeps_a_member_that_only_listens() {
    let crowd = Crowd::new(&["--broker", "--until", "both"]);
    let (mut ann, mut bob) = (crowd.join(), crowd.join());
    ann.half_close();
    for _ in 0..3 {
        bob.say("still there?", &crowd.rnc);
        hears(&mut ann, "still there?", &crowd);
    }
}

#[test]
fn rnc_nc_and_ncat_hear_each_other() {
    let (Some(nc), Some(ncat)) = (
        require("nc.openbsd", "netcat-openbsd"),
        require("ncat", "ncat"),
    ) else {
        return;
    };
    let crowd = Crowd::new(&["--broker"]);
    let port = crowd.rnc.listening_port().to_string();
    let programs = [crate::common::rnc_binary().to_path_buf(), nc, ncat];
    let mut members: Vec<Running> = programs
        .iter()
        .map(|program| {
            let member = Cmd::new(program).args(["127.0.0.1", &port]);
            let member = member.stdin(Stdin::Pipe).spawn();
            crowd.knows_one_more();
            member
        })
        .collect();
    for speaker in 0..members.len() {
        let words = format!("this is {speaker}\n");
        members[speaker].send(&words);
        for (at, member) in members.iter().enumerate() {
            if at != speaker {
                member.shows(&words);
            }
        }
    }
    for member in &members {
        assert_eq!(count(&member.stdout.bytes(), "this is"), 2);
    }
}

/// Takes in a pattern from a stream as it comes; says whether all of it came.
fn takes_in(
    mut source: impl Read + Send + 'static,
    wanted: &Arc<Vec<u8>>,
) -> thread::JoinHandle<bool> {
    let wanted = Arc::clone(wanted);
    thread::spawn(move || {
        let (mut buf, mut at) = (vec![0; 64 << 10], 0);
        while at < wanted.len() {
            match source.read(&mut buf) {
                Ok(n) if n > 0 && wanted[at..].starts_with(&buf[..n]) => at += n,
                _ => return false,
            }
        }
        true
    })
}

#[test]
fn a_member_that_never_reads_is_dropped_and_fifty_others_get_everything() {
    let crowd = Crowd::new(&["--broker"]);
    let mut speaker = crowd.join();
    let deaf = crowd.join_with_little_room();
    let words = Arc::new(pattern(16_000_000, 2));
    let others: Vec<_> = (0..50).map(|_| takes_in(crowd.join(), &words)).collect();
    speaker.say(&*words, &crowd.rnc);
    for other in others {
        assert!(other.join().expect("a member"), "a member missed something");
    }
    crowd.rnc.says("does not read: dropped");
    drop(deaf);
    let finished = crowd.ends();
    assert_eq!(count(finished.stderr.as_bytes(), "does not read"), 1);
}

#[test]
fn a_slow_member_slows_the_speaker_and_loses_nothing() {
    let crowd = Crowd::new(&["--broker", "--queue", "64Ki"]);
    let mut speaker = crowd.join();
    let mut slow = crowd.join_with_little_room();
    let words = Arc::new(pattern(3_000_000, 3));
    let other = takes_in(crowd.join(), &words);
    let said = Arc::clone(&words);
    let speaks = thread::spawn(move || speaker.write_all(&said).map(|()| speaker));
    let mut got = vec![0; words.len()];
    for piece in got.chunks_mut(1000) {
        slow.read_exact(piece).expect("the slow one stays");
    }
    assert_bytes("the slow one heard", &got, &words);
    assert!(other.join().expect("the other one"));
    speaks.join().expect("the speaker").expect("say");
}

#[test]
fn two_members_that_flood_and_never_read_stop_nobody() {
    let crowd = Crowd::new(&["--broker"]);
    let (mut ann, bob) = (crowd.join(), crowd.join());
    let floods: Vec<_> = (0..2).map(|_| crowd.join_with_little_room()).collect();
    for mut flood in floods {
        thread::spawn(move || {
            let noise = pattern(1 << 16, 4);
            // Fails once it has been dropped.
            while flood.write_all(&noise).is_ok() {}
        });
    }
    let heard = Log::follow(bob.try_clone());
    let _ann_heard = Log::follow(ann.try_clone());
    let dropped = |stderr: &[u8]| count(stderr, "does not read: dropped") == 2;
    if !crowd.rnc.stderr.wait_until(dropped) {
        crowd.rnc.fail("the two are not dropped");
    }
    ann.say("at last", &crowd.rnc);
    if !heard.wait_for("at last") {
        crowd.rnc.fail("nobody is heard any more");
    }
    bob.half_close();
}

#[test]
fn a_reset_tells_nothing_and_stops_nobody() {
    let crowd = Crowd::new(&["--chat"]);
    let mut ann = crowd.join();
    let heard = Log::follow(ann.try_clone());
    let mut rude = crowd.join();
    rude.say("whole\nunfinis", &crowd.rnc);
    assert!(heard.wait_for("<user2> whole\n"));
    rude.reset();
    assert!(heard.wait_for("<announce> <user2> is disconnected.\n"));
    let mut bob = crowd.join();
    ann.say("on we go\n", &crowd.rnc);
    let line = "<user1> on we go\n";
    let greeting = bob.read_some(greeting_len(&ann, &bob), &crowd.rnc);
    assert_eq!(count(&greeting, "<user3>"), 1);
    hears(&mut bob, line, &crowd);
}

/// How long what user3 is told is when user1 is there.
fn greeting_len(user1: &Sock, user3: &Sock) -> usize {
    let (first, third) = (user1.ports().0, user3.ports().0);
    format!(
        "<announce> 127.0.0.1:{third} is connected as <user3>.\n\
         <announce> already connected: 127.0.0.1:{first} as <user1>.\n"
    )
    .len()
}

#[test]
fn a_chat_has_ncats_names_and_announcements() {
    let mut crowd = Crowd::over(Transport::Tcp, &["--chat"], piped);
    let mut ann = crowd.join();
    let first = ann.ports().0;
    let joined = format!("<announce> 127.0.0.1:{first} is connected as <user1>.\n");
    hears(&mut ann, joined, &crowd);
    hears(&mut ann, "<announce> already connected: nobody.\n", &crowd);
    let mut bob = crowd.join();
    let second = bob.ports().0;
    let joined = format!("<announce> 127.0.0.1:{second} is connected as <user2>.\n");
    hears(&mut ann, &joined, &crowd);
    hears(&mut bob, &joined, &crowd);
    let present = format!("<announce> already connected: 127.0.0.1:{first} as <user1>.\n");
    hears(&mut bob, present, &crowd);

    bob.say("hel", &crowd.rnc);
    crowd.rnc.send("from stdin\nno end");
    hears(&mut ann, "<user0> from stdin\n", &crowd);
    bob.say("lo\r\n\x1b[2J\x07\tgr\u{f6}\u{df}e \n", &crowd.rnc);
    hears(&mut ann, "<user2> hello\n", &crowd);
    hears(
        &mut ann,
        "<user2> \\x1b[2J\\x07\tgr\u{f6}\u{df}e \n",
        &crowd,
    );
    hears(&mut bob, "<user0> from stdin\n", &crowd);
    crowd.rnc.close_stdin();
    hears(&mut ann, "<user0> no end\n", &crowd);
    hears(&mut bob, "<user0> no end\n", &crowd);
    bob.say("bye", &crowd.rnc);
    bob.half_close();
    hears(
        &mut ann,
        "<user2> bye\n<announce> <user2> is disconnected.\n",
        &crowd,
    );
    crowd.ends().expect_stdout("");
}

#[test]
fn a_chat_over_a_unix_socket_numbers_its_members() {
    let crowd = Crowd::over(Transport::Unix, &["--chat"], |cmd| cmd);
    let mut ann = crowd.join();
    hears(
        &mut ann,
        "<announce> unix:1 is connected as <user1>.\n",
        &crowd,
    );
}

#[test]
fn lines_of_many_speakers_at_once_stay_whole() {
    let crowd = Crowd::new(&["--chat"]);
    let heard = Log::follow(crowd.join());
    let speakers: Vec<_> = (0..8)
        .map(|speaker| {
            let mut sock = crowd.join();
            // What they hear has to be taken, too.
            let _hears = Log::follow(sock.try_clone());
            thread::spawn(move || {
                for line in 0..200 {
                    let line = format!("{line} of {speaker}, and no more of it\n");
                    let (head, tail) = line.split_at(7);
                    sock.write_all(head.as_bytes()).expect("say");
                    sock.write_all(tail.as_bytes()).expect("say");
                }
                sock
            })
        })
        .collect();
    let speakers: Vec<Sock> = speakers
        .into_iter()
        .map(|one| one.join().expect("said"))
        .collect();
    let all = |bytes: &[u8]| count(bytes, ", and no more of it\n") == 8 * 200;
    if !heard.wait_until(all) {
        crowd.rnc.fail("not all lines have come");
    }
    let text = heard.text();
    for line in text.lines().filter(|line| !line.starts_with("<announce> ")) {
        let (name, rest) = line.split_once("> ").expect("a name");
        assert!(name.starts_with("<user"), "{line:?}");
        assert!(rest.starts_with(|c: char| c.is_ascii_digit()), "{line:?}");
        assert!(rest.ends_with(", and no more of it"), "{line:?}");
    }
    drop(speakers);
}

#[test]
fn a_thousand_come_and_go() {
    let crowd = Crowd::new(&["--chat"]);
    let heard = Log::follow(crowd.join());
    let at_first = descriptors_of(crowd.rnc.pid());
    for _ in 0..20 {
        let mut round: Vec<Sock> = (0..50).map(|_| crowd.join()).collect();
        round[0].say("half a li", &crowd.rnc);
        for (at, sock) in round.drain(..).enumerate() {
            match at % 3 {
                0 => sock.half_close(),
                1 => sock.reset(),
                _ => drop(sock),
            }
        }
    }
    let all_left = |bytes: &[u8]| count(bytes, " is disconnected.\n") == 1000;
    if !heard.wait_until(all_left) {
        crowd.rnc.fail("not all have left");
    }
    assert!(
        eventually(|| descriptors_of(crowd.rnc.pid()) == at_first),
        "descriptors are left open"
    );
    assert_eq!(count(&heard.bytes(), "half a li\n"), 20);
}

#[test]
fn an_idle_member_costs_little_memory() {
    const MEMBERS: u64 = 400;
    const MOST_KIB_EACH: u64 = 2;
    let crowd = Crowd::new(&["--broker"]);
    let words = vec![b'x'; 20_000];
    let mut first = crowd.join();
    let (mut heard, mut members) = (0, vec![crowd.join()]);
    first.say(&words, &crowd.rnc);
    hears(&mut members[0], &words, &crowd);
    let before = private_kib(crowd.rnc.pid());
    members.extend((1..MEMBERS).map(|_| crowd.join()));
    // They have been busy, too.
    first.say(&words, &crowd.rnc);
    for member in &mut members {
        hears(member, &words, &crowd);
        heard += 1;
    }
    let grown = private_kib(crowd.rnc.pid()).saturating_sub(before);
    assert!(
        heard == MEMBERS && grown <= MOST_KIB_EACH * MEMBERS,
        "{grown} KiB"
    );
}

#[test]
fn a_broker_at_rest_does_nothing() {
    let crowd = Crowd::new(&["--broker"]);
    let (mut ann, mut bob) = (crowd.join(), crowd.join());
    ann.say("x", &crowd.rnc);
    hears(&mut bob, "x", &crowd);
    let rests = eventually(|| {
        let before = work_done(crowd.rnc.pid());
        // Not a time measured: a span in which nothing at all may happen.
        thread::sleep(Duration::from_secs(1));
        work_done(crowd.rnc.pid()).is_at_rest_since(before)
    });
    assert!(rests, "it never comes to rest");
}

#[test]
fn sigint_delivers_what_was_said() {
    let crowd = Crowd::new(&["--broker"]);
    let (mut ann, mut bob) = (crowd.join(), crowd.join());
    let words = pattern(200_000, 5);
    ann.say(&words, &crowd.rnc);
    // It has begun to pass it on, and has read what it passes on.
    let head = bob.read_some(1, &crowd.rnc);
    crowd.rnc.signal(Signal::INT);
    let mut rest = Vec::new();
    // It may end with a reset: not all of what Ann said has to have been read by then.
    let _ = bob.read_to_end(&mut rest);
    let got = [head, rest].concat();
    assert_bytes("Bob heard", &got, &words[..got.len()]);
    crowd.rnc.wait().expect_signal(Signal::INT);
}

#[test]
fn sigint_delivers_an_unfinished_line_of_a_chat() {
    let crowd = Crowd::new(&["--chat"]);
    let (mut ann, bob) = (crowd.join(), crowd.join());
    let heard = Log::follow(bob);
    ann.say("first\nlast wor", &crowd.rnc);
    // What is in the same segment has come, too.
    assert!(heard.wait_for("<user1> first\n"));
    crowd.rnc.signal(Signal::INT);
    assert!(heard.wait_for("<user1> last wor\n"));
    crowd.rnc.wait().expect_signal(Signal::INT);
}

#[test]
fn tags_say_where_each_line_comes_from() {
    let crowd = Crowd::new(&["-k", "--tag"]);
    let (mut ann, mut bob) = (crowd.join(), crowd.join());
    let (first, second) = (ann.ports().0, bob.ports().0);
    ann.say("one\ntw", &crowd.rnc);
    crowd.rnc.shows(&format!("[127.0.0.1:{first}] one\n"));
    bob.say("other\x1b\n", &crowd.rnc);
    crowd
        .rnc
        .shows(&format!("[127.0.0.1:{second}] other\x1b\n"));
    ann.say("o\n", &crowd.rnc);
    crowd.rnc.shows(&format!("[127.0.0.1:{first}] two\n"));
    bob.say("no end", &crowd.rnc);
    drop(bob);
    crowd.rnc.shows(&format!("[127.0.0.1:{second}] no end\n"));
    let shown = crowd.rnc.stdout.bytes();
    assert_eq!(count(&shown, "\n"), 4, "nothing else is written");
}

#[test]
fn tags_of_ipv6_and_unix_clients() {
    let crowd = Crowd::over(Transport::Unix, &["-k", "--tag"], |cmd| cmd);
    let mut ann = crowd.join();
    ann.say("hello\n", &crowd.rnc);
    crowd.rnc.shows("[unix:1] hello\n");

    let six = rnc(["-lk", "--tag", "::1", "0"]).spawn();
    let addr = (Ipv6Addr::LOCALHOST, six.listening_port());
    let mut sock = std::net::TcpStream::connect(addr).expect("connect");
    let port = sock.local_addr().expect("an address").port();
    sock.write_all(b"hello\n").expect("say");
    six.shows(&format!("[[::1]:{port}] hello\n"));
}

#[test]
fn an_unfinished_tagged_line_is_written_when_rnc_ends() {
    let crowd = Crowd::new(&["-k", "--tag"]);
    let mut ann = crowd.join();
    ann.say("first\nunfinished", &crowd.rnc);
    crowd.rnc.shows("first\n");
    let port = ann.ports().0;
    let tag = format!("[127.0.0.1:{port}] ");
    crowd
        .ends()
        .expect_stdout(format!("{tag}first\n{tag}unfinished\n"));
}

#[test]
fn a_stalled_client_keeps_stdin_from_nobody() {
    let mut crowd = Crowd::over(Transport::Tcp, &["-k"], |cmd| {
        piped(cmd).stdout(Stdout::Null)
    });
    let deaf = crowd.join_with_little_room();
    let words = Arc::new(pattern(16_000_000, 6));
    let other = takes_in(crowd.join(), &words);
    crowd.rnc.feed(words.to_vec());
    assert!(other.join().expect("the other one"));
    crowd.rnc.says("does not read: dropped");
    assert!(SockRef::from(&deaf).peer_addr().is_ok() || crowd.rnc.is_running());
}

#[test]
fn each_client_gets_the_end_of_stdin() {
    let mut crowd = Crowd::over(Transport::Tcp, &["-k"], piped);
    let (mut ann, mut bob) = (crowd.join(), crowd.join());
    crowd.rnc.send("all there is");
    crowd.rnc.close_stdin();
    for one in [&mut ann, &mut bob] {
        let got = one.read_all(&crowd.rnc);
        assert_bytes("a client got", &got, b"all there is");
    }
    // They may still answer.
    ann.say("thanks\n", &crowd.rnc);
    crowd.rnc.shows("thanks\n");
    let got = crowd.join().read_all(&crowd.rnc);
    assert_bytes("who comes late", &got, b"");
}
