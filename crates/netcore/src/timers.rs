//! Deadlines of many clients, for a server that waits for all of them at once.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::deadline::Deadline;

/// One deadline for each client, by a small number that the caller gives.
///
/// A deadline that moves to a later time, as at each message, costs nothing: its entry
/// in the order stays where it is, and is moved when it comes up.
#[derive(Debug, Default)]
pub struct Timers {
    order: BTreeSet<(Instant, usize)>,
    timers: Vec<Option<Timer>>,
}

#[derive(Debug, Clone, Copy)]
struct Timer {
    deadline: Instant,
    /// Where it stands in the order: at its deadline, or before.
    filed: Instant,
}

impl Timers {
    /// Sets the deadline of client `id`, in place of the one that it had.
    pub fn set(&mut self, id: usize, deadline: Deadline) {
        let Some(deadline) = deadline.instant() else { return self.remove(id) };
        if let Some(Some(timer)) = self.timers.get_mut(id)
            && timer.filed <= deadline
        {
            timer.deadline = deadline;
            return;
        }
        self.remove(id);
        if self.timers.len() <= id {
            self.timers.resize(id + 1, None);
        }
        self.file(id, deadline);
    }

    /// Forgets client `id`.
    pub fn remove(&mut self, id: usize) {
        if let Some(timer) = self.timers.get_mut(id).and_then(Option::take) {
            self.order.remove(&(timer.filed, id));
        }
    }

    /// When to look for the next one that has [expired](Timers::expired).
    pub fn next(&self) -> Deadline {
        self.order.first().map_or(Deadline::NEVER, |(filed, _)| Deadline::from(*filed))
    }

    /// A client whose deadline has come by `now`. It is forgotten.
    pub fn expired(&mut self, now: Instant) -> Option<usize> {
        while self.order.first().is_some_and(|(filed, _)| *filed <= now) {
            let (_, id) = self.order.pop_first()?;
            match self.timers[id].take() {
                Some(timer) if timer.deadline > now => self.file(id, timer.deadline),
                _ => return Some(id),
            }
        }
        None
    }

    fn file(&mut self, id: usize, deadline: Instant) {
        self.order.insert((deadline, id));
        self.timers[id] = Some(Timer { deadline, filed: deadline });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn those_that_are_due_come_in_order_and_once() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        timers.set(3, at(3).into());
        timers.set(1, at(1).into());
        timers.set(2, at(2).into());
        assert_eq!(timers.next(), at(1).into());
        assert_eq!(timers.expired(start), None);
        assert_eq!(timers.expired(at(2)), Some(1));
        assert_eq!(timers.expired(at(2)), Some(2));
        assert_eq!(timers.expired(at(2)), None);
        assert_eq!(timers.next(), at(3).into());
    }

    #[test]
    fn a_deadline_that_moves_holds_and_no_other() {
        let (mut timers, start) = (Timers::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        timers.set(0, at(1).into());
        timers.set(0, at(5).into());
        assert_eq!(timers.expired(at(4)), None);
        timers.set(0, at(2).into());
        assert_eq!(timers.expired(at(4)), Some(0));
        timers.set(0, at(1).into());
        timers.remove(0);
        timers.set(1, at(1).into());
        timers.set(1, Deadline::NEVER);
        assert_eq!((timers.expired(at(9)), timers.next()), (None, Deadline::NEVER));
    }
}
