//! Messages about a wrong command line: one line that points at the word that is wrong.

use super::command::Extent;
use super::dialect::Dialect;
use super::letters;
use super::spelling;
use crate::exit::Exit;
use crate::report::{self, Wording};
use crate::sys;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::ffi::OsString;
use std::io::{self, Write};

/// Something wrong with the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The message, naming the word.
    Said(String),
    /// The words make no sense together: nc shows its usage, nothing else.
    Shape(String),
}

/// Prints what is wrong, and gives the exit code.
pub fn tell(wrong: &Wrong, words: &[OsString], dialect: &Dialect) -> Exit {
    match (wrong, dialect.usage) {
        (Wrong::Shape(_), Some(usage)) if dialect.strict_operands => report::line(usage),
        (Wrong::Said(message) | Wrong::Shape(message), _) => say(message, words, dialect),
    }
    Exit::Code(dialect.usage_code)
}

/// Prints what clap found wrong, or shows the help or version that was asked for.
pub fn complain(error: &clap::Error, words: &[OsString], dialect: &Dialect) -> Exit {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        return show(&error.to_string(), dialect);
    }
    let arg = context(error, ContextKind::InvalidArg);
    // clap shows options with their values behind: `--wait <TIME>`.
    let arg = arg.split(" <").next().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument if dialect.usage.is_some() => unknown_to_getopt(arg, dialect),
        ErrorKind::UnknownArgument => {
            let near = context(error, ContextKind::SuggestedArg);
            let near = if near.is_empty() {
                near
            } else {
                format!(" (did you mean {near}?)")
            };
            format!("unknown option {arg}{near}")
        }
        ErrorKind::InvalidValue | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            match (short_of(arg, dialect), dialect.usage) {
                (Some(letter), Some(_)) => format!("option requires an argument -- '{letter}'"),
                (Some(letter), None) => format!("option -{letter} needs a value"),
                (None, _) => format!("option {arg} needs a value"),
            }
        }
        ErrorKind::TooManyValues => format!("option {arg} takes no value"),
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_string()
        }
    };
    match dialect.usage {
        // getopt(3) says it by the name of the program.
        Some(usage) => report::line(&format!(
            "{}: {message}\n{usage}",
            dialect.name.to_lowercase()
        )),
        None => say(&message, words, dialect),
    }
    Exit::Code(dialect.usage_code)
}

/// An option that is none, in the words of getopt(3), or getopt_long(3).
fn unknown_to_getopt(arg: &str, dialect: &Dialect) -> String {
    match (arg.strip_prefix("--"), dialect.strict_operands) {
        (Some(_), true) => "invalid option -- '-'".into(),
        (Some(_), false) => format!("unrecognized option '{arg}'"),
        (None, _) => {
            let letter = arg.trim_start_matches('-').chars().next().unwrap_or('-');
            format!("invalid option -- '{letter}'")
        }
    }
}

/// The letter of a long option. clap names options by their long names, however they were typed.
fn short_of(long: &str, dialect: &Dialect) -> Option<char> {
    let command = (dialect.command)(Extent::Whole);
    let long = long.trim_start_matches('-');
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long));
    arg?.get_short()
}

fn say(message: &str, words: &[OsString], dialect: &Dialect) {
    let table = (dialect.command)(Extent::Whole);
    let meant = spelling::two_dashes(words, &table).filter(|_| !dialect.strict_operands);
    let line = match dialect.wording {
        Wording::Netcat => format!(
            "{}: {}{}",
            dialect.name,
            spelling::as_typed(message, words, &table),
            meant.map_or(String::new(), |long| format!(" (did you mean {long}?)"))
        ),
        Wording::Ncat => format!(
            "{}: {}. QUITTING.",
            dialect.name,
            spelling::as_typed(&letters::translate(message), words, &table)
        ),
    };
    report::line(&line);
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.first().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

/// Prints help where the dialect prints it, and returns the exit code.
fn show(text: &str, dialect: &Dialect) -> Exit {
    let shown = if dialect.help_on_stderr {
        io::stderr().write_all(text.as_bytes())
    } else {
        sys::stdio::write_all_to_stdout(text.as_bytes())
    };
    match shown {
        // The reader has seen enough: `rnc --help | head`.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::OK,
        Err(error) => {
            let reason = report::reason(&error);
            report::error(&format!("write to standard output failed: {reason}"));
            Exit::FAILED
        }
        Ok(()) => Exit::OK,
    }
}
