//! Bad input, native rnc: one line on standard error that begins with `rnc: ` and names the word
//! that is wrong, nothing on standard output, and exit code 2 for a wrong command line, 1 for a
//! network that failed, 3 for time that ran out.

use crate::common::{
    ClosedPort, Cmd, DEADLINE, Finished, Running, Server, Sock, Stdin, Stdout, TempDir, eventually,
    never_answers, require, rnc, rnc_binary, rnc_for_all, skip,
};
use std::ffi::OsStr;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// rnc with a command line written in one string.
fn line(words: &str) -> Cmd {
    rnc(words.split_whitespace())
}

/// Panics unless it said exactly one line, beginning with `rnc: ` and with all these words in it.
#[track_caller]
fn expect_one_line(done: Finished, code: i32, words: &[&str]) -> Finished {
    let done = done.expect_code(code).expect_stdout("");
    match done.stderr.strip_suffix('\n') {
        Some(one)
            if one.starts_with("rnc: ")
                && !one.contains('\n')
                && words.iter().all(|word| one.contains(word)) => {}
        _ => panic!("wanted one line that begins with \"rnc: \" and has {words:?}\n{done}"),
    }
    done
}

/// Runs each command line and asks for exit code 2 and a line with these words.
#[track_caller]
fn refuses<'a>(table: impl IntoIterator<Item = (&'a str, &'a [&'a str])>) {
    for (words, wrong) in table {
        eprintln!("rnc {words}");
        expect_one_line(line(words).run(), 2, wrong);
    }
}

// ---- operands

#[test]
fn a_missing_host_or_port_is_named() {
    refuses([
        ("", &["host", "port"][..]),
        ("-v", &["host", "port"]),
        ("127.0.0.1", &["missing port number"]),
        ("-z 127.0.0.1", &["missing port number"]),
        ("-l", &["missing port number"]),
        ("-l -s 127.0.0.1", &["missing port number"]),
        ("-U", &["missing socket pathname"]),
        ("-l -U", &["missing socket pathname"]),
        ("46001", &["no host given", "46001", "-l"]),
        ("-u 46001", &["no host given", "46001", "-l"]),
        ("-le 47003", &["missing port number", "-e took 47003"]),
        ("-lc 47003", &["missing port number", "-c took 47003"]),
        ("-lw 47003", &["missing port number", "-w took 47003"]),
        (
            "-l --wait 47003",
            &["missing port number", "--wait took 47003"],
        ),
        ("-l --relay 47003", &["--relay 47003", "HOST:PORT"]),
    ]);
}

/// What is missing may be missing because of the option that is wrong.
#[test]
fn an_option_that_cannot_be_used_is_named_before_what_is_missing() {
    for option in [
        "-k",
        "--broker",
        "--chat",
        "--echo",
        "--daytime",
        "--relay x:1",
        "--max-conns 5",
        "--accept-timeout 5",
        "--allow 127.0.0.1",
        "--port-file x",
    ] {
        let name = option.split(' ').next().unwrap_or_default();
        for operand in ["46002", "", "-U"] {
            let words = format!("{option} {operand}");
            expect_one_line(line(&words).run(), 2, &[name, "needs"]);
        }
    }
    refuses([("-lz", &["-z", "-l"][..]), ("-x h -lU", &["-x", "-l"])]);
}

#[test]
fn a_port_in_the_place_of_a_host_is_named() {
    refuses([
        ("47001 47002", &["47001", "not a host"][..]),
        ("47001:47002", &["47001", "not a host"]),
        ("-z 47001 47002", &["47001", "not a host"]),
        ("-u 47001 47002", &["47001", "not a host"]),
        ("-x 47001:1 h 47002", &["47001", "not a host"]),
        ("-l 1 --relay 47001:47002", &["47001", "not a host"]),
        ("-s 47001 localhost 80", &["47001", "not a host"]),
        ("-l -s 47001 80", &["47001", "not a host"]),
        ("-l -p 1 2", &["twice", "1", "2"]),
        ("-l 1 2", &["one port", "2"]),
    ]);
}

#[test]
fn a_url_is_answered_by_what_to_type() {
    refuses([
        ("http://localhost/", &["URL", "rnc localhost 80"][..]),
        ("https://[::1]/x?y#z", &["URL", "rnc --tls ::1 443"]),
        ("http://me@h:8080", &["URL", "rnc h 8080"]),
        ("udp://localhost:53", &["URL", "rnc -u localhost 53"]),
        ("nosuch://localhost 80", &["URL", "rnc localhost PORT"]),
        ("-x http://h:3128 x 80", &["-x", "URL", "h:PORT", "-X"]),
        ("-l 0 --relay http://h/", &["--relay", "URL", "h:PORT"]),
    ]);
}

