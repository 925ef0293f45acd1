//! Line feeds become carriage return and line feed, as `-C` asks for.

use super::find::find;

const CR: u8 = b'\r';
const LF: u8 = b'\n';

/// Turns each LF into CR LF, but for those that follow a CR already, also across calls.
#[derive(Clone, Copy, Debug, Default)]
pub struct Crlf {
    /// Whether the last byte so far was a CR.
    after_cr: bool,
}

impl Crlf {
    /// Appends the changed `input` to `out`: at most twice as many bytes.
    pub fn apply(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = input;
        while let Some(at) = find(LF, rest) {
            let line = &rest[..at];
            self.copy(line, out);
            if !self.after_cr {
                out.push(CR);
            }
            out.push(LF);
            self.after_cr = false;
            rest = &rest[at + 1..];
        }
        self.copy(rest, out);
    }

    /// Copies a run without LF.
    fn copy(&mut self, run: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(run);
        if let Some(&last) = run.last() {
            self.after_cr = last == CR;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn apply<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        let (mut crlf, mut out) = (Crlf::default(), Vec::new());
        pieces
            .into_iter()
            .for_each(|piece| crlf.apply(piece, &mut out));
        out
    }

    #[test]
    fn bare_line_feeds_get_a_carriage_return_and_others_none() {
        let cases: [(&[u8], &[u8]); 7] = [
            (b"", b""),
            (b"a\nb", b"a\r\nb"),
            (b"a\r\nb", b"a\r\nb"),
            (b"\n\n", b"\r\n\r\n"),
            (b"\r\n\n", b"\r\n\r\n"),
            (b"\r\r\n", b"\r\r\n"),
            (b"a\rb\n", b"a\rb\r\n"),
        ];
        for (input, wanted) in cases {
            assert_eq!(apply([input]), wanted);
        }
    }

    #[test]
    fn cr_and_lf_in_two_pieces_are_one_line_end() {
        assert_eq!(apply([&b"a\r"[..], b"", b"\nb"]), b"a\r\nb");
    }

    proptest! {
        #[test]
        fn no_cut_matters(input in "[\r\nab]{0,60}") {
            let input = input.as_bytes();
            let whole = apply([input]);
            prop_assert_eq!(&whole, &apply(input.chunks(1)));
            for at in 0..=input.len() {
                let (head, tail) = input.split_at(at);
                prop_assert_eq!(&whole, &apply([head, tail]));
            }
        }

        #[test]
        fn once_is_enough_and_only_carriage_returns_are_added(input in "[\r\nab]{0,200}") {
            let out = apply([input.as_bytes()]);
            prop_assert_eq!(&apply([&out[..]]), &out);
            let without = |bytes: &[u8]| bytes.iter().filter(|&&b| b != CR).copied().collect();
            let (before, after): (Vec<u8>, Vec<u8>) = (without(input.as_bytes()), without(&out));
            prop_assert_eq!(before, after);
        }
    }
}
