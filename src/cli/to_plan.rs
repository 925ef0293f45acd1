//! Args → Plan: what follows from what, and which options do not go together. A pure function;
//! after it no combination needs checking again.

use super::args::Args;
use super::dialect::{Dialect, Probes};
use super::usage::Wrong;
use crate::parse::duration::{duration, whole_seconds};
use crate::parse::escape::printable;
use crate::parse::hostport::{self, Address};
use crate::parse::number::strtonum;
use crate::parse::{ports, size, tos};
use crate::plan::{
    Clients, Codes, Dialing, Ends, Family, Group, Listening, Mode, Net, Onward, Plan, Ports, Proxy,
    ProxyKind, Relay, Session, SocketOptions, Transport, UnixSource, Until,
};
use crate::sys::names;
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// What is true outside of the command line.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Bytes may go past this process: RNC_FAST=0 says no.
    pub may_offload: bool,
    /// USER:PASS for a proxy, from the environment.
    pub proxy_auth: Option<String>,
}

/// How long a UDP port may take to refuse a probe, without `-w`.
const UDP_PROBE: Duration = Duration::from_secs(3);

/// The payload of the largest UDP datagram over IPv4: 65,535 bytes without the headers of IP and
/// UDP. RFC 768.
const MOST_DATAGRAM_BYTES: usize = 65_507;

/// Says what to do.
///
/// # Errors
/// What is wrong with the command line.
pub fn to_plan(args: &Args, dialect: &Dialect, facts: &Facts) -> Result<Plan, Wrong> {
    Planner {
        args,
        dialect,
        facts,
    }
    .plan()
}

struct Planner<'a> {
    args: &'a Args,
    dialect: &'a Dialect,
    facts: &'a Facts,
}

/// Where to go, before it is known whether to connect or to listen.
enum Place {
    Unix(PathBuf),
    Vsock(u32, u32),
    Ip {
        host: Option<String>,
        ports: Vec<String>,
    },
}

fn said<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Said(message.into()))
}

