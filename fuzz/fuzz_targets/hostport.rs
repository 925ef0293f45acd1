//! Address words: no part is empty, and what is read comes back when written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rnc::parse::hostport::{Address, address, proxy};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

fuzz_target!(|data: &[u8]| {
    let word = OsStr::from_bytes(data);
    match address(word) {
        Ok(Address::Host(host)) => {
            assert!(!host.is_empty());
            assert_eq!(address(OsStr::new(&host)), Ok(Address::Host(host.clone())));
        }
        Ok(Address::HostPort(host, port)) => {
            assert!(!host.is_empty() && !port.is_empty());
            assert_eq!(data.last(), port.as_bytes().last());
        }
        Ok(Address::AnyHost(port)) => assert!(!port.is_empty()),
        Ok(Address::Unix(path)) => {
            assert_eq!([b"unix:", path.as_os_str().as_bytes()].concat(), data);
        }
        Ok(Address::Vsock(cid, port)) => {
            let shown = cid.map(|cid| cid.to_string()).unwrap_or_default();
            let written = format!("vsock:{shown}:{port}");
            assert_eq!(address(OsStr::new(&written)), Ok(Address::Vsock(cid, port)));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    if let Some(Ok((host, port))) = word.to_str().map(proxy) {
        assert!(!host.is_empty() && port.is_none_or(|port| !port.is_empty()));
    }
});
