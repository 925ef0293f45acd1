//! The `rnc` binary: parse, run, exit.

use rnc::cli::{self, Parsed};
use rnc::exit::Exit;
use rnc::{report, run, sys};
use std::process::ExitCode;

fn main() -> ExitCode {
    sys::alloc::share_one_heap();
    let exit = match cli::parse(std::env::args_os()) {
        Parsed::Plan(plan) => run::run(*plan).unwrap_or_else(|error| {
            report::error(&run::describe(&error));
            Exit::FAILED
        }),
        Parsed::Exit(exit) => exit,
    };
    match exit {
        Exit::Code(code) => ExitCode::from(code),
        Exit::Signal(signal) => {
            sys::signal::end_by(signal);
            ExitCode::from(u8::try_from(128 + signal).unwrap_or(255))
        }
    }
}
