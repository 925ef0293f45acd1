//! Answers to CONNECT, with and without a login: no answer panics, no cut matters.
#![no_main]

mod common;

use libfuzzer_sys::fuzz_target;
use rnc::proto::http::{Account, HttpConnect};
use rnc::proto::{Login, Target};

fuzz_target!(|data: &[u8]| {
    let target = Target::from("example.org");
    let account = || Account {
        login: Login {
            user: "me".to_owned(),
            password: "secret".to_owned(),
        },
        seed: [7; 16],
    };
    for account in [None, Some(account())] {
        common::check(
            || HttpConnect::new(&target, 80, account.clone(), None).expect("a plain request"),
            data,
        );
    }
});
