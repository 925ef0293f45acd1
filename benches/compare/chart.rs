//! The chart of the README: how many times as fast as OpenBSD nc, in one SVG, written by hand.

use std::fmt::Write;

use crate::bench::Outcome;
use crate::contender::{BIG_SOCAT, LIMIT, OURS, REFERENCE};
use crate::report::{Machine, ratio};

/// The jobs shown, by what a reader calls them; of each the first metric counts.
const SHOWN: &[(&str, &str)] = &[
    ("file-null", "file to /dev/null"),
    ("file-pipe", "file to pipe"),
    ("file-file", "file to file"),
    ("pipe-pipe", "pipe to pipe"),
    ("tool-alone", "pipe to pipe, netcat alone"),
    ("both-ways", "both directions"),
    ("unix-file-null", "file to /dev/null, Unix socket"),
    ("one-shot", "start, GET, leave"),
    ("ping-pong", "ping-pong, 32 bytes"),
    ("scan-closed", "scan of closed ports"),
];

/// Who is shown, in this order, and the class of its bars.
const BARS: &[(&str, &str)] = &[
    (OURS, "ours"),
    (REFERENCE, "peer"),
    ("nc.traditional", "peer"),
    ("ncat", "peer"),
    ("socat", "peer"),
    (BIG_SOCAT, "peer"),
    (LIMIT, "limit"),
];

/// Measures in pixels.
const WIDTH: f64 = 820.0;
const LABEL: f64 = 210.0;
const NAME: f64 = 100.0;
const FIGURE: f64 = 60.0;
const BAR: f64 = 11.0;
const STEP: f64 = 14.0;
const GAP: f64 = 12.0;
const HEAD: f64 = 64.0;
const FOOT: f64 = 44.0;

/// Both modes; a picture in a page follows the reader's system.
const STYLE: &str = "\
text{font:11px system-ui,sans-serif;fill:#57606a}\
.title{font-size:16px;font-weight:600;fill:#1f2328}\
.job{font-size:12px;fill:#1f2328}\
.strong{font-weight:600;fill:#1f2328}\
.ours{fill:#c2410c}.peer{fill:#aab4bf}\
.limit{fill:none;stroke:#8c959f;stroke-dasharray:3 2}\
.one{stroke:#8c959f}\
.figure{paint-order:stroke;stroke:#fff;stroke-width:3px}\
@media(prefers-color-scheme:dark){\
text{fill:#9198a1}.title,.job,.strong{fill:#f0f6fc}\
.ours{fill:#f97316}.peer{fill:#4b5562}\
.limit{stroke:#7d8590}.one{stroke:#7d8590}\
.figure{stroke:#0d1117}}";

/// The bars of one job: name, class, and how many times as fast.
type Group = (&'static str, Vec<(&'static str, &'static str, f64)>);

/// The whole picture.
pub fn draw(machine: &Machine, outcomes: &[Outcome]) -> String {
    let groups = groups(outcomes);
    let bars = groups.iter().flat_map(|(_, bars)| bars);
    let most = bars.map(|bar| bar.2).fold(1.0, f64::max);
    let room = WIDTH - LABEL - NAME - FIGURE;
    let mut body = String::new();
    let mut top = HEAD;
    for (job, bars) in &groups {
        let _ = writeln!(
            body,
            "<text class=\"job\" x=\"8\" y=\"{:.0}\">{job}</text>",
            top + BAR - 1.0
        );
        for (name, class, times) in bars {
            draw_bar(&mut body, top, (name, class), *times, room * times / most);
            top += STEP;
        }
        top += GAP;
    }
    let one = LABEL + NAME + room / most;
    let height = top + FOOT;
    let line = format!(
        "<path class=\"one\" d=\"M{one:.1} {:.0}V{:.0}\"/>\n",
        HEAD - 6.0,
        top - GAP + 4.0
    );
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n\
         <title>{OURS} and other netcats: times as fast as {REFERENCE}</title>\n\
         <style>{STYLE}</style>\n\
         <text class=\"title\" x=\"8\" y=\"24\">Times as fast as {REFERENCE}</text>\n\
         <text x=\"8\" y=\"42\">longer is better; the line is {REFERENCE}; dashed: the kernel's own \
         sendfile and splice with no netcat around them</text>\n\
         {line}{body}{}</svg>\n",
        footer(machine, top + 12.0)
    )
}

/// One bar with its name and its figure.
fn draw_bar(body: &mut String, top: f64, (name, class): (&str, &str), times: f64, width: f64) {
    let left = LABEL + NAME;
    let base = top + BAR - 2.0;
    let text = if class == "ours" { "strong" } else { "plain" };
    let _ = writeln!(
        body,
        "<text class=\"{text}\" x=\"{:.0}\" y=\"{base:.0}\" text-anchor=\"end\">{name}</text>\
         <rect class=\"{class}\" x=\"{left:.0}\" y=\"{top:.0}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>\
         <text class=\"{text} figure\" x=\"{:.1}\" y=\"{base:.0}\">{times:.2} ×</text>",
        left - 8.0,
        left + width + 6.0,
    );
}

/// Where and when it was measured.
fn footer(machine: &Machine, top: f64) -> String {
    let Machine {
        date,
        processor,
        processors,
        kernel,
        congestion,
        ..
    } = machine;
    let processor = escaped(processor);
    format!(
        "<text x=\"8\" y=\"{top:.0}\">{processors} × {processor}, Linux {}, loopback, {}, {date}</text>\n\
         <text x=\"8\" y=\"{:.0}\">medians of `cargo bench --bench compare`, contenders in turn</text>\n",
        escaped(kernel),
        escaped(congestion),
        top + 16.0
    )
}

/// The jobs that were done, with the figures that came out.
fn groups(outcomes: &[Outcome]) -> Vec<Group> {
    let mut groups = Vec::new();
    for &(job, label) in SHOWN {
        let Some(outcome) = outcomes.iter().find(|outcome| outcome.job.name == job) else {
            continue;
        };
        let bar = |&(name, class): &(&'static str, &'static str)| {
            let row = outcome.rows.iter().find(|row| row.name == name)?;
            let ratio = ratio(outcome, row, 0)?;
            let times = if outcome.job.metrics[0].more_is_better {
                ratio
            } else {
                1.0 / ratio
            };
            Some((name, class, times))
        };
        let bars: Vec<_> = BARS.iter().filter_map(bar).collect();
        if !bars.is_empty() {
            groups.push((label, bars));
        }
    }
    groups
}

/// Text as XML wants it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
