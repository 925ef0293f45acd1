//! Floor 5: words of the command line → plan.

pub mod args;
pub mod command;
pub mod dialect;
pub mod letters;
pub mod spelling;
pub mod to_plan;
pub mod usage;
mod version;

use crate::exit::Exit;
use crate::plan::Plan;
use crate::report::{self, Voice};
use crate::sys::stdio::Input;
use crate::sys::{self, passed};
use args::Args;
use clap::ArgMatches;
use command::Extent;
use dialect::Dialect;
use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, IsTerminal, Write};
use to_plan::Facts;

/// What the command line came to.
pub enum Parsed {
    /// Something to do.
    Plan(Box<Plan>),
    /// Nothing more to do: help was shown, or the command line is wrong.
    Exit(Exit),
}

/// Reads the command line, its first word being the name rnc was called by. Help goes to standard
/// output, complaints to standard error.
pub fn parse(words: impl IntoIterator<Item = OsString>) -> Parsed {
    let words: Vec<OsString> = words.into_iter().collect();
    let name = words
        .first()
        .map_or(OsStr::new("rnc"), |word| word.as_os_str());
    let dialect = match Dialect::choose(name, &words) {
        Ok(dialect) => dialect,
        Err(message) => {
            report::error(&message);
            return Parsed::Exit(Exit::USAGE);
        }
    };
    let matches = match matches(dialect, &words) {
        Ok(matches) => matches,
        Err(error) => return Parsed::Exit(usage::complain(&error, &words, dialect)),
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
        Ok(plan) => Parsed::Plan(Box::new(plan)),
        Err(wrong) => Parsed::Exit(usage::tell(&wrong, &words, dialect)),
    }
}

/// The words, sorted. What is wrong with them, the whole option table says: the usual one knows less.
fn matches(dialect: &Dialect, words: &[OsString]) -> Result<ArgMatches, clap::Error> {
    let read = |extent| (dialect.command)(extent).try_get_matches_from(words);
    read(Extent::Usual).or_else(|_| read(Extent::Whole))
}

/// Says whether standard error is a terminal whose user has nothing against colours. See
/// <https://no-color.org>.
fn shows_colours() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    let refuses = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    std::io::stderr().is_terminal() && !is_dumb && !refuses
}

/// Prints help where the dialect prints it, and returns the exit code.
fn show(text: &str, dialect: &Dialect) -> Exit {
    let shown = if dialect.help_on_stderr {
        std::io::stderr().write_all(text.as_bytes())
    } else {
        sys::stdio::write_all_to_stdout(text.as_bytes())
    };
    match shown {
        // The reader has seen enough: `rnc --help | head`.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Exit::OK,
        Err(error) => {
            let reason = report::reason(&error);
            report::error(&format!("write to standard output failed: {reason}"));
            Exit::FAILED
        }
        Ok(()) => Exit::OK,
    }
}
