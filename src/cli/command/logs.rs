//! Options about what is written down of the traffic.

use super::option::{DATA, grouped, known, setting, switch};
use clap::{Arg, ValueHint};

/// `--output` and its kin.
pub fn logs() -> Vec<Arg> {
    grouped(
        DATA,
        [
            setting(
                "output",
                "FILE",
                "Write down what passes, both ways, in FILE",
                "As it is on the wire: -C has done its part, -t not yet. How it looks, \
                 --log-format says; a terminal never gets the plain bytes. Clients share FILE. \
                 When FILE cannot be written any more, that is said once, and the traffic goes \
                 on; what a pipe or a terminal is too slow to take is left out, and how much \
                 that was is said at the end. Not with -z or -F.",
            )
            .value_hint(ValueHint::FilePath)
            .hide_short_help(true),
            known(
                setting(
                    "log-format",
                    "FORMAT",
                    "How --output looks: plain, tagged or json",
                    "plain, the default, is the bytes and nothing else. tagged has a \
                     line for each line that passed: the time in UTC, > for sent or < for \
                     received, and the peer. json has an object for whatever passed at once. \
                     Needs --output.",
                ),
                &["plain", "tagged", "json"],
            )
            .hide_short_help(true),
            setting(
                "hex-dump",
                "FILE",
                "The same in hexadecimal, as hexdump -C has it",
                "Behind a line with the time, the direction (> sent, < received), the size and \
                 the peer; offsets count each direction of each connection. Not with -z or -F, \
                 nor with the FILE of --output.",
            )
            .value_hint(ValueHint::FilePath)
            .hide_short_help(true),
            switch(
                "append-output",
                "Keep what is in the files of --output and --hex-dump",
                "Needs one of them.",
            )
            .hide_short_help(true),
            switch(
                "hex",
                "Show it in hexadecimal on standard error",
                "As --hex-dump; on a terminal in two colours, unless the environment variable \
                 NO_COLOR is set. Not with -z or -F.",
            )
            .hide_short_help(true),
        ],
    )
}
