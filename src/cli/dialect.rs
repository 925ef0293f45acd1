//! The dialects: native rnc, OpenBSD nc as Debian ships it, and Ncat. A table of values, no code
//! paths: `to_plan` reads the row of the one that was asked for.

use super::command::{self, Extent};
use super::letters;
use crate::plan::{
    Clients, LogFormat, PassEnd, ProxyKind, ProxyNames, TelnetSides, UdpProbe, UnixListening, Until,
};
use crate::report::Wording;
use clap::Command;
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::time::Duration;

/// When UDP ports are probed before they are taken to be open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probes {
    /// With `-z`.
    Scanning,
    /// With `-v`, in sessions too.
    Verbose,
}

/// What is different about TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlsRules {
    /// A server's certificate is checked without being told to.
    pub checks_servers: bool,
    /// What says how a server is checked has no effect on a listener; else it is an error there.
    pub listeners_ignore_checks: bool,
    /// A listener takes the end of a client without close_notify for a good one.
    pub listeners_take_bare_ends: bool,
    /// Naming cipher suites of TLS 1.2 alone leaves those of TLS 1.3 in use.
    pub keeps_tls13_ciphers: bool,
}

/// One dialect.
#[derive(Debug)]
pub struct Dialect {
    /// What stands before messages.
    pub name: &'static str,
    /// The command line: which letters the options have.
    pub command: fn(Extent) -> Command,
    /// The words in which what happens is printed.
    pub wording: Wording,
    /// What `-v` prints first of all.
    pub version_with_v: Option<&'static str>,
    /// Exit code for a wrong command line.
    pub usage_code: u8,
    /// Exit code when the time for connecting runs out.
    pub connect_timed_out_code: u8,
    /// Exit code when a client's session is idle for too long.
    pub timed_out_code: u8,
    /// Exit code when a listener's session is idle for too long.
    pub listener_timed_out_code: u8,
    /// Exit code when a session breaks.
    pub broken_code: u8,
    /// Exit code when something other than the network fails: a name, a listener, standard input
    /// or output.
    pub other_code: u8,
    /// Failures are printed without `-v`.
    pub tells_failures: bool,
    /// Help goes to standard error.
    pub help_on_stderr: bool,
    /// What is shown behind a complaint of getopt(3), in whose words it is printed then.
    pub usage: Option<&'static str>,
    /// Operands and -p, -s are combined only as nc does.
    pub strict_operands: bool,
    /// Empty words are refused, as of variables that are not set, and so is `-` for a file.
    pub strict_words: bool,
    /// What `-t` does.
    pub telnet: TelnetSides,
    /// Times are whole seconds and sizes plain numbers.
    pub plain_numbers: bool,
    /// Times of 0 are refused.
    pub refuses_zero_times: bool,
    /// The port where none is given.
    pub default_port: Option<u16>,
    /// A client may be given many ports.
    pub takes_many_ports: bool,
    /// `-s` may be the address to listen on.
    pub listens_at_source: bool,
    /// `-k` of a client: it goes on after the peer's end. Where it has none, `-k` needs `-l`.
    pub until_kept_open_client: Option<Until>,
    /// When a client passes on the end of standard input without `-N`. A listener of a dialect
    /// that waits for quiet passes it on at once: it is the end of the answer.
    pub pass_end: PassEnd,
    /// A listener whose standard input is /dev/null has none: no end of it is passed on.
    pub null_is_no_stdin: bool,
    /// Silence counts only once the writer of standard input, a pipe, has written.
    pub waits_for_writer: bool,
    /// HTTP requests are recognised, and their answers waited for.
    pub follows_http: bool,
    /// A client's session is over then; when standard input is a terminal, `until_terminal`.
    pub until_client: Until,
    /// The same for a listener's session.
    pub until_listener: Until,
    /// When standard input is a terminal.
    pub until_terminal: Option<Until>,
    /// A UDP client leaves that long after the end of standard input and the last byte.
    pub udp_client_quit: Option<Duration>,
    /// `-q` of a TCP client counts from the end of the session, not of standard input.
    pub tcp_client_lingers: bool,
    /// Whom `-l` serves.
    pub clients: Clients,
    /// Whom `-lk` serves.
    pub many_clients: Clients,
    /// `-lu` talks with the first peer only.
    pub udp_locks_to_first: bool,
    /// Without an address, IPv6 and IPv4 are both listened on.
    pub dual_stack: bool,
    /// All addresses of a name are listened on.
    pub all_addresses: bool,
    /// Listeners may share a port.
    pub shares_port: bool,
    /// The pause before the next address is raced (RFC 8305, section 8).
    pub stagger: Option<Duration>,
    /// The time for connecting without `-w`.
    pub connect_timeout: Option<Duration>,
    /// `-w` counts for silence in a session too.
    pub wait_is_for_silence: bool,
    /// `-w` counts for each address.
    pub timeout_per_address: bool,
    /// What is printed after "timed out".
    pub timeout_reason: Option<&'static str>,
    /// Clients are shown by name.
    pub names_peers: bool,
    /// Whose process a client of a Unix socket is, is shown.
    pub tells_users: bool,
    /// A program that all hosts may use is warned of, and one whose words have quotes.
    pub warns_of_programs: bool,
    /// Peers that vanish are found out.
    pub keepalive: bool,
    /// The longest datagram made of standard input, in bytes.
    pub datagram_bytes: usize,
    /// How `--hex-dump` looks.
    pub hex_dump: LogFormat,
    /// `-i` counts between scanned ports.
    pub interval_between_ports: bool,
    /// When UDP ports are probed.
    pub probes: Probes,
    /// How, for how long without `-w`.
    pub udp_probe: UdpProbe,
    /// A list of UDP ports ends with the outcome of the last.
    pub last_udp_port_decides: bool,
    /// What becomes of the file of a Unix socket.
    pub unix: UnixListening,
    /// A listener prints its port without `-v`, where the system has chosen it or a terminal shows
    /// it.
    pub tells_port: bool,
    /// Errors of listeners come without their address.
    pub plain_errors: bool,
    /// The protocol of a proxy for which none is given.
    pub proxy_kind: ProxyKind,
    /// The request to an HTTP proxy has a Host field.
    pub names_the_host: bool,
    /// Who looks names up for SOCKS4, where that is not given.
    pub socks4_names: ProxyNames,
    /// What is different about TLS.
    pub tls: TlsRules,
}

