//! The threads that the tasks run on: as many as there are processors, or, where those are
//! not to be had, the one that waits for the tasks.

use std::io;
use std::sync::Mutex;
use std::thread;

use tokio::runtime::{Builder, Runtime};

/// Starts them.
///
/// # Errors
/// When the system has no descriptor left.
pub fn start() -> io::Result<Runtime> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    // tokio panics where it does not get a thread, and then waits for those it has. Twice as
    // many are asked for: the system may still count those that have just ended.
    match are_to_be_had(2 * processors) {
        true => Builder::new_multi_thread().enable_all().build(),
        false => Builder::new_current_thread().enable_all().build(),
    }
}

fn are_to_be_had(threads: usize) -> bool {
    let gate = Mutex::new(());
    thread::scope(|scope| {
        // Each stays until all are counted.
        let closed = gate.lock();
        let one = |_| thread::Builder::new().spawn_scoped(scope, || drop(gate.lock())).ok();
        let started: Vec<_> = (0..threads).map_while(one).collect();
        drop(closed);
        let all = started.len() == threads;
        started.into_iter().for_each(|thread| drop(thread.join()));
        all
    })
}
