//! The body of a request: where it ends, chunks taken apart, and the 100 (Continue)
//! that asks for it ([RFC 9112 sections 6 and 7](https://www.rfc-editor.org/rfc/rfc9112#section-6)).

mod chunk;
mod source;

use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::time::Duration;

use netcore::deadline::Deadline;
use netcore::error::reason;

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
pub const DRAIN_TIME: Duration = Duration::from_secs(1);

/// Reads the body of a request and ends where it ends.
#[derive(Debug)]
pub struct Body<'a> {
    source: Source<'a>,
    progress: Progress,
}

/// How far the reading of a body has come, for a server that lays it aside until more has
/// arrived.
#[derive(Debug)]
pub struct Progress {
    state: State,
    expectation: Expectation,
    /// See [`OVERHEAD_LIMIT`].
    overhead: u64,
    /// What was read before anybody asked for it, and how much of it has been given.
    collected: Vec<u8>,
    given: usize,
    /// See [`DRAIN_LIMIT`].
    dropped: u64,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Length(u64),
    ChunkSize,
    Chunk(u64),
    ChunkEnd,
    /// Bytes of the trailer section so far.
    Trailers(usize),
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
        let progress = Progress::new(framing, expects_continue && source.arrived.is_empty());
        Body { source, progress }
    }

    /// A body that has been laid aside.
    pub fn resume(source: Source<'a>, progress: Progress) -> Body<'a> {
        Body { source, progress }
    }

    /// Lays it aside: how far it has come, and what has arrived that is not read, as a range
    /// of the buffer of the source.
    pub fn lay_aside(self) -> (Progress, Range<usize>) {
        (self.progress, self.source.arrived)
    }

    /// The bytes that are still to come, where the client has said so.
    pub fn remaining(&self) -> Option<u64> {
        let waiting = self.progress.waiting() as u64;
        match self.progress.state {
            State::Length(left) => Some(waiting + left),
            State::Done => Some(waiting),
            _ => None,
        }
    }

    /// Whether the connection can go on behind this body, once [`drain`](Body::drain)
    /// has read what is left of it.
    pub fn is_drainable(&self) -> bool {
        // A client that has been refused before it sent may send its body or not: there is no
        // telling what the next bytes are.
        self.progress.state != State::Broken
            && self.progress.expectation == Expectation::None
            && self.remaining().is_none_or(|left| left <= DRAIN_LIMIT)
    }

    /// Reads and drops what is left, within [`DRAIN_LIMIT`] and a second. Returns
    /// what has arrived behind it, as a range of the buffer of the source; `None`
    /// where the connection has to be closed.
    pub fn drain(mut self) -> Option<Range<usize>> {
        if self.progress.state != State::Done {
            self.source.stream.set_read_deadline(Deadline::after(DRAIN_TIME));
        }
        self.drop_rest().ok().map(|()| self.source.arrived)
    }

    /// Reads and drops what is left, within [`DRAIN_LIMIT`].
    ///
    /// # Errors
    /// `WouldBlock` of a stream that does not wait: this is to be called again when more has
    /// come. With all others, the connection has to be closed.
    pub fn drop_rest(&mut self) -> io::Result<()> {
        if !self.is_drainable() {
            return Err(malformed(
                "RFC 9112 section 9.3",
                "there is no telling where the next request begins",
            ));
        }
        let mut scrap = [0; 4 << 10];
        loop {
            match self.read(&mut scrap)? as u64 {
                0 => return Ok(()),
                n => self.progress.dropped += n,
            }
            if self.progress.dropped > DRAIN_LIMIT {
                return Err(malformed("RFC 9112 section 9.3", "nobody wants so long a body"));
            }
        }
    }

    /// Reads up to `most` bytes before anybody asks for them, and keeps them.
    ///
    /// # Errors
    /// `WouldBlock` of a stream that does not wait: this is to be called again when more has
    /// come. Otherwise as a read.
    pub fn collect(&mut self, most: usize) -> io::Result<()> {
        let mut scrap = [0; 16 << 10];
        while self.progress.state != State::Done && self.progress.collected.len() < most {
            let n = self.decode(&mut scrap)?;
            self.progress.collected.extend_from_slice(&scrap[..n]);
        }
        Ok(())
    }

    /// The stream, for the response.
    pub fn stream(&mut self) -> &mut dyn Stream {
        self.source.stream
    }

    /// Some of the content, without a 100 before it.
    fn decode(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.advance(out).map_err(|error| match error.kind() {
            // It goes on from here.
            ErrorKind::WouldBlock => error,
            kind => {
                self.progress.state = State::Broken;
                io::Error::new(kind, refusal(&error))
            }
        })
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
            match self.progress.state {
                State::Done => return Ok(0),
                State::Broken => {
                    return Err(malformed("RFC 9112 section 8", "the body could not be read"));
                }
                State::Length(left) => {
                    let n = self.read_some(out, left)?;
                    let left = left - n as u64;
                    self.progress.state = if left == 0 { State::Done } else { State::Length(left) };
                    return Ok(n);
                }
                State::ChunkSize => {
                    let line = self.source.line()?;
                    let size = chunk::size(line)?;
                    self.progress.overhead =
                        (self.progress.overhead + line.len() as u64).saturating_sub(size);
                    if self.progress.overhead > OVERHEAD_LIMIT {
                        return Err(malformed(
                            CHUNKED,
                            "the chunked body has more in its lines than in its chunks",
                        ));
                    }
                    self.progress.state = match size {
                        0 => State::Trailers(0),
                        size => State::Chunk(size),
                    };
                }
                State::Chunk(left) => {
                    let n = self.read_some(out, left)?;
                    let left = left - n as u64;
                    self.progress.state =
                        if left == 0 { State::ChunkEnd } else { State::Chunk(left) };
                    return Ok(n);
                }
                State::ChunkEnd => {
                    if !self.source.line()?.is_empty() {
                        return Err(malformed(CHUNKED, "a chunk is longer than its size says"));
                    }
                    self.progress.state = State::ChunkSize;
                }
                State::Trailers(skipped) => self.progress.state = self.skip_trailer(skipped)?,
            }
        }
    }

    /// Reads a line of the trailer section, and says what comes behind it.
    fn skip_trailer(&mut self, skipped: usize) -> io::Result<State> {
        let line = self.source.line()?;
        if line.is_empty() {
            return Ok(State::Done);
        }
        chunk::check_trailer(line)?;
        match skipped + line.len() {
            skipped if skipped <= TRAILER_LIMIT => Ok(State::Trailers(skipped)),
            _ => Err(malformed("RFC 9112 section 7.1.2", "the trailer section is too long")),
        }
    }
}

