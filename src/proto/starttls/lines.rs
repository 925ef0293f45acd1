//! Dialogues in lines: what SMTP, FTP, POP3 and IMAP have in common.

use crate::proto::answer::AnswerLines;
use crate::proto::{Handshake, Progress, Refused};

/// What the lines of a server mean to a client that wants TLS.
pub trait LineDialogue {
    /// A line of this dialogue can begin with what has come of one.
    fn can_begin(&self, begun: &[u8]) -> bool;

    /// Takes a line, without its end, and appends what is to be sent for it; true if TLS begins
    /// behind it.
    ///
    /// # Errors
    /// [`Refused`].
    fn take_line(&mut self, line: &[u8], output: &mut Vec<u8>) -> Result<bool, Refused>;
}

/// A dialogue, and the line that has begun to come.
pub struct InLines<D> {
    dialogue: D,
    lines: AnswerLines,
}

impl<D: LineDialogue> InLines<D> {
    /// Waits for the first line.
    pub fn new(dialogue: D) -> InLines<D> {
        let lines = AnswerLines::default();
        InLines { dialogue, lines }
    }
}

impl<D: LineDialogue> Handshake for InLines<D> {
    fn step(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<Progress, Refused> {
        let mut rest = input;
        loop {
            let line = self.lines.next(&mut rest);
            // Known at the first wrong byte: another kind of server may never send a line end.
            let begun = match &line {
                Ok(Some(line)) => line,
                Ok(None) | Err(_) => self.lines.begun(),
            };
            if !self.dialogue.can_begin(begun) {
                return Err(Refused::garbage(begun));
            }
            let used = input.len() - rest.len();
            match line? {
                None => return Ok(Progress::More { used }),
                Some(line) if self.dialogue.take_line(&line, output)? => {
                    return Ok(Progress::Done { used });
                }
                Some(_) => {}
            }
        }
    }
}

/// Returns whether two pieces of text do not differ as far as both go.
pub fn agrees(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}
