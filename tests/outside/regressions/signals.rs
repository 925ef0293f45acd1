//! Nothing blocks, and one signal is enough: whatever rnc is doing, whatever its parent has set.

use crate::common::{
    Cmd, Pty, Running, Server, Stdin, Stdout, TempDir, assert_bytes, connect_to_listener,
    eventually, flood_until_stuck, pattern, require, rnc, rnc_binary, rnc_for_all, skip,
};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};
use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

const SIGNALS: [Signal; 3] = [Signal::TERM, Signal::INT, Signal::HUP];

/// Waits until a process has a child, and gives that.
#[track_caller]
fn child_of(parent: &Running) -> i32 {
    let pid = parent.pid();
    let path = format!("/proc/{pid}/task/{pid}/children");
    let mut child = None;
    eventually(|| {
        let list = fs::read_to_string(&path).unwrap_or_default();
        child = list
            .split_whitespace()
            .next()
            .and_then(|pid| pid.parse().ok());
        child.is_some()
    });
    child.unwrap_or_else(|| parent.fail("it has no child"))
}

/// Waits until rnc sleeps: at its start only where it waits for something.
#[track_caller]
fn sleeps(rnc: &Running) {
    let pid = rnc.pid();
    let asleep = format!("{pid} (rnc) S ");
    let is_asleep = || {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
        stat.is_ok_and(|stat| stat.starts_with(&asleep))
    };
    if !eventually(is_asleep) {
        rnc.fail("it does not wait");
    }
}

#[test]
fn one_signal_ends_an_rnc_that_waits_for_a_file() {
    let dir = TempDir::new();
    let (fifo, socket) = (dir.fifo("fifo"), dir.join("socket"));
    let (fifo, socket) = (fifo.display(), socket.display());
    let mut lines = vec![
        format!("-l --allowfile {fifo} 127.0.0.1 0"),
        format!("-lu --denyfile {fifo} 127.0.0.1 0"),
        format!("-l --allowfile {fifo} --port-file {socket} 127.0.0.1 0"),
    ];
    if cfg!(feature = "tls") {
        lines.extend([
            format!("--tls-ca {fifo} 127.0.0.1 1"),
            format!("--tls --tls-cert {fifo} 127.0.0.1 1"),
            format!("-l --tls-cert {fifo} 127.0.0.1 0"),
            format!("-lU {socket} --tls-cert {fifo}"),
            format!("--relay 127.0.0.1:1 -l --tls-cert {fifo} 0"),
        ]);
    }
    for line in lines {
        for signal in SIGNALS {
            let reloads = line.contains("file") && !line.contains("tls");
            if signal == Signal::HUP && reloads {
                continue;
            }
            let rnc = rnc(line.split(' ')).spawn();
            sleeps(&rnc);
            rnc.signal(signal);
            rnc.wait().expect_signal(signal);
            assert!(!dir.join("socket").exists(), "{line}: it leaves a file");
        }
    }
}

/// A resolver that never answers, in a machine of its own; `None` without the right to make one.
/// As process 1, if `first`, which no signal's default action ends.
fn with_dead_resolver(dir: &TempDir, first: bool, line: &str) -> Option<Running> {
    require("unshare", "util-linux")?;
    require("ip", "iproute2")?;
    if !rustix::process::geteuid().is_root() {
        skip("needs to be root");
        return None;
    }
    let conf = dir.file("resolv.conf", "nameserver 192.0.2.1\noptions timeout:30\n");
    let nss = dir.file("nsswitch.conf", "hosts: dns\n");
    let script = format!(
        "ip link set lo up; ip route add default dev lo; mount --bind {} /etc/resolv.conf; \
         mount --bind {} /etc/nsswitch.conf; exec {} {line}",
        conf.display(),
        nss.display(),
        rnc_binary().display()
    );
    let as_first: &[&str] = if first {
        &["--pid", "--fork", "--kill-child"]
    } else {
        &[]
    };
    let unshare = Cmd::new("unshare").args(["--mount", "--net"]);
    Some(unshare.args(as_first).args(["sh", "-c", &script]).spawn())
}

