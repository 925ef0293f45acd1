//! `-e` and `-c`: programs that are run for peers.

use super::end::{command, names_program, shell};
use super::*;
use crate::parse::words::has_quotes;
use std::os::unix::ffi::OsStrExt;

/// How long a peer that sends datagrams may be silent before it counts as gone.
const PEER_IDLE: Duration = Duration::from_secs(60);

impl Planner<'_> {
    /// The program of `-e` or `-c`.
    pub(super) fn program(&self) -> Result<Option<Program>, Wrong> {
        let args = self.args;
        let words = match (&args.exec, &args.sh_exec) {
            (Some(line), _) => command("-e", line)?,
            (None, Some(line)) => shell(line),
            (None, None) => return Ok(None),
        };
        Ok(Some(Program {
            words,
            terminal: args.pty,
            passes_status: args.exec_status,
            has_quotes: self.dialect.warns_of_programs
                && args
                    .exec
                    .as_ref()
                    .is_some_and(|line| has_quotes(line.as_bytes())),
        }))
    }

    /// Options that say how a program is run need one, and some say something about standard input
    /// and output, which a program is joined to instead of.
    pub(super) fn check_program_conflicts(&self) -> Result<(), Wrong> {
        let args = self.args;
        let runs = args.exec.is_some() || args.sh_exec.is_some();
        let option = if args.exec.is_some() { "-e" } else { "-c" };
        let both = args.exec.is_some() && args.sh_exec.is_some();
        let many = args.listen && (args.keep_open || args.udp);
        let table = [
            (args.pty && !runs, "--pty needs -e or -c"),
            (args.exec_status && !runs, "--exec-status needs -e or -c"),
            (both, "-e cannot be used with -c"),
            (
                args.exec_status && many,
                "--exec-status needs a single program: not with -k, nor with -lu",
            ),
            (args.pty && args.udp, "--pty cannot be used with -u"),
            (
                args.pty && (args.send_only || args.no_stdin),
                "--pty cannot be used with --send-only or -d",
            ),
        ];
        if let Some((_, message)) = table.iter().find(|(found, _)| *found) {
            return said(*message);
        }
        let others = [
            (args.zero, "-z"),
            (args.pass_fd, "-F"),
            (args.broker, "--broker"),
            (args.chat, "--chat"),
            (args.tag, "--tag"),
            (args.queue.is_some(), "--queue"),
            (args.framing.is_some(), "--framing"),
        ];
        let others = others.into_iter().filter(|(found, _)| *found);
        let mut others = others.map(|(_, other)| other).chain(self.services());
        match others.next().filter(|_| runs) {
            Some(other) => said(format!("{option} cannot be used with {other}")),
            None => Ok(()),
        }
    }

    /// Datagrams have no end: only silence tells that a peer is gone.
    pub(super) fn peer_idle(&self) -> Option<Duration> {
        let many = self.args.udp && self.has_session_for_each();
        many.then_some(PEER_IDLE)
    }

    /// Returns whether the peers of a listener have sessions of their own even where they send
    /// datagrams: such peers can be counted, and can be waited for.
    pub(super) fn has_session_for_each(&self) -> bool {
        self.args.listen && (self.runs_program() || self.args.relay.is_some())
    }

    /// Returns whether there is a program to run.
    pub(super) fn runs_program(&self) -> bool {
        let args = self.args;
        let relays = args.relay.as_deref().is_some_and(names_program);
        args.exec.is_some() || args.sh_exec.is_some() || relays
    }
}
