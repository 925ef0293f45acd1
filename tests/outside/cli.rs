//! The command line from outside: how words are read, where help goes, which dialect is spoken,
//! and every form of an address.

use crate::common::{
    Cmd, Running, Server, Sock, Stdout, TempDir, Transport, assert_bytes, connect_to_listener,
    require_services, rnc, rnc_binary, skip,
};
use rustix::process::Signal;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream, UdpSocket};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

/// rnc with a command line written in one string.
fn line(words: &str) -> Cmd {
    rnc(words.split_whitespace())
}

fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

// ---- how words are read

#[test]
fn letters_may_be_clustered_and_values_attached() {
    let server = Server::tcp();
    let port = server.port();
    for words in [
        format!("-zvw1 127.0.0.1 {port}"),
        format!("-zvw 1 127.0.0.1 {port}"),
        format!("-z -v -w 1 127.0.0.1 {port}"),
        format!("-vzw1s 127.0.0.1 {port}"),
        format!("-zv --wait=1 127.0.0.1 {port}"),
        format!("-zv --wait 1 127.0.0.1 {port}"),
    ] {
        let done = line(&words).run().expect_code(0).expect_stdout("");
        assert!(done.stderr.contains("succeeded!"), "{words}\n{done}");
    }
}

#[test]
fn options_may_follow_operands_and_stand_between_them() {
    let server = Server::tcp();
    let port = server.port();
    for words in [
        format!("127.0.0.1 {port} -zv"),
        format!("127.0.0.1 -z {port} -v"),
        format!("-z 127.0.0.1 -v -w 1 {port}"),
    ] {
        let done = line(&words).run().expect_code(0);
        assert!(done.stderr.contains("succeeded!"), "{words}\n{done}");
    }
}

#[test]
fn two_dashes_end_the_options() {
    let server = Server::tcp();
    let port = server.port();
    line(&format!("-z -- 127.0.0.1 {port}"))
        .run()
        .expect_code(0);
    line(&format!("127.0.0.1 -z -- {port}"))
        .run()
        .expect_code(0);
    // Behind them even `-z` is an operand, here a bad port.
    line(&format!("-w 1 -- 127.0.0.1 {port} -z"))
        .run()
        .expect_code(2)
        .expect_complaint("-z");
}

#[test]
fn of_repeated_options_the_last_value_counts() {
    let server = Server::tcp();
    let port = server.port();
    line(&format!("-z -w soon -w 1 127.0.0.1 {port}"))
        .run()
        .expect_code(0);
    line(&format!("-z -w 1 -w soon 127.0.0.1 {port}"))
        .run()
        .expect_code(2);
    line(&format!("-zz -n -n --nodns 127.0.0.1 {port}"))
        .run()
        .expect_code(0);
    line(&format!("-z -6 -4 127.0.0.1 {port}"))
        .run()
        .expect_code(0);
    line(&format!("-z -4 -6 127.0.0.1 {port}"))
        .run()
        .expect_code(1);
}

#[test]
fn v_counts_however_it_is_spelt() {
    let server = Server::tcp();
    let port = server.port();
    for words in ["-vv", "-v -v", "-v --verbose", "--verbose --verbose"] {
        let done = line(&format!("{words} -z 127.0.0.1 {port}"))
            .run()
            .expect_code(0);
        assert!(
            done.stderr
                .contains(&format!("Trying 127.0.0.1 port {port}")),
            "{words}\n{done}"
        );
    }
    let done = line(&format!("-v -z 127.0.0.1 {port}")).run();
    assert!(!done.stderr.contains("Trying"), "{done}");
}

#[test]
fn very_verbose_tells_totals_and_time_at_the_end() {
    let server = Server::tcp();
    let rnc = line(&format!("-vv 127.0.0.1 {}", server.port())).spawn();
    let mut peer = server.accept(&rnc);
    peer.say("seven b", &rnc);
    drop(peer);
    let done = rnc.wait().expect_code(0).expect_stdout("seven b");
    assert!(
        done.stderr.contains("0 bytes sent, 7 bytes received in "),
        "{done}"
    );
}

#[test]
fn a_value_may_begin_with_a_dash() {
    let server = Server::tcp();
    let rnc = line(&format!("-q -1 127.0.0.1 {}", server.port())).spawn();
    let mut peer = server.accept(&rnc);
    assert_bytes("the peer got", &peer.read_all(&rnc), b"");
    peer.say("late", &rnc);
    drop(peer);
    rnc.wait().expect_code(0).expect_stdout("late");
}

// ---- help

