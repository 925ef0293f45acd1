//! Limits of connections and listeners.

use super::*;

#[test]
fn limits_of_time_have_units_in_all_dialects() {
    let limits = |plan: Plan| (plan.rules().limits.idle, plan.rules().limits.whole);
    for (words, wanted) in [
        ("h 80", (None, None)),
        ("-w 2 h 80", (seconds(2), None)),
        ("--idle-timeout 2s h 80", (seconds(2), None)),
        ("-w 1 --idle-timeout 1m h 80", (seconds(60), None)),
        ("--timeout 1m -l 80", (None, seconds(60))),
        ("--timeout 3 -w 2 -ul 80", (seconds(2), seconds(3))),
    ] {
        for plan in [native(words), nc(words)] {
            assert_eq!(limits(plan), wanted, "{words}");
        }
    }
}

#[test]
fn connecting_takes_no_longer_than_the_connection_may() {
    let connecting = |plan: Plan| plan.dialed().how.timeout;
    for (words, wanted) in [
        ("h 80", None),
        ("-w 2 h 80", seconds(2)),
        ("--timeout 3 h 80", seconds(3)),
        ("--timeout 3 -w 2 h 80", seconds(2)),
        ("--timeout 3 -w 4 h 80", seconds(3)),
        ("--timeout 3 -w 0 h 80", seconds(3)),
        ("--idle-timeout 3 h 80", None),
    ] {
        assert_eq!(connecting(native(words)), wanted, "{words}");
    }
}

#[test]
fn limits_that_limit_nothing_are_refused() {
    for (words, wanted) in [
        ("--max-conns 2 h 80", "--max-conns needs -l"),
        ("--accept-timeout 2 h 80", "--accept-timeout needs -l"),
        ("--port-file p h 80", "--port-file needs -l"),
        ("--grace 2 h 80", "--grace needs -l"),
        ("--grace 2 -lu 80", "--grace cannot be used with -u"),
        (
            "--max-bytes 2 -u h 80",
            "--max-bytes cannot be used with -u",
        ),
        (
            "--max-bytes 2 -z h 80",
            "--max-bytes cannot be used with -z",
        ),
        ("--max-bytes 0 h 80", "--max-bytes 0: not more than 0"),
        (
            "--max-bytes 1x h 80",
            "--max-bytes 1x: unit unknown (k, M, G, Ki, Mi or Gi)",
        ),
        ("--timeout 2 -z h 80", "--timeout cannot be used with -z"),
        (
            "--idle-timeout 2 -z h 80",
            "--idle-timeout cannot be used with -z",
        ),
        ("--max-conns 2 -ul 80", "--max-conns cannot be used with -u"),
        (
            "--port-file p -lU /p",
            "--port-file cannot be used with -U: there is no port",
        ),
        (
            "--max-conns 0 -lk 80",
            "--max-conns 0: too small (1 or more)",
        ),
        ("--timeout 0 h 80", "--timeout 0: not more than 0"),
        (
            "--accept-timeout 0s -l 80",
            "--accept-timeout 0s: not more than 0",
        ),
        (
            "--idle-timeout 5x h 80",
            "--idle-timeout 5x: unit unknown (ms, s, m or h)",
        ),
    ] {
        for dialect in [&NATIVE, &NC] {
            let wrong = plan_with(words, dialect, &facts()).err();
            assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
        }
    }
}
