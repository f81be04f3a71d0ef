//! The client: asks for one path after another on one connection, and reads as much as
//! each response says.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use netcore::Error;
use netcore::cli::{self, ClientArgs, NoOptions};
use netcore::deadline::Deadline;
use netcore::log::payload;

use crate::body::{Body, Source};
use crate::head::target::encode_target;
use crate::head::{Persistence, ReplyHead, host};
use crate::refusal::Refusal;
use crate::stream::{Socket, Stream};

/// How long one response may take.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a head with the interim ones before it. A server that sends more is not
/// listened to.
const HEAD_LIMIT: usize = 64 << 10;

/// Bytes of content. More is refused, so that a server cannot fill our memory.
const CONTENT_LIMIT: u64 = 16 << 20;

/// A response as the client understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its content.
    pub content: Vec<u8>,
    /// Whether the connection takes another request.
    pub after: After,
}

/// What becomes of the connection when a response is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// It takes the next request.
    Open,
    /// The server closes it, as servers of HTTP/1.0 do.
    Closed,
}

/// The connection ended before anything of the response came.
#[derive(Debug)]
struct NoReply;

impl fmt::Display for NoReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the other end closed the connection")
    }
}

impl std::error::Error for NoReply {}

/// Gets each path of the command line, over one connection where the server lets it
/// stay, and prints its content.
///
/// # Errors
/// As [`ClientArgs::connect`] and [`get`]; a status of 400 or more, the first of them,
/// when every path has been asked for: one that is mistyped does not end a person's visit.
pub fn run<const PORT: u16>(args: &ClientArgs<PORT>, _: NoOptions) -> Result<(), Error> {
    let mut open = Some(args.connect()?);
    let mut refused = Ok(());
    for path in cli::messages(&args.messages) {
        let path = path?;
        let attempted = || format!("get {}", String::from_utf8_lossy(&path));
        let kept = open.take().filter(is_quiet);
        let was_kept = kept.is_some();
        let mut stream = kept.map_or_else(|| args.connect(), Ok)?;
        let mut reply = get(&stream, &path);
        if was_kept && reply.as_ref().is_err_and(is_without_reply) {
            stream = args.connect()?;
            reply = get(&stream, &path);
        }
        let reply = reply.map_err(Error::failed(attempted()))?;
        open = (reply.after == After::Open).then_some(stream);
        cli::print_bytes(reply.content.strip_suffix(b"\n").unwrap_or(&reply.content))?;
        if reply.status >= 400 && refused.is_ok() {
            let status = io::Error::other(format!("the server answered {}", reply.status));
            refused = Err(Error::failed(attempted())(status));
        }
    }
    refused
}

/// Whether nothing has come on a connection on which nobody has asked for anything. What has
/// would be taken for the next response
/// ([RFC 9112 section 9.2](https://www.rfc-editor.org/rfc/rfc9112#section-9.2)), and after an end there is none.
fn is_quiet(stream: &TcpStream) -> bool {
    let came = stream.set_nonblocking(true).and_then(|()| stream.peek(&mut [0]));
    came.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Whether the connection had been closed. A server may do that to a connection that
/// stays, at any moment, so a request on one is sent again on a new one
/// ([RFC 9112 section 9.3.1](https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1)); GET changes nothing by being sent
/// twice.
pub fn is_without_reply(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NoReply>())
}

