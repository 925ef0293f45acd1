//! `--framing`: how datagrams stand in standard input and output. No option of nc's, so the same in
//! all dialects.

use super::*;
use crate::plan::Framing;

impl Planner<'_> {
    /// What the word means; `raw` is no framing.
    pub(super) fn framing(&self) -> Result<Option<Framing>, Wrong> {
        Ok(match self.args.framing.as_deref() {
            None | Some("raw") => None,
            Some("line") => Some(Framing::Line),
            Some("len") => Some(Framing::Length),
            Some(other) => {
                let other = other.escape_debug();
                return said(format!("--framing {other}: not line, len or raw"));
            }
        })
    }

    /// Stages that look for line ends would find them in lengths.
    pub(super) fn check_framing_conflicts(&self) -> Result<(), Wrong> {
        let args = self.args;
        let Some(framing) = &args.framing else {
            return Ok(());
        };
        if !args.udp {
            return said("--framing needs -u");
        }
        let table = [
            (args.crlf, "-C"),
            (args.interval.is_some(), "-i"),
            (args.telnet, "-t"),
            (args.zero, "-z"),
        ];
        match table.iter().find(|(found, _)| *found && framing != "raw") {
            Some((_, option)) => said(format!("{option} cannot be used with --framing {framing}")),
            None => Ok(()),
        }
    }
}
