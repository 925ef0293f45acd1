//! What a row has come to, as text: what changes from run to run has a name in angle brackets.

use super::common::Finished;
use super::ends::Heard;
use super::session::{answer, question};
use rnc::proto::services::Chargen;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;

/// The names of what changes.
#[derive(Default)]
pub struct Names {
    ports: Vec<(u16, &'static str)>,
}

impl Names {
    /// Calls a port by this name.
    pub fn port(&mut self, port: u16, name: &'static str) {
        self.ports.push((port, name));
    }

    /// A line of standard error in which they stand.
    pub fn put_into(&self, line: &str, dir: &Path) -> String {
        let line = line.replace(env!("CARGO_PKG_VERSION"), "<version>");
        let line = line.replace(&dir.display().to_string(), "<dir>");
        let line = line
            .replace("127.0.0.1", "<host>")
            .replace("[::1]", "<host>");
        let line = line.replace("::1", "<host>");
        let line = self.put_ports(&line);
        let line = blank(&line, " in ", " seconds", "<time>");
        let line = blank(&line, "buffer ", " bytes", "<size>");
        let line = blank(&line, "(pid ", ",", "<pid>");
        let line = blank(&line, " ", " days left", "<days>");
        let line = [
            " on <host> ",
            " on <host>:",
            " on localhost ",
            " vsock any ",
        ]
        .iter()
        .fold(line, |line, before| blank(&line, before, "", "<port>"));
        let line = blank(&line, "Authority ", " of", "<n>");
        hash(&line)
    }

    fn put_ports(&self, line: &str) -> String {
        let mut text = String::new();
        let mut digits = String::new();
        for c in line.chars().chain(['\n']) {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            let port = digits.parse().ok();
            let name = self.ports.iter().find(|(known, _)| Some(*known) == port);
            text.push_str(name.map_or(&digits, |(_, name)| name));
            digits.clear();
            text.push(c);
        }
        text.trim_end_matches('\n').to_owned()
    }
}

/// Puts `name` in place of the digits that stand between `before` and `after`, everywhere.
fn blank(line: &str, before: &str, after: &str, name: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((start, tail)) = rest.split_once(before) {
        text.push_str(start);
        text.push_str(before);
        let len = tail.find(|c: char| !(c.is_ascii_digit() || c == '.'));
        let (number, tail) = tail.split_at(len.unwrap_or(tail.len()));
        let is_it = !number.is_empty() && tail.starts_with(after);
        text.push_str(if is_it { name } else { number });
        rest = tail;
    }
    text + rest
}

/// Puts a name in place of fingerprints.
fn hash(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((start, tail)) = rest.split_once("sha256:") {
        text.push_str(start);
        text.push_str("sha256:<hash>");
        let len = tail.find(|c: char| !c.is_ascii_hexdigit());
        rest = &tail[len.unwrap_or(tail.len())..];
    }
    text + rest
}

/// How a process has ended, and what each side has heard.
pub fn text(done: &Finished, (peers, far): &(Vec<Heard>, Vec<Heard>), said: &[String]) -> String {
    let mut lines = Vec::new();
    lines.push(match (done.status.code(), done.status.signal()) {
        (Some(code), _) => format!("exit {code}"),
        (None, signal) => format!("signal {}", signal.unwrap_or_default()),
    });
    lines.extend(peers.iter().map(|heard| format!("peer: {}", shown(heard))));
    lines.extend(far.iter().map(|heard| format!("far: {}", shown(heard))));
    if !done.stdout.is_empty() {
        lines.push(format!("stdout: {}", bytes(&done.stdout)));
    }
    lines.extend(said.iter().map(|line| format!("| {line}")));
    lines.join("\n")
}

/// Returns whether a line tells how a session began. The rows of `whole` have these lines, and no
/// others need them again.
pub fn is_opening(line: &str) -> bool {
    let line = line.strip_prefix("Ncat: ").unwrap_or(line);
    let openings = [
        "rnc <version> ",
        "Listening on ",
        "Bound on ",
        "Binding ",
        "Connection received on ",
        "Connection from ",
        "Connection to ",
        "Connected to ",
        "SSL connection to ",
        "TLS 1.3 with ",
        "Certificate of ",
        "For localhost, ",
        "Valid from ",
        "Fingerprint ",
        "Chain ",
        "Trying ",
        "Local address ",
    ];
    openings.iter().any(|start| line.starts_with(start)) && !line.contains(" denied")
}

fn shown(heard: &Heard) -> String {
    let bytes = bytes(&heard.bytes);
    match heard.end {
        Some(end) => format!("{bytes}, {end}"),
        None => bytes,
    }
}

/// What was heard, by name where it is long or changes.
fn bytes(bytes: &[u8]) -> String {
    let mut pattern = vec![0; bytes.len()];
    Chargen::default().fill(&mut pattern);
    if bytes.is_empty() {
        return "nothing".into();
    }
    if bytes == pattern {
        return "<chargen>".into();
    }
    if bytes.ends_with(b"-UTC\r\n") {
        return "<daytime>".into();
    }
    let mut text = String::from_utf8_lossy(&without_hello(bytes)).into_owned();
    for is_datagram in [false, true] {
        for (long, name) in [
            (question(is_datagram), "<question>"),
            (answer(is_datagram), "<answer>"),
        ] {
            text = text.replace(&*String::from_utf8_lossy(&long), name);
        }
    }
    format!("{text:?}")
}

/// Puts a name in place of a ClientHello. RFC 8446, section 5.1: a type, a version, a length.
fn without_hello(bytes: &[u8]) -> Vec<u8> {
    const START: &[u8] = &[22, 3, 1];
    let at = bytes.windows(START.len()).position(|part| part == START);
    let header = at.and_then(|at| bytes.get(at..at + 5));
    let (Some(at), Some(&[.., high, low])) = (at, header) else {
        return bytes.to_vec();
    };
    let end = at + 5 + usize::from(u16::from_be_bytes([high, low]));
    let rest = bytes.get(end..).unwrap_or_default();
    [&bytes[..at], b"<hello>", rest].concat()
}
