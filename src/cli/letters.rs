//! Ncat's letters: the second column of the option table, for the command line as `ncat`.
//!
//! The options are the same; only their short names differ, and what is there to be refused. Texts
//! of the table and of messages name options by rnc's own letters: `translate` puts them into
//! Ncat's.

use super::command::option::switch;
use super::command::{Extent, command};
use clap::{Arg, ArgAction, Command};

/// The options that have a letter as `ncat`. All others have their long names only.
const LETTERS: [(&str, char); 23] = [
    ("listen", 'l'),
    ("keep-open", 'k'),
    ("udp", 'u'),
    ("unixsock", 'U'),
    ("zero", 'z'),
    ("exec", 'e'),
    ("sh-exec", 'c'),
    ("quit", 'q'),
    ("wait", 'w'),
    ("idle-timeout", 'i'),
    ("max-conns", 'm'),
    ("interval", 'd'),
    ("output", 'o'),
    ("hex-dump", 'x'),
    ("crlf", 'C'),
    ("telnet", 't'),
    ("ipv4", '4'),
    ("ipv6", '6'),
    ("nodns", 'n'),
    ("source", 's'),
    ("source-port", 'p'),
    ("verbose", 'v'),
    ("help", 'h'),
];

/// The options that Ncat has another long name for, which its letter stands for.
const LONG_NAMES: [(&str, &str); 9] = [
    ("interval", "delay"),
    ("tls", "ssl"),
    ("tls-ca", "ssl-trustfile"),
    ("tls-verify", "ssl-verify"),
    ("tls-servername", "ssl-servername"),
    ("tls-cert", "ssl-cert"),
    ("tls-key", "ssl-key"),
    ("tls-alpn", "ssl-alpn"),
    ("tls-ciphers", "ssl-ciphers"),
];

/// What some options are for as `ncat`, where the table says something else.
const HELP: [(&str, &str); 9] = [
    ("wait", "Give up after TIME of connecting to an address"),
    ("hex-dump", "The same in hexadecimal"),
    ("source", "Address to send from"),
    (
        "keep-open",
        "With -l: serve many clients; else go on after the peer's end",
    ),
    ("zero", "Only see whether the port is open"),
    (
        "tls",
        "Encrypt with TLS; nothing is checked without --ssl-verify",
    ),
    (
        "tls-verify",
        "Check the server's certificate; means nothing with -l",
    ),
    (
        "tls-ca",
        "Check the server's certificate, by the authorities in FILE",
    ),
    (
        "tls-servername",
        "The server's name, if not the HOST; means nothing with -l",
    ),
];

/// Options of Ncat's that are refused: as typed, whether it has a value, and why.
pub const REFUSED: [(&str, bool, &str); 3] = [
    ("--lua-exec", true, "rnc has no Lua in it"),
    ("-g", true, SOURCE_ROUTE),
    ("-G", true, SOURCE_ROUTE),
];

const SOURCE_ROUTE: &str = "routers drop packets with a source route (RFC 7126)";

const USAGE: &str = "\
ncat [OPTIONS] HOST [PORT]     connect
       ncat [OPTIONS] -l [HOST] [PORT]   listen
       ncat [OPTIONS] -U [-l] PATH       the same over a Unix socket";

/// What `ncat --version` prints, and `ncat -v` first of all. It is not to be taken for Ncat's.
pub const VERSION: &str = concat!("rnc ", env!("CARGO_PKG_VERSION"), " in the Ncat dialect");

/// The command line of `ncat`.
pub fn ncat(extent: Extent) -> Command {
    let native = command(extent);
    command(extent)
        .name("ncat")
        .display_name("Ncat:")
        .version(VERSION)
        .long_version(VERSION)
        .override_usage(USAGE)
        .infer_long_args(true)
        .mut_args(|arg| relabelled(arg, &native))
        .args(extra())
}

/// A text that names options by rnc's letters, with Ncat's letters, or long names, in their place.
pub fn translate(text: &str) -> String {
    with_ncats_letters(text, &command(Extent::Whole))
}

fn with_ncats_letters(text: &str, native: &Command) -> String {
    let words = text.split(' ').map(|word| translated(word, native));
    words.collect::<Vec<String>>().join(" ")
}

