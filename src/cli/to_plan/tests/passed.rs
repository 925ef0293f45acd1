//! Sockets that are there already.

use super::*;
use crate::plan::Passed;

fn listed(kinds: &[Kind]) -> Facts {
    Facts {
        listed_sockets: kinds.to_vec(),
        ..facts()
    }
}

fn stdin_is(kind: Kind) -> Facts {
    Facts {
        stdin_socket: kind,
        ..listed(&[Kind::Listener])
    }
}

#[test]
fn passed_sockets_are_used_where_nothing_says_where_to_listen() {
    use Kind::{Connection, Datagrams, Listener, Other};
    use Passed::{Listed, Stdin};
    let one = &[Listener][..];
    for (words, facts, wanted) in [
        ("-l", listed(one), Some((Listed, false))),
        ("-lk", listed(&[Listener, Listener]), Some((Listed, false))),
        ("-l", listed(&[Datagrams]), Some((Listed, true))),
        ("-lu", listed(&[Datagrams]), Some((Listed, true))),
        ("-l --echo", listed(&[Connection]), Some((Listed, false))),
        ("-l 80", listed(one), None),
        ("-l -p 80", listed(one), None),
        ("--inetd --echo", stdin_is(Connection), Some((Stdin, false))),
        ("--inetd --echo", stdin_is(Listener), Some((Stdin, false))),
        ("--inetd --echo", stdin_is(Datagrams), Some((Stdin, true))),
        ("--inetd --echo", stdin_is(Other), Some((Listed, false))),
    ] {
        for dialect in [&NATIVE, &NC] {
            let plan = plan_with(words, dialect, &facts).expect(words);
            let found = plan.listening().and_then(|listening| match &listening.at {
                ListenAt::Ip(at) => at.passed.map(|from| (from, listening.keeps_messages())),
                other => panic!("does not listen: {other:?}"),
            });
            assert_eq!(found, wanted, "{words}");
        }
    }
}

#[test]
fn passed_sockets_that_cannot_be_served_are_refused() {
    use Kind::{Connection, Datagrams, Listener, Other};
    for (words, facts, wanted) in [
        ("-l", facts(), "missing port number"),
        (
            "--inetd --echo",
            facts(),
            "--inetd: standard input is no socket, and LISTEN_FDS passes none",
        ),
        (
            "--inetd --echo 80",
            stdin_is(Connection),
            "--inetd takes no address: the socket is there already",
        ),
        (
            "--inetd",
            stdin_is(Connection),
            "--inetd needs something to serve: --relay, --echo or another service; standard input \
             is the client",
        ),
        (
            "-lu",
            listed(&[Listener]),
            "-u: the socket passed to rnc is not one of datagrams",
        ),
        (
            "-l",
            listed(&[Listener, Other]),
            "LISTEN_FDS: not all that is passed are sockets rnc can serve",
        ),
        (
            "-l",
            listed(&[Listener, Datagrams]),
            "LISTEN_FDS: the sockets are of different kinds",
        ),
        (
            "-l",
            listed(&[Datagrams, Datagrams]),
            "LISTEN_FDS: more than one socket that does not listen",
        ),
    ] {
        let wrong = plan_with(words, &NATIVE, &facts).err();
        assert_eq!(wrong, Some(Wrong::Said(wanted.into())), "{words}");
    }
}