/// Waits until a process asks a resolver.
#[track_caller]
fn asks(rnc: &Running, pid: i32) {
    let path = format!("/proc/{pid}/net/udp");
    let asks = || fs::read_to_string(&path).is_ok_and(|table| table.contains("010200C0:0035"));
    if !eventually(asks) {
        rnc.fail("it does not ask a resolver");
    }
}

#[test]
fn one_signal_ends_an_rnc_that_looks_a_name_up() {
    let dir = TempDir::new();
    let lines = [
        "-l name.example 4000",
        "-lu name.example 4000",
        "-l --allow name.example 4000",
        "-s name.example 127.0.0.1 4000",
        "-l -s name.example -p 4000",
        "name.example 4000",
        "-z name.example 4000-4010",
        // The listener's own name.
        "--as nc -lv 127.0.0.1 4000",
        "--as nc -luv 127.0.0.1 4000",
    ];
    for line in lines {
        let Some(rnc) = with_dead_resolver(&dir, false, line) else {
            return;
        };
        asks(&rnc, rnc.pid());
        rnc.signal(Signal::TERM);
        rnc.wait().expect_signal(Signal::TERM);
    }
}

#[test]
fn one_signal_ends_process_1() {
    let dir = TempDir::new();
    for line in ["-l name.example 4000", "name.example 4000"] {
        let Some(unshare) = with_dead_resolver(&dir, true, line) else {
            return;
        };
        let rnc = child_of(&unshare);
        asks(&unshare, rnc);
        let rnc = rustix::process::Pid::from_raw(rnc).expect("a pid");
        rustix::process::kill_process(rnc, Signal::TERM).expect("kill");
        // unshare waits for it, and ends with its code.
        unshare.wait().expect_code(128 + Signal::TERM.as_raw());
    }
}

/// A Unix socket that listens, and whose queue is full, with those who are in it.
fn full_queue(path: &Path) -> (Socket, Vec<Socket>) {
    let addr = SockAddr::unix(path).expect("a path");
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).expect("socket");
    listener.bind(&addr).expect("bind");
    listener.listen(0).expect("listen");
    let mut queue = Vec::new();
    loop {
        let sock = Socket::new(Domain::UNIX, Type::STREAM.nonblocking(), None).expect("socket");
        if sock.connect(&addr).is_err() {
            return (listener, queue);
        }
        queue.push(sock);
    }
}

#[test]
fn a_unix_client_waits_for_a_full_queue_no_longer_than_it_may_and_hears_signals() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let (_listener, _queue) = full_queue(&path);
    let line = |options: &str| {
        let words = options.split(' ').map(PathBuf::from);
        rnc(words.chain([path.clone()]))
    };
    for options in [
        "-w 1 -U",
        "--timeout 1 -U",
        "-z -w 1 -U",
        "--as nc -w 1 -vU",
    ] {
        let done = line(options).run();
        let code = if options.contains("nc") { 1 } else { 3 };
        done.expect_code(code).expect_complaint("timed out");
    }
    for signal in SIGNALS {
        let client = line("-U").spawn();
        sleeps(&client);
        client.signal(signal);
        client.wait().expect_signal(signal);
    }
}

#[test]
fn a_unix_client_gets_in_once_there_is_room() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let (listener, queue) = full_queue(&path);
    let words = ["-U".into(), path.clone().into_os_string()];
    let client = rnc(words).stdin(Stdin::Pipe).spawn();
    sleeps(&client);
    for _ in 0..queue.len() {
        listener.accept().expect("accept");
    }
    let (sock, _) = listener.accept().expect("accept");
    sock.send(b"welcome").expect("send");
    client.shows("welcome");
}

