//! The option table: each option once, with its short and long name, its value, its help and its
//! group. Help, man page and completions are made from it.
//!
//! Short options are OpenBSD nc's as Debian ships it; long ones are Ncat's where Ncat has one.
//! Help is the line for `-h`, which fits an 80-column screen, and behind it what `--help` and the
//! man page add: units, what it cannot be combined with, and what is different as nc.

mod limits;
mod logs;
pub(super) mod option;
mod programs;
mod tls;

use super::version;
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use option::{DATA, SHAPE, flag, grouped, known, setting, switch, value};
use std::ffi::OsString;

const END: &str = "When it ends";
const ADDRESS: &str = "Addresses and sockets";
const PROXY: &str = "Through a proxy";
const OTHER: &str = "Other";

/// How much of the option table is made. Each option costs every start a little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// What most command lines need. One that it cannot be read with may still be right.
    Usual,
    /// All of it.
    Whole,
}

/// The command line of rnc.
pub fn command(extent: Extent) -> Command {
    // Group by group: all of them at once would be most of the memory of a short session.
    let table: [fn() -> Vec<Arg>; 11] = [
        shape,
        programs::programs,
        ends,
        limits::limits,
        data,
        logs::logs,
        addresses,
        access,
        proxies,
        match extent {
            Extent::Usual => Vec::new,
            Extent::Whole => tls::tls,
        },
        others,
    ];
    Command::new("rnc")
        .version(env!("CARGO_PKG_VERSION"))
        .long_version(version::LONG)
        .about("Joins standard input and output to TCP, UDP and Unix sockets")
        .override_usage(
            "rnc [OPTIONS] HOST PORT...     connect, or scan with -z\n       \
             rnc [OPTIONS] -l [HOST] PORT   listen\n       \
             rnc [OPTIONS] -U [-l] PATH     the same over a Unix socket",
        )
        .after_help("HOST PORT may also be HOST:PORT, [V6]:PORT, unix:PATH or vsock:CID:PORT.")
        .after_long_help(AFTER_LONG_HELP)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .max_term_width(96)
        .arg(
            Arg::new("operands")
                .value_name("HOST PORT")
                .num_args(0..)
                .value_parser(value_parser!(OsString))
                .value_hint(ValueHint::Hostname)
                .hide_short_help(true)
                .help("Where to connect to, or to listen")
                .long_help(OPERANDS),
        )
        .args(
            table
                .into_iter()
                .flat_map(|group| group())
                .map(|arg| match extent {
                    Extent::Usual => arg,
                    Extent::Whole => with_whole_help(arg),
                }),
        )
}

const OPERANDS: &str = "\
Where to connect to, or to listen: a name or an address, and ports: numbers, names of services, \
or ranges such as 20-25. An address may also be HOST:PORT, [V6]:PORT, unix:PATH, unix:@NAME \
(abstract) or vsock:CID:PORT (vsock::PORT to listen); then no port follows. tls: or udp: before it \
is --tls or -u, and options may follow it: tls:HOST:PORT,ca=FILE,retry=1s.";

const AFTER_LONG_HELP: &str = "\
TIME is seconds, or has a unit: 500ms, 1.5s, 2m, 1h. SIZE is bytes, or has one: 64k, 1M, 64Ki. \
As nc both are whole numbers without a unit.

rnc leaves when both directions have ended; when standard input is a terminal, when the peer has. \
The end of standard input is passed on to the peer when it is quiet, and the peer's end to standard \
output.

Called as nc, netcat or nc.openbsd, or with --as nc, rnc keeps OpenBSD nc's rules, exit codes and \
texts; \"as nc\" above says what is different then. Called as ncat, or with --as ncat, it keeps \
Ncat's, and its letters: \"Differences from Ncat\" in rnc(1).

Exit codes: 0 all well, 1 the network failed, 2 wrong command line, 3 timed out, 128+n signal n. \
As nc: 0, also when a session broke or timed out, or 1. As ncat: 0 all well, 1 the network failed \
or timed out, 2 all else.

