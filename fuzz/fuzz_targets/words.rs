//! Command lines of `--exec`: words of any bytes come back when each byte of theirs is escaped.
//! Each word may be an IPv4 address too, which is read as std reads it where both can.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::parse::inet_aton::inet_aton;
use rnc::parse::words::words;
use std::net::Ipv4Addr;

fuzz_target!(|data: &[u8]| {
    let found = words(data);
    assert!(found.iter().all(|word| !word.is_empty()));
    for text in found.iter().filter_map(|word| std::str::from_utf8(word).ok()) {
        if let Ok(ip) = text.parse::<Ipv4Addr>() {
            assert_eq!(inet_aton(text), Some(ip));
        }
        let _ = inet_aton(text);
    }
    let escape = |word: &Vec<u8>| -> Vec<u8> {
        word.iter().flat_map(|byte| [b'\\', *byte]).collect()
    };
    let escaped: Vec<Vec<u8>> = found.iter().map(escape).collect();
    assert_eq!(words(&escaped.join(&b' ')), found);
});
