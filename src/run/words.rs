//! The lines said about connections, in the words of the dialect: nc's own and Ncat's to the letter.

use crate::exit::Exit;
use crate::flow::bridge::Ended;
use crate::flow::limits::Late;
use crate::net::addr::{self, show_ip};
use crate::net::dial::DialError;
use crate::net::lookup::{Role, Unknown};
use crate::net::race::Obstacle;
use crate::net::resolve::UnfitHost;
use crate::net::{tls, unix};
use crate::parse::escape::printable;
use crate::plan::{Family, Mode, Plan, Proxy, Transport};
use crate::report::{self, Wording};
use crate::sys::names;
use crate::sys::sockopt::Credentials;
use socket2::{SockAddr, Socket};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The line about a connection.
pub fn succeeded(host: &str, port: u16, addr: &SocketAddr, via_proxy: bool, plan: &Plan) -> String {
    if report::wording() == Wording::Ncat {
        let proxy = if via_proxy { "proxy " } else { "" };
        let connected = report::stated(&format!("Connected to {proxy}{addr}"));
        let is_probed = matches!(plan.mode, Mode::Scan { .. });
        return match plan.net.transport {
            Transport::Udp if is_probed => {
                format!("{connected}\nNcat: UDP packet sent successfully")
            }
            _ => connected,
        };
    }
    let proto = plan.net.transport.name();
    let service = (!plan.net.numeric)
        .then(|| names::service_name(port, proto))
        .flatten();
    let service = service.unwrap_or_else(|| "*".into());
    let ip = show_ip(addr);
    let shown = printable(host.as_bytes());
    let ip = if plan.net.numeric || via_proxy || ip == host {
        String::new()
    } else {
        format!(" ({ip})")
    };
    format!("Connection to {shown}{ip} {port} port [{proto}/{service}] succeeded!")
}

/// The line about a connection to a Unix socket, which nc passes over.
pub fn reached(path: &str) -> Option<String> {
    let tells = report::wording() == Wording::Ncat;
    tells.then(|| report::stated(&format!("Connected to {path}")))
}

/// Why a Unix socket cannot be connected to.
pub fn not_reached(path: &Path, error: &io::Error, plan: &Plan) -> String {
    let reason = report::reason(error);
    // The kernel never says this of a Unix socket: it is our limit.
    let is_late = error.kind() == io::ErrorKind::TimedOut;
    let shown = printable(path.as_os_str().as_bytes());
    match report::wording() {
        Wording::Ncat if is_late => "TIMEOUT".into(),
        Wording::Ncat => reason,
        Wording::Netcat if is_late => format!("connect to {shown} (unix) timed out"),
        Wording::Netcat if plan.plain_errors => format!("{shown}: {reason}"),
        // The kernel refuses a file as it does a socket without a listener.
        Wording::Netcat if unix::is_other_file(path) => {
            format!("{shown} is not a socket")
        }
        Wording::Netcat => format!("connect to {shown} (unix) failed: {reason}"),
    }
}

/// Why a Unix socket cannot be listened on.
pub fn not_bound(path: &Path, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse if unix::is_other_file(path) => " (it is not a socket)",
        _ => "",
    };
    let shown = printable(path.as_os_str().as_bytes());
    let reason = report::reason(error);
    format!("listen on {shown} (unix) failed: {reason}{hint}")
}

/// The line about a place of the Internet that is listened on. `first` is nc's first word, `host`
/// the address, or its name.
pub fn listening(first: &str, host: &str, bound: &SocketAddr, is_dual: bool) -> String {
    let port = bound.port();
    match (report::wording(), is_dual) {
        (Wording::Netcat, _) => format!("{first} on {host} {port}"),
        (Wording::Ncat, false) => format!("Ncat: Listening on {bound}"),
        (Wording::Ncat, true) => {
            let v4 = Ipv4Addr::UNSPECIFIED;
            format!("Ncat: Listening on {bound}\nNcat: Listening on {v4}:{port}")
        }
    }
}

