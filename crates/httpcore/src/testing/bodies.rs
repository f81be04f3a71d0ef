//! What comes behind a head, for a server whose `POST /echo` sends it back.

use std::io::{Read, Write};

use super::{Site, ask, assert_answered, connect, read_to_end, start};

/// By its length or in chunks.
pub fn a_body_comes_back_however_it_is_framed(site: &Site) {
    let (server, _folder) = start(site);
    let start = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    for rest in ["Content-Length: 5\r\n\r\nabcde", chunked] {
        assert_answered(&ask(&server, format!("{start}{rest}").as_bytes()), 200, "abcde");
    }
}

/// It begins where the body ends.
pub fn a_request_behind_a_body_is_answered_too(site: &Site) {
    let (server, _folder) = start(site);
    for body in ["POST /echo", "GET /hello.txt"] {
        // The second of these bodies is wanted by nobody, and read away.
        let first = format!("{body} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde");
        let next = "GET /folder/one.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let responses = ask(&server, (first + next).as_bytes());
        assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 2, "{responses}");
        assert!(responses.ends_with("\r\n\r\none\n"), "{responses}");
    }
}

/// RFC 9112 section 2.2: some clients send one that they do not count.
pub fn an_empty_line_behind_a_body_is_no_request(site: &Site) {
    let (server, _folder) = start(site);
    let first = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde\r\n";
    let next = "HEAD /folder/one.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let responses = ask(&server, [first, first, next].concat().as_bytes());
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 3, "{responses}");
    // One, and not as many as anybody likes.
    let responses = ask(&server, ["\r\n", first, "\r\n", next].concat().as_bytes());
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 1, "{responses}");
    assert!(responses.contains("HTTP/1.1 400 "), "{responses}");
}

/// As curl does before it sends much.
pub fn a_client_that_waits_for_leave_is_given_it_and_then_the_answer(site: &Site) {
    let (server, _folder) = start(site);
    let mut stream = connect(&server);
    let fields = "Host: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n";
    stream
        .write_all(format!("POST /echo HTTP/1.1\r\n{fields}\r\n").as_bytes())
        .expect("it can be done");
    let leave = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut told = vec![0; leave.len()];
    stream.read_exact(&mut told).expect("it can be done");
    assert_eq!(told, leave);
    stream.write_all(b"abcde").expect("it can be done");
    assert_answered(&read_to_end(stream), 200, "abcde");
}

/// Nothing is kept of the one, and the other has no end.
pub fn a_body_that_is_too_long_or_no_body_is_refused(site: &Site) {
    let (server, _folder) = start(site);
    let start = "POST /echo HTTP/1.1\r\nHost: a\r\n";
    let long = format!("{start}Content-Length: 2000000\r\n\r\n{}", "x".repeat(2_000_000));
    assert!(ask(&server, long.as_bytes()).starts_with("HTTP/1.1 413 "));
    // Its head says so, and nobody is to send it first.
    let asked = format!("{start}Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n");
    assert!(ask(&server, asked.as_bytes()).starts_with("HTTP/1.1 413 "));
    let broken = format!("{start}Transfer-Encoding: chunked\r\n\r\nhello\r\n");
    assert!(ask(&server, broken.as_bytes()).starts_with("HTTP/1.1 400 "));
}
