//! Demo 2: two machines, played by two network namespaces, over a clean link and over one that
//! loses 5 % and reorders 10 % of the packets. Needs the right to make namespaces (root).

mod common;

use common::{
    Cmd, DEADLINE, Pty, Running, Stdin, Stdout, TempDir, eventually, pattern, python, require,
    rnc_binary, skip,
};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const ADDRESS_A: &str = "10.77.0.1";
const ADDRESS_B: &str = "10.77.0.2";

/// Fixed, since a machine of its own has all ports to itself.
const PORT: u16 = 5000;

#[test]
fn two_machines_chat() {
    let Some(machines) = Machines::joined_by_a_cable() else {
        return;
    };
    chat(&machines, 5);
}

#[test]
fn two_machines_chat_over_a_bad_link() {
    let Some((machines, link)) = Machines::joined_by_a_bad_link(1) else {
        return;
    };
    chat(&machines, 30);
    link.end();
}

#[test]
fn a_file_arrives_whole_over_a_bad_link() {
    let Some((machines, link)) = Machines::joined_by_a_bad_link(2) else {
        return;
    };
    send_a_file(&machines);
    let (dropped, overtaken) = link.end();
    // 1 MiB is some 750 packets: the link surely did its worst.
    assert!(
        dropped > 0 && overtaken > 0,
        "dropped {dropped}, overtaken {overtaken}"
    );
}

#[test]
fn a_file_arrives_whole_over_a_cable() {
    let Some(machines) = Machines::joined_by_a_cable() else {
        return;
    };
    send_a_file(&machines);
}

#[test]
fn a_machine_that_is_not_there_is_told() {
    let Some(machines) = Machines::joined_by_a_cable() else {
        return;
    };
    // Nobody answers ARP for it: EHOSTUNREACH after the kernel's tries.
    let done = machines.a.rnc(&["10.77.0.9", "5000"]).run();
    done.expect_code(1).expect_complaint("No route to host");
    let done = machines.a.rnc(&["10.78.0.9", "5000"]).run();
    done.expect_code(1)
        .expect_complaint("Network is unreachable");
}

/// Lines typed on either machine appear on the other, all of them and in order.
#[track_caller]
fn chat(machines: &Machines, count: usize) {
    let (left, right) = (Pty::open(), Pty::open());
    left.hide_typing();
    right.hide_typing();
    let server = machines
        .a
        .rnc(&["-l", &PORT.to_string()])
        .in_terminal(&left)
        .spawn();
    wait_until_it_listens(&server);
    let client = machines
        .b
        .rnc(&[ADDRESS_A, &PORT.to_string()])
        .in_terminal(&right)
        .spawn();
    for n in 1..=count {
        right.types(format!("b says {n}\n"));
        left.types(format!("a says {n}\n"));
        if n % 10 == 1 {
            left.shows(&format!("b says {n}\r\n"), &server);
            right.shows(&format!("a says {n}\r\n"), &client);
        }
    }
    left.shows(&format!("b says {count}\r\n"), &server);
    right.shows(&format!("a says {count}\r\n"), &client);
    for (pty, other) in [(&left, "b"), (&right, "a")] {
        let text = pty.screen().text();
        let start = format!("{other} says ");
        let got: Vec<_> = text
            .lines()
            .filter(|line| line.starts_with(&start))
            .collect();
        let wanted: Vec<_> = (1..=count).map(|n| format!("{start}{n}")).collect();
        assert_eq!(got, wanted, "what {other} said, on the other screen");
    }
    right.types_end();
    client.wait().expect_code(0).expect_silence();
    server.wait().expect_code(0).expect_silence();
}

/// 1 MiB, with its sum taken at both ends.
#[track_caller]
fn send_a_file(machines: &Machines) {
    let dir = TempDir::new();
    let original = dir.file("original", pattern(1 << 20, 60));
    let received = dir.join("received");
    let file = std::fs::File::create(&received).expect("make a file");
    let mut server = machines
        .a
        .rnc(&["-l", &PORT.to_string()])
        .stdout(Stdout::Fd(file.into()))
        .spawn();
    wait_until_it_listens(&server);
    let file = std::fs::File::open(&original).expect("open");
    let mut client = machines
        .b
        .rnc(&[ADDRESS_A, &PORT.to_string()])
        .stdin(Stdin::Fd(file.into()))
        .spawn();
    // TCP repeats what the link loses, at its own pace.
    let patience = Duration::from_secs(60);
    client.wait_within(patience).expect_code(0).expect_silence();
    server.wait_within(patience).expect_code(0).expect_silence();
    assert_eq!(sum(&received), sum(&original));
}

