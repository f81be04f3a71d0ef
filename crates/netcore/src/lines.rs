//! Lines over a byte stream: the mark between two messages is the end of a line.
//!
//! A protocol of lines can be typed by hand. Its messages cannot hold the mark, and a
//! reader has to look at every byte; [`frame`](crate::frame) does without both.

use std::fmt;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};

use crate::connection::Connection;
use crate::deadline::Deadline;
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
    read_on(reader, max, line)
}

/// As [`read`], behind what `line` has of this line already: a wait that a deadline has
/// ended in its middle is not the end of the conversation.
///
/// # Errors
/// See [`LineError`]. After `TimedOut` it can go on, with what has come in `line`; after
/// any other the stream can only be closed.
pub fn read_on(
    reader: &mut impl BufRead,
    max: usize,
    line: &mut Vec<u8>,
) -> Result<bool, LineError> {
    // Memory grows with what has come, and never beyond the limit.
    let most = max.saturating_add(END).saturating_sub(line.len());
    if reader.by_ref().take(most as u64).read_until(b'\n', line)? == 0 && line.is_empty() {
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

/// The lines of a connection on which there may be none for a long time.
#[derive(Debug)]
pub struct Lines<'a> {
    stream: BufReader<&'a mut Connection>,
    max: usize,
    line: Vec<u8>,
    is_whole: bool,
}

/// What has come in time.
#[derive(Debug, PartialEq, Eq)]
pub enum Came<'a> {
    /// A line, without its end.
    Line(&'a [u8]),
    /// No whole line. What there is of one is kept.
    Nothing,
    /// The end of the stream.
    End,
}

impl<'a> Lines<'a> {
    /// Lines of at most `max` bytes each. One call reads `buffer` bytes at most.
    pub fn new(stream: &'a mut Connection, buffer: usize, max: usize) -> Lines<'a> {
        let stream = BufReader::with_capacity(buffer, stream);
        Lines { stream, max, line: Vec::new(), is_whole: false }
    }

    /// The next line, waited for until `deadline`. The end of the stream ends a line as
    /// well, for those who send the last one without its mark; a stop does not.
    ///
    /// # Errors
    /// See [`LineError`]; the connection can only be closed then.
    pub fn next(&mut self, deadline: Deadline) -> Result<Came<'_>, LineError> {
        if self.is_whole {
            self.line.clear();
        }
        self.stream.get_mut().set_deadline(deadline);
        self.is_whole = match read_on(&mut self.stream, self.max, &mut self.line) {
            Ok(false) => return Ok(Came::End),
            // Not so at the drain limit.
            Err(LineError::Io(error))
                if error.kind() == ErrorKind::TimedOut && deadline.has_passed() =>
            {
                false
            }
            Err(LineError::CutShort) if !self.stream.get_ref().ended_by_stop() => true,
            done => done?,
        };
        Ok(if self.is_whole { Came::Line(&self.line) } else { Came::Nothing })
    }

    /// Whether another whole line has been read already.
    pub fn has_more(&self) -> bool {
        self.stream.buffer().contains(&b'\n')
    }

    /// The connection, to write to.
    pub fn connection(&mut self) -> &mut Connection {
        self.stream.get_mut()
    }
}
