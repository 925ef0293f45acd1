//! Every kind of stdin with every kind of stdout, in both roles, over both transports: a payload
//! goes each way, as far as the kinds allow, and rnc leaves as the contract says.

use super::session::{Role, Session, session_with};
use crate::common::{
    Cmd, Finished, Log, Pty, Running, Stdin, Stdout, TempDir, Transport, difference, eventually,
    is_nonblocking, lines, pattern,
};
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum InKind {
    Terminal,
    Pipe,
    File,
    Null,
    Closed,
    /// As inetd gives it.
    Socket,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum OutKind {
    Terminal,
    Pipe,
    File,
    AppendFile,
    Null,
    Full,
    /// Its reader is gone.
    ClosedPipe,
    Closed,
    Socket,
}

const IN_KINDS: [InKind; 6] = [
    InKind::Terminal,
    InKind::Pipe,
    InKind::File,
    InKind::Null,
    InKind::Closed,
    InKind::Socket,
];

const OUT_KINDS: [OutKind; 9] = [
    OutKind::Terminal,
    OutKind::Pipe,
    OutKind::File,
    OutKind::AppendFile,
    OutKind::Null,
    OutKind::Full,
    OutKind::ClosedPipe,
    OutKind::Closed,
    OutKind::Socket,
];

/// A cell that fails may wait for its deadline; after this many the rest is not tried.
const MAX_FAILURES: usize = 4;

#[test]
fn stdin_ends_first_as_tcp_client() {
    every_cell(Role::Connect, Transport::Tcp, stdin_ends_first, |_, _| true);
}

#[test]
fn stdin_ends_first_as_tcp_listener() {
    every_cell(Role::Listen, Transport::Tcp, stdin_ends_first, has_stdin);
}

#[test]
fn stdin_ends_first_as_unix_client() {
    every_cell(Role::Connect, Transport::Unix, stdin_ends_first, |_, _| {
        true
    });
}

#[test]
fn stdin_ends_first_as_unix_listener() {
    every_cell(Role::Listen, Transport::Unix, stdin_ends_first, has_stdin);
}

#[test]
fn peer_ends_first_as_tcp_client() {
    every_cell(
        Role::Connect,
        Transport::Tcp,
        peer_ends_first,
        can_wait_for_the_peer,
    );
}

#[test]
fn peer_ends_first_as_tcp_listener() {
    every_cell(
        Role::Listen,
        Transport::Tcp,
        peer_ends_first,
        can_wait_for_the_peer,
    );
}

#[test]
fn peer_ends_first_as_unix_client() {
    every_cell(
        Role::Connect,
        Transport::Unix,
        peer_ends_first,
        can_wait_for_the_peer,
    );
}

#[test]
fn peer_ends_first_as_unix_listener() {
    every_cell(
        Role::Listen,
        Transport::Unix,
        peer_ends_first,
        can_wait_for_the_peer,
    );
}

/// The kinds of stdin whose end a listener passes on: without one it waits for the peer's.
fn has_stdin(stdin: InKind, _: OutKind) -> bool {
    !matches!(stdin, InKind::Null | InKind::Closed)
}

/// The kinds of stdin that stay open for as long as the test likes, with the kinds of stdout that
/// take what comes.
fn can_wait_for_the_peer(stdin: InKind, stdout: OutKind) -> bool {
    matches!(stdin, InKind::Terminal | InKind::Pipe | InKind::Socket)
        && !matches!(stdout, OutKind::Full | OutKind::ClosedPipe)
}

fn every_cell(
    role: Role,
    transport: Transport,
    scenario: fn(Cell),
    applies: fn(InKind, OutKind) -> bool,
) {
    let mut failures = Vec::new();
    for stdin in IN_KINDS {
        for stdout in OUT_KINDS {
            if !applies(stdin, stdout) || failures.len() >= MAX_FAILURES {
                continue;
            }
            let run = || scenario(Cell::new(stdin, stdout, role, transport));
            if let Err(panic) = catch_unwind(AssertUnwindSafe(run)) {
                let why = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                failures.push(format!("=== stdin {stdin:?}, stdout {stdout:?}: {why}"));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "as {role:?} over {transport:?}:\n{}",
        failures.join("\n")
    );
}

/// stdin's payload goes out, then its end; the peer has it all, answers, and closes; the answer
/// is on stdout, and rnc leaves.
///
/// With a terminal on stdin and nobody reading stdout, nothing is left to stay for: rnc may leave
/// before anything is typed.
fn stdin_ends_first(mut cell: Cell) {
    if (cell.stdin.kind, cell.stdout.kind) != (InKind::Terminal, OutKind::ClosedPipe) {
        cell.stdin.give_all(&mut cell.session.rnc);
        let got = cell.session.peer.read_all(&cell.session.rnc);
        assert_payload("the peer got", &got, &cell.stdin.payload, &cell);
    }
    let answer = cell.stdout.payload.clone();
    let sent = cell.session.peer.write_all(&answer);
    if cell.stdout.takes_everything() && sent.is_err() {
        cell.session
            .rnc
            .fail(&format!("the peer could not answer: {sent:?}"));
    }
    cell.finish();
}

/// The peer's payload comes in, then its end; it is on stdout. stdin's payload still goes out —
/// but with a terminal on stdin the peer's end is the end.
fn peer_ends_first(mut cell: Cell) {
    let payload = cell.stdout.payload.clone();
    cell.session.peer.say(&payload, &cell.session.rnc);
    cell.session.peer.half_close();
    if !eventually(|| cell.stdout.has_everything(&cell.session.rnc)) {
        cell.session
            .rnc
            .fail("the peer's payload did not get to stdout");
    }
    if cell.stdin.kind != InKind::Terminal {
        cell.stdin.give_all(&mut cell.session.rnc);
        let got = cell.session.peer.read_all(&cell.session.rnc);
        assert_payload("the peer got", &got, &cell.stdin.payload, &cell);
    }
    cell.finish();
}

#[track_caller]
fn assert_payload(what: &str, got: &[u8], wanted: &[u8], cell: &Cell) {
    if let Some(difference) = difference(got, wanted) {
        cell.session.rnc.fail(&format!("{what}: {difference}"));
    }
}

/// One session with its two standard descriptors.
struct Cell {
    stdin: Input,
    stdout: Output,
    session: Session,
}

impl Cell {
    #[track_caller]
    fn new(stdin: InKind, stdout: OutKind, role: Role, transport: Transport) -> Cell {
        let dir = TempDir::new();
        let in_terminal = (stdin == InKind::Terminal).then(|| Arc::new(Pty::open()));
        let out_terminal = in_terminal.clone().unwrap_or_else(|| Arc::new(Pty::open()));
        let (input, given_in) = Input::new(stdin, in_terminal, &dir);
        let (output, given_out) = Output::new(stdout, out_terminal, dir);
        let shape = |cmd: Cmd| {
            let cmd = cmd.stdin(given_in).stdout(given_out);
            match &input.terminal {
                Some(pty) => cmd.controlled_by(pty),
                None => cmd,
            }
        };
        let session = session_with(role, transport, &[], shape);
        Cell {
            stdin: input,
            stdout: output,
            session,
        }
    }

    /// Waits for the end and checks everything that should hold then.
    fn finish(self) {
        let Cell {
            stdin,
            stdout,
            session,
        } = self;
        let Session { rnc, peer, .. } = session;
        drop(peer);
        let done = rnc.wait();
        let done = match stdout.kind {
            OutKind::Full => done
                .expect_code(1)
                .expect_complaint("No space left on device"),
            OutKind::Closed if !stdout.payload.is_empty() => {
                done.expect_code(1).expect_complaint("Bad file descriptor")
            }
            _ => done.expect_code(0).expect_silence(),
        };
        stdout.expect_everything(&done);
        stdin.expect_unchanged(&done);
    }
}

/// stdin as the test sees it.
struct Input {
    kind: InKind,
    payload: Vec<u8>,
    terminal: Option<Arc<Pty>>,
    settings_before: Option<String>,
    /// The test's end of the socket.
    socket: Option<UnixStream>,
    /// The same open file description that rnc has.
    shared: Option<OwnedFd>,
}

impl Input {
    fn new(kind: InKind, terminal: Option<Arc<Pty>>, dir: &TempDir) -> (Input, Stdin) {
        let settings_before = terminal.as_ref().map(|pty| pty.settings());
        let mut input = Input {
            kind,
            payload: pattern(100_000, 1),
            terminal,
            settings_before,
            socket: None,
            shared: None,
        };
        let given = match kind {
            InKind::Terminal => {
                input.payload = lines(3, "typed");
                let pty = input.terminal.as_ref().expect("a terminal");
                Stdin::Fd(input.share(pty.slave()))
            }
            InKind::Pipe => Stdin::Pipe,
            InKind::File => {
                let file = dir.open_at("stdin", b"already used\n", &input.payload);
                Stdin::Fd(input.share(file.into()))
            }
            InKind::Null | InKind::Closed => {
                input.payload.clear();
                if kind == InKind::Null {
                    Stdin::Null
                } else {
                    Stdin::Closed
                }
            }
            InKind::Socket => {
                let (ours, theirs) = UnixStream::pair().expect("socketpair");
                input.socket = Some(ours);
                Stdin::Fd(input.share(theirs.into()))
            }
        };
        (input, given)
    }

    fn share(&mut self, fd: OwnedFd) -> OwnedFd {
        self.shared = Some(fd.try_clone().expect("dup"));
        fd
    }

    /// Gives the payload and then the end.
    fn give_all(&mut self, rnc: &mut Running) {
        match self.kind {
            InKind::Terminal => {
                let pty = self.terminal.as_ref().expect("a terminal");
                pty.types(&self.payload);
                pty.types_end();
            }
            InKind::Pipe => rnc.feed(self.payload.clone()),
            InKind::Socket => {
                let mut ours = self.socket.take().expect("a socket");
                let payload = self.payload.clone();
                std::thread::spawn(move || ours.write_all(&payload));
            }
            InKind::File | InKind::Null | InKind::Closed => {}
        }
    }

    fn expect_unchanged(self, done: &Finished) {
        if let (Some(pty), Some(before)) = (&self.terminal, &self.settings_before) {
            assert_eq!(&pty.settings(), before, "the terminal's settings");
        }
        if let Some(fd) = &self.shared {
            assert!(!is_nonblocking(fd), "O_NONBLOCK was left on stdin\n{done}");
        }
        if self.kind == InKind::File {
            let mut rest = Vec::new();
            File::from(self.shared.expect("the file"))
                .read_to_end(&mut rest)
                .expect("read");
            assert!(
                rest.is_empty(),
                "stdin's position is {} bytes short of its end",
                rest.len()
            );
        }
    }
}

/// stdout as the test sees it.
struct Output {
    kind: OutKind,
    payload: Vec<u8>,
    path: PathBuf,
    terminal: Arc<Pty>,
    /// What comes out of the test's end of the socket.
    socket: Option<Arc<Log>>,
    shared: Option<OwnedFd>,
    _dir: TempDir,
}

/// What the file on stdout held before rnc came.
const BEFORE: &[u8] = b"from an earlier command\n";

impl Output {
    fn new(kind: OutKind, terminal: Arc<Pty>, dir: TempDir) -> (Output, Stdout) {
        let mut output = Output {
            kind,
            payload: pattern(200_000, 2),
            path: dir.join("stdout"),
            terminal,
            socket: None,
            shared: None,
            _dir: dir,
        };
        let given = match kind {
            OutKind::Terminal => {
                output.payload = lines(200, "shown");
                Stdout::Fd(output.share(output.terminal.slave()))
            }
            OutKind::Pipe => Stdout::Captured,
            OutKind::File => {
                let mut file = File::create(&output.path).expect("make a file");
                file.write_all(BEFORE).expect("write");
                Stdout::Fd(output.share(file.into()))
            }
            OutKind::AppendFile => {
                std::fs::write(&output.path, BEFORE).expect("write");
                let file = File::options()
                    .append(true)
                    .open(&output.path)
                    .expect("open");
                Stdout::Fd(output.share(file.into()))
            }
            OutKind::Null => Stdout::Null,
            OutKind::Full => Stdout::Full,
            OutKind::ClosedPipe => {
                let (_, writer) = std::io::pipe().expect("pipe");
                Stdout::Fd(writer.into())
            }
            OutKind::Closed => Stdout::Closed,
            OutKind::Socket => {
                let (ours, theirs) = UnixStream::pair().expect("socketpair");
                output.socket = Some(Log::follow(ours));
                Stdout::Fd(output.share(theirs.into()))
            }
        };
        (output, given)
    }

    fn share(&mut self, fd: OwnedFd) -> OwnedFd {
        self.shared = Some(fd.try_clone().expect("dup"));
        fd
    }

    fn takes_everything(&self) -> bool {
        !matches!(self.kind, OutKind::Full | OutKind::ClosedPipe)
    }

    /// What has come out so far, where that can be seen.
    fn so_far(&self, captured: &[u8]) -> Option<Vec<u8>> {
        match self.kind {
            OutKind::Pipe => Some(captured.to_vec()),
            OutKind::File | OutKind::AppendFile => Some(std::fs::read(&self.path).expect("read")),
            OutKind::Socket => self.socket.as_ref().map(|log| log.bytes()),
            OutKind::Terminal => Some(self.terminal.screen().bytes()),
            OutKind::Null | OutKind::Full | OutKind::ClosedPipe | OutKind::Closed => None,
        }
    }

    /// What should come out: line ends are the terminal's, and a file keeps what it had.
    fn wanted(&self) -> Vec<u8> {
        match self.kind {
            OutKind::Terminal => String::from_utf8_lossy(&self.payload)
                .replace('\n', "\r\n")
                .into_bytes(),
            OutKind::File | OutKind::AppendFile => [BEFORE, &self.payload].concat(),
            _ => self.payload.clone(),
        }
    }

    fn has_everything(&self, rnc: &Running) -> bool {
        let wanted = self.wanted();
        match self.so_far(&rnc.stdout.bytes()) {
            Some(so_far) if self.kind == OutKind::Terminal => so_far.ends_with(&wanted),
            Some(so_far) => so_far.len() >= wanted.len(),
            None => true,
        }
    }

    fn expect_everything(self, done: &Finished) {
        if self.kind == OutKind::Terminal {
            self.terminal
                .screen()
                .wait_until(|bytes| bytes.ends_with(&self.wanted()));
        }
        if let Some(log) = &self.socket {
            let wanted = self.payload.len();
            log.wait_until(|bytes| bytes.len() >= wanted);
        }
        let wanted = self.wanted();
        let Some(mut got) = self.so_far(&done.stdout) else {
            return;
        };
        if self.kind == OutKind::Terminal {
            // Before it are the echoes of what was typed.
            got.drain(..got.len().saturating_sub(wanted.len()));
        }
        if let Some(difference) = difference(&got, &wanted) {
            panic!("stdout: {difference}\n{done}");
        }
        if let Some(fd) = self.shared {
            assert!(
                !is_nonblocking(&fd),
                "O_NONBLOCK was left on stdout\n{done}"
            );
            if self.kind == OutKind::File {
                let position = File::from(fd).stream_position().expect("position");
                assert_eq!(
                    position,
                    wanted.len() as u64,
                    "where the next command would write"
                );
            }
        }
    }
}
