//! What the two ends say to each other. This file is the protocol: another end needs
//! nothing else but the codec.
//!
//! A variant is told by its place, not by its name, and a field by its order. So new
//! variants go to the end, and any other change needs another [`VERSION`]. Some serde
//! attributes do not go with that: [`netcore::codec`] lists them, and the test
//! `the_bytes_of_this_version_are_these` finds out.

use std::collections::BTreeMap;

use netcore::codec::{Refusal, Value};
use serde::{Deserialize, Serialize};

/// The first byte of every message. A change here that an old program would misread
/// needs another number.
pub const VERSION: u8 = 1;

/// What the server sends before it is asked anything: the tutorial's dictionary.
pub type Greeting = BTreeMap<u32, String>;

/// What a client can ask for. There is nothing else: no name in a message is ever
/// looked up or called.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// The entry of the greeting with this number.
    Get(u32),
    /// This text in upper case.
    Upper(String),
    /// This value again.
    Echo(Value),
}

/// What the server answers, each to the request of the same place.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// The entry, or none where there is no such number.
    Entry(Option<String>),
    /// The text in upper case.
    Upper(String),
    /// The value.
    Echo(Value),
    /// To any message that was whole and could not be answered. The conversation goes
    /// on.
    Refused(Refusal),
}
