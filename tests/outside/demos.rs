//! What course material has its readers do with netcat (issue 2, section 6; DEMOS.md), with rnc
//! for nc and real programs at the other end. Demo 2 is in machines.rs.

use crate::common::{
    ClosedPort, Cmd, Pty, Running, Stdin, TempDir, assert_bytes, eventually, lines, pattern,
    python, require, rnc, shell,
};
use rustix::process::Signal;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;

// Demo 1: two-way lines.

#[test]
fn lines_typed_on_either_side_appear_on_the_other() {
    let (left, right) = (Pty::open(), Pty::open());
    let server = rnc(["-l", "0"]).in_terminal(&left).spawn();
    let port = server.listening_port().to_string();
    let client = rnc(["localhost", &port]).in_terminal(&right).spawn();
    for n in 1..=3 {
        right.types(format!("client says {n}\n"));
        left.shows(&format!("client says {n}\r\n"), &server);
        left.types(format!("server says {n}\n"));
        right.shows(&format!("server says {n}\r\n"), &client);
    }
    // Its own echo is all a side sees of what it typed.
    assert_eq!(left.count("server says 2"), 1);
    assert_eq!(right.count("client says 2"), 1);
    right.types_end();
    client.wait().expect_code(0).expect_silence();
    server.wait().expect_code(0).expect_silence();
}

#[test]
fn the_other_side_leaves_when_one_is_interrupted() {
    let (left, right) = (Pty::open(), Pty::open());
    let server = rnc(["-l", "0"]).in_terminal(&left).spawn();
    let port = server.listening_port().to_string();
    let client = rnc(["localhost", &port]).in_terminal(&right).spawn();
    right.types("about to leave\n");
    left.shows("about to leave\r\n", &server);
    right.types_interrupt();
    client.wait().expect_signal(Signal::INT).expect_silence();
    server.wait().expect_code(0).expect_silence();
}

#[test]
fn ss_and_netstat_show_the_connection_while_it_lasts() {
    let Some(ss) = require("ss", "iproute2") else {
        return;
    };
    let Some(netstat) = require("netstat", "net-tools") else {
        return;
    };
    let server = rnc(["-l", "0"]).stdin(Stdin::Pipe).spawn();
    let port = server.listening_port().to_string();
    let client = rnc(["localhost", &port]).stdin(Stdin::Pipe).spawn();
    let shows = |program: &Path, state: &str| {
        let listing = Cmd::new(program).arg("-tn").run().expect_code(0);
        let text = String::from_utf8_lossy(&listing.stdout).into_owned();
        text.lines()
            .filter(|line| line.contains(state) && has_port(line, &port))
            .count()
            == 2
    };
    assert!(
        eventually(|| shows(&ss, "ESTAB")),
        "ss -tn does not show both ends"
    );
    assert!(
        shows(&netstat, "ESTABLISHED"),
        "netstat -tn does not show both ends"
    );
    drop(client);
    drop(server);
    assert!(!shows(&ss, "ESTAB"), "ss -tn still shows the connection");
}

fn has_port(line: &str, port: &str) -> bool {
    line.split_whitespace()
        .any(|word| word.rsplit(':').next() == Some(port))
}

// Demo 3: a web server.

const PAGE: &str = "<p>It works, says the page.</p>\n";

#[test]
fn a_page_of_nginx_comes_through_a_pipe() {
    let Some(nginx) = Nginx::start() else { return };
    let dir = TempDir::new();
    let line = format!(
        r"printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' | rnc 127.0.0.1 {}",
        nginx.port
    );
    let done = shell(&line, &dir).run().expect_code(0).expect_silence();
    expect_page(&done.stdout, "HTTP/1.1 200 OK\r\n");
}

