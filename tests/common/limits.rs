//! What a process may have.

use super::skip;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises our own limit of descriptors, which those we start inherit; says so when it cannot be.
pub fn may_have_descriptors(wanted: u64) -> bool {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return true;
    }
    if limit.maximum.is_some_and(|most| most < wanted) {
        skip(&format!(
            "needs {wanted} descriptors, the hard limit is lower"
        ));
        return false;
    }
    let raised = Rlimit {
        current: Some(wanted),
        ..limit
    };
    setrlimit(Resource::Nofile, raised).expect("setrlimit");
    true
}
