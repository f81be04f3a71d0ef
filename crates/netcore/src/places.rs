//! A bounded number of clients at once: a place is taken before a client is accepted, and given back when it has gone.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The places of a server. Clones share the same ones.
#[derive(Debug, Clone)]
pub struct Places(Arc<State>);

#[derive(Debug)]
struct State {
    most: usize,
    taken: Mutex<usize>,
    changed: Condvar,
}

/// One place, free again when this is dropped: also when the thread that holds it panics.
#[derive(Debug)]
pub struct Place(Arc<State>);

impl Places {
    /// So many places, at least one.
    pub fn new(most: usize) -> Places {
        Places(Arc::new(State { most: most.max(1), taken: Mutex::new(0), changed: Condvar::new() }))
    }

    /// Waits until a place is free and takes it. A stop ends this wait too, since it ends the clients.
    pub fn take(&self) -> Place {
        let full = |taken: &mut usize| *taken == self.0.most;
        let taken = self.0.changed.wait_while(self.0.taken(), full);
        *taken.unwrap_or_else(PoisonError::into_inner) += 1;
        Place(self.0.clone())
    }

    /// Waits until every place is free: the last client has gone.
    pub fn wait_until_free(&self) {
        drop(self.0.changed.wait_while(self.0.taken(), |taken| *taken > 0));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        *self.0.taken() -= 1;
        self.0.changed.notify_all();
    }
}

impl State {
    fn taken(&self) -> MutexGuard<'_, usize> {
        // A number is whole even if a thread panicked while it held the lock.
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[test]
    fn a_client_beyond_the_bound_waits_until_a_place_is_free() {
        let places = Places::new(1);
        let first = places.take();
        let (taken, second) = mpsc::channel();
        thread::spawn(move || taken.send(places.take()));
        assert!(second.try_recv().is_err());
        drop(first);
        second.recv().unwrap();
    }

    #[test]
    fn a_panic_gives_its_place_back() {
        let places = Places::new(1);
        let place = places.take();
        let thread = thread::spawn(move || {
            let _place = place;
            panic!("a client that ends badly: this line in the output is expected");
        });
        assert!(thread.join().is_err());
        places.wait_until_free();
    }
}
