//! A bounded number of clients at once: a permit is taken before a client is accepted,
//! and given back when it has gone.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::memory;
use crate::shutdown::Shutdown;

/// The permits of a server. Clones share the same ones.
#[derive(Debug, Clone)]
pub struct Permits(Arc<State>);

#[derive(Debug)]
struct State {
    most: usize,
    taken: Mutex<Taken>,
    changed: Condvar,
    shutdown: Shutdown,
}

#[derive(Debug, Default)]
struct Taken {
    now: usize,
    /// The most that have been in use at once.
    ever: usize,
}

/// One permit, given back when this is dropped: also when the thread that holds it
/// panics.
#[derive(Debug)]
pub struct Permit(Arc<State>);

impl Permits {
    /// So many permits, at least one, and no more than there can be threads.
    pub fn new(most: usize, shutdown: &Shutdown) -> Permits {
        let (asked, most) = (most, most.clamp(1, memory::threads_at_most().max(1)));
        if asked > most {
            log::warn!("serving {most} clients at once: a process can have no more threads");
        }
        let shutdown = shutdown.clone();
        let state = State { most, taken: Mutex::default(), changed: Condvar::new(), shutdown };
        let permits = Permits(Arc::new(state));
        // Weak, or the handle and the permits would keep each other for ever.
        let state = Arc::downgrade(&permits.0);
        permits.0.shutdown.on_stop(move || {
            if let Some(state) = state.upgrade() {
                // Whoever has seen no stop under the lock waits by the time we have it.
                drop(state.taken());
                state.changed.notify_all();
            }
        });
        permits
    }

    /// Waits until one is free and takes it, or `None` when the process has been
    /// told to stop.
    pub fn take(&self) -> Option<Permit> {
        let must_wait =
            |taken: &mut Taken| taken.now == self.0.most && !self.0.shutdown.is_stopping();
        let taken = self.0.changed.wait_while(self.0.taken(), must_wait);
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        if self.0.shutdown.is_stopping() {
            return None;
        }
        taken.now += 1;
        Some(Permit(self.0.clone()))
    }
}

impl Permit {
    /// Whether no stack is left over for its thread: with this one, more are taken than have
    /// ever been in use, or than stacks are kept.
    pub(crate) fn needs_a_stack(&self) -> bool {
        let taken = self.0.taken();
        taken.now > taken.ever || taken.now > memory::STACKS_KEPT
    }

    /// From now on it is in use.
    pub(crate) fn use_it(&self) {
        let mut taken = self.0.taken();
        taken.ever = taken.ever.max(taken.now);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.taken().now -= 1;
        self.0.changed.notify_all();
    }
}

impl State {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        // Numbers are whole even if a thread panicked while it held the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::shutdown::DRAIN;

    /// Ends a test that would otherwise hang; no correct run comes near it.
    const GENEROUS: Duration = Duration::from_secs(20);

    fn one_permit() -> (Permits, Shutdown) {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        (Permits::new(1, &shutdown), shutdown)
    }

    #[test]
    fn a_client_beyond_the_bound_waits_until_a_permit_is_free() {
        let (permits, _shutdown) = one_permit();
        let first = permits.take();
        let (taken, second) = mpsc::channel();
        thread::spawn(move || taken.send(permits.take()));
        assert!(second.try_recv().is_err());
        drop(first);
        assert!(second.recv().unwrap().is_some());
    }

    #[test]
    fn a_stop_ends_the_wait_for_a_permit() {
        const WAITING: usize = 16;
        let (permits, shutdown) = one_permit();
        let _first = permits.take();
        let (ready, begun) = mpsc::channel();
        let (taken, others) = mpsc::channel();
        // So many that most of them wait by the time of the stop, wherever the last one is.
        for _ in 0..WAITING {
            let (permits, ready, taken) = (permits.clone(), ready.clone(), taken.clone());
            thread::spawn(move || {
                ready.send(()).unwrap();
                taken.send(permits.take())
            });
        }
        for _ in 0..WAITING {
            begun.recv().unwrap();
        }
        shutdown.stop();
        for _ in 0..WAITING {
            assert!(others.recv_timeout(GENEROUS).unwrap().is_none());
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn there_are_no_permits_for_threads_that_would_end_the_process() {
        let areas = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
        let permits = Permits::new(usize::MAX, &Shutdown::new(DRAIN).unwrap());
        assert!(permits.0.most < areas.trim().parse::<usize>().unwrap() / 4);
    }

    #[test]
    fn a_panic_gives_its_permit_back() {
        let (permits, _shutdown) = one_permit();
        let permit = permits.take();
        let thread = thread::spawn(move || {
            let _permit = permit;
            panic!("a client that ends badly: this line in the output is expected");
        });
        assert!(thread.join().is_err());
        assert!(permits.take().is_some());
    }
}
