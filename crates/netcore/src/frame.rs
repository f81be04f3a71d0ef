//! Messages over a byte stream: a length, then so many bytes.
//!
//! TCP keeps the order of bytes and nothing else. What was written in one call can be
//! read in several, and what was written in several can be read in one. So the length
//! comes first, and is checked against a limit before it is believed.

use std::fmt;
use std::io::{self, BufRead, ErrorKind, Read, Write};

use crate::log::payload;

/// Digits of the tutorial's header: the length in ASCII, padded with spaces on the
/// right.
const ASCII_HEADER: usize = 10;

/// How the length of a message is written. Both count bytes, not characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// Four bytes, the most significant one first.
    Binary,
    /// Ten ASCII characters, such as `22        `.
    Ascii,
}

impl Header {
    /// The longest message that it can announce.
    fn most(self) -> u64 {
        match self {
            Header::Binary => u32::MAX.into(),
            Header::Ascii => 9_999_999_999,
        }
    }
}

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
            FrameError::TooLong { .. } | FrameError::BadHeader(_) => {
                io::Error::new(ErrorKind::InvalidData, error)
            }
        }
    }
}

/// Reads one message of at most `max` bytes into `message`, replacing what it held.
/// `false` is the end of the stream between two messages, which is where it should end.
///
/// The reader is buffered, and the same one for every message: what it holds beyond
/// this message belongs to the next.
///
/// # Errors
/// See [`FrameError`]. After any of them the stream has lost its place and can only be
/// closed.
pub fn read(
    reader: &mut impl BufRead,
    header: Header,
    max: usize,
    message: &mut Vec<u8>,
) -> Result<bool, FrameError> {
    message.clear();
    let Some(length) = read_length(reader, header)? else { return Ok(false) };
    if length > max as u64 {
        return Err(FrameError::TooLong { length, max });
    }
    // The length is a claim: memory grows with what has arrived, to at most twice as much.
    let arrived = reader.by_ref().take(length).read_to_end(message)?;
    if (arrived as u64) < length {
        return Err(FrameError::CutShort);
    }
    Ok(true)
}

/// Writes one message with its header, in one call: two small writes would wait for
/// each other's acknowledgement.
///
/// # Errors
/// [`FrameError::TooLong`] before anything is written, for a message over `max` or over
/// what the header can tell; [`FrameError::Io`].
pub fn write(
    writer: &mut impl Write,
    header: Header,
    max: usize,
    message: &[u8],
) -> Result<(), FrameError> {
    let max = header.most().min(max as u64) as usize;
    let length = message.len();
    if length > max {
        return Err(FrameError::TooLong { length: length as u64, max });
    }
    let mut whole = Vec::with_capacity(ASCII_HEADER + length);
    match header {
        Header::Binary => whole.extend_from_slice(&(length as u32).to_be_bytes()),
        Header::Ascii => write!(whole, "{length:<ASCII_HEADER$}")?,
    }
    whole.extend_from_slice(message);
    writer.write_all(&whole)?;
    Ok(())
}

fn read_length(reader: &mut impl BufRead, header: Header) -> Result<Option<u64>, FrameError> {
    // The end of the stream is in order here and nowhere else.
    if at_end(reader)? {
        return Ok(None);
    }
    match header {
        Header::Binary => {
            let mut bytes = [0; 4];
            read_exact(reader, &mut bytes)?;
            Ok(Some(u32::from_be_bytes(bytes).into()))
        }
        Header::Ascii => {
            let mut bytes = [0; ASCII_HEADER];
            read_exact(reader, &mut bytes)?;
            parse_ascii(&bytes).map(Some).ok_or(FrameError::BadHeader(bytes))
        }
    }
}

fn at_end(reader: &mut impl BufRead) -> io::Result<bool> {
    loop {
        match reader.fill_buf() {
            Ok(bytes) => return Ok(bytes.is_empty()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
    }
}

fn read_exact(reader: &mut impl Read, buf: &mut [u8]) -> Result<(), FrameError> {
    reader.read_exact(buf).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => FrameError::CutShort,
        _ => FrameError::Io(error),
    })
}

/// Digits, then spaces only. `str::parse` alone would take a sign as well.
fn parse_ascii(header: &[u8; ASCII_HEADER]) -> Option<u64> {
    let text = str::from_utf8(header).ok()?.trim_end_matches(' ');
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}
