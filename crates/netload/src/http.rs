//! Replies of a web server to GET: each must be 200 with the same body.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::time::Duration;

use clap::Args;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::{Error, cli};

use crate::args::{RunArgs, address};
use crate::conversation::{Conversation, Reply};
use crate::drive::{Drive, Plan};
use crate::meter::Meter;
use crate::open::{open, open_wires};
use crate::report::Report;
use crate::stop::Stop;

/// A head that is longer is no head.
const LONGEST_HEAD: usize = 64 << 10;

/// Header fields that a reply may have.
const MOST_FIELDS: usize = 64;

/// Bytes of the body that every reply is compared with. It is held once in memory.
const LONGEST_BODY: u64 = 1 << 30;

/// What the scenario can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// What to get, as in http://127.0.0.1:8000/index.html
    #[arg(value_name = "URL", value_parser = url)]
    pub url: Url,
    /// Connections at a time
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 64)]
    pub connections: u16,
    /// A new connection for each request
    #[arg(long)]
    pub close: bool,
    /// Connections besides that ask once and then say nothing; the server may close
    /// them
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub idle: u16,
    /// Give a connection up when a reply takes longer than this
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "10s")]
    pub timeout: Duration,
    /// How long the run lasts.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Where to ask, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// The server.
    pub address: SocketAddr,
    /// Its name, as it was given, for the Host field.
    pub host: String,
    /// From the first slash on.
    pub path: String,
}

/// Reads `http://host:port/path`. Without a port it is 80.
///
/// # Errors
/// A sentence for clap to show.
pub fn url(text: &str) -> Result<Url, String> {
    let rest = text.strip_prefix("http://").ok_or("a URL here begins with http://")?;
    let (host, path) = rest.find('/').map_or((rest, "/"), |slash| rest.split_at(slash));
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("escape what is not printable ASCII, as in %20".into());
    }
    let has_port =
        host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let address = if has_port { address(host)? } else { address(&format!("{host}:80"))? };
    Ok(Url { address, host: host.into(), path: path.into() })
}

/// Asks once to learn the body, and then measures.
///
/// # Errors
/// When the first reply is not a whole 200 with its length, or a connection cannot be
/// opened. What goes wrong later is in the report.
pub fn run(options: &Options, stop: &Stop) -> Result<Report, Error> {
    let Options { url, close, timeout, .. } = options;
    let connections = usize::from(options.connections);
    let body: Rc<[u8]> =
        learn(url, *timeout).map_err(Error::failed(format!("get {}", url.path)))?.into();
    let request: Rc<[u8]> = message("GET", url, *close).into();
    let size = body.len();
    let get = || Get {
        request: request.clone(),
        expected: body.clone(),
        close: *close,
        head: Vec::new(),
        body: None,
    };
    let plan =
        Plan { address: url.address.into(), in_flight: 1, timeout: *timeout, tls: None, stop };
    // They are held, and not looked at again. The answer to HEAD is small enough to wait
    // unread.
    let idle = open(&url.address.into(), options.idle.into())?;
    let head = message("HEAD", url, false);
    for mut stream in &idle {
        stream.write_all(&head).map_err(Error::failed("ask once on each idle connection"))?;
    }
    let mut meter = Meter::new()?;
    if *close {
        let mut drive = Drive::new(&plan, options.run.bound(), meter)?;
        for _ in 0..connections {
            drive.add_new(get());
        }
        meter = drive.run()?.0;
    } else {
        meter.opened = options.connections.into();
        let mut drive = Drive::new(&plan, options.run.bound(), meter)?;
        for stream in open_wires(&url.address.into(), connections, None)? {
            drive.add_open(stream, get())?;
        }
        meter = drive.run()?.0;
    }
    let report = Report::new("http", format!("http://{}{}", url.host, url.path), meter);
    Ok(Report { connections, size, interrupted: stop.is_told(), ..report })
}

fn message(method: &str, url: &Url, close: bool) -> Vec<u8> {
    let close = if close { "Connection: close\r\n" } else { "" };
    format!("{method} {} HTTP/1.1\r\nHost: {}\r\n{close}\r\n", url.path, url.host).into_bytes()
}

/// The body that every reply is compared with, read in the plainest way there is: to
/// the end of a connection.
fn learn(url: &Url, timeout: Duration) -> io::Result<Vec<u8>> {
    let stream = TcpStream::connect_timeout(&url.address, timeout)?;
    let mut stream = Connection::of_client(stream)?;
    stream.set_deadline(Deadline::after(timeout));
    stream.write_all(&message("GET", url, true))?;
    let mut reply = Vec::new();
    (&mut stream).take(LONGEST_BODY + LONGEST_HEAD as u64).read_to_end(&mut reply)?;
    let head = Head::parse(&reply).map_err(io::Error::other)?;
    let head = head.ok_or_else(|| io::Error::other("the reply ended before its head did"))?;
    let body = reply.split_off(head.length);
    if body.len() as u64 != head.content_length {
        let differ =
            format!("Content-Length is {} and {} bytes came", head.content_length, body.len());
        return Err(io::Error::other(differ));
    }
    Ok(body)
}

/// GET of one thing, again and again.
#[derive(Debug)]
struct Get {
    request: Rc<[u8]>,
    expected: Rc<[u8]>,
    close: bool,
    /// The part of the head that has come, where it came in several.
    head: Vec<u8>,
    /// Where the body has got to, and whether the server closes after it. `None` before
    /// the head is whole.
    body: Option<(usize, bool)>,
}

