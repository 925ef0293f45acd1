//! Ordered changes to the bytes of one flow, and the pacing of lines.

use crate::io::datagram::PeerAddr;
use crate::plan::Framing;
use crate::proto::chat::{Label, Speaker};
use crate::proto::crlf::Crlf;
use crate::proto::framing::{self, Framer};
use crate::proto::lines::line_end;
use crate::proto::telnet::{self, Telnet};
use std::io;
use std::time::{Duration, Instant};

/// Changes the bytes of one flow.
pub trait Stage {
    /// Takes note of the sender of what `apply` is given next: one of many peers of a datagram socket.
    fn set_sender(&mut self, _peer: Option<PeerAddr>) {}

    /// Appends to `out` what becomes of `input`; appends to `back` what is to be sent the other
    /// way. Keeps what it needs across calls, in bounded memory.
    fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, back: &mut Vec<u8>);

    /// There is no more input: appends to `out` what was held back.
    fn finish(&mut self, _out: &mut Vec<u8>) {}

    /// What is wrong with the input; nothing behind that is of use.
    fn fault(&self) -> Option<io::Error> {
        None
    }
}

impl Stage for Crlf {
    fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, _back: &mut Vec<u8>) {
        Crlf::apply(self, input, out);
    }
}

impl Stage for Telnet {
    fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, back: &mut Vec<u8>) {
        Telnet::apply(self, input, out, back);
    }
}

/// What is sent to a telnet peer, so that none of it is a command.
pub struct Doubled;

impl Stage for Doubled {
    fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, _back: &mut Vec<u8>) {
        telnet::double(input, out);
    }
}

/// Bytes become the frames that a socket of messages takes.
impl Stage for Framer {
    fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, _back: &mut Vec<u8>) {
        Framer::apply(self, input, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        Framer::finish(self, out);
    }

    fn fault(&self) -> Option<io::Error> {
        let unfit = self.unfit()?;
        Some(io::Error::new(
            io::ErrorKind::InvalidData,
            unfit.to_string(),
        ))
    }
}

/// Messages become part of a stream; one is applied at a time.
impl Stage for Framing {
    fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, _back: &mut Vec<u8>) {
        framing::unframe(*self, input, out);
    }
}

/// Puts the sender of each message before its lines; the last one gets the LF it may lack.
pub struct Tag {
    /// The peer that sends where no other is named.
    origin: String,
    sender: Option<String>,
    show: fn(&PeerAddr) -> String,
}

impl Tag {
    /// `origin` is the peer of a socket that has one for good; `show` names the others.
    pub fn new(origin: String, show: fn(&PeerAddr) -> String) -> Tag {
        Tag {
            origin,
            sender: None,
            show,
        }
    }
}

impl Stage for Tag {
    fn set_sender(&mut self, peer: Option<PeerAddr>) {
        self.sender = peer.as_ref().map(self.show);
    }

    fn apply(&mut self, input: &[u8], out: &mut Vec<u8>, _back: &mut Vec<u8>) {
        let origin = self.sender.as_ref().unwrap_or(&self.origin);
        let mut speaker = Speaker::new(Label::Origin(origin.clone()));
        speaker.end();
        speaker.pass(input, out);
    }
}

/// Writes one line at a time, with a pause after each.
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    paused_until: Option<Instant>,
}

impl Pace {
    /// A pause of `interval` after each line.
    pub fn new(interval: Duration) -> Pace {
        Pace {
            interval,
            paused_until: None,
        }
    }

    /// How many of the bytes in `data` may be written now: up to the end of its first line, none
    /// during a pause.
    pub fn allows(&mut self, data: &[u8], now: Instant) -> usize {
        if self.paused_until.is_some_and(|until| now < until) {
            return 0;
        }
        self.paused_until = None;
        line_end(data).unwrap_or(data.len())
    }

    /// Takes note of what was written; the end of a line begins a pause.
    pub fn note_written(&mut self, written: &[u8], now: Instant) {
        if written.last() == Some(&b'\n') {
            self.paused_until = Some(now + self.interval);
        }
    }

    /// When the pause ends, if there is one.
    pub fn paused_until(&self) -> Option<Instant> {
        self.paused_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pace_lets_one_line_through_and_pauses() {
        let mut pace = Pace::new(Duration::from_secs(1));
        let start = Instant::now();
        assert_eq!(pace.allows(b"a\nb\n", start), 2);
        pace.note_written(b"a\n", start);
        assert_eq!(pace.allows(b"b\n", start), 0);
        assert_eq!(pace.allows(b"b\n", start + Duration::from_secs(1)), 2);
    }

    #[test]
    fn pace_lets_an_unfinished_line_through() {
        let mut pace = Pace::new(Duration::from_secs(1));
        let now = Instant::now();
        assert_eq!(pace.allows(b"abc", now), 3);
        pace.note_written(b"abc", now);
        assert_eq!(pace.allows(b"d\n", now), 2);
    }
}
