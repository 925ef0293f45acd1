//! The same as `ncat`.

use super::*;
use crate::cli::dialect::NCAT;

#[track_caller]
fn ncat(words: &str) -> Plan {
    plan_with(words, &NCAT, &facts()).unwrap_or_else(|wrong| panic!("{words}: {wrong:?}"))
}

#[test]
fn ncat_needs_no_port_and_mixes_operands_and_options() {
    for (words, host, port) in [
        ("-l", None, 31337),
        ("-l 80", None, 80),
        ("-l h", Some("h"), 31337),
        ("-l ::1", Some("::1"), 31337),
        ("h -l 80", Some("h"), 80),
        ("-l -p 80", None, 80),
        ("-l -p 80 h", Some("h"), 80),
        ("-l 0", None, 0),
    ] {
        let wanted = (host.map(str::to_string), port);
        assert_eq!(listens(&ncat(words)), wanted, "{words}");
    }
    for (words, port) in [("h", 31337), ("h 80", 80), ("-v h -w 1 80 -n", 80)] {
        assert_eq!(connects(&ncat(words)), ("h".into(), vec![port]), "{words}");
    }
}

#[test]
fn ncat_refuses_what_it_has_not() {
    for (words, wanted) in [
        ("", "You must specify a host to connect to"),
        ("h 80 81", "Got more than one port specification: 81"),
        ("h 80-81", "Invalid port number \"80-81\""),
        ("h x", "Invalid port number \"x\""),
        ("-l 99999", "Invalid port number \"99999\""),
        ("-w 0 h", "-w 0: has to be greater than 0"),
        ("-lz 80", "-z cannot be used with -l"),
        (
            "--lua-exec x h",
            "--lua-exec is not supported: rnc has no Lua in it",
        ),
        (
            "-g 10.0.0.1 h",
            "-g is not supported: routers drop packets with a source route (RFC 7126)",
        ),
        (
            "-l --proxy-type http",
            "-l with -X (being a proxy) is not supported yet",
        ),
    ] {
        let wrong = plan_with(words, &NCAT, &facts()).expect_err(words);
        let (Wrong::Said(said) | Wrong::Shape(said)) = wrong;
        assert_eq!(said, wanted, "{words}");
    }
    assert!(plan_with("-l -s 127.0.0.1 80", &NCAT, &facts()).is_err());
}

#[test]
fn ncat_leaves_with_the_peer_unless_told_otherwise() {
    for (words, until) in [
        ("h", Until::Peer),
        ("-k h", Until::Both),
        ("-l", Until::Peer),
        ("-lk", Until::Peer),
        ("--send-only h", Until::Stdin),
        ("--recv-only h", Until::Peer),
    ] {
        let ends = ncat(words).rules().ends;
        assert_eq!(
            (ends.until, ends.pass_end),
            (until, PassEnd::Now),
            "{words}"
        );
    }
    assert_eq!(
        ncat("--no-shutdown h").rules().ends.pass_end,
        PassEnd::Never
    );
}

#[test]
fn ncat_waits_for_connections_only() {
    for (words, wait) in [
        ("h", seconds(10)),
        ("-w 500ms h", Some(Duration::from_millis(500))),
    ] {
        let plan = ncat(words);
        assert_eq!(plan.rules().limits.idle, None, "{words}");
        assert_eq!(plan.dialed().how.timeout, wait, "{words}");
    }
}

#[test]
fn ncat_has_letters_of_its_own() {
    assert_eq!(ncat("-d 2 h").rules().interval, seconds(2));
    let plan = ncat("-lk -i 2 -m 3");
    assert_eq!(plan.rules().limits.idle, seconds(2));
    assert_eq!(plan.heard().reception.most_clients, Some(3));
}

#[test]
fn ncat_speaks_http_to_a_proxy_it_is_not_told_about() {
    for (words, kind, port) in [
        ("--proxy p h", ProxyKind::Http, 3128),
        ("--proxy p --proxy-type socks5 h", ProxyKind::Socks5, 1080),
    ] {
        let plan = ncat(words);
        let proxy = plan.dialed().proxy().expect("a proxy");
        assert_eq!((proxy.kind, proxy.port), (kind, port), "{words}");
    }
}

#[test]
fn ncats_exit_codes_tell_the_network_from_all_else() {
    let codes = |words| {
        let codes = ncat(words).manners.codes;
        (
            codes.connect_timed_out,
            codes.timed_out,
            codes.broken,
            codes.other,
        )
    };
    assert_eq!(codes("h"), (1, 1, 1, 2));
    assert_eq!(codes("-l"), (1, 2, 1, 2));
}
