//! What the option table is made of.

use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, ArgAction, Command, ValueHint, value_parser};
use std::ffi::{OsStr, OsString};

/// The heading of what is done at all.
pub const SHAPE: &str = "Connect, listen, scan";
/// The heading of what happens to the data.
pub const DATA: &str = "What happens to the data";

/// A switch with a letter.
pub fn flag(short: char, long: &'static str, help: &'static str, more: &'static str) -> Arg {
    switch(long, help, more).short(short)
}

/// An option without a value.
pub fn switch(long: &'static str, help: &'static str, more: &'static str) -> Arg {
    Arg::new(long)
        .long(long)
        .action(ArgAction::SetTrue)
        .help(help)
        .long_help(more)
}

/// An option with a letter and a value.
pub fn value(
    short: char,
    long: &'static str,
    name: &'static str,
    help: &'static str,
    more: &'static str,
) -> Arg {
    setting(long, name, help, more).short(short)
}

/// An option with a value, which may begin with a dash, as getopt(3) has it.
pub fn setting(
    long: &'static str,
    name: &'static str,
    help: &'static str,
    more: &'static str,
) -> Arg {
    Arg::new(long)
        .long(long)
        .value_name(name)
        .allow_hyphen_values(true)
        .value_parser(value_parser!(OsString))
        .value_hint(ValueHint::Other)
        .help(help)
        .long_help(more)
}

/// The words an option knows, for completion. Any other word is taken too: `to_plan` judges it.
#[derive(Clone)]
struct Known(&'static [&'static str]);

impl TypedValueParser for Known {
    type Value = OsString;

    fn parse_ref(
        &self,
        _: &Command,
        _: Option<&Arg>,
        value: &OsStr,
    ) -> Result<OsString, clap::Error> {
        Ok(value.to_owned())
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(
            self.0.iter().map(|word| PossibleValue::new(*word)),
        ))
    }
}

/// An option with known words, which its help names.
pub fn known(arg: Arg, words: &'static [&'static str]) -> Arg {
    arg.value_parser(Known(words)).hide_possible_values(true)
}

/// Options with the heading of their group.
pub fn grouped<const N: usize>(heading: &'static str, args: [Arg; N]) -> Vec<Arg> {
    args.into_iter()
        .map(|arg| arg.help_heading(heading))
        .collect()
}
