//! What a server of HTTP promises, written once, for the tests of every rung that speaks
//! it (feature `testing`). It is started as [`netcore::testing`] starts a server, and keeps
//! the promises that are there; [`netcore::promises`] makes tests of these too.
//!
//! | file | what is promised |
//! |---|---|
//! | `heads.rs` | what no client can do to the others, whatever is answered |
//! | [`files`] | a path is a file, and never one outside the folder |
//! | [`kept`] | one request after another on a connection |
//! | [`bodies`] | what comes behind a head, sent back by `POST /echo` |
//!
//! `heads.rs` asks no more of the server than that it answers GET of one path with one
//! status, so it holds in a copy that has become another server. The others go with what
//! they test.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use netcore::shutdown::Shutdown;
use netcore::testing::{GENEROUS, Running, Setup, Suite};
use tempfile::TempDir;

pub mod bodies;
pub mod files;
mod heads;
pub mod kept;

pub use heads::*;

/// Makes the suite of a server for the folder of this name.
pub type Site = dyn Fn(&str) -> Suite;

/// A server of HTTP that `serve` runs until it ends, and that answers GET of `path` with
/// this status.
pub fn suite(
    path: &str,
    status: u16,
    serve: impl Fn(TcpListener, Setup, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
) -> Suite {
    let question = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    // The head of an answer has a date in it.
    Suite::new(question, format!("HTTP/1.1 {status} "), serve).read_by(read_response)
}

/// Reads one response with a length, to its end; returns how it begins.
fn read_response(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&head);
    let length = field(&text, "Content-Length").parse().map_err(|_| ErrorKind::InvalidData)?;
    stream.read_exact(&mut vec![0; length])?;
    head.truncate("HTTP/1.1 200 ".len());
    Ok(head)
}

/// A server for a folder of the test's own, which has `hello.txt`, `folder/one.txt` and an
/// index. The folder is gone when the test ends, panic or not.
fn start(site: &Site) -> (Running, TempDir) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file can be written");
    };
    std::fs::create_dir(folder.path().join("folder")).expect("a folder can be made");
    write("hello.txt", "Привет, мир!\n");
    write("folder/one.txt", "one\n");
    write("index.html", "<h1>Привет, мир!</h1>\n");
    (start_on(site, &folder), folder)
}

fn start_on(site: &Site, folder: &TempDir) -> Running {
    site(folder.path().to_str().expect("its name is text")).start(Setup::default())
}

/// A connection whose reads end.
///
/// # Panics
/// When the server does not listen.
#[track_caller]
pub fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address).expect("the server listens");
    stream.set_read_timeout(Some(GENEROUS)).expect("a limit can be set");
    stream
}

/// What comes back for `request`, to the end of the connection.
///
/// # Panics
/// When the request cannot be sent, or there is no end.
#[track_caller]
pub fn ask(server: &Running, request: &[u8]) -> String {
    let mut stream = connect(server);
    stream.write_all(request).expect("the request can be sent");
    read_to_end(stream)
}

/// The response to GET of `path`, with these further header lines.
///
/// # Panics
/// As [`ask`].
#[track_caller]
pub fn get(server: &Running, path: &str, fields: &str) -> String {
    let head =
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
    ask(server, head.as_bytes())
}

/// Everything that is left, to the end of the connection.
///
/// # Panics
/// When there is no end.
#[track_caller]
pub fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).expect("the connection ends");
    String::from_utf8_lossy(&text).into_owned()
}

/// The value of a field of a response, or of the first of several.
///
/// # Panics
/// When it has none, or two: a client that meets two takes either.
#[track_caller]
pub fn field<'a>(response: &'a str, name: &str) -> &'a str {
    let head = response.split("\r\n\r\n").next().unwrap_or_default();
    let mut values = head.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    match (values.next(), values.next()) {
        (Some(value), None) => value,
        (None, _) => panic!("no {name} in {response}"),
        (Some(_), Some(_)) => panic!("two {name} in {response}"),
    }
}

/// A response has this status and content.
#[track_caller]
pub fn assert_answered(response: &str, status: u16, content: &str) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    assert_eq!(response.split_once("\r\n\r\n").map(|(_, content)| content), Some(content));
}
