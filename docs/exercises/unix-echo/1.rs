//! A name that nobody uses
//!
//! The file of a socket outlives its server, and then the next server finds it in its way.
//! It may be removed only where nobody listens on it.
//! `tried` is what came of connecting to it: may the file be removed?
//!
//! Hint: Whoever answers is a server that runs.
//!
//! Hint: `ConnectionRefused` says that nobody listens; `PermissionDenied` says nothing about it.

use std::io::ErrorKind;

/// Whether the file is nobody's.
pub fn is_left_behind(tried: Result<(), ErrorKind>) -> bool {
    // Solution:
    tried == Err(ErrorKind::ConnectionRefused)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_on_which_nobody_listens_is_left_behind() {
        assert!(is_left_behind(Err(ErrorKind::ConnectionRefused)));
    }

    #[test]
    fn a_server_that_runs_keeps_its_name() {
        assert!(!is_left_behind(Ok(())), "somebody answers there");
    }

    #[test]
    fn what_says_nothing_is_no_leave() {
        for kind in [ErrorKind::PermissionDenied, ErrorKind::WouldBlock, ErrorKind::TimedOut] {
            assert!(!is_left_behind(Err(kind)), "{kind:?}");
        }
    }
}
