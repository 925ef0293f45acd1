//! rnc and its peers side by side: `cargo bench --bench compare -- [options]`.
//!
//! Contenders run in turn, each once a round, in a network namespace of their own; every transfer
//! is checked; what is printed are medians, extremes and ratios to OpenBSD nc. The order here:
//! `jobs` says what is measured and `bench` does the rounds; `bulk`, `oneshot`, `pingpong`, `relay`,
//! `serve`, `tls`, `scan` and `idle` measure once; `report`, `goals`, `json` and `chart` tell it; `limit` is a
//! contender; `sys` has what rustix lacks.

mod bench;
mod bulk;
mod chart;
mod child;
mod contender;
mod data;
mod goals;
mod identity;
mod idle;
mod jobs;
mod json;
mod limit;
mod netns;
mod oneshot;
mod options;
mod pingpong;
mod place;
mod relay;
mod report;
mod scan;
mod serve;
mod sys;
mod tls;
mod udp;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use crate::bench::Bench;
use crate::contender::{Contender, PEERS};
use crate::options::Options;

/// Runs the benchmark; 0 all answers of rnc were right, 1 one was wrong or nothing could run, 2 usage.
fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some(result) = limit::run(&words) {
        return match result {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => {
                eprintln!("limit: {why:#}");
                ExitCode::FAILURE
            }
        };
    }
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

/// Does all that was asked for; true when every answer of rnc was right.
///
/// # Errors
/// When nothing could be measured, or the JSON file cannot be written.
fn run(options: &Options) -> Result<bool> {
    // First of all: a namespace is entered by a thread, and so far this is the only one.
    let network = netns::enter();
    let contenders = Contender::installed(&options.with, &options.also);
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
    let goals = goals::judge(&results);
    print!("{}", goals::table(&goals));
    if let Some(file) = &options.json {
        let text = json::document(&machine, &contenders, &bench, &results, &goals);
        std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(file) = &options.chart {
        let svg = chart::draw(&machine, &results);
        std::fs::write(file, svg).with_context(|| format!("cannot write {}", file.display()))?;
    }
    // What a peer cannot do is told, and no failure of ours.
    let rows = results.iter().flat_map(|result| &result.rows);
    let mut ours = rows.filter(|row| !PEERS.contains(&row.name.as_str()));
    Ok(ours.all(|row| row.failures.is_empty()))
}
