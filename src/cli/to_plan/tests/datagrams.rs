//! Options of datagrams: groups, senders, refusals.

use super::*;

#[test]
fn groups_share_their_port_and_keep_others_out() {
    let at = |words: &str| {
        let plan = native(words);
        match plan.heard().at.clone() {
            ListenAt::Ip(at) => {
                let own_only = plan.net().options.own_groups_only;
                (at.shares_port, own_only, at.groups)
            }
            other => panic!("{words}: {other:?}"),
        }
    };
    assert_eq!(at("-lu 80"), (false, false, vec![]));
    let group = |interface: Option<&str>| Group {
        addr: "224.0.0.251".parse().unwrap(),
        interface: interface.map(str::to_string),
    };
    for (word, interface) in [
        ("224.0.0.251", None),
        ("224.0.0.251@eth0", Some("eth0")),
        ("224.0.0.251%eth0", Some("eth0")),
    ] {
        let wanted = (true, true, vec![group(interface)]);
        assert_eq!(at(&format!("-lu --join {word} 80")), wanted);
    }
}

#[test]
fn only_those_who_answer_want_to_know_where_they_were_asked() {
    let answers = |words: &str| native(words).net().options.answers;
    assert!(answers("-lu 80") && answers("-lu --echo 80"));
    assert!(!answers("-dlu 80") && !answers("-u h 80"));
}

#[test]
fn refusals_are_ignored_where_nothing_ends_a_session() {
    let ignores = |words: &str| native(words).rules().ignores_refusals;
    assert!(ignores("-u --ignore-refused h 80") && ignores("-u --until never h 80"));
    assert!(!ignores("-u h 80") && !ignores("-u --until both h 80"));
}

#[test]
fn loops_are_as_the_system_has_them_or_as_asked_for() {
    let loops = |words: &str| native(words).net().options.multicast_loop;
    assert_eq!(loops("-u 239.1.2.3 80"), None);
    assert_eq!(loops("-u --multicast-loop no 239.1.2.3 80"), Some(false));
    assert_eq!(loops("-lu --multicast-loop yes 80"), Some(true));
}

#[test]
fn datagrams_are_tagged_where_they_become_lines() {
    for words in [
        "-u --tag h 80",
        "-lu --tag 80",
        "-luk --tag 80",
        "-luU --tag /p",
    ] {
        assert!(native(words).rules().tags_lines, "{words}");
    }
}

#[test]
fn what_makes_no_sense_for_datagrams_is_refused() {
    for (words, wanted) in [
        ("--ignore-refused h 80", "--ignore-refused needs -u"),
        (
            "--multicast-loop no h 80",
            "--multicast-loop needs -u, and cannot be used with -U",
        ),
        (
            "-u --multicast-loop maybe h 80",
            "--multicast-loop maybe: not yes or no",
        ),
        ("-lu -m 5 80", "-m needs TCP"),
        ("-m 5 -U /p", "-m needs TCP"),
        ("-lS -U /p", "-S needs TCP"),
        ("-S -u h 80", "-S needs TCP"),
        ("-l -M 5 vsock::80", "-M needs IP"),
        ("-T ef -U /p", "-T needs IP"),
        ("-lu --tag --echo 80", "--tag cannot be used with --echo"),
        ("-lu --tag -e x 80", "--tag cannot be used with a program"),
        (
            "-lu --tag --framing len 80",
            "--tag cannot be used with --framing",
        ),
        (
            "-u --tag --send-only h 80",
            "--tag cannot be used with --send-only",
        ),
    ] {
        let wrong = plan_with(words, &NATIVE, &facts()).err();
        assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
    }
}
