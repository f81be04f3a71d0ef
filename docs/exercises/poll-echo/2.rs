//! What to ask poll for
//!
//! Asked for too much, poll returns at once for ever; asked for too little, a client waits for
//! ever.
//! `unsent` bytes wait for a client, and at most `most` may.
//! For what should the loop wait: that there is something to read, that there is room to
//! write, or both?
//!
//! Hint: A socket nearly always has room, so wait for room only when something waits to be sent.
//!
//! Hint: Do not read more of a client for whom too much waits already: it has to take its
//! replies first.

/// What to wait for.
#[derive(Debug, PartialEq)]
pub struct Interest {
    /// There is something to read.
    pub read: bool,
    /// There is room to write.
    pub write: bool,
}

/// What the loop should wait for at this client.
pub fn interest(unsent: usize, most: usize) -> Interest {
    // Solution:
    Interest { read: unsent < most, write: unsent > 0 }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_for_whom_nothing_waits_is_only_read() {
        assert_eq!(interest(0, 100), Interest { read: true, write: false }, "or poll never waits");
    }

    #[test]
    fn one_for_whom_a_little_waits_may_ask_more() {
        assert_eq!(interest(1, 100), Interest { read: true, write: true });
    }

    #[test]
    fn one_that_takes_nothing_is_read_no_more() {
        assert_eq!(interest(100, 100), Interest { read: false, write: true });
    }
}
