//! May it be asked again?
//!
//! A request has brought no good answer.
//! Asking again is right where the answer may be another one, and where a second request has
//! no second effect: it only reads, or it has a key by which the server knows it again.
//! The statuses 429, 502, 503 and 504 may pass; `None` means that no answer came.
//!
//! Hint: 400 and 404 will be the same the next time.
//!
//! Hint: A POST without a key whose answer was lost may have been carried out: never again.
//! With 429 it has not been, but a server in front may say 503 after it: take no chance.

/// A request.
pub struct Request {
    /// GET, HEAD and the like.
    pub only_reads: bool,
    /// It has a key, such as `Idempotency-Key`.
    pub has_key: bool,
}

/// Whether the same request may be sent again.
pub fn may_repeat(request: &Request, status: Option<u16>) -> bool {
    // Solution:
    let passes = matches!(status, None | Some(429 | 502..=504));
    passes && (request.only_reads || request.has_key)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    const GET: Request = Request { only_reads: true, has_key: false };
    const POST: Request = Request { only_reads: false, has_key: false };
    const KEYED: Request = Request { only_reads: false, has_key: true };

    #[test]
    fn what_may_pass_is_asked_again() {
        for status in [None, Some(429), Some(502), Some(503), Some(504)] {
            assert!(may_repeat(&GET, status), "GET after {status:?}");
            assert!(may_repeat(&KEYED, status), "POST with a key after {status:?}");
        }
    }

    #[test]
    fn what_stays_is_not() {
        for status in [200, 400, 404, 500, 501] {
            assert!(!may_repeat(&GET, Some(status)), "after {status}");
        }
    }

    #[test]
    fn nothing_is_ordered_twice() {
        for status in [None, Some(503)] {
            assert!(!may_repeat(&POST, status), "POST without a key after {status:?}");
        }
    }
}
