//! Not a second time
//!
//! Whoever records a login can say it again, word for word.
//! So the server makes up a number for each login, its challenge, which the proof has to
//! answer, and takes a challenge back once and never again.
//! Write `redeem`: whether this challenge is one that was given out and has not been used.
//!
//! Hint: A challenge that was never given out is not in `open`.
//!
//! Hint: `HashSet::remove` says whether it was there, and makes sure that it is not there
//! again.

use std::collections::HashSet;

/// Whether the challenge is good: once.
pub fn redeem(open: &mut HashSet<u64>, challenge: u64) -> bool {
    // Solution:
    open.remove(&challenge)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_good_once() {
        let mut open = HashSet::from([7, 8]);
        assert!(redeem(&mut open, 7), "it was given out");
        assert!(!redeem(&mut open, 7), "a login that was recorded is of no use");
        assert!(redeem(&mut open, 8), "the other one is still good");
    }

    #[test]
    fn nobody_makes_up_one_of_their_own() {
        assert!(!redeem(&mut HashSet::from([7]), 9));
    }
}
