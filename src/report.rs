//! Every line rnc prints for its user. Words go to standard error, each line in one write; what
//! came from a peer is escaped by the caller (`parse::escape`) before it gets here.

use crate::sys;
use crate::sys::outlet::Outlet;
use crate::sys::stdio::Shared;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// How much is printed, and under which name.
#[derive(Clone, Debug)]
pub struct Voice {
    /// What stands before each message: `rnc`, or the name of the program rnc stands in for.
    pub name: String,
    /// How often `-v` was given.
    pub verbose: u8,
    /// Whether a failed connect or session is printed without `-v` too.
    pub tells_failures: bool,
    /// The words in which what happens is printed.
    pub wording: Wording,
}

/// In whose words things are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// OpenBSD nc's, to the letter where it has them: `NAME: message`.
    Netcat,
    /// Ncat's: sentences, with `Ncat: ` before all of them.
    Ncat,
}

/// What may wait for standard error, in bytes.
const QUEUE_BYTES: usize = 256 << 10;

static VOICE: OnceLock<Voice> = OnceLock::new();
static OUTLET: Mutex<Option<Outlet>> = Mutex::new(None);
static IS_BEHIND: AtomicBool = AtomicBool::new(false);

/// Sets the voice of this process, once, before anything is printed.
pub fn set_voice(voice: Voice) {
    let _ = VOICE.set(voice);
}

/// Returns whether `-v` was given at least `level` times.
pub fn is_verbose(level: u8) -> bool {
    VOICE.get().is_some_and(|voice| voice.verbose >= level)
}

/// In whose words things are printed.
pub fn wording() -> Wording {
    VOICE.get().map_or(Wording::Netcat, |voice| voice.wording)
}

/// Prints `NAME: message`, always.
pub fn error(message: &str) {
    line(&named(message));
}

/// A message as `error` prints it, for a line that is to be printed later.
pub fn named(message: &str) -> String {
    let name = VOICE.get().map_or("rnc", |voice| &voice.name);
    match wording() {
        Wording::Netcat => format!("{name}: {message}"),
        Wording::Ncat => format!("{name}: {message}."),
    }
}

/// A message of `-v` in a line of its own: nc's have no name before them.
pub fn stated(message: &str) -> String {
    match wording() {
        Wording::Netcat => message.to_string(),
        Wording::Ncat => named(message),
    }
}

/// Prints the error rnc cannot go on after, always.
pub fn fatal(message: &str) {
    match wording() {
        Wording::Netcat => error(message),
        Wording::Ncat => line(&format!("{} QUITTING.", named(message))),
    }
}

/// Prints `NAME: message` where failures of the network are printed: always in native rnc, with
/// `-v` in the nc dialect.
pub fn failure(message: &str) {
    if VOICE
        .get()
        .is_none_or(|voice| voice.tells_failures || voice.verbose > 0)
    {
        error(message);
    }
}

/// Prints a message, as `stated` has it, when `-v` was given at least `level` times.
pub fn verbose(level: u8, message: &str) {
    if is_verbose(level) {
        line(&stated(message));
    }
}

/// Prints a line as it is, always. It is not waited for: where standard error is full, the line is
/// written later, and lost if there are too many of them.
pub fn line(message: &str) {
    with_outlet(|outlet| outlet.write(format!("{message}\n").as_bytes()));
}

/// Returns whether lines wait for standard error to take them.
pub fn is_behind() -> bool {
    IS_BEHIND.load(Ordering::Relaxed)
}

/// Writes the lines that wait, as far as that goes.
pub fn flush() {
    with_outlet(Outlet::flush);
}

/// Writes the lines that wait, as long as they are read.
pub fn finish() {
    if is_behind() {
        with_outlet(Outlet::finish);
    }
}

fn with_outlet(work: impl FnOnce(&mut Outlet)) {
    let mut outlet = OUTLET.lock().unwrap_or_else(PoisonError::into_inner);
    let outlet = outlet.get_or_insert_with(|| Outlet::new(Shared::stderr, QUEUE_BYTES, lost));
    work(outlet);
    IS_BEHIND.store(outlet.is_behind(), Ordering::Relaxed);
}

fn lost(count: u64) -> String {
    let messages = if count == 1 { "message" } else { "messages" };
    let why = "standard error was not read";
    format!("{}\n", named(&format!("{count} {messages} lost: {why}")))
}

/// The reason of an I/O error, in the system's words.
pub fn reason(error: &io::Error) -> String {
    sys::errno::reason(error)
}
