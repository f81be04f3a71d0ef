//! Lines over a byte stream: the mark between two messages is the end of a line.
//!
//! A protocol of lines can be typed by hand. Its messages cannot hold the mark, and a
//! reader has to look at every byte; [`frame`](crate::frame) does without both.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read, Write};

use crate::error::reason;

/// The longest end of a line: CR and LF.
const END: usize = 2;

/// Why no line could be read or written.
#[derive(Debug)]
pub enum LineError {
    /// There are more bytes than this without an end. No more than so many are held,
    /// and nothing has been written.
    TooLong {
        /// The limit, without the end of the line.
        max: usize,
    },
    /// The stream ended in the middle of a line. Where a stop has ended it, the rest is
    /// missing, and a part of a request may well be another request.
    CutShort,
    /// What is to be written as one line has an end of a line in it, and would be read
    /// as two.
    Several,
    /// The stream failed.
    Io(io::Error),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LineError::TooLong { max } => write!(f, "a line is over the limit of {max} bytes"),
            LineError::CutShort => write!(f, "the connection ended in the middle of a line"),
            LineError::Several => write!(f, "a line cannot hold the end of a line"),
            LineError::Io(error) => write!(f, "{}", reason(error)),
        }
    }
}

impl std::error::Error for LineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LineError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for LineError {
    fn from(error: io::Error) -> LineError {
        LineError::Io(error)
    }
}

impl From<LineError> for io::Error {
    fn from(error: LineError) -> io::Error {
        match error {
            LineError::Io(error) => error,
            LineError::TooLong { .. } => io::Error::new(ErrorKind::InvalidData, error),
            LineError::CutShort => io::Error::new(ErrorKind::UnexpectedEof, error),
            LineError::Several => io::Error::new(ErrorKind::InvalidInput, error),
        }
    }
}

/// Reads one line of at most `max` bytes into `line`, replacing what it held. The line
/// ends with LF or with CR LF, which are not kept. `false` is the end of the stream
/// between two lines, which is where it should end.
///
/// The reader is buffered, and the same one for every line: what it holds beyond this
/// line belongs to the next.
///
/// # Errors
/// See [`LineError`]. After any of them the stream has lost its place and can only be
/// closed.
pub fn read(reader: &mut impl BufRead, max: usize, line: &mut Vec<u8>) -> Result<bool, LineError> {
    line.clear();
    // Memory grows with what has come, and never beyond the limit.
    let most = (max as u64).saturating_add(END as u64);
    if reader.by_ref().take(most).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    let is_whole = line.ends_with(b"\n");
    // A CR without its LF is a byte like any other.
    if is_whole {
        line.pop();
        if line.ends_with(b"\r") {
            line.pop();
        }
    }
    if line.len() > max {
        return Err(LineError::TooLong { max });
    }
    if is_whole { Ok(true) } else { Err(LineError::CutShort) }
}

/// Writes one line of at most `max` bytes and LF behind it, in one call.
///
/// # Errors
/// See [`LineError`]; nothing has been written but for [`LineError::Io`].
pub fn write(writer: &mut impl Write, max: usize, line: &[u8]) -> Result<(), LineError> {
    if line.len() > max {
        return Err(LineError::TooLong { max });
    }
    // A CR at the end would be taken for a part of the mark.
    if line.contains(&b'\n') || line.ends_with(b"\r") {
        return Err(LineError::Several);
    }
    let mut whole = Vec::with_capacity(line.len() + 1);
    whole.extend_from_slice(line);
    whole.push(b'\n');
    writer.write_all(&whole)?;
    Ok(())
}