#[test]
fn pages_of_nginx_appear_as_requests_are_typed() {
    let Some(nginx) = Nginx::start() else { return };
    let pty = Pty::open();
    let rnc = rnc(["localhost", &nginx.port.to_string()])
        .in_terminal(&pty)
        .spawn();
    pty.types("GET / HTTP/1.1\nHost: localhost\n\n");
    pty.shows("the page.</p>", &rnc);
    // The connection is kept: a second request goes over the same one.
    pty.types("GET /no-such-page HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    pty.shows("404 Not Found", &rnc);
    // The server closed it, which ends a session in a terminal.
    rnc.wait().expect_code(0).expect_silence();
    assert_eq!(pty.count("200 OK"), 1);
}

#[test]
fn a_page_of_nginx_appears_with_newlines_turned_into_crlf() {
    let Some(nginx) = Nginx::start() else { return };
    let pty = Pty::open();
    let port = nginx.port.to_string();
    let rnc = rnc(["-C", "localhost", &port]).in_terminal(&pty).spawn();
    pty.types("GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n");
    pty.shows("the page.</p>", &rnc);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_page_of_pythons_http_server_comes_through_a_pipe_and_by_hand() {
    let Some(python) = require("python3", "python3") else {
        return;
    };
    let dir = TempDir::new();
    dir.file("index.html", PAGE);
    let server = Cmd::new(python)
        .args(["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"])
        .dir(dir.path())
        .spawn();
    server.shows("http://127.0.0.1:");
    let said = server.stdout.text();
    let port = said
        .split("127.0.0.1:")
        .nth(1)
        .and_then(|rest| rest.split('/').next());
    let port = port.expect("a port").to_string();

    let work = TempDir::new();
    let line = format!(r"printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' | rnc 127.0.0.1 {port}");
    let done = shell(&line, &work).run().expect_code(0).expect_silence();
    expect_page(&done.stdout, "HTTP/1.0 200 OK\r\n");

    let pty = Pty::open();
    let rnc = rnc(["127.0.0.1", &port]).in_terminal(&pty).spawn();
    pty.types("GET / HTTP/1.1\nHost: localhost\n\n");
    pty.shows("the page.</p>", &rnc);
    rnc.wait().expect_code(0).expect_silence();
}

#[test]
fn a_server_that_wants_crlf_gets_it_with_big_c() {
    for (options, answer) in [(&["-C"][..], "200 fine"), (&[], "400 bare newline")] {
        let server = strict_http_server();
        let pty = Pty::open();
        let port = server.port.to_string();
        let words = options.iter().copied().chain(["127.0.0.1", &port]);
        let rnc = rnc(words).in_terminal(&pty).spawn();
        pty.types("GET / HTTP/1.1\nHost: x\n\n");
        pty.shows(answer, &rnc);
        rnc.wait().expect_code(0).expect_silence();
        server.thread.join().expect("server");
    }
}

/// A server for one request, that takes a line without CR for a mistake, as some do.
struct StrictServer {
    port: u16,
    thread: std::thread::JoinHandle<()>,
}

fn strict_http_server() -> StrictServer {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
    let port = listener.local_addr().expect("local_addr").port();
    let thread = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("accept");
        stream
            .set_read_timeout(Some(crate::common::DEADLINE))
            .expect("SO_RCVTIMEO");
        let mut request = BufReader::new(&stream);
        let mut strict = true;
        loop {
            let mut line = String::new();
            request.read_line(&mut line).expect("a request");
            strict &= line.ends_with("\r\n");
            if line.trim_end().is_empty() {
                break;
            }
        }
        let status = if strict {
            "200 fine"
        } else {
            "400 bare newline"
        };
        write!(&stream, "HTTP/1.1 {status}\r\nConnection: close\r\n\r\n").expect("answer");
    });
    StrictServer { port, thread }
}

#[track_caller]
fn expect_page(answer: &[u8], status: &str) {
    let answer = String::from_utf8_lossy(answer);
    assert!(
        answer.starts_with(status) && answer.ends_with(PAGE),
        "got {answer:?}"
    );
}

/// An nginx with one page, and everything it writes in a directory of its own.
struct Nginx {
    port: u16,
    _running: Running,
    _dir: TempDir,
}

