//! Durations: none is too long, a bare number is seconds, and a whole one comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::parse::duration::{LONGEST, duration, whole_seconds};

fuzz_target!(|text: &str| {
    if let Ok(read) = duration(text) {
        assert!(read <= LONGEST);
        if text.ends_with(|c: char| c.is_ascii_digit()) {
            assert_eq!(duration(&format!("{text}s")), Ok(read));
        }
        assert_eq!(
            duration(&format!("{}", read.as_secs())).map(|d| d.as_secs()),
            Ok(read.as_secs())
        );
    }
    if let Ok(seconds) = whole_seconds(text, 0, 1000) {
        assert_eq!(whole_seconds(&seconds.to_string(), 0, 1000), Ok(seconds));
    }
});
