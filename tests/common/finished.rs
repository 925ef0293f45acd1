//! A process under test that has ended, and what may be expected of it.

use rustix::process::Signal;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// A process that has ended, and what it said.
#[derive(Debug)]
pub struct Finished {
    pub(super) name: String,
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Finished {
    /// Panics unless it left with this exit code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Finished {
        if self.status.code() != Some(code) {
            panic!(
                "{} ended with {}, wanted exit code {code}\n{self}",
                self.name, self.status
            );
        }
        self
    }

    /// Panics unless the signal ended it.
    #[track_caller]
    pub fn expect_signal(self, signal: Signal) -> Finished {
        if self.status.signal() != Some(signal.as_raw()) {
            panic!(
                "{} ended with {}, wanted {signal:?}\n{self}",
                self.name, self.status
            );
        }
        self
    }

    /// Panics unless stdout had exactly these bytes.
    #[track_caller]
    pub fn expect_stdout(self, wanted: impl AsRef<[u8]>) -> Finished {
        if let Some(difference) = super::difference(&self.stdout, wanted.as_ref()) {
            panic!("{}: stdout: {difference}\n{self}", self.name);
        }
        self
    }

    /// What it said on stderr beside the lines that tell of listening and connecting.
    pub fn complaints(&self) -> Vec<&str> {
        let news = [
            "Listening on ",
            "Bound on ",
            "Connection received on ",
            "Connection to ",
            "Binding ",
        ];
        let is_news = |line: &&str| news.iter().any(|start| line.starts_with(start));
        self.stderr.lines().filter(|line| !is_news(line)).collect()
    }

    /// Panics unless it had nothing to complain about.
    #[track_caller]
    pub fn expect_silence(self) -> Finished {
        if !self.complaints().is_empty() {
            panic!("{}: wanted nothing on stderr\n{self}", self.name);
        }
        self
    }

    /// Panics unless it complained in exactly one line, as rnc does, with this text in it.
    #[track_caller]
    pub fn expect_complaint(self, text: &str) -> Finished {
        match self.complaints()[..] {
            [line] if line.contains(": ") && line.contains(text) => self,
            _ => panic!(
                "{}: wanted one line with {text:?} on stderr\n{self}",
                self.name
            ),
        }
    }
}

impl std::fmt::Display for Finished {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown: String = String::from_utf8_lossy(&self.stdout)
            .chars()
            .take(2000)
            .collect();
        write!(out, "--- stdout\n{shown}\n--- stderr\n{}", self.stderr)
    }
}

/// The beginning, fit to be printed by a failing test.
pub(super) fn readable(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(2000)];
    match std::str::from_utf8(start) {
        Ok(text) if !text.contains('\0') => text.to_string(),
        _ => start[..start.len().min(400)].escape_ascii().to_string(),
    }
}
