//! Tests that are not run, told to those who run them: the harness keeps what a test that passes has
//! said, so these lines go straight to standard error, and once more together at the end.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, Once, PoisonError};

/// What was not run so far.
static SKIPPED: Mutex<Skipped> = Mutex::new(Skipped {
    tests: BTreeSet::new(),
    packages: BTreeSet::new(),
});

struct Skipped {
    tests: BTreeSet<String>,
    /// Debian packages that were missing.
    packages: BTreeSet<String>,
}

/// Says why a test is not run; a failure when RNC_REQUIRE_PEERS=1.
#[track_caller]
pub fn skip(why: &str) {
    if peers_are_required() {
        panic!("RNC_REQUIRE_PEERS=1, and this test {why}");
    }
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    tell(&format!("skipped: {test} {why}\n"));
    note(|skipped| skipped.tests.insert(test));
    static AT_EXIT: Once = Once::new();
    // SAFETY: `sum_up` is a function of the right kind, and panics nowhere.
    AT_EXIT.call_once(|| assert_eq!(unsafe { libc::atexit(sum_up) }, 0));
}

/// The same for what a Debian package has.
#[track_caller]
pub fn skip_without(why: &str, package: &str) {
    skip(&format!("{why} (Debian package {package})"));
    note(|skipped| skipped.packages.insert(package.to_owned()));
}

/// Whether a missing peer is a failure.
pub fn peers_are_required() -> bool {
    std::env::var_os("RNC_REQUIRE_PEERS").is_some_and(|value| value == "1")
}

fn note(what: impl FnOnce(&mut Skipped) -> bool) {
    what(&mut SKIPPED.lock().unwrap_or_else(PoisonError::into_inner));
}

extern "C" fn sum_up() {
    let skipped = SKIPPED.lock().unwrap_or_else(PoisonError::into_inner);
    let packages: Vec<&str> = skipped.packages.iter().map(String::as_str).collect();
    let install = match packages[..] {
        [] => String::new(),
        _ => format!("; to run them: apt-get install {}", packages.join(" ")),
    };
    let count = match skipped.tests.len() {
        1 => "1 test".to_owned(),
        many => format!("{many} tests"),
    };
    tell(&format!("skipped {count}{install}\n"));
}

/// What `eprint!` prints would be kept.
fn tell(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}
