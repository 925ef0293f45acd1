//! Everything a stream has said so far, collected by a thread, to wait on and to look at.

use super::DEADLINE;
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What came out of a stream until now, and whether it has ended.
#[derive(Default)]
pub struct Log {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    ended: bool,
}

impl Log {
    /// Collects `source` to its end on a thread of its own.
    pub fn follow(mut source: impl Read + Send + 'static) -> Arc<Log> {
        let log = Arc::new(Log::default());
        let ours = Arc::clone(&log);
        std::thread::spawn(move || {
            let mut buf = vec![0; 64 * 1024];
            loop {
                match source.read(&mut buf) {
                    Ok(n) if n > 0 => ours.add(&buf[..n]),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    // A terminal whose last user left says EIO: that is its end.
                    Ok(_) | Err(_) => break,
                }
            }
            ours.lock().ended = true;
            ours.changed.notify_all();
        });
        log
    }

    /// A log of a stream that nobody collects: empty, and at its end.
    pub fn nothing() -> Arc<Log> {
        let log = Log::default();
        log.lock().ended = true;
        Arc::new(log)
    }

    /// All bytes so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.lock().bytes.clone()
    }

    /// All bytes so far as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.lock().bytes).into_owned()
    }

    /// How many bytes there are so far.
    pub fn len(&self) -> usize {
        self.lock().bytes.len()
    }

    /// Waits until the text has appeared anywhere; false at the deadline or when the stream has
    /// ended without it.
    pub fn wait_for(&self, text: &str) -> bool {
        let wanted = text.as_bytes();
        self.wait_until(|bytes| bytes.windows(wanted.len()).any(|part| part == wanted))
    }

    /// Waits until `enough` holds of the bytes so far; false at the deadline or at the end.
    pub fn wait_until(&self, enough: impl Fn(&[u8]) -> bool) -> bool {
        let mut good = false;
        self.wait(DEADLINE, |state| {
            good = enough(&state.bytes);
            good || state.ended
        });
        good
    }

    /// Waits for the end of the stream; false at the deadline.
    pub fn wait_end(&self) -> bool {
        self.wait(DEADLINE, |state| state.ended)
    }

    fn wait(&self, at_most: Duration, mut done: impl FnMut(&State) -> bool) -> bool {
        let end = Instant::now() + at_most;
        let mut state = self.lock();
        loop {
            if done(&state) {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn add(&self, bytes: &[u8]) {
        self.lock().bytes.extend_from_slice(bytes);
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
