//! What several members say, told apart: whole lines, each under the name of the one who said it;
//! and the announcements of a chat, which are Ncat's.

use super::lines::Lines;
use crate::parse::escape::printable;

/// What one member may say without a line end, in bytes, before its line is cut.
const LINE_BYTES: usize = 64 << 10;
/// The same in a chat: there a line is to be read, and grows by what is spelt out in it.
const CHAT_LINE_BYTES: usize = 4 << 10;

/// What stands before each line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Label {
    /// Nothing: the bytes stay as they are.
    None,
    /// Where the line comes from, in brackets: `[127.0.0.1:54182] `.
    Origin(String),
    /// A name, `<user4> `; control characters of the line are spelt out.
    Name {
        /// `user4`
        name: String,
        /// Where its owner is: `127.0.0.1:54182`.
        origin: String,
    },
}

/// Gathers what one member says into lines.
///
/// With a label only whole lines are given out, and the last one gets the LF it may lack; a line
/// that is too long is cut in two. Without one, nothing is added and nothing changed.
#[derive(Clone, Debug)]
pub struct Speaker {
    label: Label,
    lines: Lines,
    /// A whole line is held, or one that is to be cut.
    has_line: bool,
    ended: bool,
}

impl Speaker {
    /// The speaker of a member that has said nothing yet.
    pub fn new(label: Label) -> Speaker {
        let cap = match label {
            Label::None | Label::Origin(_) => LINE_BYTES,
            Label::Name { .. } => CHAT_LINE_BYTES,
        };
        Speaker {
            label,
            lines: Lines::new(cap),
            has_line: false,
            ended: false,
        }
    }

    /// What stands before its lines.
    pub fn label(&self) -> &Label {
        &self.label
    }

    /// Returns whether bytes go through unchanged.
    pub fn is_plain(&self) -> bool {
        self.label == Label::None
    }

    /// Takes as many bytes as there is room for, and returns how many. There always is some after
    /// a [`Speaker::take`].
    #[must_use = "bytes that did not fit must be pushed again"]
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        let taken = self.lines.push(bytes);
        self.has_line |= self.lines.room() == 0 || bytes[..taken].contains(&b'\n');
        taken
    }

    /// Sets how many bytes may be held from now on, within the bound of a line. A line that is
    /// longer is cut.
    pub fn limit(&mut self, bytes: usize) {
        self.lines.limit(bytes);
        self.has_line |= self.lines.room() == 0;
    }

    /// How many bytes can be taken now.
    pub fn room(&self) -> usize {
        self.lines.room()
    }

    /// How many bytes are held.
    pub fn held(&self) -> usize {
        self.lines.len()
    }

    /// What is held is all there will be: an unfinished line is not waited for any more.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Returns whether something can be given out.
    pub fn has_output(&self) -> bool {
        if self.is_plain() || self.ended {
            !self.lines.is_empty()
        } else {
            self.has_line
        }
    }

    /// Gives out all whole lines, and after the end the rest.
    pub fn take(&mut self) -> Vec<u8> {
        self.has_line = false;
        let said = if self.ended {
            self.lines.take_all()
        } else {
            self.lines.take_lines()
        };
        self.labelled(said)
    }

    /// As [`Speaker::take`], and without a label an unfinished line too.
    pub fn take_early(&mut self) -> Vec<u8> {
        if self.is_plain() {
            self.lines.take_all()
        } else {
            self.take()
        }
    }

    /// Takes all of `bytes`, and appends to `out` what is given out meanwhile.
    pub fn pass(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() {
            bytes = &bytes[self.push(bytes)..];
            out.extend(self.take());
        }
    }

    fn labelled(&self, said: Vec<u8>) -> Vec<u8> {
        let mut out = Vec::new();
        for line in said.split_inclusive(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            match &self.label {
                Label::None => return said,
                Label::Origin(origin) => {
                    out.extend_from_slice(format!("[{origin}] ").as_bytes());
                    out.extend_from_slice(line);
                }
                Label::Name { name, .. } => {
                    out.extend_from_slice(format!("<{name}> ").as_bytes());
                    readable(line, &mut out);
                }
            }
            out.push(b'\n');
        }
        out
    }
}

/// A line as a terminal may show it: its tabs stay, the CR before its end goes.
fn readable(line: &[u8], out: &mut Vec<u8>) {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    for (at, part) in line.split(|&byte| byte == b'\t').enumerate() {
        if at > 0 {
            out.push(b'\t');
        }
        out.extend_from_slice(printable(part).as_bytes());
    }
}

/// The line that a member has come.
pub fn joined(name: &str, origin: &str) -> String {
    format!("<announce> {origin} is connected as <{name}>.\n")
}

/// The line for a new member on those who are there already, each by name and origin.
pub fn present<'a>(others: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let others: Vec<String> = others
        .map(|(name, origin)| format!("{origin} as <{name}>"))
        .collect();
    let list = if others.is_empty() {
        "nobody".to_string()
    } else {
        others.join(", ")
    };
    format!("<announce> already connected: {list}.\n")
}

