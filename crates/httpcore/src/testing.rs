//! What a server of HTTP promises, written once, for the tests of every rung that speaks
//! it (feature `testing`). It is started as [`netcore::testing`] starts a server.
//!
//! Nothing here depends on what the server answers, but that it answers `GET /` with 200:
//! so it holds in a copy that has become another server.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;

use netcore::testing::{GENEROUS, Running, SHORT, Setup, Suite};

/// A request, and how the response to it begins.
const QUESTION: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 ";

/// Bytes behind a request that nobody asked for.
const UNWANTED: usize = 1_000_000;

/// Makes a test of each promise, which is the name of a function in
/// [`testing`](crate::testing).
#[macro_export]
macro_rules! http_promises {
    ($suite:expr => $($promise:ident),+ $(,)?) => {
        $(
            #[test]
            fn $promise() {
                $crate::testing::$promise(&$suite);
            }
        )+
    };
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

/// The value of a field of a response.
///
/// # Panics
/// When it has none.
#[track_caller]
pub fn field<'a>(response: &'a str, name: &str) -> &'a str {
    let line = response.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_else(|| panic!("no {name} in {response}"))
}

/// A response has this status and content.
#[track_caller]
pub fn assert_answered(response: &str, status: u16, content: &str) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    assert_eq!(response.split_once("\r\n\r\n").map(|(_, content)| content), Some(content));
}

#[track_caller]
fn assert_serves(server: &Running) {
    let response = ask(server, QUESTION);
    assert!(response.starts_with(ANSWER), "{response}");
}

/// A connection that says nothing ends.
pub fn a_silent_client_is_dropped_at_the_idle_limit(suite: &Suite) {
    let server = suite.start(Setup::idle(SHORT));
    assert_eq!(read_to_end(connect(&server)), "");
    assert_serves(&server);
}

/// Bytes that come now and then do not stretch the limit for all of them.
pub fn a_head_that_drips_is_dropped_at_the_total_limit(suite: &Suite) {
    let server = suite.start(Setup::total(SHORT));
    let mut stream = connect(&server);
    for byte in QUESTION.iter().cycle() {
        // In the end the server has closed, and says so.
        if stream.write_all(&[if *byte == b'\n' { b'x' } else { *byte }]).is_err() {
            break;
        }
        thread::sleep(SHORT / 10);
    }
    assert_serves(&server);
}

/// Whoever leaves in the middle of a head is the only one who has left.
pub fn a_client_that_hangs_up_midway_does_not_stop_the_server(suite: &Suite) {
    let server = suite.start(Setup::default());
    for length in [0, 1, QUESTION.len() - 1] {
        connect(&server).write_all(&QUESTION[..length]).expect("it can be done");
    }
    assert_serves(&server);
}

/// The end of a head is found wherever the reads end.
pub fn a_head_in_single_bytes_is_answered(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut stream = connect(&server);
    stream.set_nodelay(true).expect("it can be done");
    for byte in QUESTION {
        stream.write_all(&[*byte]).expect("it can be done");
    }
    assert!(read_to_end(stream).starts_with(ANSWER));
}

/// What has no end is read up to a bound.
pub fn a_head_without_an_end_is_not_kept(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut stream = connect(&server);
    let flood = thread::spawn({
        let mut stream = stream.try_clone().expect("it can be done");
        move || while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    read_while_open(&mut stream);
    flood.join().expect("it can be done");
    assert_serves(&server);
}

/// The next client is served while another says nothing.
pub fn an_idle_client_keeps_nobody_waiting(suite: &Suite) {
    let server = suite.start(Setup::default());
    let idle = connect(&server);
    assert_serves(&server);
    drop(idle);
}

/// The response is not lost to a reset.
pub fn a_response_arrives_whatever_is_sent_behind_the_request(suite: &Suite) {
    let server = suite.start(Setup::default());
    let request = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
        &[b'x'; UNWANTED][..],
    ];
    let mut stream = connect(&server);
    let sender = thread::spawn({
        let mut stream = stream.try_clone().expect("it can be done");
        move || drop(stream.write_all(&request.concat()))
    });
    let mut start = vec![0; ANSWER.len()];
    stream.read_exact(&mut start).expect("it can be done");
    assert_eq!(start, ANSWER.as_bytes());
    read_while_open(&mut stream);
    sender.join().expect("it can be done");
}

/// Nobody who says nothing delays a stop.
pub fn a_stop_ends_a_server_with_an_idle_client(suite: &Suite) {
    let server = suite.start(Setup::default());
    let idle = connect(&server);
    assert_serves(&server);
    server.assert_stops();
    server.assert_refuses();
    drop(idle);
}

/// To the end of the connection, by whatever way it comes.
fn read_while_open(stream: &mut TcpStream) {
    let mut scrap = [0; 4096];
    loop {
        match stream.read(&mut scrap) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "still open after {GENEROUS:?}");
                return;
            }
        }
    }
}