/// The line about a Unix socket that is listened on, or only bound.
pub fn listening_unix(path: &str, is_stream: bool) -> String {
    match (report::wording(), is_stream) {
        (Wording::Netcat, true) => format!("Bound on {path}\nListening on {path}"),
        (Wording::Netcat, false) => format!("Bound on {path}"),
        (Wording::Ncat, _) => format!("Ncat: Listening on {path}"),
    }
}

/// The line about a client. `host` is its address, or its name.
pub fn received(host: &str, ip: &SocketAddr) -> String {
    match report::wording() {
        Wording::Netcat => format!("Connection received on {host} {}", ip.port()),
        Wording::Ncat => report::stated(&format!("Connection from {ip}")),
    }
}

/// The line about a client on a Unix socket, or the peer that sent there.
pub fn received_unix(path: &str) -> String {
    match report::wording() {
        Wording::Netcat => format!("Connection received on {path}"),
        Wording::Ncat => report::stated("Connection from a client on Unix domain socket"),
    }
}

/// How much went over a connection, and whether `-v` is to be given once or twice for it.
pub fn totals(moved: (u64, u64), seconds: f64, ended: &Ended, plan: &Plan) -> (u8, String) {
    let (sent, received) = moved;
    let moved = format!("{sent} bytes sent, {received} bytes received in");
    match report::wording() {
        Wording::Netcat => (2, format!("{moved} {seconds:.3} seconds")),
        Wording::Ncat => {
            let tells = matches!(ended, Ended::Clean | Ended::Quit) && !plan.listens();
            let level = if tells { 1 } else { 2 };
            (level, format!("{moved} {seconds:.2} seconds"))
        }
    }
}

/// A session that took too long.
pub fn late(label: &str, late: &Late) -> String {
    match (report::wording(), late) {
        (Wording::Ncat, Late::Idle(limit)) => {
            format!("Idle timeout expired ({} ms)", limit.as_millis())
        }
        _ => format!("{label} timed out: {late}"),
    }
}

/// Why a connection broke.
pub fn why(error: &io::Error, plan: &Plan) -> String {
    match &plan.tls {
        Some(tls) => tls::broken(error, tls),
        None => report::reason(error),
    }
}

/// A session that broke. `verb` is what could not be gone on with.
pub fn broken(verb: &str, label: &str, error: &io::Error, plan: &Plan) -> String {
    let reason = why(error, plan);
    match report::wording() {
        Wording::Netcat => format!("{verb} {label} failed: {reason}"),
        Wording::Ncat => reason,
    }
}

/// The line about a UDP port that refused.
pub fn refused(addr: &SocketAddr, port: u16, error: &io::Error, plan: &Plan) -> String {
    if report::wording() == Wording::Ncat {
        return report::reason(error);
    }
    let ip = show_ip(addr);
    let proto = plan.net.transport.name();
    format!(
        "connect to {ip} port {port} ({proto}) failed: {}",
        report::reason(error)
    )
}

/// Says why no connection can be made at all, and gives the exit code.
pub fn tell_no_connection(error: &DialError, proxy: Option<&Proxy>, plan: &Plan) -> Exit {
    let line = no_connection(error, proxy, plan);
    match error {
        DialError::Proxy(_) => {
            report::error(&line);
            Exit::FAILED
        }
        _ => {
            report::fatal(&line);
            Exit::Code(plan.codes.other)
        }
    }
}

/// Why no connection can be made at all, to this port or another. Nothing is said about a port
/// that merely is not open, or about a password that is wanted.
pub fn no_connection(error: &DialError, proxy: Option<&Proxy>, plan: &Plan) -> String {
    match error {
        DialError::Name(unknown) => unknown_name(unknown, proxy, plan),
        DialError::Obstacle(what) => obstacle(what, plan),
        DialError::Proxy(error) => {
            let at = proxy.map(|proxy| format!("{} port {}", proxy.host, proxy.port));
            let at = at.unwrap_or_default();
            match report::wording() {
                Wording::Netcat => format!("connect through {at} failed: {error}"),
                Wording::Ncat => format!("Proxy connection failed: {error}"),
            }
        }
        DialError::Connect(_) | DialError::PasswordWanted(_) => String::new(),
    }
}

