//! Ask again, and wait longer
//!
//! Ask up to `tries` times: `ask` is told how long to wait, and returns the reply if one came.
//! The first wait is `first`, each further one twice as long.
//!
//! Hint: What was lost may have been lost to a crowd, which asking at one pace would feed.
//!
//! Hint: `wait *= 2` after each try that brought nothing.

use std::time::Duration;

/// The first reply that comes.
pub fn persist<T>(
    first: Duration,
    tries: u32,
    mut ask: impl FnMut(Duration) -> Option<T>,
) -> Option<T> {
    // Solution:
    let mut wait = first;
    for _ in 0..tries {
        if let Some(reply) = ask(wait) {
            return Some(reply);
        }
        wait *= 2;
    }
    None
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Duration = Duration::from_millis(500);

    #[test]
    fn each_wait_is_twice_as_long_and_then_it_gives_up() {
        let mut waits = Vec::new();
        let reply: Option<()> = persist(HALF, 4, |wait| {
            waits.push(wait.as_millis());
            None
        });
        assert_eq!((reply, waits), (None, vec![500, 1000, 2000, 4000]));
    }

    #[test]
    fn who_has_a_reply_asks_no_more() {
        let mut asked = 0;
        let reply = persist(HALF, 4, |_| {
            asked += 1;
            (asked == 2).then_some("hello")
        });
        assert_eq!((reply, asked), (Some("hello"), 2));
    }
}