#[test]
fn help_and_version_go_to_stdout_with_0() {
    for option in ["-h", "--help", "--version", "-lvh"] {
        let done = rnc([option]).run().expect_code(0);
        assert!(
            !done.stdout.is_empty() && done.stderr.is_empty(),
            "{option}\n{done}"
        );
    }
    let version = rnc(["--version"]).run().expect_code(0);
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let lines: Vec<&str> = version.lines().collect();
    let [first, tls, target] = lines[..] else {
        panic!("wanted three lines: {version}");
    };
    let name = format!("rnc {}", env!("CARGO_PKG_VERSION"));
    assert!(first.starts_with(&name), "{version}");
    assert!(tls.starts_with("TLS: "), "{version}");
    assert_eq!(target, format!("Target: {}", env!("RNC_TARGET")));
}

#[test]
fn short_help_fits_a_screen_and_long_help_has_every_option() {
    let short = rnc(["-h"]).run().stdout;
    let short = String::from_utf8(short).expect("text");
    assert!(
        short.lines().count() <= 45,
        "-h has {} lines",
        short.lines().count()
    );
    assert!(
        short.lines().all(|line| line.chars().count() <= 80),
        "too wide:\n{short}"
    );
    let long = String::from_utf8(rnc(["--help"]).run().stdout).expect("text");
    for letter in "46bCDdFhIiklMmNnOPpqrSsTtUuvWwXxz".chars() {
        assert!(
            long.contains(&format!("-{letter}, --")),
            "--help has no -{letter}"
        );
    }
}

#[test]
fn help_into_a_closed_pipe_is_quiet() {
    let mut rnc = rnc(["--help"]).stdout(Stdout::Unread).spawn();
    drop(rnc.stdout_pipe.take());
    let done = rnc.wait();
    assert!(done.stderr.is_empty(), "{done}");
}

#[test]
fn an_unknown_option_gets_the_nearest_one_named() {
    for (typed, meant) in [
        ("--lisen", "--listen"),
        ("--keepopen", "--keep-open"),
        ("--no-stdni", "--no-stdin"),
        ("--versoin", "--version"),
    ] {
        let done = rnc([typed, "127.0.0.1", "80"]).run().expect_code(2);
        done.expect_complaint(&format!("unknown option {typed} (did you mean {meant}?)"));
    }
    rnc(["-Y", "127.0.0.1", "80"])
        .run()
        .expect_code(2)
        .expect_complaint("unknown option -Y");
}

// ---- dialects

/// What a wrong port says under this name: the dialect shows in prefix and code.
fn speaks(name: &str, words: &str) -> (Option<i32>, String) {
    let done = line(words).called(name).run();
    (done.status.code(), done.stderr)
}

#[test]
fn the_name_it_is_called_by_chooses_the_dialect() {
    for name in ["nc", "netcat", "nc.openbsd", "/usr/bin/nc", "./netcat"] {
        let wanted = (Some(1), "nc: port number too small: 0\n".into());
        assert_eq!(speaks(name, "127.0.0.1 0"), wanted, "{name}");
    }
    for name in ["rnc", "/usr/local/bin/rnc", "something-else", ""] {
        let wanted = (Some(2), "rnc: port number too small: 0\n".into());
        assert_eq!(speaks(name, "127.0.0.1 0"), wanted, "{name}");
    }
}

#[test]
fn a_link_called_nc_speaks_nc() {
    let dir = TempDir::new();
    let link = dir.join("nc");
    std::os::unix::fs::symlink(rnc_binary(), &link).expect("link");
    let done = Cmd::new(&link)
        .args(["127.0.0.1", "0"])
        .run()
        .expect_code(1);
    done.expect_complaint("nc: port number too small: 0");
}

#[test]
fn as_chooses_the_dialect_over_the_name() {
    let native = (Some(2), "rnc: port number too small: 0\n".to_string());
    let nc = (Some(1), "nc: port number too small: 0\n".to_string());
    assert_eq!(speaks("rnc", "--as nc 127.0.0.1 0"), nc);
    assert_eq!(speaks("rnc", "127.0.0.1 0 --as=nc"), nc);
    assert_eq!(speaks("nc", "--as rnc 127.0.0.1 0"), native);
    assert_eq!(speaks("nc", "--as nc --as rnc 127.0.0.1 0"), native);
}

#[test]
fn the_nc_dialect_takes_the_long_options_too() {
    let server = Server::tcp();
    let words = format!("--zero --verbose 127.0.0.1 {}", server.port());
    let done = line(&words).called("nc").run().expect_code(0);
    assert!(done.stderr.contains("succeeded!"), "{done}");
}

