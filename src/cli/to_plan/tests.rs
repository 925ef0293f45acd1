//! Words → plan, by tables: what follows from what, in both dialects.

mod datagrams;
mod limits;
mod passed;
mod programs;
#[cfg(feature = "tls")]
mod tls;

use super::*;
use crate::cli::args::Args;
use crate::cli::command::Extent;
use crate::cli::dialect::{NATIVE, NC};
use crate::plan::Framing;
use crate::plan::access::HostList;
use crate::plan::{
    Clients, Family, Join, ListenAt, Listening, Log, LogFormat, LogPlace, PassEnd, Plan, Proxy,
    ProxyKind, ProxyNames, Rules, Side, Talk, UnixSource, Until, Work,
};
use std::time::Duration;

mod ncat;

fn facts() -> Facts {
    Facts::default()
}

/// The plan behind a command line written in one string.
fn plan_with(words: &str, dialect: &Dialect, facts: &Facts) -> Result<Plan, Wrong> {
    let words = std::iter::once("rnc").chain(words.split_whitespace());
    let matches = (dialect.command)(Extent::Whole).try_get_matches_from(words);
    let matches = matches.expect("known words");
    to_plan(&Args::from_matches(&matches), dialect, facts)
}

#[track_caller]
fn native(words: &str) -> Plan {
    plan_with(words, &NATIVE, &facts()).unwrap_or_else(|wrong| panic!("{words}: {wrong:?}"))
}

#[track_caller]
fn nc(words: &str) -> Plan {
    plan_with(words, &NC, &facts()).unwrap_or_else(|wrong| panic!("{words}: {wrong:?}"))
}

impl Plan {
    fn rules(&self) -> &Rules {
        match &self.work {
            Work::Join(join) => &join.rules,
            Work::Room(room) => &room.rules,
            Work::Answer(answer) => &answer.rules,
            Work::Scan(_) => panic!("no sessions: {self:?}"),
        }
    }

    /// The listener.
    #[track_caller]
    fn heard(&self) -> &Listening {
        self.listening().expect("a listener")
    }

    fn join(&self) -> &Join {
        match &self.work {
            Work::Join(join) => join,
            other => panic!("no sessions of two: {other:?}"),
        }
    }

    /// The end that is dialed.
    #[track_caller]
    fn dialed(&self) -> &End {
        match &self.work {
            Work::Scan(scan) => &scan.to.end,
            _ => self.join().remote.end().expect("an end"),
        }
    }

    fn net(&self) -> &Net {
        match self.listening() {
            Some(listening) => &listening.net,
            None => &self.dialed().how.net,
        }
    }

    /// What the clients of a listener are joined to.
    #[track_caller]
    fn partner(&self) -> &Base {
        &self.join().local.end().expect("a partner").base
    }
}

fn seconds(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(n))
}

/// Where a plan listens: host and port.
fn listens(plan: &Plan) -> (Option<String>, u16) {
    match &plan.heard().at {
        ListenAt::Ip(at) => (at.host.clone(), at.port),
        other => panic!("does not listen: {other:?}"),
    }
}

/// Where a plan connects to: host and ports.
fn connects(plan: &Plan) -> (String, Vec<u16>) {
    let to = match &plan.work {
        Work::Scan(scan) => &scan.to,
        _ => match &plan.join().remote {
            Side::Ports(ports) => ports,
            other => panic!("does not connect: {other:?}"),
        },
    };
    let host = to.end.host().expect("a host").to_string();
    (host, to.ranges.iter().cloned().flatten().collect())
}

fn proxy(words: &str, facts: &Facts) -> Proxy {
    let plan = plan_with(words, &NATIVE, facts).expect("a plan");
    plan.dialed().proxy().expect("a proxy").clone()
}

#[test]
fn all_listen_forms_say_the_same() {
    let somewhere = (Some("127.0.0.1".to_string()), 80);
    for words in [
        "-l 127.0.0.1 80",
        "-l -p 80 127.0.0.1",
        "-l 127.0.0.1 -p 80",
        "-l -s 127.0.0.1 -p 80",
        "-l -s 127.0.0.1 80",
        "-l 127.0.0.1:80",
        "127.0.0.1:80 -l",
        "-u -l 127.0.0.1 80",
        "-lp80 127.0.0.1",
        "-l 127.0.0.1 http",
        "-l 127.0.0.1:http",
    ] {
        if words.contains("http") && names::service_port("http", "tcp").is_none() {
            continue;
        }
        assert_eq!(listens(&native(words)), somewhere, "{words}");
    }
    for words in ["-l 80", "-l -p 80", "-lvp 80", "80 -l", "-u -l 80"] {
        assert_eq!(listens(&native(words)), (None, 80), "{words}");
    }
    assert_eq!(listens(&native("-l [::1]:80")), (Some("::1".into()), 80));
    assert_eq!(listens(&native("-l ::1 80")), (Some("::1".into()), 80));
}

