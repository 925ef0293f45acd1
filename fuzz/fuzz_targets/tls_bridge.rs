//! A session over TLS: whatever the peer and the user do, what is given out is what was written,
//! and no cut is taken for an end. To be run with -O: rustls has an assertion that does not hold for
//! a broken record behind our own close_notify (its issue 959).
#![no_main]

#[path = "../../tests/tls_script/mod.rs"]
mod tls_script;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|script: &[u8]| {
    tls_script::play(script);
});
