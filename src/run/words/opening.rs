//! The words about ends that are being opened.

use super::tls;
use super::tone::Tone;
use crate::exit::Exit;
use crate::net::addr::{self, show_ip};
use crate::net::labels::base_label;
use crate::net::lookup::{Role, Unknown};
use crate::net::news::{News, SocketDetails};
use crate::net::open::Opener;
use crate::net::open_error::{OpenError, Unreached};
use crate::net::race::Obstacle;
use crate::net::resolve::UnfitHost;
use crate::net::unix;
use crate::net::wrap::WrapError;
use crate::parse::escape::printable;
use crate::plan::{Base, End, Family, Manners, Net, Transport};
use crate::report::{self, Wording};
use crate::sys::{errno, names};
use std::io;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What `-v` prints while an end is opened, in lines; `is_scan` where that is all that is done.
pub fn opening(news: &News, end: &End, port: u16, is_scan: bool) -> Vec<String> {
    match news {
        News::Trying(addr) => {
            let (ip, port, proto) = (show_ip(addr), addr.port(), end.how.net.transport.name());
            let trying = format!("Trying {ip} port {port} ({proto})");
            vec![report::stated(&trying)]
        }
        News::NotConnected {
            addr,
            error,
            timed_out,
            others_left,
        } => {
            let line = attempt_failed(end, port, *addr, error, *timed_out);
            match addr {
                Some(addr) if *others_left && report::wording() == Wording::Ncat => vec![
                    report::named(&format!("Connection to {} failed: {line}", show_ip(addr))),
                    "Ncat: Trying next address...".into(),
                ],
                _ => vec![report::named(&line)],
            }
        }
        News::Retrying(pause) => vec![report::stated(&format!("Trying again in {pause:.0?}"))],
        News::Connected(addr, details) => {
            let line = match (&end.base, addr) {
                (Base::Ip { host, .. }, Some(addr)) => {
                    Some(succeeded((host, port), addr, end, is_scan))
                }
                (Base::Unix { path, .. }, _) => reached(path),
                (Base::Vsock { cid, port }, _) => {
                    let line = format!("Connection to vsock {cid} port {port} succeeded!");
                    Some(report::stated(&line))
                }
                _ => None,
            };
            line.into_iter()
                .chain(details.as_ref().map(socket_details))
                .collect()
        }
        News::Secured {
            label,
            doubt,
            agreed,
        } => {
            let doubt = doubt.as_ref();
            let doubt = doubt.map(|why| format!("Certificate verification failed ({why})"));
            let peer = format!("SSL connection to {label}");
            let before = doubt.into_iter().chain([peer]);
            let is_ncat = report::wording() == Wording::Ncat;
            let before = before.filter(|_| is_ncat);
            let lines = before.chain(agreed.iter().cloned());
            lines.map(|line| report::stated(&line)).collect()
        }
    }
}

/// The line about a connection.
fn succeeded((host, port): (&str, u16), addr: &SocketAddr, end: &End, is_scan: bool) -> String {
    let (net, via_proxy) = (&end.how.net, end.proxy().is_some());
    if report::wording() == Wording::Ncat {
        let proxy = if via_proxy { "proxy " } else { "" };
        let connected = report::stated(&format!("Connected to {proxy}{addr}"));
        return match net.transport {
            Transport::Udp if is_scan => {
                format!("{connected}\nNcat: UDP packet sent successfully")
            }
            _ => connected,
        };
    }
    let proto = net.transport.name();
    let service = (!net.numeric)
        .then(|| names::service_name(port, proto))
        .flatten();
    let service = service.unwrap_or_else(|| "*".into());
    let ip = show_ip(addr);
    let shown = printable(host.as_bytes());
    let ip = if net.numeric || via_proxy || ip == host {
        String::new()
    } else {
        format!(" ({ip})")
    };
    format!("Connection to {shown}{ip} {port} port [{proto}/{service}] succeeded!")
}

