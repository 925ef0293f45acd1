//! Messages in a stream of bytes: a line each, or each behind its length. On their way to a socket
//! that keeps messages apart they are frames: four bytes of length, the highest first, and the
//! message.

use super::find::find;
use crate::plan::Framing;
use std::fmt;

const LF: u8 = b'\n';
/// Bytes before a message that hold its length.
pub const HEADER_BYTES: usize = 4;

/// What is wrong with a stream; `message` counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A line is longer than a message may be, `most` bytes.
    LongLine {
        /// Which one.
        message: u64,
        /// How long one may be.
        most: usize,
    },
    /// A length is greater than that of a message may be.
    LongMessage {
        /// Which one.
        message: u64,
        /// Its length.
        len: u32,
        /// How long one may be.
        most: usize,
    },
    /// The stream ended inside a message, or its length.
    CutShort {
        /// Which one.
        message: u64,
    },
}

impl fmt::Display for Unfit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unfit::LongLine { message, most } => {
                write!(
                    out,
                    "line {message} is too long for a datagram: over {most} bytes"
                )
            }
            Unfit::LongMessage { message, len, most } => write!(
                out,
                "message {message} is too long for a datagram: {len} bytes, over {most}"
            ),
            Unfit::CutShort { message } => write!(out, "it ends inside message {message}"),
        }
    }
}

/// Makes frames of a stream. Holds back at most one message.
#[derive(Clone, Debug)]
pub struct Framer {
    framing: Framing,
    /// How long a message may be, in bytes.
    most: usize,
    /// A message that is not whole; behind its length, where the stream has that.
    held: Vec<u8>,
    /// Messages so far.
    count: u64,
    unfit: Option<Unfit>,
}

impl Framer {
    /// A framer of messages of up to `most` bytes.
    pub fn new(framing: Framing, most: usize) -> Framer {
        Framer {
            framing,
            most,
            held: Vec::new(),
            count: 0,
            unfit: None,
        }
    }

    /// What is wrong with the stream so far. Nothing behind that becomes a frame.
    pub fn unfit(&self) -> Option<Unfit> {
        self.unfit
    }

    /// Appends to `out` the frames that `input` makes whole.
    pub fn apply(&mut self, mut input: &[u8], out: &mut Vec<u8>) {
        while self.unfit.is_none() && !input.is_empty() {
            let used = match self.framing {
                Framing::Line => self.take_line(input, out),
                Framing::Length => self.take_message(input, out),
            };
            input = &input[used..];
        }
    }

    /// The stream has ended: appends the frame of a last line without a line feed.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.unfit.is_some() || self.held.is_empty() {
            return;
        }
        match self.framing {
            Framing::Line => self.push_line(&[], out),
            Framing::Length => {
                let message = self.count + 1;
                self.unfit = Some(Unfit::CutShort { message });
            }
        }
    }

    /// Takes what belongs to the line under way, and gives how much that was.
    fn take_line(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let end = find(LF, input);
        let part = &input[..end.unwrap_or(input.len())];
        if self.held.len() + part.len() > self.most {
            let (message, most) = (self.count + 1, self.most);
            self.unfit = Some(Unfit::LongLine { message, most });
        } else if end.is_some() {
            self.push_line(part, out);
        } else {
            self.held.extend_from_slice(part);
        }
        part.len() + usize::from(end.is_some())
    }

    fn push_line(&mut self, last: &[u8], out: &mut Vec<u8>) {
        push_header(self.held.len() + last.len(), out);
        out.append(&mut self.held);
        out.extend_from_slice(last);
        self.count += 1;
    }

    /// Takes what belongs to the message under way, and gives how much that was.
    fn take_message(&mut self, input: &[u8], out: &mut Vec<u8>) -> usize {
        let wanted = match self.held.first_chunk::<HEADER_BYTES>() {
            None => HEADER_BYTES,
            Some(header) => HEADER_BYTES + self.length(*header),
        };
        let used = input.len().min(wanted - self.held.len());
        self.held.extend_from_slice(&input[..used]);
        let Some(header) = self.held.first_chunk::<HEADER_BYTES>() else {
            return used;
        };
        let len = self.length(*header);
        if self.unfit.is_none() && self.held.len() == HEADER_BYTES + len {
            out.append(&mut self.held);
            self.count += 1;
        }
        used
    }

    /// The length in a header; one that is too great makes the stream unfit.
    fn length(&mut self, header: [u8; HEADER_BYTES]) -> usize {
        let len = u32::from_be_bytes(header);
        match usize::try_from(len) {
            Ok(bytes) if bytes <= self.most => bytes,
            _ => {
                let (message, most) = (self.count + 1, self.most);
                self.unfit = Some(Unfit::LongMessage { message, len, most });
                0
            }
        }
    }
}

/// The message of the first frame in `bytes`, if it is there as a whole.
pub fn first_message(bytes: &[u8]) -> Option<&[u8]> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>()?;
    let len = usize::try_from(u32::from_be_bytes(*header)).ok()?;
    rest.get(..len)
}