#[test]
fn every_address_may_be_left_out_or_a_star() {
    for words in [
        "-l :0",
        "-l *:0",
        "-l * 0",
        "-l -p 0 *",
        "-lu :0",
        "-lk *:0",
    ] {
        let rnc = line(words).spawn();
        let line = rnc.listening_line();
        assert!(line.contains(" on :: "), "{words}: {line}");
    }
}

#[test]
fn quotes_for_e_are_warned_of() {
    const WARNING: &str = "-c runs a shell";
    for (options, word, warned) in [
        (&["-e"][..], "sh -c 'echo hi'", true),
        (&["-e"], "echo hi", false),
        (&["-e"], "echo it\\'s", false),
        (&["-c"], "echo 'hi'", false),
        (&["--as", "ncat", "-e"], "echo 'hi'", false),
    ] {
        let server = Server::tcp();
        let rnc = rnc(options).arg(word).args(server.words()).spawn();
        drop(server.accept(&rnc));
        let done = rnc.wait();
        assert_eq!(done.stderr.contains(WARNING), warned, "{done}");
    }
}

#[test]
fn options_are_named_as_they_were_typed() {
    refuses([
        ("--keep-open h 1", &["--keep-open needs -l"][..]),
        ("--send-only --recv-only h 1", &["with --recv-only"]),
        ("--send-only -d h 1", &["with -d"]),
        ("h 1 --wait", &["option --wait needs"]),
        ("h 1 -w", &["option -w needs"]),
        ("--wait=soon h 1", &["--wait soon"]),
    ]);
    if cfg!(feature = "tls") {
        refuses([
            ("--ssl-pin x h 1", &["--ssl-pin x"][..]),
            ("--tls-pin x h 1", &["--tls-pin x"]),
            ("--ssl-key x h 1", &["--ssl-key needs"]),
            ("--ssl-cert", &["option --ssl-cert needs"]),
        ]);
    }
}

#[test]
fn a_bad_port_is_named() {
    refuses([
        ("127.0.0.1 0", &["too small: 0"][..]),
        ("127.0.0.1 99999", &["too large: 99999"]),
        ("127.0.0.1 htp", &["invalid: htp"]),
        ("127.0.0.1 80x", &["invalid: 80x"]),
        ("127.0.0.1 80 htp", &["invalid: htp"]),
        ("127.0.0.1 20-99999", &["too large: 99999"]),
        ("127.0.0.1 0-80", &["too small: 0"]),
        ("127.0.0.1:99999", &["too large: 99999"]),
        ("[::1]:htp", &["invalid: htp"]),
        ("-l 99999", &["too large: 99999"]),
        ("-l htp", &["invalid: htp"]),
        ("-l -p 70000", &["too large: 70000"]),
        ("-l 127.0.0.1:htp", &["invalid: htp"]),
        ("-p 70000 127.0.0.1 80", &["too large: 70000"]),
        ("-u 127.0.0.1 htp", &["invalid: htp"]),
        ("-x 127.0.0.1:htp 127.0.0.1 80", &["invalid: htp"]),
        ("-x 127.0.0.1:99999 127.0.0.1 80", &["too large: 99999"]),
    ]);
}

#[test]
fn a_bad_address_is_told() {
    refuses([
        ("127.0.0.1: 80", &["127.0.0.1:"][..]),
        (":80", &[":80", "host"]),
        ("*:80", &["*:80", "host"]),
        ("-l 0 --relay :80", &["--relay :80", "host"]),
        ("[::1 80", &["[::1"]),
        ("[localhost]:80", &["[localhost]:80"]),
        ("a:b:c 80", &["a:b:c"]),
        ("unix:", &["unix:"]),
        ("vsock:2", &["vsock:2"]),
        ("vsock:x:80", &["vsock:x:80"]),
        ("vsock:2:x", &["vsock:2:x"]),
    ]);
    expect_one_line(rnc(["", "80"]).run(), 2, &["\"\"", "host"]);
    let not_text = OsStr::from_bytes(b"h\xff");
    expect_one_line(rnc([not_text, OsStr::new("80")]).run(), 2, &["h"]);
}

#[test]
fn what_is_given_twice_or_too_much_is_named() {
    refuses([
        ("127.0.0.1:80 81", &["twice", "80", "81"][..]),
        ("-l 127.0.0.1:80 81", &["twice", "80", "81"]),
        ("-l 127.0.0.1:80 -p 81", &["twice", "80", "81"]),
        ("-l 127.0.0.1 80 -p 81", &["twice", "80", "81"]),
        (
            "-l 127.0.0.1 80 -s 127.0.0.2",
            &["twice", "127.0.0.1", "127.0.0.2"],
        ),
        (
            "-l 127.0.0.1 -p 80 -s 127.0.0.2",
            &["twice", "127.0.0.1", "127.0.0.2"],
        ),
        ("-l 127.0.0.1 80 81", &["81"]),
        ("unix:/nowhere 80", &["unix:/nowhere", "80"]),
        ("-p 80 unix:/nowhere", &["unix:/nowhere", "80"]),
        ("vsock:2:80 81", &["vsock:2:80", "81"]),
        ("-U /nowhere 80", &["port", "-U"]),
        ("-U -l -p 80 /nowhere", &["port", "-U"]),
    ]);
}