impl Conversation for Get {
    fn request(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.request);
    }

    fn reply(&mut self, bytes: &[u8]) -> Result<Reply, String> {
        let (used, at, closes) = match self.body {
            Some((at, closes)) => (0, at, closes),
            None => match self.take_head(bytes)? {
                Some((used, closes)) => (used, 0, closes),
                None => return Ok(Reply::Part),
            },
        };
        let left = &self.expected[at..];
        let n = left.len().min(bytes.len() - used);
        let got = &bytes[used..used + n];
        if got != &left[..n] {
            let offset =
                got.iter().zip(left).position(|(got, expected)| got != expected).unwrap_or(0);
            return Err(format!("byte {} of a body is not that of the first reply", at + offset));
        }
        if n < left.len() {
            self.body = Some((at + n, closes));
            return Ok(Reply::Part);
        }
        self.body = None;
        Ok(if closes || self.close { Reply::Last(used + n) } else { Reply::Whole(used + n) })
    }
}

impl Get {
    /// How many of `bytes` belong to the head, where they complete it, and whether the
    /// server closes after the reply.
    fn take_head(&mut self, bytes: &[u8]) -> Result<Option<(usize, bool)>, String> {
        // Nearly always the whole head comes at once and is not copied.
        let before = self.head.len();
        let parsed = if before == 0 {
            Head::parse(bytes)?
        } else {
            self.head.extend_from_slice(bytes);
            Head::parse(&self.head)?
        };
        let Some(head) = parsed else {
            if before == 0 {
                self.head.extend_from_slice(bytes);
            }
            if self.head.len() > LONGEST_HEAD {
                return Err(format!("a head is longer than {LONGEST_HEAD} bytes"));
            }
            return Ok(None);
        };
        self.head.clear();
        if head.content_length != self.expected.len() as u64 {
            let first = self.expected.len();
            return Err(format!(
                "Content-Length is {} and was {first} in the first reply",
                head.content_length
            ));
        }
        Ok(Some((head.length - before, head.closes)))
    }
}

/// What matters of the head of a reply.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    /// Bytes, with the empty line.
    length: usize,
    content_length: u64,
    /// Whether the server closes the connection after this reply.
    closes: bool,
}

impl Head {
    /// `None` where there is more to come. Everything but a 200 with a length is an
    /// error.
    fn parse(bytes: &[u8]) -> Result<Option<Head>, String> {
        let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut response = httparse::Response::new(&mut fields);
        let length = match response.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(format!("a head is no head of HTTP: {error}")),
        };
        match response.code {
            Some(200) => {}
            Some(code) => {
                return Err(format!(
                    "the status is {code} {}",
                    response.reason.unwrap_or_default()
                ));
            }
            None => return Err("a reply has no status".into()),
        }
        let mut content_length = None;
        let mut closes = response.version == Some(0);
        for field in response.headers {
            if field.name.eq_ignore_ascii_case("content-length") {
                let number =
                    std::str::from_utf8(field.value).ok().and_then(|value| value.parse().ok());
                if number.is_none() || content_length.is_some() {
                    return Err("Content-Length is not one number".into());
                }
                content_length = number;
            }
            if field.name.eq_ignore_ascii_case("connection") {
                let has = |token: &[u8]| {
                    let mut tokens = field.value.split(|byte| *byte == b',');
                    tokens.any(|given| given.trim_ascii().eq_ignore_ascii_case(token))
                };
                closes = has(b"close") || (closes && !has(b"keep-alive"));
            }
        }
        let content_length = content_length.ok_or("a reply has no Content-Length")?;
        Ok(Some(Head { length, content_length, closes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = url("http://127.0.0.1:8000/a/b?c").unwrap();
        assert_eq!((url.host.as_str(), url.path.as_str()), ("127.0.0.1:8000", "/a/b?c"));
        assert_eq!(super::url("http://127.0.0.1").unwrap().address.port(), 80);
        for wrong in ["127.0.0.1:80/", "https://127.0.0.1/", "http://127.0.0.1:80/ü", "http://:x/"]
        {
            assert!(super::url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reply_is_right_in_whatever_parts_it_comes() {
        let reply = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for cut in 1..reply.len() {
            let mut get = get(b"hello");
            let (first, second) = reply.split_at(cut);
            assert_eq!(get.reply(first), Ok(Reply::Part), "{cut}");
            assert_eq!(get.reply(second), Ok(Reply::Whole(second.len())), "{cut}");
        }
    }

    #[test]
    fn a_server_that_announces_its_close_is_left() {
        let close = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Close\r\n\r\nhello";
        assert_eq!(get(b"hello").reply(close), Ok(Reply::Last(close.len())));
        let old = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(get(b"hello").reply(old), Ok(Reply::Last(old.len())));
        let kept = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello";
        assert_eq!(get(b"hello").reply(kept), Ok(Reply::Whole(kept.len())));
    }

    #[test]
    fn what_is_not_the_same_reply_again_is_wrong() {
        for (reply, what) in [
            (
                "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello",
                "the status is 404 Not Found",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhell",
                "Content-Length is 4 and was 5 in the first reply",
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo",
                "byte 1 of a body is not that of the first reply",
            ),
            ("HTTP/1.1 200 OK\r\n\r\nhello", "a reply has no Content-Length"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
                "Content-Length is not one number",
            ),
            ("hello, world! hello, world!", "a head is no head of HTTP: invalid HTTP version"),
        ] {
            assert_eq!(get(b"hello").reply(reply.as_bytes()), Err(what.into()), "{reply}");
        }
    }

    fn get(expected: &[u8]) -> Get {
        Get {
            request: [].into(),
            expected: expected.into(),
            close: false,
            head: Vec::new(),
            body: None,
        }
    }
}
