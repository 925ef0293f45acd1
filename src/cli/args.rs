//! What was typed: typed, but not judged.

mod tls;

use super::letters;
use super::matches::arguments;
use clap::ArgMatches;
use clap::parser::ValueSource;
use std::ffi::{OsStr, OsString};
pub use tls::TlsArgs;

arguments! {
    /// The words of the command line, sorted. Values are as they were typed.
    Args from matches {
        operands: paths "operands",
        listen: flag "listen",
        keep_open: flag "keep-open",
        broker: flag "broker",
        chat: flag "chat",
        tag: flag "tag",
        queue: word "queue",
        inetd: flag "inetd",
        udp: flag "udp",
        unix: flag "unixsock",
        sctp: flag "sctp",
        vsock: flag "vsock",
        zero: flag "zero",
        randomize: flag "randomize",
        parallel: word "parallel",
        pass_fd: flag "pass-fd",
        shutdown_now: flag "shutdown-now",
        shutdown: word "shutdown",
        no_shutdown: flag "no-shutdown",
        quit: word "quit",
        until: word "until",
        no_stdin: flag "no-stdin",
        send_only: flag "send-only",
        recv_limit: word "recv-limit",
        wait: word "wait",
        interval: word "interval",
        idle_timeout: word "idle-timeout",
        timeout: word "timeout",
        retry: word "retry",
        max_conns: word "max-conns",
        max_bytes: word "max-bytes",
        accept_timeout: word "accept-timeout",
        grace: word "grace",
        port_file: path "port-file",
        datagram_size: word "datagram-size",
        framing: word "framing",
        crlf: flag "crlf",
        telnet: flag "telnet",
        output: path "output",
        append_output: flag "append-output",
        log_format: word "log-format",
        hex_dump: path "hex-dump",
        hex: flag "hex",
        ipv4: flag "ipv4",
        ipv6: flag "ipv6",
        nodns: flag "nodns",
        source: path "source",
        source_port: word "source-port",
        broadcast: flag "broadcast",
        join: words "join",
        multicast_loop: word "multicast-loop",
        ignore_refused: flag "ignore-refused",
        allow: words "allow",
        allowfile: paths "allowfile",
        deny: words "deny",
        denyfile: paths "denyfile",
        allow_uid: words "allow-uid",
        mode: word "mode",
        tos: word "tos",
        ttl: word "ttl",
        min_ttl: word "min-ttl",
        recv_buffer: word "recv-buffer",
        send_buffer: word "send-buffer",
        md5sig: flag "md5sig",
        debug: flag "debug",
        dccp: flag "dccp",
        relay: path "relay",
        echo: flag "echo",
        discard: flag "discard",
        chargen: flag "chargen",
        daytime: flag "daytime",
        exec: path "exec",
        sh_exec: path "sh-exec",
        pty: flag "pty",
        exec_status: flag "exec-status",
        proxy: word "proxy",
        proxy_type: word "proxy-type",
        proxy_user: word "proxy-user",
        proxy_auth: word "proxy-auth",
        proxy_dns: word "proxy-dns",
    }
    tls: TlsArgs = tls(matches),
    verbose: u8 = matches.get_count("verbose"),
    rtable: bool = matches.contains_id("rtable"),
    test: bool = is_typed(matches, "test"),
    /// The name of an option whose value is empty, or `operands`.
    empty: Option<String> = matches
        .ids()
        .map(|id| id.as_str())
        .find(|id| has_empty_value(matches, id))
        .map(str::to_owned),
    /// An option that is only there to be refused, and why it is.
    refused: Option<(&'static str, &'static str)> = letters::REFUSED
        .iter()
        .find(|(name, _, _)| is_typed(matches, name))
        .map(|(name, _, why)| (*name, *why)),
}

/// The options of TLS. A flag that was not typed is there as one that is false. Of one that the table
/// does not have, only a debug build of clap says that this is an error.
fn tls(matches: &ArgMatches) -> TlsArgs {
    if matches!(matches.try_contains_id("tls"), Ok(true)) {
        TlsArgs::from_matches(matches)
    } else {
        TlsArgs::default()
    }
}

/// Returns whether an option was given that not every dialect has.
fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    let is_known = matches.try_contains_id(id).is_ok();
    is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Returns whether a value of an option is empty.
fn has_empty_value(matches: &ArgMatches, id: &str) -> bool {
    let mut values = matches.get_raw(id).into_iter().flatten();
    values.any(OsStr::is_empty)
}
