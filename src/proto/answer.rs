//! The lines of an answer, taken out of its pieces, bounded.

use super::Refused;
use super::find::find;

/// The longest line taken, its end counted.
pub const LINE_MAX: usize = 8 * 1024;
/// The longest answer taken, all its lines together.
pub const ANSWER_MAX: usize = 64 * 1024;

/// Takes lines of at most `LINE` bytes out of pieces of an answer.
#[derive(Default)]
pub struct AnswerLines<const LINE: usize = LINE_MAX> {
    /// The line that has begun to come, with its end.
    line: Vec<u8>,
    /// Bytes of the answer so far.
    seen: usize,
}

impl<const LINE: usize> AnswerLines<LINE> {
    /// Moves the next line, without its end, from the front of `rest`; `None` if it is not there
    /// whole: what has begun to come of it is kept, and is in `begun`.
    ///
    /// # Errors
    /// [`Refused::TooLong`].
    pub fn next(&mut self, rest: &mut &[u8]) -> Result<Option<Vec<u8>>, Refused> {
        let end = find(b'\n', rest).map(|at| at + 1);
        let (piece, behind) = rest.split_at(end.unwrap_or(rest.len()));
        *rest = behind;
        self.seen += piece.len();
        self.line.extend_from_slice(piece);
        if self.line.len() > LINE || self.seen > ANSWER_MAX {
            return Err(Refused::TooLong);
        }
        if end.is_none() {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.line);
        line.pop();
        // Bare LF is taken too, as RFC 9112, section 2.2, allows.
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(Some(line))
    }

    /// The line that has begun to come.
    pub fn begun(&self) -> &[u8] {
        &self.line
    }

    /// Nothing of the answer has come yet.
    pub fn is_empty(&self) -> bool {
        self.seen == 0
    }
}
