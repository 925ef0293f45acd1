//! `-e` and `-c`: a program for each peer. The peers are plain sockets; the programs are those every
//! system has.

use crate::common::{
    Cmd, Running, Server, Sock, TempDir, Transport, assert_bytes, connect_to_listener, eventually,
    forge_datagram, pattern, python, require, rnc, udp_socket,
};
use rustix::process::Signal;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::thread;

const BOTH: [Transport; 2] = [Transport::Tcp, Transport::Unix];

/// A listener with a program.
struct Host {
    rnc: Running,
    path: Option<PathBuf>,
    dir: TempDir,
}

impl Host {
    /// Over TCP; the command is the value of `-c`.
    #[track_caller]
    fn shell(options: &str, command: &str) -> Host {
        Host::over(Transport::Tcp, options, "-c", command)
    }

    #[track_caller]
    fn over(transport: Transport, options: &str, option: &str, command: &str) -> Host {
        let dir = TempDir::new();
        let mut words: Vec<OsString> = options.split_whitespace().map(OsString::from).collect();
        words.extend([option.into(), command.into()]);
        let path = match transport {
            Transport::Tcp => {
                words.extend(["127.0.0.1".into(), "0".into()]);
                None
            }
            Transport::Unix => {
                let path = dir.join("socket");
                words.extend(["-v".into(), "-U".into(), path.clone().into()]);
                Some(path)
            }
        };
        let rnc = rnc(words).dir(dir.path()).spawn();
        rnc.listening_line();
        Host { rnc, path, dir }
    }

    #[track_caller]
    fn client(&self) -> Sock {
        connect_to_listener(&self.rnc, self.path.as_ref())
    }

    /// What one client hears that says nothing.
    #[track_caller]
    fn answer(&self) -> String {
        let mut client = self.client();
        client.half_close();
        String::from_utf8(client.read_all(&self.rnc)).expect("text")
    }
}

/// The children of a process, as the system tells them, zombies too.
fn children(pid: i32) -> Vec<i32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let list = std::fs::read_to_string(path).unwrap_or_default();
    list.split_whitespace()
        .map(|pid| pid.parse().expect("a pid"))
        .collect()
}

/// Says whether a process is there and no zombie.
fn is_alive(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with('Z')
}

/// Waits for a file that holds a line with a pid, and gives that.
#[track_caller]
fn pid_in(path: &Path, of: &Running) -> i32 {
    let mut pid = None;
    eventually(|| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        pid = text.strip_suffix('\n').and_then(|pid| pid.parse().ok());
        pid.is_some()
    });
    pid.unwrap_or_else(|| of.fail(&format!("no pid in {}", path.display())))
}

#[test]
fn a_program_answers_and_both_ends_are_passed_on() {
    for transport in BOTH {
        for (option, command) in [("-e", "/bin/cat"), ("-e", "cat"), ("-c", "exec cat")] {
            let host = Host::over(transport, "-l", option, command);
            let mut client = host.client();
            client.say("one\n", &host.rnc);
            assert_bytes("one", &client.read_some(4, &host.rnc), b"one\n");
            client.say("two\n", &host.rnc);
            client.half_close();
            assert_bytes("two", &client.read_all(&host.rnc), b"two\n");
            host.rnc.wait().expect_code(0);
        }
    }
}

