//! The password for a proxy, asked for on the terminal when it is wanted and was not given.

use crate::exit::Exit;
use crate::plan::Dialing;
use crate::proto::http::challenge::Challenge;
use crate::report;
use crate::sys::tty;
use std::rc::Rc;

/// There is a user but no password, as long as the proxy has not asked for one.
pub fn is_open(dialing: &Dialing) -> bool {
    let proxy = dialing.proxy.as_ref();
    proxy.is_some_and(|proxy| proxy.user.is_some() && proxy.password.is_none())
}

/// Asks. What the proxy has said it wants is kept: the next connection answers it at once.
///
/// # Errors
/// There is no terminal; that has been reported.
pub fn ask(dialing: &mut Rc<Dialing>, challenge: Option<Challenge>) -> Result<(), Exit> {
    let Some(proxy) = &mut Rc::make_mut(dialing).proxy else {
        return Ok(());
    };
    let user = proxy.user.as_deref().unwrap_or_default();
    let prompt = format!("Proxy password for {user}@{}: ", proxy.host);
    match tty::password(&prompt) {
        Ok(password) => {
            proxy.password = Some(password);
            proxy.challenge = challenge.map(Box::new);
            Ok(())
        }
        Err(error) => {
            let reason = report::reason(&error);
            report::error(&format!("cannot ask for the proxy password: {reason}"));
            Err(Exit::FAILED)
        }
    }
}
