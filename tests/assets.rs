//! The man page and the completions are made from the option table, and committed: these tests
//! fail when the files differ from what the table says now, and write them with
//!
//! ```text
//! RNC_WRITE_ASSETS=1 cargo test --test assets
//! ```
//!
//! What the man page says besides the options is in man/rnc.1.in.

mod common;

use clap::Command;
use clap_complete::Shell;
use common::require;
use rnc::cli::command::{Extent, command};
use std::fs;
use std::path::{Path, PathBuf};
use std::process;

#[test]
fn man_page_is_what_the_table_says() {
    let page = fs::read_to_string(file("man/rnc.1.in")).expect("man/rnc.1.in");
    let page = page
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@OPTIONS@\n", &man_options());
    // The first comment is for those who edit rnc.1.in.
    let (_, page) = page.split_once(".TH").expect("a title");
    let head = ".\\\" Made by tests/assets.rs from man/rnc.1.in and src/cli/command.rs.\n.TH";
    check("man/rnc.1", &format!("{head}{page}"));
}

#[test]
fn completions_are_what_the_table_says() {
    let shells = [
        (Shell::Bash, "rnc.bash"),
        (Shell::Zsh, "_rnc"),
        (Shell::Fish, "rnc.fish"),
        (Shell::Elvish, "rnc.elv"),
        (Shell::PowerShell, "_rnc.ps1"),
    ];
    for (shell, name) in shells {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut shown(), "rnc", &mut script);
        let script = String::from_utf8(script).expect("a script in UTF-8");
        let script = match shell {
            Shell::Zsh => escape_value_names(script),
            _ => script,
        };
        check(&format!("completions/{name}"), &script);
    }
}

#[test]
fn short_help_fits_a_screen() {
    let help = command(Extent::Whole).render_help().to_string();
    let lines: Vec<&str> = help.lines().collect();
    assert!(lines.len() <= 45, "{} lines:\n{help}", lines.len());
    for line in lines {
        assert!(line.chars().count() <= 80, "over 80 columns: {line}");
    }
}

#[test]
fn every_option_is_explained() {
    for arg in shown().get_arguments() {
        let name = arg.get_id();
        let heading = arg.is_positional() || arg.get_help_heading().is_some();
        assert!(heading, "{name} belongs to no group");
        let help = arg.get_help().expect("a help text").to_string();
        assert!(
            !help.ends_with('.'),
            "{name}: a full stop behind the short help"
        );
        let long = arg.get_long_help().expect("a long help").to_string();
        assert!(long.starts_with(&help), "{name}: --help begins as -h");
    }
}

#[test]
fn mandoc_has_no_complaint() {
    let Some(mandoc) = require("mandoc", "mandoc") else {
        return;
    };
    let said = output(process::Command::new(mandoc).args(["-Tlint", "-Wwarning", "man/rnc.1"]));
    assert_eq!(said, "");
}

#[test]
fn shells_read_the_completions() {
    for (shell, name) in [("bash", "rnc.bash"), ("zsh", "_rnc"), ("fish", "rnc.fish")] {
        let Some(program) = require(shell, shell) else {
            continue;
        };
        let script = format!("completions/{name}");
        let said = output(process::Command::new(program).args(["-n", &script]));
        assert_eq!(said, "", "{shell} -n {script}");
    }
}

#[test]
fn bash_completes_options_and_their_words() {
    let Some(bash) = require("bash", "bash") else {
        return;
    };
    let complete = |words: &str, before: &str, word: &str| {
        let line = format!(
            "source completions/rnc.bash; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             compopt() {{ :; }}; _rnc rnc '{word}' '{before}'; echo \"${{COMPREPLY[@]}}\""
        );
        output(process::Command::new(&bash).args(["-c", &line]))
    };
    assert_eq!(complete("rnc --unt", "rnc", "--unt"), "--until\n");
    assert_eq!(complete("rnc --until p", "--until", "p"), "peer\n");
    assert_eq!(complete("rnc -X ''", "-X", ""), "5 4 4a connect\n");
}