#[test]
fn nc_takes_fewer_listen_forms() {
    assert_eq!(listens(&nc("-l 80")), (None, 80));
    assert_eq!(listens(&nc("-l -p 80")), (None, 80));
    assert_eq!(
        listens(&nc("-l localhost 80")),
        (Some("localhost".into()), 80)
    );
    let with_source = listens(&nc("-l -s 127.0.0.1 -p 80"));
    assert_eq!(with_source, (Some("127.0.0.1".into()), 80));
    for words in [
        "-l -p 80 localhost",
        "-l -s 127.0.0.1 80",
        "-l a b c",
        "-p 80 localhost",
    ] {
        let wrong = plan_with(words, &NC, &facts()).expect_err(words);
        assert!(matches!(wrong, Wrong::Shape(_)), "{words}: {wrong:?}");
    }
}

#[test]
fn hosts_and_ports_are_read_in_every_form() {
    for (words, host, ports) in [
        ("h 80", "h", vec![80]),
        ("h:80", "h", vec![80]),
        ("[::1]:80", "::1", vec![80]),
        ("[::1] 80", "::1", vec![80]),
        ("::1 80", "::1", vec![80]),
        ("h 20-23", "h", vec![20, 21, 22, 23]),
        ("h 23-20", "h", vec![20, 21, 22, 23]),
        ("h 7 9 20-21", "h", vec![7, 9, 20, 21]),
        ("h:20-22", "h", vec![20, 21, 22]),
        ("-z h +80", "h", vec![80]),
    ] {
        assert_eq!(
            connects(&native(words)),
            (host.to_string(), ports),
            "{words}"
        );
    }
}

#[test]
fn unix_addresses_are_read_in_every_form() {
    for words in ["-U /p", "unix:/p", "-U unix:/p", "/p -U"] {
        let plan = native(words);
        let end = plan.dialed();
        assert!(
            matches!(&end.base, Base::Unix { path, datagrams: None } if path.ends_with("p")),
            "{words}: {end:?}"
        );
        assert_eq!(end.how.timeout, None, "{words}");
    }
    for words in ["-lU /p", "-l unix:/p", "-lU -s /p"] {
        let plan = native(words);
        let at = &plan.heard().at;
        assert!(
            matches!(at, ListenAt::Unix { path, datagrams: false, .. } if path.ends_with("p")),
            "{words}: {at:?}"
        );
    }
    let from = |words| match native(words).dialed().base.clone() {
        Base::Unix { datagrams, .. } => datagrams,
        other => panic!("{other:?}"),
    };
    assert!(matches!(from("-uU /p"), Some(UnixSource::Temporary)));
    assert!(matches!(from("-uU -s /q /p"), Some(UnixSource::Path(path)) if path.ends_with("q")));
}

#[test]
fn vsock_addresses_are_read_in_every_form() {
    for words in [
        "vsock:3:80",
        "--vsock 3 80",
        "--vsock -w 2 3 80",
        "--timeout 2 vsock:3:80",
        "--timeout 2 -w 3 vsock:3:80",
    ] {
        let plan = native(words);
        let end = plan.dialed();
        let timeout = words.contains("2 ").then(|| Duration::from_secs(2));
        let is_right = matches!(end.base, Base::Vsock { cid: 3, port: 80 });
        assert!(is_right && end.how.timeout == timeout, "{words}: {end:?}");
    }
    for (words, wanted) in [
        ("-l vsock::80", None),
        ("-l --vsock 80", None),
        ("-l --vsock -p 80", None),
        ("-l vsock:3:80", Some(3)),
        ("-lk --vsock 3 80", Some(3)),
        ("-l --vsock -p 80 3", Some(3)),
    ] {
        let plan = native(words);
        let at = &plan.heard().at;
        assert!(
            matches!(at, ListenAt::Vsock { cid, port: 80 } if *cid == wanted),
            "{words}: {at:?}"
        );
    }
}

#[test]
fn the_transport_is_what_is_asked_for() {
    for (words, transport) in [
        ("h 80", Transport::Tcp),
        ("-u h 80", Transport::Udp),
        ("--sctp h 80", Transport::Sctp),
        ("-l --sctp 80", Transport::Sctp),
    ] {
        assert_eq!(native(words).net().transport, transport, "{words}");
    }
}