rnc(1) has examples.";

/// Puts the line for `-h` before what `--help` adds to it.
fn with_whole_help(arg: Arg) -> Arg {
    let Some((help, more)) = arg.get_help().zip(arg.get_long_help()) else {
        return arg;
    };
    let (help, more) = (help.to_string(), more.to_string());
    if more.is_empty() {
        arg.long_help(help)
    } else {
        arg.long_help(format!("{help}. {more}"))
    }
}

fn shape() -> Vec<Arg> {
    grouped(
        SHAPE,
        [
            flag(
                'l',
                "listen",
                "Listen for a connection instead of making one",
                "As -l PORT, -l HOST PORT, -l -p PORT [HOST] or -l -s ADDR -p PORT. Port 0 lets \
                 the system choose, and rnc prints it on standard error, as it prints any port \
                 where that is a terminal. Without an address, or with *, rnc listens on IPv6 and \
                 IPv4; with no port either, on the sockets a service manager has passed \
                 (LISTEN_FDS). Without -k it closes the listening \
                 socket once the first client is there. Not with -z, -F or -r, nor with -x unless \
                 there is --relay. As nc: IPv4 unless -6; the last two forms are errors; others may listen on the same port.",
            ),
            flag(
                'k',
                "keep-open",
                "With -l: serve many clients, all at once",
                "Standard input goes to all of them; what they send goes to standard output, \
                 lines kept whole. While there is no client standard input waits. rnc stays until a \
                 signal ends it. Needs -l; with -u nothing changes, a UDP listener always hears \
                 everyone. As nc: one client after the other; with -u it makes the listener hear \
                 everyone.",
            ),
            switch(
                "broker",
                "With -l: clients talk to each other; --chat: with names",
                "What one sends goes to all others. Standard input goes to all of them, and its end is not passed on; nothing is \
                 written to standard output. A client that ends its side is sent what waits for \
                 it, and has left then (see --until). Senders wait for a client that reads more \
                 slowly than they send; one that leaves its queue (see --queue) full for two \
                 seconds is dropped. Implies -k. Needs -l; not with -u, --send-only, \
                 --relay or --tag.",
            ),
            switch(
                "chat",
                "As --broker, line by line, with names: <user1> hello",
                "A new client is sent the names of all others; comings and goings are announced. The names \
                 are numbers, in the order of coming; standard input is <user0>. Control \
                 characters are spelt out, such as \\x1b, so that no client can play with the \
                 terminals of others; a line of more than 4096 bytes is cut. Implies --broker.",
            )
            .hide_short_help(true),
            switch(
                "tag",
                "With -lk or -u: put [ADDRESS:PORT] before each line received",
                "Only whole lines are written then: one without an end waits for it, and gets one \
                 when its client leaves. A client of a Unix socket is [unix:N], where N counts \
                 them. With -u the last line of a datagram gets an end if it has none, and a peer \
                 at a Unix socket is [PATH]. Needs -k or -u; not with --broker or --framing.",
            )
            .hide_short_help(true),
            setting(
                "queue",
                "SIZE",
                "With -lk: how many bytes may wait for one client",
                "64Ki to 1Gi; 256Ki by default. While the queue of one client is full \
                 nothing is read that would go there; after two seconds of that, ten if there \
                 is no other client, it is dropped. Needs -k or --broker.",
            )
            .hide_short_help(true),
            switch(
                "inetd",
                "Serve the socket that is standard input, as inetd(8) has it",
                "A connection is served alone; a listening or UDP socket as with -l, which this \
                 stands for. If standard input is no socket, what a service manager has passed is \
                 served (LISTEN_FDS). Standard error that is the same socket says nothing. Needs \
                 something to serve, such as --relay; no address goes with it.",
            )
            .hide_short_help(true),
            flag(
                'u',
                "udp",
                "UDP instead of TCP; with -U datagrams",
                "A read of standard input is one datagram, of up to 65507 bytes (see \
                 --datagram-size); a datagram is one write to a terminal, socket or packet pipe, \
                 and files and other pipes get them joined; an empty one is no end. A client leaves one \
                 second after the end of standard input and the last byte (see -q). A listener \
                 hears all peers and answers the one heard last. Not with -x. As nc: a client \
                 stays until it is stopped, a listener has only the first peer, and standard \
                 input is cut at 16384 bytes.",
            ),
            flag(
                'U',
                "unixsock",
                "A Unix socket: one operand, a path or @NAME (abstract)",
                "A listener replaces a socket file without a listener, nothing else, and \
                 removes its own at the end. Not with a port, -4, -6, -x, -F or --join. As nc: \
                 whatever is at the path is replaced, and the socket stays.",
            ),
            switch(
                "sctp",
                "SCTP instead of TCP",
                "One stream, as TCP has it. SCTP has no half-closed connections: the end of \
                 standard input ends both directions, once all is sent, and an answer that the \
                 peer begins after that is lost. --no-shutdown waits for it instead. Where the \
                 kernel has no SCTP rnc says so. Not with -u, -U, -x, -S, --relay or vsock.",
            )
            .hide_short_help(true),
            switch(
                "vsock",
                "Sockets between a virtual machine and its host",
                "The operands are CID PORT, or with -l only PORT: the same as vsock:CID:PORT and \
                 vsock::PORT. CID 2 is the host, 1 the machine itself. Without -w or --timeout the kernel \
                 gives a connection two seconds. Not with -u, -z, -x, -s, -F, -4 or -6.",
            )
            .hide_short_help(true),
            setting(
                "relay",
                "TARGET",
                "With -l: join each client to a connection to TARGET",
                "TARGET is HOST:PORT, tls:HOST:PORT, unix:PATH, vsock:CID:PORT, exec:PROGRAM or \
                 sh:COMMAND; with -u it is HOST:PORT or a program. For each client, with -k for \
                 many at once, rnc opens a target of its own, and passes on what either side \
                 sends, and each side's end. A client whose target cannot be opened, or is rnc \
                 itself, is reset, and so is one side when the other one breaks. Options of the \
                 target follow it: ,timeout=TIME for connecting, and for TLS those of --tls-... \
                 without these letters, as in tls:localhost:443,ca=FILE. A comma in a value is \
                 written \\,. With -u the peers \
                 are apart by their addresses, and one that is silent for a minute counts as gone. \
                 -w counts for each client: for connecting, and for silence. -x is the proxy to \
                 connect through. Needs -l; not with what is about standard input and output or \
                 changes the bytes: -q, --until, -d, --send-only, --no-shutdown, -W, -i, -C, -t.",
            )
            .value_hint(ValueHint::Hostname),
            switch(
                "echo",
                "With -l: send each client back what it sends",
                "A test server without a program (RFC 862); with -k for many clients at once. Also \
                 --discard, --chargen and --daytime. With -u each datagram is answered by itself, \
                 but none from a port below 1024 or with the listener's own \
                 number: two such services, set at each other by one forged datagram, would never \
                 stop. -w counts for each client. Needs -l; not with what is about standard input \
                 and output or changes the bytes, as with --relay.",
            )
            .hide_short_help(true),
            switch(
                "discard",
                "With -l: throw away what clients send",
                "As --echo otherwise. RFC 863.",
            )
            .hide_short_help(true),
            switch(
                "chargen",
                "With -l: send clients a pattern of characters without end",
                "Lines of 72 printing characters, each beginning one character further on (RFC \
                 864), until the client goes. With -u each datagram is answered by one of 0 to \
                 512 bytes, chosen at random. As --echo otherwise.",
            )
            .hide_short_help(true),
            switch(
                "daytime",
                "With -l: send clients the date and the time, and end",
                "One line in UTC: Saturday, November 21, 2026 12:45:03-UTC, with CR LF (RFC 867). \
                 As --echo otherwise.",
            )
            .hide_short_help(true),
            flag(
                'z',
                "zero",
                "Only see whether ports are open",
                "No data is sent over TCP; the exit code is 0 if any port is open, and -v prints \
                 each. Names are looked up once. A UDP port is open unless it refuses one of the datagrams holding X that \
                 it gets for three seconds, or the TIME of -w. Not with -l or -F. As nc: UDP \
                 ports are only probed with -v, and the last one decides.",
            )
            .visible_alias("scan"),
            flag(
                'r',
                "randomize",
                "Try ports in random order",
                "Not with -l.",
            )
            .hide_short_help(true),
            setting(
                "parallel",
                "N",
                "With -z: how many ports are tried at once",
                "Without it 512, as far as the limit on open files allows; but UDP ports of other \
                 machines one after the other: their kernels say only about once a second that \
                 a port is closed, and one that says nothing looks open. What is said comes in \
                 the order of the ports all the same. Needs -z; not with \
                 -U.",
            )
            .hide_short_help(true),
            flag(
                'F',
                "pass-fd",
                "Pass the connected socket to standard output and leave",
                "Standard output has to be a Unix socket: the descriptor goes with one byte, as \
                 ssh(1) wants it with ProxyUseFdpass. Not with -l, -z or -U.",
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
                "shutdown-now",
                "Pass on the end of standard input at once",
                "The same as --shutdown now. As nc: without this, or -q, the end is not passed on.",
            )
            .hide_short_help(true),
            setting(
                "shutdown",
                "WHEN",
                "When the end of input is passed on: now, never, or TIME",
                "The peer sees the end (FIN, or close_notify of TLS) and may still answer. Many \
                 servers and proxies drop the answer when the end comes before it. So a client \
                 passes it on after TIME without a byte from the peer: 1s, through a proxy 15s. \
                 HTTP requests are recognised: there it waits until the answers are complete. At \
                 once (now) it does so when standard input is a terminal, with --send-only, and \
                 when it has sent more than 64 KiB without hearing a byte. A listener, a relay \
                 and a program pass it on at once. With never, the peer sees the end when rnc \
                 leaves. TLS 1.2 has no half-closed connections: after TIME the end is kept until \
                 rnc leaves. As ncat: now. As nc: never, without -N or -q.",
            )
            .hide_short_help(true),
            switch(
                "no-shutdown",
                "Do not pass on the end of standard input",
                "The same as --shutdown never.",
            )
            .hide_short_help(true),
            value(
                'q',
                "quit",
                "TIME",
                "Leave TIME after the end of input and the last byte",
                "Every byte that comes or goes begins TIME anew; an answer that is there to be \
                 read is never dropped, not even with 0. A negative number is no limit. A UDP \
                 client has 1s by default. As nc: a TCP client stays TIME longer \
                 after the peer has closed, and does not leave before.",
            ),
            value(
                'w',
                "wait",
                "TIME",
                "Give up after TIME of connecting, or of silence",
                "All of connecting, looking the name up and a proxy's part in it too, has to \
                 be done within TIME; after that, a session where nothing moves for TIME is \
                 over. Either way the exit code is 3. Waiting for a TCP client has no limit. With \
                 -lk only the silent client is dropped. 0 is no limit for connecting, and leaves \
                 as soon as nothing moves. While standard input is a pipe, silence counts from \
                 the first byte on. As nc: TIME is for each address; the exit code is 1 \
                 if there is no connection, else 0.",
            ),
            known(
                setting(
                    "until",
                    "WHEN",
                    "Leave at the end of: peer, stdin, both; or never",
                    "Without it: both; peer with -d or when standard input is a terminal; stdin \
                     with --send-only. What is read is still delivered. With -lk it says when a \
                     client's session is over.",
                ),
                &["peer", "stdin", "both", "never"],
            )
            .hide_short_help(true),
            flag(
                'd',
                "no-stdin",
                "Do not read standard input",
                "The peer sees no end of it either. Not with --send-only. A listener does the same \
                 when its standard input is /dev/null or closed, as under cron, systemd, docker or \
                 in the background of a script.",
            )
            .visible_alias("recv-only")
            .hide_short_help(true),
            switch(
                "send-only",
                "Only send; leave at the end of standard input",
                "What the peer sends is discarded. Not with -d.",
            )
            .hide_short_help(true),
            switch(
                "ignore-refused",
                "With -u: go on when the peer refuses a datagram",
                "What is sent while nothing listens there is lost, as when a log server is \
                 restarted; otherwise the session is over. --until never implies it. Needs -u.",
            )
            .hide_short_help(true),
            value(
                'W',
                "recv-limit",
                "N",
                "Leave after N reads from the network",
                "With -u, after N datagrams. What was read is written to standard output first.",
            )
            .hide_short_help(true),
        ],
    )
}

