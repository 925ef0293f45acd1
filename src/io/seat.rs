//! Places of the clients that may be connected at once.

use super::inbox::Wake;
use std::cell::RefCell;
use std::rc::Rc;

/// One place, taken until it is dropped; all of them are counted. The first one to be dropped wakes
/// the task that waits for a place.
#[derive(Debug, Default)]
pub struct Seat(Rc<RefCell<Option<Wake>>>);

impl Seat {
    /// One more.
    pub fn another(&self) -> Seat {
        Seat(Rc::clone(&self.0))
    }

    /// How many there are besides this one.
    pub fn others(&self) -> usize {
        Rc::strong_count(&self.0) - 1
    }

    /// Has a task woken when the next one is given up.
    pub fn wait(&self, waiting: Wake) {
        self.0.replace(Some(waiting));
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(waiting) = self.0.take() {
            waiting.wake();
        }
    }
}
