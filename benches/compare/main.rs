//! rnc and its peers side by side: `cargo bench --bench compare -- [options]`.
//!
//! Contenders run in turn, each once a round, in a network namespace of their own; every transfer
//! is checked; what is printed are medians, extremes and ratios to OpenBSD nc. The order here:
//! `jobs` says what is measured, `bulk`, `oneshot` and `pingpong` measure it once for one
//! contender, `report` and `json` tell it, and only `sys` speaks to the kernel.

mod bulk;
mod child;
mod contender;
mod data;
mod jobs;
mod json;
mod netns;
mod oneshot;
mod options;
mod pingpong;
mod report;
mod sys;
mod udp;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::contender::Contender;
use crate::jobs::Bench;
use crate::options::Options;

/// Runs the benchmark; 0 all answers were right, 1 one was wrong or nothing could run, 2 usage.
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` says --bench; `cargo test --benches` does not, and must not start this.
    if !words.iter().any(|word| word == "--bench") {
        println!("compare: not run (it needs `cargo bench --bench compare`)");
        return ExitCode::SUCCESS;
    }
    let options = match Options::parse(&words) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::help());
            return ExitCode::SUCCESS;
        }
        Err(why) => {
            eprintln!("compare: {why:#}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("compare: {why:#}");
            ExitCode::FAILURE
        }
    }
}

/// Does all that was asked for; true when every answer was right.
///
/// # Errors
/// When nothing could be measured, or the JSON file cannot be written.
fn run(options: &Options) -> Result<bool> {
    // First of all: a namespace is entered by a thread, and so far this is the only one.
    let network = netns::enter();
    let contenders = Contender::installed(&options.with);
    if contenders.is_empty() {
        bail!("no contender is left");
    }
    let bench = Bench::new(options, network).context("cannot prepare the data")?;
    let machine = report::Machine::look(&bench.network);
    print!("{}", report::heading(&machine, &contenders));
    let mut results = Vec::new();
    for job in options.jobs() {
        let result = bench.measure(job, &contenders);
        print!("{}", report::table(&result));
        results.push(result);
    }
    print!("{}", report::behind(&results));
    if let Some(file) = &options.json {
        let text = json::document(&machine, &contenders, &bench, &results);
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(results
        .iter()
        .all(|result| result.rows.iter().all(|row| row.failures.is_empty())))
}
