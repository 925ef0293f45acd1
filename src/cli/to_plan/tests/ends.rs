//! The end of a stream, and times.

use super::*;

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
