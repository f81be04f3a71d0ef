//! The shortener over real connections.

mod suite;

use httpcore::testing::{ask, field};
use netcore::testing::{Running, Setup};
use suite::suite;

fn start(options: &'static [&'static str]) -> Running {
    suite(options).start(Setup::default())
}

/// Sends one request on a connection of its own.
fn send(server: &Running, request: &str, content: &str) -> String {
    let length = content.len();
    let fields = format!("Host: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n");
    ask(server, format!("{request} HTTP/1.1\r\n{fields}\r\n{content}").as_bytes())
}

#[track_caller]
fn assert_status(response: &str, status: &str) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
}

#[test]
fn a_short_link_leads_to_the_long_one_and_each_has_one() {
    let server = start(&[]);
    let long = "https://example.org/a/long/way?to=it#there";
    let made = send(&server, "POST /links", long);
    assert_status(&made, "201");
    let short = field(&made, "Location").to_string();
    assert_eq!(field(&send(&server, "POST /links", long), "Location"), short);
    let other = send(&server, "POST /links", "http://example.org/");
    assert_ne!(field(&other, "Location"), short);
    let led = send(&server, &format!("GET {short}"), "");
    assert_status(&led, "303");
    assert_eq!(field(&led, "Location"), long);
}

#[test]
fn what_is_no_link_or_no_name_is_refused() {
    let server = start(&[]);
    for text in ["", "javascript:alert(1)", "https://", "//example.org", "http://a b", "http:///a"]
    {
        assert_status(&send(&server, "POST /links", text), "400");
    }
    for name in ["/s/2", "/s/O", "/s/"] {
        assert_status(&send(&server, &format!("GET {name}"), ""), "404");
    }
}

#[test]
fn what_a_client_can_make_the_server_hold_is_bounded() {
    let server = start(&["--max-links", "1"]);
    assert_status(&send(&server, "POST /links", "http://example.org/"), "201");
    assert_status(&send(&server, "POST /links", "http://example.com/"), "507");
    assert_status(&send(&server, "POST /links", "http://example.org/"), "201");
    let long = format!("http://example.org/{}", "x".repeat(url_shortener::BODY_LIMIT));
    assert_status(&send(&server, "POST /links", &long), "413");
}
