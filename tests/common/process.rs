//! A process under test: started with any kind of standard descriptor, watched, and never left
//! behind.

use super::finished::readable;
use super::seccomp::Refused;
use super::start::{Setup, close, start};
use super::{DEADLINE, Finished, Log, Pty};
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Signal};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// No process under test lives longer than this, so that a read from it always comes to an end.
const LIFETIME: Duration = Duration::from_secs(90);

/// What a process is given as standard input.
pub enum Stdin {
    /// A pipe that the test writes with `Running::send` or `Running::feed`.
    Pipe,
    Null,
    /// `<&-`
    Closed,
    Fd(OwnedFd),
}

/// What a process is given as standard output or standard error.
pub enum Stdout {
    /// A pipe whose bytes are collected in a `Log`.
    Captured,
    /// A pipe that nobody reads until the test takes `Running::stdout_pipe`.
    Unread,
    Null,
    /// /dev/full: every write says ENOSPC.
    Full,
    /// `>&-`
    Closed,
    Fd(OwnedFd),
}

/// A process about to be started.
pub struct Cmd {
    name: String,
    command: Command,
    stdin: Stdin,
    stdout: Stdout,
    stderr: Stdout,
    setup: Setup,
    group: bool,
}

impl Cmd {
    /// A program with nothing on stdin and with what it says collected.
    pub fn new(program: impl AsRef<OsStr>) -> Cmd {
        Cmd {
            name: program.as_ref().to_string_lossy().into_owned(),
            command: Command::new(program),
            stdin: Stdin::Null,
            stdout: Stdout::Captured,
            stderr: Stdout::Captured,
            setup: Setup::default(),
            group: false,
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Cmd {
        self.name = format!("{} {}", self.name, arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    pub fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Cmd {
        args.into_iter().fold(self, Cmd::arg)
    }

    /// The name the program is called by, which chooses the dialect.
    pub fn called(mut self, name: &str) -> Cmd {
        self.name = format!("[{name}] {}", self.name);
        self.command.arg0(name);
        self
    }

    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Cmd {
        self.command.env(name, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Cmd {
        self.command.current_dir(dir);
        self
    }

    pub fn stdin(mut self, stdin: Stdin) -> Cmd {
        self.stdin = stdin;
        self
    }

    pub fn stdout(mut self, stdout: Stdout) -> Cmd {
        self.stdout = stdout;
        self
    }

    pub fn stderr(mut self, stderr: Stdout) -> Cmd {
        self.stderr = stderr;
        self
    }

    /// Runs it as a shell would in this terminal: stdin, stdout and the controlling terminal.
    /// stderr stays collected apart, so that tests need not pick it out of the screen.
    pub fn in_terminal(self, pty: &Pty) -> Cmd {
        self.stdin(Stdin::Fd(pty.slave()))
            .stdout(Stdout::Fd(pty.slave()))
            .controlled_by(pty)
    }

    /// Makes the terminal the controlling one, so that ctrl-C typed there becomes SIGINT.
    pub fn controlled_by(mut self, pty: &Pty) -> Cmd {
        self.setup.terminal = Some(pty.slave_fd());
        self
    }

    /// Hands on one more descriptor, under this number.
    pub fn hand(mut self, fd: OwnedFd, number: RawFd) -> Cmd {
        self.setup.handed = Some((fd, number));
        self
    }

    /// Runs it in a kernel that answers these system calls with this error.
    pub fn refused(mut self, calls: &[libc::c_long], error: i32) -> Cmd {
        self.setup.seccomp.refuse(calls, error);
        self
    }

    /// Runs it in a kernel that answers this kind of a call with this error.
    pub fn refused_kind(mut self, kind: Refused, error: i32) -> Cmd {
        self.setup.seccomp.refuse_kind(kind, error);
        self
    }

    /// Gives the process a group of its own, and ends the whole group with it (for shell lines).
    pub fn with_its_children(mut self) -> Cmd {
        self.group = true;
        self
    }

    /// Starts it.
    #[track_caller]
    pub fn spawn(mut self) -> Running {
        if env!("CARGO_CRATE_NAME").ends_with("_in_memory") {
            self.command.env("RNC_FAST", "0");
        }
        if self.group && self.setup.terminal.is_none() {
            // With a terminal the new session makes the group.
            self.command.process_group(0);
        }
        match self.stdin {
            Stdin::Pipe => self.command.stdin(Stdio::piped()),
            Stdin::Null => self.command.stdin(Stdio::null()),
            Stdin::Fd(fd) => self.command.stdin(fd),
            Stdin::Closed => {
                self.setup.closed.push(0);
                self.command.stdin(Stdio::null())
            }
        };
        let unread = matches!(self.stdout, Stdout::Unread);
        let stdout = stdio_of(self.stdout, 1, &mut self.setup.closed);
        let stderr = stdio_of(self.stderr, 2, &mut self.setup.closed);
        self.command.stdout(stdout).stderr(stderr);
        let mut child = match start(&mut self.command, self.setup) {
            Ok(child) => child,
            Err(error) => panic!("cannot start {}: {error}", self.name),
        };
        // The builder holds the descriptors it gave away; peers must see them close.
        drop(self.command);
        let pid = Pid::from_child(&child);
        let stdout_pipe = child.stdout.take();
        let (stdout, stdout_pipe) = match stdout_pipe {
            Some(pipe) if !unread => (Log::follow(pipe), None),
            other => (Log::nothing(), other),
        };
        let stderr = child.stderr.take().map_or_else(Log::nothing, Log::follow);
        let running = Running {
            name: self.name,
            stdin: child.stdin.take(),
            stdout_pipe,
            stdout,
            stderr,
            pid,
            pidfd: rustix::process::pidfd_open(pid, PidfdFlags::empty()).expect("pidfd_open"),
            child: Arc::new(Mutex::new(child)),
            group: self.group,
        };
        running.limit_life();
        running
    }

    /// Starts it and waits for its end.
    #[track_caller]
    pub fn run(self) -> Finished {
        self.spawn().wait()
    }
}

/// A process that was started. Dropping it ends it.
pub struct Running {
    name: String,
    stdin: Option<ChildStdin>,
    /// The reading end of stdout, when nobody collects it (`Stdout::Unread`).
    pub stdout_pipe: Option<ChildStdout>,
    /// What stdout has said, when it is collected.
    pub stdout: Arc<Log>,
    /// What stderr has said, when it is collected.
    pub stderr: Arc<Log>,
    pid: Pid,
    pidfd: OwnedFd,
    child: Arc<Mutex<Child>>,
    group: bool,
}

impl Running {
    pub fn pid(&self) -> i32 {
        self.pid.as_raw_nonzero().get()
    }

    /// Writes to its stdin and leaves stdin open. For a few bytes: it waits while the pipe is full.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Err(error) = self.try_send(bytes) {
            self.fail(&format!("writing to its stdin: {error}"));
        }
    }

    /// As `send`, to a process that may have ended.
    #[track_caller]
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> std::io::Result<()> {
        let Some(stdin) = &mut self.stdin else {
            self.fail("its stdin is no pipe of ours")
        };
        stdin.write_all(bytes.as_ref())
    }

    /// Writes all of it to its stdin and then closes it, on a thread of its own.
    #[track_caller]
    pub fn feed(&mut self, bytes: Vec<u8>) {
        let Some(mut stdin) = self.stdin.take() else {
            self.fail("its stdin is no pipe of ours")
        };
        // A process that ends early is judged by what it did, not by this pipe.
        std::thread::spawn(move || stdin.write_all(&bytes));
    }

    /// The writing end of its stdin, for the test to keep.
    pub fn take_stdin(&mut self) -> ChildStdin {
        self.stdin
            .take()
            .unwrap_or_else(|| panic!("{}: its stdin is no pipe of ours", self.name))
    }

    /// The same, if there is one: for a wait that is not to close it.
    pub fn hold_stdin(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    pub fn close_stdin(&mut self) {
        close(self.stdin.take());
    }

    /// The port it says it listens on: the last word of nc's line, `Listening on ADDR PORT` or
    /// `Bound on ADDR PORT`.
    #[track_caller]
    pub fn listening_port(&self) -> u16 {
        let line = self.listening_line();
        match line.rsplit(' ').next().and_then(|word| word.parse().ok()) {
            Some(port) => port,
            None => self.fail(&format!("no port in {line:?}")),
        }
    }

    /// Waits until it says that it listens, and gives the whole line.
    #[track_caller]
    pub fn listening_line(&self) -> String {
        self.stderr
            .wait_until(|bytes| listening_line(bytes).is_some());
        match listening_line(&self.stderr.bytes()) {
            Some(line) => line,
            None => self.fail("it never said that it listens"),
        }
    }

    /// The port a Python peer says it has chosen: `PORT n` on its stdout.
    #[track_caller]
    pub fn printed_port(&self) -> u16 {
        self.stdout
            .wait_until(|bytes| printed_port(bytes).is_some());
        match printed_port(&self.stdout.bytes()) {
            Some(port) => port,
            None => self.fail("it printed no PORT"),
        }
    }

    /// Says whether it has not ended yet.
    pub fn is_running(&self) -> bool {
        !ends_within(&self.pidfd, Duration::ZERO)
    }

    pub fn signal(&self, signal: Signal) {
        if self.is_running() {
            // It may end in between; the pid is ours until it is waited for.
            let _ = rustix::process::kill_process(self.pid, signal);
        }
    }

    /// Stops it (SIGSTOP) and waits until it has stopped.
    #[track_caller]
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        let path = format!("/proc/{}/stat", self.pid());
        let stopped = super::eventually(|| {
            let stat = std::fs::read_to_string(&path).unwrap_or_default();
            stat.rsplit(')')
                .next()
                .is_some_and(|rest| rest.trim_start().starts_with('T'))
        });
        if !stopped {
            self.fail("it did not stop");
        }
    }

    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits for its end; panics with all it said if it is still there at the deadline.
    #[track_caller]
    pub fn wait(mut self) -> Finished {
        self.wait_within(DEADLINE)
    }

    /// As `wait`, with a deadline of its own, for much work on a slow machine.
    #[track_caller]
    pub fn wait_within(&mut self, at_most: Duration) -> Finished {
        self.close_stdin();
        if !ends_within(&self.pidfd, at_most) {
            self.fail(&format!("still running after {at_most:?}"));
        }
        if std::mem::take(&mut self.group) {
            // Until it is waited for, its pid, and so the group, is nobody else's.
            end(&self.child, Some(self.pid));
        }
        let status = self.lock().wait().expect("wait");
        self.stdout.wait_end();
        self.stderr.wait_end();
        Finished {
            name: self.name.clone(),
            status,
            stdout: self.stdout.bytes(),
            stderr: self.stderr.text(),
        }
    }

    /// Waits for the text on its stdout.
    #[track_caller]
    pub fn shows(&self, text: &str) {
        if !self.stdout.wait_for(text) {
            self.fail(&format!("{text:?} did not appear on stdout"));
        }
    }

    /// Waits for the text on its stderr.
    #[track_caller]
    pub fn says(&self, text: &str) {
        if !self.stderr.wait_for(text) {
            self.fail(&format!("{text:?} did not appear on stderr"));
        }
    }

    /// Panics with everything known about the process.
    #[track_caller]
    pub fn fail(&self, what: &str) -> ! {
        let state = if self.is_running() {
            "running"
        } else {
            "ended"
        };
        let stdout = self.stdout.bytes();
        panic!(
            "{}: {what}\n({state}; stdout: {} bytes)\n--- stdout\n{}\n--- stderr\n{}",
            self.name,
            stdout.len(),
            readable(&stdout),
            self.stderr.text()
        );
    }

    fn limit_life(&self) {
        let pidfd = self.pidfd.try_clone().expect("dup");
        let (child, group, pid) = (Arc::clone(&self.child), self.group, self.pid);
        std::thread::spawn(move || {
            if !ends_within(&pidfd, LIFETIME) {
                end(&child, group.then_some(pid));
            }
        });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&self.child, self.group.then_some(self.pid));
        let _ = self.lock().wait();
    }
}

fn stdio_of(stdout: Stdout, fd: RawFd, closed: &mut Vec<RawFd>) -> Stdio {
    match stdout {
        Stdout::Captured | Stdout::Unread => Stdio::piped(),
        Stdout::Null => Stdio::null(),
        Stdout::Fd(fd) => fd.into(),
        Stdout::Full => File::options()
            .write(true)
            .open("/dev/full")
            .expect("open /dev/full")
            .into(),
        Stdout::Closed => {
            closed.push(fd);
            Stdio::null()
        }
    }
}

fn ends_within(pidfd: &OwnedFd, at_most: Duration) -> bool {
    let mut fds = [PollFd::new(pidfd, PollFlags::IN)];
    let at_most = Timespec::try_from(at_most).expect("a short time");
    matches!(rustix::event::poll(&mut fds, Some(&at_most)), Ok(n) if n > 0)
}

fn end(child: &Mutex<Child>, group: Option<Pid>) {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(leader) = group {
        // The group is the one this process made for it; it may be gone already.
        let _ = rustix::process::kill_process_group(leader, Signal::KILL);
    }
    // Does nothing once it has been waited for, so the pid can be nobody else's.
    let _ = child.kill();
}

fn listening_line(stderr: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(stderr);
    let (whole, _) = text.rsplit_once('\n')?;
    // A Unix datagram or UDP socket is only bound; a Unix listener says both, `Bound` first.
    let is_it = |line: &&str| line.contains("Listening on ") || line.contains("Bound on ");
    whole.lines().rfind(is_it).map(str::to_string)
}

fn printed_port(stdout: &[u8]) -> Option<u16> {
    let text = String::from_utf8_lossy(stdout);
    let (_, rest) = text.split_once("PORT ")?;
    let (port, _) = rest.split_once('\n')?;
    port.trim().parse().ok()
}
