//! What rnc means to reach, and whether it did.

use std::fmt::Write;

use crate::bench::{Outcome, Row};
use crate::contender::{BIG_SOCAT, LIMIT, OURS, PEERS, REFERENCE};
use crate::report::Summary;

/// One goal.
#[derive(Clone, Copy, Debug)]
struct Goal {
    job: &'static str,
    metric: &'static str,
    /// Against whom; `None` for a figure of its own.
    than: Option<&'static str>,
    bound: Bound,
}

/// Where the figure, or its ratio, must be.
#[derive(Clone, Copy, Debug)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A goal and what was seen.
#[derive(Debug)]
pub struct Verdict {
    pub job: &'static str,
    /// The goal in words.
    pub goal: String,
    /// The figure; `None` when one of the two failed.
    pub seen: Option<f64>,
    pub is_ratio: bool,
    pub is_met: bool,
}

/// A share of the limit that every bulk transfer is to reach.
const OF_LIMIT: f64 = 0.9;

/// What ratios may miss by chance of rounding.
const ROUNDING: f64 = 0.005;

const RATE: &str = "GB/s";
const CPU: &str = "CPU s/GB";
const WALL: &str = "wall ms";
const ARRIVED: &str = "arrived %";
const CPU_DATAGRAM: &str = "CPU µs/datagram";

/// At least so many times the reference.
const fn rate(job: &'static str, bound: f64) -> Goal {
    goal(job, RATE, Some(REFERENCE), Bound::AtLeast(bound))
}

/// At most so many times the reference.
const fn cost(job: &'static str, metric: &'static str, bound: f64) -> Goal {
    goal(job, metric, Some(REFERENCE), Bound::AtMost(bound))
}

const fn goal(
    job: &'static str,
    metric: &'static str,
    than: Option<&'static str>,
    bound: Bound,
) -> Goal {
    Goal {
        job,
        metric,
        than,
        bound,
    }
}

/// The goals that are figures. Besides, every bulk job has two: a share of the limit, and never
/// behind any peer.
const GOALS: &[Goal] = &[
    rate("file-null", 3.8),
    cost("file-null", CPU, 0.25),
    rate("pipe-pipe", 1.4),
    cost("pipe-pipe", CPU, 0.35),
    rate("tool-alone", 6.0),
    cost("tool-alone", CPU, 0.15),
    rate("file-pipe", 3.0),
    cost("file-pipe", CPU, 0.3),
    rate("file-file", 1.4),
    cost("file-file", CPU, 0.5),
    rate("file-new", 1.3),
    cost("file-new", CPU, 0.7),
    rate("both-ways", 1.4),
    cost("both-ways", CPU, 0.5),
    cost("size-1", WALL, 1.0),
    cost("size-1k", WALL, 1.0),
    cost("size-64k", WALL, 1.0),
    cost("size-1m", WALL, 1.0),
    cost("size-16m", WALL, 1.0),
    cost("size-4g", WALL, 1.0),
    cost("one-shot", WALL, 1.0),
    cost("one-shot", "CPU ms", 1.0),
    cost("one-shot-memory", "peak RSS MiB", 1.2),
    cost("one-shot-instructions", "M instructions", 1.0),
    cost("ping-pong", "µs/trip", 1.0),
    goal("udp-steady", ARRIVED, None, Bound::AtLeast(100.0)),
    cost("udp-steady", CPU_DATAGRAM, 0.7),
    goal("udp-flood", ARRIVED, Some(REFERENCE), Bound::AtLeast(1.1)),
    cost("udp-flood", CPU_DATAGRAM, 0.7),
    goal("udp-send-1400", "× plain loop", None, Bound::AtLeast(2.0)),
    goal("relay-bulk", RATE, Some(BIG_SOCAT), Bound::AtLeast(1.5)),
    goal("relay-bulk", RATE, Some("socat"), Bound::AtLeast(5.0)),
    goal("relay-bulk", CPU, Some(BIG_SOCAT), Bound::AtMost(0.4)),
    goal(
        "relay-short",
        "connections/s",
        Some("socat"),
        Bound::AtLeast(5.0),
    ),
    goal(
        "relay-short",
        "CPU µs/connection",
        Some("socat"),
        Bound::AtMost(0.125),
    ),
    goal("relay-idle", "KiB/connection", None, Bound::AtMost(2.0)),
    goal(
        "serve-echo",
        "connections/s",
        Some("socat"),
        Bound::AtLeast(5.0),
    ),
    goal(
        "serve-exec",
        "connections/s",
        Some("socat"),
        Bound::AtLeast(1.3),
    ),
    goal(
        "serve-exec",
        "CPU µs/connection",
        Some("socat"),
        Bound::AtMost(0.1),
    ),
    goal("serve-idle", "KiB/connection", None, Bound::AtMost(2.0)),
    goal("broker-50", RATE, Some("ncat"), Bound::AtLeast(2.0)),
    goal("tls-bulk", RATE, Some("ncat"), Bound::AtLeast(2.0)),
    goal("tls-bulk", RATE, Some(BIG_SOCAT), Bound::AtLeast(1.3)),
    goal("tls-bulk", CPU, Some("ncat"), Bound::AtMost(0.5)),
    goal("tls-pipe", RATE, Some("ncat"), Bound::AtLeast(2.0)),
    goal("tls-pipe", CPU, Some("ncat"), Bound::AtMost(0.5)),
    goal(
        "tls-handshakes",
        "connections/s",
        Some("socat"),
        Bound::AtLeast(1.0),
    ),
    cost("scan-closed", "wall s", 1.0),
    goal("scan-mute", "wall s", None, Bound::AtMost(5.0)),
    goal("idle", "of a client", None, Bound::AtMost(0.0)),
    goal("idle", "of a listener", None, Bound::AtMost(0.0)),
];

