//! A queue of tasks, made from `object-exchange`: some put work in, others take it, and what
//! a worker has not done in time is given to another.
//!
//! The server is that of the rung, line for line; this file and [`message`] stand in the place
//! of its own.
//!
//! Still wrong: the tasks are gone when the server ends (the key-value store shows a file
//! behind a server), a task may be done twice, by a worker that was only slow, and whoever can
//! connect may do all of this.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use netcore::cli::{Limits, count, duration};
use netcore::codec::{Messages, ValueError};

use crate::message::{Greeting, Reply, Request, VERSION};

pub mod message;
// In a project of its own, made by `cargo xtask new object`, this is a file beside this one.
#[path = "../../../../crates/object-exchange/src/server.rs"]
pub mod server;

/// The name that the file of the rung knows the service by.
pub use Queue as Exchange;

/// The port of the server, unless told otherwise.
pub const PORT: u16 = 9093;

/// Bytes that one call reads at most.
pub const BUFFER: usize = 64 << 10;

/// What the server knows.
#[derive(Debug, Args)]
pub struct Queue {
    /// Give a task to another worker when it is not done within this time
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub lease: Duration,
    /// Keep at most so many tasks; with --max-message, the bound on memory
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 10_000)]
    pub max_tasks: usize,
    /// The tasks. No option: there are none at first.
    #[arg(skip)]
    tasks: Mutex<Tasks>,
    /// How long messages may be, which the client can be told as well.
    #[command(flatten)]
    pub messages: Messages,
    /// End when no client has come for this long [default: never]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub accept_timeout: Option<Duration>,
    /// For how long a client is kept.
    #[command(flatten)]
    pub limits: Limits,
    /// Serve at most so many clients at once; more wait in the backlog
    #[arg(long, value_name = "N", value_parser = count::<usize>, default_value_t = 1000)]
    pub max_clients: usize,
}

#[derive(Debug, Default)]
struct Tasks {
    waiting: VecDeque<(u64, String)>,
    /// Since when each is being done.
    taken: BTreeMap<u64, (Instant, String)>,
    last: u64,
}

impl Queue {
    /// What every client is told first.
    pub fn greeting(&self) -> Greeting {
        self.lease.as_secs()
    }

    /// Turns a request into the message of its reply.
    ///
    /// # Errors
    /// Why the reply cannot be written: then nothing has changed.
    pub fn reply(&self, request: Request, message: &mut Vec<u8>) -> Result<(), ValueError> {
        self.reply_at(Instant::now(), request, message)
    }

    /// The same at this moment, so that a test need not wait.
    ///
    /// # Errors
    /// As [`reply`](Queue::reply).
    pub fn reply_at(
        &self,
        now: Instant,
        request: Request,
        message: &mut Vec<u8>,
    ) -> Result<(), ValueError> {
        let codec = self.messages.codec(VERSION);
        let mut tasks = self.tasks();
        tasks.give_back(now, self.lease);
        // Encoded before the change: a reply that turns out too long loses no task.
        match request {
            Request::Put(_) if tasks.waiting.len() + tasks.taken.len() >= self.max_tasks => {
                codec.encode(&Reply::Put(None), message)
            }
            Request::Put(text) => {
                let number = tasks.last + 1;
                codec.encode(&Reply::Put(Some(number)), message)?;
                tasks.last = number;
                tasks.waiting.push_back((number, text));
                Ok(())
            }
            Request::Take => {
                codec.encode(&Reply::Task(tasks.waiting.front().cloned()), message)?;
                if let Some((number, text)) = tasks.waiting.pop_front() {
                    tasks.taken.insert(number, (now, text));
                }
                Ok(())
            }
            Request::Done(number) => {
                codec.encode(&Reply::Done(tasks.taken.contains_key(&number)), message)?;
                tasks.taken.remove(&number);
                Ok(())
            }
            Request::Count => {
                let (waiting, taken) = (tasks.waiting.len(), tasks.taken.len());
                codec.encode(&Reply::Count(waiting as u64, taken as u64), message)
            }
        }
    }

    fn tasks(&self) -> MutexGuard<'_, Tasks> {
        // A task is in one of the two places or, if a thread panicked in between, in none.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tasks {
    /// Puts what was not done in time back to the front, the oldest first.
    fn give_back(&mut self, now: Instant, lease: Duration) {
        let is_late = |since: &Instant| now.saturating_duration_since(*since) >= lease;
        let late: Vec<u64> = self
            .taken
            .iter()
            .filter(|(_, (since, _))| is_late(since))
            .map(|(number, _)| *number)
            .collect();
        for number in late.into_iter().rev() {
            if let Some((_, text)) = self.taken.remove(&number) {
                self.waiting.push_front((number, text));
            }
        }
    }
}
