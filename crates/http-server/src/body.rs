//! The body of a request: where it ends, chunks taken apart, and the 100 (Continue)
//! that asks for it ([RFC 9112 sections 6 and 7](https://www.rfc-editor.org/rfc/rfc9112#section-6)).

use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;
use std::time::Duration;

use netcore::deadline::Deadline;

use crate::head::Framing;
use crate::refusal::Refusal;
use crate::status::Status;
use crate::stream::Stream;

/// Bytes of one line between chunks. No honest client comes near it; past it the body
/// is malformed.
const CHUNK_LINE_LIMIT: usize = 1 << 10;

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

/// What has arrived of a connection behind the head, and the stream that more comes
/// from.
#[derive(Debug)]
pub struct Source<'a> {
    stream: &'a mut Stream,
    buf: &'a mut [u8],
    arrived: Range<usize>,
}

impl<'a> Source<'a> {
    /// `arrived` of `buf` is filled.
    pub fn new(stream: &'a mut Stream, buf: &'a mut [u8], arrived: usize) -> Source<'a> {
        Source { stream, buf, arrived: 0..arrived }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.arrived.is_empty() {
            return self.stream.read(out);
        }
        let n = out.len().min(self.arrived.len());
        out[..n].copy_from_slice(&self.buf[self.arrived.start..][..n]);
        self.arrived.start += n;
        Ok(n)
    }

    /// The next line, without its CRLF. A bare LF does not end it: framing is where
    /// smuggling happens.
    fn line(&mut self) -> io::Result<&[u8]> {
        let mut looked_at = 0;
        loop {
            let line = &self.buf[self.arrived.clone()];
            let end =
                line[looked_at..].iter().position(|&byte| byte == b'\n').map(|end| looked_at + end);
            // The same line is refused however it arrives: whole, or while its end is still to
            // come.
            if end.unwrap_or(line.len()) > CHUNK_LINE_LIMIT {
                return Err(malformed("a line of the chunked body is too long"));
            }
            if let Some(end) = end {
                let start = self.arrived.start;
                self.arrived.start += end + 1;
                let line = &self.buf[start..start + end];
                return match line.strip_suffix(b"\r") {
                    Some(line) if !line.contains(&b'\r') => Ok(line),
                    _ => Err(malformed("a line of the chunked body does not end with CRLF")),
                };
            }
            looked_at = line.len();
            self.buf.copy_within(self.arrived.clone(), 0);
            self.arrived = 0..looked_at;
            match self.stream.read(&mut self.buf[looked_at..])? {
                0 => return Err(cut_short()),
                n => self.arrived.end += n,
            }
        }
    }
}

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
    pub(crate) fn new(source: Source<'a>, framing: Framing, expects_continue: bool) -> Body<'a> {
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
    pub(crate) fn is_drainable(&self) -> bool {
        // A client that has been refused before it sent may send its body or not: there is no
        // telling what the next bytes are.
        self.state != State::Broken
            && self.expectation == Expectation::None
            && self.remaining().is_none_or(|left| left <= DRAIN_LIMIT)
    }

    /// Reads and drops what is left, within [`DRAIN_LIMIT`] and [`DRAIN_TIME`]. Returns
    /// what has arrived behind it, as a range of the buffer of the source; `None`
    /// where the connection has to be closed.
    pub(crate) fn drain(mut self) -> Option<Range<usize>> {
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
    pub(crate) fn stream(&mut self) -> &mut Stream {
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
                State::Broken => return Err(malformed("the body could not be read")),
                State::Length(left) => {
                    let n = self.read_some(out, left)?;
                    let left = left - n as u64;
                    self.state = if left == 0 { State::Done } else { State::Length(left) };
                    return Ok(n);
                }
                State::ChunkSize => {
                    let line = self.source.line()?;
                    let size = chunk_size(line)?;
                    self.overhead = (self.overhead + line.len() as u64).saturating_sub(size);
                    if self.overhead > OVERHEAD_LIMIT {
                        return Err(malformed(
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
                        return Err(malformed("a chunk is longer than its size says"));
                    }
                    self.state = State::ChunkSize;
                }
            }
        }
    }

    fn skip_trailers(&mut self) -> io::Result<()> {
        let mut skipped = 0;
        loop {
            match self.source.line()?.len() {
                0 => break,
                n => skipped += n,
            }
            if skipped > TRAILER_LIMIT {
                return Err(malformed("the trailer section is too long"));
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
    match error.kind() {
        ErrorKind::TimedOut => {
            let why = "the body did not come in time";
            Refusal::by("RFC 9110 section 15.5.9", Status::REQUEST_TIMEOUT, why)
        }
        _ => Refusal::by("RFC 9112 section 8", Status::BAD_REQUEST, error.to_string()),
    }
}

/// Hexadecimal digits, and extensions that nobody uses (RFC 9112 section 7.1.1).
fn chunk_size(line: &[u8]) -> io::Result<u64> {
    let end = line.iter().position(|&byte| byte == b';').unwrap_or(line.len());
    let digits = line[..end].trim_ascii_end();
    let size = str::from_utf8(digits)
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    // More digits than 64 bits have are an error of from_str_radix, and so is none.
    let size = size.and_then(|text| u64::from_str_radix(text, 16).ok());
    size.ok_or_else(|| malformed("the size of a chunk is not a hexadecimal number"))
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

fn cut_short() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the body ended before it was whole")
}

#[cfg(test)]
mod tests {
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const GENEROUS: Duration = Duration::from_secs(20);

    /// Gives the body of a request to `look`; what is sent is `early`, which comes with
    /// the head, then `late`.
    fn with_body<T>(
        framing: Framing,
        early: &[u8],
        late: &[u8],
        look: impl FnOnce(Body<'_>) -> T,
    ) -> T {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (socket, _) = listener.accept().unwrap();
        client.write_all(late).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut stream = Stream::new(Arc::new(socket), GENEROUS).unwrap();
        stream.set_read_deadline(Deadline::after(GENEROUS));
        let mut buf = vec![0; 4 << 10];
        buf[..early.len()].copy_from_slice(early);
        look(Body::new(Source::new(&mut stream, &mut buf, early.len()), framing, false))
    }

    fn text(framing: Framing, early: &[u8], late: &[u8]) -> Result<String, ErrorKind> {
        with_body(framing, early, late, |mut body| {
            let mut text = String::new();
            body.read_to_string(&mut text).map(|_| text).map_err(|error| error.kind())
        })
    }

    #[test]
    fn a_body_of_a_length_ends_there() {
        assert_eq!(text(Framing::Length(5), b"he", b"lloGET /").as_deref(), Ok("hello"));
        assert_eq!(text(Framing::Length(0), b"GET /", b"").as_deref(), Ok(""));
        assert_eq!(text(Framing::Length(5), b"he", b"").unwrap_err(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn chunks_are_put_together_however_they_are_cut() {
        let body = b"3\r\nfoo\r\nA;ext=1\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /";
        for cut in 0..body.len() {
            let (early, late) = body.split_at(cut);
            assert_eq!(
                text(Framing::Chunked, early, late).as_deref(),
                Ok("foo0123456789"),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn chunks_that_are_not_framed_exactly_are_refused() {
        for body in [
            "3\nfoo\r\n0\r\n\r\n",
            "3\r\nfoo\n0\r\n\r\n",
            "3\r\nfooo\r\n0\r\n\r\n",
            "\r\nfoo\r\n0\r\n\r\n",
            "-3\r\nfoo\r\n0\r\n\r\n",
            "+3\r\nfoo\r\n0\r\n\r\n",
            "0x3\r\nfoo\r\n0\r\n\r\n",
            "3 3\r\nfoo\r\n0\r\n\r\n",
            "10000000000000003\r\nfoo\r\n0\r\n\r\n",
            "3;\r\r\nfoo\r\n0\r\n\r\n",
        ] {
            assert_eq!(
                text(Framing::Chunked, body.as_bytes(), b""),
                Err(ErrorKind::InvalidData),
                "{body:?}"
            );
        }
        let endless = "1".repeat(CHUNK_LINE_LIMIT + 100);
        assert_eq!(text(Framing::Chunked, b"", endless.as_bytes()), Err(ErrorKind::InvalidData));
        let trailers = format!("0\r\n{}\r\n", "a: b\r\n".repeat(TRAILER_LIMIT / 4 + 1));
        assert_eq!(text(Framing::Chunked, b"", trailers.as_bytes()), Err(ErrorKind::InvalidData));
    }

    #[test]
    fn a_line_that_is_too_long_is_refused_wherever_it_is_cut() {
        let body =
            |length: usize| format!("3;{}\r\nfoo\r\n0\r\n\r\n", "a".repeat(length - "3;\r".len()));
        let (longest, too_long) = (body(CHUNK_LINE_LIMIT), body(CHUNK_LINE_LIMIT + 1));
        for cut in [
            0,
            1,
            CHUNK_LINE_LIMIT - 1,
            CHUNK_LINE_LIMIT,
            CHUNK_LINE_LIMIT + 1,
            CHUNK_LINE_LIMIT + 3,
        ] {
            let cut_at = |body: &str| {
                let (early, late) = body.as_bytes().split_at(cut);
                text(Framing::Chunked, early, late)
            };
            assert_eq!(cut_at(&longest).as_deref(), Ok("foo"), "cut at {cut}");
            assert_eq!(cut_at(&too_long), Err(ErrorKind::InvalidData), "cut at {cut}");
        }
    }

    #[test]
    fn a_body_is_not_mostly_extensions() {
        let chunks = |line: &str, content: &str| {
            let chunk = format!("{line}\r\n{content}\r\n");
            text(Framing::Chunked, b"", format!("{}0\r\n\r\n", chunk.repeat(40)).as_bytes())
        };
        let extension = "e".repeat(500);
        let content = "x".repeat(0x300);
        assert_eq!(chunks(&format!("1;{extension}"), "x"), Err(ErrorKind::InvalidData));
        assert_eq!(chunks(&format!("{}1", "0".repeat(500)), "x"), Err(ErrorKind::InvalidData));
        assert_eq!(chunks("1", "x"), Ok("x".repeat(40)));
        assert_eq!(chunks(&format!("300;{extension}"), &content), Ok(content.repeat(40)));
    }

    proptest! {
        #[test]
        fn chunks_of_any_size_are_put_together(
            chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..6),
            cut in 0usize..100,
            rest in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut body = Vec::new();
            for chunk in &chunks {
                body.extend_from_slice(format!("{:X};x=y\r\n", chunk.len()).as_bytes());
                body.extend_from_slice(chunk);
                body.extend_from_slice(b"\r\n");
            }
            body.extend_from_slice(b"0\r\n\r\n");
            body.extend_from_slice(&rest);
            let (early, late) = body.split_at(cut.min(body.len()));
            with_body(Framing::Chunked, early, late, |mut reader| {
                let mut read = Vec::new();
                reader.read_to_end(&mut read).unwrap();
                prop_assert_eq!(&read, &chunks.concat());
                Ok(())
            })?;
        }

        #[test]
        fn no_bytes_make_the_reader_panic_or_go_on_for_ever(
            body in proptest::collection::vec(proptest::sample::select(b"0123aF;\r\nx ".to_vec()), 0..60),
        ) {
            with_body(Framing::Chunked, &body, b"", |mut reader| {
                let mut read = Vec::new();
                let _ = reader.read_to_end(&mut read);
                prop_assert!(read.len() <= body.len());
                Ok(())
            })?;
        }
    }

    #[test]
    fn draining_leaves_what_follows_the_body() {
        with_body(Framing::Length(5), b"helloGET /", b"", |body| {
            assert_eq!(body.drain(), Some(5..10))
        });
        with_body(Framing::Length(5), b"he", b"llo", |body| {
            assert_eq!(body.drain().map(|rest| rest.len()), Some(0))
        });
        let long = vec![b'x'; DRAIN_LIMIT as usize + 1];
        with_body(Framing::Length(DRAIN_LIMIT + 1), b"", &long, |body| {
            assert_eq!(body.drain(), None)
        });
        with_body(Framing::Chunked, b"nonsense\r\n", b"", |body| assert_eq!(body.drain(), None));
    }
}
