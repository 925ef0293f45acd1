//! What the program is told of its build: the commit and the target, for `--version`, and where the
//! system's C compiler has the unwinder as an archive.
//!
//! Otherwise the unwinder is a shared library (libgcc_s), which is loaded at every start, and asks
//! the processor what it can do, which on virtual machines takes longer than all the rest of a start.

use std::env;
use std::path::Path;
use std::process::Command;

/// The archive, as the C compiler knows it.
const UNWINDER: &str = "libgcc_eh.a";
/// Where cargo writes down the commit that a package was made from.
const PACKAGE_COMMIT: &str = ".cargo_vcs_info.json";
/// Digits of the commit that are shown.
const COMMIT_DIGITS: usize = 12;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
    let commit = packaged_commit().or_else(checked_out_commit);
    let commit = commit.map_or(String::new(), |commit| format!(" ({commit})"));
    println!("cargo::rustc-env=RNC_COMMIT={commit}");
    let target = env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=RNC_TARGET={target}");
    link_unwinder();
}

/// The commit of a package, which has no repository.
fn packaged_commit() -> Option<String> {
    let info = std::fs::read_to_string(PACKAGE_COMMIT).ok()?;
    let (_, rest) = info.split_once("\"sha1\"")?;
    let commit = rest.split('"').nth(1)?;
    let is_commit = commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    commit
        .get(..COMMIT_DIGITS)
        .filter(|_| is_commit)
        .map(str::to_owned)
}

/// The commit that is checked out, if this is the root of a repository and git is there.
fn checked_out_commit() -> Option<String> {
    if !git(&["rev-parse", "--show-prefix"])?.is_empty() {
        return None;
    }
    // The first changes with each commit, the second with each branch.
    for file in ["logs/HEAD", "HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        if Path::new(&path).is_file() {
            println!("cargo::rerun-if-changed={path}");
        }
    }
    git(&["rev-parse", &format!("--short={COMMIT_DIGITS}"), "HEAD"])
}

/// What git answers.
fn git(words: &[&str]) -> Option<String> {
    let out = Command::new("git").args(words).output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    out.status.success().then(|| text.trim_end().to_owned())
}

/// Links the unwinder into the program where the C compiler has it as an archive.
fn link_unwinder() {
    let target = |part: &str| env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    let is_native = env::var("TARGET").ok() == env::var("HOST").ok();
    let is_static = target("FEATURE").split(',').any(|one| one == "crt-static");
    // Another machine's compiler is not asked: without an answer all works as ever.
    if target("OS") != "linux" || target("ENV") != "gnu" || !is_native || is_static {
        return;
    }
    let compiler = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(compiler)
        .arg(format!("-print-file-name={UNWINDER}"))
        .output();
    let Some(answer) = asked
        .ok()
        .and_then(|out| String::from_utf8(out.stdout).ok())
    else {
        return;
    };
    // A compiler without it repeats the plain name.
    let archive = Path::new(answer.trim());
    if archive.is_absolute()
        && archive.is_file()
        && let Some(folder) = archive.parent()
    {
        println!("cargo::rustc-link-search=native={}", folder.display());
        println!("cargo::rustc-link-lib=static:-bundle=gcc_eh");
    }
}
