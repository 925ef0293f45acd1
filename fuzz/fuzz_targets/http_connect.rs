//! Answers to CONNECT: no answer panics, no cut matters.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::{Target, http::HttpConnect};

fuzz_target!(|data: &[u8]| {
    let target = Target::from("example.org");
    common::check(
        || HttpConnect::new(&target, 80, None).expect("a plain request"),
        data,
    );
});
