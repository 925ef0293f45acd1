//! Standard input and output as one end of a session.

use super::reactor::Registrar;
use super::ready::{Bits, Got, Put, Ready};
use crate::sys::stdio::Shared;
use mio::Interest;
use std::io;

/// Standard input as source, standard output as sink; either may be left out.
#[derive(Debug)]
pub struct Stdio {
    input: Option<Half>,
    output: Option<Half>,
    /// Standard output outlives this session: its end is not passed on.
    keeps_open: bool,
}

#[derive(Debug)]
struct Half {
    shared: Shared,
    slot: u16,
    bits: Bits,
    /// A short read has taken all there was.
    reads_all: bool,
}

/// Which of the two descriptors a session uses.
#[derive(Clone, Copy, Debug)]
pub struct Uses {
    /// Standard input is read; else nothing ever comes, not even an end.
    pub input: bool,
    /// Standard output is written; else what comes is discarded.
    pub output: bool,
    /// Standard output is left open at the end of the peer's bytes (more sessions follow).
    pub keeps_open: bool,
}

impl Stdio {
    /// Registers the descriptors under the two slots. Those the loop cannot wait for, such as
    /// files, count as always ready.
    ///
    /// # Errors
    /// The loop refused a descriptor for another reason.
    pub fn new(uses: Uses, slots: [u16; 2], registrar: &Registrar<'_>) -> io::Result<Stdio> {
        let half = |shared: Shared, slot, interest| -> io::Result<Half> {
            let pollable = registrar.register(shared.fd(), slot, interest)?;
            let reads_all = shared.reads_all_there_is();
            Ok(Half {
                shared,
                slot,
                bits: Bits::new(pollable),
                reads_all,
            })
        };
        let input = match uses.input {
            true => Some(half(Shared::stdin(), slots[0], Interest::READABLE)?),
            false => None,
        };
        let output = match uses.output {
            true => Some(half(Shared::stdout(), slots[1], Interest::WRITABLE)?),
            false => None,
        };
        Ok(Stdio {
            input,
            output,
            keeps_open: uses.keeps_open,
        })
    }

    /// See `Endpoint::note`.
    pub fn note(&mut self, slot: u16, ready: Ready) {
        for half in [&mut self.input, &mut self.output].into_iter().flatten() {
            if half.slot == slot {
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
        if !half.bits.readable() {
            return Ok(Got::Pending);
        }
        match half.shared.try_read(buf)? {
            Some(0) => Ok(Got::Eof),
            Some(n) => {
                if half.reads_all {
                    half.bits.has_read(n, buf.len());
                }
                Ok(Got::Bytes(n))
            }
            None => {
                half.bits.is_drained();
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
        if !half.bits.writable() {
            return Ok(Put::Pending);
        }
        match half.shared.try_write(buf)? {
            Some(n) => {
                half.bits.has_written(n, buf.len());
                Ok(Put::Bytes(n))
            }
            None => {
                half.bits.is_full();
                Ok(Put::Pending)
            }
        }
    }

    /// Closes standard output, so that the rest of a pipeline sees the end.
    pub fn shutdown_write(&mut self) {
        if !self.keeps_open
            && let Some(half) = self.output.take()
        {
            // Without /dev/null the end is passed on when rnc leaves.
            let _ = half.shared.close();
        }
    }

    /// See `Endpoint::write_fault`.
    pub fn write_fault(&mut self) -> Option<io::Error> {
        let half = self.output.as_ref()?;
        let gone = half.bits.write_closed() && half.shared.reader_is_gone();
        gone.then(|| io::ErrorKind::BrokenPipe.into())
    }
}