fn translated(word: &str, native: &Command) -> String {
    let name = word.trim_matches(['(', ')', ',', '.', ';', ':', '"']);
    if let Some(long) = name.strip_prefix("--").and_then(long_of) {
        return word.replacen(name, &format!("--{long}"), 1);
    }
    let mut letters = name.strip_prefix('-').unwrap_or_default().chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else {
        return word.to_string();
    };
    let arg = native
        .get_arguments()
        .find(|arg| arg.get_short() == Some(letter));
    match arg.map(|arg| (arg.get_id().as_str(), letter_of(arg.get_id().as_str()))) {
        Some((long, None)) => word.replacen(name, &format!("--{long}"), 1),
        Some((_, Some(letter))) => word.replacen(name, &format!("-{letter}"), 1),
        None => word.to_string(),
    }
}

fn letter_of(id: &str) -> Option<char> {
    let found = LETTERS.iter().find(|(name, _)| *name == id);
    found.map(|(_, letter)| *letter)
}

fn long_of(id: &str) -> Option<&'static str> {
    let found = LONG_NAMES.iter().find(|(name, _)| *name == id);
    found.map(|(_, long)| *long)
}

/// The option with its letter as `ncat`; one that has a letter is in the short help.
fn relabelled(arg: Arg, native: &Command) -> Arg {
    let letter = letter_of(arg.get_id().as_str());
    let is_hidden = letter.is_none() && arg.is_hide_short_help_set();
    let said = HELP.iter().find(|(name, _)| arg.get_id() == *name);
    let long = arg.get_long_help().map(|help| help.to_string());
    let long = long.map(|help| with_ncats_letters(&help, native));
    let arg = match (said, long) {
        (Some((_, help)), _) => arg.help(*help).long_help(*help),
        (None, Some(long)) => arg.long_help(long),
        (None, None) => arg,
    };
    let arg = arg.short(letter).hide_short_help(is_hidden);
    let named = LONG_NAMES.iter().find(|(name, _)| arg.get_id() == *name);
    match named {
        Some((name, long)) => arg.alias(None).long(*long).alias(*name),
        None => arg,
    }
}

/// What only `ncat` has: `--test`, and what is refused.
fn extra() -> Vec<Arg> {
    let refused = REFUSED.iter().map(|(typed, has_value, _)| {
        let arg = match (typed.strip_prefix("--"), typed.chars().last()) {
            (None, letter) => Arg::new(*typed).short(letter),
            (long, _) => Arg::new(*typed).long(long),
        };
        if *has_value {
            arg.allow_hyphen_values(true)
        } else {
            arg.action(ArgAction::SetTrue)
        }
    });
    let test = switch("test", "Tell NCAT TEST: LISTEN once listening", "");
    refused.chain([test]).map(|arg| arg.hide(true)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_letter_belongs_to_an_option_of_the_table() {
        let table = ncat(Extent::Whole);
        for (name, letter) in LETTERS {
            let arg = table.get_arguments().find(|arg| arg.get_id() == name);
            assert_eq!(arg.and_then(Arg::get_short), Some(letter), "{name}");
        }
        for (name, _) in HELP.iter().chain(&LONG_NAMES) {
            assert!(
                table.get_arguments().any(|arg| arg.get_id() == *name),
                "{name}"
            );
        }
        table.debug_assert();
    }

    /// Which options a long name that is cut short may stand for.
    fn meant(table: &Command, start: &str) -> Vec<String> {
        let is_meant = |arg: &&Arg| {
            let aliases = arg.get_all_aliases().unwrap_or_default();
            let mut names = arg.get_long().into_iter().chain(aliases);
            names.any(|name| name.starts_with(start))
        };
        let found = table.get_arguments().filter(is_meant);
        found.map(|arg| arg.get_id().to_string()).collect()
    }

    #[test]
    fn a_name_cut_short_means_the_same_in_all_of_the_table() {
        let (usual, whole) = (ncat(Extent::Usual), ncat(Extent::Whole));
        for name in usual.get_arguments().filter_map(Arg::get_long) {
            for end in 1..name.len() {
                let found = meant(&usual, &name[..end]);
                if found.len() == 1 {
                    assert_eq!(meant(&whole, &name[..end]), found, "--{}", &name[..end]);
                }
            }
        }
    }

    #[test]
    fn options_are_named_by_ncats_letters_or_long_names() {
        for (native, wanted) in [
            ("Not with -u, -x or -s.", "Not with -u, --proxy or -s."),
            ("-d (--recv-only)", "--no-stdin (--recv-only)"),
            ("as -lk (-W)", "as -lk (--recv-limit)"),
            ("-9 - -- --x", "-9 - -- --x"),
            ("--tls-key needs --tls-cert.", "--ssl-key needs --ssl-cert."),
            ("--tls-ca: (--tls-pin)", "--ssl-trustfile: (--tls-pin)"),
        ] {
            assert_eq!(translate(native), wanted);
        }
    }
}