// ---- options

#[test]
fn a_bad_value_is_named_with_its_option() {
    refuses([
        ("-w soon 127.0.0.1 80", &["-w", "soon"][..]),
        ("-w -1 127.0.0.1 80", &["-w", "-1"]),
        ("-w 5y 127.0.0.1 80", &["-w", "5y"]),
        ("-w 99999h 127.0.0.1 80", &["-w", "99999h"]),
        ("-i soon 127.0.0.1 80", &["-i", "soon"]),
        ("-q soon 127.0.0.1 80", &["-q", "soon"]),
        ("-l -w soon 0", &["-w", "soon"]),
        ("-U -w soon /nowhere", &["-w", "soon"]),
        ("-I big 127.0.0.1 80", &["-I", "big"]),
        ("-I 0 127.0.0.1 80", &["-I", "0"]),
        ("-O 99T 127.0.0.1 80", &["-O", "99T"]),
        ("-O 2G 127.0.0.1 80", &["-O", "2G"]),
        ("-M 300 127.0.0.1 80", &["-M", "300"]),
        ("-m x 127.0.0.1 80", &["-m", "x"]),
        ("-T zz 127.0.0.1 80", &["tos", "zz"]),
        ("-T 0xzz 127.0.0.1 80", &["tos", "0xzz"]),
        ("-W 0 127.0.0.1 80", &["receive limit", "0"]),
        ("-W x 127.0.0.1 80", &["receive limit", "x"]),
        ("--until lunch 127.0.0.1 80", &["--until", "lunch"]),
        ("-u -l --join 127.0.0.1 0", &["--join", "127.0.0.1"]),
        ("-u -l --join x 0", &["--join", "x"]),
        ("-X 7 -x 127.0.0.1 127.0.0.1 80", &["proxy", "7"]),
        ("--as telnet 127.0.0.1 80", &["--as", "telnet"]),
    ]);
}

#[test]
fn an_option_without_its_value_is_named() {
    refuses([
        ("127.0.0.1 80 -w", &["-w"][..]),
        ("127.0.0.1 80 --wait", &["--wait"]),
        ("127.0.0.1 80 --until", &["--until"]),
        ("127.0.0.1 80 -X", &["-X"]),
    ]);
}

#[test]
fn an_unknown_option_is_named() {
    refuses([
        ("--no-such-option 127.0.0.1 80", &["--no-such-option"][..]),
        ("-y 127.0.0.1 80", &["-y"]),
        ("-vy 127.0.0.1 80", &["-y"]),
        ("--keepopen -l 80", &["--keepopen", "--keep-open"]),
    ]);
}

#[test]
fn options_this_system_cannot_honour_are_refused_plainly() {
    refuses([
        ("-V 1 127.0.0.1 80", &["-V", "Linux"][..]),
        ("-Z 127.0.0.1 80", &["-Z", "Linux"]),
    ]);
}

#[test]
fn options_that_do_not_go_together_are_both_named() {
    refuses([
        ("-l -z 80", &["-z", "-l"][..]),
        ("-k 127.0.0.1 80", &["-k", "-l"]),
        ("-F -U /nowhere", &["-F", "-U"]),
        ("-x 127.0.0.1 -u 127.0.0.1 80", &["-x", "-u"]),
        ("-x 127.0.0.1 -l 80", &["-x", "-l"]),
        ("-x 127.0.0.1 -U /nowhere", &["-x", "-U"]),
        ("-x 127.0.0.1 -s 127.0.0.1 127.0.0.1 80", &["-x", "-s"]),
        ("-N --no-shutdown 127.0.0.1 80", &["-N", "--no-shutdown"]),
        ("--send-only -d 127.0.0.1 80", &["--send-only", "-d"]),
        (
            "--send-only --recv-only 127.0.0.1 80",
            &["--send-only", "--recv-only"],
        ),
        ("-X 5 127.0.0.1 80", &["-X", "-x"]),
        ("-P me 127.0.0.1 80", &["-P", "-x"]),
        ("--proxy-auth a:b 127.0.0.1 80", &["--proxy-auth", "-x"]),
        ("--proxy-dns both 127.0.0.1 80", &["--proxy-dns", "-x"]),
        (
            "--proxy-dns mine -x 127.0.0.1 h 80",
            &["--proxy-dns", "mine", "remote"],
        ),
        ("-F -l 80", &["-F", "-l"]),
        ("-F -z 127.0.0.1 80", &["-F", "-z"]),
        ("-r -l 80", &["-r", "-l"]),
        ("--join 224.0.0.1 127.0.0.1 80", &["--join", "-u", "-l"]),
        ("--join 224.0.0.1 -l 80", &["--join", "-u", "-l"]),
        ("--join 224.0.0.1 -u 127.0.0.1 80", &["--join", "-u", "-l"]),
        ("--join 224.0.0.1 -u -l -U /nowhere", &["--join", "-U"]),
        ("vsock::80", &["CID", "vsock::80"]),
        ("-l vsock:1:80 81", &["vsock:1:80", "81"]),
        ("--vsock 80", &["--vsock", "CID PORT"]),
        ("-l --vsock 1 80 81", &["--vsock", "PORT"]),
        ("--vsock host 80", &["CID", "host"]),
        ("--vsock 1 http", &["port", "http"]),
        ("--vsock -4 1 80", &["-4", "vsock"]),
        ("--sctp -u 127.0.0.1 80", &["--sctp", "-u"]),
        ("--sctp -U /x", &["--sctp", "-U"]),
        ("--sctp --vsock 1 80", &["--sctp", "vsock"]),
        ("--sctp -x 127.0.0.1 h 80", &["--sctp", "-x"]),
        ("-l --sctp --relay h:80 0", &["--sctp", "--relay"]),
        ("-u vsock:2:80", &["vsock"]),
        ("-z vsock:2:80", &["vsock"]),
        ("-z -l -U /nowhere", &["-z", "-l"]),
        ("-4 -U /nowhere", &["-4", "-U"]),
        ("-6 -U /nowhere", &["-6", "-U"]),
        ("-x 127.0.0.1 vsock:2:80", &["-x", "vsock"]),
        ("-s 127.0.0.1 vsock:2:80", &["-s", "vsock"]),
        ("-F vsock:2:80", &["-F", "vsock"]),
        ("-U -s /here /nowhere", &["-s", "-U"]),
        ("-U -p 80 /nowhere", &["port", "-U"]),
        ("-lU -s /here /nowhere", &["twice", "/here", "/nowhere"]),
    ]);
}

