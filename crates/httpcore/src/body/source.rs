//! What has arrived behind a head, and the lines between chunks.

use std::io::{self, ErrorKind};
use std::ops::Range;

use crate::refusal::Refusal;
use crate::stream::Stream;

/// Where the form of a chunked body is laid down.
pub(super) const CHUNKED: &str = "RFC 9112 section 7.1";

/// Bytes of one line between chunks. No honest client comes near it; past it the body
/// is malformed.
pub(super) const CHUNK_LINE_LIMIT: usize = 1 << 10;

/// What has arrived of a connection behind the head, and the stream that more comes
/// from.
#[derive(Debug)]
pub struct Source<'a> {
    pub(super) stream: &'a mut dyn Stream,
    buf: &'a mut [u8],
    pub(super) arrived: Range<usize>,
}

impl<'a> Source<'a> {
    /// `arrived` of `buf` is filled.
    pub fn new(stream: &'a mut dyn Stream, buf: &'a mut [u8], arrived: usize) -> Source<'a> {
        Source { stream, buf, arrived: 0..arrived }
    }

    pub(super) fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
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
    pub(super) fn line(&mut self) -> io::Result<&[u8]> {
        let mut looked_at = 0;
        loop {
            let line = &self.buf[self.arrived.clone()];
            let end =
                line[looked_at..].iter().position(|&byte| byte == b'\n').map(|end| looked_at + end);
            // The same line is refused however it arrives: whole, or while its end is still to
            // come.
            if end.unwrap_or(line.len()) > CHUNK_LINE_LIMIT {
                return Err(malformed(CHUNKED, "a line of the chunked body is too long"));
            }
            if let Some(end) = end {
                let start = self.arrived.start;
                self.arrived.start += end + 1;
                let line = &self.buf[start..start + end];
                return match line.strip_suffix(b"\r") {
                    Some(line) if !line.contains(&b'\r') => Ok(line),
                    _ => {
                        Err(malformed(CHUNKED, "a line of the chunked body does not end with CRLF"))
                    }
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

/// A body that breaks the rule of this section.
pub(super) fn malformed(section: &'static str, why: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, Refusal::bad(section, why))
}

pub(super) fn cut_short() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the body ended before it was whole")
}
