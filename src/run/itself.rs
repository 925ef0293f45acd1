//! A relay whose target is its own listener: each client would bring the next, without end.

use super::event::Event;
use super::words;
use crate::io::endpoint::Endpoint;
use crate::net::addr;
use crate::net::environment::Addresses;
use crate::net::labels::label;
use crate::net::prepared::Prepared;
use crate::sys::stdio;
use std::os::fd::AsFd;

/// Returns whether a client is one of our own connections, which was closed again.
pub fn returns(client: Option<&Endpoint>, target: &Prepared) -> bool {
    let returning = target.returning();
    let count = returning.get();
    let sock = client.and_then(Endpoint::socket).filter(|_| count > 0);
    let is_ours = sock.is_some_and(|sock| stdio::is_hung_up(sock.as_fd()));
    returning.set(count - usize::from(is_ours));
    is_ours
}

/// Returns whether a target is the address that the client has connected to; that is printed, and
/// the connection closed.
pub fn is_same(client: &Endpoint, target: &Endpoint, to: &Prepared) -> bool {
    let here = Addresses::of_end(client).local;
    let there = Addresses::of_end(target).remote;
    let (Some(here), Some(there)) = (here, there) else {
        return false;
    };
    let is_same = match (addr::ip(&here), addr::ip(&there)) {
        (Some(here), Some(there)) => here.ip() == there.ip() && here.port() == there.port(),
        _ => here.domain() == there.domain() && addr::show(&here) == addr::show(&there),
    };
    if !is_same || to.end().proxy().is_some() {
        return false;
    }
    let label = label(&there, &to.end().how.net);
    words::tell(&Event::Itself(&label));
    target.reset();
    // A datagram socket that has sent nothing does not come in.
    let comes_in = usize::from(target.stream().is_some());
    to.returning().set(to.returning().get() + comes_in);
    true
}
