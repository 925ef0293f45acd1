//! Bytes as rows of sixteen, in hexadecimal and as text.
//!
//! ```text
//! > 00000000  68 65 6c 6c 6f 20 77 6f  72 6c 64 0a 1b 5b 33 31  |hello world..[31|
//! 0000   68 65 6c 6c 6f 20 77 6f  72 6c 64 0a 1b 5b 33 31  hello.world..[31
//! ```
//! The first row is as hexdump(1) has it with -C, after a mark of the direction; the
//! second is Ncat's. Whatever the bytes are, the rows are printable ASCII.

use std::fmt::Write;

/// Bytes in a row.
const ROW: usize = 16;
/// Room for a row and its line end.
const WIDTH: usize = 88;
/// The digits, to be taken by their value.
const DIGITS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
];

/// Rows as of `hexdump -C`, each behind `mark` and a space, without their line ends. `offset` is
/// the number of the first byte.
pub fn canonical(mark: char, offset: u64, bytes: &[u8]) -> impl Iterator<Item = String> {
    numbered(offset, bytes).map(move |(offset, row)| {
        let mut line = String::with_capacity(WIDTH);
        // Writing to a String cannot fail.
        let _ = write!(line, "{mark} {offset:08x}  ");
        push_hex(&mut line, row);
        line.push_str("  |");
        push_text(&mut line, row, |byte| matches!(byte, b' '..=b'~'));
        line.push('|');
        line
    })
}

/// Ncat's rows, without their line ends. Offsets begin at 0 with every call, a space is a dot, and
/// the text is filled up with spaces.
pub fn ncat(bytes: &[u8]) -> impl Iterator<Item = String> {
    numbered(0, bytes).map(|(offset, row)| {
        let mut line = String::with_capacity(WIDTH);
        let _ = write!(line, "{offset:04x}   ");
        push_hex(&mut line, row);
        line.push_str("  ");
        push_text(&mut line, row, |byte| byte.is_ascii_graphic());
        line.extend((row.len()..ROW).map(|_| ' '));
        line
    })
}

fn numbered(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let offsets = (0..).map(move |row| offset + row * ROW as u64);
    offsets.zip(bytes.chunks(ROW))
}

/// Two digits a byte, a wider gap in the middle, filled up to the width of a whole row.
fn push_hex(line: &mut String, row: &[u8]) {
    for at in 0..ROW {
        line.push_str(match at {
            0 => "",
            8 => "  ",
            _ => " ",
        });
        match row.get(at) {
            Some(byte) => [byte >> 4, byte & 0x0f]
                .iter()
                .for_each(|&digit| line.push(DIGITS[usize::from(digit)])),
            None => line.push_str("  "),
        }
    }
}

fn push_text(line: &mut String, row: &[u8], shows: impl Fn(u8) -> bool) {
    line.extend(
        row.iter()
            .map(|&byte| if shows(byte) { char::from(byte) } else { '.' }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn canonical_rows_are_those_of_hexdump() {
        let rows: Vec<String> = canonical('>', 0x1b, b"hello world, this\x00\xff").collect();
        let wanted = [
            "> 0000001b  68 65 6c 6c 6f 20 77 6f  72 6c 64 2c 20 74 68 69  |hello world, thi|",
            "> 0000002b  73 00 ff                                          |s..|",
        ];
        assert_eq!(rows, wanted);
        assert_eq!(canonical('<', 0, b"").count(), 0);
    }

    #[test]
    fn ncats_rows_are_ncats() {
        let rows: Vec<String> = ncat(b"hello world, thisx\ty").collect();
        let wanted = [
            "0000   68 65 6c 6c 6f 20 77 6f  72 6c 64 2c 20 74 68 69  hello.world,.thi",
            "0010   73 78 09 79                                       sx.y            ",
        ];
        assert_eq!(rows, wanted);
    }

    #[test]
    fn offsets_outgrow_eight_digits() {
        let row = canonical('<', u64::from(u32::MAX) + 1, b"x").next();
        assert!(row.is_some_and(|row| row.starts_with("< 100000000  78 ")));
    }

    /// The bytes a canonical row stands for.
    fn bytes_of(row: &str) -> Vec<u8> {
        let digits = row.get(12..60).unwrap_or_default();
        let read = |word| u8::from_str_radix(word, 16).expect("two digits");
        digits.split_whitespace().map(read).collect()
    }

    proptest! {
        #[test]
        fn rows_give_back_the_bytes(bytes: Vec<u8>, offset in 0..0xffff_0000u64) {
            let rows: Vec<String> = canonical('<', offset, &bytes).collect();
            let read: Vec<u8> = rows.iter().flat_map(|row| bytes_of(row)).collect();
            prop_assert_eq!(read, bytes);
            for (at, row) in rows.iter().enumerate() {
                let place = u64::from_str_radix(&row[2..10], 16).expect("an offset");
                prop_assert_eq!(place, offset + 16 * at as u64);
            }
        }

        #[test]
        fn rows_are_printable_and_fit_a_terminal(bytes: Vec<u8>) {
            for row in canonical('>', 0, &bytes).chain(ncat(&bytes)) {
                prop_assert!(row.len() <= 80);
                prop_assert!(row.bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
        }
    }
}