#[test]
fn words_are_split_at_spaces_and_no_shell_sees_them() {
    let host = Host::over(
        Transport::Tcp,
        "-l",
        "-e",
        "  /bin/echo  $HOME  one\\ word a\\\\b 'x ",
    );
    assert_eq!(host.answer(), "$HOME one word a\\b 'x\n");
    host.rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_client_runs_a_program_too() {
    let dir = TempDir::new();
    for transport in BOTH {
        let server = Server::new(transport, &dir);
        let mut words = server.words();
        words.extend(["-c".into(), "read line; echo got $line; exit 4".into()]);
        words.push("--exec-status".into());
        let client = rnc(words).spawn();
        let mut peer = server.accept(&client);
        peer.say("this\n", &client);
        assert_bytes("to the peer", &peer.read_all(&client), b"got this\n");
        client.wait().expect_code(4).expect_silence();
    }
}

#[test]
fn an_answer_after_the_peers_end_arrives() {
    let host = Host::shell("-l", "cat > all; wc -c < all | tr -d ' '");
    let mut client = host.client();
    let bytes = pattern(3_000_000, 1);
    client.say(&bytes, &host.rnc);
    client.half_close();
    assert_bytes("answer", &client.read_all(&host.rnc), b"3000000\n");
    let stored = std::fs::read(host.dir.join("all")).expect("the file");
    assert_bytes("stored", &stored, &bytes);
}

#[test]
fn the_peer_sees_the_end_of_output_while_the_program_reads_on() {
    let host = Host::shell("-l", "echo ready; exec >&-; cat > all");
    let mut client = host.client();
    assert_bytes("answer", &client.read_all(&host.rnc), b"ready\n");
    client.say("said after that", &host.rnc);
    client.half_close();
    host.rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn the_last_output_is_never_lost() {
    let host = Host::shell("-lk", "echo begin; echo the last words; exit 3");
    for _ in 0..200 {
        let mut client = host.client();
        // More than the program reads, and not ended: a careless close would be a reset.
        client.say("unread\n", &host.rnc);
        let heard = client.read_all(&host.rnc);
        assert_bytes("heard", &heard, b"begin\nthe last words\n");
    }
    assert!(
        eventually(|| children(host.rnc.pid()).is_empty()),
        "zombies"
    );
}

#[test]
fn much_output_reaches_a_slow_reader_whole() {
    for options in ["-l", "-l --until stdin"] {
        let host = Host::shell(options, "cat data; cat data >&2");
        let bytes = pattern(5_000_000, 7);
        host.dir.file("data", &bytes);
        let mut client = host.client();
        let begin = client.read_some(10, &host.rnc);
        assert!(eventually(|| children(host.rnc.pid())
            .iter()
            .all(|pid| is_alive(*pid))));
        let rest = client.read_all(&host.rnc);
        assert_bytes("heard", &[begin, rest].concat(), &bytes);
        drop(client);
        host.rnc.wait().expect_code(0);
    }
}

#[test]
fn megabytes_go_both_ways_at_once() {
    for transport in BOTH {
        let host = Host::over(transport, "-l", "-e", "/bin/cat");
        let mut client = host.client();
        let bytes = pattern(20_000_000, 3);
        let mut writer = client.try_clone();
        let sent = bytes.clone();
        let writing = thread::spawn(move || {
            writer.write_all(&sent).expect("write");
            writer.half_close();
        });
        let heard = client.read_all(&host.rnc);
        writing.join().expect("writer");
        assert_bytes("heard", &heard, &bytes);
        host.rnc.wait().expect_code(0);
    }
}

#[test]
fn each_client_has_a_program_of_its_own_all_at_once() {
    let host = Host::shell(
        "-lk",
        "read name; echo \"hello $name from $RNC_REMOTE_PORT\"; cat",
    );
    let mut clients: Vec<Sock> = (0..30).map(|_| host.client()).collect();
    for (n, client) in clients.iter_mut().enumerate().rev() {
        client.say(format!("c{n}\n"), &host.rnc);
        let wanted = format!("hello c{n} from {}\n", client.ports().0);
        let heard = client.read_some(wanted.len(), &host.rnc);
        assert_bytes("greeting", &heard, wanted.as_bytes());
    }
    assert_eq!(children(host.rnc.pid()).len(), 30);
    for client in &mut clients {
        client.half_close();
        assert!(client.read_all(&host.rnc).is_empty());
    }
    assert!(
        eventually(|| children(host.rnc.pid()).is_empty()),
        "zombies"
    );
    host.rnc.signal(Signal::TERM);
    host.rnc.wait().expect_signal(Signal::TERM);
}

#[test]
fn the_environment_tells_who_the_peer_is() {
    let host = Host::shell(
        "-lk",
        "env | grep -E '^(RNC|NCAT)_(REMOTE|LOCAL|PROTO)' | sort",
    );
    let mut client = host.client();
    let (peer, ours) = client.ports();
    let wanted: String = ["NCAT", "RNC"]
        .map(|name| {
            format!(
                "{name}_LOCAL_ADDR=127.0.0.1\n{name}_LOCAL_PORT={ours}\n{name}_PROTO=TCP\n\
                 {name}_REMOTE_ADDR=127.0.0.1\n{name}_REMOTE_PORT={peer}\n"
            )
        })
        .concat();
    let heard = client.read_all(&host.rnc);
    assert_eq!(String::from_utf8_lossy(&heard), wanted);
}

#[test]
fn fault_10_the_password_of_a_proxy_is_not_in_the_environment() {
    let command = "env | grep -c -e PROXY_AUTH -e me:secret; echo end";
    let with_secret = |cmd: Cmd| cmd.env("NCAT_PROXY_AUTH", "me:secret");
    let host = with_secret(rnc(["-l", "-c", command, "127.0.0.1", "0"])).spawn();
    let mut client = connect_to_listener(&host, None);
    assert_bytes("environment", &client.read_all(&host), b"0\nend\n");

    // A client with a program, and one as ncat.
    for dialect in ["rnc", "ncat"] {
        let server = Server::tcp();
        let words = ["--as", dialect, "-c", command, "127.0.0.1"];
        let client = rnc(words).arg(server.port().to_string());
        let client = with_secret(client).spawn();
        let mut peer = server.accept(&client);
        assert_bytes("environment", &peer.read_all(&client), b"0\nend\n");
    }
}

#[test]
fn a_unix_socket_is_named_in_the_environment() {
    let host = Host::over(
        Transport::Unix,
        "-l",
        "-c",
        "env | grep -E '^RNC_(REMOTE|LOCAL|PROTO)' | sort",
    );
    let path = host.path.clone().expect("a path");
    let wanted = format!("RNC_LOCAL_ADDR={}\nRNC_PROTO=UNIX\n", path.display());
    assert_eq!(host.answer(), wanted);
}

#[test]
fn a_program_has_three_descriptors_and_no_more() {
    let dir = TempDir::new();
    let server = Server::tcp();
    let mut words = server.words();
    words.extend(["-c".into(), "exec ls /proc/self/fd".into()]);
    // One that rnc was itself given is not for the program either.
    let handed = std::fs::File::create(dir.join("handed")).expect("a file");
    let client = rnc(words).hand(handed.into(), 7).spawn();
    // ls has its own: the directory.
    let heard = server.accept(&client).read_all(&client);
    assert_eq!(String::from_utf8_lossy(&heard), "0\n1\n2\n3\n");
}

#[test]
fn the_limit_on_descriptors_is_that_of_rnc_before_it_raised_it() {
    let dir = TempDir::new();
    // It is set right behind the start.
    let command = "until [ $(ulimit -n) = 99 ]; do sleep 0.01; done; ulimit -n";
    let line = format!("ulimit -S -n 99; exec rnc -lk 127.0.0.1 0 -c '{command}'");
    let host = crate::common::shell(&line, &dir).spawn();
    host.listening_line();
    let mut client = connect_to_listener(&host, None);
    assert_bytes("limit", &client.read_all(&host), b"99\n");
}

#[test]
fn standard_error_stays_ours() {
    let host = Host::shell("-l", "echo to the peer; echo to the log >&2");
    assert_eq!(host.answer(), "to the peer\n");
    host.rnc.says("to the log");
    host.rnc.wait().expect_code(0);
}

#[test]
fn a_program_that_cannot_be_started_is_told_and_the_listener_goes_on() {
    let host = Host::over(Transport::Tcp, "-lk", "-e", "./late");
    let mut client = host.client();
    let mut rest = Vec::new();
    match client.read_to_end(&mut rest) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("wanted a reset, got {other:?}"),
    }
    host.rnc
        .says("rnc: run ./late failed: No such file or directory\n");
    std::os::unix::fs::symlink("/bin/echo", host.dir.join("late")).expect("link");
    assert_eq!(host.answer(), "\n");

    let host = Host::over(Transport::Tcp, "-l", "-e", "/nowhere");
    let mut client = host.client();
    assert!(client.read(&mut [0]).is_err());
    let ended = host.rnc.wait().expect_code(1);
    ended.expect_complaint("run /nowhere failed: No such file or directory");
}

/// A listener with a program for each client and few descriptors.
fn host_with_few_descriptors(options: &str) -> Running {
    let binary = crate::common::rnc_binary().display();
    let line = format!("ulimit -n 30; exec {binary} {options} 127.0.0.1 0 -e /bin/cat");
    let host = crate::common::shell(&line, &TempDir::new()).spawn();
    host.listening_line();
    host
}

#[test]
fn without_descriptors_clients_wait_which_is_reported_once() {
    let host = host_with_few_descriptors("-lk");
    let mut clients: Vec<Sock> = (0..40).map(|_| connect_to_listener(&host, None)).collect();
    host.says("accept failed: Too many open files; clients wait");
    // Each is served when its turn has come, and none is refused.
    for client in &mut clients {
        client.say("here", &host);
        assert_bytes("the answer", &client.read_some(4, &host), b"here");
        client.half_close();
        assert_bytes("the rest", &client.read_all(&host), b"");
    }
    assert_eq!(host.stderr.text().matches("rnc: ").count(), 1);
}

#[test]
fn without_descriptors_peers_are_not_heard_which_is_reported_once() {
    let host = host_with_few_descriptors("-luk");
    let to = (std::net::Ipv4Addr::LOCALHOST, host.listening_port());
    let peers: Vec<_> = (0..40).map(|_| udp_socket()).collect();
    for peer in &peers {
        peer.send_to(b"here", to).expect("send");
    }
    host.says("run /bin/cat failed: Too many open files");
    // What comes from one that has a program is answered, after all others were looked at.
    peers[0].send_to(b"still here", to).expect("send");
    let mut answer = [0; 20];
    for wanted in ["here", "still here"] {
        let len = peers[0].recv(&mut answer).expect("an answer");
        assert_bytes("the answer", &answer[..len], wanted.as_bytes());
    }
    assert_eq!(host.stderr.text().matches("rnc: ").count(), 1);
}

#[test]
fn a_program_that_cannot_be_started_is_reported_once() {
    let host = Host::over(Transport::Tcp, "-lk", "-e", "/nowhere");
    for _ in 0..5 {
        assert!(host.client().read(&mut [0]).is_err());
    }
    host.rnc.says("run /nowhere failed");
    assert_eq!(
        host.rnc
            .stderr
            .text()
            .matches("run /nowhere failed")
            .count(),
        1
    );
    let host = Host::over(Transport::Tcp, "-lkv", "-e", "/nowhere");
    for n in 1..=3 {
        assert!(host.client().read(&mut [0]).is_err());
        let are_told = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .matches("run /nowhere failed")
                .count()
                == n
        };
        assert!(host.rnc.stderr.wait_until(are_told), "-v reports each");
    }
}

