//! Who may come in.

use super::*;
use crate::parse::hosts::{self, HostSpec};
use crate::plan::access::{Access, HostList};

/// The bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o777;

impl Planner<'_> {
    pub(super) fn access(&self) -> Result<Access, Wrong> {
        let args = self.args;
        let is_limited = !(args.allow.is_empty() && args.allowfile.is_empty());
        let allow = host_list("--allow", &args.allow, &args.allowfile)?;
        let users: Result<Vec<u32>, Wrong> = args.allow_uid.iter().map(|word| user(word)).collect();
        Ok(Access {
            allow: is_limited.then_some(allow),
            deny: host_list("--deny", &args.deny, &args.denyfile)?,
            warns_if_open: self.dialect.warns_of_programs && self.runs_program() && !is_limited,
            users: Some(users?).filter(|users| !users.is_empty()),
        })
    }

    /// `--mode`
    pub(super) fn socket_mode(&self) -> Result<Option<u32>, Wrong> {
        let Some(word) = &self.args.mode else {
            return Ok(None);
        };
        let is_octal = word.bytes().all(|byte| (b'0'..=b'7').contains(&byte));
        match u32::from_str_radix(word, 8) {
            Ok(mode) if is_octal && mode <= PERMISSIONS => Ok(Some(mode)),
            _ => said(format!(
                "--mode {}: not an octal number up to 777",
                word.escape_debug()
            )),
        }
    }
}

/// The words of an option, each with hosts between commas, and the files of its sister.
fn host_list(option: &str, words: &[String], files: &[OsString]) -> Result<HostList, Wrong> {
    let words = words.iter().flat_map(|word| word.split(','));
    // As Ncat, which takes `1.2.3.4,`.
    let words = words.filter(|word| !word.is_empty());
    let specs: Result<Vec<HostSpec>, Wrong> = words.map(|word| spec(option, word)).collect();
    Ok(HostList {
        specs: specs?,
        files: files.iter().map(PathBuf::from).collect(),
    })
}

fn spec(option: &str, word: &str) -> Result<HostSpec, Wrong> {
    let shown = word.escape_debug();
    hosts::host(word).map_err(|error| Wrong::Said(format!("{option} {shown}: {error}")))
}

fn user(word: &str) -> Result<u32, Wrong> {
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let number = word.parse().ok().filter(|_| is_number);
    number.or_else(|| names::user_id(word)).ok_or_else(|| {
        let shown = word.escape_debug();
        Wrong::Said(format!("--allow-uid {shown}: no such user"))
    })
}
