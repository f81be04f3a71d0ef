//! What a peer is told of a message that could not be answered.

use serde::{Deserialize, Serialize};

use super::ValueError;

/// Why a request was not answered. The details are for the server's log and not for
/// whoever sent it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
