//! A server in the test's own process, on a port of its own, and how it is asked.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use http_server::{Running, Server};

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
pub const SHORT: Duration = Duration::from_millis(300);

/// Files that all tests of this process have open at a time, by far: servers and
/// clients.
#[cfg(unix)]
const FILES: u64 = 4_096;

pub fn server() -> Server {
    allow_files();
    Server::bind("127.0.0.1:0").unwrap()
}

/// Lets this process have [`FILES`], or as many as it may: macOS allows 256 unless somebody
/// asks for more.
#[cfg(unix)]
fn allow_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let files = maximum.unwrap_or(FILES).min(FILES);
    if current.is_some_and(|current| current < files) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum }).unwrap();
    }
}

#[cfg(not(unix))]
fn allow_files() {}

pub fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

/// Sends `request` and reads until the server closes.
pub fn exchange(server: &Running, request: &str) -> String {
    let mut stream = connect(server);
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// Sends one request of several and reads how its response begins.
pub fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut response = [0; 12];
    stream.read_exact(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

pub fn get(server: &Running, path: &str) -> String {
    exchange(
        server,
        &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
    )
}

pub fn post(server: &Running, path: &str, body: &str) -> String {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}"
    );
    exchange(server, &format!("{head}\r\n\r\n{body}"))
}

pub fn content(response: &str) -> &str {
    response.split_once("\r\n\r\n").unwrap().1
}

#[track_caller]
pub fn assert_status(response: &str, status: u16) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
}
