//! The client, against our server and against one that frames its responses in other
//! ways.

use std::io::{Cursor, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use http_server::client::{After, get, is_without_reply};
use http_server::{Response, Server};

/// Answers one request with `response` and closes, as Python's `BaseHTTPRequestHandler`
/// does.
fn server_that_closes(response: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        stream.write_all(response.as_bytes()).unwrap();
    });
    address
}

#[test]
fn content_without_a_length_ends_where_the_connection_does() {
    let address =
        server_that_closes("HTTP/1.0 200 OK\r\nContent-type: text/plain\r\n\r\nПривет, мир!");
    let reply = get(&TcpStream::connect(address).unwrap(), "/").unwrap();
    assert_eq!((reply.status, reply.content.as_slice()), (200, "Привет, мир!".as_bytes()));
    assert_eq!(reply.after, After::Closed);
}

#[test]
fn content_in_chunks_is_put_together_and_the_connection_goes_on() {
    let server = Server::bind("127.0.0.1:0").unwrap();
    let server =
        server.get("/", |_| Response::stream(Cursor::new(vec![b'x'; 200_000]))).spawn().unwrap();
    let stream = TcpStream::connect(server.address()).unwrap();
    for _ in 0..2 {
        let reply = get(&stream, "/").unwrap();
        assert_eq!((reply.content.len(), reply.after), (200_000, After::Open));
    }
}

#[test]
fn content_that_is_cut_short_is_an_error() {
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        let address = server_that_closes(response);
        let error = get(&TcpStream::connect(address).unwrap(), "/").unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::UnexpectedEof, "{response:?}");
    }
}

/// RFC 9112 section 9.3.1: only then may the request be sent again.
#[test]
fn a_connection_that_ends_before_the_response_is_told_from_one_that_ends_in_it() {
    let error_of = |response| {
        get(&TcpStream::connect(server_that_closes(response)).unwrap(), "/").unwrap_err()
    };
    assert!(is_without_reply(&error_of("")));
    for response in ["HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"] {
        let error = error_of(response);
        assert!(!is_without_reply(&error), "{response:?}");
        assert!(!error.to_string().contains("400"), "{error}");
    }
}