#[test]
fn ends_follow_from_options_role_and_terminal() {
    let terminal = Facts {
        stdin: Input::Terminal,
        ..facts()
    };
    // Words, and at the end of which side the session ends: with a pipe, with a terminal.
    for (words, piped, typed) in [
        ("h 80", Until::Both, Until::Peer),
        ("-l 80", Until::Both, Until::Peer),
        ("-d h 80", Until::Peer, Until::Peer),
        ("--recv-only h 80", Until::Peer, Until::Peer),
        ("--send-only h 80", Until::Stdin, Until::Stdin),
        ("--until both h 80", Until::Both, Until::Both),
        ("--until never h 80", Until::Never, Until::Never),
        ("--until stdin -d h 80", Until::Stdin, Until::Stdin),
    ] {
        let until = |facts| {
            plan_with(words, &NATIVE, facts)
                .expect(words)
                .rules()
                .ends
                .until
        };
        assert_eq!(
            (until(&facts()), until(&terminal)),
            (piped, typed),
            "{words}"
        );
    }
    for (words, wanted) in [
        ("h 80", Until::Both),
        ("-l 80", Until::Peer),
        ("-d h 80", Until::Peer),
    ] {
        for facts in [&facts(), &terminal] {
            let until = plan_with(words, &NC, facts)
                .expect(words)
                .rules()
                .ends
                .until;
            assert_eq!(until, wanted, "{words}");
        }
    }
}

#[test]
fn the_end_of_input_is_passed_on_by_dialect_and_option() {
    for (words, native_does, nc_does) in [
        ("h 80", quiet(1), PassEnd::Never),
        ("-N h 80", PassEnd::Now, PassEnd::Now),
        ("-q 1 h 80", quiet(1), PassEnd::Now),
        ("-q -1 h 80", quiet(1), PassEnd::Never),
        ("--shutdown 5 h 80", quiet(5), quiet(5)),
        ("--shutdown now h 80", PassEnd::Now, PassEnd::Now),
        ("--shutdown 0 h 80", PassEnd::Now, PassEnd::Now),
        ("--shutdown never h 80", PassEnd::Never, PassEnd::Never),
        ("--no-shutdown h 80", PassEnd::Never, PassEnd::Never),
        ("--no-shutdown -q 1 h 80", PassEnd::Never, PassEnd::Never),
        ("--send-only h 80", PassEnd::Now, PassEnd::Now),
        ("-x p:1 h 80", quiet(15), PassEnd::Never),
        ("-U /s", quiet(1), PassEnd::Never),
        ("--vsock 2 80", quiet(1), PassEnd::Never),
        ("-l 80", PassEnd::Now, PassEnd::Never),
        ("-l -N 80", PassEnd::Now, PassEnd::Now),
        ("-l -U /s", PassEnd::Now, PassEnd::Never),
    ] {
        let does = [native(words), nc(words)].map(|plan| plan.rules().ends.pass_end);
        assert_eq!(does, [native_does, nc_does], "{words}");
    }
}

fn quiet(seconds: u64) -> PassEnd {
    PassEnd::WhenQuiet(Duration::from_secs(seconds))
}

#[test]
fn a_listener_whose_input_is_dev_null_has_none() {
    let null = Facts {
        stdin: Input::Null,
        ..facts()
    };
    for (words, pass_end) in [
        ("-l 80", PassEnd::Never),
        ("-lk 80", PassEnd::Never),
        ("-lU /s", PassEnd::Never),
        ("-l -q 1 80", PassEnd::Never),
        ("-lN 80", PassEnd::Now),
        ("-l --shutdown now 80", PassEnd::Now),
        ("-l --send-only 80", PassEnd::Now),
        ("-l -e cat 80", PassEnd::Now),
        ("h 80", quiet(1)),
    ] {
        let plan = plan_with(words, &NATIVE, &null);
        let plan = plan.unwrap_or_else(|wrong| panic!("{words}: {wrong:?}"));
        assert_eq!(plan.rules().ends.pass_end, pass_end, "{words}");
    }
}

#[test]
fn silence_counts_once_the_writer_of_a_pipe_has_written() {
    let pipe = Facts {
        stdin: Input::Pipe,
        ..facts()
    };
    for (words, native_waits, nc_waits) in [
        ("-w 0 h 80", true, false),
        ("-w 1 h 80", true, false),
        ("-u -w 0 h 80", true, false),
        ("-d -w 1 h 80", false, false),
        ("-l -w 1 --echo 80", false, false),
        ("-l -w 1 -e cat 80", false, false),
    ] {
        for (dialect, waits) in [(&NATIVE, native_waits), (&NC, nc_waits)] {
            let plan = plan_with(words, dialect, &pipe);
            let limits = plan
                .unwrap_or_else(|wrong| panic!("{words}: {wrong:?}"))
                .rules()
                .limits;
            assert_eq!(
                limits.idle_waits_for_input, waits,
                "{} {words}",
                dialect.name
            );
        }
    }
}

