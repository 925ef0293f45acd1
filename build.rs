//! Links the unwinder into the program where the system's C compiler has it as an archive.
//!
//! Otherwise it is a shared library (libgcc_s), which is loaded at every start, and asks the
//! processor what it can do, which on virtual machines takes longer than all the rest of a start.

use std::env;
use std::path::Path;
use std::process::Command;

/// The archive, as the C compiler knows it.
const UNWINDER: &str = "libgcc_eh.a";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=RUSTC_LINKER");
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
