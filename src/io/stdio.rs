//! Standard input and output as one end of a session.

use super::reactor::{Registered, Registrar};
use super::ready::{Bits, Got, Put, Ready, WriteFault};
use crate::sys::offload::{self, RawEnd, RawKind};
use crate::sys::stdio::Shared;
use mio::Interest;
use std::cell::OnceCell;
use std::io::{self, ErrorKind};

/// Standard input as source, standard output as sink; either may be left out.
#[derive(Debug)]
pub struct Stdio {
    input: Option<SharedEnd>,
    output: Option<SharedEnd>,
    /// Standard output outlives this session: its end is not passed on.
    keeps_open: bool,
    /// Why what was written to standard output is lost.
    loss: Option<io::Error>,
}

#[derive(Debug)]
struct SharedEnd {
    shared: Shared,
    /// `None` for what the loop cannot wait for.
    id: Option<Registered>,
    bits: Bits,
    /// What the kernel can do with it; looked at once.
    kind: OnceCell<Option<RawKind>>,
}

/// Which of the two descriptors a session uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Uses {
    /// Standard input is read; else nothing ever comes, not even an end.
    pub input: bool,
    /// Standard output is written; else what comes is discarded.
    pub output: bool,
    /// Standard output is left open at the end of the peer's bytes (more sessions follow).
    pub keeps_open: bool,
}

impl Stdio {
    /// Registers the descriptors. Those the loop cannot wait for, such as
    /// files, count as always ready.
    ///
    /// # Errors
    /// The loop refused a descriptor for another reason.
    pub fn new(uses: Uses, registrar: &Registrar<'_>) -> io::Result<Stdio> {
        let half = |mut shared: Shared, interest| -> io::Result<SharedEnd> {
            // Files and /dev/null are refused, being always ready; nothing else may be.
            let id = match registrar.register(shared.fd(), interest) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied && shared.is_plain() => {
                    None
                }
                result => Some(result?),
            };
            if id.is_some() {
                shared.set_pollable();
            }
            let bits = Bits::new(id.is_some());
            Ok(SharedEnd {
                shared,
                id,
                bits,
                kind: OnceCell::new(),
            })
        };
        let input = if uses.input {
            Some(half(Shared::stdin(), Interest::READABLE)?)
        } else {
            None
        };
        let output = if uses.output {
            Some(half(Shared::stdout(), Interest::WRITABLE)?)
        } else {
            None
        };
        Ok(Stdio {
            input,
            output,
            keeps_open: uses.keeps_open,
            loss: None,
        })
    }

    /// See `Endpoint::has_input`.
    pub fn has_input(&self) -> bool {
        self.input.is_some()
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, id: Registered, ready: Ready) {
        for half in [&mut self.input, &mut self.output].into_iter().flatten() {
            if half.id == Some(id) {
                half.bits.note(ready);
            }
        }
    }

    /// See `Endpoint::try_read`.
    ///
    /// # Errors
    /// EISDIR, EIO and the like.
    pub fn try_read(&mut self, buf: &mut [u8]) -> io::Result<Got> {
        let Some(half) = &mut self.input else {
            return Ok(Got::Pending);
        };
        if !half.bits.is_readable() {
            return Ok(Got::Pending);
        }
        match half.shared.try_read(buf)? {
            Some(0) => Ok(Got::Eof),
            Some(n) => Ok(Got::Bytes(n)),
            None => {
                half.bits.set_drained();
                Ok(Got::Pending)
            }
        }
    }

    /// See `Endpoint::try_write`.
    ///
    /// # Errors
    /// EPIPE, ENOSPC and the like.
    pub fn try_write(&mut self, buf: &[u8]) -> io::Result<Put> {
        let Some(half) = &mut self.output else {
            return Ok(Put::Bytes(buf.len()));
        };
        if !half.bits.is_writable() {
            return Ok(Put::Pending);
        }
        match half.shared.try_write(buf)? {
            Some(n) => Ok(Put::Bytes(n)),
            None => {
                half.bits.set_full();
                Ok(Put::Pending)
            }
        }
    }

    /// See `Endpoint::joins_writes`.
    pub fn joins_writes(&self) -> bool {
        let output = self.output.as_ref();
        output.is_none_or(|half| half.shared.joins_writes())
    }

    /// Closes standard output, so that the rest of a pipeline sees the end.
    pub fn shutdown_write(&mut self) {
        if !self.keeps_open
            && let Some(half) = self.output.take()
        {
            // Without /dev/null the end is passed on when rnc leaves.
            self.loss = half.shared.loss();
            let _ = half.shared.close();
        }
    }

    /// Why what was written is lost, although the session went on: standard output was closed.
    pub fn take_loss(&mut self) -> Option<io::Error> {
        let open = self.output.as_ref();
        self.loss.take().or_else(|| open?.shared.loss())
    }

    /// See `Endpoint::widen`.
    pub fn widen(&self) {
        if let Some(RawEnd {
            fd,
            kind: RawKind::Pipe,
        }) = self.raw_read()
        {
            offload::enlarge(fd);
        }
    }

    /// See `Endpoint::raw_read`.
    pub fn raw_read(&self) -> Option<RawEnd<'_>> {
        self.input.as_ref().and_then(SharedEnd::raw)
    }

    /// See `Endpoint::raw_write`.
    pub fn raw_write(&self) -> Option<RawEnd<'_>> {
        self.output.as_ref().and_then(SharedEnd::raw)
    }

    /// What is known about standard input.
    pub fn read_bits(&self) -> Option<&Bits> {
        self.input.as_ref().map(|half| &half.bits)
    }

    /// What is known about standard output.
    pub fn write_bits(&self) -> Option<&Bits> {
        self.output.as_ref().map(|half| &half.bits)
    }

    /// See `Endpoint::write_fault`.
    pub fn write_fault(&mut self) -> Option<WriteFault> {
        let half = self.output.as_ref()?;
        let gone = half.bits.is_write_closed() && half.shared.has_lost_reader();
        gone.then(WriteFault::gone)
    }
}

impl SharedEnd {
    /// The descriptor and what the kernel can do with it.
    fn raw(&self) -> Option<RawEnd<'_>> {
        let fd = self.shared.fd();
        let kind = *self.kind.get_or_init(|| offload::standard_kind(fd));
        kind.map(|kind| RawEnd { fd, kind })
    }
}
