//! A client for tests: it asks a server that runs beside the test, over a real connection.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use netcore::deadline::Deadline;

use httpcore::body::{Body, Source};
use httpcore::head::{Framing, Method};
use httpcore::reply::{field_line, has_field};
use httpcore::stream::{Socket, Stream};
use httpcore::{Refusal, Status};

use super::server::Running;

/// For a request and its whole response. No handler that a test waits for takes so long.
const LIMIT: Duration = Duration::from_secs(30);

/// Bytes of the head of a response; more is an error.
const HEAD_LIMIT: usize = 64 << 10;

/// Fields of it; more is an error.
const MOST_FIELDS: usize = 64;

impl Running {
    /// A client of this server, for tests.
    pub fn client(&self) -> TestClient {
        TestClient::new(self.address())
    }
}

/// Asks a server for one thing after another, each on a connection of its own. It keeps
/// cookies as a browser does, whatever their path, and follows no redirect. It speaks no
/// TLS.
///
/// ```
/// use http_server::{Server, Status};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::bind("127.0.0.1:0")?
///     .get("/hello/{name}", |req| format!("hi {}\n", req.param("name")))
///     .post("/echo", |req| req.body_text())
///     .spawn()?;
/// let client = server.client();
/// let reply = client.get("/hello/world").send()?;
/// assert_eq!(reply.status(), Status::OK);
/// assert_eq!(reply.field("Content-Type"), Some("text/plain; charset=utf-8"));
/// assert_eq!(reply.text(), "hi world\n");
/// assert_eq!(client.post("/echo").body("привет").send()?.text(), "привет");
/// assert_eq!(client.get("/echo").send()?.status(), Status::METHOD_NOT_ALLOWED);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestClient {
    address: SocketAddr,
    /// Names and values.
    cookies: Mutex<Vec<(String, String)>>,
}

impl TestClient {
    /// A client of the server at `address`, which may be any.
    pub fn new(address: SocketAddr) -> TestClient {
        TestClient { address, cookies: Mutex::default() }
    }

    /// GET of a path, with its query. It is sent as it is.
    pub fn get(&self, path: &str) -> TestRequest<'_> {
        self.request(Method::Get, path)
    }

    /// POST to a path.
    pub fn post(&self, path: &str) -> TestRequest<'_> {
        self.request(Method::Post, path)
    }

    /// PUT to a path.
    pub fn put(&self, path: &str) -> TestRequest<'_> {
        self.request(Method::Put, path)
    }

    /// DELETE of a path.
    pub fn delete(&self, path: &str) -> TestRequest<'_> {
        self.request(Method::Delete, path)
    }

    /// Any method.
    pub fn request(&self, method: Method, path: &str) -> TestRequest<'_> {
        let (path, fields) = (path.to_string(), Ok(String::new()));
        TestRequest { client: self, method, path, fields, body: Vec::new() }
    }

    fn keep(&self, set: &str) {
        let (pair, attributes) = set.split_once(';').unwrap_or((set, ""));
        let Some((name, value)) = pair.split_once('=') else { return };
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.retain(|(known, _)| known != name);
        if !attributes.split(';').any(|it| it.trim().eq_ignore_ascii_case("max-age=0")) {
            cookies.push((name.into(), value.into()));
        }
    }

    /// The line that brings them back.
    fn cookie_line(&self) -> Option<String> {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<String> =
            cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        (!pairs.is_empty()).then(|| format!("Cookie: {}\r\n", pairs.join("; ")))
    }
}

/// A request that is being put together.
#[derive(Debug)]
#[must_use = "it is not sent before send() is called"]
pub struct TestRequest<'a> {
    client: &'a TestClient,
    method: Method,
    path: String,
    /// Whole lines, or what was wrong with one.
    fields: io::Result<String>,
    body: Vec<u8>,
}