#[test]
fn q_is_a_limit_or_with_an_nc_client_a_delay() {
    // Words; native quit; nc's quit and linger.
    for (words, native_quit, nc_quit, nc_linger) in [
        ("h 80", None, None, None),
        ("-q 2 h 80", seconds(2), None, seconds(2)),
        ("-q 0 h 80", seconds(0), None, seconds(0)),
        ("-q -1 h 80", None, None, None),
        ("-q 2 -l 80", seconds(2), seconds(2), None),
        ("-q 2 -u h 80", seconds(2), seconds(2), None),
        ("-u h 80", seconds(1), None, None),
        ("-u -q -1 h 80", None, None, None),
        ("-u -l 80", None, None, None),
        ("-uU /p", seconds(1), None, None),
        ("-U /p", None, None, None),
    ] {
        assert_eq!(native(words).rules().ends.quit, native_quit, "{words}");
        assert_eq!(native(words).rules().ends.linger, None, "{words}");
        let ends = nc(words).rules().ends;
        assert_eq!((ends.quit, ends.linger), (nc_quit, nc_linger), "nc {words}");
    }
}

#[test]
fn times_have_units_but_not_ncs() {
    for (word, wanted) in [
        ("500ms", 500),
        ("2s", 2000),
        ("2", 2000),
        ("1m", 60_000),
        ("0.5", 500),
    ] {
        let words = format!("-w {word} -i {word} h 80");
        let plan = native(&words);
        let wanted = Some(Duration::from_millis(wanted));
        assert_eq!(
            (plan.rules().limits.idle, plan.rules().interval),
            (wanted, wanted),
            "{word}"
        );
        assert_eq!(plan.dialed().how.timeout, wanted);
    }
    assert_eq!(nc("-w 2 h 80").rules().limits.idle, seconds(2));
    assert_eq!(native("-i 0 h 80").rules().interval, None);
    for word in ["500ms", "2s", "0.5", "x"] {
        let words = format!("-w {word} h 80");
        let wrong = Wrong::Said(format!("timeout invalid: {word}"));
        assert_eq!(plan_with(&words, &NC, &facts()).err(), Some(wrong));
    }
}

#[test]
fn clients_are_served_by_dialect() {
    let clients = |plan: Plan| plan.heard().clients;
    for (words, native_serves, nc_serves) in [
        ("-l 80", Clients::One, Clients::OneQueueing),
        ("-lk 80", Clients::Each, Clients::InTurn),
        ("-lU /p", Clients::One, Clients::OneQueueing),
        ("-lkU /p", Clients::Each, Clients::InTurn),
    ] {
        assert_eq!(clients(native(words)), native_serves, "{words}");
        assert_eq!(clients(nc(words)), nc_serves, "nc {words}");
    }
    let locks = |plan: Plan| plan.heard().is_single();
    assert_eq!(
        [locks(native("-ul 80")), locks(native("-ulk 80"))],
        [false, false]
    );
    for words in ["-ul 80", "-ulU /p", "-ul -e cat 80", "-ulU -e cat /p"] {
        let kept = words.replace("-ul", "-ulk");
        assert_eq!(
            [locks(nc(words)), locks(nc(&kept))],
            [true, false],
            "{words}"
        );
    }
}

#[test]
fn framing_is_read() {
    for (words, wanted) in [
        ("-u h 1", None),
        ("-u --framing raw h 1", None),
        ("-ul --framing line 1", Some(Framing::Line)),
        ("-uU --framing len /p", Some(Framing::Length)),
    ] {
        assert_eq!(native(words).rules().framing, wanted, "{words}");
    }
}

#[test]
fn services_without_a_program_are_read() {
    let cases = [
        ("-l 80 --echo", Builtin::Echo),
        ("-lk 80 --discard", Builtin::Discard),
        ("-lu --chargen 80", Builtin::Chargen),
        ("-lU /p --daytime -w 1", Builtin::Daytime),
    ];
    for (words, wanted) in cases {
        for plan in [native(words), nc(words)] {
            let builtin = match &plan.work {
                Work::Answer(answer) => answer.builtin,
                _ => match plan.partner() {
                    Base::Builtin(builtin) => *builtin,
                    other => panic!("{words}: {other:?}"),
                },
            };
            assert_eq!(builtin, wanted, "{words}");
            assert!(!plan.manners.names_peers, "{words}");
        }
    }
}

