//! Options in messages, spelt as they were typed: of `--ssl-pin` it is not `--tls-pin` that is wrong.

use clap::{Arg, Command};
use std::ffi::OsString;

/// A message about the command line, with each option in it that was typed by a long name under that
/// name. `command` is the table that the words were read by.
pub fn as_typed(message: &str, words: &[OsString], command: &Command) -> String {
    let typed: Vec<(&Arg, &str)> = words
        .iter()
        .take_while(|word| *word != "--")
        .filter_map(|word| typed(word.to_str()?, command))
        .collect();
    let spelt = |word: &str| {
        let name = word.trim_matches(['(', ')', ',', '.', ';', ':', '"']);
        let arg = option(name, command)?;
        let (_, long) = typed
            .iter()
            .find(|(other, _)| other.get_id() == arg.get_id())?;
        Some(word.replacen(name, &format!("--{long}"), 1))
    };
    let words = message
        .split(' ')
        .map(|word| spelt(word).unwrap_or_else(|| word.to_owned()));
    words.collect::<Vec<String>>().join(" ")
}

/// A long option that was typed with one dash, with both: `-version` is read as `-v -e rsion`, and
/// what is wrong with that says nothing of it.
pub fn two_dashes(words: &[OsString], command: &Command) -> Option<String> {
    let words = words.iter().skip(1).map_while(|word| word.to_str());
    words
        .take_while(|word| *word != "--")
        .filter(|word| !word.starts_with("--"))
        .filter_map(|word| word.strip_prefix('-')?.split('=').next())
        .find(|name| by_long(name, command).is_some())
        .map(|name| format!("--{name}"))
}

/// The option that a word of the command line sets by a long name, and that name.
fn typed<'a, 'w>(word: &'w str, command: &'a Command) -> Option<(&'a Arg, &'w str)> {
    let name = word.strip_prefix("--")?.split('=').next()?;
    Some((by_long(name, command)?, name))
}

/// The option of this name, with its dashes.
fn option<'a>(name: &str, command: &'a Command) -> Option<&'a Arg> {
    if let Some(long) = name.strip_prefix("--") {
        return by_long(long, command);
    }
    let mut letters = name.strip_prefix('-')?.chars();
    let letter = letters.next().filter(|_| letters.next().is_none())?;
    let mut args = command.get_arguments();
    args.find(|arg| arg.get_short() == Some(letter))
}

fn by_long<'a>(name: &str, command: &'a Command) -> Option<&'a Arg> {
    let is_it = |arg: &&Arg| {
        let aliases = arg.get_all_aliases().unwrap_or_default();
        arg.get_long() == Some(name) || aliases.contains(&name)
    };
    command.get_arguments().find(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command::{Extent, command};

    #[test]
    fn a_long_option_with_one_dash_is_found() {
        let table = command(Extent::Whole);
        for (line, wanted) in [
            ("rnc -version", Some("--version")),
            ("rnc host -udp 53", Some("--udp")),
            ("rnc -ssl-pin=x h 1", Some("--ssl-pin")),
            ("rnc -vu --udp h", None),
            ("rnc -- -udp", None),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(two_dashes(&words, &table).as_deref(), wanted, "{line}");
        }
    }

    #[test]
    fn an_option_has_the_name_it_was_typed_by() {
        let table = command(Extent::Whole);
        let spelt = |message: &str, typed: &str| {
            let words: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            as_typed(message, &words, &table)
        };
        for (message, typed, wanted) in [
            ("--tls-pin x: bad", "rnc --ssl-pin x", "--ssl-pin x: bad"),
            ("--tls-pin x: bad", "rnc --ssl-pin=x", "--ssl-pin x: bad"),
            ("--tls-pin x: bad", "rnc --tls-pin x", "--tls-pin x: bad"),
            ("-k needs -l", "rnc --keep-open h 1", "--keep-open needs -l"),
            ("-k needs -l", "rnc -k h 1", "-k needs -l"),
            ("-k needs -l", "rnc -k -- --keep-open", "-k needs -l"),
            ("-w x: bad (-w)", "rnc --wait x", "--wait x: bad (--wait)"),
            ("-9 - -- --x -kl", "rnc --keep-open", "-9 - -- --x -kl"),
        ] {
            assert_eq!(spelt(message, typed), wanted, "{typed}");
        }
    }
}
