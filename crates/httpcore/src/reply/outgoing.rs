//! What is left of a response to be sent: head and small content in one call, files
//! without a copy, streams in chunks. Where the client has no room for more, it goes on
//! from there later.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::ops::Range;

use super::content::Part;
use super::frame::{Frame, begin};
use super::response::Response;
use super::rest::{Rest, Way};
use crate::head::Persistence;
use crate::stream::Stream;

/// Bytes that are copied at a time where the system cannot send from a file by itself,
/// and of a chunk.
const COPY: usize = 64 << 10;

/// Room for the line before a chunk: `10000\r\n` at most.
const SIZE_LINE: usize = 7;

/// A response that is being sent.
#[derive(Debug)]
pub struct Outgoing {
    /// What goes first, from `at` on: the head, then whatever has to be copied.
    buf: Vec<u8>,
    at: usize,
    /// What of `buf` is content.
    content: Range<usize>,
    rest: Rest,
    bytes: u64,
    /// Of head and content.
    taken: u64,
    persistence: Persistence,
}

impl Outgoing {
    /// Begins a response; `buf` is a buffer that has been used before.
    pub fn new(mut buf: Vec<u8>, frame: &Frame, response: Response) -> Outgoing {
        buf.clear();
        let (rest, persistence) = begin(&mut buf, frame, response);
        Outgoing { at: 0, content: 0..0, rest, bytes: 0, taken: 0, persistence, buf }
    }

    /// Hands over all that is left.
    ///
    /// # Errors
    /// `WouldBlock` of a stream that does not wait, where the client has to read first:
    /// this is to be called again then. Otherwise what writing says, and reading where
    /// the content is read; the response is cut short then.
    pub fn advance(&mut self, stream: &mut dyn Stream) -> io::Result<()> {
        loop {
            if self.send_ready(stream)? && !self.refill(stream)? {
                return stream.flush();
            }
        }
    }

    /// Bytes of content that the system has taken.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Bytes that the system has taken, with all that is not content: whether it goes on.
    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// What has to happen to the connection afterwards.
    pub fn persistence(&self) -> Persistence {
        self.persistence
    }

    /// Whether nothing but the client can make it wait: what it sends is in memory.
    pub fn is_in_memory(&self) -> bool {
        !matches!(self.rest, Rest::File { .. } | Rest::Stream { .. })
    }

    /// Whether the end of the connection is the only end of the content: one that comes too
    /// early has to be a reset.
    pub fn ends_with_connection(&self) -> bool {
        matches!(self.rest, Rest::Stream { chunked: false, .. })
    }

    /// The buffer, to be used again.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buf
    }

    /// Sends of the buffer, and of what is in memory behind it. Whether nothing of them is
    /// left.
    fn send_ready(&mut self, stream: &mut dyn Stream) -> io::Result<bool> {
        let (first, second) = (&self.buf[self.at..], self.rest.in_memory());
        let n = match (first, second) {
            ([], []) => return Ok(true),
            // Not for the last bytes: without anything behind them, what was told to wait for
            // more would wait for a fifth of a second.
            (first, []) if self.rest.is_file() => stream.write_before_more(first)?,
            (first, []) => stream.write(first)?,
            ([], second) => stream.write(second)?,
            (first, second) => {
                stream.write_vectored(&[IoSlice::new(first), IoSlice::new(second)])?
            }
        };
        if n == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        let end = self.at + n.min(first.len());
        let behind = n - (end - self.at);
        let content = self.content.start.max(self.at)..self.content.end.min(end);
        self.bytes += (content.len() + behind) as u64;
        self.taken += n as u64;
        self.at = end;
        self.rest.drop_front(behind);
        Ok(false)
    }

    /// Gets more to send, or has the system send it. Whether there was any.
    fn refill(&mut self, stream: &mut dyn Stream) -> io::Result<bool> {
        match &mut self.rest {
            Rest::Nothing | Rest::Bytes(..) | Rest::Stored(..) => return Ok(false),
            Rest::File { file, parts, way } => {
                let (sent, copied) = match parts.front_mut() {
                    None => return Ok(false),
                    Some(Part::Text(text)) => {
                        self.buf = std::mem::take(text);
                        parts.pop_front();
                        (0, self.buf.len())
                    }
                    Some(Part::Slice(slice)) => {
                        let moved = match way {
                            Way::BySystem => match stream.send_file(file, slice.clone()) {
                                Err(error) if error.kind() == ErrorKind::Unsupported => {
                                    *way = Way::Copied;
                                    return Ok(true);
                                }
                                sent => (sent?, 0),
                            },
                            Way::Copied => (0, copy(file, slice, &mut self.buf)?),
                        };
                        let n = moved.0 + moved.1 as u64;
                        if n == 0 {
                            // The connection ends short of the promised length, since there is
                            // no other way to say so. What a file has grown by is not sent.
                            let why = "the file became shorter";
                            return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
                        }
                        slice.start += n;
                        if slice.is_empty() {
                            parts.pop_front();
                        }
                        moved
                    }
                };
                self.bytes += sent;
                self.taken += sent;
                if copied > 0 {
                    (self.at, self.content) = (0, 0..copied);
                }
            }
            Rest::Stream { reader, chunked: false } => {
                self.buf.resize(COPY, 0);
                let n = read(reader, &mut self.buf)?;
                self.buf.truncate(n);
                (self.at, self.content) = (0, 0..n);
                if n == 0 {
                    self.rest = Rest::Nothing;
                }
            }
            Rest::Stream { reader, chunked: true } => {
                self.buf.resize(SIZE_LINE + COPY, 0);
                // Without its last chunk the client knows that the content is cut short.
                let n = read(reader, &mut self.buf[SIZE_LINE..])?;
                let line = format!("{n:x}\r\n");
                self.at = SIZE_LINE - line.len();
                self.content = SIZE_LINE..SIZE_LINE + n;
                self.buf[self.at..SIZE_LINE].copy_from_slice(line.as_bytes());
                self.buf.truncate(self.content.end);
                self.buf.extend_from_slice(b"\r\n");
                if n == 0 {
                    self.rest = Rest::Nothing;
                }
            }
        }
        Ok(true)
    }
}

/// As much of `slice` as `buf` may hold; less where the file has become shorter.
fn copy(file: &File, slice: &Range<u64>, buf: &mut Vec<u8>) -> io::Result<usize> {
    let left = usize::try_from(slice.end - slice.start).unwrap_or(COPY);
    buf.resize(left.min(COPY), 0);
    let n = retried(|| read_at(file, buf, slice.start))?;
    buf.truncate(n);
    Ok(n)
}

fn read(reader: &mut dyn Read, buf: &mut [u8]) -> io::Result<usize> {
    retried(|| reader.read(buf)).map_err(|error| match error.kind() {
        // It would be taken for the client's.
        ErrorKind::WouldBlock => io::Error::other(error),
        _ => error,
    })
}

fn retried(mut call: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(windows)]
fn read_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}
