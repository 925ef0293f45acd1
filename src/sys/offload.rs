//! Moving bytes from one descriptor to another inside the kernel: sendfile(2), splice(2), and
//! recv(2) with MSG_TRUNC, which throws away what /dev/null would.

use super::errno;
use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;
use rustix::net::RecvFlags;
use rustix::pipe::{PipeFlags, SpliceFlags};
use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Bytes moved in one call at most; also the size asked for each pipe on the way. Larger ones
/// gained nothing in measurements.
const PIECE_BYTES: usize = 1 << 20;

/// What a descriptor is, as far as the kernel's movers care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawKind {
    /// A regular file or block device.
    File,
    /// A pipe or FIFO of bytes.
    Pipe,
    /// A TCP socket of ours, non-blocking.
    Tcp,
    /// Another stream socket of ours, non-blocking.
    Socket,
    /// /dev/null.
    Null,
}

/// A descriptor that bytes may reach or leave without passing through this process.
#[derive(Clone, Copy, Debug)]
pub struct RawEnd<'a> {
    /// The descriptor.
    pub fd: BorrowedFd<'a>,
    /// What it is.
    pub kind: RawKind,
}

/// What the kernel can move bytes from standard input or to standard output by; `None` for
/// terminals, shared sockets (they may block), files opened with O_APPEND, and files yet to be
/// written, whose pages cost more than a copy.
pub fn standard_kind(fd: BorrowedFd<'_>) -> Option<RawKind> {
    let stat = rustix::fs::fstat(fd).ok()?;
    let flags = rustix::fs::fcntl_getfl(fd).ok()?;
    let writes = flags.intersects(OFlags::WRONLY | OFlags::RDWR);
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if writes => {
            let grows = rustix::fs::tell(fd).is_ok_and(|at| at >= stat.st_size as u64);
            (!flags.contains(OFlags::APPEND) && !grows).then_some(RawKind::File)
        }
        FileType::RegularFile | FileType::BlockDevice => Some(RawKind::File),
        FileType::Fifo => (!flags.contains(OFlags::DIRECT)).then_some(RawKind::Pipe),
        FileType::CharacterDevice => {
            let null = rustix::fs::makedev(1, 3);
            (stat.st_rdev == null && writes).then_some(RawKind::Null)
        }
        _ => None,
    }
}

/// What one call of a mover came to.
#[derive(Debug)]
pub enum Carried {
    /// That many bytes have left the source, and that many reached the sink.
    Bytes {
        /// Bytes taken from the source.
        taken: usize,
        /// Bytes given to the sink.
        given: usize,
    },
    /// The source has ended, and everything has reached the sink.
    Eof,
    /// splice(2) or sendfile(2) returned 0: the source has ended, or it is at urgent data. Only a
    /// read can tell.
    Nothing,
    /// Nothing moves: the source has nothing, the sink takes nothing, or both.
    Blocked {
        /// The source has nothing now.
        source: bool,
        /// The sink takes nothing now.
        sink: bool,
    },
    /// The kernel does not do this with these descriptors.
    Refused,
    /// Reading failed.
    SourceError(io::Error),
    /// Writing failed.
    SinkError(io::Error),
}

/// A way to move bytes between two descriptors.
#[derive(Debug)]
pub enum Mover {
    /// From a file to a socket.
    SendFile,
    /// From a pipe, or to one.
    Splice,
    /// From a TCP socket to nowhere; the buffer is never touched, only its length counts.
    Discard(Vec<u8>),
    /// From a socket to a file or socket, or from one that is not TCP to nowhere, through a pipe of
    /// our own.
    ThroughPipe(ThroughPipe),
}

/// A way through a pipe, which is held only while bytes are in it: idle ways cost no descriptors.
#[derive(Debug, Default)]
pub struct ThroughPipe {
    pipe: Option<OwnPipe>,
    /// Bytes in the pipe.
    held: usize,
}

/// A pipe of our own, non-blocking at both ends.
#[derive(Debug)]
struct OwnPipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

