//! Hex dumps: they give back every byte, and a terminal obeys nothing in them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::plan::LogFormat;
use rnc::proto::hexdump;
use rnc::proto::record::{Record, Direction};
use std::time::Duration;

fuzz_target!(|data: &[u8]| {
    let Some((offset, bytes)) = data.split_first_chunk::<4>() else {
        return;
    };
    let offset = u64::from(u32::from_be_bytes(*offset) / 2);
    let rows: Vec<String> = hexdump::canonical('<', offset, bytes).collect();
    let read: Vec<u8> = rows.iter().flat_map(|row| bytes_of(row)).collect();
    assert_eq!(read, bytes);
    let record = Record {
        time: Duration::from_secs(offset),
        direction: Direction::Received,
        peer: "peer",
        offset,
        bytes,
    };
    let hex = LogFormat::Hex { colours: false };
    for format in [LogFormat::Tagged, LogFormat::Json, hex, LogFormat::NcatHex] {
        let text = String::from_utf8(record.render(format)).expect("text");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'));
    }
});

/// The bytes a row stands for.
fn bytes_of(row: &str) -> Vec<u8> {
    let digits = row[12..60].split_whitespace();
    let read = |word| u8::from_str_radix(word, 16).expect("two digits");
    digits.map(read).collect()
}
