//! The names a connection hangs on: that of the host, or of the proxy, and for SOCKS4 both.

use super::race::Hop;
use super::resolve;
use crate::io::inbox::Notice;
use crate::io::reactor::Registrar;
use crate::plan::{Dialing, Net};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;

/// What the names stand for: enough for any number of connections.
#[derive(Clone, Debug)]
pub struct Found {
    /// The addresses to connect to: the target's, or the proxy's.
    pub hop: Vec<SocketAddr>,
    /// The address of the target, where the proxy has to be told that.
    pub target: Option<IpAddr>,
}

/// A host that could not be looked up, and why.
#[derive(Debug)]
pub struct Unknown(pub Hop, pub io::Error);

/// Looks the names up, one after the other.
pub struct Lookup {
    net: Rc<Net>,
    /// What is still to be asked for; the last one is connected to.
    left: Vec<Hop>,
    target: Option<IpAddr>,
    is_asked: bool,
    answer: Option<io::Result<Vec<SocketAddr>>>,
}

impl Lookup {
    /// Looks up what connecting to `target` takes.
    pub fn new(target: Hop, net: &Rc<Net>, dialing: &Dialing) -> Lookup {
        let left = match &dialing.proxy {
            None => vec![target],
            Some(proxy) if proxy.resolves_names => vec![proxy_hop(proxy)],
            Some(proxy) => vec![target, proxy_hop(proxy)],
        };
        Lookup {
            net: Rc::clone(net),
            left,
            target: None,
            is_asked: false,
            answer: None,
        }
    }

    /// Takes in a notice: the addresses that were asked for.
    pub fn notice(&mut self, notice: &Notice) {
        if let Notice::Addresses(answer) = notice {
            self.answer = Some(match answer {
                Ok(found) => Ok(found.clone()),
                Err(error) => Err(io::Error::other(error.to_string())),
            });
        }
    }

    /// Goes on as far as it can; `None` when it has to wait for an answer.
    ///
    /// # Errors
    /// A name is not known.
    pub fn drive(&mut self, registrar: &Registrar<'_>) -> Result<Option<Found>, Unknown> {
        while let Some(hop) = self.left.first().cloned() {
            if !std::mem::replace(&mut self.is_asked, true) {
                match resolve::ask(&hop.0, hop.1, &self.net, registrar) {
                    Ok(resolve::Answer::Now(addrs)) => self.answer = Some(Ok(addrs)),
                    Ok(resolve::Answer::Later) => {}
                    Err(error) => return Err(Unknown(hop, error)),
                }
            }
            let found = match self.answer.take() {
                None => return Ok(None),
                Some(Ok(found)) => found,
                Some(Err(error)) => return Err(Unknown(hop, error)),
            };
            self.is_asked = false;
            self.left.remove(0);
            if self.left.is_empty() {
                return Ok(Some(Found {
                    hop: found,
                    target: self.target,
                }));
            }
            // SOCKS4 knows IPv4 only.
            let v4 = found.iter().find(|addr| addr.is_ipv4());
            self.target = v4.or(found.first()).map(SocketAddr::ip);
        }
        Ok(None)
    }
}

/// The proxy as a host to connect to.
pub fn proxy_hop(proxy: &crate::plan::Proxy) -> Hop {
    (proxy.host.as_str().into(), proxy.port)
}
