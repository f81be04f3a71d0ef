//! Workers that wait for the next job
//!
//! Start so many workers; each takes a job, does it, and takes the next one, until no more can
//! come.
//! Return when all are done.
//!
//! Hint: A `Receiver` belongs to one thread; behind a `Mutex` several can take turns.
//!
//! Hint: `recv` fails when every sender is gone and nothing is left: then the worker ends.
//!
//! Hint: Let go of the lock before you do the job: `let job = jobs.lock().unwrap().recv();` on
//! a line of its own.

use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::thread;

/// Does every job, in so many threads.
pub fn work<J: Send>(workers: usize, jobs: Receiver<J>, work: impl Fn(J) + Sync) {
    // Solution:
    let (jobs, work) = (&Mutex::new(jobs), &work);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(move || {
                loop {
                    let job = jobs.lock().unwrap().recv();
                    let Ok(job) = job else { return };
                    work(job);
                }
            });
        }
    });
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::{Barrier, mpsc};

    #[test]
    fn every_job_is_done_by_as_many_threads_as_there_are_workers() {
        let (sender, jobs) = mpsc::channel();
        (1..=9).for_each(|job| sender.send(job).unwrap());
        drop(sender);
        let (done, threads) = (Mutex::new(0), Mutex::new(HashSet::new()));
        // Nobody gets past it alone: three work at once.
        let three = Barrier::new(3);
        work(3, jobs, |job| {
            three.wait();
            *done.lock().unwrap() += job;
            threads.lock().unwrap().insert(thread::current().id());
        });
        assert_eq!(done.into_inner().unwrap(), 45, "the sum of all jobs");
        assert_eq!(threads.into_inner().unwrap().len(), 3, "so many threads worked");
    }
}
