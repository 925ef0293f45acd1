//! Where clients are from, as `-v` prints it.

use super::event::Event;
use super::words;
use crate::io::datagram::PeerAddr;
use crate::io::inbox::Notice;
use crate::io::reactor::Registrar;
use crate::net::addr::{self, show_ip};
use crate::parse::escape::printable;
use crate::plan::Manners;
use crate::report;
use crate::sys::names;
use socket2::{SockAddr, Socket};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;

/// Prints where clients are from; nc: `Connection received on localhost 54182`. Where names are
/// wanted, the address is looked up off the loop, and printed when the answer is there.
pub struct Greeter {
    manners: Manners,
    waiting: Vec<SocketAddr>,
}

impl Greeter {
    /// Prints in this manner.
    pub fn new(manners: Manners) -> Greeter {
        Greeter {
            manners,
            waiting: Vec::new(),
        }
    }

    /// A client has connected from this address.
    pub fn greet(&mut self, sock: &Socket, addr: &SockAddr, registrar: &Registrar<'_>) {
        if !report::is_verbose(1) {
            return;
        }
        match addr::ip(addr) {
            Some(ip) => self.greet_ip(ip, registrar),
            None => words::tell(&Event::CameTo(&words::came(sock, addr, &self.manners))),
        }
    }

    /// A peer has sent its first datagram.
    pub fn greet_sender(&mut self, sender: &PeerAddr, registrar: &Registrar<'_>) {
        match sender {
            PeerAddr::Ip(ip) => self.greet_ip(addr::unmapped(*ip), registrar),
            PeerAddr::Unix(path) => {
                let path = printable(path.as_os_str().as_bytes());
                words::tell(&Event::CameTo(&path));
            }
        }
    }

    /// As `greet`, for an IP address.
    fn greet_ip(&mut self, ip: SocketAddr, registrar: &Registrar<'_>) {
        if !report::is_verbose(1) {
            return;
        }
        let look_up = move || Notice::HostName(ip, names::host_name(&ip));
        if self.manners.names_peers && registrar.try_off_loop(look_up) {
            self.waiting.push(ip);
        } else {
            words::tell(&Event::Came(&show_ip(&ip), ip));
        }
    }

    /// A name was found, or not.
    pub fn notice(&mut self, notice: &Notice) {
        let Notice::HostName(ip, name) = notice else {
            return;
        };
        let Some(at) = self.waiting.iter().position(|waiting| waiting == ip) else {
            return;
        };
        self.waiting.swap_remove(at);
        let host = name.clone().unwrap_or_else(|| show_ip(ip));
        words::tell(&Event::Came(&host, *ip));
    }

    /// Prints the addresses whose look-ups are not done.
    pub fn flush(&mut self) {
        for ip in self.waiting.drain(..) {
            words::tell(&Event::Came(&show_ip(&ip), ip));
        }
    }
}
