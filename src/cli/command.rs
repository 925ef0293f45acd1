//! The option table: each option once, with its short and long name, its value, its help and its
//! group. Help, man page and completions are made from it.
//!
//! Short options are OpenBSD nc's as Debian ships it; long ones are Ncat's where Ncat has one.

use clap::{Arg, ArgAction, Command, value_parser};
use std::ffi::OsString;

const SHAPE: &str = "Connect, listen, scan";
const END: &str = "When it ends";
const TIME: &str = "Time";
const DATA: &str = "What happens to the data";
const ADDRESS: &str = "Addresses and sockets";
const PROXY: &str = "Through a proxy";
const OTHER: &str = "Other";

/// The command line of rnc.
pub fn command() -> Command {
    let table = [
        shape(),
        ends(),
        time(),
        data(),
        addresses(),
        proxies(),
        others(),
    ];
    Command::new("rnc")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Joins standard input and output to TCP, UDP and Unix sockets")
        .override_usage(
            "rnc [OPTIONS] HOST PORT...      connect, or scan with -z\n       \
             rnc [OPTIONS] -l [HOST] PORT    listen\n       \
             rnc [OPTIONS] -U [-l] PATH      the same over a Unix socket",
        )
        .after_help("More with --help, and in rnc(1).")
        .after_long_help(AFTER_LONG_HELP)
        .disable_version_flag(true)
        .args_override_self(true)
        .term_width(96)
        .arg(
            Arg::new("operands")
                .value_name("HOST PORT")
                .num_args(0..)
                .value_parser(value_parser!(OsString))
                .help(
                    "Where to connect to, or to listen: a name or address and ports (80, http, \
                     20-25), HOST:PORT, [V6]:PORT, unix:PATH, unix:@NAME, vsock:CID:PORT",
                ),
        )
        .args(table.into_iter().flatten())
}

const AFTER_LONG_HELP: &str = "\
Durations are seconds, or take a unit: 500ms, 2s, 1m, 1h. Sizes are bytes, or take one: 64k, 1M, 64Ki.

Without -l, rnc leaves when both sides have ended; when standard input is a terminal, when the
peer has. The end of standard input is passed on to the peer, and the peer's end to standard output.
Called as nc, netcat or nc.openbsd, or with --as nc, it follows OpenBSD nc's rules instead.

Exit codes: 0 all well, 1 the network failed, 2 wrong command line, 3 timed out, 128+n signal n.";

/// A flag. `rare` ones are left out of `-h`.
fn flag(short: char, long: &'static str, help: &'static str) -> Arg {
    switch(long, help).short(short)
}

fn switch(long: &'static str, help: &'static str) -> Arg {
    Arg::new(long)
        .long(long)
        .action(ArgAction::SetTrue)
        .help(help)
}

/// An option with a value, which may begin with a dash, as getopt(3) has it.
fn value(short: char, long: &'static str, name: &'static str, help: &'static str) -> Arg {
    setting(long, name, help).short(short)
}

fn setting(long: &'static str, name: &'static str, help: &'static str) -> Arg {
    Arg::new(long)
        .long(long)
        .value_name(name)
        .allow_hyphen_values(true)
        .value_parser(value_parser!(OsString))
        .help(help)
}

fn grouped<const N: usize>(heading: &'static str, args: [Arg; N]) -> Vec<Arg> {
    args.into_iter()
        .map(|arg| arg.help_heading(heading))
        .collect()
}

fn shape() -> Vec<Arg> {
    grouped(
        SHAPE,
        [
            flag(
                'l',
                "listen",
                "Listen for a connection instead of making one",
            ),
            flag(
                'k',
                "keep-open",
                "With -l: serve more than one client, all at once (nc: in turn)",
            ),
            flag('u', "udp", "UDP, or with -U datagrams"),
            flag(
                'U',
                "unixsock",
                "Unix sockets: one operand, a path or @NAME (abstract)",
            ),
            flag('z', "zero", "Only see whether ports are open: no data").visible_alias("scan"),
            flag('r', "randomize", "Try ports in random order").hide_short_help(true),
            flag(
                'F',
                "pass-fd",
                "Pass the connected socket to standard output and leave",
            )
            .hide_short_help(true),
        ],
    )
}