// ---- TLS

#[cfg(feature = "tls")]
#[test]
fn a_bad_word_about_tls_is_named() {
    let sha1 = "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709";
    let bare = "DA:39:A3:EE:5E:6B:4B:0D:32:55:BF:EF:95:60:18:90:AF:D8:07:09";
    let key = "sha256//47DEQpj8HBSa";
    refuses([
        (
            &*format!("--tls-pin {sha1} h 443"),
            &["--tls-pin", "da39", "SHA-1", "SHA-256"][..],
        ),
        (&format!("--tls-pin {bare} h 443"), &["--tls-pin", "SHA-1"]),
        (
            &format!("--tls-pin {key} h 443"),
            &["--tls-pin", "of a key"],
        ),
        ("--tls-pin sha256:12 h 443", &["--tls-pin", "64", "but 2"]),
        ("--tls-pin sha256:xy h 443", &["--tls-pin", "sha256:xy"]),
        ("-l --tls-client-pin x 443", &["--tls-client-pin", "x"]),
        ("--tls-min 1.1 h 443", &["--tls-min", "1.1", "1.2 and 1.3"]),
        (
            "--tls-max ssl3 h 443",
            &["--tls-max", "ssl3", "1.2 and 1.3"],
        ),
        ("--tls-alpn h2,,x h 443", &["--tls-alpn", "h2,,x", "255"]),
        (
            &format!("--tls-alpn {} h 443", "a".repeat(256)),
            &["--tls-alpn", "255"],
        ),
        (
            &format!("--tls-alpn {}a h 443", "a,".repeat(3000)),
            &["--tls-alpn", "4096"],
        ),
        (
            "--tls-ciphers HIGH:!aNULL h 443",
            &["--tls-ciphers", "HIGH", "TLS13_AES_128_GCM_SHA256"],
        ),
        ("--starttls irc h 6667", &["--starttls", "irc", "smtp"]),
        ("--tls h 443 --tls-pin", &["--tls-pin"]),
        ("--tls-pim x h 443", &["--tls-pim", "--tls-pin"]),
    ]);
    let empty = rnc(["--tls-servername", "", "h", "443"]).run();
    expect_one_line(empty, 2, &["--tls-servername"]);
    let control = rnc(["--tls-pin", "\x1b[2J", "h", "443"]).run();
    let control = expect_one_line(control, 2, &["--tls-pin"]);
    assert!(!control.stderr.contains('\x1b'), "{control}");
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_in_it_its_options_are_refused_plainly() {
    refuses([
        (
            "--tls h 443",
            &["--tls: this rnc was built without TLS"][..],
        ),
        ("-l --tls-cert c 443", &["--tls-cert", "without TLS"]),
        ("--starttls smtp h 25", &["--starttls", "without TLS"]),
    ]);
}

// ---- listening

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = taken.local_addr().expect("local_addr").port().to_string();
    for words in [
        format!("-l 127.0.0.1 {port}"),
        format!("-l {port}"),
        format!("-lk {port}"),
    ] {
        expect_one_line(line(&words).run(), 1, &[&port, "Address already in use"]);
    }
}

