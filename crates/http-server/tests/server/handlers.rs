//! What is answered: values of handlers, routes, errors.

use std::io::{self, Cursor, Read, Write};

use http_server::{Cors, IntoResponse, Refusal, Request, Response, Server, Status};

use crate::asking::{assert_status, connect, content, exchange, get, server};

#[test]
fn a_closure_that_returns_text_is_a_handler() {
    let server =
        server().get("/hello/{name}", |req| format!("hi {}\n", req.param("name"))).spawn().unwrap();
    let response = get(&server, "/hello/%D0%BC%D0%B8%D1%80");
    assert_status(&response, 200);
    assert!(
        response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 10\r\n"),
        "{response}"
    );
    assert_eq!(content(&response), "hi мир\n");
}

#[test]
fn text_bytes_statuses_and_responses_are_answers() {
    let server = server()
        .get("/bytes", |_| vec![0xff, 0x00])
        .get("/status", |_| Status::NO_CONTENT)
        .get("/reset", |_| Response::text("a").with_status(Status::RESET_CONTENT))
        .get("/csv", |_| Response::text("a,b\n").header("Content-Type", "text/csv"))
        .get("/twice", |_| Response::text("a").header("Content-Length", "9"))
        .spawn()
        .unwrap();
    let mut stream = connect(&server);
    stream.write_all(b"GET /bytes HTTP/1.0\r\n\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"\r\n\r\n\xff\x00"));
    assert!(String::from_utf8_lossy(&bytes).contains("Content-Type: application/octet-stream\r\n"));
    let status = get(&server, "/status");
    assert_status(&status, 204);
    assert!(!status.contains("Content-Length"), "{status}");
    // RFC 9110 section 15.3.6: a client clears its form, and there is nothing to show.
    let reset = get(&server, "/reset");
    assert_status(&reset, 205);
    assert!(reset.contains("\r\nContent-Length: 0\r\n") && reset.ends_with("\r\n\r\n"), "{reset}");
    let csv = get(&server, "/csv");
    assert!(csv.contains("Content-Type: text/csv\r\n") && !csv.contains("text/plain"), "{csv}");
    // Two lengths would be two ends.
    let twice = get(&server, "/twice");
    assert_status(&twice, 500);
    assert_eq!(twice.matches("Content-Length").count(), 1, "{twice}");
}

#[test]
fn routes_go_before_mounts_and_the_longest_prefix_before_others() {
    let name = |name: &'static str| move |_: &mut Request<'_>| name;
    let server = server()
        .mount("/", name("root"))
        .mount("/a/b", name("a/b"))
        .mount("/a", name("a"))
        .get("/a/b/route", name("route"))
        .get("/all/{rest..}", |req| req.param("rest").to_string())
        .spawn()
        .unwrap();
    for (path, answer) in [
        ("/", "root"),
        ("/ab", "root"),
        ("/a", "a"),
        ("/a/", "a"),
        ("/a/bc", "a"),
        ("/a/b/c", "a/b"),
        ("/a/%62/c", "a/b"),
        ("/a/b/route", "route"),
        ("/all/x/y%2Dz", "x/y-z"),
        ("/all", ""),
    ] {
        assert_eq!(content(&get(&server, path)), answer, "{path}");
    }
}

#[test]
fn a_password_guards_one_mount_and_no_other() {
    let secret = http_server::Guarded::new(|_: &mut Request<'_>| "secret", &["ada:engine"]);
    let server = server().mount("/", |_: &mut Request<'_>| "open").mount("/in", secret.unwrap());
    let server = server.spawn().unwrap();
    assert_eq!(content(&get(&server, "/")), "open");
    assert_status(&get(&server, "/in/x"), 401);
    assert_status(&get(&server, "/x/../in/"), 401);
    let head = "GET /in HTTP/1.0\r\nAuthorization: Basic YWRhOmVuZ2luZQ==\r\n\r\n";
    assert_eq!(content(&exchange(&server, head)), "secret");
}

#[test]
fn head_options_and_405_come_with_the_routes() {
    let server = server().get("/", |_| "text").put("/", |_| Status::NO_CONTENT).spawn().unwrap();
    let ask = |method: &str| {
        exchange(
            &server,
            &format!("{method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"),
        )
    };
    let head = ask("HEAD");
    assert_status(&head, 200);
    assert!(head.contains("Content-Length: 4\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    let options = ask("OPTIONS");
    assert_status(&options, 204);
    assert!(options.contains("Allow: GET, HEAD, PUT, OPTIONS\r\n"), "{options}");
    assert!(!options.contains("Content-Length"), "{options}");
    let delete = ask("DELETE");
    assert_status(&delete, 405);
    assert!(delete.contains("Allow: GET, HEAD, PUT, OPTIONS\r\n"), "{delete}");
    assert_status(&ask("PUT"), 204);
}

#[test]
fn each_method_for_which_there_is_a_word_has_its_route() {
    let server = server()
        .get("/", |_| "GET")
        .post("/", |_| "POST")
        .put("/", |_| "PUT")
        .delete("/", |_| "DELETE")
        .patch("/", |_| "PATCH")
        .spawn()
        .unwrap();
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH"] {
        let request =
            format!("{method} / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assert_eq!(content(&exchange(&server, &request)), method);
    }
}

/// RFC 9110 section 9.3.7.
#[test]
fn options_about_the_server_name_the_methods_of_its_routes() {
    let allowed = |server: Server| {
        let server = server.spawn().unwrap();
        let asked = "OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        let response = exchange(&server, asked);
        assert_status(&response, 204);
        let allow = response.lines().find_map(|line| line.strip_prefix("Allow: "));
        allow.unwrap().to_string()
    };
    assert_eq!(allowed(server().post("/a", |_| "a").put("/b", |_| "b")), "POST, PUT, OPTIONS");
    assert_eq!(
        allowed(server().post("/a", |_| "a").mount("/", |_: &mut Request<'_>| "b")),
        "POST, GET, HEAD, OPTIONS"
    );
    assert_eq!(allowed(server()), "OPTIONS");
}

#[test]
fn a_server_with_a_pattern_that_makes_no_sense_does_not_start() {
    let error = server().get("/pre-{x}", |_| "a").get("/", |_| "b").spawn().unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot route requests: /pre-{x}: braces stand for a whole name between two slashes"
    );
}

#[test]
fn an_input_error_becomes_a_status_by_question_mark() {
    fn missing() -> Result<String, io::Error> {
        let text = std::fs::read_to_string("/nowhere/at/all")?;
        Ok(text)
    }
    let server = server()
        .get("/missing", |_| missing())
        .get("/denied", |_| -> io::Result<String> { Err(io::ErrorKind::PermissionDenied.into()) })
        .get("/broken", |_| -> io::Result<String> { Err(io::Error::other("a secret")) })
        .get("/refused", |_| -> Result<String, Refusal> {
            Err(Refusal::new(Status::CONFLICT, "no"))
        })
        .spawn()
        .unwrap();
    assert_status(&get(&server, "/missing"), 404);
    assert_status(&get(&server, "/denied"), 403);
    let broken = get(&server, "/broken");
    assert_status(&broken, 500);
    assert!(!broken.contains("secret"), "{broken}");
    assert_status(&get(&server, "/refused"), 409);
}

#[test]
fn a_panic_is_a_500_and_the_server_goes_on() {
    let server = server()
        .get("/bad", |_| -> String { panic!("on purpose") })
        .get("/", |_| "good")
        .spawn()
        .unwrap();
    assert_status(&get(&server, "/bad"), 500);
    assert_eq!(content(&get(&server, "/")), "good");
}

#[test]
fn a_stream_is_chunked_on_1_1_and_ends_with_the_connection_on_1_0() {
    let server = server().get("/", |_| Response::stream(Cursor::new("stream"))).spawn().unwrap();
    let chunked = get(&server, "/");
    assert!(chunked.contains("\r\nTransfer-Encoding: chunked\r\n"), "{chunked}");
    assert_eq!(content(&chunked), "6\r\nstream\r\n0\r\n\r\n");
    let closed = exchange(&server, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(!closed.contains("chunked") && closed.contains("Connection: close\r\n"), "{closed}");
    assert_eq!(content(&closed), "stream");
}

/// RFC 6454 and the fetch standard: two of them are none.
#[test]
fn the_origins_that_may_read_are_said_once() {
    const NAME: &str = "Access-Control-Allow-Origin";
    let own = |_: &mut http_server::Request<'_>| Response::text("x").header(NAME, "https://a.test");
    let server = server().cors(Cors::AnyOrigin).get("/", |_| "x").get("/own", own);
    let server = server.header("Access-Control-Expose-Headers", "X-A").unwrap().spawn().unwrap();
    for (path, origin) in [("/", "*"), ("/own", "https://a.test")] {
        let response = get(&server, path);
        assert!(response.contains(&format!("{NAME}: {origin}\r\n")), "{response}");
        assert_eq!(response.matches(NAME).count(), 1, "{response}");
    }
}

/// RFC 9110 sections 6.4.1 and 8.6, RFC 9112 section 6.1.
#[test]
fn a_status_without_content_has_nothing_that_announces_some() {
    let server = server()
        .get("/stream", |_| {
            Response::stream(Cursor::new("content")).with_status(Status::NO_CONTENT)
        })
        .get("/refusal", |_| Err::<&str, _>(Refusal::new(Status::NOT_MODIFIED, "content")))
        .spawn()
        .unwrap();
    for (path, status) in [("/stream", 204), ("/refusal", 304)] {
        let response = get(&server, path);
        assert_status(&response, status);
        let lower = response.to_ascii_lowercase();
        assert!(
            !lower.contains("content-length") && !lower.contains("transfer-encoding"),
            "{response}"
        );
        assert_eq!(content(&response), "");
    }
}

/// Two of them would be contradictory.
#[test]
fn what_a_handler_says_of_an_error_page_is_said_once() {
    let server = server()
        .get("/", |_| Status::SERVICE_UNAVAILABLE.into_response().header("Retry-After", "120"))
        .get("/kept", |_| Status::NOT_FOUND.into_response().header("Cache-Control", "max-age=60"))
        .spawn()
        .unwrap();
    let busy = get(&server, "/");
    assert!(busy.contains("Retry-After: 120\r\n"), "{busy}");
    assert_eq!(busy.matches("Retry-After").count(), 1, "{busy}");
    let missing = get(&server, "/kept");
    assert!(missing.contains("Cache-Control: max-age=60\r\n"), "{missing}");
    assert_eq!(missing.matches("Cache-Control").count(), 1, "{missing}");
}
