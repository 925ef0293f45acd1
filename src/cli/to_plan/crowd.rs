//! Options for many clients at once.

use super::*;
use crate::plan::Talk;

/// What may wait to be sent to one of many clients without `--queue`, in bytes.
const QUEUE_BYTES: usize = 256 << 10;
/// The bounds of `--queue`, in bytes: it has to take what is read at once.
const LEAST_QUEUE_BYTES: usize = 64 << 10;
const MOST_QUEUE_BYTES: usize = 1 << 30;

impl Planner<'_> {
    /// How clients hear each other, if they do.
    pub(super) fn talk(&self) -> Option<Talk> {
        match (self.args.chat, self.args.broker) {
            (true, _) => Some(Talk::Chat),
            (false, true) => Some(Talk::Bytes),
            (false, false) => None,
        }
    }

    /// `--queue`
    pub(super) fn queue_bytes(&self) -> Result<usize, Wrong> {
        let Some(word) = &self.args.queue else {
            return Ok(QUEUE_BYTES);
        };
        match size::size(word).map(usize::try_from) {
            Ok(Ok(bytes)) if (LEAST_QUEUE_BYTES..=MOST_QUEUE_BYTES).contains(&bytes) => Ok(bytes),
            Ok(_) => said(format!("--queue {word}: not between 64Ki and 1Gi")),
            Err(error) => said(format!("--queue {word}: {error}")),
        }
    }

    /// No options of nc's, so the same in all dialects.
    pub(super) fn check_crowd_conflicts(&self) -> Result<(), Wrong> {
        let args = self.args;
        let is_broker = self.talk().is_some();
        let service = self.services().first().copied();
        let broker = if args.chat { "--chat" } else { "--broker" };
        if is_broker && !args.listen {
            return said(format!("{broker} needs -l"));
        }
        let serves_all = args.keep_open && self.dialect.many_clients == Clients::Each;
        let options = [
            (is_broker, broker),
            (args.tag, "--tag"),
            (args.queue.is_some(), "--queue"),
        ];
        for (_, option) in options.into_iter().filter(|(given, _)| *given) {
            if option == "--tag" && args.udp && !is_broker {
                self.check_datagram_tags(service)?;
                continue;
            }
            if !is_broker && !serves_all {
                return said(if args.keep_open {
                    format!("{option} is for clients served all at once")
                } else {
                    format!("{option} needs -k")
                });
            }
            let others = [
                args.udp.then_some("-u"),
                service,
                (is_broker && args.send_only).then_some("--send-only"),
                (is_broker && args.tag).then_some("--tag"),
            ];
            if let Some(other) = others.into_iter().flatten().next() {
                return said(format!("{option} cannot be used with {other}"));
            }
        }
        Ok(())
    }

    /// Datagrams are tagged where they come to standard output as lines.
    fn check_datagram_tags(&self, service: Option<&str>) -> Result<(), Wrong> {
        let args = self.args;
        let others = [
            service,
            self.runs_program().then_some("a program"),
            args.framing.is_some().then_some("--framing"),
            args.send_only.then_some("--send-only"),
            args.zero.then_some("-z"),
        ];
        match others.into_iter().flatten().next() {
            Some(other) => said(format!("--tag cannot be used with {other}")),
            None => Ok(()),
        }
    }
}
