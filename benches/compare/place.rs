//! Where two netcats meet: a TCP port, with TLS or without, or a Unix socket in the file system.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::child::Child;
use crate::identity::Identity;
use crate::netns;

/// What goes between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// TCP over loopback.
    Tcp,
    /// A Unix stream socket.
    Unix,
    /// TLS over TCP.
    Tls,
}

/// One place, good for one meeting.
#[derive(Debug)]
pub enum Place {
    /// A port of 127.0.0.1.
    Tcp(u16),
    /// A path where nothing is yet.
    Unix(PathBuf),
    /// A port of 127.0.0.1, and what the server there shows.
    Tls(u16, &'static Identity),
}

impl Place {
    /// One where nobody is.
    pub fn new(transport: Transport) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        Ok(match transport {
            Transport::Tcp => Self::Tcp(netns::free_port()?),
            Transport::Unix => {
                let number = NUMBER.fetch_add(1, Ordering::Relaxed);
                let name = format!("rnc-compare-{}-{number}.sock", std::process::id());
                Self::Unix(std::env::temp_dir().join(name))
            }
            Transport::Tls => Self::Tls(netns::free_port()?, Identity::get()?),
        })
    }

    /// Waits until somebody listens, without connecting: a netcat would take that for its client.
    ///
    /// # Errors
    /// When the child that should listen has gone, or the deadline has passed.
    pub fn wait_listening(&self, listener: &Child, deadline: Instant) -> Result<()> {
        while !self.is_listening()? {
            ensure!(
                !listener.is_gone(),
                "{} left instead of listening",
                listener.what()
            );
            ensure!(
                Instant::now() < deadline,
                "{} does not listen",
                listener.what()
            );
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// True if somebody listens there.
    fn is_listening(&self) -> io::Result<bool> {
        match self {
            Self::Tcp(port) | Self::Tls(port, _) => netns::is_listening(*port),
            Self::Unix(path) => is_unix_listening(path),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Unix(path) = self {
            // Some netcats remove theirs, some leave it.
            let _ = fs::remove_file(path);
        }
    }
}

/// True if a Unix socket listens at `path`. Of a line in /proc/net/unix the fourth word are the
/// flags, of which 00010000 is __SO_ACCEPTCON, and the last one is the path.
fn is_unix_listening(path: &Path) -> io::Result<bool> {
    let path = path.to_string_lossy();
    let listens = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        words.nth(3) == Some("00010000") && words.last() == Some(&path)
    };
    Ok(fs::read_to_string("/proc/net/unix")?.lines().any(listens))
}
