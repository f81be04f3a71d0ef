//! What a handler reads of a request, and what it adds to a response: queries, forms,
//! cookies, redirects; and the client that asks for them.

use std::io::{Cursor, ErrorKind, Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use http_server::{
    Cookie, Method, Metrics, Refusal, Request, Response, SameSite, Server, Status, TestClient,
};

use crate::asking::{get, server};

#[test]
fn a_query_is_read_by_name_and_as_a_whole() {
    let all = |req: &mut Request<'_>| {
        let queries = req.queries();
        let tags: Vec<&str> = queries.all("tag").collect();
        format!("{:?} {:?}", req.query("name"), tags)
    };
    let server = server().get("/", all).spawn().unwrap();
    let text = |path| server.client().get(path).send().unwrap().text().into_owned();
    assert_eq!(text("/?tag=a&name=%D1%8F+x&tag=b"), "Some(\"я x\") [\"a\", \"b\"]");
    assert_eq!(text("/"), "None []");
}

#[test]
fn a_form_is_read_and_anything_else_is_told_what_a_form_is() {
    let greet = |req: &mut Request<'_>| -> Result<String, Refusal> {
        Ok(format!("hi {}\n", req.form()?.get("name").unwrap_or("you")))
    };
    let server = server().post("/", greet).spawn().unwrap();
    let client = server.client();
    let reply = client.post("/").form(&[("name", "Ada & Я=1"), ("x", "")]).send().unwrap();
    assert_eq!(reply.text(), "hi Ada & Я=1\n");
    for (media_type, status, word) in [
        ("Application/X-WWW-Form-URLencoded; charset=UTF-8", 200, "hi a"),
        ("text/plain", 415, "application/x-www-form-urlencoded"),
        ("multipart/form-data; boundary=x", 415, "a file as a body of its own"),
        ("", 415, "application/x-www-form-urlencoded"),
    ] {
        let post = client.post("/").header("Content-Type", media_type).body("name=a");
        let reply = post.send().unwrap();
        assert_eq!(reply.status(), Status(status), "{media_type}");
        assert!(reply.text().contains(word), "{media_type}: {}", reply.text());
    }
}

#[test]
fn a_cookie_comes_back_until_it_is_taken_away() {
    let server = server()
        .post("/in", |_| Response::redirect("/").cookie(Cookie::new("session", "b7c4")))
        .post("/out", |_| Response::redirect("/").cookie(Cookie::removal("session")))
        .get("/", |req| req.cookie("session").unwrap_or("nobody").to_string())
        .spawn()
        .unwrap();
    let client = server.client();
    let who = || client.get("/").send().unwrap().text().into_owned();
    assert_eq!(who(), "nobody");
    let reply = client.post("/in").send().unwrap();
    assert_eq!((reply.status(), reply.field("Location")), (Status::SEE_OTHER, Some("/")));
    assert_eq!(
        reply.field("Set-Cookie"),
        Some("session=b7c4; Path=/; SameSite=Lax; HttpOnly; Secure")
    );
    assert_eq!(who(), "b7c4");
    // What one client has, another one has not.
    assert_eq!(server.client().get("/").send().unwrap().text(), "nobody");
    client.post("/out").send().unwrap();
    assert_eq!(who(), "nobody");
}

#[test]
fn cookies_are_found_wherever_they_stand() {
    let read = |req: &mut Request<'_>| format!("{:?}", req.cookie("a"));
    let server = server().get("/", read).spawn().unwrap();
    for (field, value) in [
        ("a=1", "Some(\"1\")"),
        ("b=2; a=1=x", "Some(\"1=x\")"),
        ("ba=2;a=1", "Some(\"1\")"),
        ("a=1; a=2", "Some(\"1\")"),
        ("b=\u{ff}; a=", "Some(\"\")"),
        ("a", "None"),
        ("A=1", "None"),
        ("", "None"),
    ] {
        let reply = server.client().get("/").header("Cookie", field).send().unwrap();
        assert_eq!(reply.text(), value, "{field}");
    }
}

#[test]
fn a_cookie_that_would_be_more_than_one_is_a_500() {
    let set = |req: &mut Request<'_>| {
        Response::text("x").cookie(
            Cookie::new("a", req.query("value").unwrap_or_default())
                .max_age(Duration::from_secs(60))
                .same_site(SameSite::Strict),
        )
    };
    let server = server().get("/", set).spawn().unwrap();
    let reply = server.client().get("/?value=b").send().unwrap();
    let value = "a=b; Path=/; Max-Age=60; SameSite=Strict; HttpOnly; Secure";
    assert_eq!(reply.field("Set-Cookie"), Some(value));
    let reply = server.client().get("/?value=b;%20Domain=test").send().unwrap();
    assert_eq!((reply.status().0, reply.field("Set-Cookie")), (500, None));
}

/// The advice of the program's own server names its option.
#[test]
fn a_strange_host_is_told_of_in_words_of_the_library() {
    let server = server().get("/", |_| "ok").spawn().unwrap();
    let reply = server.client().get("/").header("Host", "evil.example").send().unwrap();
    assert_eq!(reply.status(), Status::MISDIRECTED_REQUEST);
    assert!(reply.text().contains("Server::allow_host(\"evil.example\")"), "{}", reply.text());
    assert!(!reply.text().contains("--"), "{}", reply.text());
}

