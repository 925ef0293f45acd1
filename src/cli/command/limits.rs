//! Options for rnc left running: how much a connection may take, and how clients are received.

use super::option::{grouped, setting};
use clap::{Arg, ValueHint};

const LIMITS: &str = "Limits";

/// The options, with their group.
pub fn limits() -> Vec<Arg> {
    grouped(
        LIMITS,
        [
            setting(
                "idle-timeout",
                "TIME",
                "End a connection where nothing moves for TIME",
                "As -w, but connecting has no limit of its own; where both are given, -w is that \
                 one. A UDP listener ends when its peers are silent, once there was one. With \
                 many clients only the silent one is dropped. The exit code is 3. Not with -z.",
            )
            .hide_short_help(true),
            setting(
                "timeout",
                "TIME",
                "End a connection after TIME, whatever moves",
                "It counts from when a client begins to connect, or has come to a listener, and \
                 for each client alone; connecting has no more time either. The exit code is 3. \
                 Not with -z, unless there is --retry.",
            )
            .hide_short_help(true),
            setting(
                "retry",
                "MAX",
                "Connect again and again until it works",
                "The first pause is 100 ms, and each one is twice as long as the one before, up to \
                 MAX, which is 5 s without a value; with some jitter. A name is looked up again each \
                 time, but for the addresses of a host with -z. -w or --timeout is the time for \
                 all attempts: after that the exit code is 3. Without either it goes on for ever. -v \
                 prints each attempt. With -z: wait until the port is open. With --relay it is for \
                 the target, for each client; it is an option of the target, too: \
                 --relay HOST:PORT,retry=1s.",
            )
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("5s")
            .hide_short_help(true),
            setting(
                "max-bytes",
                "SIZE",
                "End a connection after SIZE bytes",
                "What is read from the peer and what is read to be sent to it count together. \
                 Exactly SIZE bytes are passed on, and nothing more is read; then both directions \
                 end. The exit code is 0; -v prints it. Not with -u, where -W counts datagrams, nor -z.",
            )
            .hide_short_help(true),
            setting(
                "max-conns",
                "N",
                "With -l: no more than N clients at once",
                "Another one is turned away: its connection is closed at once; -v prints it. A \
                 place is free again as soon as its client has left. A client of -lk, --broker or \
                 --chat that has sent its end, and for which nothing waits, gives its place up \
                 to one that needs it. Needs -l; not with -u, unless there is -e, -c or --relay.",
            )
            .visible_alias("max-clients")
            .hide_short_help(true),
            setting(
                "accept-timeout",
                "TIME",
                "With -l: give up when no client connects within TIME",
                "It counts until the first client, or datagram, has come. The exit code is 3. \
                 Needs -l.",
            )
            .hide_short_help(true),
            setting(
                "grace",
                "TIME",
                "With -l: at SIGTERM, give clients TIME to finish",
                "The listening socket is closed at once. When all clients have left within TIME, \
                 the exit code is 0; else rnc then ends by the signal, as it does at once without \
                 this, or when another signal comes. Needs -l; not with -u, unless there is -e, -c \
                 or --relay.",
            )
            .hide_short_help(true),
            setting(
                "port-file",
                "PATH",
                "With -l: write the port to a file",
                "One line with the number, also when the system chose it (port 0). The file is \
                 there, whole, once rnc listens, and is removed when it listens no more; a regular \
                 file that was at PATH before is replaced. A FIFO or a character device is written \
                 to, and stays; other files and symbolic links to them are refused. Needs -l; not \
                 with -U.",
            )
            .value_hint(ValueHint::FilePath)
            .hide_short_help(true),
        ],
    )
}
