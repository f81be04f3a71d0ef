//! What the two ends say to each other. This file is the protocol: another end needs
//! nothing else but the codec.
//!
//! A variant is told by its place, not by its name, and a field by its order. So new
//! variants go to the end, and any other change needs another
//! [`VERSION`](crate::VERSION).

use std::collections::BTreeMap;

use netcore::codec::ValueError;
use serde::{Deserialize, Serialize};

/// What the server sends before it is asked anything: the tutorial's dictionary.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Greeting(pub BTreeMap<u32, String>);

/// What a client can ask for. There is nothing else: no name in a message is ever
/// looked up or called.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
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

/// Why a request was not answered. The details are for the server's log and not for
/// whoever sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// The first byte was not this version.
    WrongVersion {
        /// The version that the server speaks.
        ours: u8,
    },
    /// The bytes are no request.
    Undecodable,
    /// Values inside values, too deep.
    TooDeep,
    /// Bytes after the end of the request.
    TrailingBytes,
    /// The answer would be over the limit.
    AnswerTooLong,
}

/// A value of whatever shape: the plain data of a program, and no more than data.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes that need not be text.
    Bytes(#[serde(with = "bytes")] Vec<u8>),
    /// A value that may be missing.
    Optional(Option<Box<Value>>),
    /// Values in order, each of any shape.
    List(Vec<Value>),
}

impl From<ValueError> for Refusal {
    fn from(error: ValueError) -> Refusal {
        match error {
            ValueError::WrongVersion { ours, .. } => Refusal::WrongVersion { ours },
            ValueError::Undecodable(_) => Refusal::Undecodable,
            ValueError::TooDeep { .. } => Refusal::TooDeep,
            ValueError::TrailingBytes(_) => Refusal::TrailingBytes,
            ValueError::TooLong { .. } | ValueError::Unencodable(_) => Refusal::AnswerTooLong,
        }
    }
}

/// Bytes in one piece. Serde takes a `Vec<u8>` for a list of numbers, and would read
/// and write it one by one.
mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        <&[u8]>::deserialize(deserializer).map(<[u8]>::to_vec)
    }
}
