//! The `rnc` binary: parse, run, exit.

#![no_main]

use rnc::cli;
use rnc::exit::Exit;
use rnc::{report, run, sys};
use std::ffi::OsString;
use std::ops::ControlFlow;

rnc::entry!(rnc);

fn rnc(words: Vec<OsString>) -> u8 {
    let exit = match cli::parse(words) {
        ControlFlow::Continue(plan) => {
            let code = plan.manners.codes.other;
            run::run(*plan).unwrap_or_else(|error| {
                report::fatal(&run::describe(&error));
                Exit::Code(code)
            })
        }
        ControlFlow::Break(exit) => exit,
    };
    report::finish();
    match exit {
        Exit::Code(code) => code,
        Exit::Signal(signal) => sys::signal::end_by(signal),
    }
}
