//! What `http-server` makes of the head of a request, over raw sockets. Sections of
//! four digits are of RFC 9110, others say where they are from.

use ladder_tests::http::HttpServer;
use ladder_tests::site::Site;

fn site() -> Site {
    let site = Site::new();
    site.write("a.txt", "hello\n");
    site
}

/// The answer ends the connection, and says why.
#[track_caller]
fn assert_refused(server: &HttpServer, request: impl AsRef<[u8]>, status: u16, why: &str) {
    let mut peer = server.connect();
    peer.send(request.as_ref());
    let response = peer.response().expect_status(status).expect_field("connection", "close");
    assert!(response.text().contains(why), "{why:?} is not in {:?}", response.text());
    peer.expect_end_of_stream();
}

/// RFC 9110 sections 9.3, 15.5.6 and 15.6.2.
#[test]
fn methods_on_files() {
    let site = site();
    let server = site.start(&[]);
    let ask =
        |method: &str| server.ask(format!("{method} /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    ask("GET").expect_status(200).expect_body("hello\n");
    ask("HEAD").expect_status(200).expect_field("content-length", "6").expect_body("");
    ask("OPTIONS")
        .expect_status(204)
        .expect_field("allow", "GET, HEAD, OPTIONS")
        .expect_no_field("content-length");
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE"] {
        ask(method).expect_status(405).expect_field("allow", "GET, HEAD, OPTIONS");
    }
    for method in ["get", "BREW", "Get"] {
        ask(method).expect_status(501);
    }
    let star = server.ask("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
    star.expect_status(204).expect_field("allow", "GET, HEAD, OPTIONS");
    let connect = server.ask("CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n");
    connect.expect_status(405).expect_field("allow", "GET, HEAD, OPTIONS");
}

/// RFC 9110 section 9.3.2: HEAD has the head that GET would have.
#[test]
fn head_says_what_get_would() {
    let site = site();
    let server = site.start(&[]);
    for path in ["/a.txt", "/", "/missing"] {
        let get = server.get(path);
        let head = server.ask(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
        assert_eq!(head.status, get.status);
        for name in ["content-length", "content-type", "etag", "last-modified", "cache-control"] {
            assert_eq!(head.field(name), get.field(name), "{name} of {path}");
        }
    }
}

/// RFC 9110 section 9.3.2: no content, whatever the status; a client would take it for
/// the next response.
#[test]
fn a_head_that_is_refused_gets_no_content_either() {
    let site = site();
    let server = site.start(&[]);
    for (rest, status) in [
        ("/a.txt HTTP/1.1\r\nHost: evil.example\r\n", 421),
        ("/a.txt HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400),
        ("/a.txt HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n", 417),
        ("/a.txt HTTP/3.0\r\nHost: localhost\r\n", 505),
    ] {
        let mut peer = server.connect();
        let request = format!("HEAD {rest}\r\n");
        peer.send(request.as_bytes());
        let response = peer.response_to(request.as_bytes()).expect_status(status);
        assert_ne!(response.field("content-length"), Some("0"), "what GET would have");
        peer.expect_end_of_stream();
    }
}

/// RFC 9112 section 3.2.
#[test]
fn a_host_that_is_missing_double_or_malformed_is_400() {
    let site = site();
    let server = site.start(&[]);
    let section = "(RFC 9112 section 3.2)";
    assert_refused(&server, "GET / HTTP/1.1\r\n\r\n", 400, section);
    assert_refused(
        &server,
        "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        400,
        "two Host headers",
    );
    // On loopback a strange name is 421, and one that is no name is malformed all the same.
    for host in [
        "local host",
        "a/b",
        "user@localhost",
        "localhost:80x",
        "[::1",
        "localhost:80:80",
        "a%zz",
        "localhost%",
        "a%4",
        "[fe80::1%25eth0]",
    ] {
        assert_refused(&server, format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400, section);
    }
    assert_refused(&server, "GET http://a%zz/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, section);
    server.ask("GET / HTTP/1.0\r\n\r\n").expect_status(200);
}

/// RFC 9112 sections 6.1 and 6.3: what two readers could delimit differently.
#[test]
fn a_body_whose_end_is_ambiguous_is_400() {
    let site = site();
    let server = site.start(&[]);
    for (fields, status) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked", 400),
        ("Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
        ("Content-Length: 5\r\nContent-Length: 6", 400),
        ("Content-Length: 5, 6", 400),
        ("Content-Length: +5", 400),
        ("Content-Length: 5 ", 405),
        ("Content-Length: 0x5", 400),
        ("Content-Length: -5", 400),
        ("Content-Length:", 400),
        ("Transfer-Encoding: chunked, chunked", 400),
        ("Transfer-Encoding: chunked, gzip", 400),
        ("Transfer-Encoding: gzip", 501),
        ("Transfer-Encoding: gzip, chunked", 501),
        ("Transfer-Encoding: xchunked", 501),
        ("Transfer-Encoding: \"chunked\"", 501),
    ] {
        let request = format!("POST /a.txt HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n\r\nhello");
        assert_eq!(server.ask(request).status, status, "{fields:?}");
    }
    assert_refused(
        &server,
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "HTTP/1.0",
    );
}

/// RFC 9112 sections 2.2, 5.1 and 5.2.
#[test]
fn header_lines_are_strict() {
    let site = site();
    let server = site.start(&[]);
    for (line, why) in [
        ("X-A : b", "(RFC 9112 section 5.1)"),
        ("X-A\t: b", "(RFC 9112 section 5.1)"),
        ("X-A: b\r\n folded", "(RFC 9112 section 5.2)"),
        (" X-A: b", "(RFC 9112 section 5.2)"),
        ("X-A: b\rX-B: c", "(RFC 9112 section 2.2)"),
        ("X-A: b\0c", "(RFC 9110 section 5.5)"),
        ("no colon", "(RFC 9112 section 5)"),
        (": no name", "(RFC 9112 section 5)"),
        ("X A: b", "(RFC 9112 section 5)"),
    ] {
        assert_refused(
            &server,
            format!("GET / HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n"),
            400,
            why,
        );
    }
}

/// RFC 9112 section 3.
#[test]
fn request_lines_are_strict() {
    let site = site();
    let server = site.start(&[]);
    for line in [
        "GET  /a.txt HTTP/1.1",
        "GET /a.txt  HTTP/1.1",
        " GET /a.txt HTTP/1.1",
        "GET /a.txt HTTP/1.1 ",
        "GET a.txt HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET /\r HTTP/1.1",
        "GET * HTTP/1.1",
        "GET /a.txt HTTP/1.x",
        "GET /a.txt",
    ] {
        assert_refused(&server, format!("{line}\r\nHost: localhost\r\n\r\n"), 400, "400: ");
    }
    // HTTP/0.9: the line is all there is, and it is answered without waiting for more.
    assert_refused(&server, "GET /a.txt\r\n", 400, "HTTP/0.9");
    assert_refused(&server, b"\x16\x03\x01\x02\x00", 400, "TLS");
}

/// RFC 9112 section 2.2.
#[test]
fn one_empty_line_before_a_request_is_skipped_and_bare_line_feeds_end_lines() {
    let site = site();
    let server = site.start(&[]);
    server.ask("\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n").expect_status(200);
    assert_refused(&server, "\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, "400: ");
    server.ask("GET /a.txt HTTP/1.1\nHost: localhost\n\n").expect_status(200);
}

/// RFC 9110 section 2.5; RFC 9112 sections 3.2.2 and 9.3.
#[test]
fn versions() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    peer.send(b"GET /a.txt HTTP/1.0\r\n\r\n");
    peer.response().expect_status(200).expect_body("hello\n");
    peer.expect_end_of_stream();

    let mut peer = server.connect();
    for _ in 0..2 {
        peer.send(b"GET /a.txt HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
        peer.response().expect_status(200).expect_field("connection", "keep-alive");
    }

    let newer = server.ask("GET /a.txt HTTP/1.2\r\nHost: localhost\r\n\r\n").expect_status(200);
    assert!(newer.head.starts_with("HTTP/1.1 200 OK\r\n"), "{}", newer.head);
    assert_refused(
        &server,
        "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n",
        505,
        "(RFC 9110 section 15.6.6)",
    );
    assert_refused(&server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "HTTP/1.1");
    let absolute = "GET http://localhost/a.txt HTTP/1.1\r\nHost: other.example\r\n\r\n";
    server.ask(absolute).expect_status(200).expect_body("hello\n");
}

/// RFC 9110 section 10.1.1.
#[test]
fn expectations() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    peer.send(b"PUT /a.txt HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    // The final status comes first: nobody wants this body.
    peer.response().expect_status(405).expect_field("connection", "close");
    peer.expect_end_of_stream();
    assert_refused(
        &server,
        "GET / HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n\r\n",
        417,
        "10.1.1",
    );
    server.get_with("/a.txt", "Expect: 100-continue\r\n").expect_status(200);
}

/// RFC 9110 section 15.5.15 and RFC 6585 section 5.
#[test]
fn limits() {
    let site = site();
    let server = site.start(&[]);
    assert_refused(&server, format!("GET /{} HTTP/1.1\r\n", "a".repeat(16 << 10)), 414, "414: ");
    // No line end has to come for that.
    assert_refused(&server, "a".repeat((16 << 10) + 1), 414, "414: ");
    let fields = |count: usize| "X-A: b\r\n".repeat(count);
    server.get_with("/a.txt", &fields(99)).expect_status(200);
    assert_refused(
        &server,
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", fields(100)),
        431,
        "(RFC 6585 section 5)",
    );
    let long = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: {}", "b".repeat(64 << 10));
    assert_refused(&server, long, 431, "(RFC 6585 section 5)");
}

/// RFC 9110 section 15.5.20: a page of the web cannot reach a local server by a name of
/// its own.
#[test]
fn a_strange_host_on_loopback_is_421() {
    let site = site();
    let server = site.start(&["--allow-host", "my.test"]);
    let ask = |host: &str| server.ask(format!("GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    for host in [
        "localhost",
        "LOCALHOST:8000",
        "app.localhost",
        "127.0.0.1:1",
        "[::1]",
        "192.168.1.2",
        "my.test:80",
    ] {
        ask(host).expect_status(200);
    }
    let refused = ask("evil.example").expect_status(421);
    assert!(refused.text().contains("--allow-host evil.example"), "{}", refused.text());
    ask("localhost.evil.example").expect_status(421);
    // The host of an absolute target goes before the header (RFC 9112 section 3.2.2).
    server
        .ask("GET http://evil.example/a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .expect_status(421);
}

/// RFC 9110 section 12.5.1: an error page in the form that is asked for, and always
/// escaped.
#[test]
fn errors_teach_in_the_form_that_is_asked_for() {
    let site = site();
    let server = site.start(&[]);
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n";
    server.ask(request).expect_body("400: two Host headers (RFC 9112 section 3.2)\n");
    let text = server.get("/missing").expect_field("content-type", "text/plain; charset=utf-8");
    text.expect_field("cache-control", "no-store")
        .expect_body("404: there is nothing at this address\n");
    let json = server
        .get_with("/missing", "Accept: application/json\r\n")
        .expect_field("content-type", "application/json");
    json.expect_body("{\"status\":404,\"error\":\"404: there is nothing at this address\"}\n");
    let html = server.get_with("/missing", "Accept: text/html,*/*;q=0.8\r\n");
    let html = html
        .expect_field("content-type", "text/html; charset=utf-8")
        .expect_field("x-content-type-options", "nosniff");
    assert!(
        html.field("content-security-policy")
            .is_some_and(|policy| policy.starts_with("default-src 'none'"))
    );
    assert!(html.text().contains("<h1>404 Not Found</h1>") && !html.text().contains("<script"));
    let host = "GET / HTTP/1.1\r\nHost: a&b\r\nAccept: text/html\r\n\r\n";
    assert!(!server.ask(host).text().contains("a&b"));
}
