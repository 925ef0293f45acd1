//! Limits of this process.

use rustix::process::{Pid, Resource, Rlimit, prlimit, setrlimit};
use std::sync::OnceLock;

/// The limit on descriptors that this process was started with, once it has raised it.
static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// The usual soft limit, where the real one is not to be had.
const USUAL: usize = 1024;

/// How many descriptors this process may have, after the soft limit has been raised towards
/// `wanted` as far as the hard limit allows. See getrlimit(2).
pub fn descriptors(wanted: usize) -> usize {
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    let Some(mut limit) = limit() else {
        return USUAL;
    };
    let most = limit.maximum.unwrap_or(u64::MAX);
    if let Some(current) = limit.current
        && current < wanted.min(most)
    {
        BEFORE.get_or_init(|| limit);
        limit.current = Some(wanted.min(most));
        // Refused: what there is has to do.
        if setrlimit(Resource::Nofile, limit).is_err() {
            limit.current = Some(current);
        }
    }
    let current = limit.current.unwrap_or(u64::MAX);
    usize::try_from(current).unwrap_or(usize::MAX)
}

/// The limit on descriptors; a profile may refuse to give it, at which rustix's getrlimit panics.
fn limit() -> Option<Rlimit> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the struct lives through the call, which only fills it in.
    let is_known = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) } == 0;
    let finite = |value| Some(value).filter(|value| *value != libc::RLIM_INFINITY);
    is_known.then(|| Rlimit {
        current: finite(limit.rlim_cur),
        maximum: finite(limit.rlim_max),
    })
}

/// Gives a program the limit on descriptors that this process was started with: those that use
/// select(2) trust it to be small.
pub fn restore_descriptors(program: Pid) {
    if let Some(before) = BEFORE.get() {
        // It has ended already, or goes on with the higher limit.
        let _ = prlimit(Some(program), Resource::Nofile, *before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_and_never_lowered() {
        let now = descriptors(0);
        assert!(now > 0);
        assert!(descriptors(usize::MAX) >= now);
        assert!(descriptors(1) >= now);
    }
}