fn data() -> Vec<Arg> {
    grouped(
        DATA,
        [
            flag(
                'C',
                "crlf",
                "Send line ends as CR LF",
                "A line end that is CR LF already stays as it is.",
            ),
            flag(
                't',
                "telnet",
                "Answer telnet options, and keep them out of the data",
                "Each option the peer asks for is refused (RFC 854); its commands do not reach \
                 standard output, and no byte that is sent is taken for a command: 0xff is \
                 doubled. As nc and ncat: it is not.",
            )
            .hide_short_help(true),
            value(
                'i',
                "interval",
                "TIME",
                "Pause after each line sent, or each port tried",
                "What comes in does not wait. Also --delay. With -z it is the time from the start of one port \
                 to that of the next. As nc: no pause between ports with -z.",
            )
            .hide_short_help(true)
            .alias("delay"),
            setting(
                "datagram-size",
                "SIZE",
                "With -u: longest datagram made of standard input",
                "1 to 65507 bytes; 65507 by default. What one read gives is cut into \
                 datagrams of that many bytes, and the rest is a shorter one. Up to 1472 bytes \
                 fit an Ethernet packet. Needs -u. As nc: 16384 by default.",
            )
            .hide_short_help(true),
            known(
                setting(
                    "framing",
                    "HOW",
                    "With -u: how datagrams stand in the data: line, len, raw",
                    "line: each line of standard input is a datagram, without its line feed, and \
                     each datagram that comes is a line. len: each stands behind its length, four \
                     bytes, the highest first. One that is longer than --datagram-size, and a \
                     message that is cut short, are errors: what stood before is sent, and the \
                     exit code is 1. raw, the default, is one datagram for each read. Needs -u; \
                     line and len not with -C, -i or -t.",
                ),
                &["line", "len", "raw"],
            )
            .hide_short_help(true),
        ],
    )
}

