//! SOCKS5 replies, with a login, with one whose password is to be asked for, and without: no answer
//! panics, no cut matters.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::{Target, socks5::Socks5};

fuzz_target!(|data: &[u8]| {
    let target = Target::from("example.org");
    let logins = [(None, None), (Some("me"), None), (Some("me"), Some("secret"))];
    for (user, password) in logins {
        common::check(
            || Socks5::new(&target, 80, user, password).expect("a plain request"),
            data,
        );
    }
});
