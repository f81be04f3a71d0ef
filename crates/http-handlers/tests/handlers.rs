//! Values that are returned.

mod suite;

use std::io::{Read, Write};

use httpcore::testing::{ask, assert_answered, connect, get, read_to_end};
use netcore::testing::Setup;
use suite::suite;

#[test]
fn a_path_is_a_file_with_its_type() {
    let server = suite().start(Setup::default());
    let response = get(&server, "/hello.txt", "");
    assert_answered(&response, 200, "Привет, мир!\n");
    assert!(response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), "{response}");
}

#[test]
fn head_gets_the_head_alone() {
    let server = suite().start(Setup::default());
    let request = b"HEAD /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let response = ask(&server, request);
    assert_answered(&response, 200, "");
    assert!(response.contains("\r\nContent-Length: 22\r\n"), "{response}");
}

#[test]
fn no_path_leaves_the_folder() {
    let server = suite().start(Setup::default());
    for path in
        ["/../Cargo.toml", "/%2e%2e/Cargo.toml", "/..%2fCargo.toml", "/folder/../../Cargo.toml"]
    {
        assert!(get(&server, path, "").starts_with("HTTP/1.1 404 "), "{path}");
    }
}

#[cfg(unix)]
#[test]
fn no_link_leads_out_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, outside) = (folder.path().join("inside"), folder.path().join("outside"));
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(&outside, "secret").unwrap();
    std::os::unix::fs::symlink(&outside, inside.join("link")).unwrap();
    let linked = netcore::testing::Suite::new("", "", move |listener, setup, shutdown| {
        let service = http_handlers::Site {
            root: inside.clone(),
            accept_timeout: None,
            limits: setup.limits,
            max_clients: setup.max_clients,
        };
        http_handlers::server::serve(listener, &service, shutdown)
    });
    let server = linked.start(Setup::default());
    assert!(get(&server, "/link", "").starts_with("HTTP/1.1 404 "));
}

#[test]
fn a_folder_is_its_index_or_a_list_and_ends_with_a_slash() {
    let server = suite().start(Setup::default());
    assert!(get(&server, "/", "").contains("<h1>Привет, мир!</h1>"));
    let list = get(&server, "/folder/", "");
    assert!(list.contains("<a href=\"./one.txt\">one.txt</a>"), "{list}");
    let redirect = get(&server, "/folder", "");
    assert!(redirect.starts_with("HTTP/1.1 301 "), "{redirect}");
    assert!(redirect.contains("\r\nLocation: /folder/\r\n"), "{redirect}");
}

#[test]
fn many_requests_are_answered_in_order_on_one_connection() {
    let server = suite().start(Setup::default());
    let one = "GET /folder/one.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    // In one piece, so that the second arrives before the first is answered.
    let responses = ask(&server, [one, one, last].concat().as_bytes());
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 3, "{responses}");
    assert_eq!(responses.matches("\r\n\r\none\n").count(), 2, "{responses}");
    assert!(responses.ends_with("Привет, мир!\n"), "{responses}");
}

#[test]
fn a_client_of_1_0_is_not_kept_unless_it_asks() {
    let server = suite().start(Setup::default());
    let response = ask(&server, b"GET /hello.txt HTTP/1.0\r\n\r\n");
    assert!(response.contains("\r\nConnection: close\r\n"), "{response}");
}

#[test]
fn a_head_that_two_readers_could_take_differently_is_refused_and_the_connection_ends() {
    let server = suite().start(Setup::default());
    for fields in [
        "",
        "Host: a\r\nHost: b\r\n",
        "Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Host: a\r\nX : y\r\n",
    ] {
        let request = format!("GET / HTTP/1.1\r\n{fields}\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let response = ask(&server, request.as_bytes());
        assert!(response.starts_with("HTTP/1.1 400 "), "{fields:?}: {response}");
        assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "{fields:?}: {response}");
    }
}

#[test]
fn a_body_comes_back_however_it_is_framed() {
    let server = suite().start(Setup::default());
    let start = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
    for rest in ["Content-Length: 5\r\n\r\nabcde", chunked] {
        assert_answered(&ask(&server, format!("{start}{rest}").as_bytes()), 200, "abcde");
    }
}

#[test]
fn a_request_behind_a_body_is_answered_too() {
    let server = suite().start(Setup::default());
    for body in ["POST /echo", "GET /hello.txt"] {
        // The second of these bodies is wanted by nobody, and read away.
        let first = format!("{body} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde");
        let next = "GET /folder/one.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let responses = ask(&server, (first + next).as_bytes());
        assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 2, "{responses}");
        assert!(responses.ends_with("\r\n\r\none\n"), "{responses}");
    }
}

#[test]
fn a_client_that_waits_for_leave_is_given_it_and_then_the_answer() {
    let server = suite().start(Setup::default());
    let mut stream = connect(&server);
    let fields = "Host: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n";
    stream.write_all(format!("POST /echo HTTP/1.1\r\n{fields}\r\n").as_bytes()).unwrap();
    let leave = b"HTTP/1.1 100 Continue\r\n\r\n";
    let mut told = vec![0; leave.len()];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(told, leave);
    stream.write_all(b"abcde").unwrap();
    assert_answered(&read_to_end(stream), 200, "abcde");
}

#[test]
fn a_body_that_is_too_long_or_no_body_is_refused() {
    let server = suite().start(Setup::default());
    let start = "POST /echo HTTP/1.1\r\nHost: a\r\n";
    let long = format!("{start}Content-Length: 2000000\r\n\r\n{}", "x".repeat(2_000_000));
    assert!(ask(&server, long.as_bytes()).starts_with("HTTP/1.1 413 "));
    let broken = format!("{start}Transfer-Encoding: chunked\r\n\r\nhello\r\n");
    assert!(ask(&server, broken.as_bytes()).starts_with("HTTP/1.1 400 "));
}

#[test]
fn what_follows_from_the_routes_need_not_be_written() {
    let server = suite().start(Setup::default());
    assert_answered(&get(&server, "/hello/%D0%BC%D0%B8%D1%80", ""), 200, "hi мир\n");
    let ask = |method: &str, path: &str| {
        ask(
            &server,
            format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").as_bytes(),
        )
    };
    assert_answered(&ask("HEAD", "/hello/a"), 200, "");
    let options = ask("OPTIONS", "/hello/a");
    assert!(
        options.starts_with("HTTP/1.1 204 ")
            && options.contains("\r\nAllow: GET, HEAD, OPTIONS\r\n")
    );
    assert!(ask("DELETE", "/echo").starts_with("HTTP/1.1 405 "));
    assert!(ask("DELETE", "/hello.txt").starts_with("HTTP/1.1 405 "));
}

#[test]
fn an_error_in_a_handler_is_a_status() {
    let server = suite().start(Setup::default());
    let start = "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let request = [start.as_bytes(), b"Content-Length: 1\r\n\r\n\xff"].concat();
    assert!(ask(&server, &request).starts_with("HTTP/1.1 400 "));
}
