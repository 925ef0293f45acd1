//! Clients of a listener: how many are served, what they are joined to, and the access rules.

use super::*;

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
        let base = plan.partner();
        assert!(matches!(base, Base::Program(_)), "{words}: {base:?}");
    }
}

#[test]
fn a_peer_of_a_datagram_relay_is_forgotten_after_a_minute() {
    let of = |words: &str| {
        let plan = native(words);
        let most = plan.heard().reception.most_clients;
        (plan.rules().limits.idle, most)
    };
    for (words, wanted) in [
        ("-lu 80 --relay h:81", (seconds(60), Some(4096))),
        ("-lu 80 --relay exec:cat", (seconds(60), None)),
        ("-lu 80 -w 5 --relay h:81", (seconds(5), Some(4096))),
        (
            "-lu 80 --idle-timeout 7 --max-conns 9 --relay h:81",
            (seconds(7), Some(9)),
        ),
        ("-lk 80 --relay h:81", (None, None)),
    ] {
        assert_eq!(of(words), wanted, "{words}");
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
            "--relay h:81,nonsense: nonsense: unknown option",
        ),
        ("-l 80 --relay vsock::81", "--relay vsock::81: missing CID"),
        ("-l 80 --relay exec:", "--relay exec:: no program"),
    ] {
        let wrong = plan_with(words, &NATIVE, &facts()).err();
        assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
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
