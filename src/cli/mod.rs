//! Floor 5: words of the command line → plan.

pub mod args;
pub mod command;
pub mod dialect;
pub mod letters;
mod matches;
pub mod spelling;
pub mod to_plan;
pub mod usage;
mod version;

use crate::exit::Exit;
use crate::plan::Plan;
use crate::report::{self, Voice};
use crate::sys::passed;
use crate::sys::stdio::Input;
use args::Args;
use clap::ArgMatches;
use command::Extent;
use dialect::Dialect;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::ops::ControlFlow;
use to_plan::Facts;

/// Reads the command line, its first word being the name rnc was called by. Help goes to standard
/// output, complaints to standard error; then, and where the command line is wrong, nothing more is
/// to be done.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> ControlFlow<Exit, Box<Plan>> {
    let words: Vec<OsString> = words.into_iter().collect();
    let name = words
        .first()
        .map_or(OsStr::new("rnc"), |word| word.as_os_str());
    let dialect = match Dialect::choose(name, &words) {
        Ok(dialect) => dialect,
        Err(message) => {
            report::error(&message);
            return ControlFlow::Break(Exit::USAGE);
        }
    };
    let matches = match matches(dialect, &words) {
        Ok(matches) => matches,
        Err(error) => return ControlFlow::Break(usage::complain(&error, &words, dialect)),
    };
    let args = Args::from_matches(&matches);
    report::set_voice(Voice {
        name: dialect.name.into(),
        verbose: args.verbose,
        tells_failures: dialect.tells_failures,
        wording: dialect.wording,
    });
    if let Some(version) = dialect.version_with_v {
        report::verbose(1, version);
    }
    // What only some options want to know costs the others no system call.
    let stdin_socket = args.inetd.then(passed::stdin_kind);
    let facts = Facts {
        stdin: Input::of_stdin(),
        may_offload: std::env::var_os("RNC_FAST").is_none_or(|value| value != "0"),
        stderr_is_terminal: args.listen && std::io::stderr().is_terminal(),
        stderr_shows_colours: args.hex && shows_colours(),
        listed_sockets: passed::listed().to_vec(),
        stdin_socket: stdin_socket.unwrap_or_default(),
        proxy_auth: std::env::var("NCAT_PROXY_AUTH").ok(),
    };
    match to_plan::to_plan(&args, dialect, &facts) {
        Ok(plan) => ControlFlow::Continue(Box::new(plan)),
        Err(wrong) => ControlFlow::Break(usage::tell(&wrong, &words, dialect)),
    }
}

/// The words, sorted. What is wrong with them, the whole option table reports: the usual one knows
/// less.
fn matches(dialect: &Dialect, words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let read = |extent| (dialect.command)(extent).try_get_matches_from(words);
    read(Extent::Usual).or_else(|_| read(Extent::Whole))
}

/// Returns whether standard error is a terminal whose user has nothing against colours. See
/// <https://no-color.org>.
fn shows_colours() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let refuses = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !is_dumb && !refuses
}