fn addresses() -> Vec<Arg> {
    grouped(
        ADDRESS,
        [
            flag(
                '4',
                "ipv4",
                "IPv4 only",
                "Of -4 and -6 the last counts. Not with -U.",
            )
            .overrides_with("ipv6"),
            flag(
                '6',
                "ipv6",
                "IPv6 only",
                "Of -4 and -6 the last counts. Not with -U.",
            )
            .overrides_with("ipv4"),
            flag(
                'n',
                "nodns",
                "Look up no names of hosts: they have to be addresses",
                "-v shows addresses and numbers only. Names of services are still understood, \
                 and a SOCKS5, SOCKS4A or HTTP proxy still gets names, as they are.",
            ),
            value(
                's',
                "source",
                "ADDR",
                "Address to send from, or to listen on",
                "With -uU, the path of our own socket, where answers go; else one is made up, \
                 and removed at the end. Not with -x, nor with -l HOST.",
            )
            .hide_short_help(true),
            value(
                'p',
                "source-port",
                "PORT",
                "Port to send from, or to listen on",
                "Not with a port behind -l, nor with -lU. As nc: not with -l HOST.",
            ),
            flag(
                'b',
                "broadcast",
                "Allow broadcast",
                "Needed to send to a broadcast address. As with a multicast group, answers are \
                 heard from any address then; -v shows whose they are, and --tag puts it before \
                 each line.",
            )
            .hide_short_help(true),
            setting(
                "join",
                "GROUP[@IFACE]",
                "With -u -l: join a multicast group",
                "On the interface IFACE, or on one the system chooses. May be given more than \
                 once. The port may be shared with others that listen to groups; what comes to \
                 groups that only they have joined is not heard. Needs -u and -l; not with -U.",
            )
            .action(ArgAction::Append)
            .hide_short_help(true),
            known(
                setting(
                    "multicast-loop",
                    "yes|no",
                    "With -u: whether groups on this machine hear what is sent",
                    "yes by default, as the system has it. Needs -u; not with -U.",
                ),
                &["yes", "no"],
            )
            .hide_short_help(true),
            value(
                'T',
                "tos",
                "TOS",
                "Type of service, or traffic class, of what is sent",
                "A number from 0 to 255, also 0x10; or one of af11 to af43, cs0 to cs7, ef, \
                 critical, inetcontrol, netcontrol, lowcost, lowdelay, reliability, throughput.",
            )
            .hide_short_help(true),
            value(
                'M',
                "ttl",
                "N",
                "TTL or hop limit of what is sent",
                "0 to 255. Counts for multicast groups too, which have 1 otherwise.",
            )
            .hide_short_help(true),
            value(
                'm',
                "min-ttl",
                "N",
                "Drop packets whose TTL or hop limit is under N",
                "0 to 255. TCP only: for others the system does not look at it.",
            )
            .hide_short_help(true),
            value(
                'I',
                "recv-buffer",
                "SIZE",
                "Size of the socket's receive buffer",
                "1 byte to 1 GiB, as far as the system allows. UDP has 4 MiB by \
                 default.",
            )
            .hide_short_help(true),
            value(
                'O',
                "send-buffer",
                "SIZE",
                "Size of the socket's send buffer",
                "1 byte to 1 GiB, as far as the system allows.",
            )
            .hide_short_help(true),
            flag(
                'S',
                "md5sig",
                "Sign TCP segments (RFC 2385)",
                "The key is asked for on the terminal.",
            )
            .hide_short_help(true),
            flag(
                'D',
                "debug",
                "Set SO_DEBUG on the socket",
                "This takes root.",
            )
            .hide_short_help(true),
            value('V', "rtable", "N", "Routing table: not on Linux", "").hide(true),
            flag('Z', "dccp", "DCCP: not on Linux any more", "").hide(true),
        ],
    )
}