/// nc's probe of a UDP port.
const PROBE_OF_NC: UdpProbe = UdpProbe {
    datagram: b"X",
    is_repeated: true,
    limit: Duration::from_secs(3),
};

/// rnc's own rules of TLS.
const SAFE_TLS: TlsRules = TlsRules {
    checks_servers: true,
    listeners_ignore_checks: false,
    listeners_take_bare_ends: false,
    keeps_tls13_ciphers: false,
};

/// rnc's own behaviour.
pub const NATIVE: Dialect = Dialect {
    name: "rnc",
    command: command::command,
    wording: Wording::Netcat,
    version_with_v: None,
    usage_code: 2,
    connect_timed_out_code: 3,
    timed_out_code: 3,
    listener_timed_out_code: 3,
    broken_code: 1,
    other_code: 1,
    tells_failures: true,
    help_on_stderr: false,
    usage: None,
    strict_operands: false,
    strict_words: true,
    telnet: TelnetSides::Both,
    plain_numbers: false,
    refuses_zero_times: false,
    default_port: None,
    takes_many_ports: true,
    listens_at_source: true,
    until_kept_open_client: None,
    pass_end: PassEnd::WhenQuiet(Duration::from_secs(1)),
    null_is_no_stdin: true,
    waits_for_writer: true,
    follows_http: true,
    until_client: Until::Both,
    until_listener: Until::Both,
    until_terminal: Some(Until::Peer),
    udp_client_quit: Some(Duration::from_secs(1)),
    tcp_client_lingers: false,
    clients: Clients::One,
    many_clients: Clients::Each,
    udp_locks_to_first: false,
    dual_stack: true,
    all_addresses: true,
    shares_port: false,
    stagger: Some(Duration::from_millis(250)),
    connect_timeout: None,
    wait_is_for_silence: true,
    timeout_per_address: false,
    timeout_reason: None,
    names_peers: false,
    tells_users: true,
    warns_of_programs: true,
    keepalive: true,
    datagram_bytes: 65_507,
    hex_dump: LogFormat::Hex { colours: false },
    interval_between_ports: true,
    probes: Probes::Scanning,
    udp_probe: PROBE_OF_NC,
    last_udp_port_decides: false,
    unix: UnixListening {
        replaces_anything: false,
        removed_at_end: true,
        mode: None,
    },
    tells_port: true,
    plain_errors: false,
    proxy_kind: ProxyKind::Socks5,
    names_the_host: true,
    socks4_names: ProxyNames::Local,
    tls: SAFE_TLS,
};

/// OpenBSD nc, as Debian ships it: what is different from rnc.
pub const NC: Dialect = Dialect {
    name: "nc",
    usage_code: 1,
    connect_timed_out_code: 1,
    timed_out_code: 0,
    listener_timed_out_code: 0,
    broken_code: 0,
    tells_failures: false,
    help_on_stderr: true,
    usage: Some(NC_USAGE),
    strict_operands: true,
    strict_words: false,
    telnet: TelnetSides::Received,
    plain_numbers: true,
    pass_end: PassEnd::Never,
    null_is_no_stdin: false,
    waits_for_writer: false,
    follows_http: false,
    until_listener: Until::Peer,
    until_terminal: None,
    udp_client_quit: None,
    tcp_client_lingers: true,
    clients: Clients::OneQueueing,
    many_clients: Clients::InTurn,
    udp_locks_to_first: true,
    dual_stack: false,
    all_addresses: false,
    shares_port: true,
    stagger: None,
    timeout_per_address: true,
    timeout_reason: Some("Operation now in progress"),
    names_peers: true,
    tells_users: false,
    warns_of_programs: false,
    keepalive: false,
    datagram_bytes: 16_384,
    interval_between_ports: false,
    probes: Probes::Verbose,
    last_udp_port_decides: true,
    unix: UnixListening {
        replaces_anything: true,
        removed_at_end: false,
        mode: None,
    },
    tells_port: false,
    plain_errors: true,
    names_the_host: false,
    ..NATIVE
};