/// The OPTIONS of the man page: a subsection for each group.
fn man_options() -> String {
    let command = shown();
    let headings: Vec<String> = command
        .get_arguments()
        .filter_map(|arg| arg.get_help_heading().map(str::to_string))
        .collect();
    // Operands are in the DESCRIPTION.
    let command = command
        .mut_arg("operands", |arg| arg.hide(true))
        .mut_args(|arg| {
            let aliases = arg.get_visible_aliases().unwrap_or_default();
            match (aliases.first(), arg.get_long_help()) {
                (Some(alias), Some(help)) => {
                    let help = format!("{help} The same as --{alias}.");
                    arg.long_help(help)
                }
                _ => arg,
            }
        });
    let mut roff = Vec::new();
    clap_mangen::Man::new(command)
        .render_options_section(&mut roff)
        .expect("writing to memory");
    let roff = String::from_utf8(roff).expect("a page in UTF-8");
    let heading = |upper: &str| {
        headings
            .iter()
            .find(|heading| heading.to_uppercase() == upper)
    };
    let mut page = String::new();
    let mut is_tag = false;
    for line in roff.lines().skip_while(|line| !line.starts_with(".SH")) {
        if let Some(upper) = line.strip_prefix(".SH ") {
            let upper = upper.trim_matches('"');
            page += &format!(".SS {}\n", heading(upper).expect("a heading of the table"));
        } else if is_tag {
            page += &format!(
                "{}\n",
                line.replace("\\fI<", "\\fI").replace(">\\fR", "\\fR")
            );
        } else if line == ".TP" {
            page += ".TP\n";
        } else {
            page += &format!("{}\n", body(line));
        }
        is_tag = line == ".TP";
    }
    page
}

/// Help as roff likes it: a line for each sentence, and options in bold.
fn body(help: &str) -> String {
    let words = help.split(' ').map(|word| {
        let name = word.trim_start_matches('(');
        let open = &word[..word.len() - name.len()];
        let option = name.trim_end_matches(['.', ',', ';', ':', ')']);
        let close = &name[option.len()..];
        if option.starts_with("\\-") {
            format!("{open}\\fB{option}\\fR{close}")
        } else {
            word.to_string()
        }
    });
    let text = words.collect::<Vec<String>>().join(" ");
    text.replace(". ", ".\n").replace("\\*(Aq", "\\(aq")
}

/// The command line, without the options that are only there to be refused.
fn shown() -> Command {
    let command = command(Extent::Whole);
    let shown = command.get_arguments().filter(|arg| !arg.is_hide_set());
    Command::new("rnc")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args(shown.cloned())
}

/// Takes a colon in the name of a value for what it is: zsh takes it for the end of the name, and
/// clap_complete does not escape it.
fn escape_value_names(mut script: String) -> String {
    for arg in shown().get_arguments() {
        for name in arg.get_value_names().unwrap_or_default() {
            let escaped = name.replace(':', "\\:");
            script = script.replace(&format!(":{name}:"), &format!(":{escaped}:"));
        }
    }
    script
}

/// Compares a committed file with what it should hold, or writes it.
#[track_caller]
fn check(name: &str, wanted: &str) {
    let path = file(name);
    if std::env::var_os("RNC_WRITE_ASSETS").is_some_and(|value| value == "1") {
        fs::create_dir_all(path.parent().expect("a directory")).expect("make the directory");
        fs::write(&path, wanted).expect("write the file");
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = found.lines().zip(wanted.lines()).position(|(a, b)| a != b);
    assert!(
        found == wanted,
        "{name} is not what the option table says, from line {} on; \
         RNC_WRITE_ASSETS=1 cargo test --test assets writes it",
        differs.map_or(found.lines().count(), |line| line + 1)
    );
}

/// All a program says, run in the repository.
#[track_caller]
fn output(program: &mut process::Command) -> String {
    let said = program.current_dir(file("")).output().expect("run it");
    let said = [said.stdout, said.stderr].concat();
    String::from_utf8_lossy(&said).into_owned()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}
