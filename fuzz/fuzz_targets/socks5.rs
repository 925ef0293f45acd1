//! SOCKS5 replies, with and without a login: no answer panics, no cut matters.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::{Login, Target, socks5::Socks5};

fuzz_target!(|data: &[u8]| {
    let target = Target::from("example.org");
    let login = Login {
        user: "me".to_owned(),
        password: "secret".to_owned(),
    };
    for login in [None, Some(&login)] {
        common::check(
            || Socks5::new(&target, 80, login).expect("a plain request"),
            data,
        );
    }
});
