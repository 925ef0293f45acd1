//! What was typed: typed, but not judged.

mod tls;

use super::letters;
use clap::ArgMatches;
use clap::parser::ValueSource;
use std::ffi::{OsStr, OsString};
pub use tls::TlsArgs;

/// The words of the command line, sorted. Values are as they were typed.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // named as the options are
pub struct Args {
    pub operands: Vec<OsString>,
    pub listen: bool,
    pub keep_open: bool,
    pub broker: bool,
    pub chat: bool,
    pub tag: bool,
    pub queue: Option<String>,
    pub inetd: bool,
    pub udp: bool,
    pub unix: bool,
    pub sctp: bool,
    pub vsock: bool,
    pub zero: bool,
    pub randomize: bool,
    pub parallel: Option<String>,
    pub pass_fd: bool,
    pub shutdown_now: bool,
    pub shutdown: Option<String>,
    pub no_shutdown: bool,
    pub quit: Option<String>,
    pub until: Option<String>,
    pub no_stdin: bool,
    pub send_only: bool,
    pub recv_limit: Option<String>,
    pub wait: Option<String>,
    pub interval: Option<String>,
    pub idle_timeout: Option<String>,
    pub timeout: Option<String>,
    pub max_conns: Option<String>,
    pub max_bytes: Option<String>,
    pub accept_timeout: Option<String>,
    pub grace: Option<String>,
    pub port_file: Option<OsString>,
    pub datagram_size: Option<String>,
    pub framing: Option<String>,
    pub crlf: bool,
    pub telnet: bool,
    pub output: Option<OsString>,
    pub append_output: bool,
    pub log_format: Option<String>,
    pub hex_dump: Option<OsString>,
    pub hex: bool,
    pub ipv4: bool,
    pub ipv6: bool,
    pub nodns: bool,
    pub source: Option<OsString>,
    pub source_port: Option<String>,
    pub broadcast: bool,
    pub join: Vec<String>,
    pub multicast_loop: Option<String>,
    pub ignore_refused: bool,
    pub allow: Vec<String>,
    pub allowfile: Vec<OsString>,
    pub deny: Vec<String>,
    pub denyfile: Vec<OsString>,
    pub allow_uid: Vec<String>,
    pub mode: Option<String>,
    pub tos: Option<String>,
    pub ttl: Option<String>,
    pub min_ttl: Option<String>,
    pub recv_buffer: Option<String>,
    pub send_buffer: Option<String>,
    pub md5sig: bool,
    pub debug: bool,
    pub rtable: bool,
    pub dccp: bool,
    pub relay: Option<OsString>,
    pub echo: bool,
    pub discard: bool,
    pub chargen: bool,
    pub daytime: bool,
    pub exec: Option<OsString>,
    pub sh_exec: Option<OsString>,
    pub pty: bool,
    pub exec_status: bool,
    pub proxy: Option<String>,
    pub proxy_type: Option<String>,
    pub proxy_user: Option<String>,
    pub proxy_auth: Option<String>,
    pub proxy_dns: Option<String>,
    pub tls: TlsArgs,
    pub verbose: u8,
    pub test: bool,
    /// The name of an option whose value is empty, or `operands`.
    pub empty: Option<String>,
    /// An option that is only there to be refused, and why it is.
    pub refused: Option<(&'static str, &'static str)>,
}

