//! One run of one netcat: started, watched, and ended by force if it will not end itself.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};

use crate::data::Unnamed;
use crate::sys::{self, Exit};

/// How long a child may run.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long a receiver may stay when the sender has ended well.
pub const LINGER: Duration = Duration::from_secs(10);

/// A running netcat; ended and reaped when dropped.
#[derive(Debug)]
pub struct Child {
    pid: Pid,
    /// Readable once the process has ended.
    pidfd: OwnedFd,
    what: String,
    /// What it said on stderr.
    words: Unnamed,
    is_reaped: bool,
}

impl Child {
    /// Starts a command with these ends.
    pub fn start(mut command: Command, stdin: Stdio, stdout: Stdio) -> Result<Self> {
        let program = command.get_program().to_string_lossy();
        let mut what = program.rsplit('/').next().unwrap_or_default().to_owned();
        for word in command.get_args() {
            what = what + " " + &word.to_string_lossy();
        }
        let words = Unnamed::new("stderr")?;
        let stderr = words.open(OpenOptions::new().append(true))?;
        // No pre_exec: std then uses posix_spawn, and the size of this process costs nothing.
        let child = command.stdin(stdin).stdout(stdout).stderr(stderr).spawn();
        let child = child.with_context(|| format!("cannot start {what}"))?;
        let pid = Pid::from_child(&child);
        let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self {
            pid,
            pidfd,
            what,
            words,
            is_reaped: false,
        })
        // `command` ends here, and with it our copies of the child's ends.
    }

    /// Its process id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The command line.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// True once it has ended.
    pub fn is_gone(&self) -> bool {
        self.ends_within(Duration::ZERO)
    }

    /// Waits for its end, and for success.
    ///
    /// # Errors
    /// When the deadline passes (it is killed then), or when it failed.
    pub fn finish(mut self, deadline: Instant) -> Result<Exit> {
        let exit = self.reap(deadline)?;
        ensure!(
            exit.status.success(),
            "{}: {}{}",
            self.what,
            exit.status,
            self.said()
        );
        Ok(exit)
    }

    /// Waits for its end, however it ends.
    ///
    /// # Errors
    /// When the deadline passes; it is killed then.
    pub fn finish_anyway(mut self, deadline: Instant) -> Result<Exit> {
        self.reap(deadline)
    }

    /// Asks one that serves for ever to end.
    ///
    /// # Errors
    /// When it had ended already, or will not.
    pub fn stop(mut self) -> Result<Exit> {
        ensure!(
            !self.is_gone(),
            "{} has ended by itself{}",
            self.what,
            self.said()
        );
        pidfd_send_signal(&self.pidfd, Signal::TERM)?;
        self.reap(Instant::now() + LINGER)
    }

    /// Its end.
    fn reap(&mut self, deadline: Instant) -> Result<Exit> {
        if !self.ends_within(deadline.saturating_duration_since(Instant::now())) {
            bail!("{} did not end and was killed{}", self.what, self.said());
        }
        self.is_reaped = true;
        Ok(sys::wait(self.pid)?)
    }

    /// Sees to its end after [`PATIENCE`], for callers that wait for something else than its end.
    pub fn watch(&self) -> Result<Watchdog> {
        let pidfd = self.pidfd.try_clone()?;
        let (stop, stopped) = mpsc::channel();
        thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                // Failing means it has ended.
                let _ = pidfd_send_signal(&pidfd, Signal::KILL);
            }
        });
        Ok(Watchdog { _stop: stop })
    }

    /// The peak of its resident memory in KiB, by stopping it at its exit; [`sys::trace_exit`]
    /// must have been called before. rusage's ru_maxrss will not do: it begins with the memory of
    /// the process that started the child, and that is larger than a small netcat.
    pub fn finish_traced(mut self, deadline: Instant) -> Result<f64> {
        let _watchdog = self.watch()?;
        let mut peak = None;
        while !self.is_gone() {
            // A traced child tells its stops here, and its end only after them.
            let status = sys::wait(self.pid)?.status;
            let Some(signal) = status.stopped_signal() else {
                self.is_reaped = true;
                bail!("{}: {status}{}", self.what, self.said());
            };
            if sys::is_exit_stop(status) {
                peak = Some(self.peak_memory()?);
                sys::trace_continue(self.pid, 0)?;
                break;
            }
            sys::trace_continue(self.pid, signal)?;
        }
        self.finish(deadline)?;
        peak.context("its exit was not seen")
    }

    /// VmHWM of /proc/PID/status.
    fn peak_memory(&self) -> Result<f64> {
        let file = format!("/proc/{}/status", self.pid.as_raw_pid());
        let status = std::fs::read_to_string(&file)?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_ascii_whitespace().next()?.parse().ok());
        number.with_context(|| format!("no VmHWM in {file}"))
    }

    /// Waits for the end at most this long; true if it came.
    fn ends_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = Timespec {
                tv_sec: left.as_secs() as i64,
                tv_nsec: left.subsec_nanos().into(),
            };
            match poll(&mut [PollFd::new(&self.pidfd, PollFlags::IN)], Some(&left)) {
                Ok(ready) => return ready > 0,
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return false,
            }
        }
    }

    /// What it complained about, for an error text.
    fn said(&self) -> String {
        match self.words.head().lines().next() {
            Some(line) => format!(" (it said: {line})"),
            None => String::new(),
        }
    }
}

/// Kills a child that takes too long; not any more when this is dropped.
#[derive(Debug)]
pub struct Watchdog {
    _stop: mpsc::Sender<()>,
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_reaped {
            // Not reaped yet: the number still means this child. Failing means it has ended.
            let _ = kill_process(self.pid, Signal::KILL);
            let _ = sys::wait(self.pid);
        }
    }
}