/// Appends a message to a stream: as a line, with a line feed if it does not end with one, or
/// behind its length.
pub fn unframe(framing: Framing, message: &[u8], out: &mut Vec<u8>) {
    match framing {
        Framing::Length => push_header(message.len(), out),
        Framing::Line => {}
    }
    out.extend_from_slice(message);
    if framing == Framing::Line && !message.ends_with(&[LF]) {
        out.push(LF);
    }
}

/// Appends a length. No message is as long as four bytes can express.
fn push_header(len: usize, out: &mut Vec<u8>) {
    let len = u32::try_from(len).unwrap_or(u32::MAX);
    out.extend_from_slice(&len.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The messages a stream comes to, in these pieces, and what is wrong with it.
    fn messages<'a>(
        framing: Framing,
        pieces: impl IntoIterator<Item = &'a [u8]>,
    ) -> (Vec<Vec<u8>>, Option<Unfit>) {
        let (mut framer, mut out) = (Framer::new(framing, 8), Vec::new());
        pieces
            .into_iter()
            .for_each(|piece| framer.apply(piece, &mut out));
        framer.finish(&mut out);
        let mut rest = &out[..];
        let mut found = Vec::new();
        while let Some(message) = first_message(rest) {
            found.push(message.to_vec());
            rest = &rest[HEADER_BYTES + message.len()..];
        }
        assert!(rest.is_empty(), "a frame that is not whole");
        (found, framer.unfit())
    }

    fn whole(framing: Framing, stream: &[u8]) -> (Vec<Vec<u8>>, Option<Unfit>) {
        messages(framing, [stream])
    }

    #[test]
    fn lines_are_messages() {
        let cases: [(&[u8], &[&[u8]]); 6] = [
            (b"", &[]),
            (b"one\ntwo\n", &[b"one", b"two"]),
            (b"one\ntwo", &[b"one", b"two"]),
            (b"\n\na", &[b"", b"", b"a"]),
            (b"cr\r\n", &[b"cr\r"]),
            (b"12345678\n12345678", &[b"12345678", b"12345678"]),
        ];
        for (stream, wanted) in cases {
            let wanted = wanted.iter().map(|message| message.to_vec()).collect();
            assert_eq!(whole(Framing::Line, stream), (wanted, None));
        }
    }

    #[test]
    fn a_line_that_is_too_long_ends_it() {
        for tail in [&b""[..], b"\n", b"\nnext\n"] {
            let stream = [b"ok\n123456789", tail].concat();
            let unfit = Unfit::LongLine {
                message: 2,
                most: 8,
            };
            let wanted = (vec![b"ok".to_vec()], Some(unfit));
            assert_eq!(whole(Framing::Line, &stream), wanted);
        }
    }

    #[test]
    fn messages_stand_behind_their_length() {
        let stream = b"\0\0\0\x03one\0\0\0\0\0\0\0\x0812345678";
        let wanted = vec![b"one".to_vec(), Vec::new(), b"12345678".to_vec()];
        assert_eq!(whole(Framing::Length, stream), (wanted, None));
    }

    #[test]
    fn what_is_wrong_with_lengths_is_told() {
        let cut = |message| Some(Unfit::CutShort { message });
        let long = Some(Unfit::LongMessage {
            message: 1,
            len: 9,
            most: 8,
        });
        let cases: [(&[u8], usize, Option<Unfit>); 4] = [
            (b"\0\0", 0, cut(1)),
            (b"\0\0\0\x01a\0\0\0\x02b", 1, cut(2)),
            (b"\0\0\0\x02", 0, cut(1)),
            (b"\0\0\0\x09123456789", 0, long),
        ];
        for (stream, count, unfit) in cases {
            let (found, why) = whole(Framing::Length, stream);
            assert_eq!((found.len(), why), (count, unfit), "{stream:?}");
        }
    }

    #[test]
    fn a_message_becomes_one_line() {
        for (message, line) in [(&b""[..], &b"\n"[..]), (b"a", b"a\n"), (b"a\n", b"a\n")] {
            let mut out = Vec::new();
            unframe(Framing::Line, message, &mut out);
            assert_eq!(out, line);
        }
    }

    proptest! {
        #[test]
        fn no_cut_matters(
            stream in proptest::collection::vec(prop_oneof![Just(b'\n'), 0u8..12], 0..60),
            at in 0usize..60,
        ) {
            let (head, tail) = stream.split_at(at.min(stream.len()));
            for framing in [Framing::Line, Framing::Length] {
                let all = whole(framing, &stream);
                prop_assert_eq!(&all, &messages(framing, [head, tail]));
                prop_assert_eq!(&all, &messages(framing, stream.chunks(1)));
            }
        }

        #[test]
        fn messages_come_back(
            list in proptest::collection::vec(
                proptest::collection::vec(any::<u8>(), 0..=8), 0..12)
        ) {
            let mut stream = Vec::new();
            list.iter().for_each(|message| unframe(Framing::Length, message, &mut stream));
            prop_assert_eq!(whole(Framing::Length, &stream), (list.clone(), None));

            let lines: Vec<Vec<u8>> = list
                .into_iter()
                .map(|message| message.into_iter().filter(|&byte| byte != LF).collect())
                .collect();
            let mut stream = Vec::new();
            lines.iter().for_each(|line| unframe(Framing::Line, line, &mut stream));
            prop_assert_eq!(whole(Framing::Line, &stream), (lines, None));
        }
    }
}