/// All goals of the jobs that were done, with what was seen.
pub fn judge(outcomes: &[Outcome]) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.left_out.is_none()) {
        let own = GOALS.iter().filter(|goal| goal.job == outcome.job.name);
        let mut goals: Vec<Goal> = own.copied().collect();
        if outcome.job.is_bulk() {
            let name = outcome.job.name;
            let (limit, peer) = (Bound::AtLeast(OF_LIMIT), Bound::AtLeast(1.0));
            goals.push(goal(name, RATE, Some(LIMIT), limit));
            goals.push(goal(name, RATE, best_peer(outcome), peer));
        }
        verdicts.extend(goals.iter().filter_map(|goal| goal.judge(outcome)));
    }
    verdicts
}

/// The table for people.
pub fn table(verdicts: &[Verdict]) -> String {
    let Some(wide) = verdicts.iter().map(|one| one.goal.chars().count()).max() else {
        return String::new();
    };
    let met = verdicts.iter().filter(|verdict| verdict.is_met).count();
    let mut text = format!("\ngoals: {met} of {} are met\n", verdicts.len());
    let _ = writeln!(text, "  {:<22}  {:<wide$}  seen", "job", "goal");
    for verdict in verdicts {
        let Verdict { job, goal, .. } = verdict;
        let unit = if verdict.is_ratio { "×" } else { "" };
        let seen = match verdict.seen {
            Some(seen) => format!("{seen:.2}{unit}"),
            None => "failed".to_owned(),
        };
        let word = if verdict.is_met { "ok" } else { "behind" };
        let _ = writeln!(text, "  {job:<22}  {goal:<wide$}  {seen:<8}  {word}");
    }
    text
}

impl Goal {
    /// Looks it up; `None` when rnc or the other one was not there.
    fn judge(self, outcome: &Outcome) -> Option<Verdict> {
        let metrics = outcome.job.metrics;
        let metric = metrics.iter().position(|one| one.name == self.metric)?;
        let median = |row: &Row| Summary::of(&row.samples[metric]).map(|summary| summary.median);
        let ours = median(find(outcome, OURS)?);
        let seen = match self.than {
            None => ours,
            Some(name) => {
                let theirs = median(find(outcome, name)?).filter(|&theirs| theirs > 0.0);
                ours.zip(theirs).map(|(ours, theirs)| ours / theirs)
            }
        };
        let (sign, bound) = match self.bound {
            Bound::AtLeast(bound) => ('≥', bound),
            Bound::AtMost(bound) => ('≤', bound),
        };
        let than = self.than.map_or(String::new(), |name| format!(" × {name}"));
        Some(Verdict {
            job: self.job,
            goal: format!("{} {sign} {bound}{than}", self.metric),
            seen,
            is_ratio: self.than.is_some(),
            is_met: seen.is_some_and(|seen| self.bound.holds(seen)),
        })
    }
}

impl Bound {
    /// True if a figure is on the right side.
    fn holds(self, seen: f64) -> bool {
        match self {
            Self::AtLeast(bound) => seen >= bound - ROUNDING,
            Self::AtMost(bound) => seen <= bound + ROUNDING,
        }
    }
}

/// The fastest of the other netcats.
fn best_peer(outcome: &Outcome) -> Option<&'static str> {
    let rate = |row: &Row| Summary::of(&row.samples[0]).map_or(0.0, |summary| summary.median);
    let peers = PEERS.iter().filter_map(|&name| find(outcome, name));
    let best = peers.max_by(|one, other| rate(one).total_cmp(&rate(other)))?;
    PEERS.iter().copied().find(|&name| name == best.name)
}

/// One contender's row.
fn find<'a>(outcome: &'a Outcome, name: &str) -> Option<&'a Row> {
    outcome.rows.iter().find(|row| row.name == name)
}
