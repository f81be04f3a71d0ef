//! Ends a run early: a signal, the end of standard input, or a test.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use netcore::Error;
use netcore::shutdown::Shutdown;

/// Told once to stop, it stays so. Clones are the same handle. Belongs to the thread
/// that made it, which alone waits.
#[derive(Debug, Clone)]
pub struct Stop(Arc<(AtomicBool, Thread)>);

impl Default for Stop {
    fn default() -> Stop {
        Stop(Arc::new((AtomicBool::new(false), thread::current())))
    }
}

impl Stop {
    /// A handle that a signal triggers which asks a program to end, unless it was ignored
    /// when this one was started. A second one ends the process at once.
    ///
    /// # Errors
    /// When the process has such a handle already.
    pub fn on_signals() -> Result<Stop, Error> {
        let stop = Stop::default();
        let handle = stop.clone();
        // What is under way has its own limits: there is nothing to drain.
        Shutdown::on_signals(Duration::ZERO)?.on_stop(move || handle.tell());
        Ok(stop)
    }

    /// Triggers the stop when standard input ends.
    pub fn when_stdin_ends(&self) {
        let stop = self.clone();
        // Nobody waits for this thread: a read of standard input cannot be ended, and the
        // process may end meanwhile.
        thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            while stdin.read(&mut [0; 1024]).is_ok_and(|n| n > 0) {}
            stop.tell();
        });
    }

    /// Stops.
    pub fn tell(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.unpark();
    }

    /// Whether it has been told.
    pub fn is_told(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until it is told or, where there is a limit, for so long.
    pub fn wait(&self, limit: Option<Duration>) {
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        while !self.is_told() {
            let Some(until) = until else {
                thread::park();
                continue;
            };
            match until.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => thread::park_timeout(left),
                _ => return,
            }
        }
    }
}