#[test]
fn a_port_that_is_taken_is_told_of_in_words_of_the_library() {
    let taken = server().spawn().unwrap();
    let Err(error) = Server::bind(&taken.address().to_string()) else { panic!("two have it") };
    assert!(error.to_string().contains("in use"), "{error}");
    let hint = error.hint().unwrap();
    assert!(hint.contains("Server::bind") && !hint.contains("--"), "{hint}");
}

#[test]
fn responses_are_counted_and_the_page_is_what_prometheus_reads() {
    let metrics = Metrics::default();
    let server = server()
        .count_in(metrics.clone())
        .get("/", |_| "four")
        .route(Method::Get, "/metrics", metrics)
        .spawn()
        .unwrap();
    for path in ["/", "/", "/nothing"] {
        get(&server, path);
    }
    let reply = server.client().get("/metrics").send().unwrap();
    assert_eq!(reply.field("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = reply.text();
    for line in ["http_responses_total{status=\"200\"} 2\n", "{status=\"404\"} 1\n"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("http_response_duration_seconds_count 3\n"), "{text}");
}

#[test]
fn what_is_to_end_at_a_stop_is_told_of_it() {
    let (sender, told) = std::sync::mpsc::channel();
    let server = server().on_stop(move || sender.send(()).unwrap()).spawn().unwrap();
    assert!(told.try_recv().is_err());
    server.stop().unwrap();
    assert_eq!(told.try_recv(), Ok(()));
}

#[test]
fn the_client_reads_what_is_in_chunks_and_what_has_no_content() {
    let server = server()
        .get("/", |_| Response::stream(Cursor::new(vec![b'x'; 200_000])))
        .get("/none", |_| Status::NO_CONTENT)
        .spawn()
        .unwrap();
    let client = server.client();
    assert_eq!(client.get("/").send().unwrap().bytes(), vec![b'x'; 200_000]);
    assert_eq!(client.request(Method::Head, "/").send().unwrap().bytes(), b"");
    assert_eq!(client.get("/none").send().unwrap().status(), Status::NO_CONTENT);
    let error = client.get("/").header("A", "b\r\nC: d").send().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// A handler whose stream fails in the middle must not look whole to its test.
#[test]
fn the_client_tells_what_is_cut_short_or_no_response_at_all() {
    for (response, kind) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ErrorKind::InvalidData),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            ErrorKind::InvalidData,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", ErrorKind::UnexpectedEof),
        ("", ErrorKind::UnexpectedEof),
        ("SSH-2.0-x\r\n\r\n", ErrorKind::InvalidData),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", ErrorKind::InvalidData),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            ErrorKind::InvalidData,
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TestClient::new(listener.local_addr().unwrap());
        let peer = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                stream.read_exact(&mut byte).unwrap();
                request.push(byte[0]);
            }
            stream.write_all(response.as_bytes()).unwrap();
        });
        let error = client.get("/").send().unwrap_err();
        assert_eq!(error.kind(), kind, "{response:?}: {error}");
        peer.join().unwrap();
    }
}

#[cfg(feature = "json")]
mod json {
    use http_server::{Json, Refusal, Request, Status};
    use serde::{Deserialize, Serialize};

    use crate::asking::server;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Point {
        x: i32,
        y: i32,
    }

    fn turn(req: &mut Request<'_>) -> Result<Json<Point>, Refusal> {
        let Point { x, y } = req.json()?;
        Ok(Json(Point { x: y, y: x }))
    }

    #[test]
    fn values_come_and_go_as_json() {
        let server = server().post("/", turn).spawn().unwrap();
        let reply = server.client().post("/").json(&Point { x: 1, y: -2 }).send().unwrap();
        assert_eq!(reply.field("Content-Type"), Some("application/json"));
        assert_eq!(reply.json::<Point>().unwrap(), Point { x: -2, y: 1 });
        assert!(reply.json::<Vec<Point>>().is_err());
    }

    #[test]
    fn what_is_not_the_value_is_refused_with_the_place() {
        let server = server().post("/", turn).spawn().unwrap();
        let large = " ".repeat(2 << 20);
        for (media_type, body, status, word) in [
            ("application/json; charset=utf-8", "{\"x\":1,\"y\":2}", 200, "\"x\":2"),
            ("application/vnd.point+json", "{\"x\":1,\"y\":2}", 200, "\"x\":2"),
            ("application/json", "{\"x\":1}", 422, "missing field `y` at line 1"),
            ("application/json", "{\"x\":1,\"y\":\"2\"}", 422, "invalid type"),
            ("application/json", "{\"x\":1,\"y\":2", 400, "EOF while parsing"),
            ("application/json", "", 400, "EOF while parsing"),
            ("application/json", &large, 413, "longer than"),
            ("text/plain", "{\"x\":1,\"y\":2}", 415, "application/json"),
            ("application/jsonp", "{}", 415, "application/json"),
        ] {
            let client = server.client();
            let post = client.post("/").header("Content-Type", media_type).body(body);
            let reply = post.send().unwrap();
            assert_eq!(reply.status(), Status(status), "{}", reply.text());
            assert!(reply.text().contains(word), "{}", reply.text());
        }
    }
}
