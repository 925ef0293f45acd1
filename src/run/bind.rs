//! The sockets of a listener: bound, or passed to us, and where that is.

use super::event::Event;
use super::guard::{self, Guard};
use super::{secure, words};
use crate::net::addr::{self, show_ip};
use crate::net::listen::{self, Arrived, ListenError};
use crate::net::own_file::OwnFile;
use crate::net::tls::TlsAcceptor;
use crate::net::{group, unix, vsock};
use crate::parse::escape::printable;
use crate::plan::{Announces, Binding, ListenAt, Listening, Manners, Net, Passed, UnixListening};
use crate::report::{self, Wording};
use crate::sys::{names, passed, signal};
use anyhow::{Context as _, anyhow};
use socket2::{Socket, Type};
use std::io;
use std::iter;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Sockets that listen, their files, and the access rules.
pub struct Bound {
    /// The sockets.
    pub socks: Vec<Socket>,
    /// The names of their addresses, where they are shown.
    pub names: Vec<Option<String>>,
    /// A client that has been accepted already.
    pub arrived: Option<Arrived>,
    /// The file of a Unix socket, and the one with the port.
    pub files: Vec<OwnFile>,
    /// The access rules.
    pub guard: Guard,
    /// What clients that speak TLS are shown.
    pub tls: Option<TlsAcceptor>,
}

/// Binds what is to be listened on, and tells where that is.
///
/// # Errors
/// It cannot be bound: one line for the user.
pub fn bind(listening: &Listening, manners: &Manners) -> anyhow::Result<Bound> {
    // What is read or looked up, all of which may block, comes first: a signal ends rnc at once
    // then, and leaves no file.
    let guard = Guard::new(listening)?;
    let tls = secure::server(listening)?;
    let (socks, names, arrived, files) = match &listening.at {
        ListenAt::Unix {
            path,
            datagrams,
            rules,
        } => {
            let kind = if *datagrams {
                Type::DGRAM
            } else {
                Type::STREAM
            };
            signal::leave_to_loop();
            let (sock, file) = bind_unix(path, kind, *rules, manners)?;
            (vec![sock], Vec::new(), None, file.into_iter().collect())
        }
        ListenAt::Vsock { cid, port } => {
            let socks = vec![bind_vsock(*cid, *port)?];
            let files = write_port(listening, &socks)?;
            signal::leave_to_loop();
            (socks, Vec::new(), None, files)
        }
        ListenAt::Ip(at) => {
            let (socks, arrived) = bind_ip(at, &listening.net, manners)?;
            guard::warn_if_open(&socks, &listening.access);
            let name = |sock| own_name(sock, at, manners);
            let names = socks.iter().map(name).collect();
            let files = write_port(listening, &socks)?;
            signal::leave_to_loop();
            (socks, names, arrived, files)
        }
    };
    Ok(Bound {
        socks,
        names,
        arrived,
        files,
        guard,
        tls,
    })
}

/// A bound socket of datagrams, and its files.
pub struct BoundSock {
    /// The socket.
    pub sock: Socket,
    /// The file of a Unix socket, and the one with the port.
    pub files: Vec<OwnFile>,
    /// The access rules.
    pub guard: Guard,
}

/// As `bind`, for datagrams: joins the groups, and tells where the socket is.
///
/// # Errors
/// As `bind`.
pub fn bind_datagrams(listening: &Listening, manners: &Manners) -> anyhow::Result<BoundSock> {
    let Bound {
        mut socks,
        names,
        files,
        guard,
        ..
    } = bind(listening, manners)?;
    let sock = socks.drain(..).next().context("nothing to listen on")?;
    if let ListenAt::Ip(at) = &listening.at {
        for group in &at.groups {
            group::join(&sock, group)
                .with_context(|| format!("join group {} failed", group.addr))?;
        }
        let name = names.first().and_then(Option::as_deref);
        tell_bound(true, &sock, name, at, manners);
    }
    Ok(BoundSock { sock, files, guard })
}

type Sockets = (Vec<Socket>, Option<Arrived>);

fn bind_ip(at: &Binding, net: &Net, manners: &Manners) -> anyhow::Result<Sockets> {
    if let Some(passed) = at.passed {
        let taken = take_passed(passed).context("socket passed to rnc")?;
        apply_to_passed(&taken, at, net, manners)?;
        return Ok(taken);
    }
    let addrs = listen::addresses(at, net);
    let socks = addrs.and_then(|addrs| listen::bind(addrs, at, net));
    let socks = socks.map_err(|error| describe(error, at, net, manners))?;
    Ok((socks, None))
}

/// The name of the address that a socket is bound to, where it is shown.
fn own_name(sock: &Socket, at: &Binding, manners: &Manners) -> Option<String> {
    let is_shown = manners.names_peers && tells(is_chosen(at), manners);
    let bound = addr::ip(&sock.local_addr().ok().filter(|_| is_shown)?)?;
    let bound = Some(bound).filter(|bound| !bound.ip().is_unspecified());
    names::host_name(&bound?)
}

/// Binds a Unix socket and tells its path.
fn bind_unix(
    path: &Path,
    kind: Type,
    rules: UnixListening,
    manners: &Manners,
) -> anyhow::Result<(Socket, Option<OwnFile>)> {
    let bound = unix::bind(path, kind, rules).map_err(|error| {
        if manners.plain_errors {
            error.into()
        } else {
            anyhow!(words::not_bound(path, &error))
        }
    })?;
    if report::is_verbose(1) || manners.announces == Announces::Always {
        words::tell(&Event::ListeningAt {
            is_bound: kind == Type::DGRAM,
            place: &printable(path.as_os_str().as_bytes()),
            is_own: true,
        });
    }
    Ok(bound)
}

