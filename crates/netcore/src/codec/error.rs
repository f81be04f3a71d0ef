//! What is wrong with a value, or with the bytes that should be one.

use std::fmt;
use std::io::{self, ErrorKind};

/// What is wrong with a value, or with the bytes that should be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueError {
    /// The first byte is not our version. The rest has not been looked at.
    WrongVersion {
        /// The version of the message.
        theirs: u8,
        /// The version that we read.
        ours: u8,
    },
    /// The bytes are not a value of the type that was asked for; the text says why, for
    /// a log.
    Undecodable(String),
    /// Values inside values go deeper than the limit.
    TooDeep {
        /// The limit.
        max: usize,
    },
    /// Bytes follow after the end of the value: a mistake, or another meaning smuggled
    /// past.
    TrailingBytes(usize),
    /// The value to be sent needs more bytes than the limit, and nothing has been
    /// written.
    TooLong {
        /// The limit.
        max: usize,
    },
    /// The value to be sent has a part that the format cannot write, such as a list of
    /// unknown length.
    Unencodable(String),
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ValueError::WrongVersion { theirs, ours } => {
                write!(f, "version {theirs}, where {ours} is spoken")
            }
            ValueError::Undecodable(why) => write!(f, "not a value of the expected type: {why}"),
            ValueError::TooDeep { max } => write!(f, "nested deeper than {max} levels"),
            ValueError::TrailingBytes(n) => write!(f, "{n} bytes after the end of the value"),
            ValueError::TooLong { max } => write!(f, "a value over the limit of {max} bytes"),
            ValueError::Unencodable(why) => write!(f, "a value that cannot be written: {why}"),
        }
    }
}

impl std::error::Error for ValueError {}

impl From<ValueError> for io::Error {
    fn from(error: ValueError) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, error)
    }
}