/// Fills a pipe up, and gives its writing end; nobody reads it as long as the first is there.
fn full_pipe() -> (File, File) {
    let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).expect("pipe2");
    let mut writer = File::from(writer);
    flood_until_stuck(&mut writer, &[b'.'; 4096]);
    (reader.into(), writer)
}

#[test]
fn an_unread_standard_error_stops_neither_a_session_nor_a_signal() {
    for options in [&["-lkv"][..], &["-lkv", "--echo"], &["-lkvv", "-c", "cat"]] {
        let dir = TempDir::new();
        let path = dir.join("socket");
        let (_reader, stderr) = full_pipe();
        let mut words: Vec<_> = options.iter().map(PathBuf::from).collect();
        words.extend(["-U".into(), path.clone()]);
        let rnc = rnc(words)
            .stdin(Stdin::Pipe)
            .stderr(Stdout::Fd(stderr.into()))
            .spawn();
        let listens = eventually(|| UnixStream::connect(&path).is_ok());
        assert!(listens, "it does not listen");
        let mut client = UnixStream::connect(&path).expect("connect");
        client.write_all(b"heard\n").expect("write");
        if options.len() == 1 {
            rnc.shows("heard\n");
        } else {
            let mut heard = [0; 6];
            client.read_exact(&mut heard).expect("an answer");
            assert_eq!(&heard, b"heard\n");
        }
        rnc.signal(Signal::TERM);
        rnc.wait().expect_signal(Signal::TERM);
        assert!(!path.exists(), "it leaves its socket file");
    }
}

#[test]
fn a_terminal_that_asks_for_a_password_is_put_back_by_every_signal() {
    let proxy = Server::tcp();
    let socks = format!("-X 5 -P me -x 127.0.0.1:{} 192.0.2.7 1", proxy.port());
    let http = socks.replace("-X 5", "-X connect");
    for line in ["-S 127.0.0.1 1", &socks, &http] {
        for signal in [Signal::TERM, Signal::HUP, Signal::INT, Signal::QUIT] {
            let pty = Pty::open();
            let before = pty.settings();
            let rnc = rnc(line.split(' ')).controlled_by(&pty).spawn();
            // A proxy that wants a password.
            if line == http {
                let mut peer = proxy.accept(&rnc);
                peer.say("HTTP/1.0 407 Proxy Authentication Required\r\n", &rnc);
                peer.say("Proxy-Authenticate: Basic realm=x\r\n\r\n", &rnc);
            } else if line == socks {
                let mut peer = proxy.accept(&rnc);
                peer.read_some(3, &rnc);
                peer.say([5, 2], &rnc);
            }
            pty.shows("assword", &rnc);
            assert_ne!(pty.settings(), before, "echo is off");
            rnc.signal(signal);
            rnc.wait().expect_signal(signal);
            assert_eq!(pty.settings(), before, "{line}: {signal:?}");
        }
    }
}

#[test]
fn stopped_at_a_password_it_puts_the_terminal_back_until_it_goes_on() {
    let pty = Pty::open();
    let before = pty.settings();
    let rnc = rnc(["-S", "127.0.0.1", "1"]).controlled_by(&pty).spawn();
    pty.shows("assword", &rnc);
    let quiet = pty.settings();
    rnc.signal(Signal::TSTP);
    assert!(
        eventually(|| pty.settings() == before),
        "it is not put back"
    );
    rnc.go_on();
    assert!(eventually(|| pty.settings() == quiet), "the echo stays on");
    rnc.signal(Signal::TERM);
    rnc.wait().expect_signal(Signal::TERM);
    assert_eq!(pty.settings(), before);
}

/// rnc under a parent that has set signals so, as env(1) does.
fn under(settings: &[&str], words: &[&str]) -> Option<Cmd> {
    let env = require("env", "coreutils")?;
    Some(Cmd::new(env).args(settings).arg(rnc_binary()).args(words))
}