/// Sends GET for `path`, of whatever bytes, and returns the response.
///
/// # Errors
/// What reading and writing say, [without a reply](is_without_reply) or in the middle
/// of it; `InvalidData` for what is not a response, or longer than it may be.
pub fn get(stream: &TcpStream, path: impl AsRef<[u8]>) -> io::Result<Reply> {
    let path = path.as_ref();
    let peer = stream.peer_addr()?;
    let host = host::of(peer);
    stream.set_nonblocking(true)?;
    let mut stream = Socket::new(stream, REPLY_TIMEOUT);
    stream.set_read_deadline(Deadline::after(REPLY_TIMEOUT));
    let slash = if path.starts_with(b"/") { "" } else { "/" };
    let path = encode_target(path);
    let request = format!("GET {slash}{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    log::debug!("{peer} sending {} bytes {}", request.len(), payload(request.as_bytes()));
    let no_reply = |error: io::Error| io::Error::new(error.kind(), NoReply);
    stream.write_all(request.as_bytes()).map_err(no_reply)?;
    let mut buf = vec![0; HEAD_LIMIT];
    let mut filled = 0;
    let head = loop {
        let parsed = ReplyHead::parse(&buf[..filled]);
        if let Some(head) = parsed.map_err(|refusal| invalid(refusal.why()))? {
            break head;
        }
        match stream.read(&mut buf[filled..]) {
            Ok(0) if filled == HEAD_LIMIT => {
                return Err(invalid("the head of the response does not end"));
            }
            Ok(0) if filled == 0 => return Err(no_reply(ErrorKind::UnexpectedEof.into())),
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::ConnectionReset && filled == 0 => {
                return Err(no_reply(error));
            }
            Err(error) => return Err(error),
        }
    };
    let rest = &mut buf[head.length..];
    let arrived = filled - head.length;
    let mut stays = head.persistence == Persistence::Keep;
    let content = match head.framing {
        Some(framing) => {
            let mut body = Body::new(Source::new(&mut stream, rest, arrived), framing, false);
            let content = read_content(&mut body)?;
            // What has come behind it, nobody has asked for: it would be taken for the next
            // response.
            stays &= body.drain().is_some_and(|behind| behind.is_empty());
            content
        }
        None => read_content((&rest[..arrived]).chain(stream))?,
    };
    let after = if stays { After::Open } else { After::Closed };
    log::debug!("{peer} received {} bytes {}", head.length + content.len(), payload(&content));
    Ok(Reply { status: head.status, content, after })
}

fn read_content(source: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    source.take(CONTENT_LIMIT + 1).read_to_end(&mut content).map_err(|error| {
        // A server would answer with the status in it.
        let refusal = error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>());
        match refusal.map(|refusal| refusal.why().to_string()) {
            Some(why) => io::Error::new(error.kind(), why),
            None => error,
        }
    })?;
    if content.len() as u64 > CONTENT_LIMIT {
        return Err(invalid("the content is longer than the limit"));
    }
    Ok(content)
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.to_string())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// The reply to a request whose answer is `response`, from a server of the test's own.
    fn reply_of(response: &'static [u8]) -> Reply {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(response).unwrap();
        get(&stream, "/").unwrap()
    }

    /// A name of a file need not be text.
    #[test]
    fn a_path_is_asked_for_as_it_was_typed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        get(&stream, b"a \xff%20\xd1\x8f").unwrap();
        let line = b"GET /a%20%FF%20%D1%8F HTTP/1.1\r\n";
        let mut came = vec![0; line.len()];
        server.read_exact(&mut came).unwrap();
        assert_eq!(came, line);
    }

    #[test]
    fn what_comes_before_the_response_is_not_the_response() {
        let reply = reply_of(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n\
              HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        );
        assert_eq!((reply.status, reply.content.as_slice()), (200, &b"hello"[..]));
        assert_eq!(reply.after, After::Open);
    }

    /// As some servers do that have waited for long enough: with a 408, or without a word.
    #[test]
    fn what_comes_before_the_next_request_is_not_its_response() {
        for late in [&b""[..], b"HTTP/1.1 408 Request Timeout\r\n\r\n"] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (mut server, _) = listener.accept().unwrap();
            server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
            assert_eq!(get(&stream, "/").unwrap().after, After::Open);
            assert!(is_quiet(&stream));
            server.write_all(late).unwrap();
            server.shutdown(std::net::Shutdown::Write).unwrap();
            stream.set_nonblocking(false).unwrap();
            stream.peek(&mut [0]).unwrap();
            assert!(!is_quiet(&stream));
        }
    }

    #[test]
    fn what_comes_behind_the_response_is_not_the_next_one() {
        let reply = reply_of(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200");
        assert_eq!((reply.content.as_slice(), reply.after), (&b"hello"[..], After::Closed));
    }
}
