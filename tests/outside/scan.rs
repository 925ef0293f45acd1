//! Scanning with `-z`: many ports at once, told in their order.

use crate::common::{
    ClosedPort, Cmd, Finished, Server, TempDir, descriptors_of, require, require_services, rnc,
    rnc_binary, shell, skip, sockets_of, udp_socket,
};
use rustix::process::Signal;
use socket2::{Domain, SockAddr, Socket, Type};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

/// rnc with the words of a line.
fn line(words: &str) -> Cmd {
    rnc(words.split_whitespace())
}

fn words(ports: &[u16]) -> String {
    let words: Vec<String> = ports.iter().map(u16::to_string).collect();
    words.join(" ")
}

/// The port each line is about, in the order of the lines, and whether it is open.
fn told(done: &Finished) -> Vec<(u16, bool)> {
    let read = |line: &str| {
        let is_open = line.ends_with("succeeded!");
        let mut words = line.split(' ');
        let word = if is_open {
            words.nth(3)
        } else {
            words.skip_while(|word| *word != "port").nth(1)
        };
        let port = word.and_then(|word| word.parse().ok());
        (
            port.unwrap_or_else(|| panic!("no port in {line:?}\n{done}")),
            is_open,
        )
    };
    done.stderr.lines().map(read).collect()
}

/// Ports of the loopback, every third open. They are held until it is dropped.
struct Ports {
    list: Vec<(u16, bool)>,
    _held: (Vec<TcpListener>, Vec<ClosedPort>),
}

impl Ports {
    fn hold(count: usize) -> Ports {
        let (mut list, mut open, mut closed) = (Vec::new(), Vec::new(), Vec::new());
        for at in 0..count {
            if at % 3 == 0 {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind");
                list.push((listener.local_addr().expect("local_addr").port(), true));
                open.push(listener);
            } else {
                let port = ClosedPort::tcp();
                list.push((port.port(), false));
                closed.push(port);
            }
        }
        Ports {
            list,
            _held: (open, closed),
        }
    }

    fn words(&self) -> String {
        let ports: Vec<u16> = self.list.iter().map(|(port, _)| *port).collect();
        words(&ports)
    }
}

/// A port whose queue is full, so that connects to it are never answered.
struct Silent {
    port: u16,
    _held: Vec<Socket>,
}

impl Silent {
    fn hold() -> Silent {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        listener.bind(&any.into()).expect("bind");
        listener.listen(0).expect("listen");
        let addr: SockAddr = listener.local_addr().expect("local_addr");
        let mut held = vec![listener];
        for _ in 0..4 {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("socket");
            client.set_nonblocking(true).expect("O_NONBLOCK");
            // Under way, or refused a place in the queue: both fill it.
            let _ = client.connect(&addr);
            held.push(client);
        }
        Silent {
            port: addr.as_socket().expect("an address").port(),
            _held: held,
        }
    }
}

#[test]
fn open_and_closed_ports_are_told_in_the_order_given() {
    let ports = Ports::hold(120);
    for options in [
        "",
        "--parallel 1",
        "--parallel 7",
        "--parallel 65535",
        "--as nc",
    ] {
        let done = line(&format!("{options} -zv 127.0.0.1 {}", ports.words())).run();
        let done = done.expect_code(0).expect_stdout("");
        assert_eq!(told(&done), ports.list, "{options}");
    }
}

#[test]
fn a_port_given_twice_is_told_twice() {
    let ports = Ports::hold(2);
    let done = line(&format!("-zv 127.0.0.1 {0} {0}", ports.words())).run();
    let twice: Vec<_> = ports.list.iter().chain(&ports.list).copied().collect();
    assert_eq!(told(&done), twice);
}

#[test]
fn all_ports_of_a_machine_are_told() {
    // A network of its own has no open port.
    let Some(machine) = alone("ip link set lo up") else {
        return;
    };
    let done = machine("-zv 127.0.0.1 1-65535").run().expect_code(1);
    let ports: Vec<u16> = told(&done).into_iter().map(|(port, _)| port).collect();
    assert!(
        ports.iter().copied().eq(1..=u16::MAX),
        "{} lines",
        ports.len()
    );
}

