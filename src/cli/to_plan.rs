//! Args → Plan: what follows from what, and which options do not go together. A pure function;
//! after it no combination needs checking again.

mod access;
mod conflicts;
mod crowd;
mod ends;
mod framing;
mod limits;
mod logs;
mod missing;
mod operands;
mod passed;
mod program;
mod proxies;
mod relay;
mod sockets;
mod tls;

use super::args::Args;
use super::command::{self, Extent};
use super::dialect::{Dialect, Probes};
use super::usage::Wrong;
use crate::parse::duration::{duration, whole_seconds};
use crate::parse::escape::printable;
use crate::parse::hostport::{self, Address};
use crate::parse::number::strtonum;
use crate::parse::{ports, size, tos};
use crate::plan::{
    Announces, Builtin, Clients, Codes, Dialing, Family, Group, Listening, Mode, Net, Onward,
    Outcome, Passed, Plan, Ports, Program, Relay, Service, Session, SocketOptions, Telnet,
    Transport, UdpProbe, UnixListening, UnixSource,
};
use crate::report::Wording;
use crate::sys::names;
use crate::sys::passed::Kind;
use crate::sys::stdio::Input;
use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// What is true outside of the command line.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// What standard input is.
    pub stdin: Input,
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// Standard error is a terminal that shows colours, and may.
    pub stderr_shows_colours: bool,
    /// Bytes may go past this process: RNC_FAST=0 says no.
    pub may_offload: bool,
    /// What a service manager has passed: LISTEN_FDS.
    pub listed_sockets: Vec<Kind>,
    /// What standard input is.
    pub stdin_socket: Kind,
    /// USER:PASS for a proxy, from the environment.
    pub proxy_auth: Option<String>,
}

/// The payload of the largest UDP datagram over IPv4: 65,535 bytes without the headers of IP and
/// UDP. RFC 768.
const MOST_DATAGRAM_BYTES: usize = 65_507;

/// Says what to do.
///
/// # Errors
/// What is wrong with the command line.
pub fn to_plan(args: &Args, dialect: &Dialect, facts: &Facts) -> Result<Plan, Wrong> {
    let planner = |args| Planner {
        args,
        dialect,
        facts,
    };
    planner(&planner(args).with_passed()?).plan()
}

struct Planner<'a> {
    args: &'a Args,
    dialect: &'a Dialect,
    facts: &'a Facts,
}

/// Where to go, before it is known whether to connect or to listen.
enum Place {
    Unix(PathBuf),
    Vsock(Option<u32>, u32),
    Ip {
        host: Option<String>,
        ports: Vec<String>,
    },
    /// The sockets are there already; they are all of one kind.
    Passed(Passed, Kind),
}

fn said<T>(message: impl Into<String>) -> Result<T, Wrong> {
    Err(Wrong::Said(message.into()))
}