#[test]
fn relay_targets_are_read() {
    let is_at = |base: &Base, wanted: (&str, u16)| match base {
        Base::Ip { host, port } => (&**host, *port) == wanted,
        Base::Unix { path, datagrams } => {
            datagrams.is_none() && (path.to_str(), 0) == (Some(wanted.0), wanted.1)
        }
        Base::Vsock { cid, port } => wanted == ("vsock", 3) && (*cid, *port) == (3, 81),
        _ => false,
    };
    for (words, to) in [
        ("-l 80 --relay h:81", ("h", 81)),
        ("-l 80 --relay tcp:h:81", ("h", 81)),
        ("-lk 80 --relay [::1]:81", ("::1", 81)),
        ("-lk 80 --relay [::1]:http", ("::1", 80)),
        ("-lkU /p --relay unix:/q", ("/q", 0)),
        (r"-lkU /p --relay unix:/q\,r", ("/q,r", 0)),
        ("-l unix:/p --relay unix:@q", ("@q", 0)),
        ("-l 80 --relay vsock:3:81", ("vsock", 3)),
        ("-lu 80 --relay h:81", ("h", 81)),
        ("-lu 80 --relay udp:h:81", ("h", 81)),
    ] {
        if words.contains("http") && names::service_port("http", "tcp").is_none() {
            continue;
        }
        for plan in [native(words), nc(words)] {
            let base = &plan.dialed().base;
            assert!(is_at(base, to), "{words}: {base:?}");
        }
    }
    let plan = native("-l -s 127.0.0.1 -p 80 -w 2 -x p --relay h:81");
    assert_eq!(plan.dialed().how.timeout, seconds(2));
    assert_eq!(plan.dialed().proxy().expect("a proxy").host, "p");
    let plan = native("-l 80 -w 2 --relay h:81,timeout=5s");
    assert_eq!(plan.dialed().how.timeout, seconds(5));
    for words in [
        "-l 80 --relay exec:cat",
        "-l 80 --relay sh:cat",
        "-lu 80 --relay exec:cat",
    ] {
        let plan = native(words);
        let local = plan.join().local.end().map(|end| &end.base);
        assert!(
            matches!(local, Some(Base::Program(_))),
            "{words}: {local:?}"
        );
    }
}

#[test]
fn relay_targets_that_make_no_sense_are_refused() {
    for (words, wanted) in [
        ("-l 80 --relay udp:h:81", "--relay udp:h:81 needs -u"),
        (
            "-lu 80 --relay unix:/q",
            "--relay unix:/q cannot be used with -u: it carries no datagrams",
        ),
        (
            "-l 80 --relay h:81,nonsense",
            "--relay h:81,nonsense: nonsense: no option of an end",
        ),
        ("-l 80 --relay vsock::81", "--relay vsock::81: missing CID"),
        ("-l 80 --relay exec:", "--relay exec: names no program"),
    ] {
        let wrong = plan_with(words, &NATIVE, &facts()).err();
        assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
    }
}

#[test]
fn exit_codes_are_the_dialects() {
    let codes = |plan: Plan| {
        (
            plan.manners.codes.connect_timed_out,
            plan.manners.codes.timed_out,
            plan.manners.codes.broken,
        )
    };
    assert_eq!(codes(native("h 80")), (3, 3, 1));
    assert_eq!(codes(nc("h 80")), (1, 0, 0));
}

#[test]
fn the_last_family_counts() {
    for (words, family) in [
        ("h 80", Family::Any),
        ("-4 h 80", Family::V4),
        ("-6 h 80", Family::V6),
        ("-46 h 80", Family::V6),
        ("-64 h 80", Family::V4),
        ("-6 -4 -6 h 80", Family::V6),
    ] {
        assert_eq!(native(words).net().family, family, "{words}");
    }
}

#[test]
fn p_and_s_are_where_we_send_from_unless_we_listen() {
    let net = native("-p 1000 -s 127.0.0.1 h 80").net().clone();
    assert_eq!(
        (net.source_port, net.source.as_deref()),
        (Some(1000), Some("127.0.0.1"))
    );
    let net = native("-l -p 1000 -s 127.0.0.1").net().clone();
    assert_eq!((net.source_port, net.source), (None, None));
}

