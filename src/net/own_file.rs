//! Files that say where a listener is: its Unix socket, or the port written for others to read.

use crate::sys::{errno, random};
use rustix::fs::{Mode, OFlags};
use std::fs::{self, File, FileType};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A file of ours, removed when this is dropped; not if another has taken its place.
#[derive(Debug)]
pub struct OwnFile {
    path: PathBuf,
    identity: Option<FileId>,
}

/// Device and inode of a file, and when it was made where that is known: inodes are used again.
pub(super) type FileId = (u64, u64, Option<SystemTime>);

impl OwnFile {
    /// The file that is at a path now, which is ours.
    pub fn at(path: &Path) -> OwnFile {
        OwnFile {
            path: path.to_path_buf(),
            identity: identity(path),
        }
    }

    /// No file.
    pub fn none() -> OwnFile {
        OwnFile {
            path: PathBuf::new(),
            identity: None,
        }
    }

    /// Writes `port` and a line end to a path. A regular file is replaced all at once: a reader
    /// finds the whole number or no file. A FIFO or a character device is written to, and stays.
    ///
    /// # Errors
    /// As open(2), write(2) and rename(2). Other files, and symbolic links to them, are refused.
    pub fn with_port(path: &Path, port: u32) -> io::Result<OwnFile> {
        let line = format!("{port}\n");
        let kind = match fs::symlink_metadata(path) {
            Ok(meta) if !meta.is_file() => meta.file_type(),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(_) | Err(_) => return replace(path, &line),
        };
        // /dev/stdout is a link to what it stands for.
        let end = fs::metadata(path).map(|meta| meta.file_type());
        if !end.is_ok_and(is_written_to) {
            let what = if kind.is_symlink() {
                "it is a symbolic link"
            } else {
                "it is not a regular file"
            };
            return Err(io::Error::other(what));
        }
        match write_now(path, &line) {
            // A FIFO without a reader, or a full one: a thread waits, which ends with rnc.
            Err(error) if errno::is_wait_for_reader(&error) => {
                let path = path.to_path_buf();
                let thread = std::thread::Builder::new().name("port file".into());
                thread.spawn(move || {
                    // The reader is gone: the listener is not, which is nothing to end it for.
                    let _ = open(&path, OFlags::empty())
                        .and_then(|mut file| file.write_all(line.as_bytes()));
                })?;
            }
            other => other?,
        }
        Ok(OwnFile::none())
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// What is at a path.
pub(super) fn identity(path: &Path) -> Option<FileId> {
    let meta = fs::symlink_metadata(path).ok()?;
    Some((meta.dev(), meta.ino(), meta.created().ok()))
}

/// Puts a file with this line at a path. It is written under a name that cannot be foreseen, so
/// that nothing of another user is there; O_EXCL follows no symbolic link.
fn replace(path: &Path, line: &str) -> io::Result<OwnFile> {
    let written = beside(path)?;
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .open(&written)?;
    let done = file
        .write_all(line.as_bytes())
        .and_then(|()| fs::rename(&written, path))
        .map(|()| OwnFile::at(path));
    if done.is_err() {
        // Of use to nothing; the error above is the one to report.
        let _ = fs::remove_file(&written);
    }
    done
}

/// A name in the same directory that cannot be foreseen.
pub(super) fn beside(path: &Path) -> io::Result<PathBuf> {
    let name = format!(".rnc-{:016x}", u64::from_ne_bytes(random::bytes()?));
    Ok(path.with_file_name(name))
}

/// Returns whether a file of this kind is written to, not replaced.
fn is_written_to(kind: FileType) -> bool {
    kind.is_fifo() || kind.is_char_device()
}

/// Writes a line to a FIFO or a device without waiting.
fn write_now(path: &Path, line: &str) -> io::Result<()> {
    open(path, OFlags::NONBLOCK)?.write_all(line.as_bytes())
}

/// Opens a FIFO or a device. What has taken its place since it was looked at is not written to.
fn open(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if is_written_to(file.metadata()?.file_type()) {
        Ok(file)
    } else {
        Err(io::Error::other("it has been replaced"))
    }
}
