//! The house stands: each floor uses only what is below it, `flow` and `net` do not know each
//! other, and unsafe code and platform switches live in `src/sys` alone.

use std::fs;
use std::path::{Path, PathBuf};

/// The floor of each module; `report` and `exit` are leaves that every floor may use.
const FLOORS: [(&str, u8); 9] = [
    ("cli", 5),
    ("run", 4),
    ("flow", 3),
    ("net", 3),
    ("io", 2),
    ("sys", 1),
    ("plan", 0),
    ("parse", 0),
    ("proto", 0),
];

fn floor(module: &str) -> Option<u8> {
    FLOORS
        .iter()
        .find(|(name, _)| *name == module)
        .map(|(_, floor)| *floor)
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).expect("src can be read") {
        let path = entry.expect("entry can be read").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Each source file with its top module and its code, tests included, comments left out.
fn files() -> Vec<(String, String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    sources(&src, &mut paths);
    assert!(paths.len() > 20, "only {} source files found", paths.len());
    let read = |path: PathBuf| {
        let name = path
            .strip_prefix(&src)
            .expect("below src")
            .display()
            .to_string();
        let module = name
            .split(['/', '.'])
            .next()
            .unwrap_or_default()
            .to_string();
        let text = fs::read_to_string(&path).expect("source can be read");
        let code = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        (name, module, code.collect::<Vec<_>>().join("\n"))
    };
    paths.into_iter().map(read).collect()
}

/// The modules a file names behind `crate::`.
fn used(code: &str) -> Vec<String> {
    let ends = |c: char| !(c.is_alphanumeric() || c == '_');
    let names = code.split("crate::").skip(1);
    names
        .map(|rest| rest.split(ends).next().unwrap_or_default().to_string())
        .collect()
}

#[test]
fn imports_only_point_down() {
    for (file, module, code) in files() {
        let Some(own) = floor(&module) else { continue };
        for name in used(&code) {
            let below = floor(&name).is_none_or(|other| other < own || other == 0);
            assert!(
                below || name == module,
                "{file} uses {name}, which is not below {module}"
            );
        }
    }
}

#[test]
fn parse_and_proto_know_no_socket_and_no_clock() {
    for (file, module, code) in files() {
        if ["parse", "proto", "plan"].contains(&module.as_str()) {
            for word in [
                "std::net::Tcp",
                "std::net::Udp",
                "Instant::now",
                "SystemTime",
                "std::io",
            ] {
                assert!(!code.contains(word), "{file} has {word}");
            }
        }
    }
}

#[test]
fn unsafe_code_and_platforms_live_in_sys() {
    for (file, module, code) in files() {
        let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        for word in words {
            let bound = ["unsafe", "target_os", "libc"].contains(&word);
            assert!(!bound || module == "sys", "{file} has {word}");
        }
    }
}

#[test]
fn every_unsafe_block_says_why() {
    for path in {
        let mut found = Vec::new();
        sources(
            &Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sys"),
            &mut found,
        );
        found
    } {
        let text = fs::read_to_string(&path).expect("source can be read");
        let lines: Vec<&str> = text.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if line.contains("unsafe {") {
                let before = &lines[at.saturating_sub(8)..at];
                let said = before.iter().any(|line| line.contains("SAFETY:"));
                assert!(said, "{}:{} has no SAFETY comment", path.display(), at + 1);
            }
        }
    }
}