fn bind_vsock(cid: Option<u32>, port: u32) -> anyhow::Result<Socket> {
    vsock::bind(cid, port).map_err(|error| {
        let cid = cid.map(|cid| format!(" {cid}")).unwrap_or_default();
        anyhow::Error::new(error).context(format!("listen on vsock{cid} port {port} failed"))
    })
}

/// Takes the sockets that were passed to us: those that listen or receive, or a client.
fn take_passed(passed: Passed) -> io::Result<Sockets> {
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
    // accept(2) knows no MSG_DONTWAIT; the process that passed a listener leaves accepting to rnc.
    for sock in socks.iter().filter(|sock| is_listener(sock)) {
        sock.set_nonblocking(true)?;
    }
    Ok((socks, None))
}

/// Sets the socket options on what was passed.
fn apply_to_passed(
    (socks, arrived): &Sockets,
    at: &Binding,
    net: &Net,
    manners: &Manners,
) -> anyhow::Result<()> {
    let arrived = arrived.iter().map(|(sock, _)| sock);
    for sock in socks.iter().chain(arrived) {
        if let Some(bound) = sock.local_addr()?.as_socket() {
            listen::apply_options(sock, net).map_err(|error| describe(error, at, net, manners))?;
            listen::ask_local(sock, bound, net)?;
        } else if net.options.need_ip() {
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

/// Writes the port, where that is asked for.
fn write_port(listening: &Listening, socks: &[Socket]) -> anyhow::Result<Vec<OwnFile>> {
    let bound = socks.first().and_then(|sock| sock.local_addr().ok());
    let bound = bound.and_then(|addr| addr::port(&addr));
    let (Some(path), Some(port)) = (&listening.reception.port_file, bound) else {
        return Ok(Vec::new());
    };
    let written = OwnFile::with_port(path, port).map_err(|error| {
        let shown = printable(path.as_os_str().as_bytes());
        anyhow::Error::new(error).context(format!("write the port to {shown} failed"))
    })?;
    Ok(vec![written])
}

/// Prints where rnc listens.
pub fn tell_listening(bound: &Bound, listening: &Listening, manners: &Manners) {
    let names = bound.names.iter().map(Option::as_deref);
    for (sock, name) in bound.socks.iter().zip(names.chain(iter::repeat(None))) {
        match &listening.at {
            ListenAt::Ip(at) => tell_bound(false, sock, name, at, manners),
            ListenAt::Vsock { port, .. } if tells(*port == 0, manners) => {
                let addr = sock.local_addr().map(|addr| addr::show(&addr));
                words::tell(&Event::ListeningAt {
                    is_bound: false,
                    place: &addr.unwrap_or_default(),
                    is_own: false,
                });
            }
            ListenAt::Vsock { .. } | ListenAt::Unix { .. } => {}
        }
    }
}

/// Prints where a socket is bound; nc: `Listening on 0.0.0.0 8080`. `name` is that of the address.
pub fn tell_bound(
    is_bound: bool,
    sock: &Socket,
    name: Option<&str>,
    at: &Binding,
    manners: &Manners,
) {
    let tells = tells(is_chosen(at), manners);
    let Some(addr) = sock.local_addr().ok().filter(|_| tells) else {
        return;
    };
    let Some(bound) = addr::ip(&addr) else {
        return words::tell(&Event::ListeningAt {
            is_bound,
            place: &addr::show(&addr),
            is_own: false,
        });
    };
    let host = name.map_or_else(|| show_ip(&bound), str::to_owned);
    let takes_both = sock.only_v6().is_ok_and(|only_v6| !only_v6);
    let is_dual = bound.is_ipv6() && bound.ip().is_unspecified() && takes_both;
    words::tell(&Event::Listening {
        is_bound,
        host: &host,
        bound,
        is_dual,
    });
}

/// Returns whether the kernel chooses the port.
fn is_chosen(at: &Binding) -> bool {
    at.port == 0 && at.passed.is_none()
}

/// Returns whether a port is printed, which the kernel may have chosen.
fn tells(is_chosen: bool, manners: &Manners) -> bool {
    let announced = match manners.announces {
        Announces::Never => false,
        Announces::ChosenPorts => is_chosen,
        Announces::Always => true,
    };
    announced || report::is_verbose(1)
}

fn describe(error: ListenError, at: &Binding, net: &Net, manners: &Manners) -> anyhow::Error {
    match error {
        ListenError::Name(error) if manners.plain_errors => {
            anyhow::Error::new(error).context("getaddrinfo")
        }
        ListenError::Name(error) => {
            let host = at.host.as_deref().unwrap_or_default();
            anyhow!(words::could_not_resolve(
                (host, ""),
                at.port,
                &error,
                net,
                manners
            ))
        }
        ListenError::Bind(_, error) if manners.plain_errors => error.into(),
        ListenError::Bind(to, error) if report::wording() == Wording::Ncat => {
            anyhow!("bind to {to}: {}", report::reason(&error))
        }
        ListenError::Bind(to, error) => {
            let hint = match error.kind() {
                io::ErrorKind::PermissionDenied if to.port() < 1024 => {
                    " (ports below 1024 are for root)"
                }
                _ => addr::hint(&to, &error, net.transport, true),
            };
            let proto = net.transport.name();
            let reason = report::reason(&error);
            let host = show_ip(&to);
            let port = to.port();
            anyhow!("listen on {host} port {port} ({proto}) failed: {reason}{hint}")
        }
        ListenError::Option(option) => anyhow::Error::new(option.error).context(option.doing),
    }
}