#[test]
fn proxies_are_read_with_their_standard_ports() {
    use ProxyNames::{Both, Local, Neither, Remote};
    for (words, kind, port, names) in [
        ("-x p h 80", ProxyKind::Socks5, 1080, Remote),
        ("-X 5 -x p h 80", ProxyKind::Socks5, 1080, Remote),
        ("-X 4 -x p h 80", ProxyKind::Socks4, 1080, Local),
        ("-X 4a -x p h 80", ProxyKind::Socks4, 1080, Remote),
        ("-X 4A -x p h 80", ProxyKind::Socks4, 1080, Remote),
        ("-X connect -x p h 80", ProxyKind::Http, 3128, Remote),
        ("-X CONNECT -x p h 80", ProxyKind::Http, 3128, Remote),
        ("-X http -x p:8080 h 80", ProxyKind::Http, 8080, Remote),
        ("-x p:99 h 80", ProxyKind::Socks5, 99, Remote),
        (
            "-x p --proxy-dns local h 80",
            ProxyKind::Socks5,
            1080,
            Local,
        ),
        (
            "-x p --proxy-dns none h 80",
            ProxyKind::Socks5,
            1080,
            Neither,
        ),
        (
            "-X 4 -x p --proxy-dns both h 80",
            ProxyKind::Socks4,
            1080,
            Both,
        ),
        (
            "-X 4 -x p --proxy-dns remote h 80",
            ProxyKind::Socks4,
            1080,
            Remote,
        ),
        (
            "-X 4a -x p --proxy-dns local h 80",
            ProxyKind::Socks4,
            1080,
            Local,
        ),
    ] {
        let proxy = proxy(words, &facts());
        assert_eq!((proxy.kind, proxy.port), (kind, port), "{words}");
        assert_eq!((proxy.host.as_str(), proxy.names), ("p", names), "{words}");
    }
    assert_eq!(proxy("-x [::1]:99 h 80", &facts()).host, "::1");
}

#[test]
fn proxy_logins_come_from_options_before_the_environment() {
    let known = Facts {
        proxy_auth: Some("env:secret".into()),
        ..facts()
    };
    let login = |words: &str, facts: &Facts| {
        let proxy = proxy(words, facts);
        (proxy.user, proxy.password)
    };
    let some = |text: &str| Some(text.to_string());
    assert_eq!(login("-x p h 80", &facts()), (None, None));
    assert_eq!(login("-x p h 80", &known), (some("env"), some("secret")));
    let typed = "-x p --proxy-auth me:a:b h 80";
    assert_eq!(login(typed, &known), (some("me"), some("a:b")));
    assert_eq!(
        login("-x p --proxy-auth me h 80", &facts()),
        (some("me"), None)
    );
    assert_eq!(login("-x p -P me h 80", &facts()), (some("me"), None));
}

#[test]
fn conflicts_are_told_in_the_dialects_words() {
    for (words, native_says, nc_says) in [
        ("h", "missing port number", "missing port number"),
        (
            "-lz 80",
            "-z cannot be used with -l",
            "cannot use -z and -l",
        ),
        ("-k h 80", "-k needs -l", "must use -l with -k"),
        (
            "-F -U /p",
            "-F cannot be used with -U",
            "cannot use -F and -U",
        ),
        (
            "-x p -u h 80",
            "-x cannot be used with -u",
            "no proxy support for UDP mode",
        ),
        (
            "-x p -l 80",
            "-x cannot be used with -l",
            "no proxy support for listen",
        ),
        (
            "-x p -U /p",
            "-x cannot be used with -U",
            "no proxy support for unix sockets",
        ),
        (
            "-x p -s a h 80",
            "-x cannot be used with -s",
            "no proxy support for local source address",
        ),
    ] {
        for (dialect, wanted) in [(&NATIVE, native_says), (&NC, nc_says)] {
            let wrong = plan_with(words, dialect, &facts()).err();
            assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
        }
    }
}

#[test]
fn a_broker_joins_all_clients_to_each_other() {
    for (words, talk) in [("--broker", Talk::Bytes), ("--chat", Talk::Chat)] {
        for dialect in [&NATIVE, &NC] {
            for words in [format!("-l {words} 80"), format!("-lkU {words} /p")] {
                let plan = plan_with(&words, dialect, &facts()).expect("a plan");
                let clients = plan.heard().clients;
                let service = matches!(&plan.work, Work::Room(room) if room.talk == Some(talk));
                assert!(service && clients == Clients::Each, "{words}");
                assert_eq!(plan.rules().ends.until, Until::Peer, "{words}");
                assert!(!plan.rules().writes_stdout && plan.rules().reads_stdin);
            }
        }
    }
    let until = native("-l --chat --until both 80").rules().ends.until;
    assert_eq!(until, Until::Both);
}

