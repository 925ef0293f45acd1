//! The bytes of the bulk jobs, and the checks that they arrived.
//!
//! Both files lie in /dev/shm and have no name any more, so that nothing is left behind however
//! the benchmark ends. The source is a stream of pseudo-random words: no two pieces of it are
//! alike, and comparing with it byte by byte is stronger than any hash.

use std::fs::{File, OpenOptions};
use std::io::{self, PipeReader, PipeWriter, Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, ensure};
use rustix::pipe::{SpliceFlags, fcntl_setpipe_size, splice};

use crate::sys;

/// Bytes of one piece in every loop here.
const PIECE: usize = 256 * 1024;

/// Bytes of one write of the plain writer, a pipe's usual size.
const WRITE: usize = 64 * 1024;

/// Distance of the marks in the target file, and their size.
const MARK_EVERY: u64 = 1024 * 1024;
const MARK: usize = 8;

/// Bytes a pipe is made to hold where it should cost least.
const LARGE_PIPE: usize = 1024 * 1024;

/// Bytes of a page of memory, or a part of one.
const PAGE: usize = 4096;

/// How closely a transfer is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Lengths and samples only: costs nothing while the clock runs.
    Length,
    /// The same for runs that are not timed: what would go to /dev/null is counted.
    Counted,
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

    /// Where other processes find it as long as it lives.
    pub fn path(&self) -> PathBuf {
        let (process, descriptor) = (std::process::id(), self.0.as_raw_fd());
        format!("/proc/{process}/fd/{descriptor}").into()
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
    /// Makes `len` bytes of source, and a target of the same length; an empty one unless `targets`.
    pub fn new(len: u64, targets: bool) -> Result<Self> {
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
            if targets {
                data.target.0.write_all_at(piece, at)?;
            }
        }
        Ok(data)
    }

    /// The source, for reading from its start.
    pub fn open_source(&self) -> io::Result<File> {
        self.source.open(OpenOptions::new().read(true))
    }

    /// The target, for overwriting from its start, spoiled so that what is left unwritten shows.
    pub fn open_target(&self, check: Check) -> Result<Target> {
        let target = &self.target.0;
        if check == Check::Bytes {
            let zeros = vec![0; PIECE];
            for at in (0..self.len).step_by(PIECE) {
                target.write_all_at(&zeros[..PIECE.min((self.len - at) as usize)], at)?;
            }
        }
        for at in self.marks() {
            let mut mark = [0; MARK];
            self.source.0.read_exact_at(&mut mark, at)?;
            target.write_all_at(&mark.map(|byte| !byte), at)?;
        }
        Ok(Target(
            self.target
                .open(OpenOptions::new().read(true).write(true))?,
        ))
    }

    /// A target that is empty, and whose pages have to be made.
    pub fn new_target(&self) -> Result<Target> {
        Ok(Target(Unnamed::new("new")?.0))
    }

    /// Compares target and source: at the marks, or everywhere. The length of what was written
    /// is what comes back.
    pub fn check_target(&self, target: &Target, check: Check) -> Result<u64> {
        let mut file = &target.0;
        ensure!(
            file.metadata()?.len() == self.len,
            "the target has a wrong length"
        );
        for at in self.marks() {
            let (mut sent, mut got) = ([0; MARK], [0; MARK]);
            self.source.0.read_exact_at(&mut sent, at)?;
            file.read_exact_at(&mut got, at)?;
            ensure!(sent == got, "the target is wrong at byte {at}");
        }
        if check == Check::Bytes {
            let mut compare = Compare::new(self.open_source()?);
            let mut piece = vec![0; PIECE];
            for at in (0..self.len).step_by(PIECE) {
                let piece = &mut piece[..PIECE.min((self.len - at) as usize)];
                file.read_exact_at(piece, at)?;
                compare.next(piece)?;
            }
        }
        Ok(file.stream_position()?)
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

    /// The work of a writer that costs next to nothing: always the same pages, which are given,
    /// not copied.
    pub fn giver(&self) -> impl FnOnce(PipeWriter) -> Result<()> + use<> {
        let len = self.len;
        move |pipe: PipeWriter| {
            // It stays slower where it may not be as large as that, and right.
            let _ = fcntl_setpipe_size(&pipe, LARGE_PIPE);
            let mut left = len;
            while left > 0 {
                let pages = &pages()[..PIECE.min(left as usize)];
                let given = sys::give_pages(pipe.as_fd(), pages);
                left -=
                    given.with_context(|| format!("the sender broke off, {left} to go"))? as u64;
            }
            Ok(())
        }
    }

    /// The work of a reader that costs next to nothing: counts what it sends to /dev/null.
    pub fn dropper(&self) -> Result<impl FnOnce(PipeReader) -> Result<u64> + use<>> {
        let null = OpenOptions::new().write(true).open("/dev/null")?;
        Ok(move |pipe: PipeReader| {
            let _ = fcntl_setpipe_size(&pipe, LARGE_PIPE);
            let mut total = 0;
            loop {
                match splice(&pipe, None, &null, None, LARGE_PIPE, SpliceFlags::empty())? {
                    0 => return Ok(total),
                    len => total += len as u64,
                }
            }
        })
    }

    /// The plain reader's work: counts to the end, and compares where that is asked for.
    pub fn reader<R: Read>(&self, check: Check) -> Result<impl FnOnce(R) -> Result<u64> + use<R>> {
        let mut compare = match check {
            Check::Bytes => Some(Compare::new(self.open_source()?)),
            Check::Length | Check::Counted => None,
        };
        Ok(move |mut pipe: R| {
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

/// Pages that never change, of [`PIECE`] bytes.
fn pages() -> &'static [u8] {
    static PAGES: OnceLock<&[u8]> = OnceLock::new();
    PAGES.get_or_init(|| {
        // Whole pages: a pipe counts the parts of one as a page each.
        let room: &[u8] = Box::leak(vec![b'.'; PIECE + PAGE].into_boxed_slice());
        &room[room.as_ptr().align_offset(PAGE)..][..PIECE]
    })
}

/// A file to receive into, and its position.
#[derive(Debug)]
pub struct Target(File);

impl Target {
    /// The same description, for a child's stdout.
    pub fn stdout(&self) -> io::Result<File> {
        self.0.try_clone()
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
