//! Defects that an attack from outside has found, each kept from coming back by a test of its own.

mod crowd;
mod descriptors;
mod ends;
mod harness;
mod loops;
mod memory;
mod messages;
mod refused;
mod signals;
mod start;
mod telnet;
#[cfg(feature = "tls")]
mod tls;
mod udp;
mod urgent;
mod words;

use crate::common::{Cmd, Running, Server, Sock, connect_to_listener, eventually, rnc, work_done};
use std::ffi::OsString;
use std::time::Duration;

/// rnc connected over TCP with the test. `options` go before the address, `shape` gives it its
/// standard descriptors.
#[track_caller]
fn connected(options: &[&str], shape: impl FnOnce(Cmd) -> Cmd) -> (Running, Sock) {
    connected_to(&Server::tcp(), options, shape)
}

/// As `connected`, with the server given.
#[track_caller]
fn connected_to(
    server: &Server,
    options: &[&str],
    shape: impl FnOnce(Cmd) -> Cmd,
) -> (Running, Sock) {
    let options = options.iter().map(OsString::from);
    let rnc = shape(rnc(options.chain(server.words()))).spawn();
    let peer = server.accept(&rnc);
    (rnc, peer)
}

/// rnc that serves all clients at once (`-lk`), and the first of them.
#[track_caller]
fn crowd(options: &[&str], shape: impl FnOnce(Cmd) -> Cmd) -> (Running, Sock) {
    let words = options.iter().chain(&["-lk", "0"]);
    let crowd = shape(rnc(words)).spawn();
    let client = connect_to_listener(&crowd, None);
    (crowd, client)
}

/// Waits until rnc does nothing at all for a second; panics if it never does, as when it spins.
#[track_caller]
fn comes_to_rest(rnc: &Running) {
    let rests = eventually(|| {
        let before = work_done(rnc.pid());
        // Not a time measured: a span in which nothing at all may happen.
        std::thread::sleep(Duration::from_secs(1));
        work_done(rnc.pid()).is_at_rest_since(before)
    });
    if !rests {
        rnc.fail("it never comes to rest");
    }
}

/// Stops rnc while it waits for the next event, so that all that comes until it goes on is told by
/// one.
#[track_caller]
fn stop_at_rest(rnc: &Running) {
    comes_to_rest(rnc);
    rnc.stop();
}
