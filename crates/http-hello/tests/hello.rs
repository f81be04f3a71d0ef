//! The one answer.

mod suite;

use httpcore::testing::{ask, assert_answered, get};
use netcore::testing::Setup;
use suite::suite;

#[test]
fn every_path_is_answered_with_the_text() {
    let server = suite().start(Setup::default());
    for path in ["/", "/any/path?at=all"] {
        let response = get(&server, path, "");
        assert_answered(&response, 200, "Привет, мир!");
        assert!(response.contains("\r\nContent-Length: 21\r\n"), "{response}");
        assert!(response.contains("\r\nContent-Type: text/plain; charset=utf-8\r\n"), "{response}");
    }
}

#[test]
fn other_methods_are_told_that_they_are_not_known() {
    let server = suite().start(Setup::default());
    let response = ask(&server, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    assert_answered(&response, 501, "only GET is known here");
}

#[test]
fn what_is_no_request_is_told_so() {
    let server = suite().start(Setup::default());
    assert_answered(&ask(&server, b"hello\r\n\r\n"), 400, "this is not a request");
}