fn access() -> Vec<Arg> {
    let list = |long, name, help, more| setting(long, name, help, more).action(ArgAction::Append);
    grouped(
        ADDRESS,
        [
            list(
                "allow",
                "HOSTS",
                "With -l: only these hosts; all others are refused",
                "HOSTS are between commas: addresses, IPv4 addresses with *, ranges such as 1-9 \
                 or both in place of octets, names, and behind each of them, after a slash, the \
                 number of bits that count: 192.0.2.0/24, 10.*.0.1-9, 2001:db8::/32. A link-local \
                 address may have its interface, fe80::1%eth0, and counts there alone. Names are \
                 looked up at the start. A client that is refused is reset at once, with -u its \
                 datagrams are dropped; -v prints it. May be given more than once. Needs -l; not with -U.",
            ),
            list(
                "deny",
                "HOSTS",
                "With -l: not these hosts, even if allowed",
                "HOSTS as with --allow.",
            )
            .hide_short_help(true),
            list(
                "allowfile",
                "FILE",
                "As --allow, with the hosts in a file",
                "They are between white space there, and may have lists with commas in place of \
                 octets too: 10.0.0.1,3,5-7. At SIGHUP the files are read again, and names looked \
                 up again; if anything is wrong then, rnc prints it, and the rules stay as they \
                 were. A pipe cannot be read again.",
            )
            .value_hint(ValueHint::FilePath)
            .hide_short_help(true),
            list(
                "denyfile",
                "FILE",
                "As --deny, with the hosts in a file",
                "See --allowfile.",
            )
            .value_hint(ValueHint::FilePath)
            .hide_short_help(true),
            list(
                "allow-uid",
                "USER",
                "With -lU: only processes of this user",
                "A name or a number. May be given more than once. Needs -l and -U; not with -u.",
            )
            .value_hint(ValueHint::Username)
            .hide_short_help(true),
            setting(
                "mode",
                "OCTAL",
                "With -lU: permissions of the socket's file",
                "As for chmod(1), such as 600; who may not write may not connect. Without it they \
                 are what the umask leaves of 777. Needs -l and -U, and a path.",
            )
            .hide_short_help(true),
        ],
    )
}