thread_local! {
    /// Empty pipes, for the next move that needs one.
    static SPARE: RefCell<Vec<OwnPipe>> = const { RefCell::new(Vec::new()) };
}

/// Empty pipes kept; more are closed.
const SPARE_PIPES: usize = 4;

impl Mover {
    /// The way between two ends, if there is one.
    pub fn between(source: RawEnd<'_>, sink: RawEnd<'_>) -> Option<Mover> {
        use RawKind::{File, Null, Pipe, Socket, Tcp};
        match (source.kind, sink.kind) {
            (File, Tcp | Socket) => Some(Mover::SendFile),
            (Tcp, Null) => Some(Mover::Discard(vec![0; PIECE_BYTES])),
            (Pipe, Tcp | Socket) | (Tcp | Socket, Pipe) => {
                for end in [source, sink] {
                    if end.kind == Pipe {
                        enlarge(end.fd);
                    }
                }
                Some(Mover::Splice)
            }
            (Socket, Null) | (Tcp | Socket, File | Tcp | Socket) => {
                Some(Mover::ThroughPipe(ThroughPipe::default()))
            }
            _ => None,
        }
    }

    /// Moves once, taking at most `most` bytes more from the source. Never waits.
    pub fn carry(&mut self, source: RawEnd<'_>, sink: RawEnd<'_>, most: usize) -> Carried {
        let piece = most.min(PIECE_BYTES);
        match self {
            Mover::ThroughPipe(way) => way.carry(source, sink, piece),
            _ if piece == 0 => Carried::Eof,
            Mover::SendFile => {
                let moved = rustix::fs::sendfile(sink.fd, source.fd, None, piece);
                moved_by(moved, source, sink)
            }
            Mover::Splice => moved_by(splice(source.fd, sink.fd, piece), source, sink),
            Mover::Discard(buf) => {
                let moved = rustix::net::recv(source.fd, &mut buf[..piece], RecvFlags::TRUNC);
                match moved.map(|(_, n)| n) {
                    Err(Errno::AGAIN) => Carried::Blocked {
                        source: true,
                        sink: false,
                    },
                    Err(Errno::INTR) => Carried::Bytes { taken: 0, given: 0 },
                    Err(error) => Carried::SourceError(error.into()),
                    Ok(0) => Carried::Eof,
                    Ok(n) => Carried::Bytes { taken: n, given: n },
                }
            }
        }
    }

    /// Bytes that have left the source and not reached the sink.
    pub fn held(&self) -> usize {
        match self {
            Mover::ThroughPipe(way) => way.held,
            Mover::SendFile | Mover::Splice | Mover::Discard(_) => 0,
        }
    }

