//! What comes behind a head.

use std::io::{self, Read, Write};
use std::net::Shutdown as Side;
use std::time::Duration;

use http_server::{Limits, Metrics, Running, Status};

use crate::asking::{SHORT, assert_status, connect, content, exchange, post, server};

#[test]
fn a_body_is_read_to_its_limit_and_no_further() {
    let limits = Limits { body: 8, ..Limits::default() };
    let server = server().limits(limits).post("/echo", |req| req.body_text()).spawn().unwrap();
    assert_eq!(content(&post(&server, "/echo", "Мир!")), "Мир!");
    assert_eq!(content(&post(&server, "/echo", "12345678")), "12345678");
    assert_status(&post(&server, "/echo", "123456789"), 413);
    let chunked = |body: &str| {
        let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        exchange(&server, &format!("{head}{body}"))
    };
    assert_eq!(content(&chunked("4\r\n1234\r\n4\r\n5678\r\n0\r\n\r\n")), "12345678");
    assert_status(&chunked("5\r\n12345\r\n4\r\n5678\r\n0\r\n\r\n"), 413);
    assert_status(&chunked("5\n12345\n0\r\n\r\n"), 400);
}

/// RFC 9110 section 15.5.14, without any limit of the test's own.
#[test]
fn a_mebibyte_is_read_and_no_more() {
    let server = server()
        .post("/count", |req| req.body_bytes().map(|body| body.len().to_string()))
        .spawn()
        .unwrap();
    assert_eq!(content(&post(&server, "/count", &"x".repeat(1 << 20))), "1048576");
    assert_status(&post(&server, "/count", &"x".repeat((1 << 20) + 1)), 413);
}