#[test]
fn the_exit_code_is_the_programs_only_where_asked() {
    for (options, command, code) in [
        ("-l --exec-status", "exit 0", 0),
        ("-l --exec-status", "cat >/dev/null; exit 77", 77),
        ("-l --exec-status", "kill -9 $$", 137),
        ("-l", "exit 77", 0),
    ] {
        let host = Host::shell(options, command);
        host.answer();
        host.rnc.wait().expect_code(code).expect_silence();
    }
}

#[test]
fn a_program_whose_peer_has_reset_is_ended_with_all_it_started() {
    let host = Host::shell("-lk", "sleep 600 & echo $! > pid; cat");
    let mut client = host.client();
    client.say("x", &host.rnc);
    client.read_some(1, &host.rnc);
    let started = pid_in(&host.dir.join("pid"), &host.rnc);
    assert!(is_alive(started));
    client.reset();
    assert!(eventually(|| !is_alive(started)), "sleep lives on");
    assert!(eventually(|| children(host.rnc.pid()).is_empty()));
    assert!(host.rnc.is_running());
}

#[test]
fn a_relay_to_a_program_lets_it_leave_its_input_unread_and_end_by_itself() {
    let command = "sh:exec <&-; echo ready; while [ ! -e go ]; do sleep 0.01; done; echo bye; \
                   exec >&-; sleep 0.01; touch done";
    let host = Host::over(Transport::Tcp, "-lk", "--relay", command);
    let mut client = host.client();
    client.read_some(6, &host.rnc);
    client.say("unread", &host.rnc);
    // The program goes on only now, so that those bytes have nowhere to go.
    std::fs::write(host.dir.join("go"), "").expect("a file");
    client.half_close();
    assert_bytes("answer", &client.read_all(&host.rnc), b"bye\n");
    assert!(
        eventually(|| host.dir.join("done").exists()),
        "it was ended"
    );
    assert!(eventually(|| children(host.rnc.pid()).is_empty()));
}