impl Nginx {
    fn start() -> Option<Nginx> {
        let nginx = require("nginx", "nginx-light")?;
        let dir = TempDir::new();
        dir.file("index.html", PAGE);
        // It cannot choose a port itself, but takes over a socket as it does from its own
        // predecessor at an upgrade: nobody can take the port in between.
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
        let port = listener.local_addr().expect("local_addr").port();
        let config = dir.file("nginx.conf", nginx_config(dir.path(), port));
        let running = Cmd::new(nginx)
            .arg("-p")
            .arg(dir.path())
            .arg("-e")
            .arg(dir.join("error.log"))
            .arg("-c")
            .arg(config)
            .env("NGINX", "9;")
            .hand(listener.into(), 9)
            .with_its_children()
            .spawn();
        Some(Nginx {
            port,
            _running: running,
            _dir: dir,
        })
    }
}

fn nginx_config(dir: &Path, port: u16) -> String {
    let dir = dir.display();
    format!(
        "daemon off; worker_processes 1; pid {dir}/pid;
        events {{}}
        http {{
            access_log off;
            client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
            fastcgi_temp_path {dir}/fastcgi; uwsgi_temp_path {dir}/uwsgi;
            scgi_temp_path {dir}/scgi;
            default_type text/html;
            keepalive_timeout 65;
            server {{ listen 127.0.0.1:{port}; root {dir}; }}
        }}"
    )
}

// Demo 4: the same over UDP, where nobody listens.

#[test]
fn a_udp_port_where_nobody_listens_is_told() {
    let closed = ClosedPort::udp();
    let port = closed.port().to_string();
    let pty = Pty::open();
    let by_hand = rnc(["-u", "127.0.0.1", &port]).in_terminal(&pty).spawn();
    pty.types("GET / HTTP/1.1\nHost: x\n\n");
    by_hand
        .wait()
        .expect_code(1)
        .expect_complaint("Connection refused");

    let mut piped = rnc(["-u", "127.0.0.1", &port]).stdin(Stdin::Pipe).spawn();
    piped.feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec());
    piped
        .wait()
        .expect_code(1)
        .expect_complaint("Connection refused");
}

// Demo 5: TCP uppercase.

#[test]
fn a_tcp_server_answers_rnc_in_capitals() {
    let Some(server) = python("tcp_upper_server.py") else {
        return;
    };
    let server = server.spawn();
    let port = server.printed_port().to_string();
    for n in 1..=3 {
        let pty = Pty::open();
        let rnc = rnc(["localhost", &port]).in_terminal(&pty).spawn();
        pty.types(format!("hello {n}\n"));
        pty.shows(&format!("HELLO {n}\r\n"), &rnc);
        rnc.wait().expect_code(0).expect_silence();
    }
    let dir = TempDir::new();
    let line = format!("echo from a pipe | rnc localhost {port}");
    shell(&line, &dir)
        .run()
        .expect_code(0)
        .expect_stdout("FROM A PIPE\n")
        .expect_silence();
}

#[test]
fn rnc_with_tr_answers_a_tcp_client_in_capitals() {
    let Some(client) = python("tcp_upper_client.py") else {
        return;
    };
    let Some(_) = require("stdbuf", "coreutils") else {
        return;
    };
    let dir = TempDir::new();
    dir.fifo("f");
    let server = shell("rnc -l 0 < f | stdbuf -o0 tr a-z A-Z > f", &dir).spawn();
    let port = server.listening_port().to_string();
    client
        .args(["127.0.0.1", &port, "hello"])
        .run()
        .expect_stdout("From server: HELLO\n");
    server.wait().expect_code(0).expect_silence();
}

#[test]
fn rnc_with_tr_answers_one_tcp_client_after_the_other() {
    let Some(_) = python("tcp_upper_client.py") else {
        return;
    };
    let Some(_) = require("stdbuf", "coreutils") else {
        return;
    };
    let dir = TempDir::new();
    dir.fifo("f");
    let server = shell("rnc -lk 0 < f | stdbuf -o0 tr a-z A-Z > f", &dir).spawn();
    let port = server.listening_port().to_string();
    ask_for_capitals("tcp_upper_client.py", &port, "From server: ");
    assert!(server.is_running(), "-k did not keep it");
}

/// Has a client ask three times, one after the other.
#[track_caller]
fn ask_for_capitals(client: &str, port: &str, before: &str) {
    for name in ["one", "two", "three"] {
        let client = python(client).expect("it was there");
        let answer = format!("{before}{}\n", name.to_uppercase());
        client
            .args(["127.0.0.1", port, name])
            .run()
            .expect_stdout(answer);
    }
}

