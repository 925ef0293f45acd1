//! The tables, for people.

use std::fmt::Write;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::bench::{Outcome, Row};
use crate::contender::{Contender, OURS, REFERENCE};
use crate::jobs::Metric;
use crate::netns::Network;

/// Where and when it ran.
#[derive(Debug)]
pub struct Machine {
    pub date: String,
    pub processor: String,
    pub processors: usize,
    pub kernel: String,
    pub load: String,
    pub congestion: String,
    pub is_private: bool,
}

impl Machine {
    /// Looks around.
    pub fn look(network: &Network) -> Self {
        let read = |file| fs::read_to_string(file).unwrap_or_default();
        let cpuinfo = read("/proc/cpuinfo");
        let model = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        Self {
            date: today(),
            processor: model
                .unwrap_or("unknown")
                .trim_start_matches(['\t', ' ', ':'])
                .to_owned(),
            processors: std::thread::available_parallelism().map_or(1, usize::from),
            kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
            load: read("/proc/loadavg")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
            congestion: network.congestion.clone(),
            is_private: network.is_private,
        }
    }
}

/// Median, least and greatest of some figures.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Summary {
    /// `None` of nothing.
    pub fn of(samples: &[f64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            1 => sorted[middle],
            _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
        };
        Some(Self { median, min, max })
    }
}

/// The median of a row's metric over that of the reference.
pub fn ratio(outcome: &Outcome, row: &Row, metric: usize) -> Option<f64> {
    let reference = outcome
        .rows
        .iter()
        .find(|row| row.name == outcome.job.reference)?;
    let reference = Summary::of(&reference.samples[metric])?.median;
    let own = Summary::of(&row.samples[metric])?.median;
    (reference > 0.0).then(|| own / reference)
}

/// What is said before the tables.
pub fn heading(machine: &Machine, contenders: &[Contender]) -> String {
    let Machine {
        date,
        processor,
        processors,
        kernel,
        load,
        congestion,
        ..
    } = machine;
    let place = if machine.is_private {
        "own network namespace"
    } else {
        "the host's network"
    };
    let mut text = format!(
        "{date}: {processors} × {processor}, Linux {kernel}, {place}, {congestion}, load {load}\n\
         medians [least–greatest] and their ratio to {REFERENCE}\n"
    );
    if load.parse().unwrap_or(0.0) > 0.5 {
        text.push_str("note: the machine is busy with other work: figures may be disturbed\n");
    }
    if !contenders
        .iter()
        .any(|contender| contender.name == REFERENCE)
    {
        let _ = writeln!(text, "note: {REFERENCE} is missing: no ratios");
    }
    text
}

/// The table of one job.
pub fn table(outcome: &Outcome) -> String {
    let job = outcome.job;
    let plural = if outcome.rounds == 1 { "" } else { "s" };
    let mut text = format!(
        "\n{}: {}, {} round{}",
        job.name, job.about, outcome.rounds, plural
    );
    if job.reference != REFERENCE {
        let _ = write!(text, "; ratios to {}", job.reference);
    }
    text.push('\n');
    if let Some(why) = &outcome.left_out {
        let _ = writeln!(text, "  left out: {why}");
        return text;
    }
    let wide = |cells: &[String]| {
        cells
            .iter()
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let mut columns = vec![vec![String::new()]];
    columns[0].extend(outcome.rows.iter().map(|row| row.name.clone()));
    for (at, metric) in job.metrics.iter().enumerate() {
        let mut column = vec![metric.name.to_owned()];
        column.extend(outcome.rows.iter().map(|row| cell(outcome, row, at)));
        columns.push(column);
    }
    let widths: Vec<usize> = columns.iter().map(|column| wide(column)).collect();
    for line in 0..=outcome.rows.len() {
        for (column, &width) in columns.iter().zip(&widths) {
            let _ = write!(text, "  {:<width$}", column[line]);
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    for row in &outcome.rows {
        for failure in &row.failures {
            let _ = writeln!(text, "  FAILED {}: {failure}", row.name);
        }
    }
    text
}

/// One figure as the tables show it.
fn cell(outcome: &Outcome, row: &Row, metric: usize) -> String {
    let Some(Summary { median, min, max }) = Summary::of(&row.samples[metric]) else {
        return "failed".to_owned();
    };
    // Two digits behind the point, or three that count.
    let digits = if median < 1.0 { 3 } else { 2 };
    let mut text = format!("{median:.digits$} [{min:.digits$}–{max:.digits$}]");
    if let Some(ratio) = ratio(outcome, row, metric) {
        let _ = write!(text, " {ratio:.2}×");
    }
    text
}

/// Where rnc is behind the reference by more than is allowed.
pub fn behind(outcomes: &[Outcome]) -> String {
    let mut lines = String::new();
    for outcome in outcomes {
        let ours = |row: &&Row| row.name == OURS || row.name.contains(" → ");
        for row in outcome.rows.iter().filter(ours) {
            // Of a mixed pair one end is not ours: only what both do together counts.
            let is_mixed = row.name.contains(" → ");
            let counting = if is_mixed { 2 } else { usize::MAX };
            let metrics = outcome.job.metrics.iter().enumerate();
            for (at, metric) in metrics.take(counting) {
                match ratio(outcome, row, at) {
                    Some(ratio) if is_behind(metric, ratio) => {
                        let (job, allowed) = (outcome.job, metric.allowed);
                        let _ = writeln!(
                            lines,
                            "  {}, {}: {} {ratio:.2}× {} ({allowed:.1}× allowed)",
                            job.name, row.name, metric.name, job.reference
                        );
                    }
                    _ => {}
                }
            }
        }
    }
    if lines.is_empty() {
        String::new()
    } else {
        format!("\n{OURS} is behind in:\n{lines}")
    }
}

/// True if a ratio to the reference is worse than the metric allows.
fn is_behind(metric: &Metric, ratio: f64) -> bool {
    if metric.more_is_better {
        ratio * metric.allowed < 0.995
    } else {
        ratio > metric.allowed + 0.005
    }
}

/// The date in UTC, as in ISO 8601.
fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    let (mut day, mut year) = (seconds / 86_400, 1970);
    let is_leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let length = |year| if is_leap(year) { 366 } else { 365 };
    while day >= length(year) {
        day -= length(year);
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if day < days {
            break;
        }
        day -= days;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", day + 1)
}
