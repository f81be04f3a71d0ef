//! One handle that ends every wait of the process.
//!
//! A signal handler alone does not end a server: the blocked accept is retried, and so
//! is the read of the connection in hand. Here every wait that may be long is a poll(2)
//! that has the waker of this handle beside its own socket (see [`wait`](crate::wait)), so
//! a stop ends all of them at once. Nothing is closed from outside: each connection ends its
//! own work, by the drain limit at the latest.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::Error;
use crate::deadline::Deadline;
use crate::signals;
use crate::waker::{WakeSocket, Waker};

/// How long the work in hand may go on after a stop, unless the rung offers `--drain`.
/// What is still open then is closed.
pub const DRAIN: Duration = Duration::from_secs(5);

/// Tells every thread of a server to stop, and wakes those that wait. Clones are the
/// same handle.
#[derive(Clone)]
pub struct Shutdown(Arc<State>);

struct State {
    stopped: OnceLock<Instant>,
    waker: Waker,
    drain: Duration,
    at_stop: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Shutdown {
    /// A handle that [`stop`](Shutdown::stop) triggers, for tests and for servers
    /// inside other programs. `drain` is how long connections may stay open after a
    /// stop.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new(drain: Duration) -> Result<Shutdown, Error> {
        let waker = Waker::new().map_err(Error::failed("prepare for a stop"))?;
        let (stopped, at_stop) = (OnceLock::new(), Mutex::default());
        Ok(Shutdown(Arc::new(State { stopped, waker, drain, at_stop })))
    }

    /// A handle that SIGINT, SIGTERM or SIGHUP triggers (Ctrl-C or Ctrl-Break on
    /// Windows, which gives no time for a drain when the window is closed).
    ///
    /// A signal that was ignored when the program was started stays ignored, as
    /// `nohup` and a shell's `&` want it. A second Ctrl-C ends the process at once with
    /// exit code 130, and so does any other signal that comes clearly later than the
    /// first.
    ///
    /// # Errors
    /// When the process has such a handle already: signals belong to the whole process.
    pub fn on_signals(drain: Duration) -> Result<Shutdown, Error> {
        let shutdown = Shutdown::new(drain)?;
        let handle = shutdown.clone();
        signals::listen(move || handle.stop()).map_err(Error::failed("prepare for signals"))?;
        Ok(shutdown)
    }

    /// Begins the stop: waits for clients and for their bytes end now, connections at
    /// the drain limit at the latest.
    pub fn stop(&self) {
        let mut at_stop = self.0.at_stop.lock().unwrap_or_else(PoisonError::into_inner);
        if self.0.stopped.set(Instant::now()).is_err() {
            return;
        }
        self.0.waker.wake();
        let wakes = std::mem::take(&mut *at_stop);
        // One of them may lead to another `on_stop`.
        drop(at_stop);
        wakes.into_iter().for_each(|wake| wake());
    }

    /// Whether a stop has begun.
    pub fn is_stopping(&self) -> bool {
        self.0.stopped.get().is_some()
    }

    /// The point by which every connection is closed: never, until a stop has begun.
    pub fn drain_deadline(&self) -> Deadline {
        match self.0.stopped.get() {
            Some(stopped) => Deadline::at(*stopped, self.0.drain),
            None => Deadline::NEVER,
        }
    }

    /// The point at which a stop began: never, until it has.
    pub fn begun(&self) -> Deadline {
        self.0.stopped.get().map_or(Deadline::NEVER, |stopped| Deadline::from(*stopped))
    }

    /// Calls `wake` when a stop begins, or at once if it has begun: for a server that
    /// waits in something else than [`wait`](crate::wait). It must not block.
    pub fn on_stop(&self, wake: impl FnOnce() + Send + 'static) {
        let mut at_stop = self.0.at_stop.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that a stop which begins now either finds this in the list
        // or is seen here.
        if self.is_stopping() {
            drop(at_stop);
            wake();
        } else {
            at_stop.push(Box::new(wake));
        }
    }

    /// A socket that poll(2) takes beside others: readable from a stop on, and never read.
    pub fn waker(&self) -> &WakeSocket {
        self.0.waker.socket()
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("stopping", &self.is_stopping()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn whoever_asks_to_be_woken_at_a_stop_is_woken_before_and_after_it() {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let (woken, wakes) = mpsc::channel();
        let before = woken.clone();
        shutdown.on_stop(move || before.send("before").unwrap());
        assert!(wakes.try_recv().is_err());
        shutdown.stop();
        assert_eq!(wakes.recv().unwrap(), "before");
        shutdown.on_stop(move || woken.send("after").unwrap());
        assert_eq!(wakes.recv().unwrap(), "after");
    }

    #[test]
    fn whoever_is_woken_at_a_stop_may_ask_to_be_woken_again() {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let (woken, wakes) = mpsc::channel();
        let handle = shutdown.clone();
        shutdown.on_stop(move || handle.on_stop(move || woken.send(()).unwrap()));
        let stopper = shutdown.clone();
        std::thread::spawn(move || stopper.stop());
        wakes.recv_timeout(Duration::from_secs(20)).unwrap();
    }

    #[test]
    fn the_drain_begins_with_the_stop_and_a_second_stop_does_not_renew_it() {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        assert_eq!(shutdown.drain_deadline(), Deadline::NEVER);
        shutdown.stop();
        let drained = shutdown.drain_deadline();
        shutdown.stop();
        assert_eq!(shutdown.drain_deadline(), drained);
        assert!(!drained.has_passed());
    }
}