// Demo 6: UDP uppercase.

#[test]
fn a_udp_server_answers_rnc_in_capitals() {
    let Some(server) = python("udp_upper_server.py") else {
        return;
    };
    let server = server.spawn();
    let port = server.printed_port().to_string();
    let pty = Pty::open();
    let by_hand = rnc(["-u", "127.0.0.1", &port]).in_terminal(&pty).spawn();
    for n in 1..=3 {
        pty.types(format!("hello {n}\n"));
        pty.shows(&format!("HELLO {n}\r\n"), &by_hand);
    }
    pty.types_end();
    by_hand.wait().expect_code(0).expect_silence();

    let dir = TempDir::new();
    let line = format!("echo from a pipe | rnc -u 127.0.0.1 {port}");
    shell(&line, &dir)
        .run()
        .expect_code(0)
        .expect_stdout("FROM A PIPE\n")
        .expect_silence();
}

#[test]
fn rnc_with_tr_answers_udp_clients_in_capitals() {
    let Some(_) = python("udp_upper_client.py") else {
        return;
    };
    let Some(_) = require("stdbuf", "coreutils") else {
        return;
    };
    let dir = TempDir::new();
    dir.fifo("f");
    let server = shell("rnc -u -l 0 < f | stdbuf -o0 tr a-z A-Z > f", &dir).spawn();
    let port = server.listening_port().to_string();
    ask_for_capitals("udp_upper_client.py", &port, "");
    assert!(server.is_running(), "it stopped listening");
}

// Demo 7: TCP echo.

#[test]
fn a_tcp_server_echoes_what_rnc_sends() {
    let Some(server) = python("tcp_echo_server.py") else {
        return;
    };
    let server = server.spawn();
    let port = server.printed_port().to_string();
    let pty = Pty::open();
    let rnc = rnc(["127.0.0.1", &port]).in_terminal(&pty).spawn();
    server.shows("Connected by ('127.0.0.1', ");
    for n in 1..=3 {
        pty.types(format!("line {n}\n"));
        let screen = pty.screen();
        // Once typed, once sent back.
        let twice = |bytes: &[u8]| {
            String::from_utf8_lossy(bytes)
                .matches(&format!("line {n}\r\n"))
                .count()
                == 2
        };
        assert!(
            screen.wait_until(twice),
            "no echo of line {n} in {:?}",
            screen.text()
        );
    }
    pty.types_end();
    rnc.wait().expect_code(0).expect_silence();
    server.wait().expect_code(0);
}

#[test]
fn a_tcp_server_echoes_a_whole_file() {
    let Some(server) = python("tcp_echo_server.py") else {
        return;
    };
    let server = server.spawn();
    let port = server.printed_port().to_string();
    let payload = pattern(1_000_000, 40);
    let mut rnc = rnc(["127.0.0.1", &port]).stdin(Stdin::Pipe).spawn();
    rnc.feed(payload.clone());
    rnc.wait()
        .expect_code(0)
        .expect_stdout(&payload)
        .expect_silence();
    server.wait().expect_code(0);
}

#[test]
fn rnc_with_cat_echoes_what_a_tcp_client_sends() {
    let Some(client) = python("tcp_echo_client.py") else {
        return;
    };
    let dir = TempDir::new();
    dir.fifo("f");
    let server = shell("rnc -l 0 < f | cat > f", &dir).spawn();
    let port = server.listening_port().to_string();
    client
        .args(["127.0.0.1", &port])
        .run()
        .expect_stdout("Received b'Hello, world'\n");
    server.wait().expect_code(0).expect_silence();
}

// Demo 8: UDP echo.

#[test]
fn a_udp_server_echoes_what_rnc_sends() {
    let Some(server) = python("udp_echo_server.py") else {
        return;
    };
    let server = server.spawn();
    let port = server.printed_port().to_string();
    let dir = TempDir::new();
    let message = "This is the message. It will be repeated to me.";
    let line = format!("printf '{message}' | rnc -u 127.0.0.1 {port}");
    shell(&line, &dir)
        .run()
        .expect_code(0)
        .expect_stdout(message)
        .expect_silence();
    server.shows("sent 47 bytes back to ('127.0.0.1', ");
}

