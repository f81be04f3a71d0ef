//! A response on its way to the wire: head and small content in one call, files without
//! a copy, streams in chunks.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

use netcore::log::payload;

use super::clock::Clock;
use super::content::{Content, Part, Parts};
use super::html;
use super::page::page;
use super::response::{Response, has_field};
use crate::head::{Fields, Head, Method, Persistence, Version};
use crate::status::Status;
use crate::stream::Stream;

/// Bytes that are copied at a time where the system cannot send from a file by itself,
/// and of a chunk.
const COPY: usize = 64 << 10;

/// Whether pages of other origins may read what is served here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// As browsers have it: no.
    SameOrigin,
    /// Every origin may.
    AnyOrigin,
}

/// What a response needs to know of its request and of its server.
pub struct Frame<'a> {
    /// HEAD gets no content.
    pub method: Method,
    /// HTTP/1.0 gets no chunks.
    pub version: Version,
    /// What is to happen to the connection.
    pub persistence: Persistence,
    /// For Accept, where there is a head that could be read.
    pub fields: Option<Fields<'a>>,
    /// The Date field.
    pub date: &'a str,
    /// The client's name in the log.
    pub name: &'a str,
    /// Header lines that every response of this server has.
    pub extra: &'a [u8],
    /// Whether every origin may read it, where nothing else says which.
    pub cors: Cors,
}

impl<'a> Frame<'a> {
    /// For a server that adds nothing of its own, and closes the connection.
    pub fn last(method: Method, date: &'a str, name: &'a str) -> Frame<'a> {
        Frame {
            method,
            version: Version::Http11,
            persistence: Persistence::Close,
            fields: None,
            date,
            name,
            extra: b"",
            cors: Cors::SameOrigin,
        }
    }

    /// As an answer to this request, after which the connection may go on.
    pub fn of(head: &Head<'a>, date: &'a str, name: &'a str) -> Frame<'a> {
        Frame {
            version: head.version,
            persistence: head.persistence,
            fields: Some(head.fields),
            ..Frame::last(head.method, date, name)
        }
    }
}

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// What a page of another origin may see of a response beside what every page may
/// ([Fetch, CORS-safelisted](https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)): it takes these to
/// put a file together from its parts.
const EXPOSED: &str =
    "Access-Control-Expose-Headers: Accept-Ranges, Content-Range, ETag, Link, Retry-After";

/// What has become of a response.
#[derive(Debug)]
pub struct Sent {
    /// Bytes of content that the system has taken.
    pub bytes: u64,
    /// What has to happen to the connection now.
    pub persistence: Persistence,
    /// How it ended.
    pub result: io::Result<()>,
}

/// Sends `response`; `out` is a buffer that is used again and again.
pub fn send(stream: &mut dyn Stream, out: &mut Vec<u8>, frame: &Frame, response: Response) -> Sent {
    let mut sending = Sending { stream, out, bytes: 0, persistence: frame.persistence };
    let result = sending.response(frame, response);
    Sent { bytes: sending.bytes, persistence: sending.persistence, result }
}

/// Sends the only response of a connection, to the client of this name in the log.
///
/// # Errors
/// What writing says, and reading where the content is read.
pub fn send_last(
    stream: &mut dyn Stream,
    name: &str,
    method: Method,
    response: Response,
) -> io::Result<()> {
    let mut clock = Clock::default();
    send(stream, &mut Vec::new(), &Frame::last(method, clock.date(), name), response).result
}

/// Whether Content-Length is still missing in the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    ToBeSaid,
    /// It is there, or there is no content to have one.
    Said,
}

struct Sending<'a> {
    stream: &'a mut dyn Stream,
    out: &'a mut Vec<u8>,
    bytes: u64,
    persistence: Persistence,
}