// ---- forms of addresses: connecting

#[test]
fn every_form_of_a_host_and_port_connects() {
    let server = Server::tcp();
    let port = server.port();
    for words in [
        format!("127.0.0.1 {port}"),
        format!("localhost {port}"),
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("-4 localhost {port}"),
        format!("127.0.0.1 {port}-{port}"),
        format!("127.0.0.1 0{port}"),
    ] {
        let rnc = line(&words).spawn();
        let mut peer = server.accept(&rnc);
        peer.say("hello", &rnc);
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("hello")
            .expect_silence();
    }
}

#[test]
fn every_form_of_an_ipv6_address_connects() {
    let Ok(server) = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) else {
        return skip("needs IPv6 on the loopback");
    };
    let port = server.local_addr().expect("local_addr").port();
    let server = Server::Tcp(server);
    for words in [
        format!("::1 {port}"),
        format!("[::1] {port}"),
        format!("[::1]:{port}"),
        format!("-6 ::1 {port}"),
        format!("-n ::1%lo {port}"),
    ] {
        let rnc = line(&words).spawn();
        drop(server.accept(&rnc));
        rnc.wait().expect_code(0).expect_silence();
    }
}

#[test]
fn a_service_name_is_a_port() {
    let Some(services) = require_services() else {
        return;
    };
    let found = services.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (name, port) = (words.next()?, words.next()?);
        let port: u16 = port.strip_suffix("/tcp")?.parse().ok()?;
        let free = port > 1024 && port < 32_768;
        let listener = free.then(|| TcpListener::bind((Ipv4Addr::LOCALHOST, port)))?;
        Some((listener.ok()?, name.to_string(), port))
    });
    let Some((_listener, name, port)) = found else {
        return skip("needs a port above 1024 in /etc/services");
    };
    for words in [format!("127.0.0.1 {name}"), format!("127.0.0.1:{name}")] {
        let done = line(&format!("-zv {words}")).run().expect_code(0);
        let told = format!("Connection to 127.0.0.1 {port} port [tcp/{name}] succeeded!\n");
        assert_eq!(done.stderr, told);
    }
}

#[test]
fn several_sessions_of_a_port_list_follow_each_other() {
    let (first, second) = (Server::tcp(), Server::tcp());
    let rnc = line(&format!("127.0.0.1 {} {}", first.port(), second.port())).spawn();
    let mut peer = first.accept(&rnc);
    peer.say("first ", &rnc);
    drop(peer);
    let mut peer = second.accept(&rnc);
    peer.say("second", &rnc);
    drop(peer);
    rnc.wait()
        .expect_code(0)
        .expect_stdout("first second")
        .expect_silence();
}

#[test]
fn every_form_of_a_unix_address_connects() {
    let dir = TempDir::new();
    let server = Server::new(Transport::Unix, &dir);
    let path = dir.join("server").to_string_lossy().into_owned();
    let as_address = format!("unix:{path}");
    for words in [
        &["-U", path.as_str()][..],
        &["-U", as_address.as_str()],
        &[as_address.as_str()],
        &[path.as_str(), "-U"],
    ] {
        let rnc = rnc(words).spawn();
        let mut peer = server.accept(&rnc);
        peer.say("hello", &rnc);
        drop(peer);
        rnc.wait()
            .expect_code(0)
            .expect_stdout("hello")
            .expect_silence();
    }
}

#[test]
fn abstract_unix_names_work_both_ways() {
    let name = format!("rnc-test-{}", std::process::id());
    let addr = SocketAddr::from_abstract_name(&name).expect("a name");
    let server = UnixListener::bind_addr(&addr).expect("bind");
    let server = Server::Unix(server, "unused".into());
    for words in [format!("-U @{name}"), format!("unix:@{name}")] {
        let rnc = line(&words).spawn();
        let mut peer = server.accept(&rnc);
        peer.say("hello", &rnc);
        drop(peer);
        rnc.wait().expect_code(0).expect_stdout("hello");
    }
    drop(server);
    for words in [format!("-l -v -U @{name}"), format!("-l -v unix:@{name}")] {
        let rnc = line(&words).spawn();
        rnc.says(&format!("Listening on @{name}\n"));
        drop(UnixStream::connect_addr(&addr).expect("connect"));
        rnc.wait().expect_code(0);
    }
}

// ---- forms of addresses: listening

/// Connects to the port a listener says, over IPv4 or IPv6.
fn reaches(rnc: &Running, v6: bool) -> bool {
    let port = rnc.listening_port();
    if v6 {
        TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok()
    } else {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    }
}

