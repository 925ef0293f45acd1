//! The command line of a row.

use super::certs::{Authority, Identity};
use super::row::{Carrier, Dialect, Event, Far, Row, Source};
use std::ffi::OsString;
use std::sync::OnceLock;

/// What the shell line of a program says first and last.
pub const HELLO: &[u8] = b"hello\n";
pub const DONE: &[u8] = b"done\n";

const SHELL: &str = "echo hello; cat; echo done";
/// It ends its session, and stays.
const LINGERING: &str = "exec <&- >&-; exec sleep 60";

/// The authority of all rows, and its certificate for this machine.
pub fn identity() -> &'static (Authority, Identity) {
    static IDENTITY: OnceLock<(Authority, Identity)> = OnceLock::new();
    IDENTITY.get_or_init(|| {
        let authority = Authority::new();
        let identity = authority.for_here();
        (authority, identity)
    })
}

/// The host that rnc is told.
pub fn host(row: &Row) -> &'static str {
    match row.carrier {
        Carrier::Tcp6 => "::1",
        _ => "127.0.0.1",
    }
}

/// All options of a row but the address, and what the far end needs.
pub fn options(row: &Row) -> Vec<OsString> {
    let mut words: Vec<OsString> = Vec::new();
    let mut add = |line: &str| words.extend(line.split_whitespace().map(OsString::from));
    match row.dialect {
        Dialect::Native => {}
        Dialect::Nc => add("--as nc"),
        Dialect::Ncat => add("--as ncat"),
    }
    if row.verbose > 0 {
        add(&format!("-{}", "v".repeat(row.verbose)));
    }
    if row.dialect == Dialect::Nc && row.is_tls() {
        // The look-up of a peer's name and its handshake take their time, this one or that one more.
        add("-n");
    }
    match row.source {
        Source::Client | Source::Ports => {}
        Source::Listen => add("-l"),
        Source::Keep => add("-l -k"),
        Source::Inetd => add("--inetd"),
    }
    match row.far {
        Far::Echo => add("--echo"),
        Far::Discard => add("--discard"),
        Far::Chargen => add("--chargen"),
        Far::Daytime => add("--daytime"),
        Far::Broker => add("--broker"),
        Far::Program if row.event == Event::NoProgram => add("-e /no/such/program"),
        Far::Program => add("-e cat"),
        Far::Stdio | Far::Shell | Far::Relay | Far::RelayUnix => {}
    }
    add(of_event(row));
    if row.is_tls() {
        add("--tls");
    }
    if row.is_datagram() {
        add("-u");
    }
    if row.far == Far::Shell {
        let line = match row.event {
            Event::TermLingering => LINGERING,
            _ => SHELL,
        };
        words.extend(["-c".into(), line.into()]);
    }
    if row.is_tls() && row.connects() {
        words.extend(["--tls-ca".into(), (&identity().0.file).into()]);
        if row.is_unix() {
            words.extend(["--tls-servername".into(), "localhost".into()]);
        }
    } else if row.is_tls() {
        words.extend(identity().1.options());
    }
    words
}

fn of_event(row: &Row) -> &'static str {
    match (row.event, row.dialect) {
        (Event::Idle, _) => "--idle-timeout 300ms",
        (Event::Wait, Dialect::Native) => "-w 0.3",
        (Event::Wait | Event::Late, Dialect::Nc) => "-w 1",
        (Event::Wait, Dialect::Ncat) => "-i 300ms",
        (Event::Timeout, _) => "--timeout 500ms",
        (Event::MaxBytes, _) => "--max-bytes 8",
        (Event::Nobody, _) => "--accept-timeout 50ms",
        (Event::Ready, Dialect::Ncat) => "--test --accept-timeout 50ms",
        (Event::Ready, _) => "--accept-timeout 50ms",
        (Event::Full, _) => "--max-conns 1",
        (Event::Denied, _) if row.carrier == Carrier::Tcp6 => "--deny ::1",
        (Event::Denied, _) => "--deny 127.0.0.1",
        (Event::Late, Dialect::Native) => "-w 0.2",
        (Event::Late, Dialect::Ncat) => "-w 200ms",
        _ => "",
    }
}