#[test]
fn a_program_that_hears_no_signal_is_killed() {
    let host = Host::shell(
        "-lk",
        "trap '' TERM HUP INT; echo $$ > pid; echo; sleep 600",
    );
    let mut client = host.client();
    client.read_some(1, &host.rnc);
    let program = pid_in(&host.dir.join("pid"), &host.rnc);
    client.reset();
    assert!(eventually(|| !is_alive(program)), "it lives on");
    assert!(eventually(|| children(host.rnc.pid()).is_empty()));
}

#[test]
fn what_a_program_leaves_behind_is_ended_too() {
    let host = Host::shell("-lk", "sleep 600 & echo $! > pid; echo bye");
    assert_eq!(host.answer(), "bye\n");
    let left = pid_in(&host.dir.join("pid"), &host.rnc);
    assert!(eventually(|| !is_alive(left)), "sleep lives on");
}

#[test]
fn no_program_survives_rnc() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        for command in [
            "sleep 600 & echo $! > pid; wait",
            "trap '' TERM; sleep 600 & echo $! > pid; wait",
        ] {
            let host = Host::shell("-lk", command);
            let client = host.client();
            let program = pid_in(&host.dir.join("pid"), &host.rnc);
            host.rnc.signal(signal);
            host.rnc.wait().expect_signal(signal);
            assert!(eventually(|| !is_alive(program)), "it lives on");
            drop(client);
        }
    }
}

