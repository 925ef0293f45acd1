//! The tags of an XML stream and the text between them, as far as XMPP allows it: no comments, no
//! document types, no instructions (RFC 6120, section 11.1).

use crate::proto::Refused;
use crate::proto::answer::ANSWER_MAX;

/// Takes tags out of pieces of a stream.
#[derive(Default)]
pub struct Tags {
    /// What came between the last two tags.
    text: Vec<u8>,
    /// The tag, from `<` on, as far as it has come.
    tag: Vec<u8>,
    /// The quote that ends the value of an attribute.
    quote: Option<u8>,
    is_whole: bool,
    /// Bytes of the stream so far.
    seen: usize,
}

/// What a tag does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TagKind {
    /// `<?xml ...?>`.
    Declaration,
    /// `<name ...>`.
    Start,
    /// `<name .../>`.
    Empty,
    /// `</name>`.
    End,
    /// None of these.
    Other,
}

impl Tags {
    /// Moves bytes from the front of `rest` up to the end of the next tag; true if it came.
    ///
    /// # Errors
    /// [`Refused::TooLong`].
    pub fn next(&mut self, rest: &mut &[u8]) -> Result<bool, Refused> {
        if std::mem::take(&mut self.is_whole) {
            self.text.clear();
            self.tag.clear();
        }
        while let Some((&byte, behind)) = rest.split_first() {
            *rest = behind;
            self.seen += 1;
            if self.seen > ANSWER_MAX {
                return Err(Refused::TooLong);
            }
            self.push(byte);
            if self.is_whole {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn push(&mut self, byte: u8) {
        if self.tag.is_empty() && byte != b'<' {
            self.text.push(byte);
            return;
        }
        self.tag.push(byte);
        match (self.quote, byte) {
            (None, b'>') => self.is_whole = true,
            (None, b'\'' | b'"') => self.quote = Some(byte),
            (Some(quote), _) if byte == quote => self.quote = None,
            _ => {}
        }
    }

    /// The text in front of the tag.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// The tag as it came.
    pub fn tag(&self) -> &[u8] {
        &self.tag
    }

    /// What the tag does.
    pub fn kind(&self) -> TagKind {
        match self.tag.as_slice() {
            [b'<', b'?', b'x', b'm', b'l', .., b'?', b'>'] => TagKind::Declaration,
            _ if self.name().is_empty() => TagKind::Other,
            [b'<', b'?' | b'!', ..] => TagKind::Other,
            [b'<', b'/', ..] => TagKind::End,
            [.., b'/', b'>'] => TagKind::Empty,
            _ => TagKind::Start,
        }
    }

    /// The name in the tag, without a prefix.
    pub fn name(&self) -> &[u8] {
        let tag = self.tag.strip_prefix(b"<").unwrap_or_default();
        let tag = tag.strip_prefix(b"/").unwrap_or(tag);
        let ends = |byte: &u8| byte.is_ascii_whitespace() || b"/>".contains(byte);
        let name = tag.split(ends).next().unwrap_or_default();
        name.rsplit(|&byte| byte == b':').next().unwrap_or_default()
    }
}
