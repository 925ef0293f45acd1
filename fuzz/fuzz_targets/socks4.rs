//! SOCKS4 replies: no answer panics, no cut matters.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::{Target, socks4::Socks4};

fuzz_target!(|data: &[u8]| {
    let target = Target::from("example.org");
    common::check(
        || Socks4::new(&target, 80, "me").expect("a plain request"),
        data,
    );
});
