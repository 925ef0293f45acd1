//! Command lines of `--exec`: words of any bytes come back when each byte of theirs is escaped.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::parse::words::words;

fuzz_target!(|data: &[u8]| {
    let found = words(data);
    assert!(found.iter().all(|word| !word.is_empty()));
    let escape = |word: &Vec<u8>| -> Vec<u8> {
        word.iter().flat_map(|byte| [b'\\', *byte]).collect()
    };
    let escaped: Vec<Vec<u8>> = found.iter().map(escape).collect();
    assert_eq!(words(&escaped.join(&b' ')), found);
});
