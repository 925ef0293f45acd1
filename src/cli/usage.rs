//! What is said about a wrong command line: one line that points at the word that is wrong.

use super::command::command;
use super::dialect::Dialect;
use super::show;
use crate::exit::Exit;
use crate::report;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Something wrong with the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// The message, naming the word.
    Said(String),
    /// The words make no sense together: nc shows its usage, nothing else.
    Shape(String),
}

/// Says what is wrong, and gives the exit code.
pub fn tell(wrong: &Wrong, dialect: &Dialect) -> Exit {
    match wrong {
        Wrong::Shape(_) if dialect.shows_usage => report::line(NC_USAGE),
        Wrong::Said(message) | Wrong::Shape(message) => say(message, dialect),
    }
    Exit::Code(dialect.usage_code)
}

/// Says what clap found wrong; or shows the help or version that was asked for.
pub fn complain(error: &clap::Error, dialect: &Dialect) -> Exit {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        show(&error.to_string(), dialect);
        return Exit::OK;
    }
    let arg = context(error, ContextKind::InvalidArg);
    // clap shows options with their values behind: `--wait <TIME>`.
    let arg = arg.split(" <").next().unwrap_or_default();
    let message = match error.kind() {
        ErrorKind::UnknownArgument if dialect.shows_usage => {
            let letter = arg.trim_start_matches('-').chars().next().unwrap_or('-');
            let letter = if arg.starts_with("--") { '-' } else { letter };
            format!("invalid option -- '{letter}'")
        }
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
            match (short_of(arg), dialect.shows_usage) {
                (Some(letter), true) => format!("option requires an argument -- '{letter}'"),
                (Some(letter), false) => format!("option -{letter} ({arg}) needs a value"),
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
    say(&message, dialect);
    if dialect.shows_usage {
        report::line(NC_USAGE);
    }
    Exit::Code(dialect.usage_code)
}

/// The letter of a long option. clap names options by their long names, however they were typed.
fn short_of(long: &str) -> Option<char> {
    let command = command();
    let long = long.trim_start_matches('-');
    let arg = command
        .get_arguments()
        .find(|arg| arg.get_long() == Some(long));
    arg?.get_short()
}

fn say(message: &str, dialect: &Dialect) {
    report::line(&format!("{}: {message}", dialect.name));
}

fn context(error: &clap::Error, kind: ContextKind) -> String {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.first().cloned().unwrap_or_default(),
        _ => String::new(),
    }
}

/// The usage text of OpenBSD nc, which scripts and people know.
const NC_USAGE: &str = "\
usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]
\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]
\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]
\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]
\t  [destination] [port]";