#[test]
fn two_signals_in_a_row_leave_no_program_either() {
    let host = Host::shell(
        "-lk",
        "trap '' TERM; echo $$ > pid; while :; do sleep 600; done",
    );
    let _client = host.client();
    let program = pid_in(&host.dir.join("pid"), &host.rnc);
    // Those that come with the first one are part of it.
    let ends = eventually(|| {
        host.rnc.signal(Signal::TERM);
        !host.rnc.is_running()
    });
    assert!(ends, "it is still there");
    host.rnc.wait().expect_signal(Signal::TERM);
    assert!(eventually(|| !is_alive(program)), "it lives on");
}

#[test]
fn a_client_that_says_nothing_for_too_long_is_let_go_with_its_program() {
    let host = Host::shell("-lk -w 300ms", "echo $$ > pid; exec sleep 600");
    let mut client = host.client();
    // Its program had not ended: it is cut off.
    let end = client.read(&mut [0]).map_err(|error| error.kind());
    assert_eq!(end, Err(ErrorKind::ConnectionReset));
    let program = pid_in(&host.dir.join("pid"), &host.rnc);
    assert!(eventually(|| !is_alive(program)), "it lives on");
}

#[test]
fn a_program_that_reads_nothing_stops_its_peer_and_no_other() {
    let host = Host::shell(
        "-lk",
        "read first; [ \"$first\" = wait ] && exec sleep 600; cat",
    );
    let mut stuck = host.client();
    stuck.say("wait\n", &host.rnc);
    crate::common::flood_until_stuck(&mut stuck, &pattern(4096, 5));
    let mut other = host.client();
    other.say("go\nhello", &host.rnc);
    other.half_close();
    assert_bytes("other", &other.read_all(&host.rnc), b"hello");
}

#[test]
fn line_ends_and_directions_are_changed_as_without_a_program() {
    let host = Host::shell("-l -C", "echo one; echo two");
    assert_eq!(host.answer(), "one\r\ntwo\r\n");

    let host = Host::shell("-l --send-only", "cat; echo sent");
    let mut client = host.client();
    client.say("not wanted", &host.rnc);
    assert_bytes("heard", &client.read_all(&host.rnc), b"sent\n");

    let host = Host::shell("-l -d", "cat > all; echo not sent");
    let mut client = host.client();
    client.say("kept", &host.rnc);
    client.half_close();
    assert!(client.read_all(&host.rnc).is_empty());
    let (dir, rnc) = (host.dir, host.rnc);
    rnc.wait().expect_code(0);
    assert_eq!(std::fs::read(dir.join("all")).expect("the file"), b"kept");
}

