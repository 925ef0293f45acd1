//! From what was typed to who may come in: files are read, and names looked up. All of it may
//! block: it is done before the loop runs, or off it.

use super::resolve::UnfitHost;
use crate::parse::escape::printable;
use crate::parse::host_set::HostSet;
use crate::parse::hosts::{self, HostError, HostSpec, Hosts};
use crate::plan::access::{Access, Admission, HostList};
use crate::report;
use crate::sys::names;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

/// Why it is not known who may come in.
#[derive(Debug)]
pub enum AccessError {
    /// The file cannot be read.
    File(PathBuf, io::Error),
    /// A word of the file says nothing.
    Word(PathBuf, String, HostError),
    /// The name cannot be looked up.
    Name(String, io::Error),
    /// There is no such interface.
    Interface(String),
    /// The name has an address that has not so many bits.
    Bits(String, HostError),
}

/// Reads the files and looks up the names; `numeric` refuses names.
///
/// # Errors
/// The first thing that is wrong: a list is either whole or none.
pub fn load(access: &Access, numeric: bool) -> Result<Admission, AccessError> {
    load_by(access, numeric, |path| fs::read(path))
}

/// As `load`, when the rules have been loaded before.
///
/// # Errors
/// As `load`; or a file is a pipe. What was in it has been read, and an empty list is not the same.
pub fn load_again(access: &Access, numeric: bool) -> Result<Admission, AccessError> {
    load_by(access, numeric, |path| {
        if fs::metadata(path)?.file_type().is_fifo() {
            return Err(io::Error::other("a pipe cannot be read again"));
        }
        fs::read(path)
    })
}

fn load_by(access: &Access, numeric: bool, read: Read) -> Result<Admission, AccessError> {
    let allow = access.allow.as_ref().map(|list| hosts(list, numeric, read));
    Ok(Admission {
        allow: allow.transpose()?,
        deny: hosts(&access.deny, numeric, read)?,
        users: access.users.clone(),
    })
}

/// Reads a file.
type Read = fn(&Path) -> io::Result<Vec<u8>>;

fn hosts(list: &HostList, numeric: bool, read: Read) -> Result<HostSet, AccessError> {
    let mut found = Vec::new();
    let in_files: Result<Vec<_>, _> = list.files.iter().map(|path| words(path, read)).collect();
    for spec in list
        .specs
        .iter()
        .cloned()
        .chain(in_files?.into_iter().flatten())
    {
        match spec {
            HostSpec::Hosts(hosts) => found.push(hosts),
            HostSpec::AtInterface(hosts, name) => {
                let index = names::scope(&name).ok_or(AccessError::Interface(name))?;
                found.push(hosts.at_interface(index));
            }
            HostSpec::Name(name, bits) => found.extend(look_up(&name, bits, numeric)?),
        }
    }
    Ok(found.into_iter().collect())
}

/// The words of a file, between white space.
fn words(path: &Path, read: Read) -> Result<Vec<HostSpec>, AccessError> {
    let text = read(path).map_err(|error| AccessError::File(path.into(), error))?;
    let words = text.split(u8::is_ascii_whitespace);
    words
        .filter(|word| !word.is_empty())
        .map(|word| {
            // What is no text is no host either.
            let text = std::str::from_utf8(word).unwrap_or_default();
            hosts::host(text)
                .map_err(|error| AccessError::Word(path.into(), printable(word), error))
        })
        .collect()
}

fn look_up(name: &str, bits: Option<u8>, numeric: bool) -> Result<Vec<Hosts>, AccessError> {
    let addrs = if numeric {
        Err(io::Error::other(UnfitHost::IsName))
    } else {
        names::addresses(name, 0)
    };
    let addrs = addrs.map_err(|error| AccessError::Name(name.into(), error))?;
    let around =
        |ip| Hosts::around(ip, bits).map_err(|error| AccessError::Bits(name.into(), error));
    addrs.iter().map(|addr| around(addr.ip())).collect()
}

impl fmt::Display for AccessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |path: &PathBuf| printable(path.as_os_str().as_bytes());
        match self {
            Self::File(path, error) => {
                write!(f, "cannot read {}: {}", shown(path), report::reason(error))
            }
            Self::Word(path, word, error) => write!(f, "{}: {word}: {error}", shown(path)),
            Self::Name(name, error) => {
                let name = printable(name.as_bytes());
                match error.get_ref().and_then(|error| error.downcast_ref()) {
                    Some(UnfitHost::IsName) => write!(f, "-n: {name} is a name, not an address"),
                    _ => write!(f, "cannot resolve {name}: {}", report::reason(error)),
                }
            }
            Self::Interface(name) => {
                write!(f, "no interface named {}", printable(name.as_bytes()))
            }
            Self::Bits(name, error) => {
                write!(f, "{}: {error}", printable(name.as_bytes()))
            }
        }
    }
}

impl std::error::Error for AccessError {}