impl Args {
    /// Takes the words out of clap's hands. Words that are not UTF-8 are kept where they may be
    /// paths; elsewhere they become ones that no check accepts.
    pub fn from_matches(matches: &ArgMatches) -> Args {
        let flag = |id: &str| matches.get_flag(id);
        let word = |id: &str| matches.get_one::<OsString>(id).map(|word| text(word));
        let path = |id: &str| matches.get_one::<OsString>(id).cloned();
        let words = |id: &str| matches.get_many::<OsString>(id).into_iter().flatten();
        Args {
            operands: words("operands").cloned().collect(),
            listen: flag("listen"),
            keep_open: flag("keep-open"),
            broker: flag("broker"),
            chat: flag("chat"),
            tag: flag("tag"),
            queue: word("queue"),
            inetd: flag("inetd"),
            udp: flag("udp"),
            unix: flag("unixsock"),
            sctp: flag("sctp"),
            vsock: flag("vsock"),
            zero: flag("zero"),
            randomize: flag("randomize"),
            parallel: word("parallel"),
            pass_fd: flag("pass-fd"),
            shutdown_now: flag("shutdown-now"),
            shutdown: word("shutdown"),
            no_shutdown: flag("no-shutdown"),
            quit: word("quit"),
            until: word("until"),
            no_stdin: flag("no-stdin"),
            send_only: flag("send-only"),
            recv_limit: word("recv-limit"),
            wait: word("wait"),
            interval: word("interval"),
            idle_timeout: word("idle-timeout"),
            timeout: word("timeout"),
            max_conns: word("max-conns"),
            max_bytes: word("max-bytes"),
            grace: word("grace"),
            accept_timeout: word("accept-timeout"),
            port_file: matches.get_one::<OsString>("port-file").cloned(),
            datagram_size: word("datagram-size"),
            framing: word("framing"),
            crlf: flag("crlf"),
            telnet: flag("telnet"),
            output: path("output"),
            append_output: flag("append-output"),
            log_format: word("log-format"),
            hex_dump: path("hex-dump"),
            hex: flag("hex"),
            ipv4: flag("ipv4"),
            ipv6: flag("ipv6"),
            nodns: flag("nodns"),
            source: path("source"),
            source_port: word("source-port"),
            broadcast: flag("broadcast"),
            join: words("join").map(|word| text(word)).collect(),
            multicast_loop: word("multicast-loop"),
            ignore_refused: flag("ignore-refused"),
            allow: words("allow").map(|word| text(word)).collect(),
            allowfile: words("allowfile").cloned().collect(),
            deny: words("deny").map(|word| text(word)).collect(),
            denyfile: words("denyfile").cloned().collect(),
            allow_uid: words("allow-uid").map(|word| text(word)).collect(),
            mode: word("mode"),
            tos: word("tos"),
            ttl: word("ttl"),
            min_ttl: word("min-ttl"),
            recv_buffer: word("recv-buffer"),
            send_buffer: word("send-buffer"),
            md5sig: flag("md5sig"),
            debug: flag("debug"),
            rtable: matches.contains_id("rtable"),
            dccp: flag("dccp"),
            relay: path("relay"),
            echo: flag("echo"),
            discard: flag("discard"),
            chargen: flag("chargen"),
            daytime: flag("daytime"),
            exec: path("exec"),
            sh_exec: path("sh-exec"),
            pty: flag("pty"),
            exec_status: flag("exec-status"),
            proxy: word("proxy"),
            proxy_type: word("proxy-type"),
            proxy_user: word("proxy-user"),
            proxy_auth: word("proxy-auth"),
            proxy_dns: word("proxy-dns"),
            tls: TlsArgs::from_matches(matches),
            verbose: matches.get_count("verbose"),
            test: is_typed(matches, "test"),
            empty: matches
                .ids()
                .map(|id| id.as_str())
                .find(|id| has_empty_value(matches, id))
                .map(str::to_owned),
            refused: letters::REFUSED
                .iter()
                .find(|(name, _, _)| is_typed(matches, name))
                .map(|(name, _, why)| (*name, *why)),
        }
    }
}

/// Whether an option was given that not every dialect has.
fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    let is_known = matches.try_contains_id(id).is_ok();
    is_known && matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// Returns whether a value of an option is empty.
fn has_empty_value(matches: &ArgMatches, id: &str) -> bool {
    let mut values = matches.get_raw(id).into_iter().flatten();
    values.any(OsStr::is_empty)
}

fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}
