//! A log being written: records go in whole and in order, and the loop never waits for a reader.
//!
//! A regular file is written at once: a disk takes what it is given. Whatever has a reader behind
//! it (a pipe, a terminal, a device) is written by a thread of its own, which may block as long as
//! it likes: even opening a FIFO waits until it is read. What the thread has not written yet
//! waits in a queue with a bound; records that find it full are left out and counted. Where no
//! thread can be had, what the reader does not take at once waits for the next record.

use crate::sys::outlet::Outlet;
use crate::sys::stdio::Shared;
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What may wait for the thread, in bytes; one record may always. What one read gives, 256 KiB,
/// makes a hex dump of 1.3 MiB.
const QUEUE_BYTES: usize = 4 << 20;
/// How long a thread that gets nothing written is waited for at the end.
const GRACE: Duration = Duration::from_secs(1);

/// A log being written. After an error it takes records to nowhere.
#[derive(Debug)]
pub struct LogFile {
    writer: LogWriter,
    is_terminal: bool,
}

#[derive(Debug)]
enum LogWriter {
    Plain(File),
    Queued(Arc<Queue>),
    Direct(Outlet),
    Ended,
}

/// How a log came out.
#[derive(Debug, Default)]
pub struct LogLoss {
    /// Records that are not in it because it was too slow to take them.
    pub left_out: u64,
    /// What writing failed with, if that was not known before.
    pub error: Option<io::Error>,
}

impl LogFile {
    /// Opens or makes a file; unless `appends`, what is in it goes.
    ///
    /// # Errors
    /// As of open(2), but for a FIFO, which is opened once it is read.
    pub fn open(path: &Path, appends: bool) -> io::Result<LogFile> {
        if path.metadata().is_ok_and(|meta| meta.file_type().is_fifo()) {
            let own = PathBuf::from(path);
            let queued = LogFile::queued(false, move || open(&own, appends, OFlags::empty()));
            return match queued {
                Some(log) => Ok(log),
                None => Ok(LogFile::direct(open(path, appends, OFlags::NONBLOCK)?)),
            };
        }
        LogFile::of(open(path, appends, OFlags::empty())?)
    }

    /// Writes to standard error, which stays open.
    ///
    /// # Errors
    /// It is closed.
    pub fn stderr() -> io::Result<LogFile> {
        LogFile::of(io::stderr().as_fd().try_clone_to_owned()?.into())
    }

    fn of(file: File) -> io::Result<LogFile> {
        if file.metadata()?.is_file() {
            return Ok(LogFile {
                writer: LogWriter::Plain(file),
                is_terminal: false,
            });
        }
        let own = file.try_clone()?;
        let queued = LogFile::queued(file.is_terminal(), move || Ok(own));
        Ok(queued.unwrap_or_else(|| LogFile::direct(file)))
    }

    /// Has a thread write what `open` gives; `None` where there is no thread to be had.
    fn queued(
        is_terminal: bool,
        open: impl FnOnce() -> io::Result<File> + Send + 'static,
    ) -> Option<LogFile> {
        let queue = Arc::new(Queue::default());
        let reader = Arc::clone(&queue);
        let thread = std::thread::Builder::new().name("log".into());
        let work = move || {
            let wrote = open().and_then(|file| reader.write_to(&file));
            reader.end(wrote);
        };
        thread.spawn(work).ok()?;
        Some(LogFile {
            writer: LogWriter::Queued(queue),
            is_terminal,
        })
    }

    /// Writes to it from the loop's thread.
    fn direct(file: File) -> LogFile {
        let is_terminal = file.is_terminal();
        // As long as the process.
        let file: &'static File = Box::leak(Box::new(file));
        let open = || Shared::output(file.as_fd());
        LogFile {
            writer: LogWriter::Direct(Outlet::new(open, QUEUE_BYTES, |_| String::new())),
            is_terminal,
        }
    }