impl Progress {
    fn new(framing: Framing, waits: bool) -> Progress {
        let state = match framing {
            Framing::Length(0) => State::Done,
            Framing::Length(length) => State::Length(length),
            Framing::Chunked => State::ChunkSize,
        };
        // Where the first bytes are here already, the client did not wait.
        let waits = waits && state != State::Done;
        let expectation = if waits { Expectation::Continue } else { Expectation::None };
        let (collected, given) = (Vec::new(), 0);
        Progress { state, expectation, overhead: 0, collected, given, dropped: 0 }
    }

    /// Whether all of it has been read, or has not to be.
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }

    /// Whether it can be [collected](Body::collect) before anybody asks for it: the client
    /// waits for no word of ours, and there are no more than `most` bytes as far as it says.
    pub fn is_collectable(&self, most: usize) -> bool {
        self.expectation == Expectation::None
            && !self.is_done()
            && !matches!(self.state, State::Length(length) if length > most as u64)
    }

    /// Bytes that are kept.
    pub fn collected(&self) -> usize {
        self.collected.len()
    }

    /// Bytes that are kept and have not been given.
    fn waiting(&self) -> usize {
        self.collected.len() - self.given
    }
}

impl Read for Body<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let waiting = &self.progress.collected[self.progress.given..];
        if !waiting.is_empty() {
            let n = waiting.len().min(out.len());
            out[..n].copy_from_slice(&waiting[..n]);
            self.progress.given += n;
            return Ok(n);
        }
        if out.is_empty() || self.progress.state == State::Done {
            return Ok(0);
        }
        if self.progress.expectation == Expectation::Continue {
            self.progress.expectation = Expectation::None;
            self.source.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        self.decode(out)
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
        _ => Refusal::by("RFC 9112 section 8", Status::BAD_REQUEST, reason(error)),
    }
}

#[cfg(test)]
mod tests;
