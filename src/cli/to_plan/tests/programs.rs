//! Programs that are run for peers.

use super::*;
use crate::cli::command::command;

#[test]
fn programs_are_split_as_ncat_splits_or_given_to_a_shell() {
    let program = |words: &[&str]| {
        let words = ["rnc", "-l", "80"].iter().chain(words);
        let matches = command(Extent::Usual)
            .try_get_matches_from(words)
            .expect("known words");
        let plan = to_plan(&Args::from_matches(&matches), &NATIVE, &facts());
        match plan.expect("a plan").partner() {
            Base::Program(program) => program.clone(),
            other => panic!("no program: {other:?}"),
        }
    };
    assert_eq!(
        program(&["-e", " /bin/cat  -n a\\ b"]).words,
        ["/bin/cat", "-n", "a b"]
    );
    let shell = program(&["--sh-exec", "a  'b'|c", "--pty", "--exec-status"]);
    assert_eq!(shell.words, ["/bin/sh", "-c", "a  'b'|c"]);
    assert!(shell.terminal && shell.passes_status);
}

#[test]
fn a_programs_session_ends_the_same_way_in_all_dialects() {
    let terminal = Facts {
        stdin: Input::Terminal,
        ..facts()
    };
    for dialect in [&NATIVE, &NC] {
        for words in ["-l 80 -e cat", "h 80 -e cat"] {
            let plan = plan_with(words, dialect, &terminal).expect("a plan");
            let ends = plan.rules().ends;
            let wanted = (Until::Both, PassEnd::Now);
            assert_eq!((ends.until, ends.pass_end), wanted, "{words}");
        }
    }
    let kept = native("-l 80 -e cat --no-shutdown -q 2").rules().ends;
    assert_eq!((kept.pass_end, kept.quit), (PassEnd::Never, seconds(2)));
}

#[test]
fn what_makes_no_sense_with_a_program_is_refused() {
    for (words, says) in [
        ("-l 80 --pty", "--pty needs -e or -c"),
        ("-l 80 --exec-status", "--exec-status needs -e or -c"),
        ("-l 80 -e cat -c cat", "-e cannot be used with -c"),
        ("-l 80 -e \\", "-e names no program"),
        (
            "-lk 80 -e cat --exec-status",
            "--exec-status needs a single program: not with -k, nor with -lu",
        ),
        ("-u h 80 -e cat --pty", "--pty cannot be used with -u"),
        ("-l 80 -e cat --relay h:1", "-e cannot be used with --relay"),
        ("-l 80 -c cat --echo", "-c cannot be used with --echo"),
        ("-lk 80 -c cat --tag", "-c cannot be used with --tag"),
        ("-z h 80 -c cat", "-c cannot be used with -z"),
        ("-F h 80 -c cat", "-c cannot be used with -F"),
    ] {
        let wrong = plan_with(words, &NATIVE, &facts()).expect_err(words);
        assert_eq!(wrong, Wrong::Said(says.into()), "{words}");
    }
}

#[test]
fn udp_peers_of_programs_do_not_stay_for_ever() {
    let idle = |words: &str| native(words).rules().limits.idle;
    assert_eq!(idle("-lu 80 -e cat"), seconds(60));
    assert_eq!(idle("-lu 80 -e cat -w 5"), seconds(5));
    assert_eq!(idle("-lu 80 -e cat --idle-timeout 5"), seconds(5));
    assert_eq!(idle("-lu 80 --relay h:81"), seconds(60));
    assert_eq!(idle("-lk 80 -e cat"), None);
    assert_eq!(idle("-lk 80 --relay h:81"), None);
    assert_eq!(idle("-u h 80 -e cat"), None);
}