fn proxies() -> Vec<Arg> {
    grouped(
        PROXY,
        [
            value(
                'x',
                "proxy",
                "HOST[:PORT]",
                "Connect through this proxy",
                "An IPv6 address stands in brackets. The port is 1080 if not given, 3128 with -X \
                 connect. Not with -u, -U or -s, nor with -l unless there is --relay.",
            )
            .value_hint(ValueHint::Hostname),
            known(
                value(
                    'X',
                    "proxy-type",
                    "TYPE",
                    "What it speaks: 5 (SOCKS5, the default), 4, 4a, connect",
                    "4 is SOCKS4, with the name looked up here; 4a is SOCKS4A, with the name \
                     looked up by the proxy, as with 5; connect is HTTP. Ncat's names socks4, \
                     socks5 and http are the same as 4, 5 and connect.",
                ),
                &["5", "4", "4a", "connect"],
            )
            .hide_short_help(true),
            value(
                'P',
                "proxy-user",
                "USER",
                "User for the proxy",
                "Its password is asked for on the terminal once the proxy wants it.",
            )
            .hide_short_help(true),
            setting(
                "proxy-auth",
                "USER:PASS",
                "User and password for the proxy",
                "Others on the machine can see it in the list of processes: the environment \
                 variable NCAT_PROXY_AUTH, which has the same form, keeps it to yourself. An HTTP \
                 proxy gets them once it asks, by the strongest means it offers: Digest with \
                 SHA-256 or MD5, which do not show the password on the way, or else Basic.",
            )
            .hide_short_help(true),
            known(
                setting(
                    "proxy-dns",
                    "WHO",
                    "Who looks names up: local, remote, both, none",
                    "local is here, and a name that is not known is an error; remote is the \
                     proxy; both is here, and the proxy where the name is not known here; with none \
                     HOST has to be an address. Without it: local with -X 4, else remote. Needs -x.",
                ),
                &["local", "remote", "both", "none"],
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
        "On standard error, in nc's words.",
    );
    grouped(
        OTHER,
        [
            verbose.action(ArgAction::Count),
            known(
                setting(
                    "as",
                    "NAME",
                    "Behave as this program: nc (OpenBSD's), ncat, or rnc",
                    "The name rnc is called by does the same: nc, netcat and nc.openbsd are nc. \
                     As ncat the letters of options are Ncat's: ncat -h shows them.",
                ),
                &["nc", "ncat", "rnc"],
            ),
            flag('h', "help", "Show this help; --help shows all of it", "").action(ArgAction::Help),
            switch(
                "version",
                "Print the version",
                "With the commit, what TLS is made of, and the target.",
            )
            .action(ArgAction::Version),
        ],
    )
}
