//! The house stands: each floor uses only what is below it, no files use each other in a circle,
//! `flow` and `net` do not know each other, and unsafe code and platform switches live in `src/sys` alone.

use std::collections::{BTreeMap, BTreeSet};
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

/// The part of a file that is built outside tests.
fn without_tests(code: &str) -> &str {
    code.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(code)
}

/// The words and marks of some code; what is no part of a path is one mark of its own.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = code.chars().peekable();
    while let Some(first) = rest.next() {
        let is_word = |c: &char| c.is_alphanumeric() || *c == '_';
        if is_word(&first) {
            let mut word = String::from(first);
            while let Some(next) = rest.next_if(is_word) {
                word.push(next);
            }
            tokens.push(word);
        } else if first == ':' && rest.next_if_eq(&':').is_some() {
            tokens.push("::".into());
        } else if !first.is_whitespace() {
            tokens.push(first.into());
        }
    }
    tokens
}

/// Reads the path that begins at `at`, and all those of its braces; returns where it ends.
fn read_path(
    tokens: &[String],
    mut at: usize,
    path: &[String],
    found: &mut Vec<Vec<String>>,
) -> usize {
    let mut path = path.to_vec();
    loop {
        if tokens[at] == "{" {
            at += 1;
            while tokens[at] != "}" {
                at = read_path(tokens, at, &path, found);
                while !matches!(&*tokens[at], "," | "}") {
                    at += 1;
                }
                at += usize::from(tokens[at] == ",");
            }
            return at + 1;
        }
        path.push(tokens[at].clone());
        if tokens.get(at + 1).is_none_or(|next| next != "::") {
            found.push(path);
            return at + 1;
        }
        at += 2;
    }
}

/// The module of a source file, as the names from the root of the crate.
fn module_of(file: &str) -> Vec<String> {
    let path = file.trim_end_matches(".rs");
    let path = path.strip_suffix("/mod").unwrap_or(path);
    let names = path
        .split('/')
        .filter(|name| !["lib", "main"].contains(name));
    names.map(str::to_owned).collect()
}

/// The modules that a file of `module` names, each by the longest known part of the path.
fn named(module: &[String], code: &str, known: &BTreeSet<Vec<String>>) -> BTreeSet<Vec<String>> {
    let is_child = |name: &String| known.contains(&[module, std::slice::from_ref(name)].concat());
    let tokens = tokens(without_tests(code));
    let (mut paths, mut at) = (Vec::new(), 0);
    while at < tokens.len() {
        let begins = ["crate", "super"].contains(&&*tokens[at]) || is_child(&tokens[at]);
        let is_whole = at == 0 || tokens[at - 1] != "::";
        if begins && is_whole && tokens.get(at + 1).is_some_and(|next| next == "::") {
            at = read_path(&tokens, at, &[], &mut paths);
        } else {
            at += 1;
        }
    }
    let target = |path: &Vec<String>| {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let base = match path[0].as_str() {
            "crate" => &[],
            _ => &module[..module.len().saturating_sub(ups)],
        };
        let names = &path[ups.max(usize::from(path[0] == "crate"))..];
        let whole = [base, names].concat();
        let mut parts = (1..=whole.len()).rev().map(|len| whole[..len].to_vec());
        parts.find(|part| known.contains(part))
    };
    let targets = paths.iter().filter_map(target);
    targets.filter(|target| target != module).collect()
}

/// What each module names, by its path from the root of the crate.
type Uses = BTreeMap<Vec<String>, BTreeSet<Vec<String>>>;

/// The way from a module to itself over what it names, if there is one.
fn circle<'a>(start: &'a Vec<String>, uses: &'a Uses) -> Option<Vec<&'a Vec<String>>> {
    let mut seen = BTreeSet::new();
    let mut ways = vec![vec![start]];
    while let Some(way) = ways.pop() {
        let last = way.last()?;
        for named in uses.get(*last).into_iter().flatten() {
            let longer = [&way[..], &[named]].concat();
            if named == start {
                return Some(longer);
            }
            if seen.insert(named) {
                ways.push(longer);
            }
        }
    }
    None
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    let files = files();
    let known: BTreeSet<Vec<String>> = files.iter().map(|(file, ..)| module_of(file)).collect();
    let mut uses = Uses::new();
    for (file, _, code) in &files {
        let module = module_of(file);
        let names = named(&module, code, &known);
        uses.entry(module).or_default().extend(names);
    }
    let links = uses.values().flatten().count();
    assert!(
        links > 300,
        "only {links} uses of one file by another found"
    );
    let circles = uses.keys().filter_map(|start| circle(start, &uses));
    let circles: Vec<String> = circles
        .map(|way| {
            way.iter()
                .map(|module| module.join("::"))
                .collect::<Vec<_>>()
        })
        .map(|way| way.join(" -> "))
        .collect();
    assert!(circles.is_empty(), "circles: {circles:#?}");
}

#[test]
fn the_plan_knows_no_wire_format() {
    for (file, module, code) in files() {
        let names = used(&code);
        let uses_proto = names.iter().any(|name| name == "proto");
        assert!(module != "plan" || !uses_proto, "{file} uses proto");
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
