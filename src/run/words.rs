//! The lines said about connections; nc's own to the letter.

use super::entrance::Client;
use crate::net::addr::{self, show_ip};
use crate::net::dial::DialError;
use crate::net::lookup::{Role, Unknown};
use crate::net::race::Obstacle;
use crate::parse::escape::printable;
use crate::plan::{Plan, Proxy};
use crate::report;
use crate::sys::names;
use crate::sys::sockopt::Credentials;
use socket2::Socket;
use std::io;
use std::net::SocketAddr;

/// nc's line about a connection, to the letter.
pub fn succeeded(host: &str, port: u16, addr: &SocketAddr, via_proxy: bool, plan: &Plan) -> String {
    let proto = plan.net.transport.name();
    let service = (!plan.net.numeric)
        .then(|| names::service_name(port, proto))
        .flatten();
    let service = service.unwrap_or_else(|| "*".into());
    let ip = show_ip(addr);
    let shown = printable(host.as_bytes());
    let ip = match plan.net.numeric || via_proxy || ip == host {
        true => String::new(),
        false => format!(" ({ip})"),
    };
    format!("Connection to {shown}{ip} {port} port [{proto}/{service}] succeeded!")
}

/// The line about a UDP port that refused.
pub fn refused(addr: &SocketAddr, port: u16, error: &io::Error, plan: &Plan) -> String {
    let ip = show_ip(addr);
    let proto = plan.net.transport.name();
    format!(
        "connect to {ip} port {port} ({proto}) failed: {}",
        report::reason(error)
    )
}

/// Why no connection can be made at all, to this port or another. Nothing is said about a port
/// that merely is not open, or about a password that is wanted.
pub fn no_connection(error: &DialError, proxy: Option<&Proxy>) -> String {
    match error {
        DialError::Name(unknown) => unknown_name(unknown),
        DialError::Obstacle(what) => obstacle(what),
        DialError::Proxy(error) => {
            let at = proxy.map(|proxy| format!("{} port {}", proxy.host, proxy.port));
            let at = at.unwrap_or_default();
            format!("connect through {at} failed: {error}")
        }
        DialError::Connect(_) | DialError::PasswordWanted(_) => String::new(),
    }
}

fn unknown_name(unknown: &Unknown) -> String {
    let (host, port) = &unknown.host;
    let host = printable(host.as_bytes());
    let reason = report::reason(&unknown.error);
    match unknown.role {
        Role::Source => format!("getaddrinfo for source address \"{host}\": {reason}"),
        Role::Target | Role::Hop => {
            format!("getaddrinfo for host \"{host}\" port {port}: {reason}")
        }
    }
}

/// What kept every address from being tried.
fn obstacle(what: &Obstacle) -> String {
    match what {
        Obstacle::Source(error) => format!("bind failed: {}", report::reason(error)),
        Obstacle::NoDescriptor(error) => {
            format!("cannot make a socket: {}", report::reason(error))
        }
        Obstacle::NoTransport(transport, error) => {
            let name = transport.name();
            format!("cannot make a socket ({name}): {}", report::reason(error))
        }
        Obstacle::Option(option) => {
            format!("{}: {}", option.doing, report::reason(&option.error))
        }
    }
}

/// Where a client has come from, or at a Unix socket where to, and whose process it is:
/// `127.0.0.1 54182`, `/run/socket (pid 12, uid 1000, gid 1000)`.
pub fn came(client: &Client, plan: &Plan) -> String {
    if let Some(ip) = addr::ip(&client.addr) {
        return format!("{} {}", show_ip(&ip), ip.port());
    }
    if client.addr.as_vsock_address().is_some() {
        return addr::show(&client.addr);
    }
    let local = client.sock.local_addr();
    let place = local.map(|addr| addr::show(&addr)).unwrap_or_default();
    match client.credentials().filter(|_| plan.tells_users) {
        Some(Credentials { pid, uid, gid }) => {
            format!("{place} (pid {pid}, uid {uid}, gid {gid})")
        }
        None => place,
    }
}

/// What `-vv` tells about a connected socket.
pub fn socket_details(sock: &Socket) -> String {
    let local = sock
        .local_addr()
        .map(|addr| addr::show(&addr))
        .unwrap_or_default();
    let send = sock.send_buffer_size().unwrap_or_default();
    let receive = sock.recv_buffer_size().unwrap_or_default();
    format!("Local address {local}, send buffer {send} bytes, receive buffer {receive} bytes")
}