impl Sending<'_> {
    fn response(&mut self, frame: &Frame, response: Response) -> io::Result<()> {
        let (status, fields, content) = response.into_parts();
        self.out.clear();
        write!(self.out, "HTTP/1.1 {} {}\r\n", status.0, status.reason())?;
        for part in [b"Date: ", frame.date.as_bytes(), b"\r\n", &fields, frame.extra] {
            self.out.extend_from_slice(part);
        }
        if frame.cors == Cors::AnyOrigin
            && !has_field(&fields, ALLOW_ORIGIN)
            && !has_field(frame.extra, ALLOW_ORIGIN)
        {
            write!(self.out, "{ALLOW_ORIGIN}: *\r\n{EXPOSED}\r\n")?;
        }
        if status == Status::SERVICE_UNAVAILABLE && !has_field(&fields, "Retry-After") {
            self.out.extend_from_slice(b"Retry-After: 1\r\n");
        }
        if status.has_no_content() {
            // Whatever there is would be taken for the next response.
            return self.text(frame, b"", false, Length::Said);
        }
        let shown = frame.method != Method::Head;
        match content {
            Content::Empty => self.text(frame, b"", shown, Length::ToBeSaid),
            Content::Bytes(bytes) => self.text(frame, &bytes, shown, Length::ToBeSaid),
            Content::Refusal(refusal) | Content::Failure(refusal) => {
                let (media_type, text) = page(&refusal, frame.fields.as_ref());
                write!(
                    self.out,
                    "Content-Type: {media_type}\r\nX-Content-Type-Options: nosniff\r\nVary: Accept\r\n"
                )?;
                if !has_field(&fields, "Cache-Control") {
                    self.out.extend_from_slice(b"Cache-Control: no-store\r\n");
                }
                if media_type.starts_with("text/html") {
                    write!(
                        self.out,
                        "Content-Security-Policy: {}\r\n",
                        html::content_security_policy(&text)
                    )?;
                }
                self.text(frame, text.as_bytes(), shown, Length::ToBeSaid)
            }
            Content::Stored(stored) => {
                self.out.extend_from_slice(&stored.fields);
                // Content-Length is among them.
                self.text(frame, &stored.bytes, shown, Length::Said)
            }
            Content::File(parts) => self.file(frame, parts, shown),
            Content::Stream(reader) => self.stream(frame, reader, shown),
        }
    }

    fn end_head(&mut self, frame: &Frame, content: u64) {
        let line: &[u8] = match (self.persistence, frame.version) {
            (Persistence::Close, _) => b"Connection: close\r\n\r\n",
            // A client of 1.0 reads to the end of the connection unless it is told that there is
            // none.
            (Persistence::Keep, Version::Http10) => b"Connection: keep-alive\r\n\r\n",
            (Persistence::Keep, Version::Http11) => b"\r\n",
        };
        self.out.extend_from_slice(line);
        log::debug!(
            "{} sending {} bytes {}",
            frame.name,
            self.out.len() as u64 + content,
            payload(self.out)
        );
    }

    fn text(&mut self, frame: &Frame, bytes: &[u8], shown: bool, length: Length) -> io::Result<()> {
        if length == Length::ToBeSaid {
            write!(self.out, "Content-Length: {}\r\n", bytes.len())?;
        }
        let bytes = if shown { bytes } else { b"" };
        self.end_head(frame, bytes.len() as u64);
        self.stream.write_both(self.out, bytes)?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn file(&mut self, frame: &Frame, parts: Parts, shown: bool) -> io::Result<()> {
        write!(self.out, "Content-Length: {}\r\n", parts.length())?;
        self.end_head(frame, if shown { parts.length() } else { 0 });
        // Without content, what was told to wait for more would wait for a fifth of a second.
        if !shown || parts.length() == 0 {
            return self.stream.write_all(self.out);
        }
        self.stream.write_with_more_to_come(self.out)?;
        for part in &parts.list {
            match part {
                Part::Text(text) => {
                    self.stream.write_all(text)?;
                    self.bytes += text.len() as u64;
                }
                Part::Slice(slice) => self.slice(&parts.file, slice.clone())?,
            }
        }
        Ok(())
    }

    /// The connection ends short of the promised length where the file has become
    /// shorter meanwhile, since there is no other way to say so. What the file has
    /// grown by is not sent.
    fn slice(&mut self, file: &File, mut slice: Range<u64>) -> io::Result<()> {
        while !slice.is_empty() {
            match self.stream.send_file(file, slice.clone()) {
                Ok(0) => {
                    return Err(io::Error::new(
                        ErrorKind::UnexpectedEof,
                        "the file became shorter",
                    ));
                }
                Ok(n) => {
                    slice.start += n;
                    self.bytes += n;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    return self.copy(file, slice);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn copy(&mut self, file: &File, mut slice: Range<u64>) -> io::Result<()> {
        let mut buf = vec![0; COPY];
        while !slice.is_empty() {
            let most =
                buf.len().min(usize::try_from(slice.end - slice.start).unwrap_or(usize::MAX));
            match read_at(file, &mut buf[..most], slice.start) {
                Ok(0) => {
                    return Err(io::Error::new(
                        ErrorKind::UnexpectedEof,
                        "the file became shorter",
                    ));
                }
                Ok(n) => {
                    self.stream.write_all(&buf[..n])?;
                    slice.start += n as u64;
                    self.bytes += n as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn stream(
        &mut self,
        frame: &Frame,
        mut reader: Box<dyn Read + Send>,
        shown: bool,
    ) -> io::Result<()> {
        let chunked = frame.version == Version::Http11;
        if chunked {
            self.out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
        } else {
            // The end of the connection is the only end that HTTP/1.0 knows for it.
            self.persistence = Persistence::Close;
        }
        self.end_head(frame, 0);
        self.stream.write_all(self.out)?;
        if !shown {
            return Ok(());
        }
        let mut buf = vec![0; COPY];
        loop {
            let n = match reader.read(&mut buf) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                // Without its last chunk the client knows that the content is cut short.
                Err(error) => return Err(error),
            };
            if chunked {
                self.out.clear();
                write!(self.out, "{n:x}\r\n")?;
                self.out.extend_from_slice(&buf[..n]);
                self.out.extend_from_slice(b"\r\n");
                self.stream.write_all(self.out)?;
            } else {
                self.stream.write_all(&buf[..n])?;
            }
            self.bytes += n as u64;
        }
        if chunked { self.stream.write_all(b"0\r\n\r\n") } else { Ok(()) }
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
