//! How long a connection lasts, and what is lost with it: nothing.

use std::io::{self, Read, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_server::{Limits, Request, Response, Running};
use socket2::{Domain, Socket, Type};

use crate::asking::{GENEROUS, SHORT, ask, connect, content, server};

/// Content without end, which tells when nobody wants it any more.
struct Endless(Sender<()>);

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        buf.fill(b'x');
        Ok(buf.len())
    }
}

impl Drop for Endless {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// A server that sends without end to whoever takes something within `write`, and what tells
/// that it has given up.
fn endless(write: Duration) -> (Running, Receiver<()>) {
    let (sender, ended) = mpsc::channel();
    let sender = Mutex::new(sender);
    let server = server()
        .limits(Limits { write, ..Limits::default() })
        .get("/", move |_| Response::stream(Endless(sender.lock().unwrap().clone())))
        .spawn()
        .unwrap();
    (server, ended)
}

#[test]
fn a_client_that_takes_nothing_loses_its_connection() {
    let (server, ended) = endless(SHORT);
    let mut deaf = connect(&server);
    deaf.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    ended.recv_timeout(GENEROUS).expect("the server gives up");
}

/// The system holds much more than the client takes meanwhile, and tells of no room.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_takes_a_little_at_a_time_keeps_its_connection() {
    const WRITE: Duration = Duration::from_secs(2);
    let (server, ended) = endless(WRITE);
    let mut slow = connect(&server);
    socket2::SockRef::from(&slow).set_recv_buffer_size(4 << 10).unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let started = Instant::now();
    // Its own pace is the matter, and that it outlives the limit.
    while started.elapsed() < 2 * WRITE {
        assert!(slow.read(&mut [0; 4 << 10]).unwrap() > 0);
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(ended.try_recv().is_err(), "the server gave up");
}

/// Content that fails after a while.
struct Broken(usize);

impl Read for Broken {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(1).ok_or_else(|| io::Error::other("broken"))?;
        buf[0] = b'x';
        Ok(1)
    }
}

/// HTTP/1.0 knows no other end of it than that of the connection.
#[test]
fn a_stream_that_fails_does_not_look_whole() {
    let server = server().get("/", |_| Response::stream(Broken(3))).spawn().unwrap();
    let ask = |version: &str| {
        let mut stream = connect(&server);
        write!(stream, "GET / HTTP/{version}\r\nHost: localhost\r\n\r\n").unwrap();
        let mut response = Vec::new();
        let end = stream.read_to_end(&mut response).map_err(|error| error.kind());
        (String::from_utf8(response).unwrap(), end.map(drop))
    };
    let (_, end) = ask("1.0");
    assert_eq!(end, Err(io::ErrorKind::ConnectionReset));
    let (response, _) = ask("1.1");
    assert!(!response.ends_with("0\r\n\r\n"), "{response}");
}

#[test]
fn requests_that_come_together_are_answered_in_order() {
    let server = server().get("/{n}", |req| format!("<{}>", req.param("n"))).spawn().unwrap();
    let requests: String =
        (0..20).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: localhost\r\n\r\n")).collect();
    let mut stream = connect(&server);
    stream.write_all(requests.as_bytes()).unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut responses = String::new();
    stream.read_to_string(&mut responses).unwrap();
    let order: Vec<usize> = (0..20).map(|n| responses.find(&format!("<{n}>")).unwrap()).collect();
    assert!(order.is_sorted(), "{responses}");
}

#[test]
fn a_client_that_drips_its_head_gets_408_and_one_that_says_nothing_gets_nothing() {
    let limits = Limits { head: SHORT, ..Limits::default() };
    let server = server().limits(limits).get("/", |_| "ok").spawn().unwrap();
    let mut silent = connect(&server);
    let mut dripping = connect(&server);
    // The pause is the fault itself: a byte now and then. It ends when the server has
    // closed the connection.
    for byte in "GET / HTTP/1.1\r\nX-Long: ".bytes().chain(std::iter::repeat(b'x')).take(1000) {
        if dripping.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(SHORT / 20);
        dripping.set_nonblocking(true).unwrap();
        let answered = dripping.peek(&mut [0]).is_ok();
        dripping.set_nonblocking(false).unwrap();
        if answered {
            break;
        }
    }
    let mut response = [0; 12];
    dripping.read_exact(&mut response).unwrap();
    assert_eq!(&response, b"HTTP/1.1 408");
    assert_eq!(silent.read(&mut [0]).unwrap(), 0);
}

