//! What the two ends say to each other. A variant is told by its place, so new ones go to the
//! end.

use netcore::codec::Refusal;
use serde::{Deserialize, Serialize};

/// The first byte of every message.
pub const VERSION: u8 = 1;

/// What the server says first: how many seconds a worker has for a task.
pub type Greeting = u64;

/// What a client can ask for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Work to be done.
    Put(String),
    /// The next task.
    Take,
    /// The task of this number is done.
    Done(u64),
    /// How many tasks wait, and how many are being done.
    Count,
}

/// What the server answers, each to the request of the same place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// The number of the new task; none where there is no room.
    Put(Option<u64>),
    /// A task and its number, if one waits.
    Task(Option<(u64, String)>),
    /// Whether it was being done, by whoever: not, where it is done already, or waits for another
    /// worker.
    Done(bool),
    /// Those that wait, and those that are being done.
    Count(u64, u64),
    /// To any message that was whole and could not be answered.
    Refused(Refusal),
}
