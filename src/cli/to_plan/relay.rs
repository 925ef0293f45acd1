//! `--relay`: what the clients of a listener are joined to.

use super::*;
use crate::parse::url;

impl Planner<'_> {
    /// `--relay HOST:PORT|unix:PATH`
    pub(super) fn relay(&self, word: &OsStr, timeout: Option<Duration>) -> Result<Relay, Wrong> {
        let shown = printable(word.as_encoded_bytes());
        if let Some(url) = word.to_str().and_then(url::url) {
            let host = printable(url.host.as_bytes());
            return said(format!(
                "--relay {shown}: a URL; HOST:PORT is wanted: {host}:PORT"
            ));
        }
        let to = match hostport::address(word) {
            Err(error) => return said(format!("--relay {shown}: {error}")),
            Ok(Address::Unix(_)) if self.args.proxy.is_some() => {
                return said(format!("-x cannot be used with --relay {shown}"));
            }
            Ok(Address::Unix(path)) => Onward::Unix(path),
            Ok(Address::HostPort(host, word)) => {
                self.check_host(&host)?;
                let named = || names::service_port(&word, "tcp");
                let port = ports::port(&word).or_else(|error| named().ok_or(error));
                let port = port.map_err(|error| bad_port(&error, &word, self.dialect.wording))?;
                Onward::Ip { host, port }
            }
            Ok(Address::Vsock(..)) => return said("--relay to vsock is not supported yet"),
            Ok(Address::AnyHost(_)) => return said(format!("--relay {shown}: missing host")),
            Ok(Address::Host(_)) => {
                return said(format!("--relay {shown}: not HOST:PORT or unix:PATH"));
            }
        };
        let dialing = self.dialing(timeout)?;
        Ok(Relay { to, dialing })
    }

    /// Refuses a relay that would connect to itself: each client would bring the next, until no
    /// descriptors are left. A name is only known once it is looked up.
    pub(super) fn check_relay(&self, place: &Place) -> Result<(), Wrong> {
        let Some(word) = &self.args.relay else {
            return Ok(());
        };
        let is_itself = match (place, hostport::address(word)) {
            (Place::Unix(path), Ok(Address::Unix(target))) => *path == target,
            (Place::Ip { host, ports }, Ok(Address::HostPort(target, port))) => {
                ports.first() == Some(&port)
                    && match host {
                        Some(host) => *host == target,
                        None => is_here(&target),
                    }
            }
            _ => false,
        };
        if is_itself && self.args.proxy.is_none() {
            let shown = printable(word.as_encoded_bytes());
            return said(format!("--relay {shown}: this is where rnc itself listens"));
        }
        Ok(())
    }
}

/// Returns whether a host is this machine, as far as the word itself shows.
fn is_here(host: &str) -> bool {
    let is_loopback = |ip: std::net::IpAddr| ip.is_loopback() || ip.is_unspecified();
    host == "localhost" || host.parse().is_ok_and(is_loopback)
}
