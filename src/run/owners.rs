//! Which member of a task a descriptor belongs to.

use crate::io::reactor::Registered;
use std::collections::BTreeMap;

/// The members of a task by their descriptors. The loop numbers those in order: what is registered
/// after a mark, up to the next one, belongs to the member whose mark it is.
#[derive(Default)]
pub struct Owners(BTreeMap<Registered, usize>);

impl Owners {
    /// What is registered from `first` on belongs to this member.
    pub fn mark(&mut self, first: Registered, member: usize) {
        self.0.insert(first, member);
    }

    /// Takes a mark away, once all that was registered after it is closed.
    pub fn forget(&mut self, first: Registered) {
        self.0.remove(&first);
    }

    /// The member whose descriptor it is. Of one that is closed it may be any member: an event is
    /// only a hint to look.
    pub fn of(&self, id: Registered) -> Option<usize> {
        let mark = self.0.range(..=id).next_back();
        mark.map(|(_, member)| *member)
    }
}
