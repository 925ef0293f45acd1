//! Files of certificates and keys: no text panics; what is read is within the text, and each label
//! is one that a line can show.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::proto::pem::sections;

fuzz_target!(|text: &[u8]| match sections(text) {
    Ok(sections) => {
        let read: usize = sections.iter().map(|section| section.content.len()).sum();
        assert!(read <= text.len());
        assert!(sections.iter().all(|section| section.label.is_ascii()));
    }
    Err(error) => assert!(!error.to_string().contains(char::is_control)),
});