/// Ncat, from nmap: what is different from rnc. Its newest version where versions differ.
pub const NCAT: Dialect = Dialect {
    name: "Ncat",
    command: letters::ncat,
    wording: Wording::Ncat,
    version_with_v: Some(letters::VERSION),
    connect_timed_out_code: 1,
    timed_out_code: 1,
    listener_timed_out_code: 2,
    other_code: 2,
    usage: Some(NCAT_USAGE),
    strict_words: false,
    telnet: TelnetSides::Received,
    refuses_zero_times: true,
    default_port: Some(31337),
    takes_many_ports: false,
    listens_at_source: false,
    until_kept_open_client: Some(Until::Both),
    pass_end: PassEnd::Now,
    null_is_no_stdin: false,
    waits_for_writer: false,
    follows_http: false,
    until_client: Until::Peer,
    until_listener: Until::Peer,
    until_terminal: None,
    // Ncat leaves at once, and loses the answer.
    udp_client_quit: Some(Duration::from_secs(1)),
    udp_locks_to_first: true,
    connect_timeout: Some(Duration::from_secs(10)),
    wait_is_for_silence: false,
    timeout_per_address: true,
    datagram_bytes: 8192,
    hex_dump: LogFormat::NcatHex,
    udp_probe: UdpProbe {
        datagram: b"\0",
        is_repeated: false,
        limit: Duration::from_secs(2),
    },
    tells_users: false,
    tells_port: false,
    proxy_kind: ProxyKind::Http,
    names_the_host: false,
    socks4_names: ProxyNames::Remote,
    tls: TlsRules {
        checks_servers: false,
        listeners_ignore_checks: true,
        listeners_take_bare_ends: true,
        keeps_tls13_ciphers: true,
    },
    warns_of_programs: false,
    ..NATIVE
};

impl Dialect {
    /// The dialect asked for by `--as`, or else by the name rnc was called by.
    ///
    /// # Errors
    /// `--as` names none; the text is for the user.
    pub fn choose(called: &OsStr, words: &[OsString]) -> Result<&'static Dialect, String> {
        if let Some(asked) = asked(words) {
            return match asked.as_str() {
                "rnc" => Ok(&NATIVE),
                "nc" | "nc.openbsd" => Ok(&NC),
                "ncat" => Ok(&NCAT),
                other => Err(format!(
                    "--as {}: not nc, ncat or rnc",
                    other.escape_debug()
                )),
            };
        }
        let name = Path::new(called).file_name().and_then(OsStr::to_str);
        Ok(match name {
            Some("nc" | "netcat" | "nc.openbsd") => &NC,
            Some("ncat") => &NCAT,
            _ => &NATIVE,
        })
    }
}

/// The last value of `--as`, found before the other options are read: what is wrong with those is
/// told in the dialect.
fn asked(words: &[OsString]) -> Option<String> {
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let options = words.split(|word| *word == "--").next()?;
    let mut found = None;
    for (at, word) in options.iter().enumerate() {
        match word.strip_prefix("--as") {
            Some("") => found = Some(options.get(at + 1).copied().unwrap_or("").to_string()),
            Some(value) if value.starts_with('=') => found = Some(value[1..].to_string()),
            _ => {}
        }
    }
    found
}

/// The usage text of OpenBSD nc, which scripts and people know.
const NC_USAGE: &str = "\
usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]";

/// What Ncat prints after the message of getopt(3).
const NCAT_USAGE: &str =
    "Ncat: Try `--help' or man(1) ncat for more information, usage options and help. QUITTING.";

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(words: &[&str]) -> Result<&'static str, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        Dialect::choose(&words[0], &words).map(|dialect| dialect.name)
    }

    #[test]
    fn name_or_option_chooses() {
        assert_eq!(chosen(&["/usr/bin/rnc", "x"]), Ok("rnc"));
        for name in ["nc", "/bin/netcat", "nc.openbsd"] {
            assert_eq!(chosen(&[name, "-l"]), Ok("nc"));
        }
        assert_eq!(chosen(&["rnc", "-l", "--as", "nc"]), Ok("nc"));
        assert_eq!(chosen(&["nc", "--as=rnc"]), Ok("rnc"));
        assert_eq!(chosen(&["/usr/bin/ncat", "-l"]), Ok("Ncat"));
        assert_eq!(chosen(&["rnc", "--as", "ncat"]), Ok("Ncat"));
        assert!(chosen(&["rnc", "--as", "telnet"]).is_err());
        assert_eq!(chosen(&["rnc", "--", "--as"]), Ok("rnc"));
    }
}
