//! Messages over a byte stream: a length, then so many bytes.
//!
//! TCP keeps the order of bytes and nothing else. What was written in one call can be
//! read in several, and what was written in several can be read in one. So the length
//! comes first, and is checked against a limit before it is believed.

use std::io::{self, BufRead, ErrorKind, Read, Write};

mod args;
mod error;

pub use args::Framing;
pub use error::FrameError;

/// Bytes of our own header.
const BINARY_HEADER: usize = 4;

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
        return Err(too_long(length, max, header));
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
            let mut bytes = [0; BINARY_HEADER];
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

fn too_long(length: u64, max: usize, header: Header) -> FrameError {
    let bytes = u32::try_from(length).map(u32::to_be_bytes);
    match (header, bytes) {
        (Header::Binary, Ok(header)) if header.iter().all(is_text) => {
            FrameError::Text { header, max }
        }
        _ => FrameError::TooLong { length, max },
    }
}

/// What the beginning of a line in another protocol may hold, its end included.
fn is_text(byte: &u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\r' | b'\n')
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