#[test]
fn a_socket_connected_to_itself_is_no_open_port() {
    // With one port to choose from, the kernel chooses the one that is asked for.
    let setup = "ip link set lo up; sysctl -qw 'net.ipv4.ip_local_port_range=40001 40001'";
    let Some(machine) = alone(setup) else { return };
    for options in ["-zv", "-zuv -w 300ms", "--as nc -zv"] {
        let done = machine(&format!("{options} 127.0.0.1 40001")).run();
        let done = done.expect_code(1).expect_complaint("Connection refused");
        assert_eq!(told(&done), [(40001, false)]);
    }
    // Asked for in so many words, it is what it is.
    machine("-z -p 40001 127.0.0.1 40001").run().expect_code(0);
}

#[test]
fn nothing_is_said_without_v() {
    let ports = Ports::hold(30);
    line(&format!("-z 127.0.0.1 {}", ports.words()))
        .run()
        .expect_code(0)
        .expect_stdout("")
        .expect_silence();
    let closed = ClosedPort::tcp();
    line(&format!("-z 127.0.0.1 {0} {0}", closed.port()))
        .run()
        .expect_code(1)
        .expect_silence();
}

#[test]
fn random_order_tells_every_port_once() {
    let ports = Ports::hold(60);
    let done = line(&format!("-zvr 127.0.0.1 {}", ports.words())).run();
    let (mut found, mut wanted) = (told(&done.expect_code(0)), ports.list.clone());
    found.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(found, wanted);
}

#[test]
fn a_name_and_all_that_is_tried_is_told_by_port() {
    let ports = Ports::hold(6);
    let done = line(&format!("-zvv -4 localhost {}", ports.words())).run();
    let done = done.expect_code(0);
    let wanted: Vec<(&str, u16)> = ports
        .list
        .iter()
        .flat_map(|(port, is_open)| {
            if *is_open {
                vec![("Trying", *port), ("Connection", *port), ("Local", *port)]
            } else {
                vec![("Trying", *port), ("rnc:", *port)]
            }
        })
        .collect();
    let lines: Vec<&str> = done.stderr.lines().collect();
    assert_eq!(lines.len(), wanted.len(), "{done}");
    for (line, (start, port)) in lines.iter().zip(wanted) {
        assert!(line.starts_with(start), "{line:?}, wanted {start}\n{done}");
        let names_it = line.split(' ').any(|word| word == port.to_string());
        assert!(
            names_it || start == "Local",
            "{line:?}, wanted {port}\n{done}"
        );
    }
}

#[test]
fn services_are_named_even_when_descriptors_run_out() {
    let Some(services) = require_services() else {
        return;
    };
    if !services.contains("\t80/tcp") {
        return skip("needs http in /etc/services");
    }
    let setup = format!("{LISTEN_ON_80}; {FEW_DESCRIPTORS}");
    let Some(machine) = alone(&setup) else { return };
    let done = machine("-zv 127.0.0.1 70-90").run().expect_code(0);
    let open: Vec<&str> = done.complaints();
    assert_eq!(open.len(), 20, "{done}");
    let wanted = "Connection to 127.0.0.1 80 port [tcp/http] succeeded!";
    assert!(done.stderr.lines().any(|line| line == wanted), "{done}");
}

#[test]
fn a_name_that_is_unknown_is_told_once() {
    let done = line("-zv nosuchhost.invalid 1-1000").run();
    done.expect_code(1).expect_complaint("nosuchhost.invalid");
}

#[test]
fn a_port_that_does_not_answer_holds_up_no_other() {
    let (silent, ports) = (Silent::hold(), Ports::hold(9));
    // One at a time they would come to the last port only after the first.
    let words = format!(
        "-zv -w 500ms 127.0.0.1 {0} {1} {0} {0}",
        silent.port,
        ports.words()
    );
    let done = line(&words).run().expect_code(0);
    let mut wanted = vec![(silent.port, false)];
    wanted.extend(&ports.list);
    wanted.extend([(silent.port, false); 2]);
    assert_eq!(told(&done), wanted);
    assert_eq!(done.stderr.matches("timed out").count(), 3, "{done}");
}

#[test]
fn three_hundred_black_holes_take_no_longer_than_one() {
    let Some(machine) = alone(MUTE) else { return };
    for (options, text) in [
        ("", "timed out"),
        ("--as nc", "timed out: Operation now in progress"),
    ] {
        let done = machine(&format!("{options} -zv -w 1 10.9.0.2 1-300")).run();
        let code = if options.is_empty() { 3 } else { 1 };
        let done = done.expect_code(code);
        assert!(
            done.stderr.lines().all(|line| line.ends_with(text)),
            "{done}"
        );
        assert!(
            told(&done).into_iter().map(|(port, _)| port).eq(1..=300),
            "{done}"
        );
    }
}

