//! A few threads for calls that block, such as name look-ups. A thread ends when no work waits.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something to be done by a thread.
pub type Job = Box<dyn FnOnce() + Send>;

/// The threads, and the work that waits for one.
pub struct Pool {
    shared: Arc<Mutex<Waiting>>,
    most_threads: usize,
    most_jobs: usize,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    threads: usize,
}

impl Pool {
    /// No more than so many threads, and jobs that wait for one.
    pub fn new(most_threads: usize, most_jobs: usize) -> Pool {
        Pool {
            shared: Arc::default(),
            most_threads,
            most_jobs,
        }
    }

    /// Has a thread do it.
    ///
    /// # Errors
    /// The job, where too many wait, or there is no thread to be had.
    pub fn add(&self, job: Job) -> Result<(), Job> {
        let mut waiting = lock(&self.shared);
        let has_room = waiting.threads < self.most_threads;
        if !has_room && waiting.jobs.len() >= self.most_jobs {
            return Err(job);
        }
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name("lookup".into());
        if has_room && thread.spawn(move || work(&shared)).is_ok() {
            waiting.threads += 1;
        }
        if waiting.threads == 0 {
            return Err(job);
        }
        waiting.jobs.push_back(job);
        Ok(())
    }
}

fn work(shared: &Mutex<Waiting>) {
    loop {
        let mut waiting = lock(shared);
        let Some(job) = waiting.jobs.pop_front() else {
            waiting.threads -= 1;
            return;
        };
        drop(waiting);
        job();
    }
}

fn lock(shared: &Mutex<Waiting>) -> MutexGuard<'_, Waiting> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{channel, sync_channel};

    #[test]
    fn what_waits_is_bounded_and_all_of_it_is_done() {
        let pool = Pool::new(2, 3);
        let (done, all) = channel();
        let mut gates = Vec::new();
        let mut job = |n: usize| -> Job {
            let (gate, opened) = sync_channel::<()>(1);
            gates.push(gate);
            let done = done.clone();
            Box::new(move || {
                let _ = opened.recv();
                let _ = done.send(n);
            })
        };
        let jobs: Vec<Job> = (0..10).map(&mut job).collect();
        let refused = jobs.into_iter().filter_map(|job| pool.add(job).err());
        // Two are being done, if their threads run by now, and three wait.
        let refused = refused.count();
        assert!((5..=7).contains(&refused), "{refused} refused");
        drop(gates);
        assert_eq!(all.iter().take(10 - refused).count(), 10 - refused);
    }
}
