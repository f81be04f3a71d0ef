//! The body of a request: where it ends, chunks taken apart, and the 100 (Continue)
//! that asks for it ([RFC 9112 sections 6 and 7](https://www.rfc-editor.org/rfc/rfc9112#section-6)).

mod chunk;
mod source;

use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::time::Duration;

use netcore::deadline::Deadline;

use self::source::{CHUNKED, cut_short, malformed};
use crate::head::Framing;
use crate::refusal::Refusal;
use crate::status::Status;
use crate::stream::Stream;

pub use self::source::Source;

/// Bytes by which the lines before chunks may exceed what the chunks hold. A size has
/// no more digits than its chunk has bytes, so that only extensions and leading zeros
/// get there; past it, the body is malformed.
const OVERHEAD_LIMIT: u64 = 8 << 10;

/// Bytes of the trailer section, which is read and dropped.
const TRAILER_LIMIT: usize = 8 << 10;

/// Bytes of a body that nobody wanted that are read to save the connection. Past it,
/// closing is cheaper.
pub const DRAIN_LIMIT: u64 = 64 << 10;

/// How long such a body may still take to come. Its client is busy all the while, and
/// nobody waits for it.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Reads the body of a request and ends where it ends.
#[derive(Debug)]
pub struct Body<'a> {
    source: Source<'a>,
    state: State,
    expectation: Expectation,
    /// See [`OVERHEAD_LIMIT`].
    overhead: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    Done,
    /// What follows on the connection has no meaning any more.
    Broken,
}

#[derive(Debug, PartialEq, Eq)]
enum Expectation {
    None,
    /// The client waits for our 100 before it sends.
    Continue,
}

impl<'a> Body<'a> {
    /// The body of a request whose head says `framing`.
    pub fn new(source: Source<'a>, framing: Framing, expects_continue: bool) -> Body<'a> {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
        };
        // The first bytes may be here already: then the client did not wait.
        let waits = expects_continue && state != State::Done && source.arrived.is_empty();
        let expectation = if waits { Expectation::Continue } else { Expectation::None };
        Body { source, state, expectation, overhead: 0 }
    }

    /// The bytes that are still to come, where the client has said so.
    pub fn remaining(&self) -> Option<u64> {
        match self.state {
            State::Length(left) => Some(left),
            State::Done => Some(0),
            _ => None,
        }
    }

    /// Whether the connection can go on behind this body, once [`drain`](Body::drain)
    /// has read what is left of it.
    pub fn is_drainable(&self) -> bool {
        // A client that has been refused before it sent may send its body or not: there is no
        // telling what the next bytes are.
        self.state != State::Broken
            && self.expectation == Expectation::None
            && self.remaining().is_none_or(|left| left <= DRAIN_LIMIT)
    }

    /// Reads and drops what is left, within [`DRAIN_LIMIT`] and a second. Returns
    /// what has arrived behind it, as a range of the buffer of the source; `None`
    /// where the connection has to be closed.
    pub fn drain(mut self) -> Option<Range<usize>> {
        if !self.is_drainable() {
            return None;
        }
        if self.state != State::Done {
            self.source.stream.set_read_deadline(Deadline::after(DRAIN_TIME));
        }
        let mut dropped = 0;
        while self.state != State::Done {
            let mut scrap = [0; 4 << 10];
            match self.read(&mut scrap) {
                Ok(n) => dropped += n as u64,
                Err(_) => return None,
            }
            if dropped > DRAIN_LIMIT {
                return None;
            }
        }
        Some(self.source.arrived)
    }

    /// The stream, for the response.
    pub fn stream(&mut self) -> &mut dyn Stream {
        self.source.stream
    }

    fn read_some(&mut self, out: &mut [u8], left: u64) -> io::Result<usize> {
        let most = usize::try_from(left).map_or(out.len(), |left| left.min(out.len()));
        match self.source.read(&mut out[..most])? {
            0 => Err(cut_short()),
            n => Ok(n),
        }
    }

    fn advance(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.state {
                State::Done => return Ok(0),
                State::Broken => {
                    return Err(malformed("RFC 9112 section 8", "the body could not be read"));
                }
                State::Length(left) => {
                    let n = self.read_some(out, left)?;
                    let left = left - n as u64;
                    self.state = if left == 0 { State::Done } else { State::Length(left) };
                    return Ok(n);
                }
                State::ChunkSize => {
                    let line = self.source.line()?;
                    let size = chunk::size(line)?;
                    self.overhead = (self.overhead + line.len() as u64).saturating_sub(size);
                    if self.overhead > OVERHEAD_LIMIT {
                        return Err(malformed(
                            CHUNKED,
                            "the chunked body has more in its lines than in its chunks",
                        ));
                    }
                    match size {
                        0 => self.skip_trailers()?,
                        size => self.state = State::Chunk(size),
                    }
                }
                State::Chunk(left) => {
                    let n = self.read_some(out, left)?;
                    let left = left - n as u64;
                    self.state = if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    return Ok(n);
                }
                State::ChunkEnd => {
                    if !self.source.line()?.is_empty() {
                        return Err(malformed(CHUNKED, "a chunk is longer than its size says"));
                    }
                    self.state = State::ChunkSize;
                }
            }
        }
    }

    fn skip_trailers(&mut self) -> io::Result<()> {
        let mut skipped = 0;
        loop {
            let line = self.source.line()?;
            if line.is_empty() {
                break;
            }
            chunk::check_trailer(line)?;
            skipped += line.len();
            if skipped > TRAILER_LIMIT {
                return Err(malformed("RFC 9112 section 7.1.2", "the trailer section is too long"));
            }
        }
        self.state = State::Done;
        Ok(())
    }
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() || self.state == State::Done {
            return Ok(0);
        }
        if self.expectation == Expectation::Continue {
            self.expectation = Expectation::None;
            self.source.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        self.advance(out).map_err(|error| {
            self.state = State::Broken;
            io::Error::new(error.kind(), refusal(&error))
        })
    }
}

/// The answer to a body that cannot be read. It travels within the error, so that `?`
/// in a handler makes it the response.
fn refusal(error: &io::Error) -> Refusal {
    if let Some(refusal) = error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>()) {
        return refusal.clone();
    }
    match error.kind() {
        ErrorKind::TimedOut => {
            let why = "the body did not come in time";
            Refusal::by("RFC 9110 section 15.5.9", Status::REQUEST_TIMEOUT, why)
        }
        _ => Refusal::by("RFC 9112 section 8", Status::BAD_REQUEST, error.to_string()),
    }
}

#[cfg(test)]
mod tests;