/// The line about a connection to a Unix socket, which nc passes over.
fn reached(path: &Path) -> Option<String> {
    let tells = report::wording() == Wording::Ncat;
    let shown = printable(path.as_os_str().as_bytes());
    tells.then(|| report::stated(&format!("Connected to {shown}")))
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

/// Why a Unix socket cannot be connected to.
fn not_reached(path: &Path, error: &io::Error, manners: &Manners) -> String {
    let reason = report::reason(error);
    // The kernel never says this of a Unix socket: it is our limit.
    let is_late = error.kind() == io::ErrorKind::TimedOut;
    let shown = printable(path.as_os_str().as_bytes());
    match report::wording() {
        Wording::Ncat if is_late => "TIMEOUT".into(),
        Wording::Ncat => reason,
        Wording::Netcat if is_late => format!("connect to {shown} (unix) timed out"),
        Wording::Netcat if manners.plain_errors => format!("{shown}: {reason}"),
        // The kernel refuses a file as it does a socket without a listener.
        Wording::Netcat if unix::is_other_file(path) => {
            format!("{shown} is not a socket")
        }
        Wording::Netcat => format!("connect to {shown} (unix) failed: {reason}"),
    }
}

/// The line about a UDP port that refused.
fn refused(addr: &SocketAddr, port: u16, error: &io::Error, net: &Net) -> String {
    if report::wording() == Wording::Ncat {
        return report::reason(error);
    }
    let ip = show_ip(addr);
    let proto = net.transport.name();
    format!(
        "connect to {ip} port {port} ({proto}) failed: {}",
        report::reason(error)
    )
}

/// An end that could not be opened: what is printed, and how.
pub struct Failure {
    /// The line, if there is one.
    pub line: Option<String>,
    tone: Tone,
    /// The exit code.
    pub exit: Exit,
    /// Another port would not be opened either.
    pub is_fatal: bool,
}

impl Failure {
    /// Prints the line.
    pub fn tell(&self) {
        let Some(line) = &self.line else {
            return;
        };
        self.tone.tell(line);
    }
}

/// Why an end could not be opened; `is_relayed` where a listener's peer waits for it.
pub fn not_opened(
    error: &OpenError,
    opener: &Opener,
    manners: &Manners,
    is_relayed: bool,
) -> Failure {
    let end = opener.to().end();
    let codes = &manners.codes;
    let late = Exit::Code(codes.connect_timed_out);
    let (tone, exit) = match error {
        OpenError::Name(_) | OpenError::Obstacle(_) if !is_relayed => {
            (Tone::Fatal, Exit::Code(codes.other))
        }
        OpenError::Connect(unreached) if unreached.timed_out() => (Tone::Failure, late),
        OpenError::Connect(_) => (Tone::Failure, Exit::FAILED),
        OpenError::Local(error) if error.kind() == io::ErrorKind::TimedOut => (Tone::Error, late),
        OpenError::Tls(error, _) if is_late(error) => (Tone::Error, late),
        _ => (Tone::Error, Exit::FAILED),
    };
    let is_fatal = !matches!(
        error,
        OpenError::Connect(_) | OpenError::Refused(..) | OpenError::Tls(..)
    );
    let line = match error {
        // With -v each address has been told by now.
        OpenError::Connect(_) if report::is_verbose(1) => None,
        OpenError::Connect(unreached) => Some(not_connected(end, opener.port(), unreached)),
        // nc says nothing here, not even with -v.
        OpenError::Refused(addr, error) => {
            let tells = manners.tells_breaks && report::is_verbose(1);
            tells.then(|| refused(addr, opener.port(), error, &end.how.net))
        }
        OpenError::Tls(error, label) => Some(tls::server_failed(label, error, opener.to())),
        OpenError::Local(error) => Some(not_reached_locally(&end.base, error, manners)),
        OpenError::Program(error) => {
            let program = base_label(&end.base);
            Some(format!("run {program} failed: {}", report::reason(error)))
        }
        OpenError::Io(error) => Some(report::reason(error)),
        OpenError::Setup(error) => Some(error.to_string()),
        error => Some(no_connection(error, end, manners)),
    };
    Failure {
        line,
        tone,
        exit,
        is_fatal,
    }
}

/// One line about all addresses that could not be connected to.
fn not_connected(end: &End, port: u16, unreached: &Unreached) -> String {
    let failures = &unreached.failures;
    let reasons: Vec<String> = failures
        .iter()
        .map(|(_, error)| report::reason(error))
        .collect();
    let are_same =
        report::wording() == Wording::Ncat || reasons.windows(2).all(|pair| pair[0] == pair[1]);
    let Some((addr, error)) = failures.last().filter(|_| !unreached.ran_out) else {
        let late = io::ErrorKind::TimedOut.into();
        let no_family = errno::no_family();
        let error = if unreached.ran_out { &late } else { &no_family };
        let line = attempt_failed(end, port, None, error, unreached.ran_out);
        // Of attempts without number the last one says most.
        let last = failures.last().filter(|_| end.how.retry.is_some());
        return match last.filter(|_| report::wording() == Wording::Netcat) {
            Some((_, error)) => format!("{line}: {}", report::reason(error)),
            None => line,
        };
    };
    if are_same {
        let addr = Some(*addr).filter(|_| reasons.len() == 1);
        // Our own time limit, not the kernel's ETIMEDOUT.
        let timed_out = error.kind() == io::ErrorKind::TimedOut && error.raw_os_error().is_none();
        return attempt_failed(end, port, addr, error, timed_out);
    }
    let each = failures.iter().zip(&reasons);
    let each: Vec<String> = each
        .map(|((addr, _), why)| format!("{why} ({})", show_ip(addr)))
        .collect();
    let (host, proto) = (hop(end, port), end.how.net.transport.name());
    format!("connect to {host} ({proto}) failed: {}", each.join(", "))
}

/// The line about a connect that failed, to the end or the proxy in front of it: nc's or Ncat's, to
/// the letter.
fn attempt_failed(
    end: &End,
    port: u16,
    addr: Option<SocketAddr>,
    error: &io::Error,
    timed_out: bool,
) -> String {
    let (how, net) = (&end.how, &end.how.net);
    if report::wording() == Wording::Ncat {
        return if timed_out {
            "TIMEOUT".into()
        } else {
            report::reason(error)
        };
    }
    if end.host().is_none() && timed_out {
        return format!("connect to {} timed out", base_label(&end.base));
    }
    let (proto, broadcasts) = (net.transport.name(), net.options.broadcast);
    let hint = addr.filter(|_| net.gives_hints);
    let hint = hint.map_or("", |addr| {
        addr::hint(&addr, error, net.transport, broadcasts)
    });
    let end_of_line = match (timed_out, how.timeout_reason) {
        (true, Some(reason)) => format!("timed out: {reason}"),
        (true, None) => "timed out".into(),
        (false, _) => format!("failed: {}{hint}", report::reason(error)),
    };
    let (proxy, host, port) = hop_parts(end, port);
    let ip = addr.map(|addr| show_ip(&addr));
    let ip = ip.filter(|ip| *ip != host && !net.numeric);
    let ip = ip.map(|ip| format!(" ({ip})")).unwrap_or_default();
    let host = printable(host.as_bytes());
    format!("connect to {proxy}{host}{ip} port {port} ({proto}) {end_of_line}")
}

/// What is connected to: the end, or the proxy in front of it, with what stands before its name.
fn hop_parts(end: &End, port: u16) -> (&'static str, &str, u16) {
    match end.proxy() {
        Some(proxy) if end.how.names_proxy => ("the proxy ", &proxy.host, proxy.port),
        Some(proxy) => ("", &proxy.host, proxy.port),
        None => ("", end.host().unwrap_or_default(), port),
    }
}

fn hop(end: &End, port: u16) -> String {
    let (proxy, host, port) = hop_parts(end, port);
    format!("{proxy}{} port {port}", printable(host.as_bytes()))
}

/// Returns whether TLS took too long.
fn is_late(error: &WrapError) -> bool {
    match error {
        WrapError::Late => true,
        WrapError::Handshake(error, _) => error.kind() == io::ErrorKind::TimedOut,
        WrapError::Asking(_) | WrapError::Injected => false,
    }
}

/// Why a Unix or a vsock socket cannot be connected to.
fn not_reached_locally(base: &Base, error: &io::Error, manners: &Manners) -> String {
    let label = base_label(base);
    match base {
        Base::Unix { path, .. } => not_reached(path, error, manners),
        _ if error.kind() == io::ErrorKind::TimedOut => format!("connect to {label} timed out"),
        _ => format!("connect to {label} failed: {}", report::reason(error)),
    }
}

/// Why no connection can be made at all, to this port or another; empty for a port that merely is
/// not open.
pub fn no_connection(error: &OpenError, end: &End, manners: &Manners) -> String {
    let proxy = || {
        let proxy = end.proxy();
        let at = proxy.map(|proxy| format!("{} port {}", proxy.host, proxy.port));
        at.unwrap_or_default()
    };
    match error {
        OpenError::Name(unknown) => unknown_name(unknown, end, manners),
        OpenError::Obstacle(what) => obstacle(what, manners),
        OpenError::Proxy(error) => match report::wording() {
            Wording::Netcat => format!("connect through {} failed: {error}", proxy()),
            Wording::Ncat => format!("Proxy connection failed: {error}"),
        },
        OpenError::PasswordWanted(_) => {
            let at = proxy();
            format!("connect through {at} failed: it wants a password (--proxy-auth)")
        }
        _ => String::new(),
    }
}

fn unknown_name(unknown: &Unknown, end: &End, manners: &Manners) -> String {
    let (host, port) = &unknown.host;
    let what = match unknown.role {
        Role::Source => " (-s)",
        Role::Hop if end.proxy().is_some() => " (the proxy)",
        Role::Target | Role::Hop => "",
    };
    if unknown.role == Role::Source && manners.plain_errors {
        let (host, reason) = (printable(host.as_bytes()), report::reason(&unknown.error));
        return format!("getaddrinfo for source address \"{host}\": {reason}");
    }
    could_not_resolve((host, what), *port, &unknown.error, &end.how.net, manners)
}

/// The line about a name without an address that can be used; `what` is its role, to be appended.
pub fn could_not_resolve(
    (host, what): (&str, &str),
    port: u16,
    error: &io::Error,
    net: &Net,
    manners: &Manners,
) -> String {
    let (host, reason) = (printable(host.as_bytes()), report::reason(error));
    let unfit = error.get_ref().and_then(|error| error.downcast_ref());
    match (report::wording(), unfit) {
        (Wording::Ncat, _) => format!("Could not resolve hostname \"{host}\": {reason}"),
        (Wording::Netcat, _) if manners.plain_errors => {
            format!("getaddrinfo for host \"{host}\" port {port}: {reason}")
        }
        (Wording::Netcat, Some(UnfitHost::IsName)) => {
            let option = if net.numeric {
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
fn obstacle(what: &Obstacle, manners: &Manners) -> String {
    match what {
        Obstacle::Source(from, error) => {
            let reason = report::reason(error);
            if manners.plain_errors || report::wording() == Wording::Ncat {
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

/// What `-vv` tells about a connected socket.
fn socket_details(details: &SocketDetails) -> String {
    let local = details.local.as_ref().map(addr::show).unwrap_or_default();
    let (send, receive) = details.buffers;
    report::stated(&format!(
        "Local address {local}, send buffer {send} bytes, receive buffer {receive} bytes"
    ))
}
