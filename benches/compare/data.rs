//! The bytes of the bulk jobs, and the checks that they arrived.
//!
//! Both files lie in /dev/shm and have no name any more, so that nothing is left behind however
//! the benchmark ends. The source is a stream of pseudo-random words: no two pieces of it are
//! alike, and comparing with it byte by byte is stronger than any hash.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

/// Bytes of one piece in every loop here.
const PIECE: usize = 256 * 1024;

/// Bytes of one write of the plain writer, a pipe's usual size.
const WRITE: usize = 64 * 1024;

/// Distance of the marks in the target file, and their size.
const MARK_EVERY: u64 = 1024 * 1024;
const MARK: usize = 8;

/// How closely a transfer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Lengths and samples only: costs nothing while the clock runs.
    Length,
    /// Every byte against the source. For runs that are not timed.
    Bytes,
}

/// A file that has contents but no name.
#[derive(Debug)]
pub struct Unnamed(File);

impl Unnamed {
    /// Makes an empty one.
    pub fn new(purpose: &str) -> Result<Self> {
        let shm = Path::new("/dev/shm");
        let dir = if shm.is_dir() {
            shm.to_owned()
        } else {
            std::env::temp_dir()
        };
        let path: PathBuf = dir.join(format!("rnc-compare-{}-{purpose}", std::process::id()));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path);
        let file = file.with_context(|| format!("cannot make {}", path.display()))?;
        std::fs::remove_file(&path)?;
        Ok(Self(file))
    }

    /// Opens it anew: a description, and so a position, of its own.
    pub fn open(&self, how: &OpenOptions) -> io::Result<File> {
        how.open(format!("/proc/self/fd/{}", self.0.as_raw_fd()))
    }

    /// The beginning of its contents, as text.
    pub fn head(&self) -> String {
        let mut buf = [0; 300];
        let len = self.0.read_at(&mut buf, 0).unwrap_or(0);
        String::from_utf8_lossy(&buf[..len]).trim().to_owned()
    }
}

/// The source and the target of the bulk jobs.
#[derive(Debug)]
pub struct Data {
    /// Bytes of one transfer.
    pub len: u64,
    source: Unnamed,
    target: Unnamed,
}

impl Data {
    /// Makes `len` bytes of source, and a target of the same length.
    pub fn new(len: u64) -> Result<Self> {
        let data = Self {
            len,
            source: Unnamed::new("source")?,
            target: Unnamed::new("target")?,
        };
        let mut word: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut piece = vec![0; PIECE];
        for at in (0..len).step_by(PIECE) {
            for place in piece.chunks_exact_mut(8) {
                // xorshift64: its period is far beyond any file.
                word ^= word << 13;
                word ^= word >> 7;
                word ^= word << 17;
                place.copy_from_slice(&word.to_le_bytes());
            }
            let piece = &piece[..PIECE.min((len - at) as usize)];
            data.source.0.write_all_at(piece, at)?;
            data.target.0.write_all_at(piece, at)?;
        }
        Ok(data)
    }

    /// The source, for reading from its start.
    pub fn open_source(&self) -> io::Result<File> {
        self.source.open(OpenOptions::new().read(true))
    }

    /// The target, for overwriting from its start, spoiled so that what is left unwritten shows.
    pub fn open_target(&self, check: Check) -> io::Result<File> {
        if check == Check::Bytes {
            let zeros = vec![0; PIECE];
            for at in (0..self.len).step_by(PIECE) {
                self.target
                    .0
                    .write_all_at(&zeros[..PIECE.min((self.len - at) as usize)], at)?;
            }
        }
        for at in self.marks() {
            let mut mark = [0; MARK];
            self.source.0.read_exact_at(&mut mark, at)?;
            self.target.0.write_all_at(&mark.map(|byte| !byte), at)?;
        }
        self.target.open(OpenOptions::new().write(true))
    }

    /// Compares target and source: at the marks, or everywhere.
    pub fn check_target(&self, check: Check) -> Result<()> {
        ensure!(
            self.target.0.metadata()?.len() == self.len,
            "the target has a wrong length"
        );
        for at in self.marks() {
            let (mut sent, mut got) = ([0; MARK], [0; MARK]);
            self.source.0.read_exact_at(&mut sent, at)?;
            self.target.0.read_exact_at(&mut got, at)?;
            ensure!(sent == got, "the target is wrong at byte {at}");
        }
        if check == Check::Bytes {
            let mut compare = Compare::new(self.open_source()?);
            let mut piece = vec![0; PIECE];
            for at in (0..self.len).step_by(PIECE) {
                let piece = &mut piece[..PIECE.min((self.len - at) as usize)];
                self.target.0.read_exact_at(piece, at)?;
                compare.next(piece)?;
            }
        }
        Ok(())
    }

    /// The plain writer's work: all of the source, or as many bytes of no meaning, which come
    /// without the cost of reading them.
    pub fn writer(&self, check: Check) -> Result<impl FnOnce(PipeWriter) -> Result<()> + use<>> {
        let (len, mut source) = (self.len, self.open_source()?);
        Ok(move |mut pipe: PipeWriter| {
            let mut piece = vec![b'.'; WRITE];
            for at in (0..len).step_by(WRITE) {
                let piece = &mut piece[..WRITE.min((len - at) as usize)];
                if check == Check::Bytes {
                    source.read_exact(piece)?;
                }
                pipe.write_all(piece)
                    .with_context(|| format!("the sender broke off near {at}"))?;
            }
            Ok(())
        })
    }

    /// The plain reader's work: counts to the end, and compares where that is asked for.
    pub fn reader(&self, check: Check) -> Result<impl FnOnce(PipeReader) -> Result<u64> + use<>> {
        let mut compare = match check {
            Check::Bytes => Some(Compare::new(self.open_source()?)),
            Check::Length => None,
        };
        Ok(move |mut pipe: PipeReader| {
            let (mut piece, mut total, mut wrong) = (vec![0; PIECE], 0, None);
            loop {
                let len = pipe.read(&mut piece)?;
                if len == 0 {
                    break;
                }
                total += len as u64;
                if let (Some(compare), None) = (&mut compare, &wrong) {
                    // Read on in any case: a receiver that loses its reader fails too, and that
                    // failure would hide this one.
                    wrong = compare.next(&piece[..len]).err();
                }
            }
            wrong.map_or(Ok(total), Err)
        })
    }

    /// Where the marks are: every mebibyte and the last bytes.
    fn marks(&self) -> impl Iterator<Item = u64> + use<> {
        let last = self.len - MARK as u64;
        (0..last).step_by(MARK_EVERY as usize).chain([last])
    }
}

/// Compares a stream with the source, piece by piece.
#[derive(Debug)]
struct Compare {
    source: File,
    expected: Vec<u8>,
    at: u64,
}

impl Compare {
    /// Starts at the beginning of the source.
    fn new(source: File) -> Self {
        Self {
            source,
            expected: vec![0; PIECE],
            at: 0,
        }
    }

    /// Compares the next piece, of at most [`PIECE`] bytes.
    fn next(&mut self, piece: &[u8]) -> Result<()> {
        let expected = &mut self.expected[..piece.len()];
        let read = self.source.read_exact_at(expected, self.at);
        read.with_context(|| format!("more than was sent, after byte {}", self.at))?;
        ensure!(
            expected == piece,
            "wrong bytes between {} and +{}",
            self.at,
            piece.len()
        );
        self.at += piece.len() as u64;
        Ok(())
    }
}
