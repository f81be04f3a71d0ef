//! What `http-server` says to clients of HTTP/1.0, which read to the end of the
//! connection unless they are told of another end. Sections of four digits are of RFC
//! 9110, others say where they are from.

use ladder_tests::site::Site;

const LARGE: usize = 300_000;

fn site() -> Site {
    let site = Site::new();
    site.write("a.txt", "hello\n");
    site.write("large", vec![b'x'; LARGE]);
    site
}

/// RFC 9112 section 9.3. A client that is not told waits for the end of the connection,
/// which does not come.
#[test]
fn a_client_of_1_0_is_told_of_each_response_that_the_connection_stays() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    for (line, fields, status) in [
        ("GET /a.txt", "", 200),
        ("HEAD /a.txt", "", 200),
        ("GET /a.txt", "If-None-Match: *\r\n", 304),
        ("OPTIONS /a.txt", "", 204),
        ("GET /large", "", 200),
        ("GET /large", "Range: bytes=0-9\r\n", 206),
        ("GET /", "", 200),
        ("GET /missing", "", 404),
        ("DELETE /a.txt", "", 405),
    ] {
        let request = format!("{line} HTTP/1.0\r\nConnection: keep-alive\r\n{fields}\r\n");
        peer.send(request.as_bytes());
        let response = peer.response_to(request.as_bytes()).expect_status(status);
        response.expect_field("connection", "keep-alive").expect_no_field("transfer-encoding");
    }
}

/// RFC 9112 section 9.3.
#[test]
fn a_client_of_1_0_that_asks_for_nothing_else_reads_to_the_end() {
    let site = site();
    let server = site.start(&[]);
    for (line, fields) in [
        ("GET /a.txt", ""),
        ("GET /large", ""),
        ("GET /", ""),
        ("GET /a.txt", "If-None-Match: *\r\n"),
        ("GET /a.txt", "Connection: keep-alive, close\r\n"),
    ] {
        let mut peer = server.connect();
        peer.send(format!("{line} HTTP/1.0\r\n{fields}\r\n").as_bytes());
        peer.response().expect_field("connection", "close").expect_no_field("transfer-encoding");
        peer.expect_end_of_stream();
    }
}

/// RFC 9112 section 9.3: what is the rule in 1.1 is not said again.
#[test]
fn a_client_of_1_1_is_told_only_of_the_end() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    peer.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
    peer.response().expect_status(200).expect_no_field("connection");
    peer.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: CLOSE\r\n\r\n");
    peer.response().expect_status(200).expect_field("connection", "close");
    peer.expect_end_of_stream();
}