    /// Takes out what is held, to go on in another way.
    pub fn into_held(self) -> Vec<u8> {
        let Mover::ThroughPipe(ThroughPipe {
            pipe: Some(pipe),
            held,
        }) = self
        else {
            return Vec::new();
        };
        let mut held = vec![0; held];
        let mut got = 0;
        while got < held.len() {
            match rustix::io::read(&pipe.reader, &mut held[got..]) {
                Ok(0) => break,
                Ok(n) => got += n,
                Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
        held.truncate(got);
        held
    }
}

impl ThroughPipe {
    /// Empties the pipe into the sink, or fills it from the source.
    fn carry(&mut self, source: RawEnd<'_>, sink: RawEnd<'_>, piece: usize) -> Carried {
        match (&self.pipe, piece) {
            (Some(pipe), _) if self.held > 0 => {
                let moved = splice(pipe.reader.as_fd(), sink.fd, self.held);
                self.emptied_by(moved)
            }
            (_, 0) => Carried::Eof,
            (_, piece) => self.fill(source, piece),
        }
    }

    fn emptied_by(&mut self, moved: rustix::io::Result<usize>) -> Carried {
        match moved {
            Ok(given) => {
                self.held -= given.min(self.held);
                if self.held == 0 {
                    self.pipe.take().into_iter().for_each(OwnPipe::give_back);
                }
                Carried::Bytes { taken: 0, given }
            }
            Err(Errno::AGAIN) => Carried::Blocked {
                source: false,
                sink: true,
            },
            Err(Errno::INTR) => Carried::Bytes { taken: 0, given: 0 },
            Err(error) if errno::is_refusal(error) => Carried::Refused,
            Err(error) => Carried::SinkError(error.into()),
        }
    }

    fn fill(&mut self, source: RawEnd<'_>, piece: usize) -> Carried {
        let Ok(pipe) = OwnPipe::take() else {
            return Carried::Refused;
        };
        let moved = splice(source.fd, pipe.writer.as_fd(), piece);
        if let Ok(held @ 1..) = moved {
            (self.pipe, self.held) = (Some(pipe), held);
            return Carried::Bytes {
                taken: held,
                given: 0,
            };
        }
        pipe.give_back();
        match moved {
            Ok(_) => Carried::Nothing,
            Err(Errno::AGAIN) => Carried::Blocked {
                source: true,
                sink: false,
            },
            Err(Errno::INTR) => Carried::Bytes { taken: 0, given: 0 },
            Err(error) if errno::is_refusal(error) => Carried::Refused,
            Err(error) => Carried::SourceError(error.into()),
        }
    }
}

impl OwnPipe {
    /// An empty pipe: a spare one, or a new one.
    fn take() -> io::Result<OwnPipe> {
        if let Some(spare) = SPARE.with_borrow_mut(Vec::pop) {
            return Ok(spare);
        }
        let flags = PipeFlags::CLOEXEC | PipeFlags::NONBLOCK;
        let (reader, writer) = rustix::pipe::pipe_with(flags)?;
        enlarge(writer.as_fd());
        Ok(OwnPipe { reader, writer })
    }

    /// Keeps an empty pipe for the next move that needs one.
    fn give_back(self) {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < SPARE_PIPES {
                spare.push(self);
            }
        });
    }
}

/// What a direct move came to. The call itself does not show which side blocks, or broke.
fn moved_by(moved: rustix::io::Result<usize>, source: RawEnd<'_>, sink: RawEnd<'_>) -> Carried {
    match moved {
        Ok(0) => Carried::Nothing,
        Ok(n) => Carried::Bytes { taken: n, given: n },
        Err(Errno::INTR) => Carried::Bytes { taken: 0, given: 0 },
        Err(Errno::AGAIN) => {
            let blocked = [
                (source.kind, !super::stdio::is_readable(source.fd)),
                (sink.kind, !super::stdio::is_writable(sink.fd)),
            ];
            let [source, sink] = blocked.map(|(kind, blocks)| blocks && kind != RawKind::File);
            Carried::Blocked { source, sink }
        }
        Err(Errno::OVERFLOW) => Carried::Refused,
        Err(error) if errno::is_refusal(error) => Carried::Refused,
        Err(Errno::PIPE) => Carried::SinkError(Errno::PIPE.into()),
        Err(error) if matches!(source.kind, RawKind::Tcp | RawKind::Socket) => {
            Carried::SourceError(error.into())
        }
        Err(error @ (Errno::IO | Errno::STALE)) if source.kind == RawKind::File => {
            Carried::SourceError(error.into())
        }
        Err(error) => Carried::SinkError(error.into()),
    }
}

fn splice(from: BorrowedFd<'_>, to: BorrowedFd<'_>, len: usize) -> rustix::io::Result<usize> {
    rustix::pipe::splice(
        from,
        None,
        to,
        None,
        len,
        SpliceFlags::NONBLOCK | SpliceFlags::MOVE,
    )
}

/// Gives a pipe room for a whole piece, if the system allows it. That of a user may be enlarged
/// too: nobody loses by it.
pub fn enlarge(pipe: BorrowedFd<'_>) {
    // Refused above the system's limit, or below what is in it: then it stays as it is.
    let _ = rustix::pipe::fcntl_setpipe_size(pipe, PIECE_BYTES);
}
