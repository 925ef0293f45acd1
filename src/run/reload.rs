//! SIGHUP has the files that say who may come in read again, on a thread of its own: reading and
//! looking names up may block.

use crate::io::inbox::{Inbox, Notice};
use crate::net::access;
use crate::plan::Plan;
use crate::report;
use crate::sys::signal;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

/// The thread that reads.
pub struct Reload(SyncSender<()>);

impl Reload {
    /// Has SIGHUP ask for it, if there is anything to read again.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn begin(plan: &Plan, inbox: &Inbox) -> io::Result<Option<Reload>> {
        if !plan.access.has_files() {
            return Ok(None);
        }
        let (access, numeric, inbox) = (plan.access.clone(), plan.net.numeric, inbox.clone());
        // Room for one: what is asked for while the files are being read is done once more.
        let (asking, asked) = sync_channel(1);
        let read = move || match access::load(&access, numeric) {
            Ok(rules) => inbox.post(None, Notice::Rules(Arc::new(rules))),
            Err(error) => report::error(&format!("{error}; who may come in stays as it was")),
        };
        // Signals are for the thread that waits for them.
        let _held = signal::Held::new();
        let thread = std::thread::Builder::new().name("reload".into());
        thread.spawn(move || asked.iter().for_each(|()| read()))?;
        signal::reload_at_hangup();
        Ok(Some(Reload(asking)))
    }

    /// Reads the files again.
    pub fn again(&self) {
        // No room: it is going to be done anyway.
        let _ = self.0.try_send(());
    }
}