impl TestRequest<'_> {
    /// One more header field. `Host` takes the place of `localhost`; those that frame the
    /// request are the client's own.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.fields = self.fields.and_then(|fields| Ok(fields + &field_line(name, value)?));
        self
    }

    /// The body as it is.
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        TestRequest { body: body.into(), ..self }
    }

    /// A form as the body, as a browser sends it.
    pub fn form(self, pairs: &[(&str, &str)]) -> Self {
        let encoded = |text: &str| {
            let byte = |byte: u8| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            };
            text.bytes().map(byte).collect::<String>()
        };
        let pairs: Vec<String> = pairs
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        self.header("Content-Type", "application/x-www-form-urlencoded").body(pairs.join("&"))
    }

    /// A value as the body.
    ///
    /// # Panics
    /// When JSON has no form for the value.
    #[cfg(feature = "json")]
    #[track_caller]
    pub fn json(self, value: &impl serde::Serialize) -> Self {
        let body = serde_json::to_vec(value).expect("the value has a form in JSON");
        self.header("Content-Type", "application/json").body(body)
    }

    /// Sends it and reads the whole response.
    ///
    /// # Errors
    /// What connecting, writing and reading say; `TimedOut` after 30 seconds;
    /// `InvalidData` for what is no response; `InvalidInput` for a header that is none.
    pub fn send(self) -> io::Result<TestReply> {
        self.send_and_read(|mut reply, content| {
            content.read_to_end(&mut reply.content)?;
            Ok(reply)
        })
    }

    /// Sends it and reads the content as `read` does, which may leave while there is more:
    /// for responses that do not end. The reply that `read` gets has no content yet.
    ///
    /// # Errors
    /// As [`send`](TestRequest::send), and those of `read`.
    pub fn send_and_read<T>(
        self,
        read: impl FnOnce(TestReply, &mut dyn BufRead) -> io::Result<T>,
    ) -> io::Result<T> {
        let stream = TcpStream::connect_timeout(&self.client.address, LIMIT)?;
        stream.set_nonblocking(true)?;
        let mut stream = Socket::new(stream, LIMIT);
        stream.set_read_deadline(Deadline::after(LIMIT));
        // A server may refuse a request before it is whole, and its answer says why.
        let written = stream.write_all(&self.bytes()?);
        let mut buf = vec![0; HEAD_LIMIT];
        let (head, arrived) = match (read_head(&mut stream, &mut buf), written) {
            (Ok(read), _) => read,
            (Err(_), Err(error)) | (Err(error), Ok(())) => return Err(error),
        };
        head.reply.fields("set-cookie").for_each(|set| self.client.keep(set));
        let rest = &mut buf[head.length..];
        let has_content = self.method != Method::Head && !head.reply.status.has_no_content();
        let framing = if has_content { head.framing } else { Some(Framing::Length(0)) };
        let content: &mut dyn Read = match framing {
            Some(framing) => {
                &mut Body::new(Source::new(&mut stream, rest, arrived), framing, false)
            }
            None => &mut rest[..arrived].chain(stream),
        };
        // In words of a server otherwise, with the status that it would answer.
        read(head.reply, &mut BufReader::new(content)).map_err(|error| {
            let refusal = error.get_ref().and_then(|it| it.downcast_ref::<Refusal>());
            let why = refusal.map(|refusal| refusal.why().to_string());
            why.map_or(error, |why| io::Error::new(ErrorKind::InvalidData, why))
        })
    }

    fn bytes(&self) -> io::Result<Vec<u8>> {
        let fields = self
            .fields
            .as_ref()
            .map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
        let host = if has_field(fields.as_bytes(), "Host") { "" } else { "Host: localhost\r\n" };
        let cookies = self.client.cookie_line().unwrap_or_default();
        let length = match (&self.method, self.body.len()) {
            (Method::Get | Method::Head | Method::Delete | Method::Options, 0) => String::new(),
            (_, length) => format!("Content-Length: {length}\r\n"),
        };
        let head = format!(
            "{} {} HTTP/1.1\r\n{host}{fields}{cookies}{length}Connection: close\r\n\r\n",
            self.method.name(),
            self.path,
        );
        Ok([head.as_bytes(), &self.body].concat())
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct TestReply {
    status: Status,
    fields: Vec<(String, String)>,
    content: Vec<u8>,
}

impl TestReply {
    /// Its status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// The value of its first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields(name).next()
    }

    /// The values of all of its fields of this name.
    pub fn fields(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = move |(known, _): &&(String, String)| known.eq_ignore_ascii_case(name);
        self.fields.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        &self.content
    }

    /// Its content as text; what is not UTF-8 in it is U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.content)
    }

    /// Its content as a value, whatever its media type is.
    ///
    /// # Errors
    /// `InvalidData` for what is no JSON, or no `T`.
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> io::Result<T> {
        serde_json::from_slice(&self.content).map_err(|error| {
            io::Error::new(ErrorKind::InvalidData, format!("{error}: {}", self.text()))
        })
    }
}

/// The head of a response.
struct Head {
    reply: TestReply,
    /// Bytes of it, and of what came before it.
    length: usize,
    /// Where the content ends; `None` where the connection does.
    framing: Option<Framing>,
}

/// Reads until `buf` begins with a whole head, and returns it with how much more arrived.
fn read_head(stream: &mut Socket<TcpStream>, buf: &mut [u8]) -> io::Result<(Head, usize)> {
    let mut filled = 0;
    let mut begins = 0;
    loop {
        while let Some(mut head) = parse(&buf[begins..filled])? {
            begins += head.length;
            // One before 200 announces another.
            if head.reply.status.0 >= 200 {
                head.length = begins;
                return Ok((head, filled - begins));
            }
        }
        match stream.read(&mut buf[filled..])? {
            0 if filled == HEAD_LIMIT => return Err(invalid("the head does not end")),
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
}

fn parse(received: &[u8]) -> io::Result<Option<Head>> {
    let mut slots = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut response = httparse::Response::new(&mut slots);
    let length = match response.parse(received).map_err(|error| invalid(&error.to_string()))? {
        httparse::Status::Complete(length) => length,
        httparse::Status::Partial => return Ok(None),
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let fields = response.headers.iter().map(|it| (it.name.to_string(), text(it.value))).collect();
    let status = Status(response.code.unwrap_or_default());
    let reply = TestReply { status, fields, content: Vec::new() };
    let framing = match (reply.field("transfer-encoding"), reply.field("content-length")) {
        (Some("chunked"), None) => Some(Framing::Chunked),
        (None, Some(length)) => {
            let length = length.parse().map_err(|_| invalid("the length is no number"))?;
            Some(Framing::Length(length))
        }
        (None, None) => None,
        _ => return Err(invalid("there is no telling where the content ends")),
    };
    Ok(Some(Head { reply, length, framing }))
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.to_string())
}
