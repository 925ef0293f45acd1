//! Args → Plan: what follows from what, and which options do not go together. A pure function;
//! after it no combination needs checking again.

mod access;
mod conflicts;
mod crowd;
mod end;
mod ends;
mod framing;
mod limits;
mod logs;
mod missing;
mod operands;
mod passed;
mod program;
mod proxies;
mod sockets;
mod tls;
mod work;

use super::args::Args;
use super::command::Extent;
use super::dialect::Dialect;
use super::usage::Wrong;
use crate::parse::duration::{duration, whole_seconds};
use crate::parse::escape::printable;
use crate::parse::hostport::{self, Address};
use crate::parse::number::strtonum;
use crate::parse::{ports, size, tos};
use crate::plan::{
    Announces, Base, Builtin, Clients, Codes, End, Family, Group, Manners, Net, Passed, Plan,
    Ports, Program, SocketOptions, Success, Talk, Transport,
};
use crate::report::Wording;
use crate::sys::names;
use crate::sys::passed::Kind;
use crate::sys::stdio::Input;
use clap::Arg;
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

/// What peers are joined to.
enum Partner {
    /// Standard input and output.
    Stdio,
    /// A connection of its own to elsewhere.
    Relay(Box<End>),
    /// A service inside this process.
    Builtin(Builtin),
    /// All the other peers, and standard input.
    Room(Talk),
    /// A program of its own.
    Program(Program),
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
        let partner = self.partner(timeout)?;
        self.check_passed(&place, &partner)?;
        self.check_access_conflicts(&place)?;
        self.check_whole(&place)?;
        self.check_relay(&place)?;
        let is_stdio = matches!(partner, Partner::Stdio);
        let work = self.work(place, partner, timeout)?;
        let codes = Codes {
            connect_timed_out: self.dialect.connect_timed_out_code,
            timed_out: if self.args.listen {
                self.dialect.listener_timed_out_code
            } else {
                self.dialect.timed_out_code
            },
            broken: self.dialect.broken_code,
            usage: self.dialect.usage_code,
            other: self.dialect.other_code,
        };
        Ok(Plan {
            work,
            logs: self.logs()?,
            manners: Manners {
                codes,
                // Of a service's many clients only the numbers: each name would be a look-up.
                names_peers: self.dialect.names_peers && !self.args.nodns && is_stdio,
                tells_users: self.dialect.tells_users,
                announces: self.announces(),
                plain_errors: self.dialect.plain_errors,
                tells_breaks: self.dialect.tells_failures,
            },
            tells_test: self.args.test,
            asks_md5_key: self.args.md5sig,
        })
    }

    /// In a script the line would be noise; at a terminal it shows that rnc is ready.
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
            Some(option) => said(format!("{}: the value is empty", self.option(option))),
            None => Ok(()),
        }
    }

    /// An option by its letter, if it has one.
    fn option(&self, long: &str) -> String {
        let table = (self.dialect.command)(Extent::Whole);
        let mut args = table.get_arguments();
        let arg = args.find(|arg| arg.get_id() == long);
        let letter = arg.and_then(Arg::get_short);
        letter.map_or_else(|| format!("--{long}"), |letter| format!("-{letter}"))
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

    fn ports(&self, words: &[String], end: End) -> Result<Ports, Wrong> {
        let args = self.args;
        let ranges = self.ranges(words)?;
        self.check_one_port(words, &ranges)?;
        let interval = self.interval()?;
        Ok(Ports {
            end,
            ranges,
            shuffled: args.randomize,
            interval: interval.filter(|_| !args.zero || self.dialect.interval_between_ports),
            success: self.success(),
        })
    }

    /// A scan asks whether there is an open port; of several sessions each one counts.
    fn success(&self) -> Success {
        if self.args.udp && self.dialect.last_udp_port_decides {
            Success::Last
        } else if self.args.zero || self.dialect.strict_operands {
            Success::Any
        } else {
            Success::All
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

fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