/// rnc that may write no file of more than 1000 bytes, which by default is a signal's doing.
fn with_small_files(words: &[&str]) -> Option<Cmd> {
    let prlimit = require("prlimit", "util-linux")?;
    let limited = Cmd::new(prlimit).args(["--fsize=1000"]);
    Some(limited.arg(rnc_binary()).args(words).stdin(Stdin::Pipe))
}

#[test]
fn a_log_that_may_not_grow_ends_alone() {
    let dir = TempDir::new();
    let log = dir.join("log").display().to_string();
    let server = Server::tcp();
    let port = server.port().to_string();
    let words = ["-N", "--output", &log, "127.0.0.1", &port];
    let Some(cmd) = with_small_files(&words) else {
        return;
    };
    let mut rnc = cmd.spawn();
    let bytes = pattern(100_000, 1);
    rnc.feed(bytes.clone());
    let mut peer = server.accept(&rnc);
    assert_bytes("the peer got", &peer.read_all(&rnc), &bytes);
    drop(peer);
    rnc.wait().expect_code(0).expect_complaint("File too large");
    assert_eq!(fs::read(log).expect("read the log"), bytes[..1000]);
}

#[test]
fn a_standard_output_that_may_not_grow_looks_cut_off() {
    let dir = TempDir::new();
    let server = Server::tcp();
    let words = ["127.0.0.1", &server.port().to_string()];
    let Some(cmd) = with_small_files(&words) else {
        return;
    };
    let out = File::create(dir.join("out")).expect("create");
    let rnc = cmd.stdout(Stdout::Fd(out.into())).spawn();
    let mut peer = server.accept(&rnc);
    peer.say("x".repeat(5000), &rnc);
    let cut = peer.read(&mut [0]).expect_err("a reset");
    assert_eq!(cut.kind(), std::io::ErrorKind::ConnectionReset);
    rnc.wait().expect_code(1).expect_complaint("File too large");
}

