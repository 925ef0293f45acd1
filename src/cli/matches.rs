//! How words are taken out of clap's hands.

use clap::ArgMatches;
use std::ffi::{OsStr, OsString};

/// Declares the words of some options: the field of each, what kind of words it takes, and its name
/// in the option table; then the fields that are found otherwise, each with how.
macro_rules! arguments {
    (
        $(#[$about:meta])*
        $words:ident from $matches:ident {
            $($field:ident: $kind:ident $id:literal,)*
        }
        $($(#[$other_about:meta])* $other:ident: $type:ty = $value:expr,)*
    ) => {
        $(#[$about])*
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)] // named as the options are
        pub struct $words {
            $(pub $field: arguments!(@type $kind),)*
            $($(#[$other_about])* pub $other: $type,)*
        }

        impl $words {
            /// Takes the words out of clap's hands. Words that are not UTF-8 are kept where they may
            /// be paths; elsewhere they become ones that no check accepts.
            pub fn from_matches($matches: &ArgMatches) -> $words {
                $words {
                    $($field: $crate::cli::matches::$kind($matches, $id),)*
                    $($other: $value,)*
                }
            }
        }
    };
    (@type flag) => { bool };
    (@type word) => { Option<String> };
    (@type path) => { Option<OsString> };
    (@type words) => { Vec<String> };
    (@type paths) => { Vec<OsString> };
}
pub(super) use arguments;

/// Returns whether an option was typed.
pub fn flag(matches: &ArgMatches, id: &str) -> bool {
    matches.get_flag(id)
}

/// The value of an option, as text.
pub fn word(matches: &ArgMatches, id: &str) -> Option<String> {
    matches.get_one::<OsString>(id).map(|word| text(word))
}

/// The value of an option, as it was typed.
pub fn path(matches: &ArgMatches, id: &str) -> Option<OsString> {
    matches.get_one(id).cloned()
}

/// All values of an option, as text.
pub fn words(matches: &ArgMatches, id: &str) -> Vec<String> {
    let words = matches.get_many::<OsString>(id).into_iter().flatten();
    words.map(|word| text(word)).collect()
}

/// All values of an option, as they were typed.
pub fn paths(matches: &ArgMatches, id: &str) -> Vec<OsString> {
    let words = matches.get_many::<OsString>(id).into_iter().flatten();
    words.cloned().collect()
}

fn text(word: &OsStr) -> String {
    word.to_string_lossy().into_owned()
}
