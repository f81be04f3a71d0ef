//! Why no value could be read or written, and what can be done about it.

use std::fmt;
use std::io::{self, ErrorKind};

use crate::frame::FrameError;

/// Why no value could be read or written.
#[derive(Debug)]
pub enum CodecError {
    /// The stream has lost its place, or has failed. It can only be closed.
    Frame(FrameError),
    /// The frame was whole and its value was not to be had. The next frame can be read
    /// as if nothing had happened.
    Value(ValueError),
}

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

impl fmt::Display for CodecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodecError::Frame(error) => error.fmt(f),
            CodecError::Value(error) => error.fmt(f),
        }
    }
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

impl std::error::Error for CodecError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CodecError::Frame(error) => Some(error),
            CodecError::Value(error) => Some(error),
        }
    }
}

impl std::error::Error for ValueError {}

impl From<FrameError> for CodecError {
    fn from(error: FrameError) -> CodecError {
        CodecError::Frame(error)
    }
}

impl From<ValueError> for CodecError {
    fn from(error: ValueError) -> CodecError {
        CodecError::Value(error)
    }
}

impl From<CodecError> for io::Error {
    fn from(error: CodecError) -> io::Error {
        match error {
            CodecError::Frame(error) => error.into(),
            CodecError::Value(error) => error.into(),
        }
    }
}

impl From<ValueError> for io::Error {
    fn from(error: ValueError) -> io::Error {
        io::Error::new(ErrorKind::InvalidData, error)
    }
}