#[test]
fn every_form_of_a_port_to_listen_on_is_taken() {
    for words in [
        "-l 0",
        "-l -p 0",
        "-lp 0",
        "-lp0",
        "-lvp 0",
        "0 -l",
        "-l 127.0.0.1 0",
        "-l localhost 0",
        "-l -p 0 127.0.0.1",
        "-l 127.0.0.1 -p 0",
        "-l -s 127.0.0.1 -p 0",
        "-l -s 127.0.0.1 0",
        "-l 127.0.0.1:0",
        "-l localhost:0",
        "-4 -l 0",
        "-4 -l localhost 0",
    ] {
        let rnc = line(words).spawn();
        let mut peer = connect_to_listener(&rnc, None);
        peer.say("hello", &rnc);
        peer.half_close();
        assert_bytes("the peer got", &peer.read_all(&rnc), b"");
        rnc.wait()
            .expect_code(0)
            .expect_stdout("hello")
            .expect_silence();
    }
}

#[test]
fn every_form_of_an_ipv6_address_is_listened_on() {
    if !has_ipv6() {
        return skip("needs IPv6 on the loopback");
    }
    for words in [
        "-l ::1 0",
        "-l [::1]:0",
        "-l -s ::1 -p 0",
        "-6 -l 0",
        "-6 -l ::1 0",
        "-l :: 0",
    ] {
        let rnc = line(words).spawn();
        assert!(reaches(&rnc, true), "{words}");
        rnc.wait().expect_code(0);
    }
}

#[test]
fn without_an_address_it_listens_on_ipv6_and_ipv4() {
    if !has_ipv6() {
        return skip("needs IPv6 on the loopback");
    }
    let rnc = line("-lk 0").spawn();
    assert_eq!((reaches(&rnc, false), reaches(&rnc, true)), (true, true));
    let rnc = line("-lk4 0").spawn();
    assert_eq!((reaches(&rnc, false), reaches(&rnc, true)), (true, false));
    let rnc = line("-lk6 0").spawn();
    assert_eq!((reaches(&rnc, false), reaches(&rnc, true)), (false, true));
}

#[test]
fn a_client_is_told_with_v_by_its_address() {
    for words in ["-lv 0", "-lv 127.0.0.1 0"] {
        let rnc = line(words).spawn();
        let peer = connect_to_listener(&rnc, None);
        let (theirs, _) = peer.ports();
        rnc.says(&format!("Connection received on 127.0.0.1 {theirs}\n"));
        drop(peer);
        rnc.wait().expect_code(0);
    }
}

#[test]
fn a_udp_port_is_listened_on_in_every_form() {
    for words in [
        "-u -l 0",
        "-ulp 0",
        "-u -l 127.0.0.1 0",
        "-u -l 127.0.0.1:0",
        "-u -l -s 127.0.0.1 -p 0",
        "-4 -u -l 0",
    ] {
        let rnc = line(words).spawn();
        assert!(rnc.listening_line().starts_with("Bound on "), "{words}");
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let to = (Ipv4Addr::LOCALHOST, rnc.listening_port());
        client.send_to(b"hello", to).expect("send");
        rnc.shows("hello");
    }
}

#[test]
fn every_form_of_a_unix_path_is_listened_on_and_removed_at_the_end() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    let shown = path.to_string_lossy().into_owned();
    let as_address = format!("unix:{shown}");
    for words in [
        &["-l", "-v", "-U", shown.as_str()][..],
        &["-lvU", shown.as_str()],
        &["-lv", as_address.as_str()],
        &["-lvU", "-s", shown.as_str()],
    ] {
        let rnc = rnc(words).spawn();
        let mut peer: Sock = connect_to_listener(&rnc, Some(&path));
        peer.say("hello", &rnc);
        drop(peer);
        rnc.wait().expect_code(0).expect_stdout("hello");
        assert!(!path.exists(), "{words:?}: the socket is still there");
    }
}

#[test]
fn a_stale_unix_socket_is_replaced_and_removed_even_after_a_signal() {
    let dir = TempDir::new();
    let path = dir.join("socket");
    drop(UnixListener::bind(&path).expect("bind"));
    assert!(path.exists());
    let rnc = rnc(["-lvU".as_ref(), path.as_os_str()]).spawn();
    let peer = connect_to_listener(&rnc, Some(&path));
    rnc.signal(Signal::TERM);
    rnc.wait().expect_signal(Signal::TERM);
    drop(peer);
    assert!(!path.exists(), "the socket is still there");
}
