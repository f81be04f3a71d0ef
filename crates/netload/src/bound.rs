//! How much a run may do: so many seconds, so many requests, or whichever comes first.

use std::time::{Duration, Instant};

/// What is left of a run. It is asked before each request.
#[derive(Debug)]
pub struct Bound {
    requests: u64,
    duration: Option<Duration>,
    until: Option<Instant>,
}

impl Bound {
    /// A run of at most `duration` and `requests`, without either where it is `None`.
    pub fn new(duration: Option<Duration>, requests: Option<u64>) -> Bound {
        Bound { requests: requests.unwrap_or(u64::MAX), duration, until: None }
    }

    /// Begins the time.
    pub fn start(&mut self, now: Instant) {
        self.until = self.duration.and_then(|duration| now.checked_add(duration));
    }

    /// Takes one request from what is left, and says whether there was one.
    pub fn take(&mut self, now: Instant) -> bool {
        if self.requests == 0 || self.until.is_some_and(|until| now >= until) {
            return false;
        }
        self.requests -= 1;
        true
    }

    /// No request is left from now on.
    pub fn end(&mut self) {
        self.requests = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_requests_and_no_more() {
        let now = Instant::now();
        let mut bound = Bound::new(None, Some(2));
        bound.start(now);
        assert_eq!([bound.take(now), bound.take(now), bound.take(now)], [true, true, false]);
    }

    #[test]
    fn none_after_the_time_is_over() {
        let now = Instant::now();
        let mut bound = Bound::new(Some(Duration::from_secs(1)), None);
        bound.start(now);
        assert!(bound.take(now));
        assert!(!bound.take(now + Duration::from_secs(1)));
    }
}
