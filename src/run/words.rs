//! The lines said about connections; nc's own to the letter.

use crate::net::addr::{self, show_ip};
use crate::net::dial::{Connected, DialError};
use crate::net::race::Obstacle;
use crate::parse::escape::printable;
use crate::plan::{Dialing, Plan};
use crate::report;
use crate::sys::names;
use socket2::Socket;
use std::io;

/// nc's line about a connection, to the letter.
pub fn succeeded(
    host: &str,
    port: u16,
    connected: &Connected,
    via_proxy: bool,
    plan: &Plan,
) -> String {
    let proto = plan.net.transport.name();
    let service = (!plan.net.numeric)
        .then(|| names::service_name(port, proto))
        .flatten();
    let service = service.unwrap_or_else(|| "*".into());
    let ip = show_ip(&connected.addr);
    let shown = printable(host.as_bytes());
    let ip = match plan.net.numeric || via_proxy || ip == host {
        true => String::new(),
        false => format!(" ({ip})"),
    };
    format!("Connection to {shown}{ip} {port} port [{proto}/{service}] succeeded!")
}

/// The line about a UDP port that refused.
pub fn refused(connected: &Connected, port: u16, error: &io::Error, plan: &Plan) -> String {
    let ip = show_ip(&connected.addr);
    let proto = plan.net.transport.name();
    format!(
        "connect to {ip} port {port} ({proto}) failed: {}",
        report::reason(error)
    )
}

/// Says, in one line, why there is no connection.
pub fn tell_not_connected(error: &DialError, dialing: &Dialing) {
    let proxy = dialing.proxy.as_ref();
    let proxy = proxy.map(|proxy| format!("{} port {}", proxy.host, proxy.port));
    let proxy = proxy.unwrap_or_default();
    match error {
        // With -v each address has been told by now.
        DialError::Connect { .. } if report::is_verbose(1) => {}
        DialError::Connect { message, .. } => report::failure(message),
        DialError::Name(host, port, error) => {
            let host = printable(host.as_bytes());
            let reason = report::reason(error);
            report::error(&format!(
                "getaddrinfo for host \"{host}\" port {port}: {reason}"
            ));
        }
        DialError::Obstacle(what) => report::error(&obstacle(what)),
        DialError::Proxy(error) => {
            report::error(&format!("connect through {proxy} failed: {error}"));
        }
        DialError::PasswordWanted => {
            report::error(&format!(
                "connect through {proxy} failed: it wants a password (--proxy-auth)"
            ));
        }
    }
}

/// What kept every address from being tried.
pub fn obstacle(what: &Obstacle) -> String {
    match what {
        Obstacle::SourceName(host, error) => {
            let host = printable(host.as_bytes());
            format!(
                "getaddrinfo for source address \"{host}\": {}",
                report::reason(error)
            )
        }
        Obstacle::Source(error) => format!("bind failed: {}", report::reason(error)),
        Obstacle::Option(option) => {
            format!("{}: {}", option.doing, report::reason(&option.error))
        }
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
