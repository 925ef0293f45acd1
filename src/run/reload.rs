//! SIGHUP has the files of the access rules read again, on a thread of its own: reading and looking
//! names up may block.

use crate::io::inbox::{Inbox, Notice};
use crate::net::access;
use crate::plan::Listening;
use crate::report;
use crate::sys::signal;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Reads the files: on a thread of its own, or without one on the caller's.
pub enum Reload {
    /// Asks the thread.
    Thread(SyncSender<()>),
    /// Reads them.
    Here(Arc<dyn Fn() + Send + Sync>),
}

impl Reload {
    /// Has SIGHUP ask for it, if there is anything to read again.
    pub fn begin(listening: &Listening, inbox: &Inbox) -> Option<Reload> {
        if !listening.access.has_files() {
            return None;
        }
        let access = listening.access.clone();
        let (numeric, inbox) = (listening.net.numeric, inbox.clone());
        // Room for one: what is asked for while the files are being read is done once more.
        let (asking, asked) = sync_channel(1);
        let read = Arc::new(move || match access::load_again(&access, numeric) {
            Ok(rules) => inbox.post(None, Notice::Rules(Arc::new(rules))),
            Err(error) => report::error(&format!("{error}; who may come in stays as it was")),
        });
        signal::reload_at_hangup();
        // Signals are for the thread that waits for them.
        let _held = signal::Held::new();
        let reader = Arc::clone(&read);
        let thread = std::thread::Builder::new().name("reload".into());
        let thread = thread.spawn(move || asked.iter().for_each(|()| reader()));
        Some(thread.map_or(Reload::Here(read), |_| Reload::Thread(asking)))
    }

    /// Reads the files again.
    pub fn again(&self) {
        match self {
            // No room: it is going to be done anyway.
            Reload::Thread(asking) => drop(asking.try_send(())),
            Reload::Here(read) => {
                let _blocking = signal::allow_blocking();
                read();
            }
        }
    }
}
