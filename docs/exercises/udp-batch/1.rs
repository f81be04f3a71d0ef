//! Many datagrams in one buffer
//!
//! One system call may bring many datagrams of one sender, one behind the other in one buffer.
//! All have the same `size`, but the last one may be shorter.
//! Return them one by one.
//!
//! Hint: Slices have a method for it: `chunks`.
//!
//! Hint: `chunks(0)` panics: a `size` of 0 means that nothing was batched, and the buffer is
//! one datagram.

/// The datagrams of a batch.
pub fn datagrams(batch: &[u8], size: usize) -> Vec<&[u8]> {
    // Solution:
    if size == 0 { vec![batch] } else { batch.chunks(size).collect() }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_may_be_shorter() {
        assert_eq!(datagrams(b"onetwoxy", 3), [&b"one"[..], b"two", b"xy"]);
    }

    #[test]
    fn what_was_not_batched_is_one_datagram() {
        assert_eq!(datagrams(b"alone", 0), [b"alone"]);
    }
}