#[test]
fn a_second_listener_on_a_port_is_refused() {
    let first = line("-l 127.0.0.1 0").spawn();
    let port = first.listening_port().to_string();
    let done = line(&format!("-l 127.0.0.1 {port}")).run();
    expect_one_line(done, 1, &[&port, "Address already in use"]);

    let first = line("-u -l 127.0.0.1 0").spawn();
    let port = first.listening_port().to_string();
    let done = line(&format!("-u -l 127.0.0.1 {port}")).run();
    expect_one_line(done, 1, &[&port, "udp", "Address already in use"]);
}

#[test]
fn an_address_that_is_not_ours_is_named() {
    // TEST-NET-1 of RFC 5737.
    let why = "Cannot assign requested address";
    expect_one_line(line("-l 192.0.2.1 0").run(), 1, &["192.0.2.1", why]);
    expect_one_line(line("-u -l 192.0.2.1 0").run(), 1, &["192.0.2.1", why]);
    for options in ["", "-u", "-z"] {
        let done = line(&format!("{options} -s 192.0.2.1 127.0.0.1 80")).run();
        expect_one_line(done, 1, &["bind to 192.0.2.1 failed", why]);
    }
    let done = line("-p 1 -s 192.0.2.1 127.0.0.1 80").run();
    expect_one_line(done, 1, &["bind to 192.0.2.1 port 1 failed", why]);
}

#[test]
fn a_name_to_listen_on_that_is_unknown_is_named() {
    let name = "no.such.host.invalid";
    let cannot = format!("cannot resolve {name}");
    for words in ["-l {} 0", "-lu {} 0", "-s {} 127.0.0.1 80"] {
        let words = words.replace("{}", name);
        expect_one_line(line(&words).run(), 1, &[&cannot]);
    }
    expect_one_line(line("-n -l localhost 0").run(), 1, &["-n: localhost"]);
}

#[test]
fn a_privileged_port_is_named_to_those_who_may_not() {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    let first = first.ok().and_then(|text| text.trim().parse::<u16>().ok());
    if first.is_none_or(|first| first < 2) {
        return skip("needs a system where port 1 is privileged");
    }
    let dir = TempDir::new();
    let cmd = if rustix::process::geteuid().is_root() {
        let Some(setpriv) = require("setpriv", "util-linux") else {
            return;
        };
        let ids = ["--reuid=65534", "--regid=65534", "--clear-groups"];
        Cmd::new(setpriv).args(ids).arg(rnc_for_all(&dir))
    } else {
        Cmd::new(rnc_binary())
    };
    let done = cmd.args(["-l", "127.0.0.1", "1"]).run();
    expect_one_line(done, 1, &["127.0.0.1 port 1 ", "Permission denied", "root"]);
}

#[test]
fn a_unix_path_that_is_too_long_is_named() {
    let dir = TempDir::new();
    let long = dir.join(&"x".repeat(200));
    let shown = long.to_string_lossy().into_owned();
    for options in [
        &["-U"][..],
        &["-l", "-U"],
        &["-u", "-U"],
        &["-l", "-u", "-U"],
    ] {
        let done = rnc(options).arg(&long).run();
        expect_one_line(done, 1, &[&shown, "File name too long"]);
    }
    let abstract_name = format!("@{}", "x".repeat(200));
    let done = rnc(["-U", &abstract_name]).run();
    expect_one_line(done, 1, &[&abstract_name, "File name too long"]);
}

#[test]
fn a_unix_listener_replaces_neither_a_file_nor_a_live_socket() {
    let dir = TempDir::new();
    let file = dir.file("file", "precious");
    let why = "Address already in use";
    let shown = file.to_string_lossy().into_owned();
    expect_one_line(
        rnc(["-lU", &shown]).run(),
        1,
        &[&shown, why, "not a socket"],
    );
    let not = format!("{shown} is not a socket");
    expect_one_line(rnc(["-U", &shown]).run(), 1, &[&not]);
    expect_one_line(rnc(["-uU", &shown]).run(), 1, &[&not]);
    assert_eq!(std::fs::read(&file).expect("read"), b"precious");

    let live = dir.join("live");
    let _live = std::os::unix::net::UnixListener::bind(&live).expect("bind");
    let shown = live.to_string_lossy().into_owned();
    expect_one_line(rnc(["-lU", &shown]).run(), 1, &[&shown, why]);
}

// ---- connecting

#[test]
fn an_unknown_name_is_named() {
    // `.invalid` never resolves, with or without a name server (RFC 6761, section 6.4).
    let name = "no.such.host.invalid";
    for words in ["", "-n", "-u", "-z"] {
        let done = line(&format!("{words} {name} 80")).run();
        expect_one_line(done, 1, &[name]);
    }
    for words in ["", "-u", "-z"] {
        let done = line(&format!("{words} {name} 80")).run();
        expect_one_line(done, 1, &[&format!("cannot resolve {name}: ")]);
        let done = line(&format!("{words} -n localhost 80")).run();
        expect_one_line(done, 1, &["-n: localhost is a name"]);
    }
    let done = line(&format!("-x {name} 127.0.0.1 80")).run();
    expect_one_line(done, 1, &[&format!("cannot resolve {name}"), "proxy"]);
    let done = line(&format!("-X 4 -x 127.0.0.1:1 {name} 80")).run();
    expect_one_line(done, 1, &["rnc: "]);
}