#[test]
fn a_programs_end_is_noticed_although_the_parent_ignores_it() {
    for words in [
        &["-l", "-c", "echo hi", "127.0.0.1", "0"][..],
        &["-l", "--pty", "-c", "echo hi", "127.0.0.1", "0"],
    ] {
        let Some(cmd) = under(&["--ignore-signal=CHLD"], words) else {
            return;
        };
        let rnc = cmd.spawn();
        let mut client = connect_to_listener(&rnc, None);
        let answer = client.read_all(&rnc);
        assert!(answer.starts_with(b"hi"), "{answer:?}");
        drop(client);
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn a_signal_that_is_ignored_at_the_start_stays_ignored() {
    let settings = ["--ignore-signal=HUP,INT"];
    let Some(cmd) = under(&settings, &["-lk", "127.0.0.1", "0"]) else {
        return;
    };
    let rnc = cmd.stdin(Stdin::Pipe).spawn();
    rnc.listening_line();
    rnc.signal(Signal::HUP);
    rnc.signal(Signal::INT);
    let mut client = connect_to_listener(&rnc, None);
    client.say("still there\n", &rnc);
    rnc.shows("still there\n");
    rnc.signal(Signal::TERM);
    rnc.wait().expect_signal(Signal::TERM);
}

#[test]
fn signals_that_come_together_leave_no_file() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    for second in SIGNALS {
        let words = ["-lkv".into(), "-U".into(), path.clone().into_os_string()];
        let rnc = rnc(words).stdin(Stdin::Pipe).spawn();
        rnc.listening_line();
        rnc.signal(Signal::TERM);
        rnc.signal(second);
        rnc.wait();
        assert!(!path.exists(), "it leaves its socket file");
    }
}

#[test]
fn a_blocked_signal_ends_rnc() {
    for settings in ["--block-signal=TERM", "--block-signal"] {
        let Some(cmd) = under(&[settings], &["-l", "127.0.0.1", "0"]) else {
            return;
        };
        let rnc = cmd.stdin(Stdin::Pipe).spawn();
        rnc.listening_line();
        rnc.signal(Signal::TERM);
        rnc.wait().expect_signal(Signal::TERM);
    }
}

#[test]
fn a_program_gets_the_signal_settings_that_rnc_was_given() {
    let settings: [&[&str]; 4] = [
        &[],
        &["--ignore-signal=CHLD,PIPE"],
        &["--block-signal=TERM,USR1"],
        &["--ignore-signal=HUP,PIPE", "--block-signal=CHLD"],
    ];
    for settings in settings {
        let shown = ["cat", "/proc/self/status"];
        let Some(env) = require("env", "coreutils") else {
            return;
        };
        let wanted = Cmd::new(env).args(settings).args(shown).run();
        let wanted = signals_in(&wanted.stdout);
        for pty in [&[][..], &["--pty"]] {
            let dir = TempDir::new();
            let list = dir.file("list", "127.0.0.1\n").display().to_string();
            let program = ["-l", "--allowfile", &list, "-e", "cat /proc/self/status"];
            let words = [&program[..], pty, &["127.0.0.1", "0"]].concat();
            let Some(cmd) = under(settings, &words) else {
                return;
            };
            let rnc = cmd.spawn();
            let mut client = connect_to_listener(&rnc, None);
            assert_eq!(signals_in(&client.read_all(&rnc)), wanted, "{words:?}");
        }
    }
}

/// The blocked and the ignored signals of proc(5)'s status, but for the real-time ones, of which
/// the C library ignores its own in what posix_spawn(3) starts.
fn signals_in(status: &[u8]) -> Vec<(String, u64)> {
    let status = String::from_utf8_lossy(status).into_owned();
    let fields = status.lines().filter_map(|line| line.split_once(":"));
    let fields = fields.filter(|(name, _)| ["SigBlk", "SigIgn"].contains(name));
    let number = |word: &str| u64::from_str_radix(word.trim(), 16).expect("a number");
    fields
        .map(|(name, word)| (name.to_owned(), number(word) & 0x7FFF_FFFF))
        .collect()
}

/// rnc as a user who may have no second thread; `None` without the right to become one.
fn without_threads(dir: &TempDir, line: &str) -> Option<Cmd> {
    require("setpriv", "util-linux")?;
    require("prlimit", "util-linux")?;
    if !rustix::process::geteuid().is_root() {
        skip("needs to be root");
        return None;
    }
    let limits = ["--reuid=64123", "--clear-groups", "prlimit", "--nproc=1"];
    let setpriv = Cmd::new("setpriv").args(limits);
    Some(setpriv.arg(rnc_for_all(dir)).args(line.split(' ')))
}

#[test]
fn a_thread_is_no_condition() {
    let dir = TempDir::new();
    let server = Server::tcp();
    let port = server.port();
    for line in [
        "-zv 127.0.0.1 PORT",
        "-zv localhost PORT",
        "--as nc -zv localhost PORT",
    ] {
        let line = line.replace("PORT", &port.to_string());
        let Some(cmd) = without_threads(&dir, &line) else {
            return;
        };
        let done = cmd.run().expect_code(0);
        assert!(done.stderr.contains("succeeded!"), "{done}");
    }
    let list = dir.file("list", "127.0.0.1\n");
    let lines = [
        "-l 127.0.0.1 0",
        "-lk --grace 60 localhost 0",
        "-lk --hex 127.0.0.1 0",
        "--as nc -lkv 127.0.0.1 0",
        &format!("-lk --allowfile {} 127.0.0.1 0", list.display()),
    ];
    for line in lines {
        let Some(cmd) = without_threads(&dir, line) else {
            return;
        };
        let rnc = cmd.stdin(Stdin::Pipe).spawn();
        let mut client = connect_to_listener(&rnc, None);
        client.say("heard\n", &rnc);
        rnc.shows("heard\n");
        if line.contains("--hex") {
            rnc.says("68 65 61 72 64 0a");
        }
        if line.contains("--allowfile") {
            fs::write(&list, "127.0.0.2\n").expect("write");
            rnc.signal(Signal::HUP);
            let turned_away = eventually(|| {
                let mut client = connect_to_listener(&rnc, None);
                client.read(&mut [0]).is_err()
            });
            assert!(turned_away);
        }
        rnc.signal(Signal::INT);
        rnc.wait().expect_signal(Signal::INT);
    }
}

/// How many threads a process has.
fn threads(pid: i32) -> usize {
    let tasks = fs::read_dir(format!("/proc/{pid}/task"));
    tasks.map_or(0, Iterator::count)
}

/// Runs a client over and over on the machine of another process.
fn clients(of: &Running, each: &str) -> Running {
    let namespace = format!("--net=/proc/{}/ns/net", of.pid());
    let line = format!("for n in $(seq 100); do {each} done; wait");
    Cmd::new("nsenter")
        .args([namespace.as_str(), "sh", "-c", &line])
        .with_its_children()
        .spawn()
}

#[test]
fn a_dead_resolver_costs_a_few_threads_however_many_clients_there_are() {
    let dir = TempDir::new();
    let rnc = rnc_binary().display();
    // The name of a client, one client after the other; those that leave are shown without it.
    let Some(nc) = with_dead_resolver(&dir, false, "--as nc -lkv 0.0.0.0 4000") else {
        return;
    };
    if !eventually(|| is_listening(nc.pid())) {
        nc.fail("it does not listen");
    }
    clients(&nc, &format!("{rnc} -z 127.0.0.1 4000;")).wait();
    let count = || {
        nc.stderr
            .text()
            .matches("Connection received on 127.0.0.1 ")
            .count()
    };
    assert!(eventually(|| count() == 100), "{} are shown", count());
    let many = threads(nc.pid());
    // rnc, ctrlc's, and four that look up.
    assert!((3..=6).contains(&many), "{many} threads");
    nc.signal(Signal::TERM);
    nc.wait().expect_signal(Signal::TERM);
    // The name of a target, for all clients at once.
    let line = "-lk --relay name.example:80 127.0.0.1 4000";
    let Some(relay) = with_dead_resolver(&dir, false, line) else {
        return;
    };
    if !eventually(|| is_listening(relay.pid())) {
        relay.fail("it does not listen");
    }
    let _clients = clients(&relay, &format!("sleep 60 | {rnc} 127.0.0.1 4000 &"));
    let have_come = || connections(relay.pid()) == 100 && all_are_accepted(relay.pid());
    assert!(eventually(have_come), "not all clients come in");
    assert!(
        eventually(|| threads(relay.pid()) >= 34),
        "few names are looked up"
    );
    assert!(
        threads(relay.pid()) <= 34,
        "{} threads",
        threads(relay.pid())
    );
    relay.signal(Signal::TERM);
    relay.wait().expect_signal(Signal::TERM);
}

/// What a process's table of TCP sockets has about port 4000: the state of each, and what waits.
fn at_port_4000(pid: i32) -> Vec<(String, String)> {
    let table = fs::read_to_string(format!("/proc/{pid}/net/tcp")).unwrap_or_default();
    let lines = table.lines().map(|line| line.split_whitespace());
    let fields = lines.filter_map(|mut fields| {
        let is_ours = fields.nth(1)?.ends_with(":0FA0");
        is_ours.then_some((fields.nth(1)?.to_owned(), fields.next()?.to_owned()))
    });
    fields.collect()
}

fn is_listening(pid: i32) -> bool {
    at_port_4000(pid).iter().any(|(state, _)| state == "0A")
}

/// The queue of a listener is what it has to read.
fn all_are_accepted(pid: i32) -> bool {
    let sockets = at_port_4000(pid);
    let mut listeners = sockets.iter().filter(|(state, _)| state == "0A");
    listeners.all(|(_, waiting)| waiting.ends_with(":00000000"))
}

fn connections(pid: i32) -> usize {
    let sockets = at_port_4000(pid);
    sockets.iter().filter(|(state, _)| state == "01").count()
}
