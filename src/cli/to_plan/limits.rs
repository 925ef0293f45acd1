//! Limits of a connection, and how a listener receives its clients.

use super::*;
use crate::plan::{Limits, Reception};

/// How long a peer that sends datagrams may be silent before it counts as gone.
const PEER_IDLE: Duration = Duration::from_secs(60);
/// Peers of a UDP relay at once, if nothing else is said. Each costs a descriptor until it has been
/// silent for a minute, and each query of a DNS client comes from a port of its own.
const MOST_RELAYED_PEERS: usize = 4096;

impl Planner<'_> {
    /// `waits` is the time of `-w`.
    pub(super) fn limits(&self, waits: Option<Duration>) -> Result<Limits, Wrong> {
        let idle = self.limit("--idle-timeout", self.args.idle_timeout.as_ref())?;
        let idle = idle
            .or(waits.filter(|_| self.dialect.wait_is_for_silence))
            .or(self.peer_idle());
        Ok(Limits {
            idle,
            idle_waits_for_input: self.waits_for_writer(),
            whole: self.limit("--timeout", self.args.timeout.as_ref())?,
            bytes: self.most_bytes()?,
        })
    }

    /// The time for connecting: that of `-w`, or the dialect's, and no more than the whole connection may take.
    pub(super) fn connect_limit(&self, waits: Option<Duration>) -> Result<Option<Duration>, Wrong> {
        // `-w 0` is no limit.
        let waits = waits.or(self.dialect.connect_timeout);
        let waits = waits.filter(|waits| !waits.is_zero());
        let whole = self.limit("--timeout", self.args.timeout.as_ref())?;
        Ok(waits.into_iter().chain(whole).min())
    }

    pub(super) fn reception(&self) -> Result<Reception, Wrong> {
        Ok(Reception {
            most_clients: self.most_clients()?,
            accept_timeout: self.limit("--accept-timeout", self.args.accept_timeout.as_ref())?,
            grace: self.limit("--grace", self.args.grace.as_ref())?,
            port_file: self.args.port_file.as_ref().map(PathBuf::from),
        })
    }

    /// Returns whether each peer has something of its own to join, which ends with it.
    fn serves_each(&self) -> bool {
        self.runs_program() || self.args.relay.is_some()
    }

    /// Datagrams have no end: only silence shows that a peer is gone.
    fn peer_idle(&self) -> Option<Duration> {
        let args = self.args;
        let many = args.listen && args.udp && self.serves_each();
        many.then_some(PEER_IDLE)
    }

    fn most_bytes(&self) -> Result<Option<u64>, Wrong> {
        let Some(word) = &self.args.max_bytes else {
            return Ok(None);
        };
        match size::size(word) {
            Ok(0) => said(format!("--max-bytes {word}: not more than 0")),
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => said(format!("--max-bytes {word}: {error}")),
        }
    }

    fn most_clients(&self) -> Result<Option<usize>, Wrong> {
        let Some(word) = &self.args.max_conns else {
            let relays = self.args.udp && self.args.relay.is_some() && !self.runs_program();
            return Ok(relays.then_some(MOST_RELAYED_PEERS));
        };
        match strtonum(word, 1, i64::from(i32::MAX)) {
            Ok(most) => Ok(usize::try_from(most).ok()),
            Err(error) => said(format!("--max-conns {word}: {error} (1 or more)")),
        }
    }

    /// A time that is not zero. No option of nc's: with units in all dialects.
    pub(super) fn limit(
        &self,
        option: &str,
        word: Option<&String>,
    ) -> Result<Option<Duration>, Wrong> {
        let Some(word) = word else { return Ok(None) };
        match duration(word) {
            Ok(Duration::ZERO) => said(format!("{option} {word}: not more than 0")),
            Ok(limit) => Ok(Some(limit)),
            Err(error) => said(format!("{option} {word}: {error}")),
        }
    }

    /// Limits that have nothing to limit. None is an option of nc's, so this is the same in all
    /// dialects.
    pub(super) fn check_limit_conflicts(&self, unix: bool) -> Result<(), Wrong> {
        let args = self.args;
        let for_listeners = [
            (args.max_conns.is_some(), "--max-conns"),
            (args.accept_timeout.is_some(), "--accept-timeout"),
            (args.grace.is_some(), "--grace"),
            (args.port_file.is_some(), "--port-file"),
        ];
        let for_connections = [
            (args.idle_timeout.is_some(), "--idle-timeout"),
            (args.timeout.is_some() && args.retry.is_none(), "--timeout"),
            (args.max_bytes.is_some(), "--max-bytes"),
        ];
        // Peers with a program or a target each can be counted, and can be waited for.
        let shared = !self.serves_each();
        let for_streams = [
            (args.max_conns.is_some() && shared, "--max-conns"),
            (args.max_bytes.is_some(), "--max-bytes"),
            (args.grace.is_some() && shared, "--grace"),
        ];
        let first = |table: &[(bool, &'static str)]| {
            let found = table.iter().find(|(found, _)| *found);
            found.map(|(_, option)| *option)
        };
        if let Some(option) = first(&for_listeners).filter(|_| !args.listen) {
            return said(format!("{option} needs -l"));
        }
        if let Some(option) = first(&for_connections).filter(|_| args.zero) {
            return said(format!("{option} cannot be used with -z"));
        }
        if let Some(option) = first(&for_streams).filter(|_| args.udp) {
            return said(format!("{option} cannot be used with -u"));
        }
        if args.retry.is_some() && args.listen && args.relay.is_none() {
            return said("--retry needs a host to connect to, or --relay");
        }
        if args.port_file.is_some() && unix {
            return said("--port-file cannot be used with -U: there is no port");
        }
        Ok(())
    }
}
