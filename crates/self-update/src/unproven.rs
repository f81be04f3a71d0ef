//! A process that has not shown yet that it is what it should be: a release that is asked for
//! its version, or is to become a worker. Whatever it hangs in, it ends with its keeper.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One such process at a time, for the look that waits for it and for the stop that does not.
#[derive(Debug, Clone, Default)]
pub struct Unproven(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    child: Option<Child>,
    /// No further one is started.
    over: bool,
}

impl Unproven {
    /// Starts one by `spawn`, and returns what there is of it beside the process.
    ///
    /// # Errors
    /// Those of `spawn`; that it is [over](Unproven::end).
    pub fn start<T>(&self, spawn: impl FnOnce() -> io::Result<(Child, T)>) -> io::Result<T> {
        let mut held = self.held();
        if held.over {
            return Err(io::Error::other("its keeper stops"));
        }
        if let Some(mut left) = held.child.take() {
            // Of a look that has panicked; others have ended.
            let _ = left.kill();
            left.wait()?;
        }
        let (child, beside) = spawn()?;
        held.child = Some(child);
        Ok(beside)
    }

    /// It has proven itself, and is the caller's.
    ///
    /// # Errors
    /// When there is none.
    pub fn release(&self) -> io::Result<Child> {
        self.held().child.take().ok_or_else(none)
    }

    /// How it has ended, if it has.
    ///
    /// # Errors
    /// What the system says; when there is none.
    pub fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.held().child.as_mut().ok_or_else(none)?.try_wait()
    }

    /// Ends it, unless it has ended.
    ///
    /// # Errors
    /// As [`try_wait`](Unproven::try_wait).
    pub fn kill(&self) -> io::Result<ExitStatus> {
        let mut held = self.held();
        let child = held.child.as_mut().ok_or_else(none)?;
        // In vain where it has ended.
        let _ = child.kill();
        child.wait()
    }

    /// Ends the one that there is, for whoever stops.
    pub fn end(&self) {
        self.held().over = true;
        // In vain where there is none.
        let _ = self.kill();
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A process is one even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn none() -> io::Error {
    io::ErrorKind::NotFound.into()
}
