//! TLS as the modes see it: set up from the plan, and what is told about it.

use crate::flow::taps::Look;
use crate::io::connection::Connection;
use crate::io::endpoint::Endpoint;
use crate::net::addr;
use crate::net::secure::{LIMIT, SecureError};
use crate::net::tls::{self, Client, Server};
use crate::parse::escape::shell_word;
use crate::plan::tls::{Tls, Trust};
use crate::plan::{Limits, Mode, Plan};
use crate::proto::Handshake;
use crate::proto::hello::is_client_hello;
use crate::proto::starttls::{self, Protocol};
use crate::report::{self, Wording};
use crate::sys::names;
use socket2::{SockAddr, Socket};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// How connections of the plan are made secure; tells that nothing is checked where that is so.
///
/// # Errors
/// A file cannot be read or does not hold what it should.
pub fn client(plan: &Plan) -> anyhow::Result<Option<Client>> {
    let Some(Tls::Client(client)) = &plan.tls else {
        return Ok(None);
    };
    if client.trust == Trust::Anyone && client.warns {
        report::error(
            "warning: --tls-no-verify: whoever is on the way can read and change everything",
        );
    }
    Ok(Some(Client::new(client)?))
}

/// What clients of the plan are shown.
///
/// # Errors
/// A file cannot be read, written, or does not hold what it should.
pub fn server(plan: &Plan) -> anyhow::Result<Option<Server>> {
    let Some(Tls::Server(server)) = &plan.tls else {
        return Ok(None);
    };
    Ok(Some(Server::new(server, own_names())?))
}

/// How long a handshake may take, where `connecting` may take so long.
pub fn limit(limits: &Limits, connecting: Option<Duration>) -> Duration {
    let connecting = connecting.filter(|limit| !limit.is_zero());
    let all = [connecting.or(Some(LIMIT)), limits.idle, limits.whole];
    all.into_iter().flatten().min().unwrap_or(LIMIT)
}

/// The names of this machine that a new certificate is for.
fn own_names() -> Vec<String> {
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    names::own().into_iter().chain(local).collect()
}

/// Tells the fingerprint of a certificate that was made, and how to connect.
pub fn tell_own(server: &Server, socks: &[Socket], plan: &Plan) {
    let Some(pin) = server.own_pin() else {
        return;
    };
    if report::wording() == Wording::Ncat {
        let how = "Use --ssl-key and --ssl-cert to use a permanent one";
        report::verbose(1, &format!("Generating a temporary P-256 key. {how}"));
        return report::verbose(1, &format!("Fingerprint: {pin}"));
    }
    report::line(&format!("TLS certificate {pin}"));
    if let Some(place) = place(socks, plan) {
        report::line(&format!("Connect with: rnc --tls --tls-pin {pin} {place}"));
    }
}

/// Where a client connects to, as it is typed.
fn place(socks: &[Socket], plan: &Plan) -> Option<String> {
    if let Mode::ListenUnix { path, .. } = &plan.mode {
        let path = shell_word(path.as_os_str().as_bytes())?;
        return Some(format!("-U {path}"));
    }
    let addr: SockAddr = socks.first()?.local_addr().ok()?;
    if let Some((cid, port)) = addr.as_vsock_address() {
        return Some(format!("--vsock {cid} {port}"));
    }
    let ip = addr::ip(&addr)?;
    let host = match ip.ip().is_unspecified() {
        true => names::own().unwrap_or_else(|| "localhost".into()),
        false => addr::show_ip(&ip),
    };
    Some(format!("{host} {}", ip.port()))
}

/// The machine that asks for TLS in plain text, where that is due. `host` is what was dialled; the
/// server may be known by another name, as where an SRV record led there.
pub fn asking(plan: &Plan, host: Option<&str>) -> Option<Box<dyn Handshake>> {
    let Some(Tls::Client(client)) = &plan.tls else {
        return None;
    };
    // A Unix socket has no name that would mean something to its server.
    let name = client.server_name.as_deref().or(host);
    let name = name.unwrap_or("localhost");
    client
        .starttls
        .map(|protocol| starttls::machine(protocol, name))
}

/// How the plan asks for TLS.
fn starttls(plan: &Plan) -> Option<Protocol> {
    match &plan.tls {
        Some(Tls::Client(client)) => client.starttls,
        Some(Tls::Server(_)) | None => None,
    }
}

/// Tells, with `-v`, what was agreed on with a client, and who it is.
pub fn tell_client(conn: &Connection) {
    if let Some(session) = conn.tls.as_ref().filter(|_| report::is_verbose(1)) {
        let lines = tls::agreed(session, report::is_verbose(2));
        tell(&lines);
    }
}

/// The same of a server, and what is wrong with its certificate where that does not count.
pub fn tell_server(conn: &Connection, label: &str, client: &Client, host: Option<&str>) {
    let Some(session) = conn.tls.as_ref().filter(|_| report::is_verbose(1)) else {
        return;
    };
    let agreed = tls::agreed(session, report::is_verbose(2));
    if report::wording() == Wording::Ncat {
        let doubt = client.doubt(host);
        let doubt = doubt.map(|why| format!("Certificate verification failed ({why})"));
        tell(doubt.as_slice());
        tell(&[format!("SSL connection to {label}")]);
    }
    tell(&agreed);
}

fn tell(lines: &[String]) {
    lines
        .iter()
        .for_each(|line| report::line(&report::stated(line)));
}

/// Looks, with `-v`, whether a client that is not expected to speaks TLS.
pub fn first_look(remote: &Endpoint, plan: &Plan) -> Option<Look> {
    let is_plain = matches!(remote, Endpoint::Stream(_)) && plan.listens();
    let looks = is_plain && report::is_verbose(1);
    looks.then(|| -> Look {
        Box::new(|first: &[u8]| {
            if is_client_hello(first) {
                report::verbose(1, "The client speaks TLS, which --tls understands");
            }
        })
    })
}

/// The line about a server that could not be made sure of.
pub fn server_failed(
    label: &str,
    error: &SecureError,
    client: &Client,
    host: Option<&str>,
    plan: &Plan,
) -> String {
    let asking = || {
        let protocol = starttls(plan).map_or("", Protocol::name);
        format!("STARTTLS ({protocol}) with {label}")
    };
    match error {
        SecureError::Asking(error) => format!("{} failed: {error}", asking()),
        SecureError::Injected => {
            format!(
                "{} failed: plain text came behind the word to begin",
                asking()
            )
        }
        SecureError::Late => format!("{} timed out", asking()),
        SecureError::Handshake(error, session) => {
            let reason = client.reason(error, session, host);
            format!("TLS handshake with {label} failed: {reason}")
        }
    }
}

/// The line about a client that could not be made sure of.
pub fn client_failed(label: &str, error: &SecureError, server: &Server) -> String {
    match error {
        SecureError::Handshake(error, session) => {
            let reason = server.reason(error, session);
            format!("TLS handshake with {label} failed: {reason}")
        }
        // Only clients ask for TLS.
        SecureError::Asking(_) | SecureError::Injected | SecureError::Late => {
            format!("TLS handshake with {label} failed")
        }
    }
}
