//! The one answer.

mod running;

use running::{Running, assert_answered, service};

#[test]
fn every_path_is_answered_with_the_text() {
    let server = Running::start(service());
    for path in ["/", "/any/path?at=all"] {
        let response = server.get(path, "");
        assert_answered(&response, 200, "Привет, мир!");
        assert!(response.contains("\r\nContent-Length: 21\r\n"), "{response}");
        assert!(response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), "{response}");
    }
}

#[test]
fn other_methods_are_told_that_they_are_not_known() {
    let server = Running::start(service());
    let response = server.ask(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_answered(&response, 501, "only GET is known here");
}

#[test]
fn what_is_no_request_is_told_so() {
    let server = Running::start(service());
    assert_answered(&server.ask(b"hello\r\n\r\n"), 400, "this is not a request");
}
