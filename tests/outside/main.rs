//! rnc seen from outside, as its users see it: the binary is started, with real programs or the
//! test itself at its other ends. A file here for each subject; the tests of all of them run side
//! by side.

#[path = "../common/mod.rs"]
mod common;

mod access;
mod bad_input;
mod broker;
mod cli;
#[path = "../contract/mod.rs"]
mod contract;
mod demos;
mod framing;
mod lifecycle;
mod logs;
#[cfg(feature = "tls")]
mod matrix;
mod nc_dialect;
mod ncat_dialect;
mod options;
mod programs;
mod proxy;
mod regressions;
mod relay;
mod retry;
mod scan;
mod services;
mod starttls;
mod tls;
mod transports;
mod udp;