fn sum(path: &Path) -> String {
    let done = Cmd::new("sha256sum").arg(path).run().expect_code(0);
    String::from_utf8_lossy(&done.stdout)
        .split(' ')
        .next()
        .unwrap_or_default()
        .to_string()
}

/// `rnc -l 5000` says nothing, so its own machine is asked.
#[track_caller]
fn wait_until_it_listens(server: &Running) {
    let is_listening = || {
        ["tcp", "tcp6"].iter().any(|table| {
            let path = format!("/proc/{}/net/{table}", server.pid());
            let text = std::fs::read_to_string(path).unwrap_or_default();
            let listening = format!(":{PORT:04X} ");
            text.lines()
                .any(|line| line.contains(&listening) && line.contains(" 0A "))
        })
    };
    if !eventually(is_listening) {
        server.fail("it does not listen");
    }
}

/// A network namespace, removed on drop.
struct Machine {
    name: String,
}

struct Machines {
    a: Machine,
    b: Machine,
}

impl Machines {
    fn new() -> Option<Machines> {
        require("ip", "iproute2")?;
        require("nsenter", "util-linux")?;
        require("sha256sum", "coreutils")?;
        Some(Machines {
            a: Machine::new()?,
            b: Machine::new()?,
        })
    }

    /// A veth pair.
    #[track_caller]
    fn joined_by_a_cable() -> Option<Machines> {
        let machines = Machines::new()?;
        let (a, b) = (&machines.a.name, &machines.b.name);
        ip(&[
            "-n", a, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", b,
        ]);
        for (machine, address) in [(a, ADDRESS_A), (b, ADDRESS_B)] {
            ip(&[
                "-n",
                machine,
                "addr",
                "add",
                &format!("{address}/24"),
                "dev",
                "eth0",
            ]);
            ip(&["-n", machine, "link", "set", "eth0", "up"]);
            ip(&["-n", machine, "link", "set", "lo", "up"]);
        }
        Some(machines)
    }

    /// A program that carries the packets, and not all of them.
    #[track_caller]
    fn joined_by_a_bad_link(seed: u32) -> Option<(Machines, BadLink)> {
        let machines = Machines::new()?;
        if !Path::new("/dev/net/tun").exists() {
            skip("needs /dev/net/tun");
            return None;
        }
        let link = python("lossy_link.py")?
            .args([&machines.a.name, ADDRESS_A, &machines.b.name, ADDRESS_B])
            .args(["5", "10", &seed.to_string()])
            .stdin(Stdin::Pipe)
            .spawn();
        link.shows("READY\n");
        Some((machines, BadLink(link)))
    }
}

impl Machine {
    fn new() -> Option<Machine> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rnc-{}-{n}", std::process::id());
        let done = Cmd::new("ip").args(["netns", "add", &name]).run();
        if !done.status.success() {
            skip(&format!(
                "may not make a network namespace: {}",
                done.stderr.trim_end()
            ));
            return None;
        }
        Some(Machine { name })
    }

    /// rnc on this machine. nsenter becomes rnc, so its pid and its terminal are rnc's.
    fn rnc(&self, args: &[&str]) -> Cmd {
        Cmd::new("nsenter")
            .arg(format!("--net=/run/netns/{}", self.name))
            .arg("--")
            .arg(rnc_binary())
            .args(args)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::process::Command::new("ip")
            .args(["netns", "del", &self.name])
            .status();
    }
}

struct BadLink(Running);

impl BadLink {
    /// Ends it and gives how many packets it dropped, and how many it let be overtaken.
    #[track_caller]
    fn end(mut self) -> (u32, u32) {
        let done = self.0.wait_within(DEADLINE).expect_code(0);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let after = |word: &str| {
            let mut words = said.split_whitespace().skip_while(|found| *found != word);
            words.nth(1).and_then(|n| n.parse().ok())
        };
        match (after("DROPPED"), after("OVERTAKEN")) {
            (Some(dropped), Some(overtaken)) => (dropped, overtaken),
            _ => panic!("no numbers in {said:?}"),
        }
    }
}

#[track_caller]
fn ip(words: &[&str]) {
    Cmd::new("ip").args(words).run().expect_code(0);
}
