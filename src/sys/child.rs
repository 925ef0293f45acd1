//! Programs: started with their standard input and output in our hands, each as the leader of a
//! process group of its own, watched, and ended with all they started.
//!
//! `std::process::Command` starts them: without a terminal that is posix_spawn(3), which does not
//! copy our memory.

use super::watch::{self, Watch};
use super::{limits, signal};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal, WaitOptions, waitpid};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The window a terminal begins with: what programs take for granted that cannot ask.
const WINDOW: Winsize = Winsize {
    ws_row: 24,
    ws_col: 80,
    ws_xpixel: 0,
    ws_ypixel: 0,
};

/// The first descriptor that is no standard one.
const FIRST_KEPT: libc::c_int = 3;

/// All groups that may still be there.
static GROUPS: Mutex<Vec<ProcessGroup>> = Mutex::new(Vec::new());

/// What stands between us and a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// A pipe each way.
    Bytes,
    /// Sockets: each write of the program is one message. What it reads are bytes, so that it may
    /// read a message in parts.
    Messages,
    /// A terminal, for standard error too.
    Terminal,
}

/// A program to be started.
#[derive(Debug)]
pub struct Order<'a> {
    /// The program, which is looked for in PATH if there is no slash in its name, and its
    /// arguments.
    pub words: &'a [OsString],
    /// Changes to our environment: variables to set, or to take out.
    pub environment: &'a [(String, Option<OsString>)],
    /// What stands between us and it.
    pub channel: Channel,
    /// We write its standard input; else it is /dev/null. A terminal is both in any case.
    pub input: bool,
    /// We read its standard output; else it is /dev/null.
    pub output: bool,
}

/// Our ends of the channel, non-blocking; a terminal is one descriptor for both.
#[derive(Debug)]
pub enum ChannelEnds {
    /// To its standard input, and from its standard output.
    Two(Option<OwnedFd>, Option<OwnedFd>),
    /// The terminal.
    One(OwnedFd),
}

/// A program and all it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ProcessGroup {
    leader: Pid,
    /// It leads a session, of a terminal, in which a shell gives each job a group of its own.
    is_session: bool,
}

/// A program that was started. Dropping it ends it, and all in its group, at once.
#[derive(Debug)]
pub struct Process {
    child: Child,
    watch: Watch,
    group: ProcessGroup,
    is_reaped: bool,
}

/// Starts a program.
///
/// # Errors
/// It cannot be started: ENOENT, EACCES, EAGAIN, EMFILE and the like.
pub fn start(order: &Order<'_>) -> io::Result<(Process, ChannelEnds)> {
    let Some((program, arguments)) = order.words.split_first() else {
        return Err(Errno::NOENT.into());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, value) in order.environment {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let ends = connect(&mut command, order)?;
    // What ends all groups finds this one too: they wait for the list.
    let mut groups = groups();
    let inherited = signal::pass_on(&mut command);
    let child = command.spawn();
    drop(inherited);
    let mut child = child?;
    let leader = Pid::from_child(&child);
    limits::restore_descriptors(leader);
    let group = ProcessGroup {
        leader,
        is_session: order.channel == Channel::Terminal,
    };
    match Watch::new(leader) {
        Ok(watch) => {
            groups.push(group);
            let is_reaped = false;
            let process = Process {
                child,
                watch,
                group,
                is_reaped,
            };
            Ok((process, ends))
        }
        Err(error) => {
            group.signal(Signal::KILL);
            // It has been killed: this does not take long.
            let _ = child.wait();
            Err(error)
        }
    }
}

/// Has what programs leave behind become children of this process, as all orphans are of process 1,
/// and not of a process 1 that may never reap them. See PR_SET_CHILD_SUBREAPER(2const).
pub fn adopt_orphans() {
    // A kernel that refuses leaves them to process 1.
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Reaps the children that have ended and were not started here: orphans.
pub fn reap_orphans() {
    let groups = groups();
    // Once a program is reaped, this is called again: what it hides is found then.
    while let Some(pid) = ended_child()
        && groups.iter().all(|group| group.leader != pid)
    {
        // It is there: it was seen a moment ago.
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

/// A child that has ended and was not reaped.
fn ended_child() -> Option<Pid> {
    let how = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: all-zero is valid for the C struct, which the call fills in; without a child that has
    // ended its process identifier stays 0.
    let pid = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_ALL, 0, &mut info, how);
        info.si_pid()
    };
    Pid::from_raw(pid)
}

/// Ends all groups at once; no program can be started after that. For a process that is about to
/// end and cannot wait.
pub fn end_all() {
    let groups = groups();
    for group in groups.iter() {
        group.signal(Signal::KILL);
    }
    // Kept for good: no other one is started.
    std::mem::forget(groups);
}

/// Keeps every descriptor but the standard ones from programs started later, those too that this
/// process was given when it was started.
pub fn keep_descriptors() {
    // SAFETY: the flag only marks descriptors as to be closed in programs; none is closed here.
    let marked = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            libc::c_long::from(FIRST_KEPT),
            libc::c_long::from(libc::c_int::MAX),
            libc::CLOSE_RANGE_CLOEXEC as libc::c_long,
        )
    };
    // Linux before 5.11, or a profile that does not know the call.
    if marked < 0 {
        keep_listed_descriptors();
    }
}