#[test]
fn parallel_dials_are_under_way_at_once() {
    let Some(machine) = alone(MUTE) else { return };
    let mut scan = machine("-z --parallel 20 10.9.0.2 1-100").spawn();
    let sockets = || sockets_of(scan.pid()).len();
    assert!(
        crate::common::eventually(|| sockets() == 20),
        "{} sockets",
        sockets()
    );
    scan.signal(Signal::TERM);
    scan.wait_within(crate::common::DEADLINE)
        .expect_signal(Signal::TERM);
}

#[test]
fn few_descriptors_make_a_scan_smaller_not_wrong() {
    let dir = TempDir::new();
    if require("bash", "bash").is_none() {
        return;
    }
    let (silent, ports) = (Silent::hold(), Ports::hold(40));
    let list = format!("{0} {0} {0} {0} {0} {0} {1}", silent.port, ports.words());
    let mut wanted = vec![(silent.port, false); 6];
    wanted.extend(&ports.list);
    for (few, options) in [
        ("ulimit -n 10", ""),
        ("ulimit -n 10", "--parallel 500"),
        (FEW_DESCRIPTORS, ""),
        (FEW_DESCRIPTORS, "--parallel 500"),
    ] {
        let words = format!("{options} -zv -w 300ms 127.0.0.1 {list}");
        let done = shell(&format!("exec bash -c '{few}; exec rnc {words}'"), &dir).run();
        assert_eq!(told(&done.expect_code(0)), wanted, "{few} {options}");
    }
}

#[test]
fn the_soft_limit_on_descriptors_is_no_hindrance() {
    let Some(machine) = alone(&format!("{MUTE}; ulimit -Sn 64")) else {
        return;
    };
    let mut scan = machine("-z 10.9.0.2 1-400").spawn();
    let count = || descriptors_of(scan.pid());
    assert!(
        crate::common::eventually(|| count() > 400),
        "{} descriptors",
        count()
    );
    scan.signal(Signal::INT);
    scan.wait_within(crate::common::DEADLINE)
        .expect_signal(Signal::INT);
}

#[test]
fn a_signal_ends_a_scan_and_what_is_known_is_told_in_order() {
    let (silent, ports) = (Silent::hold(), Ports::hold(30));
    let (before, after) = (Server::tcp(), ClosedPort::tcp());
    let list = format!("{} {} {}", before.port(), silent.port, ports.words());
    let scan = line(&format!("-zv 127.0.0.1 {list} {}", after.port())).spawn();
    // The first is told at once; those behind the silent one wait.
    scan.says(&format!(" {} port ", before.port()));
    let tries = || sockets_of(scan.pid()).len();
    // Only the silent one is left under way.
    assert!(
        crate::common::eventually(|| tries() == 1),
        "{} under way",
        tries()
    );
    scan.signal(Signal::INT);
    let done = scan.wait().expect_signal(Signal::INT);
    let mut wanted = vec![(before.port(), true)];
    wanted.extend(&ports.list);
    wanted.push((after.port(), false));
    assert_eq!(told(&done), wanted);
}

#[test]
fn udp_ports_are_told_in_order_and_each_is_asked() {
    let (silent, closed): (Vec<UdpSocket>, Vec<ClosedPort>) =
        (0..8).map(|_| (udp_socket(), ClosedPort::udp())).unzip();
    let pairs = silent.iter().zip(&closed);
    let wanted: Vec<(u16, bool)> = pairs
        .flat_map(|(silent, closed)| {
            let port = silent.local_addr().expect("local_addr").port();
            [(closed.port(), false), (port, true)]
        })
        .collect();
    let ports: Vec<u16> = wanted.iter().map(|(port, _)| *port).collect();
    let done = line(&format!("-zuv -w 300ms 127.0.0.1 {}", words(&ports))).run();
    assert_eq!(told(&done.expect_code(0)), wanted);
    for socket in &silent {
        let mut buf = [0; 8];
        // Two at once, as nc.
        for _ in 0..2 {
            assert_eq!(socket.recv(&mut buf).expect("a probe"), 1);
            assert_eq!(buf[0], b'X');
        }
    }
}

