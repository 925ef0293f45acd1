//! rnc itself, and the real programs it is tried against.

use super::skips::skip_without;
use super::start::while_none_starts;
use super::{Cmd, TempDir};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The binary under test.
pub fn rnc_binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_rnc"))
}

/// rnc with these arguments.
pub fn rnc<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Cmd {
    Cmd::new(rnc_binary()).args(args)
}

/// A copy of the binary that every user can run: the build directory may be root's alone.
pub fn rnc_for_all(dir: &TempDir) -> PathBuf {
    let binary = dir.join("rnc");
    if !binary.exists() {
        let copied = while_none_starts(|| std::fs::copy(rnc_binary(), &binary));
        copied.expect("copy rnc");
    }
    binary
}

/// Finds a program a test needs. Where it is missing the test says so and is not run, unless
/// RNC_REQUIRE_PEERS=1 makes that a failure. `package` is the Debian package that has it.
#[track_caller]
pub fn require(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    let found = std::env::split_paths(&path)
        .chain(system)
        .map(|dir| dir.join(name))
        .find(|path| path.is_file());
    if found.is_none() {
        skip_without(&format!("needs {name}"), package);
    }
    found
}

/// The table of services, which a test needs; as `require` otherwise.
#[track_caller]
pub fn require_services() -> Option<String> {
    let services = std::fs::read_to_string("/etc/services").ok();
    let services = services.filter(|table| !table.is_empty());
    if services.is_none() {
        skip_without("needs /etc/services", "netbase");
    }
    services
}

/// One of the Python programs in tests/peers. The servers choose a port and print `PORT n`.
#[track_caller]
pub fn python(script: &str) -> Option<Cmd> {
    let python = require("python3", "python3")?;
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    Some(Cmd::new(python).arg(peers.join(script)))
}

/// A line of shell, word for word as a user would type it: `rnc` is found in the PATH, and the
/// files are those of `dir`.
pub fn shell(line: &str, dir: &TempDir) -> Cmd {
    let bin = dir.join("bin");
    if !bin.exists() {
        std::fs::create_dir(&bin).expect("make bin");
        std::os::unix::fs::symlink(rnc_binary(), bin.join("rnc")).expect("link rnc");
    }
    let old = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(bin).chain(std::env::split_paths(&old)));
    Cmd::new("/bin/sh")
        .args(["-c", line])
        .env("PATH", path.expect("a PATH"))
        .dir(dir.path())
        .with_its_children()
}