#[test]
fn what_makes_no_sense_in_a_crowd_is_refused() {
    for (words, wanted) in [
        ("--broker h 80", "--broker needs -l"),
        ("--chat h 80", "--chat needs -l"),
        ("-lu --broker 80", "--broker cannot be used with -u"),
        ("-luU --chat /p", "--chat cannot be used with -u"),
        (
            "-l --broker --relay h:1 80",
            "--broker cannot be used with --relay",
        ),
        (
            "-l --chat --send-only 80",
            "--chat cannot be used with --send-only",
        ),
        (
            "-lk --broker --tag 80",
            "--broker cannot be used with --tag",
        ),
        (
            "-l --echo --broker 80",
            "--broker cannot be used with --echo",
        ),
        ("-l --tag 80", "--tag needs -k"),
        ("-luk --broker --tag 80", "--broker cannot be used with -u"),
        (
            "-lk --tag --relay h:1 80",
            "--tag cannot be used with --relay",
        ),
        ("-l --queue 1M 80", "--queue needs -k"),
        ("-lk --queue 1k 80", "--queue 1k: not between 64Ki and 1Gi"),
        (
            "-lk --queue 1x 80",
            "--queue 1x: unit unknown (k, M, G, Ki, Mi or Gi)",
        ),
    ] {
        let wrong = plan_with(words, &NATIVE, &facts()).err();
        assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
    }
    let wrong = plan_with("-lk --tag 80", &NC, &facts()).err();
    let wanted = "--tag is for clients served all at once";
    assert_eq!(wrong, Some(Wrong::Said(wanted.into())));
}

#[test]
fn queues_have_a_size() {
    let bytes = |words: &str| native(words).rules().queue_bytes;
    assert_eq!(bytes("-lk 80"), 256 << 10);
    assert_eq!(bytes("-lk --queue 64Ki 80"), 64 << 10);
    assert_eq!(bytes("-l --broker --queue 1Gi 80"), 1 << 30);
    assert!(native("-lk --tag 80").rules().tags_lines);
}

#[test]
fn nc_takes_in_silence_what_native_refuses() {
    for words in [
        "-r -l 80",
        "-F -z h 80",
        "-N --no-shutdown h 80",
        "-4 -U /p",
        "-F -l 80",
    ] {
        assert!(plan_with(words, &NC, &facts()).is_ok(), "{words}");
        assert!(plan_with(words, &NATIVE, &facts()).is_err(), "{words}");
    }
}

#[test]
fn udp_ports_are_probed_when_scanned_or_in_nc_when_verbose() {
    let probe = |plan: Plan| plan.dialed().how.udp_probe.map(|probe| probe.limit);
    for (words, native_probes, nc_probes) in [
        ("-u h 80", None, None),
        ("-uv h 80", None, seconds(3)),
        ("-uz h 80", seconds(3), None),
        ("-uzv h 80", seconds(3), seconds(3)),
        ("-uzv -w 1 h 80", seconds(1), seconds(1)),
        ("-zv h 80", None, None),
    ] {
        assert_eq!(probe(native(words)), native_probes, "{words}");
        assert_eq!(probe(nc(words)), nc_probes, "nc {words}");
    }
}

#[test]
fn sizes_have_units_but_not_ncs() {
    let sizes = |plan: Plan| {
        (
            plan.net().options.recv_buffer,
            plan.net().options.send_buffer,
        )
    };
    assert_eq!(
        sizes(native("-I 64k -O 1Mi h 80")),
        (Some(64_000), Some(1 << 20))
    );
    assert_eq!(
        sizes(nc("-I 65536 -O 1000 h 80")),
        (Some(65_536), Some(1000))
    );
    let wrong = Wrong::Said("TCP receive window invalid: 64k".into());
    assert_eq!(plan_with("-I 64k h 80", &NC, &facts()).err(), Some(wrong));
}

#[test]
fn datagram_size_is_a_size_that_fits_a_datagram() {
    let bytes = |plan: Plan| plan.rules().datagram_bytes;
    assert_eq!(bytes(native("-u host 1")), 65_507);
    assert_eq!(bytes(nc("-u host 1")), 16_384);
    for dialect in [&NATIVE, &NC] {
        let read = |words: &str| plan_with(words, dialect, &facts()).map(bytes).ok();
        assert_eq!(read("-u --datagram-size 1400 h 1"), Some(1400));
        assert_eq!(read("-u --datagram-size 1Ki h 1"), Some(1024));
        assert_eq!(read("-lu --datagram-size 1 127.0.0.1 1"), Some(1));
        assert_eq!(read("-uU --datagram-size 65507 p"), Some(65_507));
        for wrong in ["0", "65508", "1x", "-1", ""] {
            let words = format!("-u --datagram-size={wrong} h 1");
            assert_eq!(read(&words), None, "{wrong:?}");
        }
        assert_eq!(read("--datagram-size 1400 h 1"), None);
    }
}

