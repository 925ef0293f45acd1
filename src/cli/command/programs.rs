//! Options for programs that are run for peers.

use super::option::{SHAPE, grouped, switch, value};
use clap::{Arg, ValueHint};

/// The options, with their group.
pub fn programs() -> Vec<Arg> {
    grouped(
        SHAPE,
        [
            value(
                'e',
                "exec",
                "CMD",
                "Run a program for each peer; no shell",
                "CMD is the program and its arguments, split at spaces; a backslash takes the \
                 next character as it is, and quotes have no meaning (-c runs a shell). What the peer sends is the program's standard input, \
                 and its standard output goes to the peer, with each side's end passed on; \
                 standard error stays rnc's. With -lk each client has a program of its own, with \
                 -lu each peer. The session is over when the program has ended and all it wrote is \
                 sent, or when both directions have ended; a program whose peer is gone is ended, \
                 with all it started. \
                 A peer of -lu that is silent for a minute, or the TIME of -w or --idle-timeout, \
                 counts as gone; 256 of them, or --max-conns, are heard at once. Who the peer is, is in the environment: RNC_REMOTE_ADDR, \
                 RNC_REMOTE_PORT, RNC_LOCAL_ADDR, RNC_LOCAL_PORT and RNC_PROTO, and the same as \
                 NCAT_.... Not with -c, -z, -F, --relay, or another service.",
            )
            .value_hint(ValueHint::CommandString),
            value(
                'c',
                "sh-exec",
                "CMD",
                "The same for a line of shell, run by /bin/sh -c",
                "See -e.",
            )
            .value_hint(ValueHint::CommandString),
            switch(
                "pty",
                "Give the program a terminal instead of pipes",
                "For programs that want one, such as shells and editors. Its standard error goes \
                 to the terminal too. At the peer's end an end of file is typed. Needs -e or -c; \
                 not with -u, --send-only or -d.",
            )
            .hide_short_help(true),
            switch(
                "exec-status",
                "Leave with the program's exit code",
                "128 + n when signal n ended it. A program that rnc has to end itself does not \
                 count. Needs -e or -c; not with -k or -lu, where there are many.",
            )
            .hide_short_help(true),
        ],
    )
}
