//! Ends inside this process: the small services of RFC 862 to 867. What is written to such an end
//! is what the peer says to the service, and what is read from it is the answer.

use super::ready::{Got, Put};
use super::store::Mem;
use crate::proto::services::Chargen;

/// An end that answers by itself. It is always ready for what it can do, of which no event reports.
#[derive(Debug)]
pub struct Internal {
    behaviour: Behaviour,
    /// The end has been passed on to it.
    input_ended: bool,
}

#[derive(Debug)]
enum Behaviour {
    /// What was said and not yet given back.
    Echo(Mem),
    Discard,
    Chargen(Chargen),
    /// What is still to be said.
    Text(Vec<u8>),
}

impl Internal {
    /// Gives back what is written, and ends when that has. RFC 862.
    pub fn echo() -> Internal {
        Internal::new(Behaviour::Echo(Mem::default()))
    }

    /// Takes everything, says nothing, and ends when what is written has. RFC 863.
    pub fn discard() -> Internal {
        Internal::new(Behaviour::Discard)
    }

    /// Takes everything, and gives the pattern without end. RFC 864.
    pub fn chargen() -> Internal {
        Internal::new(Behaviour::Chargen(Chargen::default()))
    }

    /// Takes everything, gives this text, and ends.
    pub fn text(text: impl Into<Vec<u8>>) -> Internal {
        Internal::new(Behaviour::Text(text.into()))
    }

    fn new(behaviour: Behaviour) -> Internal {
        Internal {
            behaviour,
            input_ended: false,
        }
    }

    /// See `Endpoint::try_read`; never fails.
    pub fn try_read(&mut self, buf: &mut [u8]) -> Got {
        match &mut self.behaviour {
            Behaviour::Echo(store) if !store.is_empty() => {
                let len = store.data().len().min(buf.len());
                buf[..len].copy_from_slice(&store.data()[..len]);
                store.consume(len);
                Got::Bytes(len)
            }
            Behaviour::Echo(_) | Behaviour::Discard if self.input_ended => Got::Eof,
            Behaviour::Echo(_) | Behaviour::Discard => Got::Pending,
            Behaviour::Chargen(chargen) => {
                chargen.fill(buf);
                Got::Bytes(buf.len())
            }
            Behaviour::Text(text) if text.is_empty() => Got::Eof,
            Behaviour::Text(text) => {
                let len = text.len().min(buf.len());
                buf[..len].copy_from_slice(&text[..len]);
                text.drain(..len);
                Got::Bytes(len)
            }
        }
    }

    /// See `Endpoint::try_write`; never fails.
    pub fn try_write(&mut self, buf: &[u8]) -> Put {
        match &mut self.behaviour {
            Behaviour::Echo(store) if !store.is_empty() => Put::Pending,
            Behaviour::Echo(store) => Put::Bytes(store.put(buf)),
            Behaviour::Discard | Behaviour::Chargen(_) | Behaviour::Text(_) => {
                Put::Bytes(buf.len())
            }
        }
    }

    /// See `Endpoint::shutdown_write`.
    pub fn shutdown_write(&mut self) {
        self.input_ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(end: &mut Internal, len: usize) -> Result<Vec<u8>, Got> {
        let mut buf = vec![0; len];
        match end.try_read(&mut buf) {
            Got::Bytes(n) => Ok(buf[..n].to_vec()),
            other => Err(other),
        }
    }

    #[test]
    fn echo_gives_back_everything_and_then_ends() {
        let mut echo = Internal::echo();
        assert_eq!(read(&mut echo, 3), Err(Got::Pending));
        assert_eq!(echo.try_write(b"hello"), Put::Bytes(5));
        assert_eq!(echo.try_write(b"more"), Put::Pending);
        echo.shutdown_write();
        assert_eq!(read(&mut echo, 3), Ok(b"hel".to_vec()));
        assert_eq!(read(&mut echo, 3), Ok(b"lo".to_vec()));
        assert_eq!(read(&mut echo, 3), Err(Got::Eof));
    }

    #[test]
    fn discard_ends_with_its_input() {
        let mut discard = Internal::discard();
        assert_eq!(discard.try_write(b"hello"), Put::Bytes(5));
        assert_eq!(read(&mut discard, 3), Err(Got::Pending));
        discard.shutdown_write();
        assert_eq!(read(&mut discard, 3), Err(Got::Eof));
    }

    #[test]
    fn chargen_goes_on_after_the_end_of_its_input() {
        let mut chargen = Internal::chargen();
        assert_eq!(chargen.try_write(b"hello"), Put::Bytes(5));
        chargen.shutdown_write();
        assert_eq!(read(&mut chargen, 4), Ok(b" !\"#".to_vec()));
        assert_eq!(read(&mut chargen, 4), Ok(b"$%&'".to_vec()));
    }

    #[test]
    fn a_text_is_said_once() {
        let mut text = Internal::text("now");
        assert_eq!(text.try_write(b"when?"), Put::Bytes(5));
        assert_eq!(read(&mut text, 2), Ok(b"no".to_vec()));
        assert_eq!(read(&mut text, 2), Ok(b"w".to_vec()));
        assert_eq!(read(&mut text, 2), Err(Got::Eof));
    }
}