    /// Returns whether it is a terminal.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Writes a record, or has it written.
    ///
    /// # Errors
    /// ENOSPC, EPIPE and the like, of this record or one before it; once.
    pub fn write(&mut self, record: Vec<u8>) -> io::Result<()> {
        let wrote = match &mut self.writer {
            LogWriter::Plain(file) => file.write_all(&record),
            LogWriter::Queued(queue) => queue.push(record),
            LogWriter::Direct(outlet) => {
                outlet.write(&record);
                Ok(())
            }
            LogWriter::Ended => Ok(()),
        };
        if wrote.is_err() {
            self.writer = LogWriter::Ended;
        }
        wrote
    }

    /// Ends the log: what still waits is written, for as long as that goes on.
    pub fn finish(self) -> LogLoss {
        match self.writer {
            LogWriter::Queued(queue) => queue.finish(),
            LogWriter::Direct(mut outlet) => {
                outlet.finish();
                LogLoss {
                    left_out: outlet.left_out() + u64::from(outlet.is_behind()),
                    error: None,
                }
            }
            LogWriter::Plain(_) | LogWriter::Ended => LogLoss::default(),
        }
    }
}

fn open(path: &Path, appends: bool, flags: OFlags) -> io::Result<File> {
    let how = if appends {
        OFlags::APPEND
    } else {
        OFlags::TRUNC
    };
    let flags = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::NOCTTY | OFlags::CLOEXEC | how;
    let mode = Mode::from_raw_mode(0o666);
    let fd = rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, mode))?;
    Ok(fd.into())
}

/// What goes from the loop to the thread.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<QueueState>,
    /// There is something to write, or it was written, or this is the end.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct QueueState {
    /// Not written yet; the first may be under way.
    records: VecDeque<Arc<[u8]>>,
    bytes: usize,
    left_out: u64,
    /// No more records come.
    closed: bool,
    error: Option<io::Error>,
    /// The thread has ended.
    ended: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, record: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        if let Some(error) = state.error.take() {
            return Err(error);
        }
        if !state.records.is_empty() && state.bytes + record.len() > QUEUE_BYTES {
            state.left_out += 1;
            return Ok(());
        }
        state.bytes += record.len();
        state.records.push_back(record.into());
        self.changed.notify_all();
        Ok(())
    }

    /// The thread's part: writes what comes until no more does.
    fn write_to(&self, file: &File) -> io::Result<()> {
        loop {
            let mut state = self.lock();
            let record = loop {
                match state.records.front() {
                    Some(record) => break Arc::clone(record),
                    None if state.closed => return Ok(()),
                    None => {
                        let waited = self.changed.wait(state);
                        state = waited.unwrap_or_else(PoisonError::into_inner);
                    }
                }
            };
            drop(state);
            write_all(file, &record)?;
            let mut state = self.lock();
            state.records.pop_front();
            state.bytes -= record.len();
            self.changed.notify_all();
        }
    }

    fn end(&self, wrote: io::Result<()>) {
        let mut state = self.lock();
        state.error = wrote.err();
        state.ended = true;
        self.changed.notify_all();
    }

    fn finish(&self) -> LogLoss {
        let mut state = self.lock();
        state.closed = true;
        self.changed.notify_all();
        while !state.ended {
            let before = state.records.len();
            let wait = self.changed.wait_timeout(state, GRACE);
            let (now, timer) = wait.unwrap_or_else(PoisonError::into_inner);
            state = now;
            if timer.timed_out() && state.records.len() == before {
                break;
            }
        }
        let error = state.error.take();
        let waiting = match error {
            Some(_) => 0,
            None => state.records.len() as u64,
        };
        LogLoss {
            left_out: state.left_out + waiting,
            error,
        }
    }
}

/// As `Write::write_all`, but waits where another program has made the description non-blocking, as
/// can be with standard error.
fn write_all(mut file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let mut fds = [PollFd::new(&file, PollFlags::OUT)];
                // Interrupted: the next write tells.
                let _ = rustix::event::poll(&mut fds, None);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
