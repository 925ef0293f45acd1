//! The password for a proxy, asked for on the terminal when it is wanted and was not given.

use super::event::Event;
use super::words;
use crate::exit::Exit;
use crate::net::handshake::ProxyAnswer;
use crate::net::prepared::Prepared;
use crate::proto::http::challenge::Challenge;
use crate::sys::tty;

/// Asks. The next connection answers with it, and with what the proxy wants of it, at once.
///
/// # Errors
/// There is no terminal; that is printed.
pub fn ask(to: &Prepared, challenge: Option<Challenge>) -> Result<(), Exit> {
    let proxy = to.end().proxy();
    let user = proxy.and_then(|proxy| proxy.user.as_deref());
    let host = proxy.map_or("", |proxy| &proxy.host);
    let prompt = format!("Proxy password for {}@{host}: ", user.unwrap_or_default());
    let asked = tty::password(&prompt);
    let password = asked.map_err(|error| {
        words::tell(&Event::NotAsked(&error));
        Exit::FAILED
    })?;
    to.answer(ProxyAnswer {
        password,
        challenge,
    });
    Ok(())
}
