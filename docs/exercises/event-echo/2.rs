//! A turn for everybody
//!
//! A client that never stops sending must not keep the loop to itself.
//! `ready` holds, for each client, its number and how many bytes wait there.
//! Give the first one a turn of at most `share` bytes; if it has more, it goes to the back.
//! Return who was served, and how many bytes.
//!
//! Hint: `pop_front`, then `push_back` with what is left.
//!
//! Hint: Nobody is pushed back with nothing: the loop would turn for ever.

use std::collections::VecDeque;

/// Serves the first client; `None` where nobody is ready.
pub fn turn(ready: &mut VecDeque<(usize, usize)>, share: usize) -> Option<(usize, usize)> {
    // Solution:
    let (client, waiting) = ready.pop_front()?;
    let served = waiting.min(share);
    if waiting > served {
        ready.push_back((client, waiting - served));
    }
    Some((client, served))
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_with_a_little_is_served_between_the_turns_of_one_with_much() {
        let mut ready = [(1, 250), (2, 10)].into();
        let turns: Vec<_> = std::iter::from_fn(|| turn(&mut ready, 100)).take(10).collect();
        assert_eq!(turns, [(1, 100), (2, 10), (1, 100), (1, 50)]);
    }
}
