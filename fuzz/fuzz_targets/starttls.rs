//! What servers say to a client that wants TLS: no answer panics, no cut matters. The first byte
//! says which protocol is spoken.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::plan::starttls::Protocol;
use rnc::proto::starttls::machine;

fuzz_target!(|data: &[u8]| {
    if let Some((&which, answer)) = data.split_first() {
        let all = Protocol::ALL;
        let protocol = all[usize::from(which) % all.len()];
        common::check(|| machine(protocol, "example.org"), answer);
    }
});