fn ends() -> Vec<Arg> {
    grouped(
        END,
        [
            flag(
                'N',
                "shutdown",
                "Pass on the end of standard input (what rnc does; nc needs it)",
            ),
            switch("no-shutdown", "Do not pass on the end of standard input"),
            value(
                'q',
                "quit",
                "TIME",
                "Leave TIME after the end of standard input and the last byte",
            ),
            setting(
                "until",
                "WHEN",
                "Leave at the end of: peer, stdin, both; or never",
            ),
            flag('d', "no-stdin", "Do not read standard input").visible_alias("recv-only"),
            switch(
                "send-only",
                "Only send; discard what comes, leave at the end of input",
            ),
            value(
                'W',
                "recv-limit",
                "N",
                "Leave after N reads (datagrams) from the network",
            )
            .hide_short_help(true),
        ],
    )
}

fn time() -> Vec<Arg> {
    grouped(
        TIME,
        [
            value(
                'w',
                "wait",
                "TIME",
                "Give up connecting, or a session without traffic, after TIME",
            ),
            value(
                'i',
                "interval",
                "TIME",
                "Pause after each line sent, or between ports",
            ),
        ],
    )
}

fn data() -> Vec<Arg> {
    grouped(
        DATA,
        [
            flag('C', "crlf", "Send LF as CR LF"),
            flag(
                't',
                "telnet",
                "Refuse telnet options, and take telnet commands out of the data",
            ),
        ],
    )
}

fn addresses() -> Vec<Arg> {
    grouped(
        ADDRESS,
        [
            flag('4', "ipv4", "IPv4 only").overrides_with("ipv6"),
            flag('6', "ipv6", "IPv6 only").overrides_with("ipv4"),
            flag('n', "nodns", "Look up no names, of hosts or services"),
            value(
                's',
                "source",
                "ADDR",
                "Address to send from, or to listen on; with -uU a path",
            ),
            value(
                'p',
                "source-port",
                "PORT",
                "Port to send from, or to listen on",
            ),
            flag('b', "broadcast", "Allow broadcast").hide_short_help(true),
            setting(
                "join",
                "GROUP[@IFACE]",
                "With -u -l: join a multicast group",
            )
            .action(ArgAction::Append)
            .hide_short_help(true),
            value(
                'T',
                "tos",
                "TOS",
                "Type of service: ef, af11, cs1, lowdelay, 0x10, ...",
            )
            .hide_short_help(true),
            value('M', "ttl", "N", "TTL or hop limit of what is sent").hide_short_help(true),
            value(
                'm',
                "min-ttl",
                "N",
                "Drop packets whose TTL or hop limit is under N",
            )
            .hide_short_help(true),
            value(
                'I',
                "recv-buffer",
                "SIZE",
                "Size of the socket's receive buffer",
            )
            .hide_short_help(true),
            value(
                'O',
                "send-buffer",
                "SIZE",
                "Size of the socket's send buffer",
            )
            .hide_short_help(true),
            flag(
                'S',
                "md5sig",
                "Sign TCP segments with a key asked for (RFC 2385)",
            )
            .hide_short_help(true),
            flag('D', "debug", "Set SO_DEBUG on the socket").hide_short_help(true),
            value('V', "rtable", "N", "Routing table: not on Linux").hide(true),
            flag('Z', "dccp", "DCCP: not on Linux any more").hide(true),
        ],
    )
}

fn proxies() -> Vec<Arg> {
    grouped(
        PROXY,
        [
            value('x', "proxy", "HOST[:PORT]", "Connect through this proxy"),
            value(
                'X',
                "proxy-type",
                "TYPE",
                "What it speaks: 5 (SOCKS5, the default), 4, connect",
            )
            .hide_short_help(true),
            value(
                'P',
                "proxy-user",
                "USER",
                "User for the proxy; the password is asked for",
            )
            .hide_short_help(true),
            setting(
                "proxy-auth",
                "USER:PASS",
                "User and password; better in NCAT_PROXY_AUTH",
            )
            .hide_short_help(true),
        ],
    )
}

fn others() -> Vec<Arg> {
    let verbose = flag(
        'v',
        "verbose",
        "Say what happens; twice: addresses tried, totals",
    )
    .action(ArgAction::Count);
    grouped(
        OTHER,
        [
            verbose,
            setting(
                "as",
                "NAME",
                "Behave as this program: nc (OpenBSD's), or rnc",
            )
            .hide_short_help(true),
            Arg::new("version")
                .long("version")
                .action(ArgAction::Version)
                .help("Print the version"),
        ],
    )
}