#[test]
fn an_address_of_the_wrong_family_is_named() {
    let v4 = "::1 is not an IPv4 address (-4)";
    let v6 = "127.0.0.1 is not an IPv6 address (-6)";
    for options in ["", "-u", "-z", "-l"] {
        expect_one_line(line(&format!("{options} -4 ::1 80")).run(), 1, &[v4]);
        expect_one_line(line(&format!("{options} -6 127.0.0.1 80")).run(), 1, &[v6]);
    }
}

#[test]
fn refused_names_address_and_port() {
    let closed = ClosedPort::tcp();
    let port = closed.port().to_string();
    for host in ["127.0.0.1", "localhost"] {
        let done = line(&format!("{host} {port}")).run();
        expect_one_line(done, 1, &[host, &port, "tcp", "Connection refused"]);
    }
    // For a scan it is an answer like another: told with -v.
    line(&format!("-z 127.0.0.1 {port}"))
        .run()
        .expect_code(1)
        .expect_silence();
    let done = line(&format!("-zv 127.0.0.1 {port}")).run();
    expect_one_line(done, 1, &["127.0.0.1", &port, "Connection refused"]);
}

#[test]
fn a_refused_datagram_is_told() {
    let closed = ClosedPort::udp();
    let port = closed.port().to_string();
    let mut rnc = line(&format!("-u 127.0.0.1 {port}"))
        .stdin(Stdin::Pipe)
        .spawn();
    rnc.feed(b"to nobody".to_vec());
    expect_one_line(
        rnc.wait(),
        1,
        &["127.0.0.1", &port, "udp", "Connection refused"],
    );
}

#[test]
fn an_unreachable_network_is_told() {
    let Some(unshare) = require("unshare", "util-linux") else {
        return;
    };
    let options = if rustix::process::geteuid().is_root() {
        "-n"
    } else {
        "-rn"
    };
    let alone = |words: &str| {
        Cmd::new(&unshare)
            .arg(options)
            .args(words.split_whitespace())
    };
    if alone("true").run().status.code() != Some(0) {
        return skip("needs the right to make a network namespace");
    }
    let binary = rnc_binary().display();
    // In a new network namespace there are no routes, and the loopback is down.
    for words in ["192.0.2.1 80", "-u 192.0.2.1 80"] {
        let done = alone(&format!("{binary} {words}")).run();
        expect_one_line(done, 1, &["192.0.2.1", "80", "Network is unreachable"]);
    }
}

#[test]
fn a_connect_that_times_out_is_3() {
    let (_full, port) = never_answers();
    let port = port.to_string();
    for words in ["-w 300ms", "-zv -w 300ms"] {
        let done = line(&format!("{words} 127.0.0.1 {port}")).run();
        expect_one_line(done, 3, &["127.0.0.1", &port, "timed out"]);
    }
}

#[test]
fn a_session_that_is_idle_for_too_long_is_3() {
    let server = Server::tcp();
    let words = format!("-w 300ms 127.0.0.1 {}", server.port());
    let mut rnc = line(&words).stdin(Stdin::Pipe).spawn();
    let peer = server.accept(&rnc);
    // Until the first byte the writer of the pipe is waited for.
    rnc.send("hello");
    let stdin = rnc.take_stdin();
    expect_one_line(
        rnc.wait(),
        3,
        &["127.0.0.1", &server.port().to_string(), "timed out"],
    );
    drop((peer, stdin));
}

// ---- sessions

#[test]
fn a_full_stdout_is_told() {
    let server = Server::tcp();
    let rnc = rnc(server.words()).stdout(Stdout::Full).spawn();
    let mut peer = server.accept(&rnc);
    peer.say("for the disk", &rnc);
    let done = rnc.wait();
    expect_one_line(done, 1, &["standard output", "No space left on device"]);
}

#[test]
fn a_reset_is_told() {
    let server = Server::tcp();
    let mut rnc = rnc(server.words()).stdin(Stdin::Pipe).spawn();
    let peer = server.accept(&rnc);
    let stdin = rnc.take_stdin();
    let port = server.port().to_string();
    peer.reset();
    expect_one_line(
        rnc.wait(),
        1,
        &["127.0.0.1", &port, "Connection reset by peer"],
    );
    drop(stdin);
}

#[test]
fn a_stdin_that_cannot_be_read_is_told() {
    let dir = TempDir::new();
    let directory = std::fs::File::open(dir.path()).expect("open");
    let server = Server::tcp();
    let rnc = rnc(server.words())
        .stdin(Stdin::Fd(directory.into()))
        .spawn();
    let peer = server.accept(&rnc);
    drop(peer);
    expect_one_line(rnc.wait(), 1, &["standard input", "Is a directory"]);
}