#[test]
fn rnc_with_cat_echoes_what_udp_clients_send() {
    let Some(_) = python("udp_echo_client.py") else {
        return;
    };
    let dir = TempDir::new();
    dir.fifo("f");
    let server = shell("rnc -u -l 0 < f | cat > f", &dir).spawn();
    let port = server.listening_port().to_string();
    for _ in 0..2 {
        let client = python("udp_echo_client.py")
            .expect("it was there")
            .args(["127.0.0.1", &port]);
        let done = client.run().expect_code(0);
        let said = String::from_utf8_lossy(&done.stdout);
        let answer = "received b'This is the message. It will be repeated to me.'\n";
        assert!(said.ends_with(answer), "{done}");
    }
}

// Demo 9: a text store.

#[test]
fn a_text_is_read_replaced_and_read_again_over_one_connection() {
    let Some(server) = python("text_store_server.py") else {
        return;
    };
    let server = server.spawn();
    let port = server.printed_port().to_string();
    let pty = Pty::open();
    let by_hand = rnc(["127.0.0.1", &port]).in_terminal(&pty).spawn();
    pty.types("READ\n");
    pty.shows("empty\r\n", &by_hand);
    pty.types("UPDATE a new text\n");
    pty.shows("OK\r\n", &by_hand);
    pty.types("READ\n");
    pty.shows("\r\na new text\r\n", &by_hand);
    pty.types("CLOSE\n");
    pty.shows("BYE\r\n", &by_hand);
    by_hand.wait().expect_code(0).expect_silence();

    let dir = TempDir::new();
    let line = format!(r"printf 'READ\nUPDATE third\nREAD\nCLOSE\n' | rnc 127.0.0.1 {port}");
    let answers = "a new text\nOK\nthird\nBYE\n";
    shell(&line, &dir)
        .run()
        .expect_code(0)
        .expect_stdout(answers)
        .expect_silence();
    assert!(server.is_running());
}

// Demo 10: files.

/// A size that is a multiple of nothing.
const FILE_BYTES: usize = 5_000_011;

#[test]
fn a_file_goes_from_client_to_server() {
    let Some(_) = require("sha256sum", "coreutils") else {
        return;
    };
    let dir = TempDir::new();
    dir.file("original", pattern(FILE_BYTES, 50));
    let (here, there) = (Pty::open(), Pty::open());
    let server = shell("rnc -l 0 > received", &dir)
        .in_terminal(&here)
        .spawn();
    let port = server.listening_port();
    let line = format!("rnc 127.0.0.1 {port} < original");
    shell(&line, &dir)
        .in_terminal(&there)
        .run()
        .expect_code(0)
        .expect_silence();
    server.wait().expect_code(0).expect_silence();
    expect_same_sums(&dir);
}

#[test]
fn a_file_goes_from_server_to_client() {
    let Some(_) = require("sha256sum", "coreutils") else {
        return;
    };
    let dir = TempDir::new();
    dir.file("original", pattern(FILE_BYTES, 51));
    let (here, there) = (Pty::open(), Pty::open());
    let server = shell("rnc -l 0 < original", &dir)
        .in_terminal(&here)
        .spawn();
    let port = server.listening_port();
    let line = format!("rnc 127.0.0.1 {port} > received");
    shell(&line, &dir)
        .in_terminal(&there)
        .run()
        .expect_code(0)
        .expect_silence();
    server.wait().expect_code(0).expect_silence();
    expect_same_sums(&dir);
}

#[test]
fn files_go_both_ways_over_one_connection() {
    let dir = TempDir::new();
    let (there, back) = (pattern(FILE_BYTES, 52), pattern(FILE_BYTES / 2, 53));
    dir.file("there", &there);
    dir.file("back", &back);
    let server = shell("rnc -l 0 < back > got-there", &dir).spawn();
    let line = format!(
        "rnc 127.0.0.1 {} < there > got-back",
        server.listening_port()
    );
    shell(&line, &dir).run().expect_code(0).expect_silence();
    server.wait().expect_code(0).expect_silence();
    let read = |name: &str| std::fs::read(dir.join(name)).expect("read");
    assert_bytes("what went there", &read("got-there"), &there);
    assert_bytes("what came back", &read("got-back"), &back);
}