#[test]
fn the_last_udp_port_decides_as_nc() {
    let (silent, closed) = (udp_socket(), ClosedPort::udp());
    let silent = silent.local_addr().expect("local_addr").port();
    for (list, code) in [([silent, closed.port()], 1), ([closed.port(), silent], 0)] {
        line(&format!("--as nc -zuv -w 1 127.0.0.1 {}", words(&list)))
            .run()
            .expect_code(code);
    }
}

#[test]
fn closed_udp_ports_of_another_machine_are_not_taken_for_open() {
    // The other machine may refuse once a second only: all at once, most would seem open.
    let Some(machine) = alone(OTHER_MACHINE) else {
        return;
    };
    let done = machine("-zuv 10.9.0.2 1-10").run().expect_code(1);
    assert!(
        told(&done)
            .into_iter()
            .eq((1..=10).map(|port| (port, false))),
        "{done}"
    );
}

#[test]
fn a_pause_between_ports_changes_nothing_else() {
    let ports = Ports::hold(5);
    let done = line(&format!("-zv -i 20ms 127.0.0.1 {}", ports.words())).run();
    assert_eq!(told(&done.expect_code(0)), ports.list);
}

#[test]
fn an_address_that_cannot_be_sent_from_ends_it_with_one_line() {
    for options in ["", "--parallel 1"] {
        let done = line(&format!("{options} -z -s 192.0.2.1 127.0.0.1 1-100")).run();
        done.expect_code(1)
            .expect_complaint("bind to 192.0.2.1 failed");
    }
}

#[test]
fn parallel_is_a_number_and_needs_a_scan() {
    for (words, text) in [
        ("--parallel 4 127.0.0.1 80", "-z"),
        ("-l --parallel 4 80", "-z"),
        ("-zU --parallel 4 /nowhere", "-U"),
        ("-z --parallel 0 127.0.0.1 80", "too small"),
        ("-z --parallel 65536 127.0.0.1 80", "too large"),
        ("-z --parallel many 127.0.0.1 80", "invalid"),
        ("-z --parallel", "needs a value"),
    ] {
        let done = line(words).run().expect_code(2);
        let done = done.expect_complaint("--parallel");
        assert!(done.stderr.contains(text), "{words}: {done}");
    }
}

/// 10.9.0.2 is behind a cable, at an address of Ethernet that nobody has.
const MUTE: &str = "ip link add v0 type veth peer name v1 && ip link set v1 up && \
    ip link set v0 up && ip addr add 10.9.0.1/24 dev v0 && \
    ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:99 dev v0";

/// 10.9.0.2 is a machine where no port is open.
const OTHER_MACHINE: &str = "unshare -n sleep 60 >/dev/null 2>&1 & \
    until [ -e /proc/$!/ns/net ] && \
    [ $(readlink /proc/$!/ns/net) != $(readlink /proc/$$/ns/net) ]; do :; done; \
    ip link add v0 type veth peer name v1 netns $! && \
    nsenter -n -t $! ip addr add 10.9.0.2/24 dev v1 && nsenter -n -t $! ip link set v1 up && \
    ip link set v0 up && ip addr add 10.9.0.1/24 dev v0";

/// Somebody listens on port 80 of the loopback.
const LISTEN_ON_80: &str = "ip link set lo up && \
    read line < <(exec $RNC -lkv 127.0.0.1 80 </dev/null 2>&1 >/dev/null)";

/// About a dozen descriptors are left, which the limit alone does not tell. For bash.
const FEW_DESCRIPTORS: &str =
    "ulimit -n 64; for n in {10..55}; do eval \"exec $n</dev/null\"; done";

/// rnc in a network of its own, made by these commands of the shell; `None` where that is not
/// allowed.
fn alone(setup: &str) -> Option<impl Fn(&str) -> Cmd + use<>> {
    let unshare = require("unshare", "util-linux")?;
    require("ip", "iproute2")?;
    require("nsenter", "util-linux")?;
    let options = if rustix::process::geteuid().is_root() {
        "-n"
    } else {
        "-rn"
    };
    require("bash", "bash")?;
    let binary = rnc_binary().display();
    let setup = setup.replace("$RNC", &binary.to_string());
    let run = move |end: &str| {
        let script = format!("PATH=$PATH:/usr/sbin:/sbin; {setup} || exit 99; {end}");
        let made = Cmd::new(&unshare).args([options, "bash", "-c", &script]);
        made.with_its_children()
    };
    if run("true").run().status.code() != Some(0) {
        skip("needs the right to make a network namespace");
        return None;
    }
    Some(move |words: &str| run(&format!("exec {binary} {words}")))
}
