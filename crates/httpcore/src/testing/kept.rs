//! One request after another on a connection.

use std::io::Write;

use super::{Site, ask, assert_answered, connect, read_to_end, start};
use crate::head::LINE_LIMIT;

/// Also when they come in one piece.
pub fn many_requests_are_answered_in_order_on_one_connection(site: &Site) {
    let (server, _folder) = start(site);
    let one = "GET /folder/one.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "GET /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    // In one piece, so that the second arrives before the first is answered.
    let responses = ask(&server, [one, one, last].concat().as_bytes());
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 3, "{responses}");
    assert_eq!(responses.matches("\r\n\r\none\n").count(), 2, "{responses}");
    assert!(responses.ends_with("Привет, мир!\n"), "{responses}");
}

/// Some clients send it behind a body that does not count it (RFC 9112 section 2.2).
pub fn an_empty_line_before_a_request_is_passed_over(site: &Site) {
    let (server, _folder) = start(site);
    let one = "\r\nGET /folder/one.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    let last = "\r\nGET /hello.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let questions = [one, last].concat();
    // Its two bytes need not come together.
    for split in 0..=one.len() + 3 {
        let mut stream = connect(&server);
        stream.set_nodelay(true).expect("it can be done");
        let (first, second) = questions.split_at(split);
        stream.write_all(first.as_bytes()).expect("it can be done");
        stream.write_all(second.as_bytes()).expect("it can be done");
        let responses = read_to_end(stream);
        assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 2, "{split}: {responses}");
    }
}

/// It would wait for the end of the connection.
pub fn a_client_of_1_0_is_not_kept_unless_it_asks(site: &Site) {
    let (server, _folder) = start(site);
    let response = ask(&server, b"GET /hello.txt HTTP/1.0\r\n\r\n");
    assert!(response.contains("\r\nConnection: close\r\n"), "{response}");
}

/// A proxy before the server may have read it the other way.
pub fn a_head_that_two_readers_could_take_differently_is_refused_and_the_connection_ends(
    site: &Site,
) {
    let (server, _folder) = start(site);
    for fields in [
        "",
        "Host: a\r\nHost: b\r\n",
        "Host: :80\r\n",
        "Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n",
        "Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Host: a\r\nX : y\r\n",
    ] {
        let request = format!("GET / HTTP/1.1\r\n{fields}\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let response = ask(&server, request.as_bytes());
        assert!(response.starts_with("HTTP/1.1 400 "), "{fields:?}: {response}");
        assert_eq!(response.matches("HTTP/1.1 ").count(), 1, "{fields:?}: {response}");
    }
}

/// Its client reads none, and takes what comes for the next response.
pub fn head_gets_no_content_where_it_is_refused_either(site: &Site) {
    let (server, _folder) = start(site);
    let long = format!("HEAD /{}", "x".repeat(LINE_LIMIT));
    let after_an_empty_line = "\r\nHEAD / HTTP/1.1\r\n";
    for (head, status) in [
        ("HEAD / HTTP/1.1\r\n", 400),
        (after_an_empty_line, 400),
        ("HEAD / HTTP/3\r\n", 400),
        (&long, 414),
    ] {
        assert_answered(&ask(&server, format!("{head}\r\n").as_bytes()), status, "");
    }
}