#[test]
fn a_tree_goes_through_tar() {
    let Some(_) = require("tar", "tar") else {
        return;
    };
    let (from, to) = (TempDir::new(), TempDir::new());
    std::fs::create_dir_all(from.join("tree/branch")).expect("make a tree");
    from.file("tree/branch/leaf", pattern(FILE_BYTES, 54));
    from.file("tree/text", lines(1000, "text"));
    let server = shell("rnc -l 0 | tar xf -", &to).spawn();
    let line = format!("tar cf - tree | rnc 127.0.0.1 {}", server.listening_port());
    shell(&line, &from).run().expect_code(0).expect_silence();
    server.wait().expect_code(0).expect_silence();
    for name in ["tree/branch/leaf", "tree/text"] {
        let read = |dir: &TempDir| std::fs::read(dir.join(name)).expect("read");
        assert_bytes(name, &read(&to), &read(&from));
    }
}

#[test]
fn the_other_netcats_send_files_to_rnc() {
    for (name, package, line) in [
        (
            "nc.openbsd",
            "netcat-openbsd",
            "nc.openbsd -N 127.0.0.1 $PORT < original",
        ),
        (
            "nc.traditional",
            "netcat-traditional",
            "nc.traditional -q 9 127.0.0.1 $PORT < original",
        ),
        ("ncat", "ncat", "ncat 127.0.0.1 $PORT < original"),
        (
            "socat",
            "socat",
            "socat -u FILE:original TCP:127.0.0.1:$PORT",
        ),
    ] {
        let Some(_) = require(name, package) else {
            continue;
        };
        let dir = TempDir::new();
        dir.file("original", pattern(FILE_BYTES, 55));
        // In a terminal, as people do it: with /dev/null on stdin rnc would say at once that it
        // has nothing to send, which some of these take for the end of everything.
        let pty = Pty::open();
        let server = shell("rnc -l 0 > received", &dir).in_terminal(&pty).spawn();
        let port = server.listening_port().to_string();
        shell(line, &dir).env("PORT", port).run().expect_code(0);
        server.wait().expect_code(0).expect_silence();
        expect_same_sums(&dir);
    }
}

#[test]
fn the_other_netcats_receive_files_from_rnc() {
    for (name, package, line) in [
        (
            "nc.openbsd",
            "netcat-openbsd",
            "nc.openbsd -d 127.0.0.1 $PORT > received",
        ),
        (
            "nc.traditional",
            "netcat-traditional",
            "nc.traditional 127.0.0.1 $PORT > received",
        ),
        (
            "ncat",
            "ncat",
            "ncat --recv-only 127.0.0.1 $PORT > received",
        ),
        (
            "socat",
            "socat",
            "socat -u TCP:127.0.0.1:$PORT CREATE:received",
        ),
    ] {
        let Some(_) = require(name, package) else {
            continue;
        };
        let dir = TempDir::new();
        dir.file("original", pattern(FILE_BYTES, 56));
        let server = shell("rnc -l 0 < original", &dir).spawn();
        let port = server.listening_port().to_string();
        shell(line, &dir).env("PORT", port).run().expect_code(0);
        server.wait().expect_code(0).expect_silence();
        expect_same_sums(&dir);
    }
}

#[track_caller]
fn expect_same_sums(dir: &TempDir) {
    let sum = |name: &str| {
        let done = Cmd::new("sha256sum")
            .arg(name)
            .dir(dir.path())
            .run()
            .expect_code(0);
        String::from_utf8_lossy(&done.stdout)
            .split(' ')
            .next()
            .unwrap_or_default()
            .to_string()
    };
    let size = |name: &str| std::fs::metadata(dir.join(name)).expect("metadata").len();
    assert_eq!(size("received"), size("original"), "the sizes differ");
    assert_eq!(sum("received"), sum("original"), "the sums differ");
}
