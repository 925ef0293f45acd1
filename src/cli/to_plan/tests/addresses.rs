//! Where to go: operands, `-p` and `-s`.

use super::*;

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
        ("tcp:h:80", Transport::Tcp),
        ("udp:h:80", Transport::Udp),
        ("-l udp:127.0.0.1:80", Transport::Udp),
    ] {
        assert_eq!(native(words).net().transport, transport, "{words}");
    }
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
fn operands_of_a_kind_that_make_no_sense_are_refused() {
    for (words, wanted) in [
        ("exec:cat", "exec:cat: a program is run with -e or -c"),
        ("-u tls:h:1", "tls:h:1 cannot be used with -u"),
        ("tls:h:1,x", "tls:h:1,x: x: unknown option"),
        ("tls:h:1,ca", "tls:h:1,ca: ca: needs a value"),
        (
            "tls:h:1,timeout=1",
            "tls:h:1,timeout=1: timeout: that of an operand is -w",
        ),
    ] {
        let wrong = plan_with(words, &NATIVE, &facts()).err();
        assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
    }
    let retry = |words: &str| native(words).dialed().how.retry;
    assert_eq!(retry("tcp:h:1,retry"), seconds(5));
    assert_eq!(retry("tcp:h:1,retry=1"), seconds(1));
    assert_eq!(retry("tcp:h:1 --retry=2"), seconds(2));
    assert_eq!(retry("h 1"), None);
}
