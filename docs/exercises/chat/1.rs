//! What one says all hear
//!
//! Each member has a queue; what is said goes into all of them.
//! A member that is gone has a queue which takes nothing any more.
//! Write `say`: tell all, remove those that are gone, and return their names.
//!
//! Hint: `send` fails when the receiver has been dropped.
//!
//! Hint: `members.retain(...)` keeps those for whom its closure returns `true`.

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;

/// Tells all; returns who is gone.
pub fn say(members: &mut BTreeMap<String, Sender<String>>, line: &str) -> Vec<String> {
    // Solution:
    let mut gone = Vec::new();
    members.retain(|name, queue| {
        let is_there = queue.send(line.to_string()).is_ok();
        if !is_there {
            gone.push(name.clone());
        }
        is_there
    });
    gone
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn all_who_are_there_hear_it_and_who_is_gone_is_removed() {
        let mut members = BTreeMap::new();
        let mut queues: Vec<_> = ["ann", "bob", "eve"]
            .map(|name| {
                let (sender, queue) = mpsc::channel();
                members.insert(name.to_string(), sender);
                queue
            })
            .into();
        drop(queues.remove(1));
        assert_eq!(say(&mut members, "hello"), ["bob"], "who is gone");
        assert_eq!(members.len(), 2, "members are left");
        for queue in queues {
            assert_eq!(queue.try_recv().unwrap(), "hello");
        }
    }
}
