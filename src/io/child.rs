//! A program as one end of a session: its standard output is the source, its standard input the
//! sink. The descriptors are ours, and non-blocking at our end only.
//!
//! Whatever still holds the other ends, all is over when the program itself has ended: what it
//! wrote is read, and then comes the end.

use super::reactor::{Registered, Registrar};
use super::ready::{Bits, Got, Put, Ready, WriteFault};
use crate::sys::child::{self, Channel, ChannelEnds, Order, Process};
use crate::sys::offload::{self, RawEnd, RawKind};
use crate::sys::sockopt;
use mio::Interest;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

/// Ends of file typed at a terminal: the first one ends a line that is not empty, the second one
/// the file.
const TYPED_ENDS: u8 = 2;

/// A program.
#[derive(Debug)]
pub struct Child {
    channel: Channel,
    /// Its standard input; without it what comes is discarded.
    input: Option<PipeEnd>,
    /// Its standard output; without it nothing ever comes but the end.
    output: Option<PipeEnd>,
    /// The program has ended.
    exited: bool,
    /// What reports that.
    exit: Registered,
    /// Ends of file still to be typed.
    typing: u8,
    process: Process,
}

#[derive(Debug)]
struct PipeEnd {
    fd: Rc<OwnedFd>,
    id: Registered,
    bits: Bits,
}

impl Child {
    /// Starts a program, and registers our ends of the channel and what reports that it has ended.
    ///
    /// # Errors
    /// It cannot be started, or a descriptor cannot be registered.
    pub fn start(order: &Order<'_>, registrar: &Registrar<'_>) -> io::Result<Child> {
        let (process, ends) = child::start(order)?;
        let exit = registrar.register_program(process.watch())?;
        let half = |fd: Rc<OwnedFd>, interest| -> io::Result<PipeEnd> {
            let id = registrar.register(fd.as_fd(), interest)?;
            let bits = Bits::new(true);
            Ok(PipeEnd { fd, id, bits })
        };
        let (input, output) = match ends {
            ChannelEnds::Two(input, output) => (
                input.map(|fd| half(Rc::new(fd), Interest::WRITABLE)),
                output.map(|fd| half(Rc::new(fd), Interest::READABLE)),
            ),
            ChannelEnds::One(fd) => {
                let input = half(Rc::new(fd), Interest::READABLE | Interest::WRITABLE)?;
                let output = PipeEnd {
                    fd: Rc::clone(&input.fd),
                    id: input.id,
                    bits: input.bits.clone(),
                };
                (Some(Ok(input)), Some(Ok(output)))
            }
        };
        Ok(Child {
            channel: order.channel,
            input: input.transpose()?,
            output: output.transpose()?,
            exited: false,
            exit,
            typing: 0,
            process,
        })
    }

    /// The program itself, and all it started.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Returns whether the program has ended.
    pub fn has_exited(&self) -> bool {
        self.exited
    }

    /// Notes that the program has ended, if it has: some program has.
    pub fn look(&mut self) {
        if !self.exited && self.process.has_ended() {
            self.note(self.exit, Ready::default());
        }
    }

    /// Closes our ends of the channel.
    pub fn hang_up(&mut self) {
        (self.input, self.output) = (None, None);
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        if id == self.exit {
            self.exited = true;
            // What it wrote last is looked for now, whatever was known before.
            if let Some(half) = &mut self.output {
                half.bits.note(Ready {
                    readable: true,
                    ..Ready::default()
                });
            }
            return;
        }
        for half in [&mut self.input, &mut self.output].into_iter().flatten() {
            if half.id == id {
                half.bits.note(ready);
            }
        }
        self.type_ends();
    }

