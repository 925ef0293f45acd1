//! The sockets of a listener: bound, or passed to us, and where that is.

use super::guard::{self, Guard};
use super::{secure, words};
use crate::net::addr::{self, show_ip};
use crate::net::listen::{self, Arrived, ListenError};
use crate::net::own_file::OwnFile;
use crate::net::tls::TlsAcceptor;
use crate::net::{unix, vsock};
use crate::parse::escape::printable;
use crate::plan::{Announces, Listening, Mode, Passed, Plan};
use crate::report::{self, Wording};
use crate::sys::{names, passed, signal};
use anyhow::{Context as _, anyhow};
use socket2::{Socket, Type};
use std::io;
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Sockets that listen, the files that say where, and who may come in.
pub struct Bound {
    /// The sockets.
    pub socks: Vec<Socket>,
    /// The names of their addresses, where they are shown.
    pub names: Vec<Option<String>>,
    /// A client that has been accepted already.
    pub arrived: Option<Arrived>,
    /// The file of a Unix socket, and the one with the port.
    pub files: Vec<OwnFile>,
    /// Who may come in.
    pub guard: Guard,
    /// What clients that speak TLS are shown.
    pub tls: Option<TlsAcceptor>,
}

/// Binds what the plan says to listen on, and tells where that is.
///
/// # Errors
/// It cannot be bound: one line for the user.
pub fn bind(plan: &Plan) -> anyhow::Result<Bound> {
    match &plan.mode {
        Mode::ListenUnix { path, .. } => bind_unix(plan, path, Type::STREAM),
        Mode::ListenVsock { cid, port, .. } => bind_vsock(plan, *cid, *port),
        Mode::Listen { at, .. } | Mode::ListenUdp { at, .. } => bind_ip(plan, at),
        _ => Err(anyhow!("nothing to listen on")),
    }
}

/// What is read or looked up, all of which may block, comes first: a signal ends rnc at once then,
/// and leaves no file.
fn bind_ip(plan: &Plan, at: &Listening) -> anyhow::Result<Bound> {
    let (guard, tls) = (Guard::new(plan)?, secure::server(plan)?);
    let (socks, arrived) = match at.passed {
        Some(passed) => {
            let taken = take_passed(passed).context("socket passed to rnc")?;
            apply_to_passed(&taken, at, plan)?;
            taken
        }
        None => {
            let addrs = listen::addresses(at, &plan.net);
            let socks = addrs.and_then(|addrs| listen::bind(addrs, at, &plan.net));
            (socks.map_err(|error| describe(error, at, plan))?, None)
        }
    };
    guard::warn_if_open(&socks, plan);
    let names = socks.iter().map(|sock| own_name(sock, at, plan)).collect();
    let files = write_port(plan, &socks)?;
    signal::leave_to_loop();
    Ok(Bound {
        socks,
        names,
        arrived,
        files,
        guard,
        tls,
    })
}

/// The name of the address that a socket is bound to, where it is shown.
fn own_name(sock: &Socket, at: &Listening, plan: &Plan) -> Option<String> {
    let is_shown = plan.names_peers && tells(is_chosen(at), plan);
    let bound = addr::ip(&sock.local_addr().ok().filter(|_| is_shown)?)?;
    let bound = Some(bound).filter(|bound| !bound.ip().is_unspecified());
    names::host_name(&bound?)
}

/// Binds a Unix socket and tells its path.
///
/// # Errors
/// It cannot be bound: one line for the user.
pub fn bind_unix(plan: &Plan, path: &Path, kind: Type) -> anyhow::Result<Bound> {
    let Mode::ListenUnix { rules, .. } = plan.mode else {
        return Err(anyhow!("nothing to listen on"));
    };
    let (guard, tls) = (Guard::new(plan)?, secure::server(plan)?);
    let shown = printable(path.as_os_str().as_bytes());
    signal::leave_to_loop();
    let (sock, file) = unix::bind(path, kind, rules).map_err(|error| {
        if plan.plain_errors {
            error.into()
        } else {
            anyhow!(words::not_bound(path, &error))
        }
    })?;
    if report::is_verbose(1) {
        report::line(&words::listening_unix(&shown, kind == Type::STREAM));
    } else if plan.announces == Announces::Always {
        report::line(&format!("Listening on {shown}"));
    }
    Ok(Bound {
        socks: vec![sock],
        names: Vec::new(),
        arrived: None,
        files: file.into_iter().collect(),
        guard,
        tls,
    })
}

/// Takes the sockets that were passed to us: those that listen or receive, or a client.
fn take_passed(passed: Passed) -> io::Result<(Vec<Socket>, Option<Arrived>)> {
    let mut socks = match passed {
        Passed::Listed => passed::take_listed(),
        Passed::Stdin => vec![passed::take_stdin()?],
    };
    if let [sock] = &socks[..]
        && sock.r#type()? == Type::STREAM
        && let Ok(addr) = sock.peer_addr()
    {
        return Ok((Vec::new(), socks.pop().map(|sock| (sock, addr))));
    }
    // accept(2) knows no MSG_DONTWAIT; whoever has passed on a listener leaves accepting to us.
    for sock in socks.iter().filter(|sock| is_listener(sock)) {
        sock.set_nonblocking(true)?;
    }
    Ok((socks, None))
}