/// As `keep_descriptors`, for those that /proc lists.
fn keep_listed_descriptors() {
    let listed = std::fs::read_dir("/proc/self/fd").into_iter().flatten();
    let numbers = listed
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let numbers: Vec<i32> = numbers.filter(|number| *number >= FIRST_KEPT).collect();
    for number in numbers {
        // SAFETY: as above. The list itself is closed by now: its number is refused.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

fn groups() -> MutexGuard<'static, Vec<ProcessGroup>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ProcessGroup {
    /// Sends a signal to all that are in it.
    fn signal(self, signal: Signal) {
        // No process is left, or those left are another user's.
        let _ = rustix::process::kill_process_group(self.leader, signal);
        for pid in self.others() {
            let _ = rustix::process::kill_process(pid, signal);
            // An interactive shell ignores SIGTERM, and a stopped job acts on no signal.
            if signal == Signal::TERM {
                let _ = rustix::process::kill_process(pid, Signal::HUP);
                let _ = rustix::process::kill_process(pid, Signal::CONT);
            }
        }
    }

    /// Returns whether a process of it is left. The leader counts until it is reaped.
    fn is_there(self) -> bool {
        rustix::process::test_kill_process_group(self.leader).is_ok() || !self.others().is_empty()
    }

    /// All processes of its session, if it is one.
    fn others(self) -> Vec<Pid> {
        if self.is_session {
            session_members(self.leader)
        } else {
            Vec::new()
        }
    }
}

/// The processes of a session that have not ended. See proc_pid_stat(5).
fn session_members(session: Pid) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let is_member = |pid: &Pid| {
        let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
        // The name of the program, in parentheses, may hold anything.
        let behind = stat.iter().rposition(|byte| *byte == b')');
        let behind = behind.map_or("", |at| std::str::from_utf8(&stat[at + 1..]).unwrap_or(""));
        let mut fields = behind.split_ascii_whitespace();
        let has_ended = matches!(fields.next(), None | Some("Z" | "X"));
        !has_ended && fields.nth(2) == Some(&session.to_string())
    };
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter_map(Pid::from_raw).filter(is_member).collect()
}

/// Makes the channel, and gives the program its ends of it.
fn connect(command: &mut Command, order: &Order<'_>) -> io::Result<ChannelEnds> {
    if order.channel == Channel::Terminal {
        return terminal(command).map(ChannelEnds::One);
    }
    let messages = order.channel == Channel::Messages;
    command.process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let mut ends = (None, None);
    if order.input {
        let (theirs, ours) = if messages {
            socket_pair(SocketType::STREAM)?
        } else {
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?
        };
        set_nonblocking(&ours)?;
        command.stdin(theirs);
        ends.0 = Some(ours);
    }
    if order.output {
        let (ours, theirs) = if messages {
            socket_pair(SocketType::SEQPACKET)?
        } else {
            rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?
        };
        set_nonblocking(&ours)?;
        command.stdout(theirs);
        ends.1 = Some(ours);
    }
    Ok(ChannelEnds::Two(ends.0, ends.1))
}

fn socket_pair(kind: SocketType) -> io::Result<(OwnedFd, OwnedFd)> {
    let pair = rustix::net::socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None);
    Ok(pair?)
}

/// The other end has a description of its own, which keeps blocking.
fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(fd)?;
    Ok(rustix::fs::fcntl_setfl(fd, flags | OFlags::NONBLOCK)?)
}

/// Gives the program a terminal of its own, in a session of its own; gives our end of it.
fn terminal(command: &mut Command) -> io::Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&ours)?;
    rustix::pty::unlockpt(&ours)?;
    // By its name where the kernel cannot open it otherwise: Linux before 4.13, sandboxes.
    let theirs = rustix::pty::ioctl_tiocgptpeer(&ours, flags).or_else(|_| {
        let name = rustix::pty::ptsname(&ours, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        rustix::fs::open(name, flags, Mode::empty())
    })?;
    rustix::termios::tcsetwinsize(&theirs, WINDOW)?;
    set_nonblocking(&ours)?;
    command.stdin(theirs.try_clone()?);
    command.stdout(theirs.try_clone()?).stderr(theirs);
    let controls = || {
        rustix::process::setsid()?;
        rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        Ok(())
    };
    // SAFETY: the closure runs between fork and exec; it only makes two system calls, and
    // allocates nothing.
    unsafe { command.pre_exec(controls) };
    Ok(ours)
}

/// What ends a line, and a file, when it is typed at this terminal.
pub fn end_of_file(terminal: impl AsFd) -> u8 {
    let settings = rustix::termios::tcgetattr(terminal);
    settings.map_or(0x04, |settings| {
        settings.special_codes[rustix::termios::SpecialCodeIndex::VEOF]
    })
}

impl Process {
    /// What reports that the program has ended.
    pub fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Returns whether the program has ended.
    pub fn has_ended(&self) -> bool {
        self.is_reaped || watch::has_ended(self.group.leader)
    }

    /// Sends a signal to the program and all it started.
    pub fn signal(&self, signal: Signal) {
        self.group.signal(signal);
    }

    /// Returns whether a process is left in its group. The program itself counts until it is
    /// reaped.
    pub fn has_others(&self) -> bool {
        // One that has ended and was not reaped would count.
        reap_orphans();
        self.group.is_there()
    }

    /// The exit code, as a shell gives it: 128 + n after signal n; `None` while it runs. The
    /// group's number may be given to others once no process is left in the group.
    pub fn reap(&mut self) -> Option<u8> {
        let status = self.child.try_wait().ok().flatten()?;
        self.is_reaped = true;
        reap_orphans();
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        code.map(|code| u8::try_from(code).unwrap_or(u8::MAX))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let mut groups = groups();
        groups.retain(|group| *group != self.group);
        if !self.is_reaped {
            self.signal(Signal::KILL);
            // What is not gone by now is reaped by the system when this process ends.
            let _ = self.child.try_wait();
        }
    }
}
