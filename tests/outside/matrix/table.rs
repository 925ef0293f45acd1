//! The tables: what is expected of each row, in text.
//!
//! ```text
//! native
//!   listen echo: tcp4 tcp4-v unix-v
//!   keep echo: tcp4-v
//!     exit 3
//!     | rnc: ...
//! ```
//! Rows with the same outcome stand together; `tcp4-v` is TCP over IPv4, and rnc with `-v`.

use super::row::{Carrier, Dialect, Event, Far, Row, Source};
use std::path::PathBuf;

/// A row, and what is expected of it.
#[derive(Clone, Debug)]
pub struct Entry {
    pub row: Row,
    pub outcome: String,
}

fn path(event: Event) -> PathBuf {
    let tests = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/outside/matrix/tables");
    tests.join(format!("{}.txt", event.word()))
}

/// The table of an event.
#[track_caller]
pub fn read(event: Event) -> Vec<Entry> {
    let text = std::fs::read_to_string(path(event)).unwrap_or_default();
    parse(event, &text)
}

#[track_caller]
fn parse(event: Event, text: &str) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut dialect = Dialect::Native;
    // Where the rows begin that wait for their outcome, and whether that has begun.
    let (mut first, mut has_outcome) = (0, false);
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(line) = line.strip_prefix("    ") {
            has_outcome = true;
            for entry in &mut entries[first..] {
                if !entry.outcome.is_empty() {
                    entry.outcome.push('\n');
                }
                entry.outcome.push_str(line);
            }
            continue;
        }
        if std::mem::take(&mut has_outcome) || !line.starts_with(' ') {
            first = entries.len();
        }
        let rows = match line.strip_prefix("  ") {
            Some(line) => rows(event, dialect, line),
            None => Dialect::named(line).map(|named| {
                dialect = named;
                Vec::new()
            }),
        };
        let rows = rows.unwrap_or_else(|| panic!("{}: {line:?}", event.word()));
        entries.extend(rows.into_iter().map(|row| Entry {
            row,
            outcome: String::new(),
        }));
    }
    entries
}

fn rows(event: Event, dialect: Dialect, line: &str) -> Option<Vec<Row>> {
    let (names, carriers) = line.split_once(": ")?;
    let (source, far) = names.split_once(' ')?;
    let (source, far) = (Source::named(source)?, Far::named(far)?);
    let row = |word: &str| {
        let carrier = word.trim_end_matches('v').trim_end_matches('-');
        let verbose = word.len().saturating_sub(carrier.len() + 1);
        Some(Row {
            event,
            dialect,
            source,
            far,
            carrier: Carrier::named(carrier)?,
            verbose,
        })
    };
    carriers.split(' ').map(row).collect()
}

/// Writes the table of an event.
pub fn write(event: Event, entries: &[Entry]) {
    let mut entries = entries.to_vec();
    entries.sort_by_key(|entry| entry.row);
    let mut text = String::new();
    for section in entries.chunk_by(|a, b| a.row.dialect == b.row.dialect) {
        text.push_str(&format!("{}\n", section[0].row.dialect.word()));
        let mut written: Vec<&str> = Vec::new();
        for entry in section {
            if written.contains(&entry.outcome.as_str()) {
                continue;
            }
            written.push(&entry.outcome);
            let same: Vec<Row> = section
                .iter()
                .filter(|other| other.outcome == entry.outcome)
                .map(|other| other.row)
                .collect();
            for rows in same.chunk_by(|a, b| (a.source, a.far) == (b.source, b.far)) {
                let carriers: Vec<String> = rows.iter().map(Row::carrier_word).collect();
                let (source, far) = (rows[0].source.word(), rows[0].far.word());
                text.push_str(&format!("  {source} {far}: {}\n", carriers.join(" ")));
            }
            for line in entry.outcome.lines() {
                text.push_str(&format!("    {line}\n"));
            }
        }
        text.push('\n');
    }
    // Whole or not at all: others may read it meanwhile.
    let new = path(event).with_extension("new");
    let written = std::fs::write(&new, text.trim_end().to_owned() + "\n");
    let renamed = written.and_then(|()| std::fs::rename(&new, path(event)));
    renamed.expect("write a table");
}