// ---- proxies

/// A proxy played by the test. `talk` has the connection, and its end closes it.
fn proxied(kind: &str, options: &str, talk: impl FnOnce(&mut Sock, &Running)) -> (Finished, u16) {
    let proxy = Server::tcp();
    let port = proxy.port();
    let words = format!("{options} -X {kind} -x 127.0.0.1:{port} 192.0.2.1 80");
    let rnc = line(&words).spawn();
    let mut peer = proxy.accept(&rnc);
    talk(&mut peer, &rnc);
    drop(peer);
    (rnc.wait(), port)
}

/// Writes byte by byte, each in a segment of its own; the other end may leave in the middle.
fn say_slowly(peer: &mut Sock, bytes: &[u8]) {
    for byte in bytes.chunks(1) {
        if peer.write_all(byte).is_err() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Answers with these bytes whatever is asked, whole or byte by byte, and closes.
fn answered(kind: &str, answer: &[u8], slowly: bool) -> (Finished, u16) {
    proxied(kind, "", |peer, rnc| {
        if slowly {
            say_slowly(peer, answer)
        } else {
            drop(peer.write_all(answer))
        }
        // Not closed before it has judged: closing with its request unread would be a reset.
        peer.half_close();
        peer.read_all(rnc);
    })
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_reason() {
    let table: [(&str, &[u8], &str); 10] = [
        ("4", b"\x00\x5b\x00\x00\x00\x00\x00\x00", "rejected"),
        ("4", b"\x00\x5d\x00\x00\x00\x00\x00\x00", "user-id"),
        ("4a", b"\x00\x5b\x00\x00\x00\x00\x00\x00", "rejected"),
        (
            "5",
            b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00",
            "refused",
        ),
        (
            "5",
            b"\x05\x00\x05\x02\x00\x01\x00\x00\x00\x00\x00\x00",
            "not allowed",
        ),
        (
            "5",
            b"\x05\x00\x05\x63\x00\x01\x00\x00\x00\x00\x00\x00",
            "99",
        ),
        ("5", b"\x05\xff", "user and password"),
        (
            "connect",
            b"HTTP/1.0 403 Forbidden\r\n\r\n",
            "403 Forbidden",
        ),
        (
            "connect",
            b"HTTP/1.1 502 Bad Gateway\r\nX: y\r\n\r\n",
            "502 Bad Gateway",
        ),
        (
            "connect",
            b"HTTP/1.0 407 Who are you\r\n\r\n",
            "user and password",
        ),
    ];
    for (kind, answer, reason) in table {
        for slowly in [false, true] {
            eprintln!("-X {kind}: {}", answer.escape_ascii());
            let (done, port) = answered(kind, answer, slowly);
            expect_one_line(done, 1, &["127.0.0.1", &port.to_string(), reason]);
        }
    }
}

#[test]
fn a_proxy_that_answers_garbage_or_lies_is_told_and_shown_escaped() {
    let table: [(&str, &[u8], &str); 9] = [
        ("4", b"SSH-2.0-x\r\n", "SS"),
        ("4", b"\x05\x5a\x00\x00\x00\x00\x00\x00", "garbage"),
        ("5", b"HTTP/1.0 400 Bad Request\r\n\r\n", "HT"),
        ("5", b"\x04\x00", "garbage"),
        // A method that was not offered.
        ("5", b"\x05\x01", "garbage"),
        ("5", b"\x05\x00\x05\x00\x00\x09\x00\x00", "garbage"),
        ("connect", b"SSH-2.0-x\r\n", "garbage"),
        ("connect", b"HTTP/1.0 okay\r\n\r\n", "garbage"),
        ("connect", b"\x1b[31mHTTP\r\n", "\\x1b"),
    ];
    for (kind, answer, reason) in table {
        for slowly in [false, true] {
            eprintln!("-X {kind}: {}", answer.escape_ascii());
            let (done, port) = answered(kind, answer, slowly);
            let done = expect_one_line(done, 1, &["127.0.0.1", &port.to_string(), reason]);
            assert!(!done.stderr.contains('\x1b'), "{done}");
        }
    }
}

#[test]
fn a_proxy_that_closes_early_is_told() {
    let table: [(&str, &[u8]); 8] = [
        ("4", b""),
        ("4", b"\x00\x5a\x00"),
        ("5", b""),
        ("5", b"\x05"),
        ("5", b"\x05\x00\x05\x00\x00"),
        ("connect", b""),
        ("connect", b"HTTP/1.0 2"),
        ("connect", b"HTTP/1.0 200 OK\r\nVia: x\r\n"),
    ];
    for (kind, answer) in table {
        eprintln!("-X {kind}: {}", answer.escape_ascii());
        let (done, port) = answered(kind, answer, false);
        expect_one_line(done, 1, &["127.0.0.1", &port.to_string(), "closed"]);
    }
}

#[test]
fn a_proxy_that_breaks_off_is_told() {
    for kind in ["4", "5", "connect"] {
        let proxy = Server::tcp();
        let port = proxy.port();
        let words = format!("-X {kind} -x 127.0.0.1:{port} 192.0.2.1 80");
        let rnc = line(&words).spawn();
        proxy.accept(&rnc).reset();
        expect_one_line(
            rnc.wait(),
            1,
            &[&port.to_string(), "Connection reset by peer"],
        );
    }
}

#[test]
fn a_proxy_whose_answer_never_ends_is_told() {
    let (done, port) = proxied("connect", "", |peer, rnc| {
        let flood = [&b"HTTP/1.0 200 OK\r\n"[..], &b"X: y\r\n".repeat(100_000)].concat();
        // It leaves in the middle.
        let _ = peer.write_all(&flood);
        assert!(eventually(|| !rnc.is_running()));
    });
    expect_one_line(done, 1, &["127.0.0.1", &port.to_string(), "too long"]);
}

#[test]
fn a_proxy_that_never_answers_is_3_with_w() {
    for kind in ["4", "5", "connect"] {
        let (done, port) = proxied(kind, "-w 300ms", |_, rnc| {
            assert!(
                eventually(|| !rnc.is_running()),
                "still there after {DEADLINE:?}"
            );
        });
        expect_one_line(done, 3, &["127.0.0.1", &port.to_string(), "timed out"]);
    }
}

#[test]
fn a_proxy_that_answers_too_slowly_is_3_with_w() {
    let (done, _) = proxied("5", "-w 500ms", |peer, rnc| {
        let one_by_one = b"\x05\x00\x05\x00\x00\x01".iter().cycle();
        for byte in one_by_one.take(6) {
            let _ = peer.write_all(&[*byte]);
        }
        assert!(
            eventually(|| !rnc.is_running()),
            "still there after {DEADLINE:?}"
        );
    });
    expect_one_line(done, 3, &["timed out"]);
}

#[test]
fn a_proxy_that_is_not_there_is_named() {
    let closed = ClosedPort::tcp();
    let port = closed.port().to_string();
    for kind in ["4", "5", "connect"] {
        let done = line(&format!("-X {kind} -x 127.0.0.1:{port} 192.0.2.1 80")).run();
        let at = format!("the proxy 127.0.0.1 port {port} ");
        expect_one_line(done, 1, &[&at, "Connection refused"]);
    }
}

#[test]
fn what_a_proxys_language_cannot_say_is_refused_before_anything_is_sent() {
    for (words, reason) in [
        ("-X 4 {} 2001:db8::1 80", "IPv6"),
        ("-X 4a {} 2001:db8::1 80", "IPv6"),
    ] {
        let proxy = Server::tcp();
        let at = format!("-x 127.0.0.1:{}", proxy.port());
        let done = line(&words.replace("{}", &at)).run();
        expect_one_line(done, 1, &[reason]);
    }
    let proxy = Server::tcp();
    let at = format!("127.0.0.1:{}", proxy.port());
    let done = rnc(["-X", "connect", "-x", &at, "a b", "80"]).run();
    expect_one_line(done, 1, &["host name"]);
}

#[test]
fn fault_10_empty_words_are_refused() {
    for (words, option) in [
        (&["-l", "--deny", "", "0"][..], "--deny"),
        (&["-l", "--allowfile", "", "0"], "--allowfile"),
        (&["-l", "-s", "", "0"], " -s: "),
        (&["-l", "--source", "", "0"], "--source"),
        (&["-l", "--port-file", "", "0"], "--port-file"),
        (&["-l", "--tls-save=", "0"], "--tls-save"),
        (&["-l", "--ssl-cert", "", "0"], "--ssl-cert"),
        (&["--output", "", "127.0.0.1", "1"], "--output"),
        (&["-l", "-e", "", "0"], " -e: "),
        (&["-lU", ""], "operand"),
        (&["-lU", "-s", ""], " -s: "),
        (&["-l", "", "0"], "operand"),
        (&["", "1"], "operand"),
    ] {
        expect_one_line(rnc(words).run(), 2, &[option, "empty"]);
    }
    for words in [["-lU", "@"], ["-l", "unix:@"], ["-U", "@"]] {
        expect_one_line(rnc(words).run(), 1, &["no name after @"]);
    }
}

#[test]
fn fault_10_no_file_is_called_by_the_name_of_standard_output() {
    let dir = TempDir::new();
    for words in [
        ["--output", "-", "127.0.0.1", "1"],
        ["--hex-dump", "-", "127.0.0.1", "1"],
        ["-l", "--port-file", "-", "0"],
    ] {
        let done = rnc(words).dir(dir.path()).run();
        expect_one_line(done, 2, &[" -: ", "./-"]);
        assert!(!dir.join("-").exists());
    }
}
