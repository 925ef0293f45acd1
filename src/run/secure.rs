//! TLS as the modes see it: set up from the plan, and what is told about it.

use crate::flow::taps::Look;
use crate::io::connection::Connection;
use crate::io::endpoint::Endpoint;
use crate::net::addr;
use crate::net::secure::{LIMIT, SecureError};
use crate::net::tls::{self, TlsAcceptor, TlsConnector};
use crate::parse::escape::shell_word;
use crate::plan::starttls::Protocol;
use crate::plan::tls::{Tls, Trust};
use crate::plan::{Limits, Mode, Plan, Transport};
use crate::proto::Handshake;
use crate::proto::hello::{ALERT_BYTES, is_alert, is_client_hello};
use crate::proto::starttls;
use crate::report::{self, Wording};
use crate::sys::names;
use socket2::{SockAddr, Socket};
use std::cell::Cell;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;
use std::time::Duration;

/// How connections of the plan are made secure; tells that nothing is checked where that is so.
///
/// # Errors
/// A file cannot be read or does not hold what it should.
pub fn client(plan: &Plan) -> anyhow::Result<Option<TlsConnector>> {
    let Some(Tls::Client(client)) = &plan.tls else {
        return Ok(None);
    };
    if client.trust == Trust::Anyone && client.warns {
        report::error(
            "warning: --tls-no-verify: others on the network path can read and change all data",
        );
    }
    Ok(Some(TlsConnector::new(client)?))
}

/// What clients of the plan are shown.
///
/// # Errors
/// A file cannot be read, written, or does not hold what it should.
pub fn server(plan: &Plan) -> anyhow::Result<Option<TlsAcceptor>> {
    let Some(Tls::Server(server)) = &plan.tls else {
        return Ok(None);
    };
    Ok(Some(TlsAcceptor::new(server, own_names())?))
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
pub fn tell_own(server: &TlsAcceptor, socks: &[Socket], plan: &Plan) {
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
    let sock = socks.first()?;
    let addr: SockAddr = sock.local_addr().ok()?;
    if let Some((cid, port)) = addr.as_vsock_address() {
        return Some(format!("--vsock {cid} {port}"));
    }
    let ip = addr::ip(&addr)?;
    // The name of this machine need not be one that others can look up.
    let host = if ip.ip().is_unspecified() {
        addr::own(sock.only_v6().unwrap_or(false)).to_string()
    } else {
        addr::show_ip(&ip)
    };
    let sctp = match plan.net.transport {
        Transport::Sctp => "--sctp ",
        Transport::Tcp | Transport::Udp => "",
    };
    Some(format!("{sctp}{host} {}", ip.port()))
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
    if let Some(session) = conn.session().filter(|_| report::is_verbose(1)) {
        let lines = tls::agreed(session, report::is_verbose(2));
        tell(&lines);
    }
}

/// The same of a server, and what is wrong with its certificate where that does not count.
pub fn tell_server(conn: &Connection, label: &str, client: &TlsConnector, host: Option<&str>) {
    let Some(session) = conn.session().filter(|_| report::is_verbose(1)) else {
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

/// Whether a peer that is spoken to in plain text has answered with a TLS alert.
#[derive(Clone, Default)]
pub struct Alerted(Rc<Cell<bool>>);

impl Alerted {
    /// The look at the peer's first bytes.
    pub fn look(&self) -> Look {
        let alerted = Rc::clone(&self.0);
        Box::new(move |first: &[u8]| alerted.set(is_alert(first)))
    }

    /// The line about a peer named `label` that has sent an alert, and nothing else, in `received`
    /// bytes.
    pub fn line(&self, label: &str, received: u64) -> Option<String> {
        let is_all = self.0.get() && received == ALERT_BYTES;
        let speaks = is_all && report::wording() == Wording::Netcat;
        speaks.then(|| {
            format!("connection to {label} failed: it speaks TLS, as its alert shows (see --tls)")
        })
    }
}

/// Looks at the first bytes of a peer that is spoken to in plain text: whether it speaks TLS. That a
/// client does is printed with `-v`.
pub fn first_look(remote: &Endpoint, plan: &Plan, alerted: &Alerted) -> Option<Look> {
    if !matches!(remote, Endpoint::Stream(_)) {
        return None;
    }
    if !plan.listens() {
        return Some(alerted.look());
    }
    report::is_verbose(1).then(|| -> Look {
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
    client: &TlsConnector,
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
                "{} failed: the server sent plain text after agreeing to TLS",
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
pub fn client_failed(label: &str, error: &SecureError, server: &TlsAcceptor) -> String {
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
