//! What no client can do to the others: true in every copy, whatever is answered.

mod running;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use running::{GENEROUS, Running, read_to_end, service};

/// A request, and how the response to it begins.
const QUESTION: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 ";

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(300);

#[track_caller]
fn assert_serves(server: &Running) {
    let response = server.ask(QUESTION);
    assert!(response.starts_with(ANSWER), "{response}");
}

#[test]
fn a_silent_client_is_dropped_at_the_idle_limit() {
    let mut service = service();
    service.limits.idle = SHORT;
    let server = Running::start(service);
    assert_eq!(read_to_end(server.connect()), "");
    assert_serves(&server);
}

#[test]
fn a_head_that_drips_is_dropped_at_the_total_limit() {
    let mut service = service();
    service.limits.total = SHORT;
    let server = Running::start(service);
    let mut stream = server.connect();
    for byte in QUESTION.iter().cycle() {
        // In the end the server has closed, and says so.
        if stream.write_all(&[if *byte == b'\n' { b'x' } else { *byte }]).is_err() {
            break;
        }
        thread::sleep(SHORT / 10);
    }
    assert_serves(&server);
}

#[test]
fn a_client_that_hangs_up_midway_does_not_stop_the_server() {
    let server = Running::start(service());
    for length in [0, 1, QUESTION.len() - 1] {
        server.connect().write_all(&QUESTION[..length]).unwrap();
    }
    assert_serves(&server);
}

#[test]
fn a_head_in_single_bytes_is_answered() {
    let server = Running::start(service());
    let mut stream = server.connect();
    stream.set_nodelay(true).unwrap();
    for byte in QUESTION {
        stream.write_all(&[*byte]).unwrap();
    }
    assert!(read_to_end(stream).starts_with(ANSWER));
}

#[test]
fn a_head_without_an_end_is_not_kept() {
    let server = Running::start(service());
    let mut stream = server.connect();
    let flood = thread::spawn({
        let mut stream = stream.try_clone().unwrap();
        move || while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    read_while_open(&mut stream);
    flood.join().unwrap();
    assert_serves(&server);
}

#[test]
fn an_idle_client_keeps_nobody_waiting() {
    let server = Running::start(service());
    let idle = server.connect();
    assert_serves(&server);
    drop(idle);
}

#[test]
fn a_response_arrives_whatever_is_sent_behind_the_request() {
    let server = Running::start(service());
    let request = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
        &[b'x'; 1_000_000][..],
    ];
    let mut stream = server.connect();
    let sender = thread::spawn({
        let mut stream = stream.try_clone().unwrap();
        move || drop(stream.write_all(&request.concat()))
    });
    let mut start = vec![0; ANSWER.len()];
    stream.read_exact(&mut start).unwrap();
    assert_eq!(start, ANSWER.as_bytes());
    read_while_open(&mut stream);
    sender.join().unwrap();
}

#[test]
fn a_stop_ends_a_server_with_an_idle_client() {
    let server = Running::start(service());
    let idle = server.connect();
    assert_serves(&server);
    let address = server.address;
    server.stop();
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
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