/// The line that a member has left.
pub fn left(name: &str) -> String {
    format!("<announce> <{name}> is disconnected.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named() -> Speaker {
        Speaker::new(Label::Name {
            name: "user4".into(),
            origin: "127.0.0.1:5".into(),
        })
    }

    fn tagged() -> Speaker {
        Speaker::new(Label::Origin("[::1]:5".into()))
    }

    /// What comes out of a speaker that hears these pieces, and then the end.
    fn hears(mut speaker: Speaker, pieces: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        pieces
            .iter()
            .for_each(|piece| speaker.pass(piece, &mut out));
        speaker.end();
        out.extend(speaker.take());
        assert!(!speaker.has_output());
        out
    }

    #[test]
    fn a_line_has_the_name_before_it_and_no_controls_in_it() {
        let cases: [(&[u8], &str); 7] = [
            (b"hello\n", "<user4> hello\n"),
            (b"a\nb\n", "<user4> a\n<user4> b\n"),
            (b"\n", "<user4> \n"),
            (b"telnet\r\n", "<user4> telnet\n"),
            (b"\x1b[31m\ta\rb\n", "<user4> \\x1b[31m\ta\\rb\n"),
            ("\u{202e}txt\n".as_bytes(), "<user4> \\xe2\\x80\\xaetxt\n"),
            (b"no end \xff", "<user4> no end \\xff\n"),
        ];
        for (said, heard) in cases {
            assert_eq!(hears(named(), &[said]), heard.as_bytes());
        }
    }

    #[test]
    fn a_tagged_line_keeps_its_bytes() {
        let said = b"\x1b[31m\xff\r\nrest";
        let heard = b"[[::1]:5] \x1b[31m\xff\r\n[[::1]:5] rest\n";
        assert_eq!(hears(tagged(), &[said]), heard);
    }

    #[test]
    fn an_unfinished_line_waits_for_its_end_under_a_label_only() {
        let mut speaker = named();
        assert_eq!(speaker.push(b"hel"), 3);
        assert!(!speaker.has_output());
        assert_eq!(speaker.take_early(), b"");
        assert_eq!(speaker.push(b"lo\nnext"), 7);
        assert!(speaker.has_output());
        assert_eq!(speaker.take_early(), b"<user4> hello\n");
        let mut plain = Speaker::new(Label::None);
        assert_eq!(plain.push(b"hel"), 3);
        assert!(plain.has_output());
        assert_eq!(plain.take(), b"");
        assert_eq!(plain.take_early(), b"hel");
    }

    #[test]
    fn announcements_are_ncats() {
        assert_eq!(
            joined("user6", "127.0.0.1:60084"),
            "<announce> 127.0.0.1:60084 is connected as <user6>.\n"
        );
        assert_eq!(
            present(std::iter::empty()),
            "<announce> already connected: nobody.\n"
        );
        let others = [("user4", "127.0.0.1:5"), ("user5", "[::1]:6")];
        assert_eq!(
            present(others.into_iter()),
            "<announce> already connected: 127.0.0.1:5 as <user4>, [::1]:6 as <user5>.\n"
        );
        assert_eq!(left("user4"), "<announce> <user4> is disconnected.\n");
    }

    proptest! {
        #[test]
        fn no_cut_matters(bytes: Vec<u8>, at: proptest::sample::Index) {
            let (head, tail) = bytes.split_at(at.index(bytes.len() + 1));
            for speaker in [named(), tagged(), Speaker::new(Label::None)] {
                let whole = hears(speaker.clone(), &[&bytes]);
                prop_assert_eq!(&whole, &hears(speaker, &[head, tail]));
            }
        }

        #[test]
        fn a_chat_has_only_named_lines_without_controls(bytes: Vec<u8>) {
            let heard = String::from_utf8(hears(named(), &[&bytes])).expect("UTF-8");
            for line in heard.lines() {
                prop_assert!(line.starts_with("<user4> "));
                prop_assert!(!line.contains(|c: char| c.is_control() && c != '\t'));
            }
        }

        #[test]
        fn tags_taken_out_leave_what_was_said(bytes: Vec<u8>) {
            let heard = hears(tagged(), &[&bytes]);
            let mut said = Vec::new();
            for line in heard.split_inclusive(|&byte| byte == b'\n') {
                said.extend_from_slice(line.strip_prefix(b"[[::1]:5] ").expect("a tag"));
            }
            if !bytes.is_empty() && !bytes.ends_with(b"\n") {
                prop_assert_eq!(said.pop(), Some(b'\n'));
            }
            prop_assert_eq!(said, bytes);
        }

        #[test]
        fn without_a_label_nothing_is_changed(bytes: Vec<u8>) {
            prop_assert_eq!(hears(Speaker::new(Label::None), &[&bytes]), bytes);
        }
    }
}
