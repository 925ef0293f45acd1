//! One direction of an HTTP/1 connection: messages one after another, each a head and perhaps a
//! body. RFC 9112, sections 2, 6 and 7.
//!
//! Empty lines before a message are skipped, and LF alone ends a line.
//!
//! ```text
//!   Start -- first line --> Fields -- empty line --+
//!     ^                                            |
//!     |<------------ all of it -- Length <---------+
//!     |<-- empty line -- Trailers <-- 0 -- Size <--+
//!     |                      Chunk <-- n --+  ^    |
//!     |                        +--> ChunkEnd -+    |
//!     |                               UntilEnd <---+
//!   Over, from each place
//! ```

use super::super::answer::{ANSWER_MAX, AnswerLines};
use super::head::{Body, Fields};

/// Reads the messages of one direction, and keeps no more of them than a line and a few fields.
#[derive(Default)]
pub struct Messages {
    position: Position,
    /// Lines of a head, as long as the head may be.
    lines: AnswerLines<ANSWER_MAX>,
    fields: Fields,
}

/// Where in a message the next byte is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// Before or in its first line.
    #[default]
    Start,
    /// In the fields of its head.
    Fields,
    /// In a body of a known length.
    Length {
        /// Bytes to come.
        left: u64,
        /// Bytes in all.
        of: u64,
    },
    /// In the line that gives the size of a chunk.
    Size,
    /// In a chunk of which so many bytes are to come.
    Chunk(u64),
    /// In the line end after a chunk.
    ChunkEnd,
    /// In the lines after the last chunk.
    Trailers,
    /// In a body that lasts until the connection ends.
    UntilEnd,
    /// Nothing is read any more.
    Over,
}

/// A step in reading.
pub enum MessageEvent {
    /// The first line of a message.
    FirstLine(Vec<u8>),
    /// The end of its head, with the fields. [`Messages::begin_body`] has to follow.
    Head(Fields),
    /// The end of the message.
    End,
}

/// Bytes that are no HTTP/1, or a head of more than 64 KiB.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable;

impl Messages {
    /// Moves to the next event in `rest`, and past what belongs to it; `None` once all of `rest` is
    /// used.
    ///
    /// # Errors
    /// [`Unreadable`]; what follows cannot be read either.
    pub fn next(&mut self, rest: &mut &[u8]) -> Result<Option<MessageEvent>, Unreadable> {
        loop {
            match self.position {
                Position::Length { left: 0, .. } => {
                    self.go_to(Position::Start);
                    return Ok(Some(MessageEvent::End));
                }
                Position::Chunk(0) => self.go_to(Position::ChunkEnd),
                Position::Length { .. } | Position::Chunk(_) if rest.is_empty() => return Ok(None),
                Position::Length { .. } | Position::Chunk(_) => {
                    let have = u64::try_from(rest.len()).unwrap_or(u64::MAX);
                    let used = have.min(self.unseen());
                    self.skip(used);
                    *rest = &rest[usize::try_from(used).unwrap_or(rest.len())..];
                }
                Position::UntilEnd | Position::Over => {
                    *rest = &[];
                    return Ok(None);
                }
                _ => {
                    let line = self.lines.next(rest).map_err(|_| Unreadable)?;
                    let Some(line) = line else { return Ok(None) };
                    if let Some(event) = self.take_line(line)? {
                        return Ok(Some(event));
                    }
                }
            }
        }
    }

    /// Says what the body is, after [`MessageEvent::Head`].
    pub fn begin_body(&mut self, body: Body) {
        self.go_to(match body {
            Body::Length(of) => Position::Length { left: of, of },
            Body::Chunked => Position::Size,
            Body::UntilEnd => Position::UntilEnd,
        });
    }

    /// Waits for the next message after a head without a body that is no message of its own.
    pub fn begin_anew(&mut self) {
        self.go_to(Position::Start);
    }

    /// Reads nothing any more.
    pub fn stop(&mut self) {
        self.go_to(Position::Over);
    }

    /// Where the next byte is.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Returns whether no message has begun, or none will be read any more.
    pub fn is_between(&self) -> bool {
        matches!(self.position, Position::Start | Position::Over)
    }

    /// What has come of a line that is not whole.
    pub fn begun(&self) -> &[u8] {
        match self.lines.begun() {
            b"\r" => b"",
            begun => begun,
        }
    }

    /// How many of the next bytes need not be looked at.
    pub fn unseen(&self) -> u64 {
        match self.position {
            Position::Length { left, .. } | Position::Chunk(left) => left,
            Position::UntilEnd | Position::Over => u64::MAX,
            _ => 0,
        }
    }

    /// Counts bytes that were not looked at, at most [`Messages::unseen`]; [`Messages::next`] then
    /// gives the event this may have led to.
    pub fn skip(&mut self, count: u64) {
        match &mut self.position {
            Position::Length { left, .. } | Position::Chunk(left) => {
                *left = left.saturating_sub(count)
            }
            _ => {}
        }
    }

    fn take_line(&mut self, line: Vec<u8>) -> Result<Option<MessageEvent>, Unreadable> {
        match self.position {
            Position::Start if line.is_empty() => self.go_to(Position::Start),
            Position::Start => {
                self.position = Position::Fields;
                return Ok(Some(MessageEvent::FirstLine(line)));
            }
            Position::Fields if line.is_empty() => {
                self.fields.end();
                return Ok(Some(MessageEvent::Head(std::mem::take(&mut self.fields))));
            }
            Position::Fields => self.fields.push(&line),
            Position::Size => self.go_to(match chunk_size(&line).ok_or(Unreadable)? {
                0 => Position::Trailers,
                size => Position::Chunk(size),
            }),
            Position::ChunkEnd if line.is_empty() => self.go_to(Position::Size),
            Position::ChunkEnd => return Err(Unreadable),
            // The last of them ends the message as a body without a byte does.
            Position::Trailers if line.is_empty() => self.begin_body(Body::Length(0)),
            _ => {}
        }
        Ok(None)
    }

    /// Goes to a place with its own bound of bytes.
    fn go_to(&mut self, position: Position) {
        self.position = position;
        self.lines = AnswerLines::default();
        self.fields = Fields::default();
    }
}

/// Reads the size of a chunk, which extensions may follow. RFC 9112, section 7.1.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let size = line.split(|&byte| byte == b';').next()?.trim_ascii_end();
    let digits = size.iter().all(u8::is_ascii_hexdigit);
    let text = std::str::from_utf8(size).ok().filter(|_| digits)?;
    u64::from_str_radix(text, 16).ok()
}