/// RFC 9110 section 10.1.1: 100 asks for the body when the handler wants it, and not
/// before.
#[test]
fn a_client_that_waits_is_asked_for_its_body_at_the_first_read() {
    let server = server()
        .post("/echo", |req| req.body_text())
        .post("/no", |_| Status::FORBIDDEN)
        .spawn()
        .unwrap();
    let ask = |path: &str| {
        let mut stream = connect(&server);
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut stream = ask("/echo");
    let mut asked = [0; 25];
    stream.read_exact(&mut asked).unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
        .write_all(b"helloGET /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut responses = String::new();
    stream.read_to_string(&mut responses).unwrap();
    assert_status(&responses, 200);
    assert!(responses.contains("\r\n\r\nhelloHTTP/1.1 404 "), "{responses}");

    // Whether the body comes after a refusal is not known; so the connection ends there.
    let mut refused = String::new();
    ask("/no").read_to_string(&mut refused).unwrap();
    assert_status(&refused, 403);
    assert!(
        refused.contains("Connection: close\r\n") && !refused.contains("100 Continue"),
        "{refused}"
    );

    // A client of 1.0 does not know 100.
    let head = "POST /echo HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello";
    let old = exchange(&server, head);
    assert_status(&old, 200);
    assert_eq!(content(&old), "hello");
}

#[test]
fn a_body_without_a_limit_is_read_whole() {
    let limits = Limits { body: usize::MAX, ..Limits::default() };
    let server = server().limits(limits).post("/echo", |req| req.body_text()).spawn().unwrap();
    let response = post(&server, "/echo", "hello");
    assert_status(&response, 200);
    assert_eq!(content(&response), "hello");
}

#[test]
fn a_body_that_is_not_text_is_400() {
    let server = server().post("/", |req| req.body_text()).spawn().unwrap();
    let mut stream = connect(&server);
    let head =
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 1\r\n\r\n";
    stream.write_all(&[head.as_bytes(), b"\xff"].concat()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert_status(&response, 400);
    assert_eq!(content(&response), "400: the body is not UTF-8 text\n");
}

/// RFC 9112 section 8: the client's fault, whoever reads.
#[test]
fn a_body_that_cannot_be_read_is_a_400_or_408_of_any_handler() {
    let start = |limits: Limits| {
        let drop_all = |request: &mut http_server::Request<'_>| -> io::Result<&'static str> {
            io::copy(request.body(), &mut io::sink())?;
            Ok("whole")
        };
        server().limits(limits).post("/", drop_all).spawn().unwrap()
    };
    let send = |server: &Running, fields: &str, body: &str, end: Option<Side>| {
        let mut stream = connect(server);
        let request = format!("POST / HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        if let Some(side) = end {
            stream.shutdown(side).unwrap();
        }
        let mut response = [0; 12];
        stream.read_exact(&mut response).unwrap();
        String::from_utf8_lossy(&response).into_owned()
    };
    let server = start(Limits::default());
    for body in [
        "-1\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5;\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\na : b\r\n\r\n",
    ] {
        assert_eq!(send(&server, "Transfer-Encoding: chunked", body, None), "HTTP/1.1 400");
    }
    let whole = "5 ; a=\"b;c\"\r\nhello\r\n0\r\na: b\r\n\r\n";
    assert_eq!(send(&server, "Transfer-Encoding: chunked", whole, None), "HTTP/1.1 200");
    assert_eq!(send(&server, "Content-Length: 5", "hel", Some(Side::Write)), "HTTP/1.1 400");
    assert_eq!(send(&server, "Content-Length: 5", "hello", None), "HTTP/1.1 200");
    let hasty = start(Limits { body_time: SHORT, ..Limits::default() });
    assert_eq!(send(&hasty, "Content-Length: 5", "hel", None), "HTTP/1.1 408");
}

/// The log tells the same.
#[test]
fn a_request_whose_body_was_waited_for_took_that_long() {
    let metrics = Metrics::default();
    let limits = Limits { body_time: SHORT, ..Limits::default() };
    let counted = server().count_in(metrics.clone()).limits(limits);
    let server = counted.post("/", |req| req.body_text()).spawn().unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert_status(&response, 408);
    let text = metrics.text();
    let sum =
        text.lines().find_map(|line| line.strip_prefix("http_response_duration_seconds_sum "));
    assert!(sum.unwrap().parse::<f64>().unwrap() >= SHORT.as_secs_f64(), "{text}");
}

/// Limits that end no test: what ends a connection is something else.
const NO_LIMITS: Limits = Limits {
    head: Duration::from_secs(600),
    body_time: Duration::from_secs(600),
    idle: Duration::from_secs(600),
    write: Duration::from_secs(600),
    drain: Duration::from_secs(60),
    body: 1 << 20,
    clients: 9,
    workers: 4,
};

/// It would hold a seat for as long as a body may take.
#[test]
fn a_refused_body_that_does_not_come_is_not_waited_for() {
    let server = server().limits(NO_LIMITS).get("/", |_| "ok").spawn().unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n").unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    assert_status(&response, 405);
}

/// RFC 9112 section 2.2: the empty line is no request. While one was on its way, a stop
/// would wait for it.
#[test]
fn an_empty_line_behind_a_body_leaves_the_connection_idle() {
    let server = server().limits(NO_LIMITS).post("/", |req| req.body_text()).spawn().unwrap();
    let mut stream = connect(&server);
    let request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello\r\n";
    stream.write_all(request).unwrap();
    let mut response = Vec::new();
    while !response.ends_with(b"hello") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        response.extend_from_slice(&byte);
    }
    server.shutdown().stop();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}

/// Wherever the network cuts it: between a last chunk and the end of the trailers, too.
#[test]
fn a_chunked_body_may_come_byte_by_byte() {
    let server = server().post("/", |request| request.body_text()).spawn().unwrap();
    let body = b"5\r\nhello\r\n7;a=b\r\n, world\r\n0\r\nA: b\r\n\r\n";
    // Which bytes are read together is the machine's choice, and not the same each time.
    for _ in 0..20 {
        let mut stream = connect(&server);
        stream.set_nodelay(true).unwrap();
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head.as_bytes()).unwrap();
        for byte in body {
            stream.write_all(&[*byte]).unwrap();
            std::thread::yield_now();
        }
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        assert_status(&response, 200);
        assert_eq!(content(&response), "hello, world");
    }
}