/// A UDP listener with a program, and its address.
fn udp_host(options: &[&str], command: &str) -> (Running, (&'static str, u16)) {
    let host = rnc(["-lu", "-c", command, "127.0.0.1", "0"])
        .args(options)
        .spawn();
    let port = host.listening_port();
    (host, ("127.0.0.1", port))
}

#[test]
fn each_udp_peer_has_a_program_of_its_own() {
    let (host, addr) = udp_host(&[], "echo $RNC_PROTO $RNC_REMOTE_PORT; exec cat");
    let peers: Vec<_> = (0..8).map(|_| udp_socket()).collect();
    for peer in &peers {
        for n in 0..20 {
            peer.send_to(format!("datagram {n}").as_bytes(), addr)
                .expect("send");
        }
    }
    let mut buf = [0; 2000];
    for peer in &peers {
        let mut next = || {
            let len = peer.recv(&mut buf).expect("an answer");
            String::from_utf8_lossy(&buf[..len]).into_owned()
        };
        let port = peer.local_addr().expect("local_addr").port();
        assert_eq!(next(), format!("UDP {port}\n"));
        for n in 0..20 {
            assert_eq!(next(), format!("datagram {n}"));
        }
    }
    assert_eq!(children(host.pid()).len(), 8);
    host.signal(Signal::TERM);
    host.wait().expect_signal(Signal::TERM).expect_silence();
}

#[test]
fn a_write_of_a_program_is_one_datagram_whatever_its_length() {
    let (_host, addr) = udp_host(&[], "exec cat");
    let peer = udp_socket();
    let mut buf = vec![0; 70_000];
    for len in [1, 4095, 4096, 4097, 9000, 65_507] {
        let message = pattern(len, 9);
        peer.send_to(&message, addr).expect("send");
        let len = peer.recv(&mut buf).expect("an answer");
        assert_bytes("answer", &buf[..len], &message);
    }
}

#[test]
fn a_silent_udp_peer_is_gone_and_still_gets_what_was_held_back() {
    let (host, addr) = udp_host(&["-w", "200ms"], "tr a-z A-Z");
    let peer = udp_socket();
    let mut buf = [0; 100];
    for (said, answer) in [("once", b"ONCE"), ("more", b"MORE")] {
        peer.send_to(said.as_bytes(), addr).expect("send");
        let len = peer.recv(&mut buf).expect("an answer");
        assert_bytes("answer", &buf[..len], answer);
    }
    assert!(eventually(|| children(host.pid()).is_empty()), "zombies");
}

#[test]
fn a_program_that_ignores_a_silent_udp_peer_is_ended() {
    let (host, addr) = udp_host(&["--idle-timeout", "200ms"], "echo; exec sleep 600");
    let peer = udp_socket();
    peer.send_to(b"x", addr).expect("send");
    peer.recv(&mut [0; 10]).expect("an answer");
    assert!(
        eventually(|| children(host.pid()).is_empty()),
        "it lives on"
    );
    assert!(host.is_running());
}

#[test]
fn no_more_udp_peers_are_heard_than_may_be() {
    let (host, addr) = udp_host(&["--max-conns", "2"], "exec cat");
    let peers: Vec<_> = (0..3).map(|_| udp_socket()).collect();
    let mut buf = [0; 10];
    for peer in &peers[..2] {
        peer.send_to(b"in", addr).expect("send");
        peer.recv(&mut buf).expect("an answer");
    }
    peers[2].send_to(b"out", addr).expect("send");
    host.says("rnc: 2 peers at once: others are not heard\n");
    peers[0].send_to(b"still", addr).expect("send");
    assert_eq!(peers[0].recv(&mut buf).expect("an answer"), 5);
}

#[test]
fn a_flood_from_one_udp_peer_is_bounded_and_others_are_served() {
    let (host, addr) = udp_host(&[], "read x; [ $x = stuck ] && exec sleep 600; exec cat");
    let (flooder, other) = (udp_socket(), udp_socket());
    flooder.send_to(b"stuck\n", addr).expect("send");
    let message = pattern(1400, 2);
    for _ in 0..20_000 {
        flooder.send_to(&message, addr).expect("send");
    }
    // The kernel drops what comes while its buffer is full: so it is said again.
    let mut buf = [0; 10];
    let served = eventually(|| {
        other.send_to(b"go\n", addr).expect("send");
        other.send_to(b"hi", addr).expect("send");
        let limit = std::time::Duration::from_millis(100);
        other.set_read_timeout(Some(limit)).expect("SO_RCVTIMEO");
        other.recv(&mut buf).is_ok()
    });
    assert!(served, "the other one is not served");
    assert!(crate::common::peak_rss_kib(host.pid()) < 32 << 10);
}

#[test]
fn unix_datagrams_reach_programs_too() {
    let dir = TempDir::new();
    let (server, client) = (dir.join("server"), dir.join("client"));
    let host = rnc(["-lu", "-v", "-c", "exec cat", "-U"])
        .arg(&server)
        .spawn();
    host.listening_line();
    let sock = std::os::unix::net::UnixDatagram::bind(&client).expect("bind");
    sock.set_read_timeout(Some(crate::common::DEADLINE))
        .expect("limit");
    let mut buf = [0; 100];
    for said in ["one", "two"] {
        sock.send_to(said.as_bytes(), &server).expect("send");
        let len = sock.recv(&mut buf).expect("an answer");
        assert_bytes("answer", &buf[..len], said.as_bytes());
    }
}

#[test]
fn fault_10_paths_of_unix_peers_are_bytes() {
    let dir = TempDir::new();
    let server = dir.join("server");
    let host = rnc(["-lu", "-v", "-c", "read x; echo for $x", "-U"])
        .arg(&server)
        .dir(dir.path())
        .spawn();
    host.listening_line();
    let names: [&[u8]; 4] = [b"a\xff", b"a\xfe", b"\xc3", b"a\n"];
    let peers = names.map(|name| {
        let sock = UnixDatagram::bind(dir.path().join(OsStr::from_bytes(name))).expect("bind");
        sock.set_read_timeout(Some(crate::common::DEADLINE))
            .expect("limit");
        sock
    });
    for (n, peer) in peers.iter().enumerate() {
        peer.send_to(format!("{n}\n").as_bytes(), &server)
            .expect("send");
    }
    let mut buf = [0; 100];
    for (n, peer) in peers.iter().enumerate() {
        let len = peer.recv(&mut buf).expect("an answer");
        assert_bytes("answer", &buf[..len], format!("for {n}\n").as_bytes());
    }
}

#[test]
fn fault_10_a_datagram_from_our_own_address_is_not_answered() {
    for words in [
        "-lu 127.0.0.1 0",
        "-lu 0.0.0.0 0",
        "-lu :: 0",
        // Others may have the same port.
        "-lu --join 224.0.0.77@lo 0.0.0.0 0",
        "-lu --as nc 127.0.0.1 0",
    ] {
        let rnc = rnc(["-v", "-c", "exec cat"]).args(words.split(' ')).spawn();
        let port = rnc.listening_port();
        if forge_datagram(port, port, b"to itself").is_none() {
            return;
        }
        let peer = udp_socket();
        peer.send_to(b"word", (Ipv4Addr::LOCALHOST, port))
            .expect("send");
        let mut buf = [0; 100];
        let len = peer.recv(&mut buf).expect("an answer");
        assert_bytes("answer", &buf[..len], b"word");
        assert_eq!(children(rnc.pid()).len(), 1, "{words}");
    }
}

#[test]
fn a_unix_datagram_from_our_own_path_is_not_answered() {
    let dir = TempDir::new();
    let server = dir.join("server");
    let impostor = UnixDatagram::bind(&server).expect("bind");
    std::fs::remove_file(&server).expect("remove");
    let host = rnc(["-lu", "-v", "-c", "exec cat", "-U"])
        .arg(&server)
        .spawn();
    host.listening_line();
    impostor.send_to(b"to itself", &server).expect("send");
    let peer = UnixDatagram::bind(dir.join("peer")).expect("bind");
    peer.set_read_timeout(Some(crate::common::DEADLINE))
        .expect("limit");
    peer.send_to(b"word", &server).expect("send");
    let mut buf = [0; 100];
    let len = peer.recv(&mut buf).expect("an answer");
    assert_bytes("answer", &buf[..len], b"word");
    assert_eq!(children(host.pid()).len(), 1);
}

#[test]
fn a_udp_client_runs_a_program() {
    let server = udp_socket();
    let port = server.local_addr().expect("local_addr").port();
    let client = rnc(["-u", "-c", "echo hello; read x; echo got $x", "127.0.0.1"])
        .arg(port.to_string())
        .spawn();
    let mut buf = [0; 100];
    let (len, from) = server.recv_from(&mut buf).expect("a datagram");
    assert_bytes("first", &buf[..len], b"hello\n");
    server.send_to(b"this\n", from).expect("send");
    let len = server.recv(&mut buf).expect("a datagram");
    assert_bytes("second", &buf[..len], b"got this\n");
    client.wait().expect_code(0).expect_silence();
}

#[test]
fn a_program_with_a_terminal_finds_one() {
    let host = Host::shell(
        "-l --pty",
        "tty >/dev/null && stty size && echo on stderr >&2",
    );
    assert_eq!(host.answer(), "24 80\r\non stderr\r\n");
    host.rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn the_peers_end_is_typed_at_a_terminal() {
    let host = Host::shell(
        "-l --pty --exec-status",
        "stty -echo; echo ready; cat; exit 5",
    );
    let mut client = host.client();
    client.read_some("ready\r\n".len(), &host.rnc);
    // The second line is not ended.
    client.say("one\ntwo", &host.rnc);
    client.half_close();
    assert_bytes("heard", &client.read_all(&host.rnc), b"one\r\ntwo");
    host.rnc.wait().expect_code(5).expect_silence();
}

#[test]
fn all_of_a_terminals_last_output_arrives() {
    let host = Host::shell("-lk --pty", "cat data");
    let bytes = "all of it\n".repeat(20_000);
    host.dir.file("data", &bytes);
    for _ in 0..5 {
        assert_eq!(host.answer(), bytes.replace('\n', "\r\n"));
    }
}

#[test]
fn a_terminals_program_is_ended_with_its_peer() {
    let host = Host::shell("-lk --pty", "echo $$ > pid; echo; exec sleep 600");
    let mut client = host.client();
    client.read_some(1, &host.rnc);
    let program = pid_in(&host.dir.join("pid"), &host.rnc);
    client.reset();
    assert!(eventually(|| !is_alive(program)), "it lives on");
}

#[test]
fn the_jobs_of_a_terminals_shell_are_ended_with_its_peer() {
    // Each job has a group of its own, as with an interactive shell. One is stopped.
    let host = Host::shell(
        "-lk --pty",
        "set -m; sleep 600 & echo $! > job; sleep 600 & kill -STOP $!; echo $! > stopped; \
         (trap '' HUP; exec sleep 600) & echo $! > nohup; echo; read line",
    );
    for resets in [true, false] {
        let mut client = host.client();
        client.read_some(1, &host.rnc);
        let jobs = ["job", "stopped", "nohup"].map(|name| {
            let path = host.dir.join(name);
            let pid = pid_in(&path, &host.rnc);
            std::fs::remove_file(path).expect("remove");
            pid
        });
        if resets {
            client.reset();
        } else {
            drop(client);
        }
        for job in jobs {
            assert!(eventually(|| !is_alive(job)), "a job lives on");
        }
    }
}

#[test]
fn what_programs_leave_behind_is_reaped() {
    let orphans = "sleep 600 >/dev/null 2>&1 & setsid true >/dev/null 2>&1 & echo hi";
    let host = Host::shell("-lk --max-conns 1", orphans);
    for _ in 0..5 {
        // The processes are gone a little before rnc has found that out, and the place is free.
        assert!(eventually(|| host.answer() == "hi\n"), "no answer");
        let gone = eventually(|| children(host.rnc.pid()).is_empty());
        assert!(gone, "{:?} are left", children(host.rnc.pid()));
    }
}

/// The clients of the demos, each against a server in one line.
#[test]
fn the_demos_clients_are_served_by_programs() {
    if require("stdbuf", "coreutils").is_none() {
        return;
    }
    let upper = "stdbuf -o0 tr a-z A-Z";
    for (script, udp, command, text, wanted) in [
        (
            "tcp_upper_client.py",
            false,
            upper,
            "hello there",
            "HELLO THERE",
        ),
        (
            "udp_upper_client.py",
            true,
            upper,
            "hello there",
            "HELLO THERE",
        ),
        ("tcp_echo_client.py", false, "cat", "", "Hello, world"),
        (
            "udp_echo_client.py",
            true,
            "cat",
            "",
            "This is the message.",
        ),
    ] {
        let how = if udp { "-lu" } else { "-lk" };
        let host = rnc([how, "127.0.0.1", "0", "-c", command]).spawn();
        let port = host.listening_port().to_string();
        for _ in 0..2 {
            let Some(client) = python(script) else { return };
            let client = client.args(["127.0.0.1", &port]);
            let client = if text.is_empty() {
                client
            } else {
                client.arg(text)
            };
            let answer = client.run().expect_code(0).stdout;
            let answer = String::from_utf8_lossy(&answer).into_owned();
            assert!(answer.contains(wanted), "{script}: {answer}");
        }
    }
}

#[test]
fn a_text_store_is_a_script_with_several_clients_at_once() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/text_store.sh");
    let command = format!("sh {} store", script.display());
    let host = Host::shell("-lk", &command);
    let ask = |client: &mut Sock, request: &str, answer: &str| {
        client.say(format!("{request}\n"), &host.rnc);
        let heard = client.read_some(answer.len() + 1, &host.rnc);
        assert_bytes(request, &heard, format!("{answer}\n").as_bytes());
    };
    let (mut one, mut two, mut three) = (host.client(), host.client(), host.client());
    ask(&mut one, "READ", "empty");
    ask(&mut two, "UPDATE a text of two", "OK");
    ask(&mut one, "READ", "a text of two");
    ask(&mut three, "UPDATE  spaced \\ out ", "OK");
    ask(&mut two, "READ", " spaced \\ out ");
    for mut client in [one, two, three] {
        ask(&mut client, "CLOSE", "BYE");
        assert!(client.read_all(&host.rnc).is_empty());
    }
}

#[test]
fn programs_of_udp_peers_may_finish_within_the_grace() {
    let (host, addr) = udp_host(
        &["--grace", "1m", "-v"],
        "echo ready; read x; sleep 0.1; echo done",
    );
    let (peer, late) = (udp_socket(), udp_socket());
    let mut buf = [0; 10];
    peer.send_to(b"x", addr).expect("send");
    peer.recv(&mut buf).expect("an answer");
    host.signal(Signal::TERM);
    // From now on others are not heard: the first that is not tells.
    late.set_read_timeout(Some(std::time::Duration::from_millis(50)))
        .expect("SO_RCVTIMEO");
    let refused = eventually(|| {
        late.send_to(b"x", addr).expect("send");
        let late_heard = late.recv(&mut buf).is_ok();
        late.send_to(b"y\n", addr).expect("send");
        !late_heard
    });
    assert!(refused, "it lets others in");
    peer.send_to(b"y\n", addr).expect("send");
    let len = peer.recv(&mut buf).expect("an answer");
    assert_bytes("answer", &buf[..len], b"done\n");
    host.wait().expect_code(0);
}
