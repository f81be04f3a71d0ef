//! Why no message could be read or written.

use std::fmt;
use std::io::{self, ErrorKind};

use super::{ASCII_HEADER, BINARY_HEADER};
use crate::log::payload;

/// Why no message could be read or written.
#[derive(Debug)]
pub enum FrameError {
    /// The length is over the limit. Nothing has been allocated for it, and nothing has
    /// been written of it.
    TooLong {
        /// The length of the message, or what its header claims.
        length: u64,
        /// The limit.
        max: usize,
    },
    /// As [`TooLong`](FrameError::TooLong), and the four bytes of the length are text:
    /// whoever sent them does not send frames. A browser begins with `GET `.
    Text {
        /// The four bytes.
        header: [u8; BINARY_HEADER],
        /// The limit.
        max: usize,
    },
    /// The stream ended in the middle of a header or of a message.
    CutShort,
    /// These ten bytes are not a length. A sender that counts characters instead of
    /// bytes ends here or in silence: the rest of its text is taken for the next
    /// header.
    BadHeader([u8; ASCII_HEADER]),
    /// The stream failed.
    Io(io::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FrameError::TooLong { length, max } => {
                write!(f, "a message of {length} bytes is over the limit of {max}")
            }
            FrameError::Text { header, max } => {
                let (length, text) = (u32::from_be_bytes(*header), payload(header));
                let over = format_args!("a message of {length} bytes is over the limit of {max}");
                write!(f, "{over}; its length is the text {text}, so the other end sends no frames")
            }
            FrameError::CutShort => write!(f, "the connection ended in the middle of a message"),
            FrameError::BadHeader(header) => {
                write!(f, "the header {} is not a length", payload(header))
            }
            FrameError::Io(error) => write!(f, "{}", crate::error::reason(error)),
        }
    }
}

impl std::error::Error for FrameError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FrameError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> FrameError {
        FrameError::Io(error)
    }
}

impl From<FrameError> for io::Error {
    fn from(error: FrameError) -> io::Error {
        match error {
            FrameError::Io(error) => error,
            FrameError::CutShort => io::Error::new(ErrorKind::UnexpectedEof, error),
            FrameError::TooLong { .. } | FrameError::Text { .. } | FrameError::BadHeader(_) => {
                io::Error::new(ErrorKind::InvalidData, error)
            }
        }
    }
}
