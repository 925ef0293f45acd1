//! What was typed: typed, but not judged.

use clap::ArgMatches;
use std::ffi::{OsStr, OsString};

/// The words of the command line, sorted. Values are as they were typed.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)] // named as the options are
pub struct Args {
    pub operands: Vec<OsString>,
    pub listen: bool,
    pub keep_open: bool,
    pub udp: bool,
    pub unix: bool,
    pub zero: bool,
    pub randomize: bool,
    pub parallel: Option<String>,
    pub pass_fd: bool,
    pub shutdown: bool,
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
    pub accept_timeout: Option<String>,
    pub port_file: Option<OsString>,
    pub datagram_size: Option<String>,
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
    pub proxy: Option<String>,
    pub proxy_type: Option<String>,
    pub proxy_user: Option<String>,
    pub proxy_auth: Option<String>,
    pub proxy_dns: Option<String>,
    pub verbose: u8,
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
            udp: flag("udp"),
            unix: flag("unixsock"),
            zero: flag("zero"),
            randomize: flag("randomize"),
            parallel: word("parallel"),
            pass_fd: flag("pass-fd"),
            shutdown: flag("shutdown"),
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
            accept_timeout: word("accept-timeout"),
            port_file: matches.get_one::<OsString>("port-file").cloned(),
            datagram_size: word("datagram-size"),
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
            proxy: word("proxy"),
            proxy_type: word("proxy-type"),
            proxy_user: word("proxy-user"),
            proxy_auth: word("proxy-auth"),
            proxy_dns: word("proxy-dns"),
            verbose: matches.get_count("verbose"),
        }
    }
}

fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}
