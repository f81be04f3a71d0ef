//! Several threads that take tasks one after the other.

use std::collections::BTreeMap;
use std::env;
use std::panic::resume_unwind;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::Failure;

/// Does every task, as many at a time as there are `workers`, and returns what came of them
/// in their order. `work` is given the number of the worker and a task. After a failure
/// nobody begins another.
pub fn share<T: Sync, R: Send>(
    workers: usize,
    tasks: &[T],
    work: impl Fn(usize, &T) -> Result<R, Failure> + Sync,
) -> Result<Vec<R>, Failure> {
    let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let take = |worker| -> Result<(), Failure> {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(task) = tasks.get(number) else { return Ok(()) };
            let result =
                work(worker, task).inspect_err(|_| next.store(tasks.len(), Ordering::Relaxed))?;
            lock(&done).insert(number, result);
        }
    };
    thread::scope(|scope| {
        let workers = 0..workers.min(tasks.len());
        let workers: Vec<_> = workers.map(|worker| scope.spawn(move || take(worker))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|it| resume_unwind(it)))
    })?;
    Ok(done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect())
}

/// What is locked here is whole also where a thread has panicked with it.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many tests the harness of Rust runs at a time.
const TESTS_AT_ONCE: &str = "RUST_TEST_THREADS";

/// Has three times as many tests run at a time as there are processors, unless somebody
/// has said how many: ours wait most of the time.
pub fn more_tests(cargo: &mut Command) -> &mut Command {
    match (env::var_os(TESTS_AT_ONCE), thread::available_parallelism()) {
        (None, Ok(processors)) => cargo.env(TESTS_AT_ONCE, (3 * processors.get()).to_string()),
        _ => cargo,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_of_the_tasks_is_in_their_order_and_a_failure_ends_all() {
        let tasks: Vec<usize> = (0..100).collect();
        let doubled = share(4, &tasks, |_, task| Ok(task * 2)).unwrap();
        assert!(doubled.iter().enumerate().all(|(task, result)| *result == task * 2));
        let begun = AtomicUsize::new(0);
        let failed = share(1, &tasks, |_, _| -> Result<(), Failure> {
            begun.fetch_add(1, Ordering::Relaxed);
            Err(Failure::new("no"))
        });
        assert!(failed.is_err() && begun.into_inner() == 1);
    }
}