/// Sets the socket options on what was passed.
fn apply_to_passed(
    (socks, arrived): &(Vec<Socket>, Option<Arrived>),
    at: &Listening,
    plan: &Plan,
) -> anyhow::Result<()> {
    let arrived = arrived.iter().map(|(sock, _)| sock);
    for sock in socks.iter().chain(arrived) {
        if let Some(bound) = sock.local_addr()?.as_socket() {
            listen::apply_options(sock, &plan.net).map_err(|error| describe(error, at, plan))?;
            listen::ask_local(sock, bound, &plan.net)?;
        } else if plan.net.options.need_ip() {
            return Err(anyhow!(
                "the socket passed to rnc is not one of IP, as -M, -m, -S and -T need it"
            ));
        }
    }
    Ok(())
}

fn is_listener(sock: &Socket) -> bool {
    sock.is_listener().unwrap_or(false)
}

fn bind_vsock(plan: &Plan, cid: Option<u32>, port: u32) -> anyhow::Result<Bound> {
    let (guard, tls) = (Guard::new(plan)?, secure::server(plan)?);
    let sock = vsock::bind(cid, port).map_err(|error| {
        let cid = cid.map(|cid| format!(" {cid}")).unwrap_or_default();
        anyhow::Error::new(error).context(format!("listen on vsock{cid} port {port} failed"))
    })?;
    let socks = vec![sock];
    let files = write_port(plan, &socks)?;
    signal::leave_to_loop();
    Ok(Bound {
        socks,
        names: Vec::new(),
        arrived: None,
        files,
        guard,
        tls,
    })
}

/// Writes the port, where that is asked for.
fn write_port(plan: &Plan, socks: &[Socket]) -> anyhow::Result<Vec<OwnFile>> {
    let bound = socks.first().and_then(|sock| sock.local_addr().ok());
    let bound = bound.and_then(|addr| addr::port(&addr));
    let (Some(path), Some(port)) = (&plan.reception.port_file, bound) else {
        return Ok(Vec::new());
    };
    let written = OwnFile::with_port(path, port).map_err(|error| {
        let shown = printable(path.as_os_str().as_bytes());
        anyhow::Error::new(error).context(format!("write the port to {shown} failed"))
    })?;
    Ok(vec![written])
}

/// Tells where clients are awaited.
pub fn tell_listening(bound: &Bound, plan: &Plan) {
    let names = bound.names.iter().map(Option::as_deref);
    for (sock, name) in bound.socks.iter().zip(names.chain(iter::repeat(None))) {
        match &plan.mode {
            Mode::Listen { at, .. } => tell_bound("Listening", sock, name, at, plan),
            Mode::ListenVsock { port, .. } if tells(*port == 0, plan) => {
                let addr = sock.local_addr().map(|addr| addr::show(&addr));
                report::line(&format!("Listening on {}", addr.unwrap_or_default()));
            }
            _ => {}
        }
    }
}

/// Tells where we listen; nc: `Listening on 0.0.0.0 8080`. `name` is that of the address.
pub fn tell_bound(word: &str, sock: &Socket, name: Option<&str>, at: &Listening, plan: &Plan) {
    let tells = tells(is_chosen(at), plan);
    let Some(addr) = sock.local_addr().ok().filter(|_| tells) else {
        return;
    };
    let Some(bound) = addr::ip(&addr) else {
        return report::line(&format!("{word} on {}", addr::show(&addr)));
    };
    let host = name.map_or_else(|| show_ip(&bound), str::to_owned);
    let takes_both = sock.only_v6().is_ok_and(|only_v6| !only_v6);
    let is_dual = bound.is_ipv6() && bound.ip().is_unspecified() && takes_both;
    report::line(&words::listening(word, &host, &bound, is_dual));
}

/// Returns whether the kernel chooses the port.
fn is_chosen(at: &Listening) -> bool {
    at.port == 0 && at.passed.is_none()
}

/// Returns whether a port is printed, which the kernel may have chosen.
fn tells(is_chosen: bool, plan: &Plan) -> bool {
    let announced = match plan.announces {
        Announces::Never => false,
        Announces::ChosenPorts => is_chosen,
        Announces::Always => true,
    };
    announced || report::is_verbose(1)
}

fn describe(error: ListenError, at: &Listening, plan: &Plan) -> anyhow::Error {
    match error {
        ListenError::Name(error) if plan.plain_errors => {
            anyhow::Error::new(error).context("getaddrinfo")
        }
        ListenError::Name(error) => {
            let host = at.host.as_deref().unwrap_or_default();
            anyhow!(words::could_not_resolve((host, ""), at.port, &error, plan))
        }
        ListenError::Bind(_, error) if plan.plain_errors => error.into(),
        ListenError::Bind(to, error) if report::wording() == Wording::Ncat => {
            anyhow!("bind to {to}: {}", report::reason(&error))
        }
        ListenError::Bind(to, error) => {
            let hint = match error.kind() {
                io::ErrorKind::PermissionDenied if to.port() < 1024 => {
                    " (ports below 1024 are for root)"
                }
                _ => addr::hint(&to, &error, plan.net.transport, true),
            };
            let proto = plan.net.transport.name();
            let reason = report::reason(&error);
            let host = show_ip(&to);
            let port = to.port();
            anyhow!("listen on {host} port {port} ({proto}) failed: {reason}{hint}")
        }
        ListenError::Option(option) => anyhow::Error::new(option.error).context(option.doing),
    }
}