    /// See `Endpoint::try_read`.
    ///
    /// # Errors
    /// Any error of read(2).
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        let Some(half) = &mut self.output else {
            return Ok(if self.exited { Got::Eof } else { Got::Pending });
        };
        if !half.bits.is_readable() {
            return Ok(Got::Pending);
        }
        loop {
            match rustix::io::read(&half.fd, &mut *buf) {
                Ok(0) if self.channel == Channel::Messages && !has_hung_up(&half.fd) => {
                    return Ok(Got::Bytes(0));
                }
                Ok(0) => return Ok(Got::Eof),
                Ok(n) => {
                    if self.channel == Channel::Bytes && !self.exited {
                        half.bits.note_read(n, buf.len());
                    }
                    return Ok(Got::Bytes(n));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if self.exited => return Ok(Got::Eof),
                Err(Errno::AGAIN) => {
                    half.bits.set_drained();
                    return Ok(Got::Pending);
                }
                // Nobody has the terminal open any more.
                Err(Errno::IO) if self.channel == Channel::Terminal => return Ok(Got::Eof),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// See `Endpoint::try_write`. A message is given to a program that has read the one before,
    /// so that what it reads at once is one message.
    ///
    /// # Errors
    /// EPIPE when it has closed its standard input, and the like.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        let Some(half) = &mut self.input else {
            return Ok(Put::Bytes(buf.len()));
        };
        if !half.bits.is_writable() {
            return Ok(Put::Pending);
        }
        let messages = self.channel == Channel::Messages;
        if messages && sockopt::unsent(&half.fd).is_ok_and(|bytes| bytes > 0) {
            half.bits.set_full();
            return Ok(Put::Pending);
        }
        loop {
            match rustix::io::write(&half.fd, buf) {
                Ok(n) => {
                    half.bits.note_written(n, buf.len());
                    return Ok(Put::Bytes(n));
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    half.bits.set_full();
                    return Ok(Put::Pending);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Has the program read the end: its standard input is closed, or an end of file is typed at
    /// its terminal.
    pub fn shutdown_write(&mut self) {
        match self.channel {
            Channel::Terminal => {
                self.typing = TYPED_ENDS;
                self.type_ends();
            }
            Channel::Bytes | Channel::Messages => self.input = None,
        }
    }

    fn type_ends(&mut self) {
        while self.typing > 0
            && let Some(half) = &mut self.input
        {
            match rustix::io::write(&half.fd, &[child::end_of_file(&half.fd)]) {
                Ok(_) => self.typing -= 1,
                Err(Errno::INTR) => {}
                // There is no room: the next event finds some.
                Err(Errno::AGAIN) => return,
                Err(_) => self.typing = 0,
            }
        }
    }

    /// See `Endpoint::write_fault`.
    pub fn write_fault(&self) -> Option<WriteFault> {
        let input = self.input.as_ref();
        let closed = input.is_some_and(|half| half.bits.is_write_closed());
        (self.exited || closed).then(WriteFault::gone)
    }

    /// See `Endpoint::widen`.
    pub fn widen(&self) {
        if let Some(RawEnd { fd, .. }) = self.raw_read() {
            offload::enlarge(fd);
        }
    }

    /// See `Endpoint::raw_read`.
    pub fn raw_read(&self) -> Option<RawEnd<'_>> {
        self.raw(self.output.as_ref())
    }

    /// See `Endpoint::raw_write`.
    pub fn raw_write(&self) -> Option<RawEnd<'_>> {
        self.raw(self.input.as_ref())
    }

    /// Once the program has ended, a pipe does not say when it is drained.
    fn raw<'a>(&self, half: Option<&'a PipeEnd>) -> Option<RawEnd<'a>> {
        let passes = self.channel == Channel::Bytes && !self.exited;
        let kind = RawKind::Pipe;
        let fd = half.filter(|_| passes)?.fd.as_fd();
        Some(RawEnd { fd, kind })
    }

    /// What is known about its standard output.
    pub fn read_bits(&self) -> Option<&Bits> {
        self.output.as_ref().map(|half| &half.bits)
    }

    /// What is known about its standard input.
    pub fn write_bits(&self) -> Option<&Bits> {
        self.input.as_ref().map(|half| &half.bits)
    }

    /// See `Endpoint::keeps_messages`.
    pub fn keeps_messages(&self) -> bool {
        self.channel == Channel::Messages
    }
}

/// Returns whether it is the end of a socket of messages, not an empty message.
fn has_hung_up(fd: &Rc<OwnedFd>) -> bool {
    let mut fds = [PollFd::new(fd, PollFlags::IN)];
    let polled = rustix::event::poll(&mut fds, Some(&Timespec::default()));
    polled.is_err() || fds[0].revents().contains(PollFlags::HUP)
}
