//! The `rnc` binary: parse, run, exit.

#![no_main]

use rnc::cli::{self, Parsed};
use rnc::exit::Exit;
use rnc::{report, run, sys};
use std::ffi::OsString;

rnc::entry!(rnc);

fn rnc(words: Vec<OsString>) -> u8 {
    let exit = match cli::parse(words) {
        Parsed::Plan(plan) => {
            let code = plan.codes.other;
            run::run(*plan).unwrap_or_else(|error| {
                report::fatal(&run::describe(&error));
                Exit::Code(code)
            })
        }
        Parsed::Exit(exit) => exit,
    };
    report::finish();
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => sys::signal::end_by(signal),
    }
}