impl Planner<'_> {
    fn plan(&self) -> Result<Plan, Wrong> {
        self.refuse_missing()?;
        let place = match self.passed_place() {
            Some(place) => place,
            None => self.place()?,
        };
        self.check_conflicts(&place)?;
        let timeout = self.time("-w", "timeout", self.args.wait.as_ref())?;
        let service = self.service(timeout)?;
        self.check_passed(&place, &service)?;
        let net = self.net(&place)?;
        let access = self.access(&place)?;
        let tls = self.tls(&place)?;
        self.check_whole(&place)?;
        self.check_relay(&place)?;
        let mode = self.mode(place, timeout)?;
        let session = self.session(&mode, timeout)?;
        let logs = self.logs()?;
        let codes = Codes {
            connect_timed_out: self.dialect.connect_timed_out_code,
            timed_out: match self.args.listen {
                true => self.dialect.listener_timed_out_code,
                false => self.dialect.timed_out_code,
            },
            broken: self.dialect.broken_code,
            usage: self.dialect.usage_code,
            other: self.dialect.other_code,
        };
        // Of a service's many clients only the numbers: each name would be a look-up.
        let names_peers =
            self.dialect.names_peers && !self.args.nodns && matches!(service, Service::Stdio);
        Ok(Plan {
            mode,
            access,
            service,
            reception: self.reception()?,
            net,
            tls,
            session,
            logs,
            codes,
            names_peers,
            tells_users: self.dialect.tells_users,
            announces: self.announces(),
            plain_errors: self.dialect.plain_errors,
            tells_test: self.args.test,
            asks_md5_key: self.args.md5sig,
        })
    }

    /// To a script the line would be noise; one who waits at a terminal sees that rnc is ready.
    fn announces(&self) -> Announces {
        match (self.dialect.tells_port, self.facts.stderr_is_terminal) {
            (false, _) => Announces::Never,
            (true, false) => Announces::ChosenPorts,
            (true, true) => Announces::Always,
        }
    }

    /// Options that this system, or rnc, cannot honour.
    fn refuse_missing(&self) -> Result<(), Wrong> {
        if let Some((option, why)) = self.args.refused {
            return said(format!("{option} is not supported: {why}"));
        }
        if self.dialect.strict_words {
            self.refuse_empty()?;
        }
        if self.args.listen && self.args.proxy.is_none() && self.args.proxy_type.is_some() {
            return said("-l with -X (being a proxy) is not supported yet");
        }
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

    /// A word without a character, such as a variable of a script that is not set, is not a path,
    /// not a list of hosts, and not all addresses.
    fn refuse_empty(&self) -> Result<(), Wrong> {
        match self.args.empty.as_deref() {
            Some("operands") => said("operand \"\" is empty: no host, port or path"),
            Some(option) => {
                let table = command::command(Extent::Whole);
                let mut args = table.get_arguments();
                let arg = args.find(|arg| arg.get_id() == option);
                let letter = arg.and_then(|arg| arg.get_short());
                let name = letter.map_or(format!("--{option}"), |letter| format!("-{letter}"));
                said(format!("{name}: the value is empty"))
            }
            None => Ok(()),
        }
    }

    /// What peers are joined to.
    fn service(&self, timeout: Option<Duration>) -> Result<Service, Wrong> {
        if let Some(word) = &self.args.relay {
            return Ok(Service::Relay(self.relay(word, timeout)?));
        }
        if let Some(talk) = self.talk() {
            return Ok(Service::Broker(talk));
        }
        if let Some(program) = self.program()? {
            return Ok(Service::Program(program));
        }
        Ok(self.builtin().map_or(Service::Stdio, Service::Builtin))
    }

    fn builtin(&self) -> Option<Builtin> {
        let args = self.args;
        let table = [
            (args.echo, Builtin::Echo),
            (args.discard, Builtin::Discard),
            (args.chargen, Builtin::Chargen),
            (args.daytime, Builtin::Daytime),
        ];
        let typed = table.into_iter().find(|(typed, _)| *typed);
        typed.map(|(_, builtin)| builtin)
    }

    fn mode(&self, place: Place, timeout: Option<Duration>) -> Result<Mode, Wrong> {
        let (args, dialect) = (self.args, self.dialect);
        let clients = match args.keep_open {
            _ if self.talk().is_some() => Clients::AtOnce,
            true => dialect.many_clients,
            false => dialect.clients,
        };
        Ok(match place {
            Place::Unix(path) if args.listen => Mode::ListenUnix {
                path,
                datagram: args.udp,
                clients,
                rules: UnixListening {
                    mode: self.socket_mode()?,
                    ..dialect.unix
                },
            },
            Place::Unix(path) => {
                let source = args.source.as_ref().map(PathBuf::from);
                let source = source.map_or(UnixSource::Temporary, UnixSource::Path);
                let datagram = args.udp.then_some(source);
                Mode::ConnectUnix {
                    path,
                    datagram,
                    zero_io: args.zero,
                    timeout: self.connect_limit(timeout)?,
                }
            }
            Place::Passed(from, kind) => {
                let clients = match kind {
                    Kind::Connection => Clients::One,
                    _ => clients,
                };
                self.listen_mode(self.listening(None, 0, Some(from)), clients)?
            }
            Place::Ip { host, ports } if args.listen => {
                let word = ports.first().cloned().unwrap_or_default();
                let port = self.listen_port(&word)?;
                self.listen_mode(self.listening(host, port, None), clients)?
            }
            Place::Vsock(cid, port) if args.listen => Mode::ListenVsock { cid, port, clients },
            Place::Vsock(Some(cid), port) => Mode::ConnectVsock {
                cid,
                port,
                timeout: self.connect_limit(timeout)?,
            },
            Place::Vsock(None, port) => {
                return said(format!("no CID to connect to: vsock::{port}"));
            }
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

    fn listening(&self, host: Option<String>, port: u16, passed: Option<Passed>) -> Listening {
        let dialect = self.dialect;
        Listening {
            host,
            port,
            dual_stack: dialect.dual_stack,
            all_addresses: dialect.all_addresses,
            shares_port: dialect.shares_port,
            passed,
        }
    }

    fn listen_mode(&self, at: Listening, clients: Clients) -> Result<Mode, Wrong> {
        if !self.args.udp {
            return Ok(Mode::Listen { at, clients });
        }
        let groups: Result<Vec<Group>, Wrong> =
            self.args.join.iter().map(|word| group(word)).collect();
        // A group is heard by all its members, whatever the port.
        let at = Listening {
            shares_port: at.shares_port || !self.args.join.is_empty(),
            ..at
        };
        let locks_to_first = self.dialect.udp_locks_to_first && !self.args.keep_open;
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
            ports::ranges(word, &service)
                .map_err(|(error, word)| bad_port(&error, &word, self.dialect.wording))
        };
        words.iter().map(read).collect()
    }

    fn listen_port(&self, word: &str) -> Result<u16, Wrong> {
        let proto = self.transport().name();
        let named = || names::service_port(word, proto);
        let read = ports::listen_port(word);
        read.or_else(|error| named().ok_or(error))
            .map_err(|error| bad_port(&error, word, self.dialect.wording))
    }

    fn transport(&self) -> Transport {
        match (self.args.udp, self.args.sctp) {
            (true, _) => Transport::Udp,
            (false, true) => Transport::Sctp,
            (false, false) => Transport::Tcp,
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
        self.check_one_port(words, &ranges)?;
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
            udp_probe: (probes && args.udp && !self.ignores_refusals()).then(|| UdpProbe {
                limit: timeout.unwrap_or(dialect.udp_probe.limit),
                ..dialect.udp_probe
            }),
            outcome: self.outcome(),
        })
    }

    /// A scan asks whether there is an open port; of several sessions each one counts.
    fn outcome(&self) -> Outcome {
        if self.args.udp && self.dialect.last_udp_port_decides {
            Outcome::Last
        } else if self.args.zero || self.dialect.strict_operands {
            Outcome::Any
        } else {
            Outcome::All
        }
    }

    /// Whether there is one port, where there may only be one.
    fn check_one_port(
        &self,
        words: &[String],
        ranges: &[RangeInclusive<u16>],
    ) -> Result<(), Wrong> {
        if self.dialect.takes_many_ports {
            return Ok(());
        }
        match (words, ranges) {
            ([_, extra, ..], _) => said(format!("Got more than one port specification: {extra}")),
            ([word], [range]) if range.start() != range.end() => {
                said(format!("Invalid port number \"{}\"", word.escape_debug()))
            }
            _ => Ok(()),
        }
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
            timeout: self.connect_limit(timeout)?,
            timeout_per_address: dialect.timeout_per_address,
            timeout_reason: dialect.timeout_reason,
            stagger: dialect.stagger,
            proxy: self.proxy()?,
            names_proxy: !dialect.plain_errors,
        })
    }

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
            limits: self.limits(timeout)?,
            follows_http: self.follows_http(mode),
            reads_stdin: !args.no_stdin,
            writes_stdout: !args.send_only && self.talk().is_none(),
            crlf: args.crlf,
            telnet: if args.telnet {
                dialect.telnet
            } else {
                Telnet::Off
            },
            interval: self.interval()?,
            max_reads,
            may_offload: self.facts.may_offload,
            datagram_bytes: self.datagram_bytes()?,
            tags_lines: args.tag,
            queue_bytes: self.queue_bytes()?,
            framing: self.framing()?,
            ignores_refusals: self.ignores_refusals(),
            tells_breaks: dialect.tells_failures,
        })
    }

    fn ignores_refusals(&self) -> bool {
        self.args.ignore_refused || self.args.until.as_deref() == Some("never")
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
        match duration(word) {
            Ok(time) if time.is_zero() && self.dialect.refuses_zero_times => {
                said(format!("{option} {word}: has to be greater than 0"))
            }
            Ok(time) => Ok(Some(time)),
            Err(error) => said(format!("{option} {word}: {error}")),
        }
    }
}

/// What is wrong with a word for a port.
fn bad_port(error: &ports::PortError, word: &str, wording: Wording) -> Wrong {
    let word = word.escape_debug();
    Wrong::Said(match wording {
        Wording::Netcat => format!("port number {error}: {word}"),
        Wording::Ncat => format!("Invalid port number \"{word}\""),
    })
}

/// GROUP[@IFACE], or GROUP%IFACE as addresses have it.
fn group(word: &str) -> Result<Group, Wrong> {
    let (addr, interface) = match word.split_once(['@', '%']) {
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
mod tests;
