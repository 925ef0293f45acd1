//! Words → plan, by tables: what follows from what, in both dialects.

mod addresses;
mod clients;
mod datagrams;
mod ends;
mod limits;
mod passed;
mod programs;
mod proxies;
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
