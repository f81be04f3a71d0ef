//! The room: who is in it, and what they hear, all in one order.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::{Args, ValueEnum};
use netcore::cli::count;
use netcore::names::is_letter;
use netcore::outbox::{Line, Outbox};
use netcore::visit::Ended;

/// Characters of a name at most.
const LONGEST_NAME: usize = 32;

/// Nobody waits for a member: a line is queued for each, under the lock that makes the
/// order, and sent without it.
#[derive(Debug, Args)]
pub struct Room {
    /// Let at most so many members in; more are told that the room is full
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 400)]
    pub room_limit: usize,
    /// Lines that may wait for a member that does not take them
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub queue: usize,
    /// What becomes of a member for whom more wait: it is dropped, or it skips them and is
    /// told how many
    #[arg(long, value_name = "drop|skip", hide_possible_values = true, default_value = "drop")]
    pub slow: Slow,
    #[arg(skip)]
    members: Mutex<BTreeMap<String, Arc<Outbox>>>,
}

/// What becomes of a member that does not listen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Slow {
    /// It is dropped.
    Drop,
    /// It misses lines.
    Skip,
}

/// Why somebody may not come in under this name.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is none.
    NoName,
    /// Somebody else has it.
    Taken,
    /// There are so many members already.
    Full(usize),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NoName => {
                write!(f, "a name is 1 to {LONGEST_NAME} letters, digits and any of - _ .")
            }
            Refusal::Taken => write!(f, "somebody else has this name"),
            Refusal::Full(limit) => write!(f, "the room is full, with {limit} members"),
        }
    }
}

/// A place in the room, which is free again when this is dropped: also when the thread
/// that holds it panics.
#[derive(Debug)]
pub struct Member<'a> {
    /// What the others call it.
    pub name: String,
    /// What waits for it.
    pub outbox: Arc<Outbox>,
    room: &'a Room,
}

impl Room {
    /// Lets somebody in, which all are told: the new member too, first of all.
    ///
    /// # Errors
    /// Why not.
    pub fn join(&self, name: &[u8], outbox: Arc<Outbox>) -> Result<Member<'_>, Refusal> {
        let name = str::from_utf8(name).ok().filter(|name| is_name(name)).ok_or(Refusal::NoName)?;
        let mut members = self.members();
        if members.contains_key(name) {
            return Err(Refusal::Taken);
        }
        if members.len() >= self.room_limit {
            return Err(Refusal::Full(self.room_limit));
        }
        members.insert(name.into(), outbox.clone());
        self.queue_for_all(&mut members, &format!("* {name} joined"));
        Ok(Member { name: name.into(), outbox, room: self })
    }

    /// Sends what is queued, as far as each member takes it now.
    pub fn deliver(&self) {
        // A copy, so that others can speak meanwhile.
        let outboxes: Vec<_> = self.members().values().cloned().collect();
        outboxes.iter().for_each(Outbox::send);
    }

    fn queue_for_all(&self, members: &mut BTreeMap<String, Arc<Outbox>>, line: &str) {
        let mut news = VecDeque::from([ended(line)]);
        while let Some(line) = news.pop_front() {
            members.retain(|name, outbox| {
                if outbox.push(&line) || self.slow == Slow::Skip {
                    return true;
                }
                let behind = format!("{} lines behind", self.queue);
                outbox.dismiss(&ended(&format!("! you are dropped: {behind}")));
                news.push_back(ended(&format!("* {name} left: {behind}")));
                false
            });
        }
    }

    fn members(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Outbox>>> {
        // A map is whole even if a thread panicked while it held the lock.
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member<'_> {
    /// Queues a line for all, unless it has been dropped meanwhile: who has left says no more.
    pub fn say(&self, line: &str) {
        let mut members = self.room.members();
        if self.is_in(&members) {
            self.room.queue_for_all(&mut members, line);
        }
    }

    /// Leaves the room, and all are told. Once: who has been dropped is gone already.
    pub fn leave(&self, how: Result<Ended, String>) {
        let mut members = self.room.members();
        if !self.is_in(&members) {
            return;
        }
        members.remove(&self.name);
        let left = format!("* {} left", self.name);
        let (last, news) = match how {
            Ok(Ended::ByPeer) => (left.clone(), Some(left)),
            // All leave now: each is told why, and not who else does.
            Ok(Ended::ByStop) => ("* the server stops".into(), None),
            Err(why) => (format!("! you are dropped: {why}"), Some(format!("{left}: {why}"))),
        };
        // For itself, room or not: without this line, it would have been cut off.
        self.outbox.push_last(&ended(&last));
        news.iter().for_each(|news| self.room.queue_for_all(&mut members, news));
        drop(members);
        self.room.deliver();
    }

    /// Somebody else may have its name by now.
    fn is_in(&self, members: &BTreeMap<String, Arc<Outbox>>) -> bool {
        members.get(&self.name).is_some_and(|outbox| Arc::ptr_eq(outbox, &self.outbox))
    }

    /// Tells this member alone.
    pub fn tell(&self, line: &str) {
        self.outbox.push(&ended(line));
        self.outbox.send();
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        self.leave(Err("its visit panicked".into()));
        // After any other end, nothing waits here any more.
        self.outbox.send();
    }
}

/// What stands in the place of `number` lines.
pub fn missed(number: u64) -> Line {
    ended(&format!("* you missed {number} lines"))
}

fn ended(line: &str) -> Line {
    format!("{line}\n").into_bytes().into()
}

fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count())
        && name.chars().all(|c| is_letter(c) || "-_.".contains(c))
}
