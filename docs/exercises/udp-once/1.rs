//! At most once
//!
//! A request that comes a second time must not be run a second time: its reply may have been
//! lost, and it is to be said again.
//! `known` holds the last number of each client and the reply to it.
//! Write `answer`. A number that is lower than the last one is late: it has no answer.
//!
//! Hint: There are three cases: the same number, a higher one, a lower one.
//!
//! Hint: `match number.cmp(&last)` has an arm for each; a client that is not known has the
//! last number 0, and none of its requests is numbered so.

use std::collections::HashMap;

/// The reply, which was run now or before.
pub fn answer(
    known: &mut HashMap<String, (u64, String)>,
    client: &str,
    number: u64,
    run: impl FnOnce() -> String,
) -> Option<String> {
    // Solution:
    let (last, reply) = known.entry(client.into()).or_default();
    if number < *last {
        return None;
    }
    if number > *last {
        (*last, *reply) = (number, run());
    }
    Some(reply.clone())
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_said_again_and_not_run_again() {
        let (mut known, mut runs) = (HashMap::new(), 0);
        let mut ask = |client: &str, number| {
            answer(&mut known, client, number, || {
                runs += 1;
                format!("run {runs}")
            })
        };
        assert_eq!(ask("ann", 1).as_deref(), Some("run 1"));
        assert_eq!(ask("ann", 1).as_deref(), Some("run 1"), "the same number was run again");
        assert_eq!(ask("bob", 1).as_deref(), Some("run 2"), "another client has its own numbers");
        assert_eq!(ask("ann", 2).as_deref(), Some("run 3"));
        assert_eq!(ask("ann", 1), None, "what is late has no answer");
    }
}
