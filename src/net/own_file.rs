//! Files that say where a listener is: its Unix socket, or the port written for others to read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A file of ours, removed when this is dropped; not if another has taken its place.
#[derive(Debug)]
pub struct OwnFile {
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

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

    /// Writes `port` and a line end to a path, all at once: a reader finds the whole number or no
    /// file.
    ///
    /// # Errors
    /// As open(2), write(2) and rename(2).
    pub fn with_port(path: &Path, port: u32) -> io::Result<OwnFile> {
        let mut written = path.as_os_str().to_owned();
        written.push(format!(".{}", std::process::id()));
        let written = PathBuf::from(written);
        let done = fs::write(&written, format!("{port}\n"))
            .and_then(|()| fs::rename(&written, path))
            .map(|()| OwnFile::at(path));
        if done.is_err() {
            // Not there: nothing to undo.
            let _ = fs::remove_file(&written);
        }
        done
    }
}

impl Drop for OwnFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Device and inode of what is at a path.
fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let meta = fs::symlink_metadata(path).ok()?;
    Some((meta.dev(), meta.ino()))
}
