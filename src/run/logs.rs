//! The logs of what passes: opened once, shared by all sessions, and fed by a tap on each flow.
//!
//! Like `report`, they belong to the whole process, and so are not handed to every session.

use crate::flow::taps::{Tap, Taps};
use crate::io::datagram::PeerAddr;
use crate::io::logfile::LogFile;
use crate::net::addr::{show_ip, unmapped};
use crate::parse::escape::printable;
use crate::plan::{self, LogFormat, LogPlace};
use crate::proto::record::{Direction, Record};
use crate::report;
use crate::sys::clock;
use anyhow::Context;
use std::cell::RefCell;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

/// The most bytes in one record; longer ones make several.
const RECORD_BYTES: usize = 64 << 10;

thread_local! {
    static LOGS: RefCell<Vec<OpenLog>> = const { RefCell::new(Vec::new()) };
}

struct OpenLog {
    /// What it is called in messages.
    name: String,
    format: LogFormat,
    file: LogFile,
}

/// Opens the logs.
///
/// # Errors
/// One cannot be opened: one line for the user.
pub fn open(logs: &[plan::Log]) -> anyhow::Result<()> {
    let logs: anyhow::Result<Vec<OpenLog>> = logs.iter().map(OpenLog::open).collect();
    LOGS.set(logs?);
    Ok(())
}

/// Ends the logs, and prints what was lost.
pub fn finish() {
    LOGS.take().into_iter().for_each(OpenLog::finish);
}

impl OpenLog {
    fn open(log: &plan::Log) -> anyhow::Result<OpenLog> {
        let (name, file) = match &log.place {
            LogPlace::File { path, appends } => (
                printable(path.as_os_str().as_bytes()),
                LogFile::open(path, *appends),
            ),
            LogPlace::Stderr => ("standard error".to_string(), LogFile::stderr()),
        };
        let file = file.with_context(|| format!("open log {name} failed"))?;
        let format = match log.format {
            // A terminal obeys some bytes, and they are a peer's.
            LogFormat::Raw if file.is_terminal() => LogFormat::Tagged,
            format => format,
        };
        Ok(OpenLog { name, format, file })
    }

    fn write(&mut self, record: &Record<'_>) {
        if let Err(error) = self.file.write(record.render(self.format)) {
            tell(&self.name, &error);
        }
    }

    fn finish(self) {
        let outcome = self.file.finish();
        if let Some(error) = outcome.error {
            tell(&self.name, &error);
        }
        if outcome.left_out > 0 {
            let records = match outcome.left_out {
                1 => "1 record".to_string(),
                many => format!("{many} records"),
            };
            let name = self.name;
            report::error(&format!(
                "log {name} lost {records}: writing it was too slow"
            ));
        }
    }
}

fn tell(name: &str, error: &io::Error) {
    let reason = report::reason(error);
    report::error(&format!(
        "write to log {name} failed: {reason}; it ends there"
    ));
}

/// Makes the taps of one session.
pub struct Watchers {
    label: Rc<str>,
    cut_bytes: usize,
    /// There is a log.
    watch: bool,
}

/// The taps of a session with the peer of that label.
pub fn watchers(label: &str) -> Watchers {
    Watchers {
        label: label.into(),
        cut_bytes: RECORD_BYTES,
        watch: are_kept(),
    }
}

/// Returns whether there are logs.
pub fn are_kept() -> bool {
    LOGS.with_borrow(|logs| !logs.is_empty())
}

impl Watchers {
    /// What is sent goes as messages of so many bytes, a record for each.
    pub fn cut(self, message_bytes: usize) -> Watchers {
        let cut_bytes = message_bytes.clamp(1, RECORD_BYTES);
        Watchers { cut_bytes, ..self }
    }

    /// Watches what is written to the peer.
    pub fn sent(&self) -> Taps {
        Taps {
            writes: self.tap(Direction::Sent, self.cut_bytes),
            ..Taps::default()
        }
    }

    /// Watches what is read from the peer.
    pub fn received(&self) -> Taps {
        Taps {
            reads: self.tap(Direction::Received, RECORD_BYTES),
            ..Taps::default()
        }
    }

    /// Watches both.
    pub fn both(&self) -> Taps {
        Taps {
            reads: self.received().reads,
            writes: self.sent().writes,
            ..Taps::default()
        }
    }

    fn tap(&self, direction: Direction, cut_bytes: usize) -> Option<Box<dyn Tap>> {
        let watcher = || Watcher {
            direction,
            label: Rc::clone(&self.label),
            cut_bytes,
            offset: 0,
        };
        self.watch.then(|| Box::new(watcher()) as Box<dyn Tap>)
    }
}

/// Writes one direction of one session down.
struct Watcher {
    direction: Direction,
    label: Rc<str>,
    cut_bytes: usize,
    offset: u64,
}

impl Tap for Watcher {
    fn see(&mut self, bytes: &[u8], peer: Option<PeerAddr>) {
        let peer = peer.map(peer_label);
        let mut record = Record {
            time: clock::since_1970(),
            direction: self.direction,
            peer: peer.as_deref().unwrap_or(&self.label),
            offset: self.offset,
            bytes,
        };
        // An empty datagram is a record too.
        let (first, rest) = bytes.split_at(bytes.len().min(self.cut_bytes));
        let pieces = std::iter::once(first).chain(rest.chunks(self.cut_bytes));
        LOGS.with_borrow_mut(|logs| {
            for piece in pieces {
                record.bytes = piece;
                logs.iter_mut().for_each(|log| log.write(&record));
                record.offset += piece.len() as u64;
            }
        });
        self.offset = record.offset;
    }
}

/// Names the peer of a datagram.
fn peer_label(peer: PeerAddr) -> String {
    match peer {
        PeerAddr::Ip(ip) => {
            let ip = unmapped(ip);
            format!("{} port {} (udp)", show_ip(&ip), ip.port())
        }
        PeerAddr::Unix(path) => format!("{} (unix)", printable(path.as_os_str().as_bytes())),
    }
}