fn unknown_name(unknown: &Unknown, proxy: Option<&Proxy>, plan: &Plan) -> String {
    let (host, port) = &unknown.host;
    let what = match unknown.role {
        Role::Source => " (-s)",
        Role::Hop if proxy.is_some() => " (the proxy)",
        Role::Target | Role::Hop => "",
    };
    if unknown.role == Role::Source && plan.plain_errors {
        let (host, reason) = (printable(host.as_bytes()), report::reason(&unknown.error));
        return format!("getaddrinfo for source address \"{host}\": {reason}");
    }
    could_not_resolve((host, what), *port, &unknown.error, plan)
}

/// The line about a name without an address that can be used; `what` is its role, to be appended.
pub fn could_not_resolve(
    (host, what): (&str, &str),
    port: u16,
    error: &io::Error,
    plan: &Plan,
) -> String {
    let (host, reason) = (printable(host.as_bytes()), report::reason(error));
    let unfit = error.get_ref().and_then(|error| error.downcast_ref());
    match (report::wording(), unfit) {
        (Wording::Ncat, _) => format!("Could not resolve hostname \"{host}\": {reason}"),
        (Wording::Netcat, _) if plan.plain_errors => {
            format!("getaddrinfo for host \"{host}\" port {port}: {reason}")
        }
        (Wording::Netcat, Some(UnfitHost::IsName)) => {
            let option = if plan.net.numeric {
                "-n"
            } else {
                "--proxy-dns none"
            };
            format!("{option}: {host} is a name, not an address{what}")
        }
        (Wording::Netcat, Some(UnfitHost::Family(Family::V4))) => {
            format!("{host} is not an IPv4 address (-4){what}")
        }
        (Wording::Netcat, Some(UnfitHost::Family(_))) => {
            format!("{host} is not an IPv6 address (-6){what}")
        }
        (Wording::Netcat, None) => format!("cannot resolve {host}{what}: {reason}"),
    }
}

/// What kept every address from being tried.
fn obstacle(what: &Obstacle, plan: &Plan) -> String {
    match what {
        Obstacle::Source(from, error) => {
            let reason = report::reason(error);
            if plan.plain_errors || report::wording() == Wording::Ncat {
                return format!("bind failed: {reason}");
            }
            let port = match from.port() {
                0 => String::new(),
                port => format!(" port {port}"),
            };
            format!("bind to {}{port} failed: {reason}", show_ip(from))
        }
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
pub fn came(sock: &Socket, addr: &SockAddr, plan: &Plan) -> String {
    if let Some(ip) = addr::ip(addr) {
        return format!("{} {}", show_ip(&ip), ip.port());
    }
    if addr.as_vsock_address().is_some() {
        return addr::show(addr);
    }
    let local = sock.local_addr();
    let place = local.map(|addr| addr::show(&addr)).unwrap_or_default();
    match unix::credentials(sock, addr).filter(|_| plan.tells_users) {
        Some(Credentials { pid, uid, gid }) => {
            format!("{place} (pid {pid}, uid {uid}, gid {gid})")
        }
        None => place,
    }
}

/// The line about a client that is turned away.
pub fn denied(sock: &Socket, addr: &SockAddr, plan: &Plan) -> String {
    match report::wording() {
        Wording::Netcat => format!("Connection from {} denied", came(sock, addr, plan)),
        Wording::Ncat => "Ncat: New connection denied: not allowed".into(),
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
    report::stated(&format!(
        "Local address {local}, send buffer {send} bytes, receive buffer {receive} bytes"
    ))
}
