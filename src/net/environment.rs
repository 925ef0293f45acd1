//! The environment variables of a program about its peer.

use super::addr;
use crate::io::datagram::PeerAddr;
use crate::io::endpoint::Endpoint;
use crate::plan::Transport;
use socket2::{SockAddr, Socket};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// Both addresses of a connection, as far as they are known.
#[derive(Debug, Default)]
pub struct Addresses {
    /// The peer's.
    pub remote: Option<SockAddr>,
    /// Ours.
    pub local: Option<SockAddr>,
}

impl Addresses {
    /// Those of a socket.
    pub fn of(sock: &Socket) -> Addresses {
        Addresses {
            remote: sock.peer_addr().ok(),
            local: sock.local_addr().ok(),
        }
    }

    /// Those of a connection; a socket that leads to a group has that as its peer.
    pub fn of_end(end: &Endpoint) -> Addresses {
        if let Endpoint::Mailbox(mailbox) = end {
            return Addresses {
                remote: Some(mailbox.peer().clone()),
                local: mailbox.own_addr(),
            };
        }
        let mut addresses = end.socket().map(Addresses::of).unwrap_or_default();
        if let (None, Some(PeerAddr::Ip(group))) = (&addresses.remote, end.peer()) {
            addresses.remote = Some(group.into());
        }
        addresses
    }

    /// The variables for a program, under Ncat's names and under ours. `None` removes one: it may
    /// be that of an rnc which runs this one.
    pub fn variables(&self, transport: Transport) -> Vec<(String, Option<OsString>)> {
        let proto = match &self.local {
            Some(addr) if addr.is_unix() => "UNIX",
            Some(addr) if addr.as_vsock_address().is_some() => "VSOCK",
            _ if transport == Transport::Udp => "UDP",
            _ => "TCP",
        };
        let (remote, remote_port) = host_and_port(self.remote.as_ref());
        let (local, local_port) = host_and_port(self.local.as_ref());
        let values = [
            ("REMOTE_ADDR", remote),
            ("REMOTE_PORT", remote_port),
            ("LOCAL_ADDR", local),
            ("LOCAL_PORT", local_port),
            ("PROTO", Some(proto.into())),
        ];
        let named = |prefix| {
            let values = values.iter();
            values.map(move |(name, value)| (format!("{prefix}_{name}"), value.clone()))
        };
        // The password is for the proxy, not for what a peer may have run.
        let secret = [("NCAT_PROXY_AUTH".to_string(), None)];
        named("NCAT").chain(named("RNC")).chain(secret).collect()
    }
}

fn host_and_port(addr: Option<&SockAddr>) -> (Option<OsString>, Option<OsString>) {
    let Some(addr) = addr else {
        return (None, None);
    };
    if let Some(ip) = addr::ip(addr) {
        let port = ip.port().to_string();
        return (Some(addr::show_ip(&ip).into()), Some(port.into()));
    }
    if let Some((cid, port)) = addr.as_vsock_address() {
        return (Some(cid.to_string().into()), Some(port.to_string().into()));
    }
    let path = addr.as_pathname().map(|path| path.as_os_str().to_owned());
    let name = || {
        let name = addr.as_abstract_namespace()?;
        Some(OsStr::from_bytes(&[b"@", name].concat()).to_owned())
    };
    (path.or_else(name), None)
}
