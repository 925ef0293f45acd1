//! TLS for sessions: set up from the plan, and what is printed about it.

use super::event::Event;
use super::words;
use crate::flow::taps::Look;
use crate::io::connection::Connection;
use crate::io::endpoint::Endpoint;
use crate::net::addr;
use crate::net::prepared::Prepared;
use crate::net::tls::{self, TlsAcceptor};
use crate::parse::escape::shell_word;
use crate::plan::tls::Trust;
use crate::plan::{End, Limits, ListenAt, Listening, Transport};
use crate::proto::hello::{ALERT_BYTES, is_alert, is_client_hello};
use crate::report::{self, Wording};
use crate::sys::names;
use socket2::{SockAddr, Socket};
use std::cell::Cell;
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

/// Prepares an end to be opened; warns where its certificate is not checked.
///
/// # Errors
/// A file cannot be read or does not hold what it should.
pub fn prepare(end: &End, limits: &Limits) -> anyhow::Result<Rc<Prepared>> {
    if let Some(client) = end.tls()
        && client.trust == Trust::Anyone
        && client.warns
    {
        let option = client.spelling.flag("no-verify");
        report::error(&format!(
            "warning: {option}: others on the network path can read and change all data"
        ));
    }
    Ok(Rc::new(Prepared::new(end.clone(), limits)?))
}

/// What clients of a listener are shown.
///
/// # Errors
/// A file cannot be read, written, or does not hold what it should.
pub fn server(listening: &Listening) -> anyhow::Result<Option<TlsAcceptor>> {
    let server = listening.tls.as_ref();
    let server = server.map(|server| TlsAcceptor::new(server, own_names()));
    Ok(server.transpose()?)
}

/// The names of this machine that a new certificate is for.
fn own_names() -> Vec<String> {
    let local = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    names::own().into_iter().chain(local).collect()
}

/// Prints the fingerprint of a certificate that was made, and how to connect.
pub fn tell_own(server: &TlsAcceptor, socks: &[Socket], listening: &Listening) {
    let Some(pin) = server.own_pin() else {
        return;
    };
    let place = place(socks, listening);
    words::tell(&Event::OwnCertificate(&pin, place.as_deref()));
}

/// Where a client connects to, as it is typed.
fn place(socks: &[Socket], listening: &Listening) -> Option<String> {
    if let ListenAt::Unix { path, .. } = &listening.at {
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
    let sctp = match listening.net.transport {
        Transport::Sctp => "--sctp ",
        Transport::Tcp | Transport::Udp => "",
    };
    Some(format!("{sctp}{host} {}", ip.port()))
}

/// Prints, with `-v`, what was agreed on with a client, and its certificate.
pub fn tell_client(conn: &Connection) {
    if let Some(session) = conn.session().filter(|_| report::is_verbose(1)) {
        let agreed = tls::agreed(session, report::is_verbose(2));
        words::tell(&Event::ClientSecured(&agreed));
    }
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

    /// Returns whether the peer has sent an alert, and nothing else, in `received` bytes.
    pub fn is_all(&self, received: u64) -> bool {
        self.0.get() && received == ALERT_BYTES && report::wording() == Wording::Netcat
    }
}

/// Looks at the first bytes of a peer that is spoken to in plain text: whether it speaks TLS. That
/// a peer which `came` does is printed with `-v`.
pub fn first_look(end: &Endpoint, came: bool, alerted: &Alerted) -> Option<Look> {
    if !matches!(end, Endpoint::Stream(_)) {
        return None;
    }
    if !came {
        return Some(alerted.look());
    }
    report::is_verbose(1).then(|| -> Look {
        Box::new(|first: &[u8]| {
            if is_client_hello(first) {
                words::tell(&Event::SpeaksTls);
            }
        })
    })
}
