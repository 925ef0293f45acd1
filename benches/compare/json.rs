//! The results for machines: one JSON document.

use std::fmt::Write;

use crate::bench::{Bench, Outcome, Row};
use crate::contender::{Contender, REFERENCE};
use crate::goals::Verdict;
use crate::report::{Machine, Summary, ratio};

/// The whole document. Figures keep their samples, so that nothing has to be measured again to
/// be drawn differently.
pub fn document(
    machine: &Machine,
    contenders: &[Contender],
    bench: &Bench,
    outcomes: &[Outcome],
    goals: &[Verdict],
) -> String {
    let machine = object(&[
        ("date", string(&machine.date)),
        ("processor", string(&machine.processor)),
        ("processors", machine.processors.to_string()),
        ("kernel", string(&machine.kernel)),
        ("load", string(&machine.load)),
        ("congestion", string(&machine.congestion)),
        ("own_namespace", machine.is_private.to_string()),
    ]);
    let contenders = contenders.iter().map(|contender| {
        let path = contender.path.to_string_lossy();
        object(&[("name", string(contender.name)), ("path", string(&path))])
    });
    let text = object(&[
        ("machine", machine),
        ("reference", string(REFERENCE)),
        ("bulk_bytes", bench.data.len.to_string()),
        ("contenders", array(contenders)),
        ("jobs", array(outcomes.iter().map(job))),
        ("goals", array(goals.iter().map(goal))),
    ]);
    text + "\n"
}

/// One job.
fn job(outcome: &Outcome) -> String {
    object(&[
        ("name", string(outcome.job.name)),
        ("about", string(outcome.job.about)),
        ("reference", string(outcome.job.reference)),
        ("rounds", outcome.rounds.to_string()),
        (
            "left_out",
            outcome
                .left_out
                .as_deref()
                .map_or("null".to_owned(), string),
        ),
        (
            "rows",
            array(outcome.rows.iter().map(|row| self::row(outcome, row))),
        ),
    ])
}

/// One goal.
fn goal(goal: &Verdict) -> String {
    let seen = goal.seen.map_or("null".to_owned(), |seen| seen.to_string());
    object(&[
        ("job", string(goal.job)),
        ("goal", string(&goal.goal)),
        ("seen", seen),
        ("met", goal.is_met.to_string()),
    ])
}

/// One contender in one job.
fn row(outcome: &Outcome, row: &Row) -> String {
    let metrics = outcome.job.metrics.iter().enumerate().map(|(at, metric)| {
        let number =
            |value: Option<f64>| value.map_or("null".to_owned(), |value| value.to_string());
        let summary = Summary::of(&row.samples[at]);
        object(&[
            ("name", string(metric.name)),
            ("more_is_better", metric.more_is_better.to_string()),
            ("median", number(summary.map(|summary| summary.median))),
            ("min", number(summary.map(|summary| summary.min))),
            ("max", number(summary.map(|summary| summary.max))),
            ("ratio", number(ratio(outcome, row, at))),
            ("samples", array(row.samples[at].iter().map(f64::to_string))),
        ])
    });
    object(&[
        ("contender", string(&row.name)),
        ("metrics", array(metrics)),
        (
            "failures",
            array(row.failures.iter().map(|failure| string(failure))),
        ),
    ])
}

/// `{"name":value,…}` of values that are JSON already.
fn object(fields: &[(&str, String)]) -> String {
    let fields = fields
        .iter()
        .map(|(name, value)| format!("{}:{value}", string(name)));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// `[value,…]` of values that are JSON already.
fn array(values: impl Iterator<Item = String>) -> String {
    format!("[{}]", values.collect::<Vec<_>>().join(","))
}

/// A string with its quotes. RFC 8259, section 7.
fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            char if char < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(char));
            }
            char => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}
