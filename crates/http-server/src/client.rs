//! The client: asks for one path after another on one connection, and reads as much as each response says.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use netcore::deadline::{Deadline, TimedStream};
use netcore::log::payload;

/// How long one response may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a head. A server that sends more is not listened to.
const HEAD_LIMIT: usize = 64 << 10;

/// Bytes of content. More is refused before anything is allocated for it.
const CONTENT_LIMIT: u64 = 16 << 20;

/// A response as the client understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its content.
    pub content: Vec<u8>,
}

/// Sends GET for `path` and returns the response.
///
/// # Errors
/// What reading and writing say; `InvalidData` for what is not a response with a Content-Length.
pub fn get(stream: &TcpStream, path: &str) -> io::Result<Reply> {
    let peer = stream.peer_addr()?;
    let mut timed = TimedStream::new(stream, Deadline::after(REPLY_TIMEOUT));
    let slash = if path.starts_with('/') { "" } else { "/" };
    let path = crate::target::encode_query(path.as_bytes());
    let request = format!("GET {slash}{path} HTTP/1.1\r\nHost: {peer}\r\n\r\n");
    log::debug!("{peer} sending {} bytes {}", request.len(), payload(request.as_bytes()));
    timed.write_all(request.as_bytes())?;
    let mut received = Vec::new();
    let (status, start, length) = loop {
        if let Some(head) = parse(&received)? {
            break head;
        }
        if received.len() > HEAD_LIMIT {
            return Err(invalid("the head of the response does not end"));
        }
        let mut buf = [0; 4 << 10];
        match timed.read(&mut buf)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => received.extend_from_slice(&buf[..n]),
        }
    };
    let mut content = received.split_off(start);
    let missing = length - (content.len() as u64).min(length);
    (&mut timed).take(missing).read_to_end(&mut content)?;
    if content.len() as u64 != length {
        return Err(invalid("the content is not as long as its head says"));
    }
    log::debug!("{peer} received {} bytes {}", start as u64 + length, payload(&content));
    Ok(Reply { status, content })
}

/// Status, length of the head and length of the content, once the head is whole.
fn parse(received: &[u8]) -> io::Result<Option<(u16, usize, u64)>> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut response = httparse::Response::new(&mut slots);
    let start = match response.parse(received).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Complete(start) => start,
        httparse::Status::Partial => return Ok(None),
    };
    let length = response.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|field| str::from_utf8(field.value).ok()?.parse().ok());
    match (response.code, length) {
        (Some(status), Some(length)) if length <= CONTENT_LIMIT => Ok(Some((status, start, length))),
        _ => Err(invalid("the response has no length, or one past the limit")),
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.to_string())
}
