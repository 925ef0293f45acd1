//! Plays the rows of a table, several at a time, and compares.

use super::events;
use super::row::{Carrier, Dialect, Event, Row};
use super::table::{self, Entry};
use socket2::{Domain, Socket, Type};
use std::net::{Ipv6Addr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Rows at a time: most of what they do is wait.
const AT_ONCE: usize = 6;

/// Holds rnc to the rows of an event as one dialect has them.
#[track_caller]
pub fn hold(event: Event, dialect: Dialect) {
    let mut entries = table::read(event);
    entries.retain(|entry| entry.row.dialect == dialect);
    if std::env::var_os("RNC_RECORD").is_some() {
        return record(event, &entries);
    }
    compare(&entries);
}

/// Panics unless each row is in the tables once, with an outcome.
#[track_caller]
pub fn tables_are_sound() {
    for &event in Event::ALL {
        let mut entries = table::read(event);
        assert!(!entries.is_empty(), "{} has no rows", event.word());
        for entry in &entries {
            assert!(!entry.outcome.is_empty(), "{} has no outcome", entry.row);
        }
        entries.sort_by_key(|entry| entry.row);
        for pair in entries.windows(2) {
            assert_ne!(pair[0].row, pair[1].row, "a row stands twice");
        }
    }
}

#[track_caller]
fn compare(entries: &[Entry]) {
    let rows: Vec<Row> = entries.iter().map(|entry| entry.row).collect();
    let outcomes = play_all(&rows);
    let wrong = entries.iter().zip(outcomes).filter_map(|(entry, got)| {
        let got = got?;
        let wanted = entry.outcome.as_str();
        (got != wanted)
            .then(|| format!("=== {}\n--- wanted\n{wanted}\n--- got\n{got}\n", entry.row))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "{} rows failed:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// Writes what rnc does into the table.
fn record(event: Event, entries: &[Entry]) {
    static ALONE: Mutex<()> = Mutex::new(());
    let rows: Vec<Row> = entries.iter().map(|entry| entry.row).collect();
    let outcomes = play_all(&rows);
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut table = table::read(event);
    for (row, outcome) in rows.iter().zip(outcomes) {
        let entry = table.iter_mut().find(|entry| entry.row == *row);
        if let (Some(entry), Some(outcome)) = (entry, outcome) {
            entry.outcome = outcome;
        }
    }
    table::write(event, &table);
}

/// The outcomes of rows, in their order; `None` for those this machine cannot play.
fn play_all(rows: &[Row]) -> Vec<Option<String>> {
    let outcomes = Mutex::new(vec![None; rows.len()]);
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(&row) = rows.get(at) else {
                return;
            };
            let outcome = can_play(&row).then(|| play(row));
            outcomes.lock().unwrap_or_else(PoisonError::into_inner)[at] = outcome;
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(rows.len()) {
            scope.spawn(work);
        }
    });
    outcomes
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}

fn can_play(row: &Row) -> bool {
    let speaks_tls = row.is_tls() || matches!(row.event, Event::Hello | Event::Alert);
    if speaks_tls && !cfg!(feature = "tls") {
        return false;
    }
    match row.carrier {
        Carrier::Tcp6 => TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok(),
        Carrier::Vsock => Socket::new(Domain::VSOCK, Type::STREAM, None).is_ok(),
        _ => true,
    }
}

/// What one row comes to; a panic is an outcome that is wanted nowhere.
fn play(row: Row) -> String {
    let played = catch_unwind(AssertUnwindSafe(|| events::play(row)));
    played.unwrap_or_else(|panic| {
        let why = panic.downcast_ref::<String>().cloned();
        format!("not played: {}", why.unwrap_or_default())
    })
}
