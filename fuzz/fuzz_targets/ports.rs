//! Port words: what is read comes back when written, and an error names a part of the word.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::parse::ports::{listen_port, port, ranges};

fuzz_target!(|text: &str| {
    if let Ok(number) = port(text) {
        assert_ne!(number, 0);
        assert_eq!(listen_port(text), Ok(number));
        assert_eq!(port(&number.to_string()), Ok(number));
    }
    match ranges(text, &|name| (name == "x11-1").then_some(6001)) {
        Ok(range) => {
            let (low, high) = range.clone().into_inner();
            assert!(0 < low && low <= high);
            assert_eq!(ranges(&format!("{high}-{low}"), &|_| None), Ok(range));
        }
        Err((_, word)) => assert!(text.contains(&word)),
    }
});
