//! Who follows whom: a server knows the servers above it, up to the one that writes. One that
//! finds itself among them follows itself by way of others, and nobody could ever write.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Servers above one at most. Nobody builds such a tower, and an answer has to end.
const HIGHEST: usize = 64;

/// One server, and those above it as far as it was told.
#[derive(Debug)]
pub struct Chain {
    own: u64,
    above: Mutex<Vec<u64>>,
}

impl Chain {
    /// A server with a name that no other has, also not this one after a restart.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new() -> io::Result<Chain> {
        Ok(Chain { own: getrandom::u64()?, above: Mutex::default() })
    }

    /// The server and those above it: what one that follows it is told.
    pub fn names(&self) -> Vec<u64> {
        let mut names = vec![self.own];
        names.extend(self.above().iter().take(HIGHEST - 1));
        names
    }

    /// Follows a server that was asked for its [`names`](Chain::names), unless that leads
    /// back here.
    pub fn follows(&self, names: Vec<u64>) -> bool {
        let leads_on = !names.contains(&self.own);
        if leads_on {
            *self.above() = names;
        }
        leads_on
    }

    fn above(&self) -> MutexGuard<'_, Vec<u64>> {
        // A list is whole even if a thread panicked while it held the lock.
        self.above.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_of_any_size_is_found_and_a_tower_is_none() {
        for size in [1, 2, 3, 10] {
            let tower: Vec<_> = (0..size).map(|_| Chain::new().unwrap()).collect();
            for pair in tower.windows(2) {
                assert!(pair[1].follows(pair[0].names()));
                // Each connection asks again.
                assert!(pair[1].follows(pair[0].names()));
            }
            assert!(!tower[0].follows(tower[size - 1].names()), "{size}");
        }
    }
}