impl Planner<'_> {
    fn plan(&self) -> Result<Plan, Wrong> {
        self.refuse_missing()?;
        let place = self.place()?;
        self.check_conflicts(&place)?;
        let timeout = self.time("-w", "timeout", self.args.wait.as_ref())?;
        let relay = self.relay(timeout)?;
        let net = self.net(&place)?;
        let mode = self.mode(place, timeout)?;
        let session = self.session(&mode, timeout)?;
        let codes = Codes {
            connect_timed_out: self.dialect.connect_timed_out_code,
            timed_out: self.dialect.timed_out_code,
            broken: self.dialect.broken_code,
        };
        Ok(Plan {
            mode,
            relay,
            net,
            session,
            codes,
            // Of a relay's many clients only the numbers: each name would be a look-up.
            names_peers: self.dialect.names_peers && !self.args.nodns && self.args.relay.is_none(),
            tells_port: self.dialect.tells_port,
            plain_errors: self.dialect.plain_errors,
            asks_md5_key: self.args.md5sig,
        })
    }

    /// Options that this system cannot honour.
    fn refuse_missing(&self) -> Result<(), Wrong> {
        if self.args.rtable {
            return said(if self.dialect.strict_operands {
                "no alternate routing table support available"
            } else {
                "no alternate routing table support available (-V): Linux has none"
            });
        }
        if self.args.dccp {
            return said("no DCCP support available (-Z): Linux removed it");
        }
        Ok(())
    }

    // ---- operands

    fn place(&self) -> Result<Place, Wrong> {
        if self.dialect.strict_operands {
            self.check_nc_operands()?;
        }
        let operands = &self.args.operands;
        let first = operands.first().map(OsString::as_os_str);
        if self.args.unix {
            return self.unix_place(first);
        }
        let read = |word: &OsStr| {
            let bad = |error| {
                format!(
                    "address \"{}\": {error}",
                    printable(word.as_encoded_bytes())
                )
            };
            hostport::address(word).map_err(|error| Wrong::Said(bad(error)))
        };
        let address = first.map(read).transpose()?;
        let rest: Vec<String> = operands.iter().skip(1).map(|word| text(word)).collect();
        match address {
            Some(Address::Unix(path)) => self.alone(Place::Unix(path)),
            Some(Address::Vsock(cid, port)) => self.alone(Place::Vsock(cid, port)),
            Some(Address::HostPort(host, port)) => {
                if let Some(again) = rest.first().or(self.listen_port_option()) {
                    return said(format!("port given twice: {port} and {again}"));
                }
                Ok(Place::Ip {
                    host: Some(host),
                    ports: vec![port],
                })
            }
            Some(Address::Host(word)) if self.args.listen => self.listen_place(word, rest),
            Some(Address::Host(host)) => Ok(Place::Ip {
                host: Some(host),
                ports: rest,
            }),
            None if self.args.listen => {
                let ports = self.args.source_port.iter().cloned().collect();
                Ok(Place::Ip {
                    host: self.source_host(),
                    ports,
                })
            }
            None => Err(Wrong::Shape(
                "missing host and port (rnc -h shows how)".into(),
            )),
        }
    }

    /// `-p` where it means the port to listen on.
    fn listen_port_option(&self) -> Option<&String> {
        self.args.source_port.as_ref().filter(|_| self.args.listen)
    }

    fn source_host(&self) -> Option<String> {
        self.args.source.as_ref().map(|word| text(word))
    }

    /// `-l` with operands: PORT, HOST PORT, or HOST with -p.
    fn listen_place(&self, first: String, rest: Vec<String>) -> Result<Place, Wrong> {
        match (rest.as_slice(), self.listen_port_option()) {
            ([], None) => Ok(Place::Ip {
                host: self.source_host(),
                ports: vec![first],
            }),
            ([], Some(port)) => {
                self.one_listen_host(&first)?;
                Ok(Place::Ip {
                    host: Some(first),
                    ports: vec![port.clone()],
                })
            }
            ([port], None) => {
                self.one_listen_host(&first)?;
                Ok(Place::Ip {
                    host: Some(first),
                    ports: vec![port.clone()],
                })
            }
            ([port, ..], Some(again)) => said(format!("port given twice: {port} and -p {again}")),
            ([_, extra, ..], None) => said(format!("-l takes one port: {extra} is too many")),
        }
    }

    fn one_listen_host(&self, host: &str) -> Result<(), Wrong> {
        match self.source_host() {
            Some(source) => said(format!("address given twice: {host} and -s {source}")),
            None => Ok(()),
        }
    }

    fn unix_place(&self, first: Option<&OsStr>) -> Result<Place, Wrong> {
        if self.args.operands.len() > 1 || self.args.source_port.is_some() {
            return said("cannot use port with -U");
        }
        let listen_source = self.args.source.as_ref().filter(|_| self.args.listen);
        if let (Some(first), Some(_)) = (first, listen_source) {
            self.one_listen_host(&text(first))?;
        }
        match first.or(listen_source.map(OsString::as_os_str)) {
            Some(word) => match hostport::address(word) {
                Ok(Address::Unix(path)) => Ok(Place::Unix(path)),
                _ => Ok(Place::Unix(PathBuf::from(word))),
            },
            None => Err(Wrong::Shape("missing socket pathname".into())),
        }
    }

    fn alone(&self, place: Place) -> Result<Place, Wrong> {
        match self
            .args
            .operands
            .get(1)
            .map(|word| text(word))
            .or(self.args.source_port.clone())
        {
            Some(extra) => said(format!(
                "{}: no port goes with it, but there is {extra}",
                text(&self.args.operands[0])
            )),
            None => Ok(place),
        }
    }

    /// The combinations of operands, -p and -s that OpenBSD nc takes.
    fn check_nc_operands(&self) -> Result<(), Wrong> {
        let args = self.args;
        let (port, source) = (args.source_port.is_some(), args.source.is_some());
        let fits = match args.operands.len() {
            0 => args.listen,
            1 => !port && (!source || (args.unix && args.udp && !args.listen)),
            2 => !(args.listen && (port || source)),
            _ => !args.listen,
        };
        match fits {
            true => Ok(()),
            false => Err(Wrong::Shape("usage".into())),
        }
    }

    // ---- what does not go together

    fn check_conflicts(&self, place: &Place) -> Result<(), Wrong> {
        let args = self.args;
        let unix = matches!(place, Place::Unix(_));
        let (udp, listen) = (args.udp, args.listen);
        // With --relay it is the target that is dialled through a proxy, not the place.
        let proxy = args.proxy.is_some() && args.relay.is_none();
        let no_port = matches!(place, Place::Ip { ports, .. } if ports.is_empty());
        // Condition, native text, nc's text.
        let table = [
            (no_port, "missing port number", "missing port number"),
            (
                listen && args.zero,
                "-z cannot be used with -l",
                "cannot use -z and -l",
            ),
            (
                !listen && args.keep_open,
                "-k needs -l",
                "must use -l with -k",
            ),
            (
                unix && args.pass_fd,
                "-F cannot be used with -U",
                "cannot use -F and -U",
            ),
            (
                proxy && udp,
                "-x cannot be used with -u",
                "no proxy support for UDP mode",
            ),
            (
                proxy && listen,
                "-x cannot be used with -l",
                "no proxy support for listen",
            ),
            (
                proxy && unix,
                "-x cannot be used with -U",
                "no proxy support for unix sockets",
            ),
            (
                proxy && args.source.is_some(),
                "-x cannot be used with -s",
                "no proxy support for local source address",
            ),
        ];
        for (found, native, nc) in table {
            if found {
                return said(if self.dialect.strict_operands {
                    nc
                } else {
                    native
                });
            }
        }
        self.check_relay_conflicts()?;
        if args.datagram_size.is_some() && !udp {
            return said("--datagram-size needs -u");
        }
        self.check_native_conflicts(unix, matches!(place, Place::Vsock(..)))
    }

    /// A relay has no standard input and output, and leaves the bytes alone. No option of nc's, so
    /// the same in all dialects.
    fn check_relay_conflicts(&self) -> Result<(), Wrong> {
        let args = self.args;
        if args.relay.is_none() {
            return Ok(());
        }
        if !args.listen {
            return said("--relay needs -l");
        }
        if args.udp {
            return said("--relay cannot be used with -u yet");
        }
        let table = [
            (args.quit.is_some(), "-q"),
            (args.until.is_some(), "--until"),
            (args.no_stdin, "-d (--recv-only)"),
            (args.send_only, "--send-only"),
            (args.no_shutdown, "--no-shutdown"),
            (args.recv_limit.is_some(), "-W"),
            (args.interval.is_some(), "-i"),
            (args.crlf, "-C"),
            (args.telnet, "-t"),
        ];
        match table.iter().find(|(found, _)| *found) {
            Some((_, option)) => said(format!("{option} cannot be used with --relay")),
            None => Ok(()),
        }
    }

    /// Combinations nc takes in silence although they make no sense.
    fn check_native_conflicts(&self, unix: bool, vsock: bool) -> Result<(), Wrong> {
        let args = self.args;
        let (udp, listen) = (args.udp, args.listen);
        let no_proxy = args.proxy.is_none();
        let table = [
            (
                args.shutdown && args.no_shutdown,
                "-N cannot be used with --no-shutdown",
            ),
            (
                args.send_only && args.no_stdin,
                "--send-only cannot be used with -d (--recv-only)",
            ),
            (no_proxy && args.proxy_type.is_some(), "-X needs -x"),
            (no_proxy && args.proxy_user.is_some(), "-P needs -x"),
            (
                no_proxy && args.proxy_auth.is_some(),
                "--proxy-auth needs -x",
            ),
            (args.pass_fd && listen, "-F cannot be used with -l"),
            (args.pass_fd && args.zero, "-F cannot be used with -z"),
            (args.randomize && listen, "-r cannot be used with -l"),
            (args.parallel.is_some() && !args.zero, "--parallel needs -z"),
            (
                args.parallel.is_some() && unix,
                "--parallel cannot be used with -U",
            ),
            (
                !(args.join.is_empty() || udp && listen),
                "--join needs -u and -l",
            ),
            (
                !args.join.is_empty() && unix,
                "--join cannot be used with -U",
            ),
            (vsock && listen, "listening on vsock is not supported yet"),
            (
                vsock && (udp || args.zero),
                "vsock: only a plain connection is supported",
            ),
            (
                vsock && args.proxy.is_some(),
                "-x cannot be used with vsock",
            ),
            (
                vsock && args.source.is_some(),
                "-s cannot be used with vsock",
            ),
            (vsock && args.pass_fd, "-F cannot be used with vsock"),
            (
                unix && args.source.is_some() && !(udp || listen),
                "-s with -U needs -u or -l",
            ),
            (unix && args.zero && listen, "-z cannot be used with -l"),
            (
                unix && (args.ipv4 || args.ipv6),
                "-4 and -6 cannot be used with -U",
            ),
        ];
        match table
            .iter()
            .find(|(found, _)| *found && !self.dialect.strict_operands)
        {
            Some((_, message)) => said(*message),
            None => Ok(()),
        }
    }

    /// `--relay HOST:PORT|unix:PATH`
    fn relay(&self, timeout: Option<Duration>) -> Result<Option<Relay>, Wrong> {
        let Some(word) = &self.args.relay else {
            return Ok(None);
        };
        let shown = printable(word.as_encoded_bytes());
        let to = match hostport::address(word) {
            Err(error) => return said(format!("--relay {shown}: {error}")),
            Ok(Address::Unix(_)) if self.args.proxy.is_some() => {
                return said(format!("-x cannot be used with --relay {shown}"));
            }
            Ok(Address::Unix(path)) => Onward::Unix(path),
            Ok(Address::HostPort(host, word)) => {
                let named = || names::service_port(&word, "tcp");
                let port = ports::port(&word).or_else(|error| named().ok_or(error));
                let port = port.map_err(|error| bad_port(&error, &word))?;
                Onward::Ip { host, port }
            }
            Ok(Address::Vsock(..)) => return said("--relay to vsock is not supported yet"),
            Ok(Address::Host(_)) => {
                return said(format!("--relay {shown}: not HOST:PORT or unix:PATH"));
            }
        };
        let dialing = self.dialing(timeout)?;
        Ok(Some(Relay { to, dialing }))
    }

    // ---- the mode

    fn mode(&self, place: Place, timeout: Option<Duration>) -> Result<Mode, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let clients = if args.keep_open {
            dialect.many_clients
        } else {
            dialect.clients
        };
        Ok(match place {
            Place::Unix(path) if args.listen => Mode::ListenUnix {
                path,
                datagram: args.udp,
                clients,
                rules: dialect.unix,
            },
            Place::Unix(path) => {
                let source = args.source.as_ref().map(PathBuf::from);
                let source = source.map_or(UnixSource::Temporary, UnixSource::Path);
                let datagram = args.udp.then_some(source);
                Mode::ConnectUnix {
                    path,
                    datagram,
                    zero_io: args.zero,
                }
            }
            Place::Vsock(cid, port) => Mode::ConnectVsock { cid, port },
            Place::Ip { host, ports } if args.listen => self.listen_mode(host, &ports, clients)?,
            Place::Ip { host, ports } => {
                let to = self.ports(host.unwrap_or_default(), &ports, timeout)?;
                let parallel = self.parallel()?;
                let passes_fd = args.pass_fd;
                // As nc, -F counts more than -z.
                match args.zero && !passes_fd {
                    true => Mode::Scan { to, parallel },
                    false => Mode::Connect { to, passes_fd },
                }
            }
        })
    }

    fn listen_mode(
        &self,
        host: Option<String>,
        ports: &[String],
        clients: Clients,
    ) -> Result<Mode, Wrong> {
        let dialect = self.dialect;
        let word = ports.first().cloned().unwrap_or_default();
        let at = Listening {
            host,
            port: self.listen_port(&word)?,
            dual_stack: dialect.dual_stack,
            all_addresses: dialect.all_addresses,
            shares_port: dialect.shares_port,
        };
        if !self.args.udp {
            return Ok(Mode::Listen { at, clients });
        }
        let groups: Result<Vec<Group>, Wrong> =
            self.args.join.iter().map(|word| group(word)).collect();
        let locks_to_first = dialect.udp_locks_to_first && !self.args.keep_open;
        Ok(Mode::ListenUdp {
            at,
            locks_to_first,
            groups: groups?,
        })
    }

    fn ranges(&self, words: &[String]) -> Result<Vec<RangeInclusive<u16>>, Wrong> {
        let proto = self.transport().name();
        let service = |name: &str| names::service_port(name, proto);
        let read = |word: &String| {
            ports::ranges(word, &service).map_err(|(error, word)| bad_port(&error, &word))
        };
        words.iter().map(read).collect()
    }

    fn listen_port(&self, word: &str) -> Result<u16, Wrong> {
        let proto = self.transport().name();
        let named = || names::service_port(word, proto);
        let read = ports::listen_port(word);
        read.or_else(|error| named().ok_or(error))
            .map_err(|error| bad_port(&error, word))
    }

    fn transport(&self) -> Transport {
        if self.args.udp {
            Transport::Udp
        } else {
            Transport::Tcp
        }
    }

    fn ports(
        &self,
        host: String,
        words: &[String],
        timeout: Option<Duration>,
    ) -> Result<Ports, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let ranges = self.ranges(words)?;
        let dialing = self.dialing(timeout)?;
        let interval = self.interval()?;
        let probes = match dialect.probes {
            Probes::Scanning => args.zero,
            Probes::Verbose => args.verbose > 0,
        };
        Ok(Ports {
            host,
            ranges,
            dialing,
            shuffled: args.randomize,
            interval: interval.filter(|_| !args.zero || dialect.interval_between_ports),
            udp_probe: (probes && args.udp).then(|| timeout.unwrap_or(UDP_PROBE)),
            last_udp_port_decides: dialect.last_udp_port_decides,
        })
    }

    fn parallel(&self) -> Result<Option<u16>, Wrong> {
        let Some(word) = &self.args.parallel else {
            return Ok(None);
        };
        match strtonum(word, 1, i64::from(u16::MAX)) {
            Ok(count) => Ok(u16::try_from(count).ok()),
            Err(error) => said(format!("--parallel {word}: {error} (1 to {})", u16::MAX)),
        }
    }

    fn dialing(&self, timeout: Option<Duration>) -> Result<Dialing, Wrong> {
        let dialect = self.dialect;
        Ok(Dialing {
            timeout,
            timeout_per_address: dialect.timeout_per_address,
            timeout_reason: dialect.timeout_reason,
            stagger: dialect.stagger,
            proxy: self.proxy()?,
        })
    }

    fn proxy(&self) -> Result<Option<Proxy>, Wrong> {
        let kind = self.proxy_kind()?;
        let Some(word) = &self.args.proxy else {
            return Ok(None);
        };
        let (host, port) = hostport::proxy(word).map_err(|error| Wrong::Said(error.to_string()))?;
        let standard = if kind == ProxyKind::Http { 3128 } else { 1080 };
        let named = |word: &str| names::service_port(word, "tcp");
        let port = match &port {
            Some(word) => ports::port(word)
                .or_else(|error| named(word).ok_or(error))
                .map_err(|error| bad_port(&error, word))?,
            None => standard,
        };
        let auth = self
            .args
            .proxy_auth
            .as_ref()
            .or(self.facts.proxy_auth.as_ref());
        let (mut user, password) = match auth.map(|auth| auth.split_once(':')) {
            Some(Some((user, password))) => (Some(user.to_string()), Some(password.to_string())),
            Some(None) => (auth.cloned(), None),
            None => (None, None),
        };
        if let Some(named) = &self.args.proxy_user {
            user = Some(named.clone());
        }
        let spelt_4a = self
            .args
            .proxy_type
            .as_deref()
            .is_some_and(|word| word.to_lowercase().ends_with("4a"));
        let resolves_names = kind != ProxyKind::Socks4 || spelt_4a;
        Ok(Some(Proxy {
            kind,
            host,
            port,
            user,
            password,
            resolves_names,
        }))
    }

    /// What `-X` names, which is judged without a proxy too.
    fn proxy_kind(&self) -> Result<ProxyKind, Wrong> {
        Ok(match self.args.proxy_type.as_deref() {
            None | Some("5" | "socks5") => ProxyKind::Socks5,
            Some("4" | "4a" | "4A" | "socks4" | "socks4a") => ProxyKind::Socks4,
            Some(http) if ["connect", "http"].contains(&http.to_lowercase().as_str()) => {
                ProxyKind::Http
            }
            Some(_) if self.dialect.strict_operands => return said("unsupported proxy protocol"),
            Some(other) => {
                return said(format!(
                    "unsupported proxy protocol: {other} (5, 4, 4a or connect)"
                ));
            }
        })
    }

    // ---- sockets

    fn net(&self, place: &Place) -> Result<Net, Wrong> {
        let args = self.args;
        let listens_on_port = args.listen || !matches!(place, Place::Ip { .. });
        let source_port = match args.source_port.as_deref().filter(|_| !listens_on_port) {
            Some(word) => Some(self.listen_port(word)?),
            None => None,
        };
        let family = match (args.ipv4, args.ipv6) {
            (true, _) => Family::V4,
            (false, true) => Family::V6,
            (false, false) => Family::Any,
        };
        Ok(Net {
            family,
            transport: self.transport(),
            numeric: args.nodns,
            source: self.source_host().filter(|_| !listens_on_port),
            source_port,
            options: self.socket_options()?,
        })
    }

    fn socket_options(&self) -> Result<SocketOptions, Wrong> {
        let args = self.args;
        let tos = match &args.tos {
            Some(word) => {
                let read = tos::tos(word).map_err(|error| Wrong::Said(format!("{error} {word}")));
                Some(read?)
            }
            None => None,
        };
        Ok(SocketOptions {
            debug: args.debug,
            broadcast: args.broadcast,
            recv_buffer: self.buffer("-I", "TCP receive window", args.recv_buffer.as_ref())?,
            send_buffer: self.buffer("-O", "TCP send window", args.send_buffer.as_ref())?,
            ttl: self.ttl("-M", "ttl", args.ttl.as_ref())?,
            min_ttl: self.ttl("-m", "minttl", args.min_ttl.as_ref())?,
            tos,
            md5_key: None,
            // A scan leaves no connection that could last.
            keepalive: self.dialect.keepalive && !args.zero,
        })
    }

    fn ttl(&self, option: &str, name: &str, word: Option<&String>) -> Result<Option<u8>, Wrong> {
        let Some(word) = word else { return Ok(None) };
        let read = strtonum(word, 0, 255).map(|value| u8::try_from(value).unwrap_or(u8::MAX));
        read.map(Some)
            .map_err(|error| match self.dialect.plain_numbers {
                true => Wrong::Said(format!("{name} is {error}")),
                false => Wrong::Said(format!("{option} {word}: {error} (0 to 255)")),
            })
    }

    fn buffer(
        &self,
        option: &str,
        name: &str,
        word: Option<&String>,
    ) -> Result<Option<usize>, Wrong> {
        let Some(word) = word else { return Ok(None) };
        let most = 65536i64 << 14;
        if self.dialect.plain_numbers {
            let read = strtonum(word, 1, most);
            let read = read.map_err(|error| Wrong::Said(format!("{name} {error}: {word}")))?;
            return Ok(usize::try_from(read).ok());
        }
        match size::size(word) {
            Ok(bytes) if bytes > 0 && i64::try_from(bytes).is_ok_and(|bytes| bytes <= most) => {
                Ok(usize::try_from(bytes).ok())
            }
            Ok(_) => said(format!("{option} {word}: not between 1 byte and 1 GiB")),
            Err(error) => said(format!("{option} {word}: {error}")),
        }
    }

    // ---- sessions

    fn session(&self, mode: &Mode, timeout: Option<Duration>) -> Result<Session, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let max_reads = match &args.recv_limit {
            Some(word) => {
                let read = strtonum(word, 1, i64::from(i32::MAX));
                let read =
                    read.map_err(|error| Wrong::Said(format!("receive limit {error}: {word}")))?;
                u64::try_from(read).ok()
            }
            None => None,
        };
        Ok(Session {
            ends: self.ends(mode)?,
            idle: timeout,
            reads_stdin: !args.no_stdin,
            writes_stdout: !args.send_only,
            crlf: args.crlf,
            telnet: args.telnet,
            interval: self.interval()?,
            max_reads,
            may_offload: self.facts.may_offload,
            datagram_bytes: self.datagram_bytes()?,
            tells_breaks: dialect.tells_failures,
        })
    }

    /// `--datagram-size`: from an empty datagram nothing would ever come, and beyond
    /// `MOST_DATAGRAM_BYTES` none could be sent.
    fn datagram_bytes(&self) -> Result<usize, Wrong> {
        let Some(word) = &self.args.datagram_size else {
            return Ok(self.dialect.datagram_bytes);
        };
        match size::size(word).map(usize::try_from) {
            Ok(Ok(bytes)) if (1..=MOST_DATAGRAM_BYTES).contains(&bytes) => Ok(bytes),
            Ok(_) => said(format!(
                "--datagram-size {word}: not between 1 and {MOST_DATAGRAM_BYTES} bytes"
            )),
            Err(error) => said(format!("--datagram-size {word}: {error}")),
        }
    }

    fn ends(&self, mode: &Mode) -> Result<Ends, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let quit = self.quit()?;
        let tcp_client = !args.listen && !args.udp;
        let udp_client = !args.listen && matches!(mode, Mode::Connect { .. }) && args.udp
            || matches!(
                mode,
                Mode::ConnectUnix {
                    datagram: Some(_),
                    ..
                }
            );
        let lingers = dialect.tcp_client_lingers && tcp_client;
        let default = match args.listen {
            true => dialect.until_listener,
            false => dialect.until_client,
        };
        let terminal = dialect
            .until_terminal
            .filter(|_| self.facts.stdin_is_terminal);
        let until = match args.until.as_deref() {
            Some("peer") => Until::Peer,
            Some("stdin") => Until::Stdin,
            Some("both") => Until::Both,
            Some("never") => Until::Never,
            Some(other) => return said(format!("--until {other}: not peer, stdin, both or never")),
            None if args.send_only => Until::Stdin,
            None if args.no_stdin => Until::Peer,
            None => terminal.unwrap_or(default),
        };
        let quit_implies_eof = quit.is_some() && !args.no_shutdown;
        let udp_quit = dialect
            .udp_client_quit
            .filter(|_| udp_client && args.quit.is_none());
        Ok(Ends {
            until,
            passes_eof: (dialect.passes_eof || args.shutdown || quit_implies_eof)
                && !args.no_shutdown,
            quit: quit.filter(|_| !lingers).or(udp_quit),
            linger: quit.filter(|_| lingers),
        })
    }

    /// `-q`: a negative time is no limit.
    fn quit(&self) -> Result<Option<Duration>, Wrong> {
        let Some(word) = &self.args.quit else {
            return Ok(None);
        };
        let negative = word
            .strip_prefix('-')
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
        if negative {
            return Ok(None);
        }
        self.time("-q", "quit timer", Some(word))
    }

    fn interval(&self) -> Result<Option<Duration>, Wrong> {
        let interval = self.time("-i", "interval", self.args.interval.as_ref())?;
        Ok(interval.filter(|interval| !interval.is_zero()))
    }

    fn time(
        &self,
        option: &str,
        name: &str,
        word: Option<&String>,
    ) -> Result<Option<Duration>, Wrong> {
        let Some(word) = word else { return Ok(None) };
        if self.dialect.plain_numbers {
            let read = whole_seconds(word, 0, i64::from(i32::MAX) / 1000);
            let read = read.map_err(|error| Wrong::Said(format!("{name} {error}: {word}")))?;
            return Ok(u64::try_from(read).ok().map(Duration::from_secs));
        }
        duration(word)
            .map(Some)
            .map_err(|error| Wrong::Said(format!("{option} {word}: {error}")))
    }
}

fn bad_port(error: &ports::PortError, word: &str) -> Wrong {
    Wrong::Said(format!("port number {error}: {}", word.escape_debug()))
}

/// GROUP[@IFACE]
fn group(word: &str) -> Result<Group, Wrong> {
    let (addr, interface) = match word.split_once('@') {
        Some((addr, interface)) => (addr, Some(interface.to_string())),
        None => (word, None),
    };
    match addr.parse::<std::net::IpAddr>() {
        Ok(addr) if addr.is_multicast() => Ok(Group { addr, interface }),
        _ => said(format!(
            "--join {}: not a multicast address",
            word.escape_debug()
        )),
    }
}

fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

#[cfg(test)]
#[path = "to_plan_tests.rs"]
mod tests;