/// RFC 9112 section 9.6: closing with something unread would be a reset, which takes
/// the rest of the response along.
#[test]
fn a_stray_byte_behind_the_last_request_costs_nothing_of_the_response() {
    const LENGTH: usize = 300_000;
    let server = server().get("/", |_| vec![b'x'; LENGTH]).spawn().unwrap();
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    // So that most of the response is still with the server when it is done.
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&server.address().into()).unwrap();
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    stream.peek(&mut [0; 1]).unwrap();
    stream.write_all(b"\r\n").unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    assert!(response.len() > LENGTH && response.ends_with(b"xx"), "{}", response.len());
}

#[test]
fn a_full_server_closes_an_idle_connection_for_a_new_one() {
    let limits = Limits { clients: 2, ..Limits::default() };
    let server = server().limits(limits).get("/", |_| "ok").spawn().unwrap();
    let mut idle: Vec<TcpStream> = (0..2).map(|_| connect(&server)).collect();
    for stream in &mut idle {
        assert_eq!(ask(stream), "HTTP/1.1 200");
    }
    // A worker may still be between its response and its next wait; then nobody is idle
    // yet.
    let deadline = Instant::now() + GENEROUS;
    while ask(&mut connect(&server)) == "HTTP/1.1 503" {
        assert!(Instant::now() < deadline, "nobody becomes idle");
    }
    // Which of the two had waited longer is not known here; the table's own test knows. One
    // of them has ended.
    let (sender, ended) = std::sync::mpsc::channel();
    for mut stream in idle {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            let _ = sender.send(stream.read_to_end(&mut rest).is_ok());
        });
    }
    assert!(ended.recv_timeout(GENEROUS).unwrap());
}

#[test]
fn a_stop_ends_idle_connections_and_lets_a_response_end() {
    let (begun_here, begun) = std::sync::mpsc::channel();
    let (go, wait_here) = std::sync::mpsc::channel();
    let gate = std::sync::Mutex::new((begun_here, wait_here));
    let slow = move |_: &mut Request<'_>| {
        let gate = gate.lock().unwrap();
        gate.0.send(()).unwrap();
        gate.1.recv_timeout(GENEROUS).unwrap();
        "whole"
    };
    let server = server().get("/", |_| "ok").get("/slow", slow).spawn().unwrap();
    let address = server.address();
    let mut idle = connect(&server);
    assert_eq!(ask(&mut idle), "HTTP/1.1 200");
    let mut busy = connect(&server);
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    begun.recv_timeout(GENEROUS).unwrap();
    server.shutdown().stop();
    idle.read_to_end(&mut Vec::new()).unwrap();
    go.send(()).unwrap();
    let mut response = String::new();
    busy.read_to_string(&mut response).unwrap();
    assert!(response.contains("Connection: close\r\n"), "{response}");
    assert_eq!(content(&response), "whole");
    server.stop().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

/// Such as a file that the next server wants to have for itself.
#[test]
fn what_a_handler_holds_is_let_go_of_when_a_stop_has_returned() {
    for _ in 0..100 {
        let held = Arc::new(());
        let handlers = held.clone();
        let hold = move |_: &mut Request<'_>| format!("{handlers:?}");
        let server = server().get("/", hold).spawn().unwrap();
        server.stop().unwrap();
        assert_eq!(Arc::strong_count(&held), 1);
    }
}

/// The drain limit is for what is under way, and half a head is nothing yet.
#[test]
fn a_stop_waits_for_the_rest_of_a_head_and_not_for_one_that_drips() {
    let limits = Limits { drain: 10 * GENEROUS, head: 10 * GENEROUS, ..Limits::default() };
    let server = server().limits(limits).get("/", |_| "ok").spawn().unwrap();
    let [mut split, mut never] = [(); 2].map(|()| connect(&server));
    for stream in [&mut split, &mut never] {
        // The second head begins where the first was answered: so it is known to have come.
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n").unwrap();
        stream.peek(&mut [0; 1]).unwrap();
    }
    server.shutdown().stop();
    split.write_all(b"Host: localhost\r\n\r\n").unwrap();
    let mut responses = String::new();
    split.read_to_string(&mut responses).unwrap();
    assert_eq!(responses.matches("HTTP/1.1 200").count(), 2, "{responses}");
    responses.clear();
    never.read_to_string(&mut responses).unwrap();
    assert!(responses.contains("HTTP/1.1 408"), "{responses}");
    server.stop().unwrap();
}