#[test]
fn logs_are_files_or_standard_error() {
    let file = |path: &str, appends, format| Log {
        place: LogPlace::File {
            path: path.into(),
            appends,
        },
        format,
    };
    let hex = |colours| LogFormat::Hex { colours };
    let cases = [
        ("h 1", vec![]),
        ("--output a h 1", vec![file("a", false, LogFormat::Raw)]),
        (
            "--output a --hex-dump b --append-output h 1",
            vec![file("a", true, LogFormat::Raw), file("b", true, hex(false))],
        ),
        (
            "-lu --output a --log-format tagged 1",
            vec![file("a", false, LogFormat::Tagged)],
        ),
        (
            "--output=a --log-format json -U s",
            vec![file("a", false, LogFormat::Json)],
        ),
        (
            "--hex h 1",
            vec![Log {
                place: LogPlace::Stderr,
                format: hex(true),
            }],
        ),
    ];
    let facts = Facts {
        stderr_shows_colours: true,
        ..facts()
    };
    for (words, logs) in cases {
        for dialect in [&NATIVE, &NC] {
            let plan = plan_with(words, dialect, &facts).expect(words);
            assert_eq!(plan.logs, logs, "{words}");
        }
    }
}

#[test]
fn logs_that_make_no_sense_are_refused() {
    let cases = [
        ("--output a -z h 1", "--output cannot be used with -z"),
        ("--hex -F h 1", "--hex cannot be used with -F"),
        ("--log-format json h 1", "--log-format needs --output"),
        (
            "--log-format xml --output a h 1",
            "--log-format xml: not plain, tagged or json",
        ),
        (
            "--append-output --hex h 1",
            "--append-output needs --output or --hex-dump",
        ),
        (
            "--output a --hex-dump a h 1",
            "--output and --hex-dump cannot be the same file",
        ),
    ];
    for (words, message) in cases {
        match plan_with(words, &NATIVE, &facts()) {
            Err(Wrong::Said(said)) => assert_eq!(said, message, "{words}"),
            other => panic!("{words}: {other:?}"),
        }
    }
}

#[test]
fn long_names_are_ncats() {
    let cases = [
        ("--delay 1500ms h 1", "-i 1500ms h 1"),
        ("--recv-only h 1", "-d h 1"),
        ("--crlf --telnet --nodns 127.0.0.1 1", "-Ctn 127.0.0.1 1"),
        ("--wait 3 --quit 2 h 1", "-w 3 -q 2 h 1"),
        (
            "--source 127.0.0.1 --source-port 2 h 1",
            "-s 127.0.0.1 -p 2 h 1",
        ),
        ("--listen --keep-open --udp 1", "-lku 1"),
    ];
    for (long, short) in cases {
        let (long, short) = (native(long), native(short));
        assert_eq!(format!("{long:?}"), format!("{short:?}"));
    }
}

#[test]
fn who_may_come_in_is_read_word_by_word() {
    let access = |words: &str| native(words).heard().access.clone();
    let open = access("-l 80");
    assert!(open.allow.is_none() && open.users.is_none());
    assert!(open.deny.specs.is_empty() && open.deny.files.is_empty());
    for (words, allowed, denied) in [
        ("-l 80 --allow 1.2.3.4", Some((1, 0)), (0, 0)),
        ("-l 80 --allow 1.2.3.4,::1,a.example", Some((3, 0)), (0, 0)),
        (
            "-lu 80 --allow 1.2.3.4, --allow 5.6.7.8",
            Some((2, 0)),
            (0, 0),
        ),
        ("-l 80 --allow ,", Some((0, 0)), (0, 0)),
        ("-l 80 --allowfile f", Some((0, 1)), (0, 0)),
        (
            "-l 80 --allowfile f --allowfile g --allow ::1",
            Some((1, 2)),
            (0, 0),
        ),
        ("-l 80 --deny 1.2.3.4 --denyfile f", None, (1, 1)),
    ] {
        let access = access(words);
        let counts = |list: &HostList| (list.specs.len(), list.files.len());
        assert_eq!(access.allow.as_ref().map(counts), allowed, "{words}");
        assert_eq!(counts(&access.deny), denied, "{words}");
    }
    let users = |words: &str| access(words).users;
    assert_eq!(users("-lU p --allow-uid 7"), Some(vec![7]));
    let two = "-lkU p --allow-uid root --allow-uid 9";
    assert_eq!(users(two), Some(vec![0, 9]));
}

#[test]
fn the_mode_of_a_socket_is_octal() {
    let mode = |words: &str| match &native(words).heard().at {
        ListenAt::Unix { rules, .. } => rules.mode,
        other => panic!("listens elsewhere: {other:?}"),
    };
    assert_eq!(mode("-lU p"), None);
    assert_eq!(mode("-lU p --mode 600"), Some(0o600));
    assert_eq!(mode("-luU p --mode 0777"), Some(0o777));
    assert_eq!(mode("-l unix:p --mode 0"), Some(0));
    for wrong in ["", "8", "1000", "+7", "-7", "0x7", "u+w"] {
        let words = format!("-lU p --mode={wrong}");
        assert!(plan_with(&words, &NATIVE, &facts()).is_err(), "{wrong:?}");
    }
}
